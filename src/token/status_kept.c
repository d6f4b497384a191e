/* Status lists ready to send, in memory: thousands of verifiers ask for the same one, and one of the threads that serve them makes
 * it anew once a second at most. Bounded; the one whose last use is longest ago makes room. One lock guards the table; nobody holds
 * it while reading the store or signing. */
#include "token/status_parts.h"
#include <pthread.h>
#include <stdlib.h>

#define BUCKETS LIMIT_STATUS_KEPT
#define WAIT_S  5

struct kept {
    int64_t tenant_id, list;
    struct kept *next; /* of its bucket */
    char *text;        /* NULL: not there yet */
    size_t n;
    int64_t built_ms; /* steady: when the reading began */
    uint64_t used;
    unsigned pins; /* threads that make it or wait for it: it stays */
    bool building;
};
struct status_kept {
    pthread_mutex_t lock;
    pthread_cond_t built;
    struct kept *buckets[BUCKETS];
    size_t n;
    uint64_t uses;
};

/* --- the table; with the lock held --- */

static struct kept **bucket_of(struct status_kept *t, int64_t tenant_id, int64_t list)
{
    uint64_t h = ((uint64_t)tenant_id * 31 + (uint64_t)list) * 0x9e3779b97f4a7c15;
    return &t->buckets[(h >> 32) % BUCKETS];
}

static struct kept *kept_find(struct status_kept *t, int64_t tenant_id, int64_t list)
{
    struct kept *k = *bucket_of(t, tenant_id, list);
    while (k && !(k->tenant_id == tenant_id && k->list == list))
        k = k->next;
    if (k)
        k->used = ++t->uses;
    return k;
}

static void kept_remove(struct status_kept *t, struct kept *k)
{
    struct kept **at = bucket_of(t, k->tenant_id, k->list);
    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    t->n--;
    free(k->text);
    free(k);
}

static bool kept_evict(struct status_kept *t)
{
    struct kept *oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct kept *k = t->buckets[i]; k; k = k->next)
            if (!k->pins && (!oldest || k->used < oldest->used))
                oldest = k;
    if (oldest)
        kept_remove(t, oldest);
    return oldest != NULL;
}

static struct kept *kept_get(struct status_kept *t, int64_t tenant_id, int64_t list)
{
    struct kept *k = kept_find(t, tenant_id, list);
    if (k || (t->n >= LIMIT_STATUS_KEPT && !kept_evict(t)))
        return k;
    k = calloc(1, sizeof(*k));
    if (!k)
        return NULL;
    k->tenant_id = tenant_id;
    k->list = list;
    k->used = ++t->uses;
    k->next = *bucket_of(t, tenant_id, list);
    *bucket_of(t, tenant_id, list) = k;
    t->n++;
    return k;
}

struct status_kept *status_kept_new(void)
{
    struct status_kept *t = calloc(1, sizeof(*t));
    pthread_condattr_t attr;
    if (!t)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->built, &attr);
    pthread_condattr_destroy(&attr);
    return t;
}

void status_kept_free(struct status_kept **t)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while ((*t)->buckets[i])
            kept_remove(*t, (*t)->buckets[i]);
    pthread_cond_destroy(&(*t)->built);
    pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

/* --- making it --- */

static int64_t now_ms(const struct op *op)
{
    return op->core->clock->steady_ms(op->core->clock->ctx);
}

/* With the lock held; released meanwhile. */
static err_t rebuild(struct op *op, struct status_kept *t, struct kept *k)
{
    struct str made = STR_NONE;
    int64_t began = now_ms(op);
    k->building = true;
    pthread_mutex_unlock(&t->lock);
    err_t e = status_build(op, k->list, &made);
    char *copy = e == ERR_OK ? malloc(made.n) : NULL;
    if (copy)
        memcpy(copy, made.p, made.n);
    pthread_mutex_lock(&t->lock);
    k->building = false;
    pthread_cond_broadcast(&t->built);
    if (e == ERR_OK && !copy)
        e = ERR_MEMORY;
    if (copy || e == ERR_NOT_FOUND) {
        free(k->text);
        k->text = copy;
        k->n = copy ? made.n : 0;
        k->built_ms = began;
    }
    return e;
}

/* False when it took too long. */
static bool wait_built(struct status_kept *t, const struct kept *k)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    while (k->building)
        if (pthread_cond_timedwait(&t->built, &t->lock, &until) != 0)
            return false;
    return true;
}

/* With the lock held: the text is there and young enough. While somebody makes the next one, the last one serves a little longer. */
static err_t bring(struct op *op, struct status_kept *t, struct kept *k)
{
    while (true) {
        int64_t age = now_ms(op) - k->built_ms;
        if (k->text && age < (k->building ? 2 : 1) * LIMIT_STATUS_AGE_MS)
            return ERR_OK;
        if (!k->building)
            return rebuild(op, t, k);
        if (!wait_built(t, k))
            return ERR_BUSY;
    }
}

static err_t give(struct op *op, const struct kept *k, struct str *ret)
{
    struct str copy = arena_str(op->arena, (struct str){k->text, k->n});
    *ret = copy;
    return copy.p ? ERR_OK : ERR_MEMORY;
}

err_t status_list_token(struct op *op, struct str name, struct str *ret)
{
    struct status_kept *t = status_kept_of(op->core->status);
    struct status_row row;
    int64_t list, tenant_id = op->tenant->object.id;
    if (!id_parse(op->core, name, &list))
        return ERR_NOT_FOUND;
    pthread_mutex_lock(&t->lock);
    struct kept *k = kept_find(t, tenant_id, list);
    if (!k) { /* names that anybody makes up find no place here */
        pthread_mutex_unlock(&t->lock);
        TRY(status_row_read(op, list, &row));
        pthread_mutex_lock(&t->lock);
        k = kept_get(t, tenant_id, list);
    }
    err_t e = ERR_BUSY;
    if (k) {
        k->pins++;
        e = bring(op, t, k);
        k->pins--;
        if (e == ERR_OK)
            e = give(op, k, ret);
        else if (!k->text && !k->pins)
            kept_remove(t, k);
    }
    pthread_mutex_unlock(&t->lock);
    return e;
}
