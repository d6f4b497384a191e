/* Public keys of others, in memory: sets behind an address, fetched and kept as Cache-Control says, and sets by value, kept so
 * that no request parses a client's keys anew. A set never changes once it is made and is counted by those who use it (each
 * request's arena gives its own back), so that a newer one may take its place at any time. What is asked for is found by the
 * SHA-256 of its address or its text. One lock guards the table; nobody holds it while fetching or parsing. */
#include "token/remote_keys.h"
#include "net/net.h"
#include "token/core.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BUCKETS         1024
#define FRESH_DEFAULT_S 300
#define RETRY_MS        (60 * 1000) /* after a fetch that failed, or that a kid asked for in vain */
#define RETRY_EMPTY_MS  (10 * 1000) /* after one that failed when there is nothing else */
#define WAIT_MS         (LIMIT_REMOTE_MS + 1000)

struct key_set {
    struct jwks keys;
    struct arena *arena;
    _Atomic int refs;
};

/* Times are of the steady clock. */
struct entry {
    uint8_t name[SHA256_SIZE];
    struct entry *next; /* of its bucket */
    struct key_set *set; /* NULL: not there yet */
    uint64_t used;
    int64_t fresh_until_ms, stale_until_ms;
    int64_t retry_ms, kid_retry_ms; /* not fetched before: because of its age; because of an unknown kid */
    unsigned pins;                  /* threads that fetch it or wait for it: it stays */
    bool fetching;
};

struct remote_keys {
    pthread_mutex_t lock;
    pthread_cond_t fetched;
    struct entry *buckets[BUCKETS];
    size_t n, waiting, waiting_max;
    uint64_t uses;
};

/* --- sets --- */

static void set_release(void *ctx)
{
    struct key_set *s = ctx;
    if (atomic_fetch_sub(&s->refs, 1) > 1)
        return;
    jwks_free(&s->keys);
    arena_free(&s->arena);
    free(s);
}

/* Counted once, for the caller. */
static err_t set_parse(struct str text, struct key_set **ret)
{
    struct key_set *s = calloc(1, sizeof(*s));
    if (!s)
        return ERR_MEMORY;
    s->refs = 1;
    s->arena = arena_new(LIMIT_REMOTE_ARENA);
    err_t e = s->arena ? jwks_parse(text, JWK_PUBLIC | JWK_LENIENT, s->arena, &s->keys) : ERR_MEMORY;
    if (e != ERR_OK) {
        set_release(s);
        return e == ERR_MEMORY ? e : ERR_KEY;
    }
    *ret = s;
    return ERR_OK;
}

/* Hands a reference over to the request. */
static err_t set_give(struct op *op, struct key_set *s, const struct jwks **ret)
{
    if (!arena_defer(op->arena, set_release, s)) {
        set_release(s);
        return ERR_MEMORY;
    }
    *ret = &s->keys;
    return ERR_OK;
}

static bool set_has(const struct key_set *s, struct str kid)
{
    for (size_t i = 0; i < s->keys.n; i++)
        if (s->keys.v[i].kid.p && str_eq(s->keys.v[i].kid, kid))
            return true;
    return !kid.p;
}

/* --- the table; with the lock held --- */

static struct entry **bucket_of(struct remote_keys *r, const uint8_t *name)
{
    return &r->buckets[(name[0] | name[1] << 8) % BUCKETS];
}

static struct entry *entry_find(struct remote_keys *r, const uint8_t *name)
{
    struct entry *e = *bucket_of(r, name);
    while (e && memcmp(e->name, name, sizeof(e->name)) != 0)
        e = e->next;
    if (e)
        e->used = ++r->uses;
    return e;
}

static void entry_remove(struct remote_keys *r, struct entry *e)
{
    struct entry **at = bucket_of(r, e->name);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    r->n--;
    if (e->set)
        set_release(e->set);
    free(e);
}

/* Makes room: the one whose last use is longest ago, of those that nobody is busy with. */
static bool entry_evict(struct remote_keys *r)
{
    struct entry *oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry *e = r->buckets[i]; e; e = e->next)
            if (!e->pins && (!oldest || e->used < oldest->used))
                oldest = e;
    if (oldest)
        entry_remove(r, oldest);
    return oldest != NULL;
}

