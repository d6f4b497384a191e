/* Between rows of table object and struct object: for object*.c and tenant*.c alone. */
#pragma once
#include "token/audit.h"
#include "token/cache.h"
#include "token/core.h"
#include "token/tenant.h"

static inline int64_t object_tenant_id(const struct op *op, const struct object_kind *k)
{
    return k->system ? 0 : op->tenant->object.id;
}

/* Fills *ret, whose bytes go into the arena, from the current row (columns OBJECT_COLUMNS). ret->arena and refs are the
 * caller's business. ERR_STORE_CORRUPT for a spec that its kind can't read. */
err_t object_from_row(struct op *op, const struct object_kind *k, const struct rows *r, struct arena *a, struct object *ret);
/* The object as the store has it, in the op's arena, by the kind's own storage or the table. ERR_NOT_FOUND. */
err_t object_fetch(struct op *op, const struct object_kind *k, struct str name, struct object **ret);

/* Inside transactions. ERR_STORE_UNIQUE for a name that exists. */
err_t object_row_insert(struct db *db, const struct object *o, struct str spec);
/* ERR_PRECONDITION when the row has another version than this. */
err_t object_row_update(struct db *db, const struct object *o, struct str spec, int64_t if_version);

/* Refuses what only the file may do. doing: "changed", "removed". */
err_t object_permit_file(struct op *op, const struct object *o, const char *doing);
/* k->write, or the operator for what stands beside tenants. */
err_t object_permit_write(struct op *op, const struct object_kind *k);
/* Writes a changed object (version already counted up): the kind's own storage or the table; then the cache. */
err_t object_write(struct op *op, struct object *o, bool is_new, int64_t if_version, const struct object_with *with);
/* The table's way of it; more: further rows of the same transaction, or NULL. */
err_t object_write_row(struct op *op, const struct object *o, bool is_new, int64_t if_version, store_tx_fn more, void *more_ctx);
err_t object_log_cut_off(struct db *db, const struct object *o); /* inside a transaction */
void object_fill_public_id(struct op *op, struct object *o);
