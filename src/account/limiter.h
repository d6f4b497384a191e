/* Brute-force limits (USERS R19): per account, per address and subnet, global; a browser that has signed in
 * before has a counter of its own, so that nobody can lock it out by failing elsewhere. Durable counters. */
#pragma once
#include "token/audit.h"
#include "token/op.h"

struct limiter_try {
    int64_t account_id; /* 0: unknown person (the name is hashed instead) */
    struct str name, device;
    bool device_known;
};
/* *Before* any slow hash: ERR_LIMITED, and how long in op->fault (retry_s too). ERR_OK takes the attempt: it
 * counts as a failure until limiter_succeeded gives it back, so that attempts at the same moment cannot pass
 * a limit together. */
err_t limiter_check(struct op *op, const struct limiter_try *t);
err_t limiter_failed(struct op *op, const struct limiter_try *t); /* says so in the audit trail */
err_t limiter_succeeded(struct op *op, const struct limiter_try *t);

/* The same for a caller's own transaction. */
#define LIMITER_COUNTERS 4
#define LIMITER_NAME_MAX 80
struct limiter_tx {
    struct store *store;
    int64_t tenant_id, now_s;
    struct {
        char p[LIMITER_NAME_MAX];
    } name[LIMITER_COUNTERS];
    size_t n; /* a known browser has one counter, others have all */
    struct audit audit;
    int64_t wait_s; /* verdict: 0, go on */
};
void limiter_make(struct op *op, const struct limiter_try *t, enum audit_event e, struct limiter_tx *ret);
err_t limiter_succeeded_tx(struct db *db, struct limiter_tx *t);
