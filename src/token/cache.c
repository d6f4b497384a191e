/* The cache of hot configuration: one bounded array of slots, two chained indexes over it (by name and by
 * id), a clock hand that evicts what nobody has asked for lately. Lookups take the lock for reading and hold
 * it for a few comparisons; the hash is computed before. Versions: every drop moves one number, and a loader
 * that began before it does not get in. */
#include "token/cache.h"
#include "crypto/crypto.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define NO_SLOT UINT32_MAX

struct slot {
    struct object *o; /* NULL: free */
    uint64_t name_hash;
    uint32_t next_by_name, next_by_id;
    _Atomic bool touched; /* asked for since the hand was here */
};

struct cache {
    pthread_rwlock_t lock;
    _Atomic uint64_t version;
    const struct store *store; /* what is here is believed while this server hears the others; NULL: always */
    uint64_t seed;
    size_t capacity, used, hand, mask;
    uint32_t *by_name, *by_id; /* heads of the chains, mask + 1 each */
    struct slot *slots;
};

void object_release(struct object *o)
{
    if (!o || !o->arena || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct arena *a = o->arena; /* o lies in it */
    arena_free(&a);
}

/* --- hashing --- */

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
}

static uint64_t hash_bytes(uint64_t h, const char *p, size_t n)
{
    while (n >= 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        h = mix(h ^ v);
        p += 8;
        n -= 8;
    }
    uint64_t tail = n;
    for (size_t i = 0; i < n; i++)
        tail = (tail << 8) | (uint8_t)p[i];
    return mix(h ^ tail);
}

static uint64_t hash_name(const struct cache *c, int64_t tenant_id, const char *kind, struct str name)
{
    uint64_t h = mix(c->seed ^ (uint64_t)tenant_id);
    return hash_bytes(hash_bytes(h, kind, strlen(kind)), name.p, name.n);
}

static size_t id_bucket(const struct cache *c, int64_t id)
{
    return mix(c->seed ^ (uint64_t)id) & c->mask;
}

/* --- life --- */

static size_t round_up(size_t n)
{
    size_t p = 16;
    while (p < n)
        p *= 2;
    return p;
}

static bool cache_alloc(struct cache *c)
{
    c->mask = round_up(c->capacity) - 1;
    c->slots = calloc(c->capacity, sizeof(*c->slots));
    c->by_name = malloc((c->mask + 1) * sizeof(uint32_t));
    c->by_id = malloc((c->mask + 1) * sizeof(uint32_t));
    if (!c->slots || !c->by_name || !c->by_id)
        return false;
    memset(c->by_name, 0xff, (c->mask + 1) * sizeof(uint32_t));
    memset(c->by_id, 0xff, (c->mask + 1) * sizeof(uint32_t));
    return random_bytes(&c->seed, sizeof(c->seed)) == ERR_OK;
}

struct cache *cache_new(size_t capacity)
{
    struct cache *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->capacity = capacity == 0 ? 1 : capacity < NO_SLOT ? capacity : NO_SLOT - 1;
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    /* Otherwise readers that overlap all the time would keep a change out for ever. */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&c->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    if (!cache_alloc(c))
        cache_free(&c);
    return c;
}

void cache_free(struct cache **cp)
{
    struct cache *c = *cp;
    if (!c)
        return;
    for (size_t i = 0; c->slots && i < c->capacity; i++)
        object_release(c->slots[i].o);
    pthread_rwlock_destroy(&c->lock);
    free(c->slots);
    free(c->by_name);
    free(c->by_id);
    free(c);
    *cp = NULL;
}

/* --- finding --- */

static uint32_t find_name(const struct cache *c, uint64_t hash, int64_t tenant_id, const char *kind,
                          struct str name)
{
    uint32_t i = c->by_name[hash & c->mask];
    for (; i != NO_SLOT; i = c->slots[i].next_by_name) {
        const struct slot *s = &c->slots[i];
        if (s->name_hash == hash && s->o->tenant_id == tenant_id && str_eq(s->o->name, name) &&
            strcmp(s->o->kind->name, kind) == 0)
            return i;
    }
    return NO_SLOT;
}

static uint32_t find_id(const struct cache *c, int64_t id)
{
    uint32_t i = c->by_id[id_bucket(c, id)];
    while (i != NO_SLOT && c->slots[i].o->id != id)
        i = c->slots[i].next_by_id;
    return i;
}

/* Under the lock, for reading at least. */
static struct object *take(struct cache *c, uint32_t i)
{
    if (i == NO_SLOT)
        return NULL;
    struct slot *s = &c->slots[i];
    if (!atomic_load_explicit(&s->touched, memory_order_relaxed)) /* a shared line stays shared */
        atomic_store_explicit(&s->touched, true, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->o->refs, 1, memory_order_relaxed);
    return s->o;
}

static bool believed(const struct cache *c)
{
    return !c->store || store_fresh(c->store);
}

void cache_follow(struct cache *c, const struct store *s)
{
    c->store = s;
}

