/* Deleting what has expired: small batches, each a transaction of its own, the tables in turn, so that
 * neither logins nor any one table wait; and the clock that decides what "expired" means for deleting (case
 * A90). */
#include "token/life.h"
#include "token/core.h"
#include <stdlib.h>

#define SLACK_MS      (5 * 60 * 1000)
#define BELIEVED_MS   (24 * 3600 * (int64_t)1000) /* so long a stop is believed without doubt */
#define DOUBT_MS      (3600 * (int64_t)1000)
#define SAVE_EVERY_MS (60 * 1000)

/* --- the clock
 * ------------------------------------------------------------------------------------------------------- */

/* base follows the steady clock, at most 1/16 faster, and never passes the wall clock: a wall clock that
 * jumps ahead gains five minutes, one that lags behind is caught up with. What went by while no server ran is
 * known to the wall clock alone: up to a day is believed, more only after it has stood for an hour. Used by
 * the housekeeper's thread alone. */
struct expiry {
    bool started;
    int64_t base_ms, steady_ms, saved_ms;
    int64_t doubt_until_ms; /* steady; 0: no doubt */
};

struct expiry *expiry_new(void)
{
    return calloc(1, sizeof(struct expiry));
}

void expiry_free(struct expiry **e)
{
    free(*e);
    *e = NULL;
}

static err_t read_saved(struct op *op, int64_t *ret_ms)
{
    struct rows r;
    uint64_t v = 0;
    TRY(db_rows(op->db, Q_META_GET, BIND(vtext(STR("expiry_clock"))), &r));
    if (db_next(&r)) {
        struct str be = db_text(&r, 0);
        for (size_t i = 0; i < be.n && i < 8; i++)
            v = v << 8 | (uint8_t)be.p[i];
    }
    *ret_ms = (int64_t)v;
    return db_end(&r);
}

static err_t start(struct op *op, struct expiry *e, int64_t wall, int64_t steady)
{
    int64_t saved;
    TRY(read_saved(op, &saved));
    e->base_ms = wall;
    if (saved && wall - saved > BELIEVED_MS) {
        e->base_ms = saved;
        e->doubt_until_ms = steady + DOUBT_MS;
        log_write(op->core->log, LOG_WARN, STR_NONE, "expiry.clock",
                  "the clock is %lld days ahead of when this store was last used; expired rows are kept for "
                  "an hour in case it is wrong",
                  (long long)((wall - saved) / BELIEVED_MS));
    }
    e->steady_ms = steady;
    e->started = true;
    return ERR_OK;
}

static err_t advance(struct op *op, struct expiry *e, int64_t *ret_now_ms)
{
    int64_t wall = store_wall_ms(op->core->store), steady = op->core->clock->steady_ms(op->core->clock->ctx);
    if (!e->started)
        TRY(start(op, e, wall, steady));
    int64_t elapsed = steady - e->steady_ms;
    e->base_ms += elapsed + elapsed / 16;
    e->steady_ms = steady;
    bool trust = e->doubt_until_ms && steady >= e->doubt_until_ms;
    if (trust || e->base_ms >= wall) {
        e->base_ms = wall;
        e->doubt_until_ms = 0;
    }
    *ret_now_ms = wall < e->base_ms + SLACK_MS ? wall : e->base_ms + SLACK_MS;
    return ERR_OK;
}

struct clock_save {
    uint8_t be[8];
};

static err_t save_in_tx(struct db *db, void *ctx)
{
    const struct clock_save *s = ctx;
    return db_run(db, Q_META_PUT, BIND(vtext(STR("expiry_clock")), vblob(s->be, sizeof(s->be))), NULL);
}

static err_t save(struct op *op, struct expiry *e)
{
    struct clock_save s;
    if (e->saved_ms && e->steady_ms - e->saved_ms < SAVE_EVERY_MS)
        return ERR_OK;
    for (int i = 0; i < 8; i++)
        s.be[i] = (uint8_t)((uint64_t)e->base_ms >> (56 - 8 * i));
    TRY(store_tx(op->core->store, save_in_tx, &s));
    e->saved_ms = e->steady_ms;
    return ERR_OK;
}

