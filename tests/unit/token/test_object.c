/* Configured objects: what may be written by whom, versions, the file's objects, names, listing, the cache's view. */
#include "world.h"
#include "base/limits.h"
#include <pthread.h>

static struct world w;

static err_t put(const char *text, enum object_mode mode, enum managed by, int64_t if_version, struct object **ret, bool *ret_changed)
{
    struct op *op = &w.op;
    op->fault = (struct fault){.code = ERR_OK};
    return object_put(op, &kind_role, world_json(&w, text), mode, by, if_version, "", ret, ret_changed);
}

static err_t put_simple(const char *text, enum object_mode mode)
{
    bool changed;
    struct object *o;
    return put(text, mode, MANAGED_API, 0, &o, &changed);
}

static const struct role *role_now(const char *name)
{
    struct object *o;
    world_op(&w, "default");
    return object_get(&w.op, &kind_role, str_z(name), &o) == ERR_OK ? o->spec : NULL;
}

static void test_names(void)
{
    char name[LIMIT_NAME + 2];
    memset(name, 'a', sizeof(name));
    CHECK(object_name_ok((struct str){name, LIMIT_NAME}));
    CHECK(!object_name_ok((struct str){name, LIMIT_NAME + 1}));
    const struct {
        const char *name;
        bool ok;
    } rows[] = {{"a", true},       {"A-Z.0_9~:/@+", true}, {"https://api.example:8443/v1", true}, {"", false},   {".", false},
                {"..", false},     {"...", true},          {"a b", false},                        {"a%b", false}, {"a\n", false},
                {"\xc3\xa9", false}, {"a?b", false},         {"a#b", false},                        {"a\"b", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(object_name_ok(str_z(rows[i].name)) == rows[i].ok, rows[i].name);
    CHECK(!object_name_ok((struct str){"a\0b", 3}));
}

static void test_modes(void)
{
    struct object *o = NULL;
    bool changed = false;
    world_op(&w, "default");
    CHECK(put_simple("{'name':'m','permissions':['a.read']}", OBJECT_UPDATE) == ERR_NOT_FOUND);
    CHECK(put("{'name':'m','permissions':['a.read']}", OBJECT_CREATE, MANAGED_API, 0, &o, &changed) == ERR_OK);
    CHECK(changed && o->version == 1 && o->id > 0 && o->public_id[0] && o->managed_by == MANAGED_API);
    CHECK(put_simple("{'name':'m'}", OBJECT_CREATE) == ERR_CONFLICT);
    /* UPDATE keeps what is left out, UPSERT does not */
    CHECK(put("{'name':'m','description':'x'}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_OK && changed);
    CHECK(((struct role *)o->spec)->permissions.n == 1 && o->version == 2);
    CHECK(put("{'name':'m','description':'x'}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_OK && !changed && o->version == 2);
    CHECK(put("{'name':'m','description':'x'}", OBJECT_UPSERT, MANAGED_API, 0, &o, &changed) == ERR_OK && changed);
    CHECK(((struct role *)o->spec)->permissions.n == 0 && o->version == 3);
    CHECK(put("{'name':'m2'}", OBJECT_UPSERT, MANAGED_API, 0, &o, &changed) == ERR_OK && changed);
    /* wrong documents */
    CHECK(put_simple("{'permissions':[]}", OBJECT_UPSERT) == ERR_PARAM_MISSING && strcmp(w.op.fault.param, "name") == 0);
    CHECK(put_simple("{'name':'a b'}", OBJECT_UPSERT) == ERR_PARAM_BAD);
    CHECK(put_simple("{'name':'m','colour':'red'}", OBJECT_UPSERT) != ERR_OK);
    CHECK(put_simple("{'name':'m','permissions':7}", OBJECT_UPSERT) != ERR_OK);
    CHECK(put_simple("[]", OBJECT_UPSERT) == ERR_PARAM_BAD);
    CHECK(put_simple("{'name':'admin'}", OBJECT_UPSERT) == ERR_CONFLICT);
    CHECK(put_simple("{'name':'m','permissions':['a b']}", OBJECT_UPSERT) == ERR_PARAM_BAD);
    const struct role *r = role_now("m");
    CHECK(r && str_is(r->description, "x") && r->permissions.n == 0);
}

static void test_versions(void)
{
    struct object *o;
    bool changed;
    world_op(&w, "default");
    CHECK(put("{'name':'v'}", OBJECT_UPSERT, MANAGED_API, 5, &o, &changed) == ERR_PRECONDITION);
    CHECK(put("{'name':'v'}", OBJECT_CREATE, MANAGED_API, 0, &o, &changed) == ERR_OK);
    CHECK(put("{'name':'v','description':'1'}", OBJECT_UPDATE, MANAGED_API, 2, &o, &changed) == ERR_PRECONDITION);
    CHECK(put("{'name':'v','description':'1'}", OBJECT_UPDATE, MANAGED_API, 1, &o, &changed) == ERR_OK && o->version == 2);
    CHECK(put("{'name':'v','description':'2','version':1}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_PRECONDITION);
    /* what object_print printed can be sent back */
    struct buf b;
    struct jw j;
    buf_init(&b, w.arena, 4096);
    jw_init(&j, &b);
    object_print(o, &j);
    json_t *doc = NULL;
    CHECK(json_load(buf_view(&b), &doc) == ERR_OK && json_object_get(doc, "id") && json_object_get(doc, "created_at"));
    CHECK(object_put(&w.op, &kind_role, doc, OBJECT_UPSERT, MANAGED_API, 0, "", &o, &changed) == ERR_OK && !changed);
    json_decref(doc);
    CHECK(put("{'name':'v','version':'1'}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_PARAM_BAD);
    CHECK(put("{'name':'v','disabled':1}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_PARAM_BAD);
}

static void test_file(void)
{
    struct object *o;
    bool changed;
    world_op(&w, "default");
    w.op.actor.kind = ACTOR_FILE;
    CHECK(put("{'name':'f','permissions':['x']}", OBJECT_UPSERT, MANAGED_FILE, 0, &o, &changed) == ERR_OK && changed);
    CHECK(o->managed_by == MANAGED_FILE);
    CHECK(put("{'name':'f','permissions':['x']}", OBJECT_UPSERT, MANAGED_FILE, 0, &o, &changed) == ERR_OK && !changed && o->version == 1);
    w.op.actor.kind = ACTOR_OPERATOR;
    CHECK(put("{'name':'f','description':'mine'}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_CONFLICT);
    CHECK(strstr(w.op.fault.detail, "configuration file") != NULL);
    CHECK(object_remove(&w.op, &kind_role, STR("f")) == ERR_CONFLICT);
    w.op.fault.code = ERR_OK;
    CHECK(put("{'name':'f'}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_OK && !changed);
    CHECK(object_set_disabled(&w.op, &kind_role, STR("f"), true) == ERR_OK);
    CHECK(object_read(&w.op, &kind_role, STR("f"), &o) == ERR_OK && o->disabled && o->managed_by == MANAGED_FILE);
    /* the file does not undo that */
    w.op.actor.kind = ACTOR_FILE;
    CHECK(put("{'name':'f','permissions':['x']}", OBJECT_UPSERT, MANAGED_FILE, 0, &o, &changed) == ERR_OK && !changed && o->disabled);
    w.op.actor.kind = ACTOR_OPERATOR;
    CHECK(put("{'name':'f','description':'mine','managed_by':'api'}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_OK && changed);
    CHECK(o->managed_by == MANAGED_API);
    /* and what the API made becomes the file's when the file names it */
    w.op.actor.kind = ACTOR_FILE;
    CHECK(put("{'name':'f','description':'mine','permissions':['x']}", OBJECT_UPSERT, MANAGED_FILE, 0, &o, &changed) == ERR_OK && changed);
    CHECK(object_remove(&w.op, &kind_role, STR("f")) == ERR_OK);
    CHECK(object_read(&w.op, &kind_role, STR("f"), &o) == ERR_NOT_FOUND);
}

static void test_disable(void)
{
    struct object *o;
    bool changed;
    world_op(&w, "default");
    CHECK(put("{'name':'d'}", OBJECT_CREATE, MANAGED_API, 0, &o, &changed) == ERR_OK && o->cutoff_id == 0);
    int64_t before = store_new_id(w.core.store);
    CHECK(put("{'name':'d','disabled':true}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_OK && changed && o->disabled);
    CHECK(o->cutoff_id > before);
    int64_t first = o->cutoff_id;
    CHECK(object_set_disabled(&w.op, &kind_role, STR("d"), true) == ERR_OK);
    CHECK(object_set_disabled(&w.op, &kind_role, STR("d"), false) == ERR_OK);
    CHECK(object_get(&w.op, &kind_role, STR("d"), &o) == ERR_OK && !o->disabled && o->cutoff_id > first);
    CHECK(object_set_disabled(&w.op, &kind_role, STR("nobody"), false) == ERR_NOT_FOUND);
}

static void test_permissions(void)
{
    struct object *o;
    bool changed;
    struct str held[] = {STR("role.write"), STR("a.read")};
    world_op(&w, "default");
    w.op.actor = (struct actor){.kind = ACTOR_PERSON, .id = 1, .tenant_id = w.op.tenant->object.id};
    CHECK(put("{'name':'p'}", OBJECT_CREATE, MANAGED_API, 0, &o, &changed) == ERR_FORBIDDEN);
    w.op.actor.permissions = (struct strs){held, 2};
    CHECK(put("{'name':'p','permissions':['a.read']}", OBJECT_CREATE, MANAGED_API, 0, &o, &changed) == ERR_OK);
    CHECK(put("{'name':'p','permissions':['b.read']}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_FORBIDDEN);
    CHECK(put("{'name':'p','permissions':['admin']}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_FORBIDDEN);
    CHECK(object_read(&w.op, &kind_role, STR("p"), &o) == ERR_FORBIDDEN);
    struct object_page page;
    w.op.fault.code = ERR_OK;
    CHECK(object_list(&w.op, &kind_role, &(struct object_query){.limit = 10}, &page) == ERR_FORBIDDEN);
    w.op.actor.tenant_id++; /* of another tenant: holds nothing here */
    CHECK(object_remove(&w.op, &kind_role, STR("p")) == ERR_FORBIDDEN);
    w.op.actor = (struct actor){.kind = ACTOR_NONE, .permissions = {held, 2}, .tenant_id = w.op.tenant->object.id};
    CHECK(object_remove(&w.op, &kind_role, STR("p")) == ERR_FORBIDDEN);
    struct str admin[] = {STR("admin")};
    w.op.actor = (struct actor){.kind = ACTOR_PERSON, .permissions = {admin, 1}, .tenant_id = w.op.tenant->object.id};
    CHECK(op_permit(&w.op, "anything.write") == ERR_OK && op_permit_system(&w.op) == ERR_FORBIDDEN);
    CHECK(put("{'name':'p','permissions':['operator']}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_FORBIDDEN);
    CHECK(object_remove(&w.op, &kind_role, STR("p")) == ERR_OK);
}

static void test_list(void)
{
    struct object_page page;
    char text[64];
    world_op(&w, "default");
    for (int i = 0; i < 25; i++) {
        snprintf(text, sizeof(text), "{'name':'list_%02d'}", i);
        CHECK(put_simple(text, OBJECT_CREATE) == ERR_OK);
    }
    CHECK(put_simple("{'name':'listX10'}", OBJECT_CREATE) == ERR_OK);
    struct object_query q = {.search = STR("LIST_"), .limit = 10};
    CHECK(object_list(&w.op, &kind_role, &q, &page) == ERR_OK && page.n == 10 && page.more); /* _ is no wildcard */
    q.after = page.v[9]->name;
    CHECK(str_is(q.after, "list_09"));
    CHECK(object_list(&w.op, &kind_role, &q, &page) == ERR_OK && page.n == 10 && page.more);
    q.after = page.v[9]->name;
    CHECK(object_list(&w.op, &kind_role, &q, &page) == ERR_OK && page.n == 5 && !page.more);
    CHECK(str_is(page.v[4]->name, "list_24"));
    q = (struct object_query){.search = STR("%"), .limit = 10};
    CHECK(object_list(&w.op, &kind_role, &q, &page) == ERR_OK && page.n == 0);
    const int64_t limits[] = {0, -1, LIMIT_PAGE + 1};
    for (size_t i = 0; i < 3; i++) {
        q = (struct object_query){.limit = limits[i]};
        CHECK(object_list(&w.op, &kind_role, &q, &page) == ERR_PARAM_BAD);
    }
    q = (struct object_query){.limit = LIMIT_PAGE};
    CHECK(object_list(&w.op, &kind_role, &q, &page) == ERR_OK && page.n >= 26);
}

/* Holds more than an op can, and still gets them all. */
static void test_held(void)
{
    char name[32];
    struct object *o;
    struct object *first = NULL;
    world_op(&w, "default");
    for (int i = 0; i < OP_HELD_MAX + 8; i++) {
        snprintf(name, sizeof(name), "{'name':'held%d'}", i);
        CHECK(put_simple(name, OBJECT_CREATE) == ERR_OK);
    }
    for (int i = 0; i < OP_HELD_MAX + 8; i++) {
        snprintf(name, sizeof(name), "held%d", i);
        CHECK(object_get(&w.op, &kind_role, str_z(name), &o) == ERR_OK && str_is(o->name, name));
        if (i == 0)
            first = o;
    }
    CHECK(w.op.nheld == OP_HELD_MAX);
    CHECK(object_get(&w.op, &kind_role, STR("held0"), &o) == ERR_OK && str_eq(o->name, first->name));
    CHECK(object_get_id(&w.op, &kind_role, first->id, &o) == ERR_OK && str_is(o->name, "held0"));
    world_op(&w, "default");
    CHECK(object_get(&w.op, &kind_role, STR("held0"), &o) == ERR_OK);
    size_t held = w.op.nheld;
    CHECK(object_get(&w.op, &kind_role, STR("held0"), &first) == ERR_OK && first == o && w.op.nheld == held);
    CHECK(object_get_id(&w.op, &kind_role, o->id, &first) == ERR_OK && first == o);
    CHECK(object_get_id(&w.op, &kind_resource, o->id, &first) == ERR_NOT_FOUND);
    CHECK(object_get_id(&w.op, &kind_role, o->id + 1, &first) == ERR_NOT_FOUND);
}

/* A revocation between reading and writing an object is not written over. */
static void test_cut_off(void)
{
    struct object *o;
    bool changed;
    world_op(&w, "default");
    CHECK(put("{'name':'cut'}", OBJECT_CREATE, MANAGED_API, 0, &o, &changed) == ERR_OK);
    CHECK(object_set_disabled(&w.op, &kind_role, STR("cut"), true) == ERR_OK);
    CHECK(object_read(&w.op, &kind_role, STR("cut"), &o) == ERR_OK);
    int64_t cut = o->cutoff_id;
    CHECK(put("{'name':'cut','description':'x'}", OBJECT_UPDATE, MANAGED_API, 0, &o, &changed) == ERR_OK && o->disabled);
    CHECK(object_read(&w.op, &kind_role, STR("cut"), &o) == ERR_OK && o->cutoff_id == cut);
}

/* As many members as `bytes` of JSON hold. */
static json_t *big_role(const char *name, size_t bytes)
{
    json_t *doc = json_pack("{s:s,s:[]}", "name", name, "permissions");
    json_t *list = json_object_get(doc, "permissions");
    char word[LIMIT_NAME + 1];
    for (int i = 0; bytes > 4 && i < LIMIT_LIST; i++) {
        size_t n = bytes - 3 < LIMIT_NAME ? bytes - 3 : LIMIT_NAME;
        memset(word, 'a' + i % 26, n);
        word[n] = 0;
        json_array_append_new(list, json_string(word));
        bytes -= n + 3;
    }
    return doc;
}

static void test_size(void)
{
    struct object *o;
    bool changed;
    char name[32];
    err_t e = ERR_OK;
    int made = 0;
    for (; made < 100 && e == ERR_OK; made++) {
        world_op(&w, "default");
        snprintf(name, sizeof(name), "big%d", made);
        json_t *doc = big_role(name, 30000);
        e = object_put(&w.op, &kind_role, doc, OBJECT_CREATE, MANAGED_API, 0, "", &o, &changed);
        json_decref(doc);
    }
    CHECK(e == ERR_TOO_LARGE && made > 25 && made < 40); /* 1 MiB in all */
    world_op(&w, "default");                            /* and the tenant still loads */
    CHECK(w.op.tenant->nroles > 25);
    while (made-- > 0) {
        snprintf(name, sizeof(name), "big%d", made);
        world_op(&w, "default");
        w.op.fault.code = ERR_OK;
        CHECK(object_remove(&w.op, &kind_role, str_z(name)) == ERR_OK || w.op.fault.code == ERR_NOT_FOUND);
    }
    for (made = 0, e = ERR_OK; made < LIMIT_TENANT_PARTS + 2 && e == ERR_OK; made++) {
        snprintf(name, sizeof(name), "{'identifier':'r%d'}", made);
        if (made % 100 == 0)
            world_op(&w, "default");
        w.op.fault.code = ERR_OK;
        e = object_put(&w.op, &kind_resource, world_json(&w, name), OBJECT_CREATE, MANAGED_API, 0, "", &o, &changed);
    }
    CHECK(e == ERR_TOO_LARGE && made == LIMIT_TENANT_PARTS + 1);
    world_op(&w, "default");
    CHECK(w.op.tenant->nresources == LIMIT_TENANT_PARTS);
}

/* The file's path stands before the member's name. */
static void test_where(void)
{
    struct object *o;
    bool changed;
    const struct {
        const char *text, *param;
    } rows[] = {{"{'name':'admin'}", "tenants.default.roles[3].name"},
                {"{'name':'w','permissions':['a b']}", "tenants.default.roles[3].permissions"},
                {"{'name':'a b'}", "tenants.default.roles[3].name"},
                {"{'permissions':[]}", "tenants.default.roles[3].name"},
                {"{'name':'w','disabled':3}", "tenants.default.roles[3].disabled"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_op(&w, "default");
        CHECK(object_put(&w.op, &kind_role, world_json(&w, rows[i].text), OBJECT_UPSERT, MANAGED_FILE, 0, "tenants.default.roles[3]", &o, &changed) != ERR_OK);
        CHECK_ROW(strcmp(w.op.fault.param, rows[i].param) == 0, w.op.fault.param);
    }
}

/* --- many at once ---------------------------------------------------------------------------------------------------- */

#define CALLERS 8
#define TURNS   20
struct caller {
    pthread_t thread;
    struct db *db;
    int number, failed, seen_stale;
};

/* Each adds its own words to one role, reading what is there and asking for that version. */
static void *add_words(void *arg)
{
    struct caller *c = arg;
    struct arena *a = arena_new(4 * 1024 * 1024);
    for (int turn = 0; turn < TURNS; turn++) {
        err_t e = ERR_PRECONDITION;
        for (int tries = 0; e == ERR_PRECONDITION && tries < 1000; tries++) {
            struct op op;
            struct object *o;
            bool changed;
            arena_reset(a);
            op_begin(&op, &w.core, c->db, a);
            op.actor.kind = ACTOR_OPERATOR;
            e = tenant_use(&op, STR("default"));
            if (e == ERR_OK)
                e = object_read(&op, &kind_role, STR("many"), &o); /* as an administrator: past the cache */
            if (e == ERR_OK) {
                char word[32];
                const struct role *r = o->spec;
                json_t *doc = json_pack("{s:s,s:[]}", "name", "many", "permissions");
                for (size_t i = 0; i < r->permissions.n; i++)
                    json_array_append_new(json_object_get(doc, "permissions"), json_stringn(r->permissions.v[i].p, r->permissions.v[i].n));
                snprintf(word, sizeof(word), "w%d.%d", c->number, turn);
                json_array_append_new(json_object_get(doc, "permissions"), json_string(word));
                int64_t version = o->version;
                e = object_put(&op, &kind_role, doc, OBJECT_UPDATE, MANAGED_API, version, "", &o, &changed);
                json_decref(doc);
                /* who has been told that it is written reads it */
                struct object *again;
                if (e == ERR_OK && (object_get(&op, &kind_role, STR("many"), &again) != ERR_OK || again->version <= version))
                    c->seen_stale++;
            }
            op_end(&op);
        }
        if (e != ERR_OK)
            fprintf(stderr, "caller %d turn %d: %s\n", c->number, turn, err_name(e));
        c->failed += e != ERR_OK;
    }
    arena_free(&a);
    return NULL;
}

static void test_crowd(void)
{
    struct caller c[CALLERS] = {{.number = 0}};
    world_op(&w, "default");
    CHECK(put_simple("{'name':'many'}", OBJECT_CREATE) == ERR_OK);
    for (int i = 0; i < CALLERS; i++) {
        c[i].number = i;
        CHECK(db_open(w.core.store, 64, &c[i].db) == ERR_OK);
        CHECK(pthread_create(&c[i].thread, NULL, add_words, &c[i]) == 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(c[i].thread, NULL);
        db_close(&c[i].db);
        CHECK(c[i].failed == 0 && c[i].seen_stale == 0);
    }
    const struct role *r = role_now("many");
    CHECK(r && r->permissions.n == CALLERS * TURNS); /* no write was lost */
}

int main(void)
{
    test_names();
    if (!world_begin(&w) || !world_start(&w)) {
        fprintf(stderr, "no world: %s\n", w.fault.detail);
        return 1;
    }
    test_modes();
    test_versions();
    test_file();
    test_disable();
    test_permissions();
    test_list();
    test_held();
    test_cut_off();
    test_where();
    test_crowd();
    test_size();
    world_end(&w);
    return unit_end("token/object");
}
