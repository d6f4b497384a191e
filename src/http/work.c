/* Workers: a class has its threads and one bounded queue. Requests wait in lanes, one a tenant, and lanes take turns.
 * While others wait, a lane holds at most a quarter of the threads; when the queue is full, the longest lane makes room
 * for a tenant who has less than a quarter of it, else the newcomer is refused. */
#include "http/server.h"
#include "store/store.h"
#include <semaphore.h>
#include <stdlib.h>

enum { BUCKETS = 256, WORKER_CACHE_KIB = 512 };

struct lane {
    uint64_t key;
    struct request *head, *tail;
    unsigned queued, running;
    struct lane *prev, *next; /* ring of lanes in which requests wait */
    struct lane *chain;       /* bucket, or free list */
};
struct worker {
    struct pool *pool;
    pthread_t thread;
    bool started;
    sem_t wake;
    struct worker *below; /* idle stack: the last to fall idle has the warmest cache */
    struct db *db;
};
struct pool {
    struct http_server *server;
    enum worker_class work;
    pthread_mutex_t lock;
    struct lane *ring; /* whose turn it is */
    struct lane *free_lanes, *buckets[BUCKETS], *lanes;
    unsigned queued, queue_max, nworkers;
    struct worker *idle, *workers;
    bool waking; /* a woken worker is on its way: it wakes the next if there is more to do */
    bool stopping;
};

uint64_t lane_key_of(const struct request *r)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a: two tenants in one lane would merely share their turns */

    if (strncmp(r->route->path, "/t/{", 4) != 0)
        return 0;
    for (size_t i = 0; i < r->req.captures[0].n; i++)
        h = (h ^ (unsigned char)r->req.captures[0].p[i]) * 0x100000001b3u;
    return h ? h : 1;
}

static unsigned quarter(unsigned n)
{
    return n < 4 ? 1 : n / 4;
}

static struct lane *lane_get(struct pool *p, uint64_t key)
{
    struct lane **bucket = &p->buckets[key % BUCKETS], *l;

    for (l = *bucket; l; l = l->chain)
        if (l->key == key)
            return l;
    l = p->free_lanes; /* there are as many as requests can wait or run */
    p->free_lanes = l->chain;
    *l = (struct lane){.key = key, .chain = *bucket};
    *bucket = l;
    return l;
}

static void lane_release(struct pool *p, struct lane *l)
{
    struct lane **at = &p->buckets[l->key % BUCKETS];

    if (l->queued || l->running)
        return;
    while (*at != l)
        at = &(*at)->chain;
    *at = l->chain;
    l->chain = p->free_lanes;
    p->free_lanes = l;
}

static void ring_add(struct pool *p, struct lane *l) /* behind all others */
{
    if (!p->ring) {
        p->ring = l->prev = l->next = l;
        return;
    }
    l->next = p->ring;
    l->prev = p->ring->prev;
    l->prev->next = l->next->prev = l;
}

static void ring_remove(struct pool *p, struct lane *l)
{
    if (l->next == l) {
        p->ring = NULL;
        return;
    }
    if (p->ring == l)
        p->ring = l->next;
    l->prev->next = l->next;
    l->next->prev = l->prev;
}

static void lane_push(struct pool *p, struct lane *l, struct request *r)
{
    r->next = NULL;
    if (l->tail)
        l->tail->next = r;
    else
        l->head = r;
    l->tail = r;
    if (l->queued++ == 0)
        ring_add(p, l);
    p->queued++;
}

/* The lane to serve next: in turn, passing over those that hold their quarter while another does not. At most four lanes
 * can hold a quarter of the threads, so this looks at few. */
static struct lane *lane_next(struct pool *p)
{
    struct lane *l = p->ring;

    if (!l)
        return NULL;
    do {
        if (l->running < quarter(p->nworkers))
            return l;
        l = l->next;
    } while (l != p->ring);
    return l;
}

static struct request *lane_pop(struct pool *p, struct lane *l)
{
    struct request *r = l->head;

    l->head = r->next;
    if (!l->head)
        l->tail = NULL;
    l->queued--;
    p->queued--;
    ring_remove(p, l);
    if (l->queued)
        ring_add(p, l);
    return r;
}

/* The newest of the longest lane, taken out for one who has less. */
static struct request *evict_for(struct pool *p, const struct lane *newcomer)
{
    struct lane *longest = p->ring, *l = p->ring;
    struct request **at, *before = NULL, *last;

    if (newcomer->queued >= quarter(p->queue_max))
        return NULL;
    do {
        if (l->queued > longest->queued)
            longest = l;
        l = l->next;
    } while (l != p->ring);
    if (longest == newcomer || longest->queued <= quarter(p->queue_max))
        return NULL;
    for (at = &longest->head; (*at)->next; at = &(*at)->next)
        before = *at;
    last = *at;
    *at = NULL;
    longest->tail = before;
    longest->queued--;
    p->queued--;
    return last;
}

/* A worker to post to after unlocking, if one is needed and none is on its way. A burst then wakes one thread, which
 * wakes the next, instead of the event thread waking all. */
static struct worker *wake_one(struct pool *p)
{
    struct worker *w = p->idle;

