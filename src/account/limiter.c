/* Counting failed attempts. Each counter is a row; a table says how each kind of counter limits. */
#include "account/account_row.h"
#include "account/limiter.h"
#include "base/enc.h"
#include "token/core.h"
#include "token/peer.h"
#include <stdio.h>

#define FORGET_S    86400 /* a person's failures, after the last one */
#define DELAY_MAX_S 900

/* Which counters an attempt has, in order. The first is the person's (or the known browser's): after `free`
 * failures each attempt waits twice as long as the one before. The others count within a window. */
static const struct counter {
    const char *prefix;
    int64_t free, window_s; /* window 0: delays */
    unsigned bits_v4, bits_v6;
} counters[LIMITER_COUNTERS] = {
    {"", 5, 0, 0, 0},
    {"ip:", 50, 600, 32, 64},
    {"ip:", 200, 600, 24, 48},
    {"all", 2000, 60, 0, 0},
};

struct count {
    int64_t failures, first_s, last_s;
};

/* --- names
 * -----------------------------------------------------------------------------------------------------------
 */

/* Unknown names are counted like accounts, by a keyed hash: no stranger's text in the table, and no
 * difference to see. */
static void hashed_name(struct op *op, const char *prefix, struct str text, char ret[static LIMITER_NAME_MAX])
{
    uint8_t mac[SHA256_SIZE];
    struct buf b;
    hmac_sha256(op->core->crypto,
                (struct str){(const char *)op->tenant->secret_key, sizeof(op->tenant->secret_key)}, text,
                mac);
    buf_init(&b, op->arena, LIMITER_NAME_MAX);
    enc_b64url(&b, mac, 18);
    snprintf(ret, LIMITER_NAME_MAX, "%s:%.*s", prefix, STR_ARG(buf_view(&b)));
}

static void person_name(struct op *op, const struct limiter_try *t, char ret[static LIMITER_NAME_MAX])
{
    if (t->device_known)
        hashed_name(op, "device", t->device, ret);
    else if (t->account_id)
        snprintf(ret, LIMITER_NAME_MAX, "account:%lld", (long long)t->account_id);
    else
        hashed_name(op, "name", account_fold(op->arena, t->name), ret);
}

static void network_name(struct op *op, const struct counter *c, char ret[static LIMITER_NAME_MAX])
{
    char network[PEER_NETWORK_SIZE];
    if (c->bits_v4)
        peer_network(op->peer, c->bits_v4, c->bits_v6, network);
    else
        network[0] = '\0';
    snprintf(ret, LIMITER_NAME_MAX, "%s%s", c->prefix, network);
}

void limiter_make(struct op *op, const struct limiter_try *t, enum audit_event e, struct limiter_tx *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->store = op->core->store;
    ret->tenant_id = account_tenant(op);
    ret->now_s = op->now_s;
    person_name(op, t, ret->name[0].p);
    ret->n = t->device_known ? 1 : LIMITER_COUNTERS;
    for (size_t i = 1; i < ret->n; i++)
        network_name(op, &counters[i], ret->name[i].p);
    struct str object = t->account_id ? arena_fmt(op->arena, "user:%.*s", STR_ARG(t->name)) : STR_NONE;
    audit_make(op, e, object,
               t->device_known ? STR("{\"browser\":\"known\"}") : STR("{\"browser\":\"unknown\"}"),
               &ret->audit);
}

/* --- counting
 * -------------------------------------------------------------------------------------------------------- */

/* A tenant's counters are read and written by one server at a time. */
static err_t claim_counters(struct db *db, const struct limiter_tx *t)
{
    return db_claim(db, -t->tenant_id, false);
}

static err_t read_count(struct db *db, const struct limiter_tx *t, size_t i, struct count *ret)
{
    struct rows r;
    struct count c = {.first_s = t->now_s, .last_s = t->now_s};
    TRY(db_rows(db, Q_LIMITER_GET, BIND(vint(t->tenant_id), vtext(str_z(t->name[i].p))), &r));
    if (db_next(&r))
        c = (struct count){db_int(&r, 0), db_int(&r, 1), db_int(&r, 2)};
    TRY(db_end(&r));
    int64_t over_s = counters[i].window_s ? c.first_s + counters[i].window_s : c.last_s + FORGET_S;
    if (over_s <= t->now_s || c.first_s > t->now_s) /* over, or the clock was set back */
        c = (struct count){.first_s = t->now_s, .last_s = t->now_s};
    *ret = c;
    return ERR_OK;
}