static struct entry *entry_get(struct remote_keys *r, const uint8_t *name)
{
    struct entry *e = entry_find(r, name);
    if (e)
        return e;
    if (r->n >= LIMIT_REMOTE_KEYS && !entry_evict(r))
        return NULL;
    e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    memcpy(e->name, name, sizeof(e->name));
    e->used = ++r->uses;
    e->next = *bucket_of(r, name);
    *bucket_of(r, name) = e;
    r->n++;
    return e;
}

static void entry_put(struct entry *e, struct key_set *s)
{
    if (e->set)
        set_release(e->set);
    e->set = s;
}

struct remote_keys *remote_keys_new(size_t waiting)
{
    struct remote_keys *r = calloc(1, sizeof(*r));
    pthread_condattr_t attr;
    if (!r)
        return NULL;
    r->waiting_max = waiting > LIMIT_REMOTE_WAITING ? LIMIT_REMOTE_WAITING : waiting ? waiting : 1;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->fetched, &attr);
    pthread_condattr_destroy(&attr);
    return r;
}

void remote_keys_free(struct remote_keys **r)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while ((*r)->buckets[i])
            entry_remove(*r, (*r)->buckets[i]);
    pthread_cond_destroy(&(*r)->fetched);
    pthread_mutex_destroy(&(*r)->lock);
    free(*r);
    *r = NULL;
}

/* --- fetching --- */

struct fetched {
    struct key_set *set; /* NULL: e says why not */
    err_t e;
    int64_t fresh_s;
};

static int64_t fresh_for(int64_t max_age_s)
{
    int64_t s = max_age_s < 0 ? FRESH_DEFAULT_S : max_age_s;
    return s < LIMIT_REMOTE_FRESH_MIN_S   ? LIMIT_REMOTE_FRESH_MIN_S
           : s > LIMIT_REMOTE_FRESH_MAX_S ? LIMIT_REMOTE_FRESH_MAX_S
                                          : s;
}

/* Without the lock. What the answer was is for the log alone: a client must not learn from us what is where (A22). */
static struct fetched fetch(struct op *op, struct str uri)
{
    struct str accept = STR("Accept: application/jwk-set+json, application/json");
    struct net_request q = {.kind = "jwks",
                            .method = "GET",
                            .url = uri,
                            .headers = {&accept, 1},
                            .timeout_ms = LIMIT_REMOTE_MS,
                            .response_max = LIMIT_REMOTE_BYTES};
    struct net_response a = {.max_age_s = -1};
    struct fetched f = {.e = ERR_MEMORY};
    struct fault why = {0};
    struct arena *scratch = arena_new(4 * LIMIT_REMOTE_BYTES);
    if (scratch)
        f.e = net_fetch(op->core->net, &q, scratch, &a, &why);
    if (f.e == ERR_OK)
        f.e = a.status == 200 ? set_parse(a.body, &f.set) : ERR_NET;
    f.fresh_s = fresh_for(a.max_age_s);
    if (f.e != ERR_OK)
        log_write(op->core->log, LOG_WARN, op->request_id, "remote_keys", "no keys from %.*s: %s",
                  (int)str_find(uri, '?'), uri.p, err_text(f.e));
    if (scratch)
        arena_free(&scratch);
    return f;
}

static int64_t now_ms(const struct op *op)
{
    return op->core->clock->steady_ms(op->core->clock->ctx);
}

/* With the lock held; released meanwhile. */
static err_t refresh(struct op *op, struct remote_keys *r, struct entry *e, struct str uri)
{
    e->fetching = true;
    pthread_mutex_unlock(&r->lock);
    struct fetched f = fetch(op, uri);
    int64_t now = now_ms(op);
    pthread_mutex_lock(&r->lock);
    e->fetching = false;
    if (f.e == ERR_OK) {
        entry_put(e, f.set);
        e->fresh_until_ms = now + f.fresh_s * 1000;
        e->stale_until_ms = e->fresh_until_ms + (int64_t)LIMIT_REMOTE_STALE_S * 1000;
    }
    e->retry_ms = f.e == ERR_OK ? now : now + (e->set ? RETRY_MS : RETRY_EMPTY_MS);
    pthread_cond_broadcast(&r->fetched);
    return f.e;
}

enum next { SERVE, WAIT, FETCH };

static bool usable(const struct entry *e, int64_t now)
{
    return e->set && now < e->stale_until_ms;
}

