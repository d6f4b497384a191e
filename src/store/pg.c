/* PostgreSQL connections: one is used by one thread. */
#include "store/pg.h"
#include <stdio.h>
#include <stdlib.h>

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000

const struct engine engine_pg = {
    .name = "postgresql",
    .open = pg_open,
    .close = pg_close,
    .migrate_plan = pg_migrate_plan,
    .backup = pg_backup,
    .check = pg_check,
    .db_open = pg_db_open,
    .db_close = pg_db_close,
    .read_begin = pg_read_begin,
    .read_end = pg_read_end,
    .run = pg_run,
    .rows = pg_rows,
    .next = pg_next,
    .end = pg_end,
    .col_int = pg_col_int,
    .col_text = pg_col_text,
    .col_null = pg_col_null,
    .tx = pg_tx,
    .sharing = &pg_sharing,
};

/* --- errors (PostgreSQL appendix A) --- */

static err_t map(const char *state, bool *ret_again)
{
    static const struct {
        const char *state; /* or its class */
        err_t e;
        bool again;
    } rows[] = {
        {"23505", ERR_STORE_UNIQUE, false}, /* unique_violation */
        {"40001", ERR_BUSY, true},          /* serialization_failure */
        {"40P01", ERR_BUSY, true},          /* deadlock_detected */
        {"55P03", ERR_BUSY, true},          /* lock_not_available */
        {"57014", ERR_BUSY, false},         /* query_canceled: a time-out */
        {"53100", ERR_STORE_FULL, false},   /* disk_full */
        {"53200", ERR_MEMORY, false},       /* out_of_memory */
        {"XX001", ERR_STORE_CORRUPT, false},
        {"XX002", ERR_STORE_CORRUPT, false},
    };
    *ret_again = false;
    for (size_t i = 0; state && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(state, rows[i].state) == 0) {
            *ret_again = rows[i].again;
            return rows[i].e;
        }
    return ERR_STORE;
}

static void complain(struct pg_db *db, const char *what, const char *text)
{
    struct str line = {text, str_find(str_z(text), '\n')};
    store_complain(db->head.store, LOG_ERROR, "%.60s: %.*s", what, STR_ARG(line));
}

/* Inside a transaction any failure has spoilt it: unlike on SQLite, a unique conflict, too. */
err_t pg_failed(struct pg_db *db, PGresult *r, const char *what)
{
    bool again;
    err_t e = map(r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL, &again);
    db->again = db->again || again;
    if (e != ERR_STORE_UNIQUE && !again)
        complain(db, what, r ? PQresultErrorMessage(r) : db->conn ? PQerrorMessage(db->conn) : "the database does not answer");
    PQclear(r);
    if (db->head.tx && db->head.tx->broken == ERR_OK)
        db->head.tx->broken = e;
    return e;
}

/* --- connecting --- */

static int64_t steady_ms(const struct pg_db *db)
{
    const struct clock *c = db->head.store->cfg.clock;
    return c->steady_ms(c->ctx);
}

/* No statement and no lock waits for ever; a transaction of a server that hangs is soon ended by the database, and its claims with it. */
static err_t set_up(struct pg_db *db)
{
    memset(db->prepared, 0, sizeof(db->prepared));
    db->nqueued = 0;
    return pg_exec(db, "SET client_min_messages = warning; SET statement_timeout = 30000; SET lock_timeout = 2000;"
                       " SET idle_in_transaction_session_timeout = 5000; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
                       " SET tcp_keepalives_count = 3; SET client_encoding = 'UTF8'");
}

static void quiet(void *ctx, const PGresult *r)
{
    (void)ctx;
    (void)r;
}

static PGconn *dial(const struct store *s)
{
    const char *const names[] = {"dbname", "fallback_application_name", "connect_timeout", NULL};
    const char *const values[] = {s->cfg.dsn, "mereau", "3", NULL};
    PGconn *c = PQconnectdbParams(names, values, 1);
    PQsetNoticeReceiver(c, quiet, NULL);
    return c;
}

