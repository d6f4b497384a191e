/* Tenants: settings and their bounds, the snapshot, roles, resources, webhooks, who may do what, removing. */
#include "world.h"
#include "base/limits.h"

static struct world w;

static err_t put(const struct object_kind *k, const char *text, enum object_mode mode, enum managed by, bool *ret_changed)
{
    struct object *o;
    w.op.fault = (struct fault){.code = ERR_OK};
    return object_put(&w.op, k, world_json(&w, text), mode, by, 0, "", &o, ret_changed);
}

static err_t create(const struct object_kind *k, const char *text)
{
    bool changed;
    return put(k, text, OBJECT_CREATE, MANAGED_API, &changed);
}

static err_t update(const struct object_kind *k, const char *text)
{
    bool changed;
    return put(k, text, OBJECT_UPDATE, MANAGED_API, &changed);
}

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

static void test_default(void)
{
    const struct tenant *t = world_op(&w, "default")->tenant;
    CHECK(str_is(t->issuer, "https://id.example") && str_is(t->path, "") && t->object.tenant_id == 0);
    CHECK(t->nkeys == 0 && str_is(t->jwks, "{\"keys\":[]}"));
    CHECK(!all_zero(t->key, 32) && !all_zero(t->refresh_key, 32) && !all_zero(t->secret_key, 32));
    CHECK(memcmp(t->refresh_key, t->secret_key, 32) != 0);
    const struct tenant_spec *s = t->spec;
    CHECK(s->access_token_life_s == 3600 && s->refresh_token_life_s == 30 * 86400 && s->refresh_token_idle_s == 14 * 86400);
    CHECK(s->refresh_grace_s == 20 && s->code_life_s == 60 && s->session_life_s == 30 * 86400 && s->session_idle_s == 7 * 86400);
    CHECK(s->jwks_max_age_s == 300 && s->key_life_s == 90 * 86400 && !s->demo && str_is(s->signing_alg, "ES256"));
    CHECK(tenant_ensure_default(&w.op) == ERR_OK);
    CHECK(tenant_use_id(&w.op, t->object.id) == ERR_OK && w.op.tenant == t && w.op.nheld == 1);
}

static void test_settings(void)
{
    const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"{'name':'s','refresh_grace':60}", true},
        {"{'name':'s','refresh_grace':61}", false},
        {"{'name':'s','refresh_grace':0}", true},
        {"{'name':'s','refresh_grace':-1}", false},
        {"{'name':'s','access_token_life':86400}", true},
        {"{'name':'s','access_token_life':86401}", false},
        {"{'name':'s','access_token_life':'15m'}", true},
        {"{'name':'s','access_token_life':1}", true},
        {"{'name':'s','access_token_life':0}", false},
        {"{'name':'s','code_life':600}", true},
        {"{'name':'s','code_life':601}", false},
        {"{'name':'s','key_life':0}", true},
        {"{'name':'s','key_life':3599}", false},
        {"{'name':'s','key_life':3600}", true},
        {"{'name':'s','jwks_max_age':86400}", true},
        {"{'name':'s','jwks_max_age':86401}", false},
        {"{'name':'s','signing_alg':'RS256'}", true},
        {"{'name':'s','signing_alg':'none'}", false},
        {"{'name':'s','signing_alg':'HS256'}", false},
    };
    world_op(&w, "default");
    CHECK(create(&kind_tenant, "{'name':'s'}") == ERR_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW((update(&kind_tenant, rows[i].text) == ERR_OK) == rows[i].ok, rows[i].text);
    const struct tenant *t = world_op(&w, "s")->tenant;
    CHECK(t->spec->access_token_life_s == 1 && str_is(t->spec->signing_alg, "RS256"));
}