    if (!p->queued || !w || p->waking)
        return NULL;
    p->idle = w->below;
    p->waking = true;
    return w;
}

static void answer_busy(struct pool *p, struct request *r)
{
    static const char *const classes[WORK_CLASSES] = {"store", "argon2", "outgoing"};

    if (p->server->cfg.metrics)
        metrics_add(p->server->cfg.metrics, METRIC_QUEUE_REFUSED, classes[p->work], 1);
    refuse(r, ERR_BUSY);
    response_build(r);
    r->stage = STAGE_DONE;
    MHD_resume_connection(r->mhd);
}

void pool_push(struct pool *p, struct request *r)
{
    struct request *refused = NULL;
    struct worker *w = NULL;
    struct lane *l;

    r->lane_key = lane_key_of(r);
    pthread_mutex_lock(&p->lock);
    l = lane_get(p, r->lane_key);
    if (p->stopping)
        refused = r;
    else if (p->queued >= p->queue_max && !(refused = evict_for(p, l)))
        refused = r;
    if (refused == r) {
        lane_release(p, l);
    } else {
        lane_push(p, l, r);
        w = wake_one(p);
    }
    pthread_mutex_unlock(&p->lock);
    if (w)
        sem_post(&w->wake);
    if (refused)
        answer_busy(p, refused);
}

unsigned pool_waiting(struct pool *p)
{
    unsigned n;
    pthread_mutex_lock(&p->lock);
    n = p->queued;
    pthread_mutex_unlock(&p->lock);
    return n;
}

/* Sleeps until there may be something to do; called and left with the lock held. */
static void rest(struct worker *w)
{
    struct pool *p = w->pool;

    w->below = p->idle;
    p->idle = w;
    pthread_mutex_unlock(&p->lock);
    while (sem_wait(&w->wake) != 0) {
    }
    pthread_mutex_lock(&p->lock);
    p->waking = false;
}

/* The next request, or NULL at the end. *lane: that of the request this worker has just finished, then of the next. */
static struct request *take(struct worker *w, struct lane **lane)
{
    struct pool *p = w->pool;
    struct request *r = NULL;
    struct worker *other;

    pthread_mutex_lock(&p->lock);
    if (*lane) {
        (*lane)->running--;
        lane_release(p, *lane);
    }
    while (!(*lane = lane_next(p)) && !p->stopping)
        rest(w);
    if (*lane) {
        r = lane_pop(p, *lane);
        (*lane)->running++;
    }
    other = wake_one(p);
    pthread_mutex_unlock(&p->lock);
    if (other)
        sem_post(&other->wake);
    return r;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct lane *lane = NULL;
    struct request *r;

    pthread_setname_np(pthread_self(), "http-worker");
    while ((r = take(w, &lane))) {
        front_run(r->front, &w->db, WORKER_CACHE_KIB, r);
        r->stage = STAGE_DONE;
        MHD_resume_connection(r->mhd);
    }
    if (w->db)
        db_close(&w->db);
    return NULL;
}

struct pool *pool_new(struct http_server *s, enum worker_class c, unsigned threads, unsigned queue_max)
{
    struct pool *p = calloc(1, sizeof *p);
    size_t nlanes = (size_t)threads + queue_max + 1;

    if (!p)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    p->server = s;
    p->work = c;
    p->nworkers = threads;
    p->queue_max = queue_max;
    p->workers = calloc(threads, sizeof *p->workers);
    p->lanes = calloc(nlanes, sizeof *p->lanes);
    if (!p->workers || !p->lanes) {
        p->nworkers = 0;
        pool_free(&p);
        return NULL;
    }
    for (size_t i = 0; i < nlanes; i++) {
        p->lanes[i].chain = p->free_lanes;
        p->free_lanes = &p->lanes[i];
    }
    for (unsigned i = 0; i < threads; i++) {
        p->workers[i].pool = p;
        sem_init(&p->workers[i].wake, 0, 0);
    }
    return p;
}

bool pool_start(struct pool *p)
{
    for (unsigned i = 0; i < p->nworkers; i++) {
        struct worker *w = &p->workers[i];
        if (pthread_create(&w->thread, NULL, work, w) != 0)
            return false;
        w->started = true;
    }
    return true;
}

void pool_stop(struct pool *p)
{
    struct request *waiting = NULL, *r;

    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    while (p->ring) {
        struct lane *l = p->ring;
        r = lane_pop(p, l);
        r->next = waiting;
        waiting = r;
        lane_release(p, l);
    }
    pthread_mutex_unlock(&p->lock);
    while ((r = waiting)) {
        waiting = r->next;
        answer_busy(p, r);
    }
    for (unsigned i = 0; i < p->nworkers; i++)
        sem_post(&p->workers[i].wake);
    for (unsigned i = 0; i < p->nworkers; i++)
        if (p->workers[i].started)
            pthread_join(p->workers[i].thread, NULL);
}

void pool_free(struct pool **pp)
{
    struct pool *p = *pp;

    if (!p)
        return;
    for (unsigned i = 0; i < p->nworkers; i++)
        sem_destroy(&p->workers[i].wake);
    pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p->lanes);
    free(p);
    *pp = NULL;
}