err_t pg_connect(struct store *s, struct pg_db **ret, struct fault *f)
{
    struct pg_db *db = calloc(1, sizeof(*db));
    if (!db)
        return fault_set(f, ERR_MEMORY, "", "out of memory while opening the store");
    db->head.engine = &engine_pg;
    db->head.store = s;
    db->conn = dial(s);
    if (PQstatus(db->conn) != CONNECTION_OK) {
        struct str why = str_z(PQerrorMessage(db->conn));
        err_t e = fault_set(f, ERR_STORE, "store", "PostgreSQL: %.*s", (int)str_find(why, '\n'), why.p);
        pg_disconnect(db);
        return e;
    }
    if (set_up(db) != ERR_OK) {
        pg_disconnect(db);
        return fault_set(f, ERR_STORE, "store", "PostgreSQL takes no settings on this connection");
    }
    *ret = db;
    return ERR_OK;
}

void pg_disconnect(struct pg_db *db)
{
    PQfinish(db->conn);
    free(db);
}

static err_t own_again(struct pg_db *db)
{
    err_t e = pg_slot_again(db);
    if (e == ERR_OK)
        return e;
    PQfinish(db->conn); /* nothing is written without it: pg_ready tries anew */
    db->conn = NULL;
    if (e == ERR_STORE_LOCKED)
        store_complain(db->head.store, LOG_ERROR, "another server has taken number %d on this database; start this one again", db->head.store->slot);
    return e;
}

err_t pg_ready(struct pg_db *db)
{
    if (!pg_news_alive(db->head.store))
        return ERR_STORE; /* whoever listens to the database finds out when it is back */
    if (PQstatus(db->conn) == CONNECTION_OK)
        return ERR_OK;
    if (db->head.tx || db->snapshot || steady_ms(db) < db->retry_ms)
        return ERR_STORE;
    PQfinish(db->conn);
    db->conn = dial(db->head.store);
    db->wait_ms = db->wait_ms ? db->wait_ms * 2 : RETRY_MIN_MS;
    db->wait_ms = db->wait_ms < RETRY_MAX_MS ? db->wait_ms : RETRY_MAX_MS;
    db->retry_ms = steady_ms(db) + db->wait_ms;
    if (PQstatus(db->conn) != CONNECTION_OK) {
        complain(db, "connecting anew", PQerrorMessage(db->conn));
        return ERR_STORE;
    }
    db->wait_ms = db->retry_ms = 0;
    TRY(set_up(db));
    return db->owner ? own_again(db) : ERR_OK;
}

err_t pg_exec(struct pg_db *db, const char *sql)
{
    PGresult *r = pg_query(db, sql);
    ExecStatusType s = PQresultStatus(r);
    if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK)
        return pg_failed(db, r, sql);
    PQclear(r);
    return ERR_OK;
}

err_t pg_ask(struct pg_db *db, const char *sql, char *ret, size_t n)
{
    PGresult *r = pg_query(db, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        return pg_failed(db, r, sql);
    snprintf(ret, n, "%s", PQntuples(r) > 0 && !PQgetisnull(r, 0, 0) ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    return ERR_OK;
}

err_t pg_db_open(struct store *s, size_t cache_kib, struct db **ret)
{
    struct pg_db *db;
    struct fault f = {.code = ERR_OK};
    (void)cache_kib; /* the server has its own */
    TRY(pg_connect(s, &db, &f));
    *ret = &db->head;
    return ERR_OK;
}

void pg_db_close(struct db *db)
{
    pg_disconnect((struct pg_db *)db);
}

err_t pg_read_begin(struct db *head)
{
    struct pg_db *db = (struct pg_db *)head;
    if (db->snapshot)
        return ERR_INTERNAL;
    TRY(pg_ready(db));
    TRY(pg_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    db->snapshot = true;
    return ERR_OK;
}

void pg_read_end(struct db *head)
{
    struct pg_db *db = (struct pg_db *)head;
    if (!db->snapshot)
        return;
    db->snapshot = false;
    if (PQstatus(db->conn) == CONNECTION_OK)
        (void)!pg_exec(db, "COMMIT");
}
