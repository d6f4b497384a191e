/* Retention: rows past their time are emptied, of all tenants; their digests stay, so that the chain still
 * verifies. The first transaction that empties something says up to where, in a row of the trail itself: who
 * empties rows by hand can't. */
#include "token/audit_state.h"

struct retain {
    struct store *store;
    int64_t after_id, upto_id, emptied;
    int writer;
    bool announce;
    struct audit audit;
};

static err_t retain_in_tx(struct db *db, void *ctx)
{
    struct retain *t = ctx;
    int64_t emptied = 0;
    TRY(db_run(db, Q_AUDIT_RETAIN, BIND(vint(t->after_id), vint(t->upto_id), vint(t->writer)), &emptied));
    if (t->announce && emptied > 0)
        TRY(audit_write(db, t->store, &t->audit));
    t->emptied = emptied;
    return ERR_OK;
}

static err_t next_page(struct op *op, int64_t before_id, struct retain *t)
{
    struct rows r;
    TRY(db_rows(op->db, Q_AUDIT_RETAIN_PAGE, BIND(vint(t->after_id), vint(before_id), vint(t->writer), vint(LIMIT_SWEEP)),
                &r));
    t->upto_id = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

static err_t retain_of_writer(struct op *op, int64_t before_id, struct retain *t, int64_t *rows)
{
    for (;;) {
        TRY(next_page(op, before_id, t));
        if (t->upto_id == 0)
            return ERR_OK;
        TRY(store_tx(t->store, retain_in_tx, t));
        t->announce = t->announce && t->emptied == 0;
        *rows += t->emptied;
        t->after_id = t->upto_id;
    }
}

err_t audit_retain(struct op *op, int64_t before_s, int64_t *ret_rows)
{
    int64_t before_id = store_id_at(before_s * 1000), rows = 0;
    struct retain t = {.store = op->core->store, .announce = true};
    struct audit_writer writers[LIMIT_SERVERS];
    size_t n;
    /* As text: JSON numbers this large do not survive every reader. */
    audit_make(op, AUDIT_RETENTION, STR("audit"),
               arena_fmt(op->arena, "{\"before_id\":\"%lld\"}", (long long)before_id), &t.audit);
    TRY(audit_writers(op->db, writers, &n));
    for (size_t i = 0; i < n; i++) {
        t.writer = writers[i].number;
        t.after_id = 0;
        TRY(retain_of_writer(op, before_id, &t, &rows));
    }
    *ret_rows = rows;
    return ERR_OK;
}
