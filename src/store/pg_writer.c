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

/* A transaction that has failed is rolled back by COMMIT, which then says so. */
static err_t commit(struct pg_db *db)
{
    PGresult *r = NULL;
    TRY(pg_pipe_text(db, step_sql[STEP_COMMIT], 0, NULL));
    TRY(pg_drain(db, &r));
    bool done = strcmp(PQcmdStatus(r), "COMMIT") == 0;
    PQclear(r);
    if (!done)
        store_complain(db->head.store, LOG_ERROR, "COMMIT: the transaction had failed");
    TRY(pg_pipe_end(db));
    return done ? ERR_OK : ERR_STORE;
}

static err_t roll_back(struct pg_db *db)
{
    (void)!pg_pipe_end(db);
    return pg_exec(db, step_sql[STEP_ROLLBACK]);
}

static err_t step(struct db *head, enum writer_step step)
{
    struct pg_db *db = (struct pg_db *)head;
    if (step == STEP_BEGIN)
        return begin(head);
    if (step == STEP_COMMIT)
        return commit(db);
    return step == STEP_ROLLBACK ? roll_back(db) : pg_pipe_text(db, step_sql[step], 0, NULL);
}

static bool lost(const struct db *head)
{
    const struct pg_db *db = (const struct pg_db *)head;
    PGTransactionStatusType t = PQtransactionStatus(db->conn);
    return (t == PQTRANS_IDLE && db->nqueued == 0) || t == PQTRANS_UNKNOWN;
}

/* Did all that the job sent go well? Savepoints alone need not be waited for. */
static void settle(struct db *head)
{
    struct pg_db *db = (struct pg_db *)head;
    if (db->unsure)
        (void)!pg_drain(db, NULL); /* in tx->broken */
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
