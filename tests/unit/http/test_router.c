/* Routes: fixed segments before captures, captures before the rest, methods, what Allow says, what a table may not hold. */
#include "base/limits.h"
#include "http/router.h"
#include "unit.h"

static const struct route table[] = {
    {.method = HTTP_GET, .path = "/"},
    {.method = HTTP_GET, .path = "/token"},
    {.method = HTTP_POST, .path = "/token"},
    {.method = HTTP_GET, .path = "/t/{tenant}/token"},
    {.method = HTTP_GET, .path = "/t/{tenant}"},
    {.method = HTTP_GET, .path = "/t/fixed/token"},
    {.method = HTTP_GET, .path = "/t/fixed/other"},
    {.method = HTTP_DELETE, .path = "/v1/{kind}/{id}"},
    {.method = HTTP_GET, .path = "/v1/{kind}/"},
    {.method = HTTP_GET, .path = "/assets/{file*}"},
    {.method = HTTP_GET, .path = "/assets/robots.txt"},
    {.method = HTTP_GET, .path = "/a/{b}/{c}/{d}/{e*}"},
};

static void test_find(void)
{
    static const struct {
        const char *path, *route, *first, *last;
    } rows[] = {
        {"/", "/", NULL, NULL},
        {"/token", "/token", NULL, NULL},
        {"/token/", NULL, NULL, NULL},
        {"/toke", NULL, NULL, NULL},
        {"/tokens", NULL, NULL, NULL},
        {"/t/acme/token", "/t/{tenant}/token", "acme", NULL},
        {"/t/fixed/token", "/t/fixed/token", NULL, NULL},
        {"/t/fixed/nothing", NULL, NULL, NULL},
        {"/t/fixed", "/t/{tenant}", "fixed", NULL}, /* the fixed way leads nowhere: back to the capture */
        {"/t", NULL, NULL, NULL},
        {"/t/", NULL, NULL, NULL}, /* a capture is never empty */
        {"/v1/users/7", NULL, NULL, NULL}, /* no GET there: see methods */
        {"/v1/users/", "/v1/{kind}/", "users", NULL},
        {"/assets/robots.txt", "/assets/robots.txt", NULL, NULL},
        {"/assets/css/x/y.css", "/assets/{file*}", "css/x/y.css", NULL},
        {"/assets/", "/assets/{file*}", "", NULL},
        {"/assets", NULL, NULL, NULL},
        {"/a/1/2/3/4/5", "/a/{b}/{c}/{d}/{e*}", "1", "4/5"},
    };
    struct router *r = NULL;
    struct fault f = {0};

    CHECK(router_new(table, sizeof table / sizeof table[0], &r, &f) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str captures[4] = {0};
        const struct node *n = router_find(r, str_z(rows[i].path), captures);
        const struct route *got = n ? node_route(n, HTTP_GET) : NULL;
        CHECK_ROW((got != NULL) == (rows[i].route != NULL), rows[i].path);
        if (got && rows[i].route)
            CHECK_ROW(strcmp(got->path, rows[i].route) == 0, rows[i].path);
        if (rows[i].first)
            CHECK_ROW(captures[0].p && str_is(captures[0], rows[i].first), rows[i].path);
        if (rows[i].last)
            CHECK_ROW(str_is(captures[3], rows[i].last), rows[i].path);
    }
    router_free(&r);
    CHECK(r == NULL);
}

static void test_methods(void)
{
    struct router *r = NULL;
    struct fault f = {0};
    struct str captures[4] = {0};
    const struct node *token, *item;

    CHECK(router_new(table, sizeof table / sizeof table[0], &r, &f) == ERR_OK);
    token = router_find(r, STR("/token"), captures);
    item = router_find(r, STR("/v1/users/7"), captures);
    CHECK(token && node_route(token, HTTP_HEAD) == node_route(token, HTTP_GET));
    CHECK(token && node_route(token, HTTP_POST) == &table[2]);
    CHECK(token && !node_route(token, HTTP_PUT));
    CHECK(token && !node_route(token, HTTP_OPTIONS));
    CHECK(token && strcmp(node_allow(token), "GET, POST, OPTIONS, HEAD") == 0);
    CHECK(item && strcmp(node_allow(item), "DELETE, OPTIONS") == 0);
    CHECK(item && !node_route(item, HTTP_HEAD));
    router_free(&r);
}

static void test_bad_tables(void)
{
    static const struct {
        const char *name;
        struct route routes[2];
        size_t n;
    } rows[] = {
        {"twice", {{.path = "/a"}, {.path = "/a"}}, 2},
        {"twice by capture", {{.path = "/{a}"}, {.path = "/{b}"}}, 2},
        {"no slash", {{.path = "a"}}, 1},
        {"empty", {{.path = ""}}, 1},
        {"rest in the middle", {{.path = "/{a*}/b"}}, 1},
        {"one capture too many", {{.path = "/{a}/{b}/{c}/{d}/{e}"}}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct router *r = NULL;
        struct fault f = {0};
        CHECK_ROW(router_new(rows[i].routes, rows[i].n, &r, &f) == ERR_CONFIG, rows[i].name);
        CHECK_ROW(r == NULL && f.detail[0], rows[i].name);
    }
    struct route most = {.path = "/{a}/{b}/{c}/{d}"};
    struct router *r = NULL;
    struct fault f = {0};
    CHECK(router_new(&most, 1, &r, &f) == ERR_OK);
    router_free(&r);
    CHECK(router_new(NULL, 0, &r, &f) == ERR_OK);
    struct str captures[4];
    CHECK(!router_find(r, STR("/"), captures));
    router_free(&r);
}

int main(void)
{
    test_find();
    test_methods();
    test_bad_tables();
    return unit_end("http/router");
}