struct object *cache_get(struct cache *c, int64_t tenant_id, const char *kind, struct str name)
{
    uint64_t hash = hash_name(c, tenant_id, kind, name);
    if (!believed(c))
        return NULL;
    pthread_rwlock_rdlock(&c->lock);
    struct object *o = take(c, find_name(c, hash, tenant_id, kind, name));
    pthread_rwlock_unlock(&c->lock);
    return o;
}

struct object *cache_get_id(struct cache *c, int64_t id)
{
    if (!believed(c))
        return NULL;
    pthread_rwlock_rdlock(&c->lock);
    struct object *o = take(c, find_id(c, id));
    pthread_rwlock_unlock(&c->lock);
    return o;
}

uint64_t cache_version(const struct cache *c)
{
    return atomic_load_explicit(&c->version, memory_order_acquire);
}

/* --- changing; all under the lock for writing --- */

static void unlink_by_name(struct cache *c, uint32_t i)
{
    uint32_t *at = &c->by_name[c->slots[i].name_hash & c->mask];
    while (*at != i)
        at = &c->slots[*at].next_by_name;
    *at = c->slots[i].next_by_name;
}

static void unlink_by_id(struct cache *c, uint32_t i)
{
    uint32_t *at = &c->by_id[id_bucket(c, c->slots[i].o->id)];
    while (*at != i)
        at = &c->slots[*at].next_by_id;
    *at = c->slots[i].next_by_id;
}

/* Returns the object, which is the caller's to release once the lock is gone. */
static struct object *slot_clear(struct cache *c, uint32_t i)
{
    if (i == NO_SLOT)
        return NULL;
    struct object *o = c->slots[i].o;
    unlink_by_name(c, i);
    unlink_by_id(c, i);
    c->slots[i].o = NULL;
    c->used--;
    return o;
}

/* A free slot, or the next one that nobody has asked for since the hand's last round: at most two rounds. */
static uint32_t slot_choose(struct cache *c, struct object **ret_evicted)
{
    for (;;) {
        size_t i = c->hand;
        c->hand = c->hand + 1 == c->capacity ? 0 : c->hand + 1;
        struct slot *s = &c->slots[i];
        if (!s->o)
            return (uint32_t)i;
        if (c->used == c->capacity && !atomic_exchange_explicit(&s->touched, false, memory_order_relaxed)) {
            *ret_evicted = slot_clear(c, (uint32_t)i);
            return (uint32_t)i;
        }
    }
}

static void slot_fill(struct cache *c, uint32_t i, struct object *o, uint64_t hash)
{
    struct slot *s = &c->slots[i];
    size_t id_at = id_bucket(c, o->id);
    s->o = o;
    s->name_hash = hash;
    s->next_by_name = c->by_name[hash & c->mask];
    s->next_by_id = c->by_id[id_at];
    c->by_name[hash & c->mask] = i;
    c->by_id[id_at] = i;
    /* Not marked yet: a sweep through things asked for once must not push out what is asked for again and
     * again. */
    atomic_store_explicit(&s->touched, false, memory_order_relaxed);
    c->used++;
}

void cache_put(struct cache *c, struct object *o, uint64_t version_before_load)
{
    uint64_t hash = hash_name(c, o->tenant_id, o->kind->name, o->name);
    struct object *evicted = NULL;
    pthread_rwlock_wrlock(&c->lock);
    bool fresh = cache_version(c) == version_before_load && o->arena != NULL;
    /* Another loader of the same version may have been first; both are as good. */
    if (fresh && find_name(c, hash, o->tenant_id, o->kind->name, o->name) == NO_SLOT &&
        find_id(c, o->id) == NO_SLOT) {
        uint32_t i = slot_choose(c, &evicted);
        atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
        slot_fill(c, i, o, hash);
    }
    pthread_rwlock_unlock(&c->lock);
    object_release(evicted);
}

void cache_drop(struct cache *c, int64_t tenant_id, const char *kind, struct str name)
{
    uint64_t hash = hash_name(c, tenant_id, kind, name);
    pthread_rwlock_wrlock(&c->lock);
    atomic_fetch_add_explicit(&c->version, 1, memory_order_release);
    struct object *o = slot_clear(c, find_name(c, hash, tenant_id, kind, name));
    pthread_rwlock_unlock(&c->lock);
    object_release(o);
}

void cache_drop_tenant(struct cache *c, int64_t tenant_id)
{
    pthread_rwlock_wrlock(&c->lock);
    atomic_fetch_add_explicit(&c->version, 1, memory_order_release);
    struct object *o = slot_clear(c, find_id(c, tenant_id));
    pthread_rwlock_unlock(&c->lock);
    object_release(o);
}

void cache_drop_all(struct cache *c)
{
    pthread_rwlock_wrlock(&c->lock);
    atomic_fetch_add_explicit(&c->version, 1, memory_order_release);
    for (uint32_t i = 0; i < c->capacity; i++)
        if (c->slots[i].o)
            object_release(slot_clear(c, i));
    pthread_rwlock_unlock(&c->lock);
}