/* An old set serves while somebody fetches the new one; for a kid it does not have, that one is waited for. */
static enum next what_next(struct entry *e, struct str kid, int64_t now)
{
    bool known = e->set && set_has(e->set, kid), fresh = e->set && now < e->fresh_until_ms;
    if (fresh && known)
        return SERVE;
    if (e->fetching)
        return usable(e, now) && known ? SERVE : WAIT;
    if (!fresh)
        return now >= e->retry_ms ? FETCH : SERVE;
    if (now < e->kid_retry_ms)
        return SERVE;
    e->kid_retry_ms = now + RETRY_MS;
    return FETCH;
}

/* False when it took too long. */
static bool wait_fetched(struct remote_keys *r, const struct entry *e)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_MS / 1000;
    while (e->fetching)
        if (pthread_cond_timedwait(&r->fetched, &r->lock, &until) != 0)
            return false;
    return true;
}

/* With the lock held: what there is to serve in the end, or why there is nothing. However many wait, each is woken once and looks
 * once more; threads are the server's, so no more than some stand here. */
static err_t bring(struct op *op, struct remote_keys *r, struct entry *e, struct str uri, struct str kid)
{
    err_t why = ERR_NET;
    enum next next = what_next(e, kid, now_ms(op));
    if (next != SERVE && r->waiting >= r->waiting_max) {
        why = ERR_BUSY;
    } else if (next != SERVE) {
        r->waiting++;
        e->pins++;
        if (next == FETCH)
            why = refresh(op, r, e, uri);
        else if (!wait_fetched(r, e))
            why = ERR_BUSY;
        e->pins--;
        r->waiting--;
    }
    return usable(e, now_ms(op)) ? ERR_OK : why;
}

err_t remote_keys_get(struct op *op, struct str jwks_uri, struct str kid, const struct jwks **ret)
{
    struct remote_keys *r = op->core->remote_keys;
    struct key_set *set = NULL;
    uint8_t name[SHA256_SIZE];
    sha256(op->core->crypto, jwks_uri, name);
    pthread_mutex_lock(&r->lock);
    struct entry *e = entry_get(r, name);
    err_t why = e ? bring(op, r, e, jwks_uri, kid) : ERR_BUSY;
    if (why == ERR_OK) {
        set = e->set;
        atomic_fetch_add(&set->refs, 1);
    }
    pthread_mutex_unlock(&r->lock);
    if (why != ERR_OK)
        return op_fail(op, why, "jwks_uri", "there are no keys from the address registered");
    return set_give(op, set, ret);
}

/* --- by value --- */

static err_t parse_value(struct op *op, struct remote_keys *r, const uint8_t *name, struct str text, struct key_set **ret)
{
    err_t e = set_parse(text, ret);
    if (e != ERR_OK)
        return op_fail(op, e, "jwks", "%s", err_text(e));
    pthread_mutex_lock(&r->lock);
    struct entry *entry = entry_get(r, name);
    if (entry && !entry->set) {
        atomic_fetch_add(&(*ret)->refs, 1);
        entry_put(entry, *ret);
    }
    pthread_mutex_unlock(&r->lock);
    return ERR_OK;
}

static err_t keys_by_value(struct op *op, const json_t *jwks, const struct jwks **ret)
{
    struct remote_keys *r = op->core->remote_keys;
    struct key_set *set = NULL;
    uint8_t name[SHA256_SIZE];
    size_t n = json_dumpb(jwks, NULL, 0, JSON_COMPACT);
    char *text = n && n <= LIMIT_OBJECT ? arena_alloc(op->arena, n) : NULL;
    if (!text || json_dumpb(jwks, text, n, JSON_COMPACT) != n)
        return ERR_KEY;
    sha256(op->core->crypto, (struct str){text, n}, name); /* no address looks like JSON */
    pthread_mutex_lock(&r->lock);
    struct entry *e = entry_find(r, name);
    if (e && e->set) {
        set = e->set;
        atomic_fetch_add(&set->refs, 1);
    }
    pthread_mutex_unlock(&r->lock);
    if (!set)
        TRY(parse_value(op, r, name, (struct str){text, n}, &set));
    return set_give(op, set, ret);
}

err_t remote_keys_of(struct op *op, const json_t *jwks, struct str jwks_uri, struct str kid, const struct jwks **ret)
{
    if (jwks)
        return keys_by_value(op, jwks, ret);
    if (jwks_uri.n)
        return remote_keys_get(op, jwks_uri, kid, ret);
    return op_fail(op, ERR_KEY, "jwks", "there are no keys registered");
}
