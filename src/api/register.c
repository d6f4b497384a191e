/* Client registration: from a JSON body and a bearer token to the domain and back. */
#include "api/guard.h"
#include "oauth/register.h"

static err_t check_media_type(struct call *c)
{
    struct str type = http_req_header(c->req, "Content-Type");
    struct str plain = str_trim((struct str){type.p, str_find(type, ';')});
    if (!str_eq_nocase(plain, STR("application/json")))
        return op_fail(&c->op, ERR_MEDIA_TYPE, "", "send application/json");
    return ERR_OK;
}

static err_t answer(struct call *c, int status, const struct registration *r)
{
    struct buf b;
    struct jw w;
    buf_init(&b, c->op.arena, 2 * LIMIT_OBJECT);
    jw_init(&w, &b);
    TRY(registration_print(&c->op, r, &w));
    http_resp_header(c->resp, "Pragma", STR("no-cache"));
    return buf_ok(&b) ? answer_json(c, status, buf_view(&b)) : op_fail(&c->op, ERR_MEMORY, "", "the answer does not fit");
}

err_t api_register(struct call *c, void *params)
{
    struct registration r;
    (void)params;
    if (http_req_header(c->req, "Authorization").p)
        TRY(call_bearer(c));
    TRY(check_media_type(c));
    err_t e = registration_create(&c->op, c->req->body, &r);
    if (e == ERR_SCOPE_INSUFFICIENT)
        c->challenge = STR("client.register");
    TRY(e);
    return answer(c, 201, &r);
}

/* The client of the path, for whoever shows its registration access token. */
static err_t open_registration(struct call *c, struct registration *ret)
{
    struct str token;
    if (http_req_header_count(c->req, "Authorization") > 1)
        return op_fail(&c->op, ERR_TOKEN_INVALID, "", "more than one Authorization header");
    if (!call_authorization(c, "Bearer", &token))
        return op_fail(&c->op, ERR_TOKEN_MISSING, "", "the client's registration access token is needed");
    return registration_open(&c->op, c->args[0], token, ret);
}

err_t api_register_show(struct call *c, void *params)
{
    struct registration r;
    (void)params;
    TRY(open_registration(c, &r));
    return answer(c, 200, &r);
}

err_t api_register_replace(struct call *c, void *params)
{
    struct registration r;
    (void)params;
    TRY(open_registration(c, &r));
    TRY(check_media_type(c));
    TRY(registration_replace(&c->op, &r, c->req->body));
    return answer(c, 200, &r);
}

err_t api_register_remove(struct call *c, void *params)
{
    struct registration r;
    (void)params;
    TRY(open_registration(c, &r));
    TRY(registration_remove(&c->op, &r));
    return answer_empty(c, 204);
}
