/* Custom claims: the form of templates, protected names, limits, and the snapshot. */
#include "world.h"
#include "base/limits.h"

static struct world w;

static void test_pieces(void)
{
    static const struct {
        const char *text, *pieces; /* pieces: literals as they are, placeholders as of|field|path; NULL: refused */
    } rows[] = {
        {"plain", "plain;"},
        {"{user.email}", "user|email|;"},
        {"a{user.attributes.x.y}b", "a;user|attributes|x.y;b;"},
        {"{{}}", "{;};"},
        {"{{{user.id}}}", "{;user|id|;};"},
        {"{user}", NULL},
        {"{}", NULL},
        {"{.a}", NULL},
        {"{a.}", NULL},
        {"{a..b}", NULL},
        {"{a.b.}", NULL},
        {"{a.b", NULL},
        {"a}", NULL},
        {"{a b.c}", NULL},
        {"{a.{b}", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str rest = str_z(rows[i].text);
        struct claim_piece p;
        struct buf b;
        bool ok = true;
        buf_init(&b, NULL, 1024);
        while (rest.n && (ok = claim_next(&rest, &p)))
            buf_fmt(&b, p.literal.p ? "%.*s%.*s%.*s;" : "%.*s|%.*s|%.*s;", STR_ARG(p.literal.p ? p.literal : p.of), STR_ARG(p.field), STR_ARG(p.path));
        CHECK_ROW(ok == (rows[i].pieces != NULL) && (!ok || str_is(buf_view(&b), rows[i].pieces)), rows[i].text);
        buf_free(&b);
    }
}

static err_t create(const char *text)
{
    struct object *o;
    bool changed;
    w.op.fault = (struct fault){.code = ERR_OK};
    return object_put(&w.op, &kind_claim, world_json(&w, text), OBJECT_UPSERT, MANAGED_API, 0, "", &o, &changed);
}

static void test_checks(void)
{
    char text[LIMIT_CLAIM + 64];
    world_op(&w, "default");
    CHECK(create("{'name':'sub','value':'x'}") == ERR_PARAM_BAD);
    CHECK(create("{'name':'email','value':'x','tokens':['id']}") == ERR_PARAM_BAD && create("{'name':'email','value':'x','tokens':['access']}") == ERR_OK);
    CHECK(create("{'name':'a','value':'x','tokens':[]}") == ERR_PARAM_BAD && create("{'name':'a','value':'x','tokens':['refresh']}") == ERR_PARAM_BAD);
    CHECK(create("{'name':'a','value':'{tenant.name}'}") == ERR_OK && create("{'name':'a','value':'{tenant.key}'}") == ERR_PARAM_BAD);
    CHECK(create("{'name':'a','value':[[[[[[[['x']]]]]]]]}") == ERR_OK && create("{'name':'a','value':[[[[[[[[['x']]]]]]]]]}") == ERR_PARAM_BAD);
    for (int more = 0; more < 2; more++) {
        snprintf(text, sizeof(text), "{'name':'long','value':'%0*d'}", LIMIT_CLAIM - 2 + more, 0);
        CHECK(create(text) == (more ? ERR_PARAM_LONG : ERR_OK));
    }
}

static void test_snapshot(void)
{
    world_op(&w, "default");
    const struct tenant *t = w.op.tenant;
    CHECK(t->nclaims == 3 && t->claim_tokens == (CLAIM_ACCESS | CLAIM_ID | CLAIM_USERINFO));
    CHECK(str_is(t->claims[1].name, "email") && t->claims[1].token_bits == CLAIM_ACCESS);
    CHECK(object_set_disabled(&w.op, &kind_claim, STR("email"), true) == ERR_OK);
    CHECK(world_op(&w, "default")->tenant->nclaims == 2);
}

int main(void)
{
    if (!world_begin(&w) || !world_start(&w)) {
        fprintf(stderr, "no world: %s\n", w.fault.detail);
        return 1;
    }
    w.kinds[4] = &kind_claim;
    w.table.n = 5;
    test_pieces();
    test_checks();
    test_snapshot();
    world_end(&w);
    return unit_end("token/claim");
}
