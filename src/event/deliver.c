/* Deliveries. Of each object and target only the oldest waiting row is ever due (the query sees to it), so
 * order holds however many threads deliver. A lease, taken by one conditional update, keeps a row to one of
 * them; a crash lets it lapse. */
#include "event/internal.h"
#include "crypto/crypto.h"
#include <inttypes.h>
#include <stdio.h>

#define LEASE_S     60 /* longer than any sink takes */
#define BACKOFF_S   10 /* the first wait; doubles */
#define BACKOFF_MAX 3600
#define KEEP_S      (7 * 86400) /* rows done with stay so long, to be looked at and replayed */
#define SWEEP_S     60
#define SWEEP_TURNS 20
#define DOWN_S      60 /* what comes new for a target that is down is tried at most so often */
#define PAYLOADS    ((size_t)LIMIT_EVENT_BATCH * (LIMIT_EVENT_PAYLOAD + 16 * 1024))

struct attempt {
    const struct delivery *d;
    int64_t now_s, due_s; /* due_s: when next, if it failed */
    char owner[48];
    bool leased;
    err_t got;
    bool erase, give_up;
    struct str why;
};

static const struct event_sink *sink_of(const struct event *e, struct str name)
{
    for (size_t i = 0; i < e->cfg.nsinks; i++)
        if (str_is(name, e->cfg.sinks[i].name))
            return &e->cfg.sinks[i];
    return NULL;
}

static int64_t backoff_s(int64_t attempts)
{
    int64_t s = BACKOFF_S;
    uint32_t r = 0;
    while (attempts-- > 0 && s < BACKOFF_MAX)
        s *= 2;
    s = s < BACKOFF_MAX ? s : BACKOFF_MAX;
    if (random_bytes(&r, sizeof(r)) != ERR_OK)
        return s;
    return s - s / 4 + r % (s / 2 + 1); /* so that those who failed together do not come back together */
}

/* --- targets that are down
 * ----------------------------------------------------------------------------------------- */
static uint64_t fnv(uint64_t h, const void *p, size_t n)
{
    for (const uint8_t *b = p, *past = b + n; b < past; b++)
        h = (h ^ *b) * 1099511628211u;
    return h;
}

static uint64_t target_hash(const struct delivery *d)
{
    uint64_t h = fnv(14695981039346656037u, &d->tenant_id, sizeof(d->tenant_id));
    return fnv(fnv(fnv(h, d->sink.p, d->sink.n), "", 1), d->target.p, d->target.n);
}

/* Until when nothing new is tried there; 0: it may be. */
static int64_t down_until(struct event *e, const struct delivery *d, int64_t now_s)
{
    uint64_t h = target_hash(d);
    pthread_mutex_lock(&e->lock);
    struct down slot = e->down[h % DOWN_SLOTS];
    pthread_mutex_unlock(&e->lock);
    return slot.target == h && slot.until_s > now_s && slot.until_s <= now_s + DOWN_S ? slot.until_s : 0;
}

static void note_target(struct event *e, const struct delivery *d, int64_t until_s)
{
    uint64_t h = target_hash(d);
    pthread_mutex_lock(&e->lock);
    struct down *slot = &e->down[h % DOWN_SLOTS];
    if (until_s || slot->target == h)
        *slot = (struct down){h, until_s};
    pthread_mutex_unlock(&e->lock);
}

/* --- one delivery
 * -------------------------------------------------------------------------------------------------- */
static err_t lease_tx(struct db *db, void *ctx)
{
    struct attempt *a = ctx;
    int64_t changed = 0;
    TRY(db_run(db, Q_OUTBOX_LEASE,
               BIND(vint(a->d->tenant_id), vint(a->d->id), vint(a->now_s), vint(a->now_s + LEASE_S),
                    vtext(str_z(a->owner))),
               &changed));
    a->leased = changed == 1;
    return ERR_OK;
}

static err_t hold(struct db *db, const struct attempt *a)
{
    const struct delivery *d = a->d;
    return db_run(db, Q_OUTBOX_HOLD,
                  BIND(vint(d->tenant_id), vtext(d->sink), vtext(d->target), vint(a->due_s), vtext(d->object),
                       vint(a->got != ERR_NET)),
                  NULL);
}

static err_t hold_tx(struct db *db, void *ctx)
{
    return hold(db, ctx);
}

static err_t put_off(struct db *db, const struct attempt *a)
{
    const struct delivery *d = a->d;
    TRY(db_run(db, Q_OUTBOX_AGAIN,
               BIND(vint(d->tenant_id), vint(d->id), vint(a->due_s), vtext(a->why), vtext(str_z(a->owner))),
               NULL));
    return hold(db, a);
}

static err_t result_tx(struct db *db, void *ctx)
{
    const struct attempt *a = ctx;
    const struct delivery *d = a->d;
    const struct val tenant = vint(d->tenant_id), id = vint(d->id), now = vint(a->now_s),
                     owner = vtext(str_z(a->owner)), erase = vint(a->erase);
    if (a->got == ERR_OK)
        return db_run(db, Q_OUTBOX_DELIVERED, BIND(tenant, id, now, owner, erase), NULL);
    if (a->give_up)
        return db_run(db, Q_OUTBOX_GIVE_UP, BIND(tenant, id, now, vtext(a->why), owner, erase), NULL);
    return put_off(db, a);
}

static bool hopeless(err_t e)
{
    return e == ERR_NOT_FOUND || e == ERR_JSON || e == ERR_PARAM_BAD;
}

