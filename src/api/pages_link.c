/* One-use links: reset, enrolment, first administrator. Opening one shows a form and changes nothing (mail scanners open
 * links, too); sending the form uses it up. */
#include "api/pages.h"
#include "token/core.h"
#include "base/limits.h"

static const struct field link_rows[] = {
    {"username", F_STR, 0, LIMIT_NAME, offsetof(struct link_params, username), NULL, NULL, "the new administrator's user name"},
    {"password", F_STR, FIELD_REQUIRED | FIELD_EXACT, LIMIT_PASSWORD, offsetof(struct link_params, password), NULL, NULL, "the new password"},
    {"csrf", F_STR, 0, 128, offsetof(struct link_params, csrf), NULL, NULL, "the form's own token"},
};
const struct fields link_fields = FIELDS(link_rows, struct link_params);

static const struct {
    const char *kind, *heading, *text, *button;
    bool ask_username;
    const char *next; /* where to go afterwards */
} purposes[] = {
    {"reset", "Choose a new password", "This link works once. Your browsers are signed out when you set the password.", "Set the password", false, "account"},
    {"enrol", "Welcome", "Choose the password of your new account.", "Set the password", false, "account"},
    {"first_admin", "The first administrator", "Choose a user name and a password. This account may do everything here.", "Create the administrator",
     true, "console"},
};

static size_t purpose_of(struct str kind)
{
    for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++)
        if (str_is(kind, purposes[i].kind))
            return i;
    return 0;
}

static err_t form(struct call *c, const struct ticket *t, struct str username, err_t failed)
{
    size_t i = purpose_of(t->kind);
    struct str error = STR_NONE;
    if (failed != ERR_OK)
        error = page_sentence(c, arena_str(c->op.arena, str_z(c->op.fault.detail[0] ? c->op.fault.detail : err_text(failed))));
    memset(&c->op.fault, 0, sizeof(c->op.fault));
    json_t *data = page_data(c, purposes[i].heading);
    page_set(data, "heading", str_z(purposes[i].heading));
    page_set(data, "text", str_z(purposes[i].text));
    page_set(data, "button", str_z(purposes[i].button));
    page_set(data, "username", username);
    page_set(data, "error", error);
    page_set(data, "action", c->req->path);
    page_set_int(data, "password_min", LIMIT_PASSWORD_MIN);
    page_set(data, "csrf", csrf_make(&c->op, "link", page_browser_secret(c)));
    if (purposes[i].ask_username && data)
        json_object_set_new(data, "ask_username", json_true());
    return page_send(c, failed == ERR_OK ? 200 : err_http(failed), "link.html", data);
}

/* For whom it is, so that a password manager files the new password under the right name. */
static struct str link_username(struct call *c, const struct ticket *t)
{
    struct account a;
    if (t->account_id == 0 || account_by_id(&c->op, t->account_id, &a) != ERR_OK)
        return STR_NONE;
    return a.username;
}

err_t page_link(struct call *c, void *params)
{
    (void)params;
    struct ticket t;
    TRY(link_open(&c->op, c->args[0], &t));
    return form(c, &t, link_username(c, &t), ERR_OK);
}

err_t page_link_post(struct call *c, void *params)
{
    struct link_params *p = params;
    struct ticket t;
    struct account account;
    struct signed_in in;
    int64_t account_id;
    TRY(link_open(&c->op, c->args[0], &t));
    TRY(csrf_check(&c->op, "link", call_cookie(c, "pre"), p->csrf));
    err_t e = link_use(&c->op, c->args[0], p->username, p->password, &account_id);
    if (e == ERR_PARAM_BAD || e == ERR_PARAM_MISSING || e == ERR_CONFLICT)
        return form(c, &t, p->username, e);
    TRY(e);
    TRY(account_by_id(&c->op, account_id, &account));
    TRY(session_open(&c->op, &account, "pwd", &in));
    page_signed_in(c, &in);
    return page_go(c, str_z(purposes[purpose_of(t.kind)].next));
}
