/* A transaction's statements in a pipeline: those whose answer nobody asks for are sent along with the next one whose answer somebody does, so that
 * a job costs one exchange with the server instead of one a statement. */
#include "store/pg.h"

static err_t open_pipe(struct pg_db *db)
{
    if (!db->conn)
        return ERR_STORE;
    if (PQpipelineStatus(db->conn) == PQ_PIPELINE_OFF && !PQenterPipelineMode(db->conn))
        return pg_failed(db, NULL, "a pipeline");
    return db->nqueued + 2 > LIMIT_PIPELINE ? pg_drain(db, NULL) : ERR_OK;
}

static err_t note(struct pg_db *db, int sent, struct pg_queued what)
{
    if (!sent)
        return pg_failed(db, NULL, what.what);
    db->queued[db->nqueued++] = what;
    return ERR_OK;
}

err_t pg_pipe(struct pg_db *db, enum query q, const struct pg_bound *b)
{
    char name[16];
    struct pg_queued what = {.q = q, .what = query_name(q), .prepares = true};
    pg_statement_name(q, name);
    TRY(open_pipe(db));
    if (!db->prepared[q]) {
        TRY(note(db, PQsendPrepare(db->conn, name, query_sql(q), 0, NULL), what));
        db->prepared[q] = true;
    }
    what.prepares = false;
    db->unsure = true;
    return note(db, PQsendQueryPrepared(db->conn, name, b->n, b->value, b->length, b->format, 1), what);
}

err_t pg_pipe_text(struct pg_db *db, const char *sql, int n, const char *const *values)
{
    TRY(open_pipe(db));
    return note(db, PQsendQueryParams(db->conn, sql, n, NULL, values, NULL, NULL, 1), (struct pg_queued){.q = QUERY_COUNT, .what = sql});
}

/* The result of one that was sent; NULL when the connection is gone. */
static PGresult *take(struct pg_db *db)
{
    PGresult *r = pg_wait(db) ? PQgetResult(db->conn) : NULL;
    if (r && pg_wait(db))
        PQclear(PQgetResult(db->conn)); /* the end of its results */
    return r;
}

/* What came after a failure was not done: statements that it should have prepared are not there. */
static err_t judge(struct pg_db *db, const struct pg_queued *what, PGresult *r, err_t before)
{
    ExecStatusType s = PQresultStatus(r);
    if (r && (s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK))
        return before;
    if (what->prepares)
        db->prepared[what->q] = false;
    if (before != ERR_OK || s == PGRES_PIPELINE_ABORTED) {
        PQclear(r);
        return before;
    }
    return pg_failed(db, r, what->what);
}

err_t pg_drain(struct pg_db *db, PGresult **ret)
{
    err_t e = ERR_OK;
    PGresult *r = NULL;
    size_t n = db->nqueued;
    db->nqueued = 0;
    db->unsure = false;
    if (n == 0)
        return ERR_OK;
    if (!PQpipelineSync(db->conn))
        return pg_failed(db, NULL, "a pipeline");
    for (size_t i = 0; i < n; i++) {
        err_t before = e;
        r = db->conn ? take(db) : NULL;
        e = judge(db, &db->queued[i], r, e);
        if (e == ERR_OK && (i + 1 < n || !ret))
            PQclear(r);
        if (e != ERR_OK && before == ERR_OK)
            r = NULL;
    }
    if (db->conn && pg_wait(db))
        PQclear(PQgetResult(db->conn)); /* the sync's own */
    if (e == ERR_OK && ret)
        *ret = r;
    return e;
}

err_t pg_pipe_end(struct pg_db *db)
{
    err_t e = pg_drain(db, NULL);
    if (db->conn && PQpipelineStatus(db->conn) != PQ_PIPELINE_OFF && !PQexitPipelineMode(db->conn))
        return pg_failed(db, NULL, "the end of a pipeline");
    return e;
}
