/* Sign-in, consent, sign-out. A request that needs a person is kept in the page itself (the field "continue", bound to this
 * browser by the CSRF token), so that nothing is written for people who never sign in. */
#include "api/pages.h"
#include "account/outside.h"
#include "api/guard.h"
#include "console/template.h"
#include "token/core.h"

static const struct field signin_rows[] = {
    {"continue", F_STR, 0, 8192, offsetof(struct signin_params, next), NULL, NULL, "where to go afterwards, below the tenant"},
    {"link", F_STR, 0, 128, offsetof(struct signin_params, link), NULL, NULL, "an account elsewhere that is to be linked by this sign-in"},
    {"csrf", F_STR, 0, 128, offsetof(struct signin_params, csrf), NULL, NULL, "the form's own token"},
    {"username", F_STR, FIELD_REQUIRED, 256, offsetof(struct signin_params, username), NULL, NULL, "user name or e-mail address"},
    {"password", F_STR, FIELD_REQUIRED | FIELD_EXACT, 1024, offsetof(struct signin_params, password), NULL, NULL, "the password"},
};
const struct fields signin_page_fields = {signin_rows, 2, sizeof(struct signin_params)};
const struct fields signin_fields = FIELDS(signin_rows, struct signin_params);

static const struct field consent_rows[] = {
    {"continue", F_STR, FIELD_REQUIRED, 8192, offsetof(struct consent_params, next), NULL, NULL, "the authorization request"},
    {"csrf", F_STR, 0, 128, offsetof(struct consent_params, csrf), NULL, NULL, "the form's own token"},
    {"decision", F_ENUM, FIELD_REQUIRED, 8, offsetof(struct consent_params, decision), "allow|deny", NULL, "what the person decided"},
};
const struct fields consent_fields = FIELDS(consent_rows, struct consent_params);

static const struct field csrf_rows[] = {
    {"csrf", F_STR, 0, 128, offsetof(struct csrf_params, csrf), NULL, NULL, "the form's own token"},
};
const struct fields csrf_fields = FIELDS(csrf_rows, struct csrf_params);

err_t page_root(struct call *c, void *params)
{
    (void)params;
    return page_go(c, STR("account"));
}

err_t page_asset(struct call *c, void *params)
{
    (void)params;
    const struct asset *a = console_asset(c->args[0]);
    if (!a || strstr(a->content_type, "html"))
        return op_fail(&c->op, ERR_NOT_FOUND, "", "there is no such file");
    http_resp_header(c->resp, "Cache-Control", STR("public, max-age=3600"));
    http_resp_header(c->resp, "ETag", str_z(a->etag));
    bool same = str_is(http_req_header(c->req, "If-None-Match"), a->etag);
    c->resp->status = same ? 304 : 200;
    c->resp->content_type = a->content_type;
    c->resp->body = same ? STR("") : (struct str){(const char *)a->p, a->n};
    return ERR_OK;
}

/* The authorization request a "continue" holds, read again by the same table as the endpoint's. */
static err_t read_request(struct call *c, struct str next, struct authorize_params *ret)
{
    struct str head = STR("authorize?");
    struct pairs pairs;
    if (!str_starts(next, head))
        return op_fail(&c->op, ERR_PARAM_BAD, "continue", "must be an authorization request");
    TRY(pairs_parse(c->op.arena, (struct str){next.p + head.n, next.n - head.n}, &pairs, &c->op.fault));
    TRY(fields_init(&authorize_fields, c->op.arena, ret));
    return fields_from_pairs(&authorize_fields, c->op.arena, pairs, ret, &c->op.fault);
}

/* Shows for whom one signs in, and lets the form lead on to the client (form-action covers redirects). */
static err_t show_client(struct call *c, struct str next, json_t *data)
{
    struct authorize_params p;
    struct authorize_result r = {0};
    if (verify_url_allowed(&c->op, next))
        c->form_action = verify_url_origin(next);
    if (!str_starts(next, STR("authorize?")))
        return ERR_OK;
    TRY(read_request(c, next, &p));
    TRY(authorize(&c->op, &p, NULL, STR_NONE, &r));
    if (r.verdict == AUTHORIZE_ERROR)
        return c->op.fault.code ? c->op.fault.code : ERR_REQUEST;
    if (r.client) {
        const struct client *client = r.client->spec;
        page_set(data, "client_name", client->client_name.n ? client->client_name : client->client_id);
    }
    c->form_action = r.redirect_origin;
    if (!json_object_get(data, "username"))
        page_set(data, "username", p.login_hint);
    return ERR_OK;
}

/* Whom it is for, and what stands beside the form. */
static err_t signin_data(struct call *c, const struct signin_params *p, json_t *data)
{
    page_set(data, "username", p->username);
    TRY(show_client(c, p->next, data));
    if (p->link.n)
        return page_pending(c, p->link, p->next, data);
    page_providers(c, p->next, data);
    return ERR_OK;
}

static err_t signin_form(struct call *c, const struct signin_params *p, err_t failed)
{
    struct str message = STR_NONE;
    answer_retry_after(c, failed);
    if (failed != ERR_OK) {
        message = c->op.fault.detail[0] && failed == ERR_LIMITED ? arena_str(c->op.arena, str_z(c->op.fault.detail)) : str_z(err_text(failed));
        memset(&c->op.fault, 0, sizeof(c->op.fault));
    }
    c->session_text = STR_NONE; /* the bar is for whoever is signed in already */
    json_t *data = page_data(c, "Sign in");
    err_t e = signin_data(c, p, data);
    if (e != ERR_OK) {
        json_decref(data);
        return e;
    }
    if (message.n)
        page_set(data, "error", page_sentence(c, message));
    page_set(data, "continue", p->next.p ? p->next : STR(""));
    page_set(data, "csrf", csrf_make(&c->op, "signin", page_browser_secret(c)));
    return page_send(c, failed == ERR_OK ? 200 : err_http(failed), "signin.html", data);
}

