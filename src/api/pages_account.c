/* "My tokens": what can act for the person, each with a Revoke button; API keys; the password. */
#include "api/pages.h"
#include "account/apikey.h"
#include "token/core.h"
#include "base/limits.h"

static const struct field revoke_item_rows[] = {
    {"kind", F_ENUM, FIELD_REQUIRED, 16, offsetof(struct revoke_item_params, kind), "token|grant|session|identity", NULL, "what is revoked"},
    {"id", F_STR, FIELD_REQUIRED, 16, offsetof(struct revoke_item_params, id), NULL, NULL, "its id"},
    {"csrf", F_STR, 0, 128, offsetof(struct revoke_item_params, csrf), NULL, NULL, "the form's own token"},
};
const struct fields revoke_item_fields = FIELDS(revoke_item_rows, struct revoke_item_params);

static const struct field new_key_rows[] = {
    {"name", F_STR, FIELD_REQUIRED, 100, offsetof(struct new_key_params, name), NULL, NULL, "what the key is for"},
    {"permissions", F_WORDS, 0, 1024, offsetof(struct new_key_params, permissions), NULL, NULL, "what it may do; empty: all that its owner may"},
    {"days", F_INT, 0, 366, offsetof(struct new_key_params, days), NULL, "90", "how many days it lives"},
    {"csrf", F_STR, 0, 128, offsetof(struct new_key_params, csrf), NULL, NULL, "the form's own token"},
};
const struct fields new_key_fields = FIELDS(new_key_rows, struct new_key_params);

static const struct field password_rows[] = {
    {"old_password", F_STR, FIELD_REQUIRED | FIELD_EXACT, LIMIT_PASSWORD, offsetof(struct password_params, old_password), NULL, NULL, "the present password"},
    {"new_password", F_STR, FIELD_REQUIRED | FIELD_EXACT, LIMIT_PASSWORD, offsetof(struct password_params, new_password), NULL, NULL, "the new one"},
    {"csrf", F_STR, 0, 128, offsetof(struct password_params, csrf), NULL, NULL, "the form's own token"},
};
const struct fields password_fields = FIELDS(password_rows, struct password_params);

/* The page's sections: which items belong where. */
static const struct {
    enum node_kind kind;
    const char *heading, *empty;
} groups[] = {
    {NODE_GRANT, "Applications", "No application can act for you."},
    {NODE_SESSION, "Browsers", "No browser is signed in."},
    {NODE_TOKEN, "API keys", "You have no API keys."},
    {NODE_IDENTITY, "Accounts elsewhere", "No account elsewhere can sign in as you."},
};

static void add_item(struct call *c, json_t *items, const struct held_item *h)
{
    json_t *item = page_item(items);
    page_set(item, "what", h->kind == NODE_SESSION ? page_browser_name(c, h->agent) : h->what);
    page_set(item, "agent", h->agent);
    page_set(item, "scope", h->scope);
    page_set(item, "ip", h->ip);
    page_set(item, "kind", str_z(node_name(h->kind)));
    page_set(item, "id", id_text(c->op.core, c->op.arena, h->id));
    page_set_time(item, "created", h->created_s);
    page_set_time(item, "used", h->used_s);
    page_set_time(item, "expires", h->expires_s);
    if (h->current && item)
        json_object_set_new(item, "current", json_true());
}

/* Where nobody can sign in from elsewhere the page does not speak of it. */
static bool has_identities(struct call *c, const struct held_list *held)
{
    bool any = c->op.tenant->nproviders > 0;
    for (size_t i = 0; i < held->n; i++)
        any |= held->v[i].kind == NODE_IDENTITY;
    return any;
}

