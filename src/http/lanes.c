/* See lanes.h. Lanes in which requests wait stand in a ring; a lane without waiting or running requests is
 * free. */
#include "http/lanes.h"
#include "http/server.h"
#include <stdlib.h>

enum { BUCKETS = 256 };

struct lane {
    uint64_t key;
    struct request *head, *tail;
    unsigned queued, running;
    struct lane *prev, *next; /* ring */
    struct lane *chain;       /* bucket, or free list */
};
struct lanes {
    struct lane *ring; /* whose turn it is */
    struct lane *free, *buckets[BUCKETS], *v;
    unsigned queued, queue_max, nworkers;
};

struct lanes *lanes_new(unsigned queue_max, unsigned nworkers)
{
    struct lanes *s = calloc(1, sizeof *s);
    size_t n =
        (size_t)queue_max + nworkers + 1; /* as many as requests can wait or run, and one that is refused */

    if (!s || !(s->v = calloc(n, sizeof *s->v))) {
        free(s);
        return NULL;
    }
    s->queue_max = queue_max;
    s->nworkers = nworkers;
    for (size_t i = 0; i < n; i++) {
        s->v[i].chain = s->free;
        s->free = &s->v[i];
    }
    return s;
}

void lanes_free(struct lanes **s)
{
    if (*s)
        free((*s)->v);
    free(*s);
    *s = NULL;
}

static unsigned quarter(unsigned n)
{
    return n < 4 ? 1 : n / 4;
}

static struct lane *lane_get(struct lanes *s, uint64_t key)
{
    struct lane **bucket = &s->buckets[key % BUCKETS], *l;

    for (l = *bucket; l; l = l->chain)
        if (l->key == key)
            return l;
    l = s->free; /* there are as many as requests can wait or run */
    s->free = l->chain;
    *l = (struct lane){.key = key, .chain = *bucket};
    *bucket = l;
    return l;
}

static void lane_release(struct lanes *s, struct lane *l)
{
    struct lane **at = &s->buckets[l->key % BUCKETS];

    if (l->queued || l->running)
        return;
    while (*at != l)
        at = &(*at)->chain;
    *at = l->chain;
    l->chain = s->free;
    s->free = l;
}

static void ring_add(struct lanes *s, struct lane *l) /* behind all others */
{
    if (!s->ring) {
        s->ring = l->prev = l->next = l;
        return;
    }
    l->next = s->ring;
    l->prev = s->ring->prev;
    l->prev->next = l->next->prev = l;
}

static void ring_remove(struct lanes *s, struct lane *l)
{
    if (l->next == l) {
        s->ring = NULL;
        return;
    }
    if (s->ring == l)
        s->ring = l->next;
    l->prev->next = l->next;
    l->next->prev = l->prev;
}

static void lane_push(struct lanes *s, struct lane *l, struct request *r)
{
    r->next = NULL;
    if (l->tail)
        l->tail->next = r;
    else
        l->head = r;
    l->tail = r;
    if (l->queued++ == 0)
        ring_add(s, l);
    s->queued++;
}

/* The lane to serve next: in turn, passing over those that hold their quarter while another does not. At most
 * four lanes can hold a quarter of the threads, so this looks at few. */
static struct lane *lane_next(const struct lanes *s)
{
    struct lane *l = s->ring;

    if (!l)
        return NULL;
    do {
        if (l->running < quarter(s->nworkers))
            return l;
        l = l->next;
    } while (l != s->ring);
    return l;
}

static struct request *lane_pop(struct lanes *s, struct lane *l)
{
    struct request *r = l->head;

    l->head = r->next;
    if (!l->head)
        l->tail = NULL;
    l->queued--;
    s->queued--;
    ring_remove(s, l);
    if (l->queued)
        ring_add(s, l);
    return r;
}

/* The newest of the longest lane, taken out for one who has less. */
static struct request *evict_for(struct lanes *s, const struct lane *newcomer)
{
    struct lane *longest = s->ring, *l = s->ring;
    struct request **at, *before = NULL, *last;

    if (newcomer->queued >= quarter(s->queue_max))
        return NULL;
    do {
        if (l->queued > longest->queued)
            longest = l;
        l = l->next;
    } while (l != s->ring);
    if (longest == newcomer || longest->queued <= quarter(s->queue_max))
        return NULL;
    for (at = &longest->head; (*at)->next; at = &(*at)->next)
        before = *at;
    last = *at;
    *at = NULL;
    longest->tail = before;
    longest->queued--;
    s->queued--;
    return last;
}

struct request *lanes_push(struct lanes *s, uint64_t key, struct request *r)
{
    struct lane *l = lane_get(s, key);
    struct request *refused = NULL;

    if (s->queued >= s->queue_max && !(refused = evict_for(s, l))) {
        lane_release(s, l);
        return r;
    }
    lane_push(s, l, r);
    return refused;
}

struct request *lanes_take(struct lanes *s, struct lane **ret)
{
    struct lane *l = lane_next(s);

    *ret = l;
    if (!l)
        return NULL;
    l->running++;
    return lane_pop(s, l);
}

void lanes_done(struct lanes *s, struct lane *l)
{
    l->running--;
    lane_release(s, l);
}

unsigned lanes_waiting(const struct lanes *s)
{
    return s->queued;
}
