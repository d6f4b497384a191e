/* What goes on beside the requests: a table of rounds on one thread, and deliveries of the outbox on another,
 * because those wait for other servers. Each round is bounded; one that was not finished goes on at the next
 * tick. Of several servers on one store one does what is for all; should two think so for a moment, each step is conditional. */
#include "app/app.h"
#include "oauth/register.h"
#include "token/audit.h"
#include "token/keyring.h"
#include "token/life.h"
#include "token/usage.h"
#include <stdlib.h>
#include <time.h>

#define TICK_MS          200
#define EXPIRE_BUDGET_MS 50
#define ALIVE_MS         30000 /* a housekeeper that has not gone round for so long is stuck */
#define DELIVER_AT_ONCE  32
#define DELIVER_IDLE_MS  500
#define DB_CACHE_KIB     512

struct housekeeper {
    struct app *app;
    pthread_t rounds, deliveries;
    bool has_rounds, has_deliveries;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
    _Atomic int64_t last_ms;
};

/* --- the rounds: fn says whether there is more to do at once --- */
static err_t expire(struct app *a, struct op *op, bool *ret_more)
{
    (void)a;
    return life_expire(op, EXPIRE_BUDGET_MS, ret_more);
}
static err_t take_clock(struct app *a, struct op *op, bool *ret_more)
{
    int64_t now_s;
    (void)a, (void)ret_more;
    return expiry_now_s(op, &now_s);
}
static err_t mark(struct app *a, struct op *op, bool *ret_more)
{
    (void)a, (void)ret_more;
    return dead_set_mark_some(op);
}
static err_t flush_usage(struct app *a, struct op *op, bool *ret_more)
{
    (void)a, (void)ret_more;
    return usage_flush(op);
}
static err_t flush_refused(struct app *a, struct op *op, bool *ret_more)
{
    (void)a, (void)ret_more;
    return audit_flush_refused(op);
}
static err_t checkpoint(struct app *a, struct op *op, bool *ret_more)
{
    (void)a, (void)ret_more;
    return audit_checkpoint(op);
}
static err_t keys(struct app *a, struct op *op, bool *ret_more)
{
    (void)a, (void)ret_more;
    return keyring_housekeeping(op);
}
static err_t sweep_tenants(struct app *a, struct op *op, bool *ret_more)
{
    (void)a;
    return tenant_sweep(op, ret_more);
}
static err_t registrations(struct app *a, struct op *op, bool *ret_more)
{
    (void)a;
    return registration_sweep(op, ret_more);
}
static err_t retain(struct app *a, struct op *op, bool *ret_more)
{
    int64_t keep_s = atomic_load(&a->audit_retention_s), rows = 0;
    (void)ret_more;
    return keep_s > 0 ? audit_retain(op, op->now_s - keep_s, &rows) : ERR_OK;
}

struct round {
    const char *name;
    int64_t every_ms;
    bool at_end; /* once more when the server stops */
    bool one;    /* of several servers on one store, one does it (store_leads) */
    err_t (*fn)(struct app *a, struct op *op, bool *ret_more);
};
static const struct round rounds[] = {
    {"mark", TICK_MS, false, false, mark},
    {"expire", 1000, false, true, expire},
    {"usage", 20000, true, false, flush_usage},
    {"refused", 20000, true, false, flush_refused},
    {"keys", 60000, false, true, keys},
    {"tenants", 60000, false, true, sweep_tenants},
    {"registrations", 10000, false, true, registrations},
    {"checkpoint", 600000, true, false, checkpoint},
    {"retention", 3600000, false, true, retain},
};
#define ROUNDS (sizeof rounds / sizeof *rounds)

static void go_round(struct housekeeper *h, const struct round *r, struct db *db, struct arena *arena,
                     bool *ret_more)
{
    struct op op;
    struct app *a = h->app;
    arena_reset(arena);
    err_t e = app_op(a, db, arena, &op);
    if (e == ERR_OK)
        e = r->fn(a, &op, ret_more);
    if (e != ERR_OK)
        log_write(a->core.log, e == ERR_BUSY ? LOG_INFO : LOG_WARN, STR_NONE, "housekeeper", "%s: %s %s",
                  r->name, err_text(e), op.fault.detail);
    op_end(&op);
    atomic_store(&h->last_ms, a->core.clock->steady_ms(a->core.clock->ctx));
}

