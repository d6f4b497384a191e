/* Brute-force limits (USERS R19): per account, per address and subnet, global; a browser that has signed in before has a
 * counter of its own, so that nobody can lock it out by failing elsewhere. Durable counters, written on failures only. */
#pragma once
#include "token/op.h"
struct limiter_try {
    int64_t account_id; /* 0: unknown person (the name is hashed instead) */
    struct str name, device;
    bool device_known;
};
err_t limiter_check(struct op *op, const struct limiter_try *t);  /* ERR_LIMITED and how long in op->fault; *before* any slow hash */
err_t limiter_failed(struct op *op, const struct limiter_try *t);
err_t limiter_succeeded(struct op *op, const struct limiter_try *t);