static void test_names(void)
{
    char longest[80] = "{'name':'", too_long[80] = "{'name':'";
    memset(longest + 9, 'x', 63);
    strcpy(longest + 72, "'}");
    memset(too_long + 9, 'x', 64);
    strcpy(too_long + 73, "'}");
    world_op(&w, "default");
    CHECK(create(&kind_tenant, longest) == ERR_OK);
    CHECK(create(&kind_tenant, too_long) != ERR_OK);
    const char *const bad[] = {"{'name':'A'}", "{'name':'-a'}", "{'name':'a-'}", "{'name':'a.b'}", "{'name':'a/b'}", "{'name':''}", "{}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_ROW(create(&kind_tenant, bad[i]) != ERR_OK, bad[i]);
    CHECK(tenant_use(&w.op, STR("nobody")) == ERR_NOT_FOUND);
    CHECK(tenant_use(&w.op, STR("")) == ERR_NOT_FOUND);
    CHECK(tenant_use_id(&w.op, 12345) == ERR_NOT_FOUND);
}

static void test_state(void)
{
    world_op(&w, "default");
    CHECK(create(&kind_tenant, "{'name':'acme','display_name':'Acme'}") == ERR_OK);
    CHECK(str_is(world_op(&w, "acme")->tenant->issuer, "https://id.example/t/acme"));
    CHECK(str_is(w.op.tenant->path, "/t/acme"));
    int64_t id = w.op.tenant->object.id;
    uint8_t key[32];
    memcpy(key, w.op.tenant->key, 32);
    world_op(&w, "default");
    CHECK(memcmp(key, w.op.tenant->key, 32) != 0);
    CHECK(object_set_disabled(&w.op, &kind_tenant, STR("acme"), true) == ERR_OK);
    CHECK(tenant_use(&w.op, STR("acme")) == ERR_NOT_FOUND && tenant_use_id(&w.op, id) == ERR_NOT_FOUND);
    CHECK(object_set_disabled(&w.op, &kind_tenant, STR("acme"), false) == ERR_OK);
    CHECK(world_op(&w, "acme")->tenant->object.cutoff_id > 0 && memcmp(key, w.op.tenant->key, 32) == 0);
    world_op(&w, "default");
    CHECK(object_set_disabled(&w.op, &kind_tenant, STR("default"), true) == ERR_PARAM_BAD);
    CHECK(update(&kind_tenant, "{'name':'default','disabled':true}") == ERR_PARAM_BAD);
    CHECK(object_remove(&w.op, &kind_tenant, STR("default")) == ERR_CONFLICT);
    CHECK(create(&kind_tenant, "{'name':'acme'}") == ERR_CONFLICT);
}

static void test_who(void)
{
    struct object *o;
    struct object_page page;
    struct str admin[] = {STR("admin")}, operator[] = {STR("operator")};
    int64_t default_id = world_op(&w, "default")->tenant->object.id;
    w.op.actor = (struct actor){.kind = ACTOR_PERSON, .tenant_id = default_id, .permissions = {admin, 1}};
    CHECK(create(&kind_tenant, "{'name':'who'}") == ERR_FORBIDDEN);
    CHECK(object_read(&w.op, &kind_tenant, STR("default"), &o) == ERR_OK);
    CHECK(object_read(&w.op, &kind_tenant, STR("acme"), &o) == ERR_FORBIDDEN);
    CHECK(object_list(&w.op, &kind_tenant, &(struct object_query){.limit = 100}, &page) == ERR_OK && page.n == 1);
    CHECK(str_is(page.v[0]->name, "default"));
    w.op.actor.permissions = (struct strs){operator, 1};
    CHECK(object_list(&w.op, &kind_tenant, &(struct object_query){.limit = 100}, &page) == ERR_OK && page.n > 1);
    CHECK(create(&kind_tenant, "{'name':'who'}") == ERR_OK);
    /* an operator of the default tenant in another one, and somebody there who only says he is one */
    world_op(&w, "who");
    w.op.actor = (struct actor){.kind = ACTOR_PERSON, .tenant_id = default_id, .permissions = {operator, 1}};
    CHECK(create(&kind_role, "{'name':'r','permissions':['x']}") == ERR_OK);
    w.op.actor.tenant_id = w.op.tenant->object.id;
    CHECK(create(&kind_role, "{'name':'r2'}") == ERR_FORBIDDEN && create(&kind_tenant, "{'name':'who2'}") == ERR_FORBIDDEN);
    w.op.actor.permissions = (struct strs){admin, 1};
    CHECK(create(&kind_role, "{'name':'r2','permissions':['y']}") == ERR_OK);
    CHECK(create(&kind_role, "{'name':'r3','permissions':['operator']}") != ERR_OK);
    world_op(&w, "default");
    w.op.actor = (struct actor){.kind = ACTOR_PERSON, .tenant_id = default_id + 1, .permissions = {operator, 1}};
    CHECK(op_permit_system(&w.op) == ERR_FORBIDDEN);
}

static bool permits(const char *role, const char *permission)
{
    struct str r[] = {str_z(role)};
    return strs_has(tenant_permissions(&w.op, (struct strs){r, 1}), str_z(permission));
}

static void test_roles(void)
{
    world_op(&w, "default");
    CHECK(!permits("support", "orders.read"));
    CHECK(create(&kind_role, "{'name':'support','permissions':['orders.read','orders.write']}") == ERR_OK);
    CHECK(!tenant_knows_permission(w.op.tenant, STR("orders.read"))); /* this op's snapshot is as it was */
    CHECK(tenant_refresh(&w.op) == ERR_OK && w.op.nheld == 1);
    CHECK(tenant_knows_permission(w.op.tenant, STR("orders.read")) && !tenant_knows_permission(w.op.tenant, STR("orders.see")));
    CHECK(tenant_knows_permission(w.op.tenant, STR("tenant.write")) && tenant_knows_permission(w.op.tenant, STR("admin")));
    const struct {
        const char *role, *permission;
        bool holds;
    } rows[] = {
        {"support", "orders.read", true}, {"support", "admin", false},       {"support", "role.read", false},
        {"admin", "orders.write", true},  {"admin", "role.write", true},     {"admin", "admin", true},
        {"admin", "operator", false},     {"auditor", "orders.read", true},  {"auditor", "orders.write", false},
        {"auditor", "audit.read", true},  {"auditor", "admin", false},       {"operator", "operator", true},
        {"operator", "role.write", true}, {"nobody", "orders.read", false}, {"", "orders.read", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(permits(rows[i].role, rows[i].permission) == rows[i].holds, rows[i].role);
    CHECK(object_set_disabled(&w.op, &kind_role, STR("support"), true) == ERR_OK);
    world_op(&w, "default");
    CHECK(!permits("support", "orders.read"));
    world_op(&w, "acme");
    CHECK(!permits("operator", "operator") && !permits("operator", "role.write") && permits("admin", "role.write"));
}

static void test_resources(void)
{
    world_op(&w, "acme");
    const struct resource *r = tenant_resource(w.op.tenant, STR_NONE);
    CHECK(r && str_is(r->identifier, "https://id.example/t/acme"));
    CHECK(tenant_resource(w.op.tenant, STR("https://id.example/t/acme")) == r);
    CHECK(tenant_resource(w.op.tenant, STR("https://api.example")) == NULL);
    CHECK(create(&kind_resource, "{'identifier':'https://api.example','scopes':['a','b']}") == ERR_OK);
    world_op(&w, "acme");
    CHECK(str_is(tenant_resource(w.op.tenant, STR_NONE)->identifier, "https://api.example")); /* the only one */
    CHECK(tenant_resource(w.op.tenant, STR("https://id.example/t/acme")) == NULL);
    CHECK(create(&kind_resource, "{'identifier':'billing','introspect_clients':['web']}") == ERR_OK);
    world_op(&w, "acme");
    CHECK(str_is(tenant_resource(w.op.tenant, STR_NONE)->identifier, "https://id.example/t/acme"));
    CHECK(str_is(tenant_resource(w.op.tenant, STR("billing"))->introspect_clients.v[0], "web"));
    CHECK(update(&kind_resource, "{'identifier':'billing','default':true}") == ERR_OK);
    world_op(&w, "acme");
    CHECK(str_is(tenant_resource(w.op.tenant, STR_NONE)->identifier, "billing"));
    CHECK(update(&kind_resource, "{'identifier':'https://api.example','default':true}") == ERR_CONFLICT);
    CHECK(update(&kind_resource, "{'identifier':'billing','scopes':['a b']}") == ERR_PARAM_BAD);
    CHECK(object_remove(&w.op, &kind_resource, STR("billing")) == ERR_OK);
    world_op(&w, "acme");
    CHECK(w.op.tenant->nresources == 1);
}

static void test_webhooks(void)
{
    bool changed;
    struct object *o;
    world_op(&w, "acme");
    CHECK(create(&kind_webhook, "{'name':'h','url':'https://x.example/h'}") == ERR_PARAM_MISSING);
    CHECK(create(&kind_webhook, "{'name':'h','url':'https://x.example/h','secret':'0123456789abcde'}") == ERR_PARAM_BAD);
    CHECK(create(&kind_webhook, "{'name':'h','url':'https://x.example/h','secret':'0123456789abcdef','events':['nothing']}") == ERR_PARAM_BAD);
    const char *const urls[] = {"ftp://x", "https://", "https://u@x.example/", "https://x.example/#f", "//x", "x", "https://x .example/", "https:///p"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char text[200];
        snprintf(text, sizeof(text), "{'name':'h','url':'%s','secret':'0123456789abcdef'}", urls[i]);
        CHECK_ROW(create(&kind_webhook, text) != ERR_OK, urls[i]);
    }
    CHECK(create(&kind_webhook, "{'name':'h','url':'https://x.example/h','secret':'0123456789abcdef','events':['token.revoked','*']}") == ERR_OK);
    CHECK(object_read(&w.op, &kind_webhook, STR("h"), &o) == ERR_OK && o->version == 1);
    struct str stored = o->secret;
    CHECK(stored.n > 0 && memmem(stored.p, stored.n, "0123456789abcdef", 16) == NULL);
    world_op(&w, "acme");
    CHECK(w.op.tenant->nwebhooks == 1 && str_is(w.op.tenant->webhooks[0].secret, "0123456789abcdef"));
    CHECK(w.op.tenant->webhooks[0].events.n == 2);
    /* the same secret again is no change; left out it stays; another one is */
    CHECK(put(&kind_webhook, "{'name':'h','secret':'0123456789abcdef'}", OBJECT_UPDATE, MANAGED_API, &changed) == ERR_OK && !changed);
    CHECK(put(&kind_webhook, "{'name':'h','url':'https://y.example/h'}", OBJECT_UPSERT, MANAGED_API, &changed) == ERR_OK && changed);
    CHECK(put(&kind_webhook, "{'name':'h','secret':'fedcba9876543210'}", OBJECT_UPDATE, MANAGED_API, &changed) == ERR_OK && changed);
    CHECK(object_read(&w.op, &kind_webhook, STR("h"), &o) == ERR_OK && o->version == 3);
    struct buf b;
    struct jw j;
    buf_init(&b, w.arena, 4096);
    jw_init(&j, &b);
    object_print(o, &j);
    CHECK(memmem(b.p, b.n, "secret", 6) == NULL && memmem(b.p, b.n, "fedcba", 6) == NULL);
    world_op(&w, "acme");
    CHECK(str_is(w.op.tenant->webhooks[0].secret, "fedcba9876543210") && str_is(w.op.tenant->webhooks[0].url, "https://y.example/h"));
    CHECK(w.op.tenant->webhooks[0].events.n == 1);
}

static size_t key_rows(int64_t tenant_id)
{
    struct rows r;
    size_t n = 0;
    CHECK(db_rows(w.db, Q_TENANT_KEY_LIST, BIND(vint(tenant_id)), &r) == ERR_OK);
    while (db_next(&r))
        n++;
    CHECK(db_end(&r) == ERR_OK);
    return n;
}

static void test_remove(void)
{
    bool more = true;
    struct object *o;
    char text[64];
    int64_t id = world_op(&w, "acme")->tenant->object.id;
    for (int i = 0; i < 700; i++) { /* more than one batch */
        snprintf(text, sizeof(text), "{'name':'role%d'}", i);
        CHECK(create(&kind_role, text) == ERR_OK);
        if (i % 100 == 0)
            world_op(&w, "acme");
    }
    world_op(&w, "default");
    CHECK(object_remove(&w.op, &kind_tenant, STR("nobody")) == ERR_NOT_FOUND);
    CHECK(object_remove(&w.op, &kind_tenant, STR("acme")) == ERR_OK);
    CHECK(tenant_use(&w.op, STR("acme")) == ERR_NOT_FOUND && tenant_use_id(&w.op, id) == ERR_NOT_FOUND);
    CHECK(object_read(&w.op, &kind_tenant, STR("acme"), &o) == ERR_NOT_FOUND);
    CHECK(create(&kind_tenant, "{'name':'acme'}") == ERR_OK);
    CHECK(world_op(&w, "acme")->tenant->object.id != id && w.op.tenant->nroles == 0);
    int64_t new_id = w.op.tenant->object.id;
    world_op(&w, "default");
    CHECK(key_rows(id) == 3);
    int rounds = 0;
    for (; more && rounds < 10; rounds++)
        CHECK(tenant_sweep(&w.op, &more) == ERR_OK);
    CHECK(!more && rounds >= 3);
    CHECK(key_rows(id) == 0 && key_rows(new_id) == 3);
    CHECK(tenant_use(&w.op, STR("acme")) == ERR_OK);
}

static void test_restart(void)
{
    uint8_t key[32];
    memcpy(key, world_op(&w, "acme")->tenant->secret_key, 32);
    world_close(&w);
    w.core.cache = cache_new(16);
    CHECK(world_store(&w) == ERR_OK && world_start(&w));
    CHECK(memcmp(key, world_op(&w, "acme")->tenant->secret_key, 32) == 0);
    CHECK(str_is(world_op(&w, "s")->tenant->spec->signing_alg, "RS256"));
}

int main(void)
{
    if (!world_begin(&w) || !world_start(&w)) {
        fprintf(stderr, "no world: %s\n", w.fault.detail);
        return 1;
    }
    test_default();
    test_settings();
    test_names();
    test_state();
    test_who();
    test_roles();
    test_resources();
    test_webhooks();
    test_remove();
    test_restart();
    world_end(&w);
    return unit_end("token/tenant");
}
