/* Where domains meet HTTP. endpoints.def is the table; guard.c turns a row and a request into a checked call; each domain
 * has one thin adapter file (oauth.c, account.c, admin.c, pages.c, ops.c) from parameters to result. */
#pragma once
#include "http/http.h"
#include "oauth/oauth.h"

enum auth_rule {
    AUTH_NONE,     /* anyone */
    AUTH_CLIENT,   /* a client authenticates by the endpoint's own parameters */
    AUTH_SESSION,  /* a signed-in person; pages are sent to the sign-in page */
    AUTH_BEARER,   /* an access token or API key; or, for the console's own requests, a session with its CSRF header */
};
enum rate_class { RATE_NONE, RATE_PUBLIC, RATE_SIGNIN };

/* One call: the op, the request, the answer to fill. */
struct call {
    struct op op;
    const struct endpoint *endpoint;
    struct http_req *req;
    struct http_resp *resp;
    struct session session;   /* AUTH_SESSION */
    struct str session_text;  /* the cookie's value */
    struct pairs query, form; /* decoded */
};
struct endpoint {
    const char *name;         /* "token": metrics label, docs, the flow test's name */
    enum http_method method;
    const char *path;         /* below the tenant: "/token" is served at /token and /t/{tenant}/token */
    enum auth_rule auth;
    const char *permission;   /* AUTH_BEARER: needed, or NULL */
    enum rate_class rate;
    unsigned flags;           /* route_flag */
    enum worker_class work;
    const struct fields *params; /* from query (GET) or form (POST), or JSON when the handler is admin's; NULL: none */
    err_t (*run)(struct call *c, void *params);
    const char *doc;
};
extern const struct endpoint api_endpoints[];
extern const size_t api_endpoints_n;
extern const struct endpoint api_management[];
extern const size_t api_management_n;

/* The routes for http_config: each endpoint at "" and at /t/{tenant}. In the arena. */
struct route *api_routes(struct arena *a, const struct endpoint *e, size_t n, bool tenants, size_t *ret_n);
void api_handle(void *core, const struct route *route, struct http_req *req, struct http_resp *resp);
void api_refuse(void *core, const struct http_req *req, err_t e, struct http_resp *resp);

/* Answers. */
err_t answer_json(struct call *c, int status, struct str json);
err_t answer_page(struct call *c, int status, struct str html);
err_t answer_redirect(struct call *c, struct str location); /* 303 */
