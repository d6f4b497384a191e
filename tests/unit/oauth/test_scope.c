/* Scopes and audiences: form, arithmetic, and what of a request is granted to a client for itself. */
#include "oauth/parts.h"
#include "unit.h"

static struct str api_scopes[] = {{"orders.read", 11}, {"orders.write", 12}};
static const struct resource resources[] = {
    {.identifier = {"https://api.example", 19}, .scopes = {api_scopes, 2}, .is_default = true},
    {.identifier = {"https://other.example", 21}},
};
static const struct tenant_spec spec;

static void test_form(void)
{
    char many[2 * LIMIT_SCOPE_WORDS + 2], big[LIMIT_SCOPE + 1];
    for (size_t i = 0; i < sizeof(many); i++)
        many[i] = i % 2 ? ' ' : 'a';
    memset(big, 'a', sizeof(big));
    CHECK(scope_valid(STR("a b:c/d.e!#")) && scope_valid(STR("")));
    CHECK(!scope_valid(STR("a\"b")) && !scope_valid(STR("a\\b")) && !scope_valid(STR("a\tb")) &&
          !scope_valid(STR("\xc3\xa4")));
    CHECK(scope_valid((struct str){many, 2 * LIMIT_SCOPE_WORDS}) &&
          !scope_valid((struct str){many, 2 * LIMIT_SCOPE_WORDS + 1}));
    CHECK(scope_valid((struct str){big, LIMIT_SCOPE}) && !scope_valid((struct str){big, LIMIT_SCOPE + 1}));
}

static void test_arithmetic(struct arena *a)
{
    CHECK(scope_within(STR("b a"), STR("a b c")) && !scope_within(STR("a d"), STR("a b c")) &&
          scope_within(STR(""), STR("")));
    CHECK(str_is(scope_or(a, STR("a b"), STR("b c")), "a b c"));
}

static void narrow(struct op *op, const char *registered, const char *asked, const char *audience, err_t want,
                   const char *granted)
{
    struct client c = {.scope = str_z(registered)};
    struct scope_request r = {
        .client = &c, .asked = asked ? str_z(asked) : STR_NONE, .audience = str_z(audience)};
    struct str got = STR("untouched");
    op->fault = (struct fault){0};
    CHECK_ROW(scope_narrow(op, &r, &got) == want, asked ? asked : "(nothing)");
    CHECK_ROW(str_is(got, granted), asked ? asked : "(nothing)");
}

static void test_narrow(struct op *op)
{
    const char *api = "https://api.example", *other = "https://other.example";
    narrow(op, "orders.read orders.write", "orders.read", api, ERR_OK, "orders.read");
    narrow(op, "orders.read orders.write", "orders.read orders.read", api, ERR_OK, "orders.read");
    narrow(op, "orders.read", "orders.write", api, ERR_SCOPE_INVALID, "untouched");
    narrow(op, "", "orders.read", api, ERR_SCOPE_INVALID, "untouched");
    narrow(op, "orders.read stock.read", "stock.read", api, ERR_SCOPE_INVALID, "untouched");
    narrow(op, "orders.read stock.read", "stock.read", other, ERR_OK, "stock.read");
    narrow(op, "orders.read stock.read", "stock.read", "https://api.example https://other.example", ERR_OK,
           "stock.read");
    narrow(op, "orders.read stock.read offline_access", NULL, api, ERR_OK, "orders.read");
    narrow(op, "orders.read", "orders.read \"", api, ERR_SCOPE_INVALID, "untouched");
    narrow(op, "offline_access orders.read", "offline_access orders.read", api, ERR_OK,
           "orders.read"); /* nobody to be offline */
}

static void choose(struct op *op, struct strs may, struct strs asked, err_t want, const char *audience)
{
    struct client c = {.resources = may};
    struct str got = STR("untouched");
    op->fault = (struct fault){0};
    CHECK_ROW(audience_choose(op, &c, asked, &got) == want, audience);
    CHECK_ROW(str_is(got, audience), audience);
}

static void test_audience(struct op *op)
{
    struct str api = STR("https://api.example"), other = STR("https://other.example"),
               evil = STR("https://evil.example"), none = STR(""), issuer = STR("https://id.example"), got;
    struct str both[] = {api, other}, nine[LIMIT_RESOURCES + 1], other_issuer[] = {other, issuer};
    for (size_t i = 0; i < LIMIT_RESOURCES + 1; i++)
        nine[i] = api;
    struct strs nothing = {NULL, 0}, o = {&other, 1};
    choose(op, nothing, nothing, ERR_OK, "https://api.example");
    choose(op, nothing, (struct strs){&api, 1}, ERR_OK, "https://api.example");
    choose(op, nothing, o, ERR_TARGET_INVALID, "untouched");
    choose(op, nothing, (struct strs){&issuer, 1}, ERR_TARGET_INVALID, "untouched");
    choose(op, o, nothing, ERR_OK, "https://other.example");
    choose(op, o, (struct strs){&api, 1}, ERR_TARGET_INVALID, "untouched");
    choose(op, (struct strs){both, 2}, (struct strs){both, 2}, ERR_OK,
           "https://api.example https://other.example");
    choose(op, (struct strs){both, 2}, (struct strs){&evil, 1}, ERR_TARGET_INVALID, "untouched");
    choose(op, (struct strs){&evil, 1}, (struct strs){&evil, 1}, ERR_TARGET_INVALID,
           "untouched"); /* not a resource here */
    choose(op, (struct strs){both, 2}, (struct strs){&none, 1}, ERR_TARGET_INVALID, "untouched");
    choose(op, (struct strs){other_issuer, 2}, (struct strs){&issuer, 1}, ERR_OK, "https://id.example");
    choose(op, nothing, (struct strs){nine, LIMIT_RESOURCES}, ERR_OK, "https://api.example");
    choose(op, nothing, (struct strs){nine, LIMIT_RESOURCES + 1}, ERR_TARGET_INVALID, "untouched");
    CHECK(audience_narrow(op, STR("https://api.example https://other.example"), o, &got) == ERR_OK &&
          str_eq(got, other));
    CHECK(audience_narrow(op, api, nothing, &got) == ERR_OK && str_eq(got, api));
    CHECK(audience_narrow(op, api, o, &got) == ERR_TARGET_INVALID);
}

static void test_held(void)
{
    struct str some[] = {STR("orders.read")}, admin[] = {STR("admin")};
    CHECK(permission_held((struct strs){some, 1}, STR("orders.read")) &&
          !permission_held((struct strs){some, 1}, STR("orders.write")));
    CHECK(permission_held((struct strs){admin, 1}, STR("orders.write")) &&
          !permission_held((struct strs){admin, 1}, STR("operator")));
}

int main(void)
{
    struct arena *a = arena_new(1024 * 1024);
    struct tenant t = {
        .spec = &spec, .issuer = STR("https://id.example"), .resources = resources, .nresources = 2};
    struct op op = {.arena = a, .tenant = &t};
    test_form();
    test_arithmetic(a);
    test_narrow(&op);
    test_audience(&op);
    test_held();
    arena_free(&a);
    return unit_end("oauth-scope");
}