/* A page of ours, or one behind a proxy that asks /verify. */
bool page_next_ok(struct call *c, struct str next)
{
    return page_continue_ok(next) || verify_url_allowed(&c->op, next);
}

err_t page_go_next(struct call *c, struct str next)
{
    if (!next.n)
        return page_go(c, STR("account"));
    return page_continue_ok(next) ? page_go(c, next) : answer_redirect(c, next);
}

err_t page_signin(struct call *c, void *params)
{
    struct signin_params *p = params;
    if (p->next.n && !page_next_ok(c, p->next))
        return op_fail(&c->op, ERR_PARAM_BAD, "continue", "must be a place on this server");
    if (!p->next.n && !p->link.n && call_session(c) == ERR_OK)
        return page_go(c, STR("account"));
    return signin_form(c, p, ERR_OK);
}

void page_signed_in(struct call *c, const struct signed_in *in)
{
    call_set_cookie(c, "", arena_str(c->op.arena, (struct str){in->cookie.p, TOKEN_TEXT_SIZE}), c->op.tenant->spec->session_life_s);
    call_set_cookie(c, "device", in->device, 400 * 86400);
    call_set_cookie(c, "pre", STR(""), -1);
}

err_t page_signin_post(struct call *c, void *params)
{
    struct signin_params *p = params;
    struct signed_in in;
    struct outside_pending pending;
    if (p->next.n && !page_next_ok(c, p->next))
        return op_fail(&c->op, ERR_PARAM_BAD, "continue", "must be a place on this server");
    TRY(csrf_check(&c->op, "signin", call_cookie(c, "pre"), p->csrf));
    if (p->link.n)
        TRY(outside_pending(&c->op, p->link, call_cookie(c, "pre"), &pending));
    struct signin s = {.username = p->username, .password = p->password, .device = call_cookie(c, "device")};
    err_t e = signin_password(&c->op, &s, &in);
    if (e == ERR_PASSWORD_WRONG || e == ERR_LIMITED)
        return signin_form(c, p, e);
    TRY(e);
    page_signed_in(c, &in);
    if (p->link.n)
        TRY(outside_link(&c->op, &pending, &in.session));
    return page_go_next(c, p->next);
}

/* What a scope means. */
static struct str scope_text(struct call *c, struct str word)
{
    static const struct {
        const char *scope, *text;
    } known[] = {
        {"openid", "Know that it is you"},
        {"profile", "See your name and what your profile says"},
        {"email", "See your e-mail address"},
        {"address", "See your postal address"},
        {"phone", "See your phone number"},
        {"offline_access", "Keep its access while you are away"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_is(word, known[i].scope))
            return str_z(known[i].text);
    return arena_fmt(c->op.arena, "Use “%.*s” for you", STR_ARG(word));
}

static void list_scopes(struct call *c, struct str scope, json_t *list)
{
    struct str word;
    while (str_word(&scope, ' ', &word)) {
        json_t *item = page_item(list);
        page_set(item, "name", word);
        page_set(item, "text", scope_text(c, word));
    }
}

err_t page_consent(struct call *c, const struct authorize_result *r)
{
    const struct client *client = r->client->spec;
    json_t *data = page_data(c, "Allow access?");
    page_set(data, "client_name", client->client_name.n ? client->client_name : r->client->name);
    if (client->client_uri.n)
        page_set(data, "client_uri", client->client_uri);
    page_set(data, "redirect_host", r->redirect_origin);
    if (data && r->client->managed_by == MANAGED_REGISTRATION)
        json_object_set_new(data, "registered", json_true());
    list_scopes(c, r->scope, page_list(data, "scopes"));
    page_set(data, "continue", arena_fmt(c->op.arena, "authorize?%.*s", STR_ARG(r->query)));
    page_set(data, "csrf", csrf_make(&c->op, "consent", c->session_text));
    c->form_action = r->redirect_origin;
    return page_send(c, 200, "consent.html", data);
}

err_t page_form_post(struct call *c, const struct authorize_result *r)
{
    json_t *data = page_data(c, "One moment");
    json_t *list = page_list(data, "fields");
    const struct client *client = r->client->spec;
    for (size_t i = 0; i < r->post.n; i++) {
        json_t *item = page_item(list);
        page_set(item, "name", r->post.v[i].name);
        page_set(item, "value", r->post.v[i].value);
    }
    page_set(data, "client_name", client->client_name.n ? client->client_name : r->client->name);
    page_set(data, "action", r->location);
    c->form_action = r->redirect_origin;
    return page_send(c, 200, "form_post.html", data);
}

err_t page_consent_post(struct call *c, void *params)
{
    struct consent_params *p = params;
    struct authorize_params request;
    struct authorize_result r = {0};
    TRY(csrf_check(&c->op, "consent", c->session_text, p->csrf));
    TRY(read_request(c, p->next, &request));
    TRY(authorize(&c->op, &request, &c->session, p->decision, &r));
    if (r.verdict == AUTHORIZE_REDIRECT || r.verdict == AUTHORIZE_POST || r.verdict == AUTHORIZE_ERROR)
        return oauth_answer(c, &r);
    return page_go(c, p->next); /* signed out meanwhile, or something else to ask first */
}
