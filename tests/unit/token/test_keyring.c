/* The master key on disk and the store it belongs to, rotation and the crashes in between, sealing, signing keys over time. */
#include "world.h"
#include "base/limits.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static struct world w;

/* --- files ----------------------------------------------------------------------------------------------------------- */

static const char *path(const char *name)
{
    static char p[2][160];
    static int turn;
    turn = !turn;
    snprintf(p[turn], sizeof(p[turn]), "%s/%s", w.dir, name);
    return p[turn];
}

static bool exists(const char *name)
{
    return access(path(name), F_OK) == 0;
}

static size_t file_read(const char *name, char *ret, size_t max)
{
    FILE *f = fopen(path(name), "r");
    size_t n = f ? fread(ret, 1, max, f) : 0;
    if (f)
        fclose(f);
    return n;
}

static void file_write(const char *name, const char *text, size_t n, mode_t mode)
{
    unlink(path(name));
    FILE *f = fopen(path(name), "w");
    CHECK(f && fwrite(text, 1, n, f) == n);
    if (f)
        fclose(f);
    CHECK(chmod(path(name), mode) == 0);
}

/* --- starting -------------------------------------------------------------------------------------------------------- */

static err_t start_with(const char *key_file)
{
    w.fault = (struct fault){.code = ERR_OK};
    return keyring_open(&w.core, w.dir, key_file, &w.in_data_dir, &w.fault);
}

/* Stops and starts the store; the keyring is for the caller to open. */
static void stop(void)
{
    world_close(&w);
    w.core.cache = cache_new(64);
    CHECK(world_store(&w) == ERR_OK);
}

static bool restart(void)
{
    stop();
    return world_start(&w);
}