err_t expiry_now_s(struct op *op, int64_t *ret)
{
    int64_t now_ms;
    TRY(advance(op, op->core->expiry, &now_ms));
    *ret = now_ms / 1000;
    return ERR_OK;
}

/* --- deleting
 * -------------------------------------------------------------------------------------------------------- */

/* keep_s: how long a row stays after its end. A code that comes twice shortly after its end still betrays
 * itself; failed attempts are remembered for a day. */
static const struct expiring {
    const char *table;
    enum query expire, oldest;
    int64_t keep_s;
} tables[] = {
    {"token", Q_EXPIRE_TOKEN, Q_OLDEST_TOKEN, 0},           {"ticket", Q_EXPIRE_TICKET, Q_OLDEST_TICKET, 600},
    {"session", Q_EXPIRE_SESSION, Q_OLDEST_SESSION, 60},    {"grant", Q_EXPIRE_GRANT, Q_OLDEST_GRANT, 60},
    {"limiter", Q_EXPIRE_LIMITER, Q_OLDEST_LIMITER, 86400}, {"seen", Q_EXPIRE_SEEN, Q_OLDEST_SEEN, 0},
    {"session_client", Q_EXPIRE_SESSION_CLIENT, Q_OLDEST_SESSION_CLIENT, 60},
    {"status_list", Q_EXPIRE_STATUS_LIST, Q_OLDEST_STATUS_LIST, 0},
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

struct batch {
    enum query q;
    int64_t before_s, deleted;
};

static err_t delete_in_tx(struct db *db, void *ctx)
{
    struct batch *b = ctx;
    int64_t deleted = 0;
    TRY(db_run(db, b->q, BIND(vint(b->before_s), vint(LIMIT_SWEEP)), &deleted));
    b->deleted = deleted;
    return ERR_OK;
}

static err_t oldest(struct op *op, const struct expiring *t, int64_t now_s, int64_t *ret_late_s)
{
    struct rows r;
    int64_t late = 0;
    TRY(db_rows(op->db, t->oldest, BIND_NONE, &r));
    if (db_next(&r) && !db_null(&r, 0))
        late = now_s - t->keep_s - db_int(&r, 0);
    TRY(db_end(&r));
    *ret_late_s = late > 0 ? late : 0;
    metrics_set(op->core->metrics, METRIC_EXPIRED_OLDEST, t->table, *ret_late_s);
    return ERR_OK;
}

/* One batch of each table that has something left. */
static err_t round_of_batches(struct op *op, int64_t now_s, bool left[static TABLES], bool *ret_any)
{
    *ret_any = false;
    for (size_t i = 0; i < TABLES; i++) {
        struct batch b = {.q = tables[i].expire, .before_s = now_s - tables[i].keep_s};
        if (!left[i])
            continue;
        TRY(store_tx(op->core->store, delete_in_tx, &b));
        left[i] = b.deleted >= LIMIT_SWEEP;
        *ret_any = *ret_any || left[i];
    }
    return ERR_OK;
}

err_t life_expire(struct op *op, int64_t budget_ms, bool *ret_more)
{
    const struct clock *clock = op->core->clock;
    int64_t now_s, late_s, began = clock->steady_ms(clock->ctx);
    bool left[TABLES], any = false;
    TRY(expiry_now_s(op, &now_s));
    for (size_t i = 0; i < TABLES; i++) {
        TRY(oldest(op, &tables[i], now_s, &late_s));
        left[i] = late_s > 0;
        any = any || left[i];
    }
    while (any && clock->steady_ms(clock->ctx) - began < budget_ms)
        TRY(round_of_batches(op, now_s, left, &any));
    *ret_more = any;
    return save(op, op->core->expiry);
}