/* One page for all that happens there: after each change it shows what is true now. */
static err_t show(struct call *c, int status, const char *note, struct str note_text)
{
    struct held_list held;
    TRY(life_list(&c->op, c->session.account_id, &held));
    json_t *data = page_data(c, "My tokens");
    if (note)
        page_set(data, note, note_text);
    page_set(data, "csrf", csrf_make(&c->op, "account", c->session_text));
    page_set_int(data, "password_min", LIMIT_PASSWORD_MIN);
    json_t *list = page_list(data, "groups");
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        if (groups[g].kind == NODE_IDENTITY && !has_identities(c, &held))
            continue;
        json_t *group = page_item(list);
        page_set(group, "heading", str_z(groups[g].heading));
        page_set(group, "empty", str_z(groups[g].empty));
        json_t *items = page_list(group, "items");
        for (size_t i = 0; i < held.n; i++)
            if (held.v[i].kind == groups[g].kind)
                add_item(c, items, &held.v[i]);
    }
    return page_send(c, status, "account.html", data);
}

/* A refusal that the person can mend stands on the page; what is our fault goes on as an error. */
static err_t show_refusal(struct call *c, err_t e)
{
    if (err_http(e) >= 500 || e == ERR_CSRF)
        return e;
    struct str text = c->op.fault.detail[0] ? str_z(c->op.fault.detail) : str_z(err_text(e));
    text = page_sentence(c, text);
    memset(&c->op.fault, 0, sizeof(c->op.fault));
    return show(c, err_http(e) == 401 ? 403 : err_http(e), "error", text);
}

static err_t check_form(struct call *c, struct str csrf)
{
    return csrf_check(&c->op, "account", c->session_text, csrf);
}

err_t page_account(struct call *c, void *params)
{
    (void)params;
    return show(c, 200, NULL, STR_NONE);
}

/* Only what the page lists can be revoked by it: somebody else's ids find nothing. */
static err_t find_held(struct call *c, const struct revoke_item_params *p, struct held_item *ret)
{
    struct held_list held;
    int64_t id;
    if (!id_parse(c->op.core, p->id, &id))
        return op_fail(&c->op, ERR_PARAM_BAD, "id", "is not an id of this server");
    TRY(life_list(&c->op, c->session.account_id, &held));
    for (size_t i = 0; i < held.n; i++) {
        if (held.v[i].id == id && str_is(p->kind, node_name(held.v[i].kind))) {
            *ret = held.v[i];
            return ERR_OK;
        }
    }
    return op_fail(&c->op, ERR_NOT_FOUND, "id", "this is not among your tokens; perhaps it has ended already");
}

err_t page_account_revoke(struct call *c, void *params)
{
    struct revoke_item_params *p = params;
    struct held_item item = {0};
    TRY(check_form(c, p->csrf));
    err_t e = find_held(c, p, &item);
    if (e != ERR_OK)
        return show_refusal(c, e);
    if (item.kind == NODE_SESSION)
        TRY(session_end(&c->op, item.id));
    else
        TRY(node_revoke(&c->op, item.kind, item.id, "person"));
    if (item.current)
        return page_go(c, STR("signout"));
    return page_go(c, STR("account?revoked"));
}

err_t page_account_key(struct call *c, void *params)
{
    struct new_key_params *p = params;
    struct apikey_request r = {.name = p->name, .life_s = p->days * 86400};
    struct token_text text;
    struct str words[LIMIT_SCOPE_WORDS], rest = p->permissions, word;
    int64_t id, expires_s;
    TRY(check_form(c, p->csrf));
    while (r.permissions.n < LIMIT_SCOPE_WORDS && str_word(&rest, ' ', &word))
        words[r.permissions.n++] = word;
    r.permissions.v = words;
    err_t e = apikey_issue(&c->op, c->session.account_id, &r, &text, &id, &expires_s);
    if (e != ERR_OK)
        return show_refusal(c, e);
    return show(c, 200, "secret", arena_str(c->op.arena, (struct str){text.p, TOKEN_TEXT_SIZE}));
}

err_t page_account_password(struct call *c, void *params)
{
    struct password_params *p = params;
    TRY(check_form(c, p->csrf));
    err_t e = password_change(&c->op, c->session.account_id, p->old_password, p->new_password, c->session.id);
    if (e != ERR_OK)
        return show_refusal(c, e);
    return show(c, 200, "done", STR("Your password is changed. Your other browsers are signed out."));
}