static void tell(const struct event *e, const struct attempt *a)
{
    const struct delivery *d = a->d;
    if (a->got == ERR_OK || (d->attempts > 0 && !a->give_up))
        return;
    log_write(e->cfg.log, LOG_WARN, STR_NONE, a->give_up ? "outbox.given_up" : "outbox.put_off",
              "%.*s to %.*s %.*s: %.*s", STR_ARG(d->event), STR_ARG(d->sink), STR_ARG(d->target),
              STR_ARG(a->why));
}

/* *ret_done: it is delivered or given up, so what waits behind it may go. */
static err_t deliver_one(struct event *e, const struct delivery *d, struct arena *scratch, bool *ret_done)
{
    struct fault f = {.code = ERR_OK};
    struct attempt a = {.d = d, .now_s = clock_wall_s(e->cfg.clock)};
    const struct event_sink *sink = sink_of(e, d->sink);
    a.due_s = down_until(e, d, a.now_s);
    a.got = ERR_NET;
    if (a.due_s)
        return store_tx(e->cfg.store, hold_tx, &a);
    snprintf(a.owner, sizeof(a.owner), "%s:%" PRId64, e->owner, atomic_fetch_add(&e->leases, 1));
    TRY(store_tx(e->cfg.store, lease_tx, &a));
    if (!a.leased)
        return ERR_OK;
    a.got = sink ? sink->deliver(sink->ctx, d, scratch, &f)
                 : fault_set(&f, ERR_NET, "", "there is no way out named %.*s", STR_ARG(d->sink));
    a.erase = sink && sink->erase;
    a.now_s = clock_wall_s(e->cfg.clock);
    a.due_s = a.now_s + backoff_s(d->attempts);
    a.give_up = hopeless(a.got) || d->attempts + 1 >= LIMIT_EVENT_ATTEMPTS;
    a.why = str_z(f.detail[0] ? f.detail : err_text(a.got));
    TRY(store_tx(e->cfg.store, result_tx, &a));
    note_target(e, d, a.got != ERR_NET ? 0 : a.due_s < a.now_s + DOWN_S ? a.due_s : a.now_s + DOWN_S);
    tell(e, &a);
    *ret_done = a.got == ERR_OK || a.give_up;
    return ERR_OK;
}

static err_t read_due(struct event *e, struct db *db, struct arena *a, int max, struct delivery *ret,
                      int *ret_n)
{
    struct rows r;
    TRY(db_rows(db, Q_OUTBOX_DUE, BIND(vint(clock_wall_s(e->cfg.clock)), vint(max)), &r));
    int n = 0;
    bool room = true;
    while (n < max && room && db_next(&r)) {
        struct delivery d = {.id = db_int(&r, 0),
                             .tenant_id = db_int(&r, 1),
                             .created_s = db_int(&r, 2),
                             .attempts = db_int(&r, 3)};
        struct str *const texts[] = {&d.sink, &d.target, &d.event, &d.object, &d.payload};
        for (int i = 0; i < 5 && room; i++) {
            *texts[i] = arena_str(a, db_text(&r, 4 + i));
            room = texts[i]->p != NULL;
        }
        if (room)
            ret[n++] = d;
    }
    TRY(db_end(&r));
    *ret_n = n;
    return n == 0 && !room ? ERR_MEMORY : ERR_OK; /* what did not fit is read the next time */
}

struct purge {
    int64_t before_id, removed;
};

static err_t purge_tx(struct db *db, void *ctx)
{
    struct purge *p = ctx;
    return db_run(db, Q_OUTBOX_PURGE, BIND(vint(p->before_id)), &p->removed);
}

/* Once a minute, by whoever comes first: the gauge, and rows of last week. */
static err_t sweep(struct event *e, struct db *db)
{
    int64_t now = clock_wall_s(e->cfg.clock), last = atomic_load(&e->swept_s);
    if ((now < last + SWEEP_S && now >= last) || !store_leads(e->cfg.store) || !atomic_compare_exchange_strong(&e->swept_s, &last, now))
        return ERR_OK;
    struct purge p = {.before_id = store_id_at((now - KEEP_S) * 1000), .removed = 1};
    for (int i = 0; i < SWEEP_TURNS && p.removed > 0; i++)
        TRY(store_tx(e->cfg.store, purge_tx, &p));
    struct rows r;
    TRY(db_rows(db, Q_OUTBOX_PENDING, BIND_NONE, &r));
    if (db_next(&r))
        metrics_set(e->cfg.metrics, METRIC_OUTBOX_PENDING, NULL, db_int(&r, 0));
    return db_end(&r);
}

err_t event_deliver_some(struct event *e, struct db *db, int max, bool *ret_more)
{
    struct delivery due[LIMIT_EVENT_BATCH];
    struct arena *a = arena_new(PAYLOADS), *scratch = arena_new(1024 * 1024);
    int n = 0, done = 0;
    max = max < LIMIT_EVENT_BATCH ? max : LIMIT_EVENT_BATCH;
    err_t err = a && scratch ? read_due(e, db, a, max, due, &n) : ERR_MEMORY;
    bool backwards = store_slot(e->cfg.store) % 2; /* servers on one store read the same rows: they meet in the middle */
    for (int i = 0; i < n && err == ERR_OK; i++) {
        bool one = false;
        err = deliver_one(e, &due[backwards ? n - 1 - i : i], scratch, &one);
        arena_reset(scratch);
        done += one;
    }
    if (err == ERR_OK)
        err = sweep(e, db);
    arena_free(&a);
    arena_free(&scratch);
    if (err == ERR_OK)
        *ret_more = n == max || done > 0;
    return err;
}
