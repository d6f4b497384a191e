/* Between rows of table account, struct account and struct object. For src/account alone. */
#pragma once
#include "account/account.h"
#include "base/limits.h"

static inline int64_t account_tenant(const struct op *op)
{
    return op->tenant->object.id;
}
/* Names are kept in lower case, so that no two differ by case alone. */
struct str account_fold(struct arena *a, struct str name);
/* Fills *ret in the op's arena from the current row (ACCOUNT_COLUMNS); *ret_object as well unless NULL. */
err_t account_from_row(struct op *op, const struct rows *r, struct account *ret, struct object *ret_object);
extern const struct object_store account_store; /* account_store.c: of both kinds */
const struct object_kind *account_kind_of(enum account_type t);

/* The new password of an account, set inside a transaction: what it must have been (STR_NONE: whatever), what
 * it becomes. */
struct password_set {
    int64_t tenant_id, account_id, now_s;
    struct str was, becomes;
};
err_t password_set_tx(struct db *db, const struct password_set *p, bool *ret_done);
err_t password_check_for(struct op *op, struct str password, struct str username, const char *param);
/* Runs as long as a wrong password of an account does, when there is none to compare with (case A38). */
void password_waste_time(struct op *op, struct str password);
/* Nobody opens a way into an account that may do more than he: the write permission of its kind, and all that
 * it holds. */
err_t account_permit_for(struct op *op, const struct account *a);