static int64_t wait_of(const struct counter *c, const struct count *n, int64_t now_s)
{
    if (n->failures < c->free)
        return 0;
    int64_t doublings = n->failures - c->free;
    int64_t delay = doublings < 10 ? (int64_t)1 << doublings : DELAY_MAX_S;
    if (delay > DELAY_MAX_S)
        delay = DELAY_MAX_S;
    /* Times are whole seconds: one more, so that none is shorter than it says. */
    int64_t until = c->window_s ? n->first_s + c->window_s : n->last_s + delay + 1;
    return until > now_s ? until - now_s : 0;
}

static err_t take(struct db *db, const struct limiter_tx *t, size_t i, const struct count *c)
{
    return db_run(db, Q_LIMITER_PUT,
                  BIND(vint(t->tenant_id), vtext(str_z(t->name[i].p)), vint(c->failures + 1),
                       vint(c->first_s), vint(t->now_s)),
                  NULL);
}

static err_t check_in_tx(struct db *db, void *ctx)
{
    struct limiter_tx *t = ctx;
    struct count count[LIMITER_COUNTERS];
    int64_t wait_s = 0;
    TRY(claim_counters(db, t));
    for (size_t i = 0; i < t->n; i++) {
        TRY(read_count(db, t, i, &count[i]));
        int64_t w = wait_of(&counters[i], &count[i], t->now_s);
        wait_s = w > wait_s ? w : wait_s;
    }
    for (size_t i = 0; i < t->n && wait_s == 0; i++)
        TRY(take(db, t, i, &count[i]));
    if (wait_s == 0 && count[0].failures >= counters[0].free)
        TRY(audit_write(db, t->store, &t->audit)); /* the delay is over: the lock opened by itself */
    t->wait_s = wait_s;
    return ERR_OK;
}

err_t limiter_check(struct op *op, const struct limiter_try *t)
{
    struct limiter_tx tx;
    limiter_make(op, t, AUDIT_SIGNIN_UNLIMITED, &tx);
    TRY(store_tx(tx.store, check_in_tx, &tx));
    if (tx.wait_s == 0)
        return ERR_OK;
    audit_refused(op, "signin.limited", STR_NONE);
    err_t e = op_fail(op, ERR_LIMITED, "", "too many attempts; try again in %lld second%s",
                      (long long)tx.wait_s, tx.wait_s == 1 ? "" : "s");
    op->fault.retry_s = tx.wait_s;
    return e;
}

struct failure {
    struct limiter_tx tx;
    struct audit limited;
};

/* The attempt was counted when it was taken. */
static err_t failed_in_tx(struct db *db, void *ctx)
{
    struct failure *f = ctx;
    bool limits = false;
    TRY(claim_counters(db, &f->tx));
    for (size_t i = 0; i < f->tx.n; i++) {
        struct count c;
        TRY(read_count(db, &f->tx, i, &c));
        limits = limits || c.failures == counters[i].free;
    }
    TRY(audit_write(db, f->tx.store, &f->tx.audit));
    return limits ? audit_write(db, f->tx.store, &f->limited) : ERR_OK;
}

err_t limiter_failed(struct op *op, const struct limiter_try *t)
{
    struct failure f;
    limiter_make(op, t, AUDIT_SIGNIN_FAILED, &f.tx);
    f.limited = f.tx.audit;
    f.limited.event = AUDIT_SIGNIN_LIMITED;
    return store_tx(f.tx.store, failed_in_tx, &f);
}

/* The person's counter begins anew; the address's and the others' get this attempt back. */
err_t limiter_succeeded_tx(struct db *db, struct limiter_tx *t)
{
    TRY(claim_counters(db, t));
    for (size_t i = 0; i < t->n; i++)
        TRY(db_run(db, i == 0 ? Q_LIMITER_RESET : Q_LIMITER_GIVE_BACK,
                   BIND(vint(t->tenant_id), vtext(str_z(t->name[i].p))), NULL));
    return ERR_OK;
}

static err_t succeeded_in_tx(struct db *db, void *ctx)
{
    return limiter_succeeded_tx(db, ctx);
}

err_t limiter_succeeded(struct op *op, const struct limiter_try *t)
{
    struct limiter_tx tx;
    limiter_make(op, t, AUDIT_SIGNIN_UNLIMITED, &tx);
    return store_tx(tx.store, succeeded_in_tx, &tx);
}
