/* Where domains meet HTTP. endpoints.def is the table; guard.c turns a row and a request into a checked call;
 * each domain has one thin adapter file (oauth.c, account.c, admin.c, pages.c, ops.c) from parameters to
 * result; answer.c alone turns an err_t into an answer. */
#pragma once
#include "http/http.h"
#include "oauth/oauth.h"

#define TENANT_PATH "/t/{tenant}" /* before the paths of every tenant but the default one */

enum auth_rule {
    AUTH_NONE,    /* anyone */
    AUTH_CLIENT,  /* a client authenticates by the endpoint's own parameters: in the body alone, never in the
                     query (A06) */
    AUTH_SESSION, /* a signed-in person; pages are sent to the sign-in page */
    AUTH_BEARER,  /* an access token or API key; or, for the console's own requests, a session with its CSRF
                     header */
};
/* Who can make it work hard. SIGNIN: passwords are tried here, and account/limiter.h answers 429; PUBLIC:
 * anyone, bounded by the queues and the connections an address may have; NONE: only whoever is signed in, or
 * it costs next to nothing. */
enum rate_class { RATE_NONE, RATE_PUBLIC, RATE_SIGNIN };
/* How an endpoint speaks of errors. */
enum answer_style {
    STYLE_OAUTH,   /* {"error", "error_description"} (RFC 6749 section 5.2) */
    STYLE_PROBLEM, /* application/problem+json (RFC 9457) */
    STYLE_PAGE,    /* an HTML page */
    STYLE_PLAIN,   /* one line of text */
};
/* Beside http's route_flag. */
enum endpoint_flag {
    ENDPOINT_CORS =
        1 << 8, /* browsers' scripts of any origin may call it, without credentials; OPTIONS is answered */
};

/* One call: the op, the request, the answer to fill. */
struct call {
    struct op op;
    const struct endpoint *endpoint;
    struct http_req *req;
    struct http_resp *resp;
    struct str args[3];       /* the {name} segments of the endpoint's path, without the tenant's */
    struct session session;   /* AUTH_SESSION; elsewhere after call_session() */
    struct str session_text;  /* the cookie's value */
    struct bearer bearer;     /* AUTH_BEARER by a token; token.id 0 when it was a session */
    struct pairs query, form; /* decoded */
    struct str frame_src;     /* pages: origins that frames in it may load */
    struct str form_action;   /* pages: an origin that forms may lead to besides our own */
    struct str back;          /* pages: where an error page leads back to, or zero */
    struct str challenge;     /* what WWW-Authenticate says in a 401 or 403, when the error alone does not */
};
struct endpoint {
    const char *name; /* "token": metrics label, docs, the flow test's name */
    enum http_method method;
    const char *path; /* below the tenant: "/token" is served at /token and /t/{tenant}/token; with {tenant}
                         in it: as it is */
    enum auth_rule auth;
    const char *permission; /* AUTH_BEARER: needed, or NULL */
    enum rate_class rate;
    unsigned flags; /* route_flag | endpoint_flag */
    enum worker_class work;
    enum answer_style style;
    const struct fields *params; /* from query (GET) or form (POST); n 0: none (a handler may read req->body,
                                    query, form itself) */
    err_t (*run)(struct call *c, void *params);
    const char *doc;
    size_t body_max; /* 0: LIMIT_BODY */
};
extern const struct endpoint api_endpoints[];
extern const size_t api_endpoints_n;
extern const struct endpoint api_management[];
extern const size_t api_management_n;

/* Every handler of the table, so that an adapter file need not declare its own. */
#define EP(name, method, path, auth, permission, rate, flags, work, style, params, run, doc)                 \
    err_t run(struct call *c, void *params_);
#include "api/endpoints.def"
#include "api/endpoints_management.def"
#undef EP

/* The routes for http_config: each endpoint at "" and at /t/{tenant}. In the arena. */
struct route *api_routes(struct arena *a, const struct endpoint *e, size_t n, bool tenants, size_t *ret_n);
/* Of the rows marked ROUTE_INLINE: false for a client that authenticates by an assertion, which writes (each may come once) and
 * may fetch the client's keys. */
bool api_may_inline(const struct route *route, const struct http_req *req);
void api_handle(void *core, const struct route *route, struct http_req *req, struct http_resp *resp);
void api_refuse(void *core, const struct http_req *req, err_t e, struct http_resp *resp);

/* --- who (guard.c) --- */
/* The browser's live session into c->session and the op's actor. ERR_UNAUTHENTICATED when there is none. For
 * endpoints that anyone may call and that look at the session if there is one. */
err_t call_session(struct call *c);
/* The same where nobody need be signed in: ERR_OK and *ret NULL then. */
err_t call_session_if_any(struct call *c, const struct session **ret);
/* The token or API key of the Authorization header into c->bearer and the op's actor. ERR_TOKEN_MISSING,
 * ERR_TOKEN_INVALID. */
err_t call_bearer(struct call *c);
/* What follows the scheme ("Bearer", "Basic") in the Authorization header; false if it is another scheme or
 * none. */
bool call_authorization(struct call *c, const char *scheme, struct str *ret);
/* csrf_make's purpose for requests that the console's scripts send with the header X-CSRF-Token. */
#define CSRF_API "api"

/* --- cookies (answer.c). kind: "" the session, "device" the known browser, "pre" before sign-in. One name a
 * tenant:
 * __Host-mereau[-kind][.tenant] under https, mereau[-kind][.tenant] under plain http --- */
struct str call_cookie(struct call *c, const char *kind);
/* HttpOnly, SameSite=Lax, Secure under https. life_s 0: until the browser closes; -1: removes it. */
void call_set_cookie(struct call *c, const char *kind, struct str value, int64_t life_s);

/* --- answers (answer.c) --- */
err_t answer_json(struct call *c, int status, struct str json);
err_t answer_page(struct call *c, int status, struct str html);
err_t answer_text(struct call *c, int status, struct str text);
err_t answer_empty(struct call *c, int status);
err_t answer_redirect(struct call *c, struct str location); /* 303 */
/* The path of the tenant's page for a redirect: "/t/acme/signin?continue=..."; continue_to may be STR_NONE.
 */
struct str call_url(struct call *c, const char *path, struct str continue_to);