static void test_first_start(void)
{
    char text[100];
    struct stat st;
    CHECK(w.in_data_dir && stat(path("master.key"), &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(file_read("master.key", text, sizeof(text)) == 65);
    uint8_t store_key[32], id_key[16];
    memcpy(store_key, w.core.store_key, 32);
    memcpy(id_key, w.core.id_key, 16);
    CHECK(restart());
    CHECK(memcmp(store_key, w.core.store_key, 32) == 0 && memcmp(id_key, w.core.id_key, 16) == 0);
    CHECK(memcmp(store_key, id_key, 16) != 0);
}

static void test_wrong_keys(void)
{
    char key[100], other[100], now[100];
    CHECK(file_read("master.key", key, sizeof(key)) == 65);
    stop();
    CHECK(rename(path("master.key"), path("elsewhere")) == 0);
    CHECK(start_with(NULL) == ERR_MASTER_KEY && strstr(w.fault.detail, "missing") && !exists("master.key"));
    CHECK(start_with(path("nowhere")) == ERR_MASTER_KEY && !exists("nowhere"));
    memcpy(other, key, 65);
    other[0] = other[0] == 'a' ? 'b' : 'a';
    file_write("master.key", other, 65, 0600);
    CHECK(start_with(NULL) == ERR_MASTER_KEY && strstr(w.fault.detail, "not the master key"));
    CHECK(file_read("master.key", now, sizeof(now)) == 65 && memcmp(now, other, 65) == 0);
    const struct {
        const char *text;
        size_t n;
        mode_t mode;
    } rows[] = {{key, 65, 0644}, {key, 65, 0640}, {key, 65, 0604}, {key, 63, 0600}, {key, 31, 0600},
                {key, 33, 0600}, {key, 0, 0600},  {"zz", 2, 0600}, {key, 1, 0600}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        file_write("master.key", rows[i].text, rows[i].n, rows[i].mode);
        CHECK(start_with(NULL) == ERR_MASTER_KEY && w.fault.detail[0]);
    }
    CHECK(w.core.keyring == NULL);
    CHECK(unlink(path("master.key")) == 0 && mkdir(path("master.key"), 0700) == 0);
    CHECK(start_with(NULL) == ERR_MASTER_KEY);
    CHECK(rmdir(path("master.key")) == 0);
    /* without its newline, and read-only, it is as good */
    file_write("master.key", key, 64, 0400);
    CHECK(world_start(&w));
    world_op(&w, "default");
}

/* From another file, raw, and from a systemd credential (whose mode is systemd's business). */
static void test_sources(void)
{
    char key[100];
    uint8_t raw[32];
    CHECK(file_read("elsewhere", key, sizeof(key)) == 65);
    for (int i = 0; i < 32; i++)
        sscanf(key + 2 * i, "%2hhx", &raw[i]);
    file_write("raw.key", (char *)raw, 32, 0600);
    stop();
    CHECK(unlink(path("master.key")) == 0);
    CHECK(start_with(path("raw.key")) == ERR_OK && !w.in_data_dir);
    keyring_close(&w.core);
    file_write("mereau-master-key", key, 65, 0440);
    setenv("CREDENTIALS_DIRECTORY", w.dir, 1);
    CHECK(start_with(NULL) == ERR_OK && !w.in_data_dir);
    world_op(&w, "default");
    CHECK(keyring_rotate_master(&w.op, w.dir, NULL) == ERR_CONFLICT && !exists("mereau-master-key.new"));
    CHECK(!exists("master.key"));
    unsetenv("CREDENTIALS_DIRECTORY");
    op_end(&w.op);
    keyring_close(&w.core);
    CHECK(rename(path("elsewhere"), path("master.key")) == 0);
    CHECK(world_start(&w) && w.in_data_dir);
}

static void test_sealing(void)
{
    struct str sealed, opened;
    struct object *o;
    bool changed;
    world_op(&w, "default");
    CHECK(object_put(&w.op, &kind_tenant, world_json(&w, "{'name':'two'}"), OBJECT_CREATE, MANAGED_API, 0, "", &o, &changed) == ERR_OK);
    int64_t one = w.op.tenant->object.id, two = o->id;
    CHECK(keyring_seal(&w.op, one, "thing", STR("hello"), &sealed) == ERR_OK && sealed.n > 5);
    CHECK(memmem(sealed.p, sealed.n, "hello", 5) == NULL);
    CHECK(keyring_open_sealed(&w.op, one, "thing", sealed, &opened) == ERR_OK && str_is(opened, "hello"));
    CHECK(keyring_open_sealed(&w.op, one, "other", sealed, &opened) == ERR_DECRYPT);
    CHECK(keyring_open_sealed(&w.op, two, "thing", sealed, &opened) == ERR_DECRYPT);
    CHECK(keyring_open_sealed(&w.op, one, "thing", (struct str){sealed.p, sealed.n - 1}, &opened) == ERR_DECRYPT);
    CHECK(keyring_open_sealed(&w.op, one, "thing", (struct str){sealed.p, 28}, &opened) == ERR_DECRYPT);
    CHECK(keyring_open_sealed(&w.op, one, "thing", STR(""), &opened) == ERR_DECRYPT);
    CHECK(keyring_seal(&w.op, 99, "thing", STR("hello"), &sealed) == ERR_NOT_FOUND);
    /* from outside the tenant and from inside is the same key */
    CHECK(keyring_seal(&w.op, two, "thing", STR("hi"), &sealed) == ERR_OK);
    char kept[64];
    CHECK(sealed.n <= sizeof(kept));
    memcpy(kept, sealed.p, sealed.n);
    struct str copy = {kept, sealed.n};
    world_op(&w, "two");
    CHECK(keyring_open_sealed(&w.op, two, "thing", copy, &opened) == ERR_OK && str_is(opened, "hi"));
    struct str a, b;
    CHECK(keyring_fingerprint(&w.op, STR("p"), STR("s"), &a) == ERR_OK && keyring_fingerprint(&w.op, STR("p"), STR("s"), &b) == ERR_OK);
    CHECK(str_eq(a, b) && a.n == 43);
    CHECK(keyring_fingerprint(&w.op, STR("p"), STR("t"), &b) == ERR_OK && !str_eq(a, b));
}

/* --- the master key replaced ----------------------------------------------------------------------------------------------- */

static bool tenants_open(void)
{
    static const char *const names[] = {"default", "two"};
    op_end(&w.op);
    cache_free(&w.core.cache);
    w.core.cache = cache_new(64);
    for (int i = 0; i < 2; i++) {
        op_begin(&w.op, &w.core, w.db, w.arena);
        err_t e = tenant_use(&w.op, str_z(names[i]));
        op_end(&w.op);
        if (e != ERR_OK)
            return false;
    }
    return true;
}

static void test_rotation(void)
{
    char old[100], new[100], aside[100];
    CHECK(file_read("master.key", old, sizeof(old)) == 65);
    world_op(&w, "default");
    w.op.actor = (struct actor){.kind = ACTOR_PERSON};
    CHECK(keyring_rotate_master(&w.op, w.dir, NULL) == ERR_FORBIDDEN);
    world_op(&w, "default");
    CHECK(keyring_rotate_master(&w.op, w.dir, NULL) == ERR_OK);
    CHECK(file_read("master.key", new, sizeof(new)) == 65 && memcmp(old, new, 65) != 0);
    CHECK(file_read("master.key.old", aside, sizeof(aside)) == 65 && memcmp(old, aside, 65) == 0);
    CHECK(!exists("master.key.new") && tenants_open());
    CHECK(restart() && tenants_open() && !exists("master.key.old"));
    /* the old one fits no more */
    stop();
    file_write("master.key", old, 65, 0600);
    CHECK(start_with(NULL) == ERR_MASTER_KEY);
    /* a crash between the commit and the rename */
    file_write("master.key.new", new, 65, 0600);
    CHECK(world_start(&w) && tenants_open());
    CHECK(file_read("master.key", aside, sizeof(aside)) == 65 && memcmp(new, aside, 65) == 0 && !exists("master.key.new"));
    /* the same, with the old one lost */
    stop();
    CHECK(rename(path("master.key"), path("master.key.new")) == 0);
    CHECK(world_start(&w) && exists("master.key") && !exists("master.key.new") && tenants_open());
    /* a crash before the commit */
    stop();
    file_write("master.key.new", old, 65, 0600);
    CHECK(world_start(&w) && tenants_open() && !exists("master.key.new"));
    CHECK(file_read("master.key", aside, sizeof(aside)) == 65 && memcmp(new, aside, 65) == 0);
    /* twice in a row */
    world_op(&w, "default");
    CHECK(keyring_rotate_master(&w.op, w.dir, NULL) == ERR_OK);
    world_op(&w, "default");
    CHECK(keyring_rotate_master(&w.op, w.dir, NULL) == ERR_OK && tenants_open());
    CHECK(restart() && tenants_open());
    /* what was sealed before is still open: the store's key and the tenants' are the same */
    struct object *o;
    bool changed;
    world_op(&w, "default");
    CHECK(object_put(&w.op, &kind_tenant, world_json(&w, "{'name':'three'}"), OBJECT_CREATE, MANAGED_API, 0, "", &o, &changed) == ERR_OK);
    world_op(&w, "three");
}

/* --- signing keys ------------------------------------------------------------------------------------------------------------ */

static void test_signing(void)
{
    const struct signing_key *k, *again;
    const struct tenant *before = world_op(&w, "default")->tenant;
    for (int alg = 0; alg < ALG_ED448; alg++) {
        CHECK(tenant_signing_key(&w.op, (enum alg)alg, &k) == ERR_OK);
        CHECK(k->active_s == w.op.now_s && k->retired_s == 0 && k->jwk.alg == (enum alg)alg && key_is_private(k->jwk.key));
        CHECK(tenant_signing_key(&w.op, (enum alg)alg, &again) == ERR_OK && again == k);
    }
    CHECK(before->nkeys == 0 && w.op.tenant->nkeys == ALG_ED448); /* the first snapshot is still whole */
    struct jwks set;
    CHECK(jwks_parse(w.op.tenant->jwks, JWK_PUBLIC | JWK_SIG, w.arena, &set) == ERR_OK && set.n == ALG_ED448);
    struct str token;
    CHECK(tenant_signing_key(&w.op, ALG_ES256, &k) == ERR_OK);
    CHECK(jws_sign(w.core.crypto, &k->jwk, STR("at+jwt"), STR("{}"), w.arena, &token) == ERR_OK);
    bool published = false;
    for (size_t i = 0; i < set.n; i++)
        published |= str_eq(set.v[i].kid, k->jwk.kid) && set.v[i].alg == ALG_ES256;
    CHECK(published && memmem(w.op.tenant->jwks.p, w.op.tenant->jwks.n, "\"d\"", 3) == NULL);
    jwks_free(&set);
}

static int64_t at(const char *tenant, int64_t now_s, const struct signing_key **ret)
{
    w.now_ms = now_s * 1000;
    world_op(&w, tenant);
    CHECK(tenant_signing_key(&w.op, ALG_ES256, ret) == ERR_OK);
    return w.op.now_s;
}

static size_t count_alg(enum alg alg)
{
    size_t n = 0;
    for (size_t i = 0; i < w.op.tenant->nkeys; i++)
        n += w.op.tenant->keys[i].jwk.alg == alg;
    return n;
}

static void test_rotate(void)
{
    const struct signing_key *k;
    char first[64], second[64];
    int64_t t0 = at("default", 1800001000, &k);
    snprintf(first, sizeof(first), "%.*s", STR_ARG(k->jwk.kid));
    CHECK(keyring_rotate(&w.op, ALG_ES256) == ERR_OK);
    CHECK(keyring_rotate(&w.op, ALG_ES256) == ERR_CONFLICT && strstr(w.op.fault.detail, "published"));
    /* published at once, not used before others have had twice the time to fetch it */
    at("default", t0 + 599, &k);
    CHECK(str_is(k->jwk.kid, first) && count_alg(ALG_ES256) == 2);
    at("default", t0 + 600, &k);
    CHECK(!str_is(k->jwk.kid, first));
    snprintf(second, sizeof(second), "%.*s", STR_ARG(k->jwk.kid));
    CHECK(memmem(w.op.tenant->jwks.p, w.op.tenant->jwks.n, first, strlen(first)) != NULL);
    /* the first goes when nothing it signed can live, not before */
    int64_t end = t0 + 600 + LIMIT_ACCESS_TOKEN_LIFE + LIMIT_CLOCK_SKEW;
    at("default", end - 1, &k);
    CHECK(keyring_housekeeping(&w.op) == ERR_OK);
    at("default", end - 1, &k);
    CHECK(count_alg(ALG_ES256) == 2);
    at("default", end, &k);
    CHECK(keyring_housekeeping(&w.op) == ERR_OK);
    at("default", end, &k);
    CHECK(count_alg(ALG_ES256) == 1 && str_is(k->jwk.kid, second));
    CHECK(memmem(w.op.tenant->jwks.p, w.op.tenant->jwks.n, first, strlen(first)) == NULL);
    /* a clock that was set back finds a key all the same, and makes none */
    at("default", t0 - 100000, &k);
    CHECK(str_is(k->jwk.kid, second) && count_alg(ALG_ES256) == 1);
    /* by itself after key_life */
    int64_t due = k->created_s + 90 * 86400;
    at("default", due - 1, &k);
    CHECK(keyring_housekeeping(&w.op) == ERR_OK);
    at("default", due - 1, &k);
    CHECK(count_alg(ALG_ES256) == 1);
    at("default", due, &k);
    CHECK(keyring_housekeeping(&w.op) == ERR_OK);
    CHECK(keyring_housekeeping(&w.op) == ERR_OK);
    at("default", due, &k);
    CHECK(count_alg(ALG_ES256) == 2 && str_is(k->jwk.kid, second));
    /* who has only one permission may */
    struct str write[] = {STR("key.write")};
    w.op.actor = (struct actor){.kind = ACTOR_PERSON, .tenant_id = w.op.tenant->object.id};
    CHECK(keyring_rotate(&w.op, ALG_EDDSA) == ERR_FORBIDDEN);
    w.op.actor.permissions = (struct strs){write, 1};
    w.op.fault.code = ERR_OK;
    CHECK(keyring_rotate(&w.op, ALG_EDDSA) == ERR_OK || w.op.fault.code == ERR_CONFLICT);
}

/* A tenant's key set has a bound. */
static void test_many_keys(void)
{
    const struct signing_key *k;
    int64_t now = at("two", w.now_ms / 1000, &k);
    err_t e = ERR_OK;
    int made = 1;
    for (; made < 2 * LIMIT_JWKS_KEYS && e == ERR_OK; made++) {
        now = at("two", now + 601, &k);
        e = keyring_rotate(&w.op, ALG_ES256);
    }
    CHECK(e == ERR_CONFLICT && made == LIMIT_JWKS_KEYS + 1);
    at("two", now + 1, &k);
    CHECK(count_alg(ALG_ES256) == LIMIT_JWKS_KEYS);
}

/* --- many at once --------------------------------------------------------------------------------------------------------------- */

#define CALLERS 8
struct caller {
    pthread_t thread;
    struct db *db;
    char kid[64];
    err_t e;
};

static void *first_key(void *arg)
{
    struct caller *c = arg;
    struct op op;
    const struct signing_key *k;
    struct arena *a = arena_new(4 * 1024 * 1024);
    op_begin(&op, &w.core, c->db, a);
    c->e = tenant_use(&op, STR("three"));
    if (c->e == ERR_OK)
        c->e = tenant_signing_key(&op, ALG_ES256, &k);
    if (c->e == ERR_OK)
        snprintf(c->kid, sizeof(c->kid), "%.*s", STR_ARG(k->jwk.kid));
    op_end(&op);
    arena_free(&a);
    return NULL;
}

static void test_race(void)
{
    struct caller c[CALLERS] = {{.e = ERR_OK}};
    for (int i = 0; i < CALLERS; i++) {
        CHECK(db_open(w.core.store, 64, &c[i].db) == ERR_OK);
        CHECK(pthread_create(&c[i].thread, NULL, first_key, &c[i]) == 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(c[i].thread, NULL);
        db_close(&c[i].db);
        CHECK(c[i].e == ERR_OK && c[i].kid[0] && strcmp(c[i].kid, c[0].kid) == 0);
    }
    world_op(&w, "three");
    CHECK(w.op.tenant->nkeys == 1);
}

/* Tenants made while the master key is replaced: none is lost between the two keys. */
static void *make_tenants(void *arg)
{
    struct caller *c = arg;
    struct arena *a = arena_new(4 * 1024 * 1024);
    for (int i = 0; i < 20 && c->e == ERR_OK; i++) {
        struct op op;
        json_t *doc = json_pack("{s:o}", "name", json_sprintf("%s-%d", c->kid, i));
        arena_reset(a);
        op_begin(&op, &w.core, c->db, a);
        op.actor.kind = ACTOR_OPERATOR;
        c->e = tenant_use(&op, STR("default"));
        if (c->e == ERR_OK)
            c->e = object_put(&op, &kind_tenant, doc, OBJECT_CREATE, MANAGED_API, 0, "", NULL, NULL);
        json_decref(doc);
        op_end(&op);
    }
    arena_free(&a);
    return NULL;
}

static void test_rotation_under_load(void)
{
    struct caller c[4] = {{.e = ERR_OK}};
    char name[64];
    for (int i = 0; i < 4; i++) {
        snprintf(c[i].kid, sizeof(c[i].kid), "load%d", i);
        CHECK(db_open(w.core.store, 64, &c[i].db) == ERR_OK);
        CHECK(pthread_create(&c[i].thread, NULL, make_tenants, &c[i]) == 0);
    }
    for (int i = 0; i < 5; i++) {
        world_op(&w, "default");
        CHECK(keyring_rotate_master(&w.op, w.dir, NULL) == ERR_OK);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(c[i].thread, NULL);
        db_close(&c[i].db);
        CHECK(c[i].e == ERR_OK);
    }
    CHECK(restart());
    for (int i = 0; i < 80; i++) {
        snprintf(name, sizeof(name), "load%d-%d", i / 20, i % 20);
        world_op(&w, name);
    }
}

int main(void)
{
    unsetenv("CREDENTIALS_DIRECTORY");
    if (!world_begin(&w) || !world_start(&w)) {
        fprintf(stderr, "no world: %s\n", w.fault.detail);
        return 1;
    }
    test_first_start();
    test_wrong_keys();
    test_sources();
    test_sealing();
    test_rotation();
    test_signing();
    test_race();
    test_rotation_under_load();
    test_rotate();
    test_many_keys();
    world_end(&w);
    return unit_end("token/keyring");
}
