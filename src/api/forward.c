/* GET /verify: a proxy asks whether to let a request through. nginx (X-Original-URL) wants 401 and finds
 * where to sign in in Location; Traefik and Caddy (X-Forwarded-Host) pass a 302 on to the browser. */
#include "api/guard.h"

struct original {
    struct str url; /* what the browser asked the proxy for; zero: the proxy did not say */
    bool redirects; /* the proxy passes our answer on as it is */
};

static struct original original_of(struct call *c)
{
    struct original o = {.url = http_req_header(c->req, "X-Original-URL")};
    struct str host = http_req_header(c->req, "X-Forwarded-Host"),
               proto = http_req_header(c->req, "X-Forwarded-Proto");
    struct str uri = http_req_header(c->req, "X-Forwarded-Uri");
    if (o.url.p || !host.n)
        return o;
    o.redirects = true;
    if (str_is(proto, "https") || str_is(proto, "http"))
        o.url = arena_fmt(c->op.arena, "%.*s://%.*s%.*s", STR_ARG(proto), STR_ARG(host), STR_ARG(uri));
    return o;
}

/* A proxy sets one of the two names and passes on what a client sent under the other: what either says must
 * be allowed. */
static bool original_allowed(struct call *c, const struct original *o)
{
    struct str host = http_req_header(c->req, "X-Forwarded-Host");
    if (!o->url.p || !verify_url_allowed(&c->op, o->url))
        return false;
    return !host.n || verify_url_allowed(&c->op, arena_fmt(c->op.arena, "https://%.*s/", STR_ARG(host)));
}

/* All of them, empty ones too: the proxy overwrites with them what a client sent under these names (A85). */
static err_t let_through(struct call *c, const struct verified *v)
{
    const struct http_header headers[] = {
        {STR("Remote-User"), v->user},           {STR("Remote-Groups"), v->groups},
        {STR("Remote-Email"), v->email},         {STR("Remote-Name"), v->name},
        {STR("X-Auth-Request-User"), v->user},   {STR("X-Auth-Request-Groups"), v->groups},
        {STR("X-Auth-Request-Email"), v->email}, {STR("X-Auth-Request-Scope"), v->scope},
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        http_resp_header(c->resp, headers[i].name.p, headers[i].value);
    return answer_empty(c, 200);
}

static bool is_browser(struct call *c)
{
    struct str accept = http_req_header(c->req, "Accept");
    return accept.p && memmem(accept.p, accept.n, "text/html", 9);
}

/* Where the browser may sign in and come back from; only to hosts that the tenant names. */
static err_t send_to_sign_in(struct call *c, const struct original *o, bool allowed)
{
    if (!allowed || !is_browser(c))
        return op_fail(&c->op, ERR_TOKEN_MISSING, "", "sign in, or send an access token");
    struct str path = call_url(c, "/signin", o->url);
    struct str location = arena_fmt(c->op.arena, "%.*s%.*s", STR_ARG(c->op.core->issuer), STR_ARG(path));
    if (!path.p || !location.p)
        return ERR_MEMORY;
    http_resp_header(c->resp, "Location", location);
    if (o->redirects)
        return answer_empty(c, 302);
    return op_fail(&c->op, ERR_TOKEN_MISSING, "", "sign in, or send an access token");
}

err_t api_verify(struct call *c, void *params)
{
    const struct verify_params *p = params;
    struct original o = original_of(c);
    struct verified v;
    struct str text;
    c->challenge = p->scope;
    if (http_req_header_count(c->req, "Authorization") > 1)
        return op_fail(&c->op, ERR_TOKEN_INVALID, "", "more than one Authorization header");
    if (call_authorization(c, "Bearer", &text)) {
        TRY(verify_bearer(&c->op, p, text, &v));
        return let_through(c, &v);
    }
    bool allowed = original_allowed(c, &o);
    err_t e = allowed ? call_session(c) : ERR_UNAUTHENTICATED;
    if (e == ERR_UNAUTHENTICATED || e == ERR_NOT_FOUND) {
        c->op.fault = (struct fault){0};
        return send_to_sign_in(c, &o, allowed);
    }
    TRY(e);
    TRY(verify_session(&c->op, p, &c->session, &v));
    return let_through(c, &v);
}
