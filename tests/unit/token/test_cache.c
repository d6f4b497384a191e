/* The cache: finding by name and id, versions against stale loaders, bound and eviction, references under threads. */
#include "token/cache.h"
#include "../unit.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static const struct object_kind kind_a = {.name = "client"}, kind_b = {.name = "role"};
static _Atomic int alive;

static void gone(void *ctx)
{
    (void)ctx;
    atomic_fetch_sub(&alive, 1);
}

static struct object *make(int64_t id, int64_t tenant_id, const struct object_kind *k, const char *name)
{
    struct arena *a = arena_new(4096);
    struct object *o = arena_new_of(a, struct object);
    o->id = id;
    o->tenant_id = tenant_id;
    o->kind = k;
    o->name = arena_str(a, str_z(name));
    o->arena = a;
    o->refs = 1;
    if (arena_defer(a, gone, NULL))
        atomic_fetch_add(&alive, 1);
    return o;
}

static void put(struct cache *c, int64_t id, int64_t tenant_id, const struct object_kind *k, const char *name)
{
    struct object *o = make(id, tenant_id, k, name);
    cache_put(c, o, cache_version(c));
    object_release(o);
}

static bool has(struct cache *c, int64_t tenant_id, const char *kind, const char *name, int64_t id)
{
    struct object *o = cache_get(c, tenant_id, kind, str_z(name));
    bool found = o && o->id == id;
    object_release(o);
    return found;
}

static bool has_id(struct cache *c, int64_t id)
{
    struct object *o = cache_get_id(c, id);
    object_release(o);
    return o != NULL;
}

static void test_finding(void)
{
    struct cache *c = cache_new(8);
    put(c, 1, 10, &kind_a, "web");
    put(c, 2, 10, &kind_b, "web");
    put(c, 3, 11, &kind_a, "web");
    put(c, 4, 11, &kind_a, "a-much-longer-name-than-eight-bytes");
    CHECK(has(c, 10, "client", "web", 1));
    CHECK(has(c, 10, "role", "web", 2));
    CHECK(has(c, 11, "client", "web", 3));
    CHECK(has(c, 11, "client", "a-much-longer-name-than-eight-bytes", 4));
    CHECK(!has(c, 11, "client", "a-much-longer-name-than-eight-bytez", 4));
    CHECK(!has(c, 12, "client", "web", 1));
    CHECK(cache_get(c, 10, "client", STR("")) == NULL);
    CHECK(has_id(c, 2) && !has_id(c, 99));
    cache_drop(c, 10, "client", STR("web"));
    CHECK(!has(c, 10, "client", "web", 1) && !has_id(c, 1));
    CHECK(has(c, 10, "role", "web", 2));
    cache_drop_tenant(c, 3);
    CHECK(!has(c, 11, "client", "web", 3) && !has_id(c, 3));
    cache_drop(c, 10, "client", STR("nothing"));
    cache_free(&c);
    CHECK(c == NULL && alive == 0);
}

static void test_versions(void)
{
    struct cache *c = cache_new(4);
    uint64_t before = cache_version(c);
    struct object *stale = make(1, 10, &kind_a, "web");
    cache_drop(c, 10, "client", STR("web")); /* the change that the loader did not see */
    CHECK(cache_version(c) != before);
    cache_put(c, stale, before);
    CHECK(!has(c, 10, "client", "web", 1));
    cache_put(c, stale, cache_version(c));
    CHECK(has(c, 10, "client", "web", 1));
    struct object *twin = make(1, 10, &kind_a, "web");
    cache_put(c, twin, cache_version(c)); /* the first one stays */
    struct object *got = cache_get(c, 10, "client", STR("web"));
    CHECK(got == stale);
    object_release(got);
    object_release(twin);
    before = cache_version(c);
    cache_drop_tenant(c, 10);
    CHECK(cache_version(c) != before);
    cache_free(&c);
    CHECK(str_is(stale->name, "web")); /* still held here */
    object_release(stale);
    CHECK(alive == 0);
}

static void test_arena_objects(void)
{
    struct cache *c = cache_new(4);
    struct object in_arena = {.id = 5, .kind = &kind_a, .name = STR("x")};
    cache_put(c, &in_arena, cache_version(c)); /* it would dangle: not taken */
    CHECK(!has_id(c, 5));
    object_release(&in_arena);
    object_release(NULL);
    cache_free(&c);
}

/* The bound holds; what is asked for survives, what is not goes. */
static void test_bound(void)
{
    enum { CAPACITY = 64 };
    struct cache *c = cache_new(CAPACITY);
    char name[32];
    for (int i = 1; i <= CAPACITY; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        put(c, i, 10, &kind_a, name);
    }
    CHECK(alive == CAPACITY);
    put(c, 1001, 10, &kind_a, "one-more");
    CHECK(alive == CAPACITY && has_id(c, 1001));
    for (int i = 1002; i < 1002 + 4 * CAPACITY; i++) {
        CHECK(has_id(c, 1001));
        snprintf(name, sizeof(name), "n%d", i);
        put(c, i, 10, &kind_a, name);
        CHECK(alive == CAPACITY);
    }
    CHECK(has_id(c, 1001) && has_id(c, 1001 + 4 * CAPACITY) && !has_id(c, 1003));
    cache_free(&c);
    CHECK(alive == 0);
    c = cache_new(1);
    put(c, 1, 10, &kind_a, "a");
    put(c, 2, 10, &kind_a, "b");
    CHECK(!has_id(c, 1) && has_id(c, 2));
    cache_free(&c);
}

struct load {
    struct cache *c;
    int seed;
    long misses;
};

static void *work(void *arg)
{
    struct load *l = arg;
    unsigned x = (unsigned)l->seed;
    char name[16];
    for (int i = 0; i < 20000; i++) {
        x = x * 1103515245u + 12345u;
        int64_t id = 1 + (x >> 16) % 100;
        snprintf(name, sizeof(name), "n%d", (int)id);
        uint64_t version = cache_version(l->c);
        struct object *o = x & 0x100 ? cache_get_id(l->c, id) : cache_get(l->c, 10, "client", str_z(name));
        if (!o) {
            l->misses++;
            o = make(id, 10, &kind_a, name);
            cache_put(l->c, o, version);
        }
        if (o->id != id || !str_is(o->name, name))
            l->misses = -1000000;
        object_release(o);
        if ((x >> 8) % 97 == 0)
            cache_drop(l->c, 10, "client", str_z(name));
    }
    return NULL;
}

static void test_threads(void)
{
    struct cache *c = cache_new(50);
    pthread_t t[4];
    struct load l[4];
    for (int i = 0; i < 4; i++) {
        l[i] = (struct load){c, i + 1, 0};
        pthread_create(&t[i], NULL, work, &l[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        CHECK(l[i].misses > 0 && l[i].misses < 20000);
    }
    CHECK(alive <= 50);
    cache_free(&c);
    CHECK(alive == 0);
}

int main(void)
{
    test_finding();
    test_versions();
    test_arena_objects();
    test_bound();
    test_threads();
    return unit_end("token/cache");
}