/* False when it is time to end. */
static bool wait_ms(struct housekeeper *h, int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&h->lock);
    while (!h->stop && pthread_cond_timedwait(&h->wake, &h->lock, &t) == 0)
        ;
    bool go_on = !h->stop;
    pthread_mutex_unlock(&h->lock);
    return go_on;
}

static void *run_rounds(void *ctx)
{
    struct housekeeper *h = ctx;
    const struct clock *clock = h->app->core.clock;
    struct arena *arena = arena_new(8 * LIMIT_REQUEST_ARENA);
    struct db *db = NULL;
    int64_t due[ROUNDS] = {0};
    if (!arena || db_open(h->app->core.store, DB_CACHE_KIB, &db) != ERR_OK) {
        log_write(h->app->core.log, LOG_ERROR, STR_NONE, "housekeeper",
                  "cannot start: out of memory or files");
        arena_free(&arena);
        return NULL;
    }
    /* The clock is looked at before anything expires: a jump in the first second must be seen as one. */
    bool no_more;
    go_round(h, &(struct round){.name = "clock", .fn = take_clock}, db, arena, &no_more);
    for (size_t i = 0; i < ROUNDS; i++) /* nothing in the first moment: the first answer comes first */
        due[i] = clock->steady_ms(clock->ctx) + (rounds[i].every_ms < 5000 ? rounds[i].every_ms : 5000);
    while (wait_ms(h, TICK_MS)) {
        bool fresh = store_fresh(h->app->core.store);
        metrics_set(h->app->core.metrics, METRIC_SERVERS, NULL, fresh ? 1 + store_others(h->app->core.store) : 0);
        if (!fresh) { /* it says so itself, once */
            atomic_store(&h->last_ms, clock->steady_ms(clock->ctx));
            continue;
        }
        for (size_t i = 0; i < ROUNDS; i++) {
            int64_t now = clock->steady_ms(clock->ctx);
            bool more = false;
            if (now < due[i] || (rounds[i].one && !store_leads(h->app->core.store)))
                continue;
            go_round(h, &rounds[i], db, arena, &more);
            due[i] = more ? now : now + rounds[i].every_ms;
        }
        atomic_store(&h->last_ms, clock->steady_ms(clock->ctx));
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        bool more = false;
        if (rounds[i].at_end)
            go_round(h, &rounds[i], db, arena, &more);
    }
    db_close(&db);
    arena_free(&arena);
    return NULL;
}

static void *run_deliveries(void *ctx)
{
    struct housekeeper *h = ctx;
    struct core *c = &h->app->core;
    struct db *db = NULL;
    if (db_open(c->store, DB_CACHE_KIB, &db) != ERR_OK)
        return NULL;
    for (bool more = false; wait_ms(h, more ? 0 : DELIVER_IDLE_MS);) {
        more = false;
        if (!store_fresh(c->store))
            continue;
        err_t e = event_deliver_some(c->event, db, DELIVER_AT_ONCE, &more);
        if (e != ERR_OK) {
            more = false;
            log_write(c->log, LOG_WARN, STR_NONE, "outbox", "deliveries: %s", err_text(e));
        }
    }
    db_close(&db);
    return NULL;
}

err_t housekeeper_start(struct app *a, struct housekeeper **ret)
{
    struct housekeeper *h = calloc(1, sizeof *h);
    pthread_condattr_t attr;
    if (!h)
        return ERR_MEMORY;
    h->app = a;
    store_serves(a->core.store);
    atomic_store(&h->last_ms, a->core.clock->steady_ms(a->core.clock->ctx));
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, &attr);
    pthread_condattr_destroy(&attr);
    h->has_rounds = pthread_create(&h->rounds, NULL, run_rounds, h) == 0;
    h->has_deliveries = h->has_rounds && pthread_create(&h->deliveries, NULL, run_deliveries, h) == 0;
    *ret = h;
    if (h->has_deliveries)
        return ERR_OK;
    housekeeper_stop(ret);
    return ERR_MEMORY;
}

void housekeeper_stop(struct housekeeper **hp)
{
    struct housekeeper *h = *hp;
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
    if (h->has_rounds)
        pthread_join(h->rounds, NULL);
    if (h->has_deliveries)
        pthread_join(h->deliveries, NULL);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    free(h);
    *hp = NULL;
}

bool housekeeper_alive(const struct housekeeper *h)
{
    const struct clock *clock = h->app->core.clock;
    return clock->steady_ms(clock->ctx) - atomic_load(&h->last_ms) < ALIVE_MS;
}
