/* Workers: a class has its threads and one bounded queue (lanes.h). What is refused is answered 503 at once.
 */
#include "http/lanes.h"
#include "http/server.h"
#include "store/store.h"
#include <semaphore.h>
#include <stdlib.h>

enum { WORKER_CACHE_KIB = 512 };

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
    struct lanes *lanes;
    unsigned nworkers;
    struct worker *idle, *workers;
    bool waking; /* a woken worker is on its way: it wakes the next if there is more to do */
    bool stopping;
};

static uint64_t lane_key_of(const struct request *r)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a: two tenants in one lane would merely share their turns */

    if (strncmp(r->route->path, "/t/{", 4) != 0)
        return 0;
    for (size_t i = 0; i < r->req.captures[0].n; i++)
        h = (h ^ (unsigned char)r->req.captures[0].p[i]) * 0x100000001b3u;
    return h ? h : 1;
}

/* A worker to post to after unlocking, if one is needed and none is on its way. A burst then wakes one
 * thread, which wakes the next, instead of the event thread waking all. */
static struct worker *wake_one(struct pool *p)
{
    struct worker *w = p->idle;

    if (!w || !lanes_waiting(p->lanes) || p->waking)
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
    struct worker *w = NULL;
    struct request *refused;

    pthread_mutex_lock(&p->lock);
    refused = p->stopping ? r : lanes_push(p->lanes, lane_key_of(r), r);
    w = wake_one(p);
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
    n = lanes_waiting(p->lanes);
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

/* The next request, or NULL at the end. *lane: that of the request this worker has just finished, then of the
 * next. */
static struct request *take(struct worker *w, struct lane **lane)
{
    struct pool *p = w->pool;
    struct request *r;
    struct worker *other;

    pthread_mutex_lock(&p->lock);
    if (*lane)
        lanes_done(p->lanes, *lane);
    while (!(r = lanes_take(p->lanes, lane)) && !p->stopping)
        rest(w);
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
        struct MHD_Connection *mhd = r->mhd; /* r is the front's again from here on */
        atomic_store_explicit(&r->stage, STAGE_DONE, memory_order_release);
        MHD_resume_connection(mhd);
    }
    if (w->db)
        db_close(&w->db);
    return NULL;
}

struct pool *pool_new(struct http_server *s, enum worker_class c, unsigned threads, unsigned queue_max)
{
    struct pool *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    p->server = s;
    p->work = c;
    p->lanes = lanes_new(queue_max, threads);
    p->workers = calloc(threads, sizeof *p->workers);
    if (!p->lanes || !p->workers) {
        pool_free(&p);
        return NULL;
    }
    p->nworkers = threads;
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
    struct lane *lane;

    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    while ((r = lanes_take(p->lanes, &lane))) {
        lanes_done(p->lanes, lane);
        r->next = waiting;
        waiting = r;
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
    lanes_free(&p->lanes);
    free(p);
    *pp = NULL;
}
