/* The writer's steps on PostgreSQL. */
#include "store/pg.h"

static const char *const step_sql[STEP_COUNT] = {
    "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT job", "RELEASE SAVEPOINT job", "ROLLBACK TO SAVEPOINT job",
};

/* Nothing is open: a lost connection may be tried anew, one that is found lost only now as well. */
static err_t begin(struct db *head)
{
    struct pg_db *db = (struct pg_db *)head;
    struct tx *tx = head->tx;
    head->tx = NULL;
    bool was_up = PQstatus(db->conn) == CONNECTION_OK;
    err_t e = pg_ready(db);
    if (e == ERR_OK)
        e = pg_exec(db, step_sql[STEP_BEGIN]);
    if (e != ERR_OK && was_up && PQstatus(db->conn) != CONNECTION_OK) {
        e = pg_ready(db);
        if (e == ERR_OK)
            e = pg_exec(db, step_sql[STEP_BEGIN]);
    }
    head->tx = tx;
    return e;
}

static err_t step(struct db *head, enum writer_step step)
{
    struct pg_db *db = (struct pg_db *)head;
    if (step == STEP_BEGIN)
        return begin(head);
    PGresult *r = pg_query(db, step_sql[step]);
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
    /* A transaction that has failed is rolled back by COMMIT, which then says so. */
    if (ok && step == STEP_COMMIT && strcmp(PQcmdStatus(r), "COMMIT") != 0) {
        PQclear(r);
        store_complain(head->store, LOG_ERROR, "COMMIT: the transaction had failed");
        return ERR_STORE;
    }
    if (!ok)
        return pg_failed(db, r, step_sql[step]);
    PQclear(r);
    return ERR_OK;
}

static bool lost(const struct db *head)
{
    const struct pg_db *db = (const struct pg_db *)head;
    PGTransactionStatusType t = PQtransactionStatus(db->conn);
    return t == PQTRANS_IDLE || t == PQTRANS_UNKNOWN;
}

static void settle(struct db *head)
{
    (void)head; /* results are whole: nothing stays open */
}

static bool again(struct db *head)
{
    struct pg_db *db = (struct pg_db *)head;
    bool was = db->again;
    db->again = false;
    return was;
}

static err_t tell(struct db *head, struct str lines, int64_t *ret_seq)
{
    return pg_news_send((struct pg_db *)head, lines, ret_seq);
}

static const struct writer_engine engine = {
    .step = step, .lost = lost, .settle = settle, .again = again, .tell = tell, .heard = pg_news_settle};

err_t pg_writer_start(struct store *s)
{
    struct pg_store *own = s->impl;
    return writer_start(s, &engine, &own->wdb->head, &own->tx, &own->writer);
}

err_t pg_tx(struct store *s, store_tx_fn fn, void *ctx)
{
    return writer_tx(((struct pg_store *)s->impl)->writer, fn, ctx);
}
