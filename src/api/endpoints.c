/* The table of endpoints as rows, and the routes made of it. */
#include "api/admin.h"
#include "api/console.h"
#include "api/pages.h"
#include "api/status.h"
#include "oauth/signout.h"
#include <stdio.h>

/* Stands in a row for "takes no parameters". */
static const struct fields no_fields = {NULL, 0, 0};

#define EP(name_, method_, path_, auth_, permission_, rate_, flags_, work_, style_, params_, run_, doc_)     \
    {.name = name_,                                                                                          \
     .method = HTTP_##method_,                                                                               \
     .path = path_,                                                                                          \
     .auth = auth_,                                                                                          \
     .permission = permission_,                                                                              \
     .rate = rate_,                                                                                          \
     .flags = flags_,                                                                                        \
     .work = work_,                                                                                          \
     .style = style_,                                                                                        \
     .params = &params_,                                                                                     \
     .run = run_,                                                                                            \
     .doc = doc_},
const struct endpoint api_endpoints[] = {
#include "api/endpoints.def"
};
const size_t api_endpoints_n = sizeof(api_endpoints) / sizeof(api_endpoints[0]);

const struct endpoint api_management[] = {
#include "api/endpoints_management.def"
};
const size_t api_management_n = sizeof(api_management) / sizeof(api_management[0]);
#undef EP

static struct route route_of(const struct endpoint *e, enum http_method method, const char *path)
{
    bool preflight = method == HTTP_OPTIONS && e->method != HTTP_OPTIONS;
    return (struct route){.method = method,
                          .path = path,
                          .flags = preflight ? ROUTE_INLINE : e->flags & ROUTE_INLINE,
                          .work = e->work,
                          .body_max = e->body_max,
                          .endpoint = e};
}

/* OPTIONS belongs to a path, which may have rows of several methods. */
static bool first_with_cors(const struct endpoint *all, const struct endpoint *e)
{
    if (!(e->flags & ENDPOINT_CORS))
        return false;
    for (const struct endpoint *before = all; before < e; before++)
        if ((before->flags & ENDPOINT_CORS) && strcmp(before->path, e->path) == 0)
            return false;
    return true;
}

struct route *api_routes(struct arena *a, const struct endpoint *e, size_t n, bool tenants, size_t *ret_n)
{
    struct route *r = arena_array(a, struct route, n * 4);
    size_t nr = 0;
    for (size_t i = 0; r && i < n; i++) {
        bool own = tenants && !strstr(e[i].path, "{tenant}");
        const char *paths[2] = {
            e[i].path,
            own ? arena_fmt(a, TENANT_PATH "%s", strcmp(e[i].path, "/") == 0 ? "" : e[i].path).p : NULL};
        if (own && !paths[1])
            return NULL;
        for (size_t k = 0; k < 2 && paths[k]; k++) {
            r[nr++] = route_of(&e[i], e[i].method, paths[k]);
            if (first_with_cors(e, &e[i]))
                r[nr++] = route_of(&e[i], HTTP_OPTIONS, paths[k]);
        }
    }
    *ret_n = nr;
    return r;
}

/* An escaped name could be any, so that it counts as this one. */
static bool names_assertion(struct str form)
{
    struct str pair;
    while (str_word(&form, '&', &pair)) {
        struct str name = {pair.p, str_find(pair, '=')};
        if (str_starts(name, STR("client_assertion")) || str_find(name, '%') < name.n)
            return true;
    }
    return false;
}

bool api_may_inline(const struct route *route, const struct http_req *req)
{
    const struct endpoint *e = route->endpoint;
    return !e || e->auth != AUTH_CLIENT || !names_assertion(req->body);
}
