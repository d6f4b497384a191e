/* SQLite connections and statements. One connection is used by one thread; each text is prepared once a connection. */
#include "store/sqlite.h"
#include "store/fault.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BUSY_STEP_US 200
#define ROWS_A_LOOK  256 /* so often the clock is asked while reading */

const struct engine engine_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .migrate_plan = sqlite_migrate_plan,
    .backup = sqlite_backup,
    .check = sqlite_check,
    .db_open = sqlite_db_open,
    .db_close = sqlite_db_close,
    .read_begin = sqlite_read_begin,
    .read_end = sqlite_read_end,
    .run = sqlite_run,
    .rows = sqlite_rows,
    .next = sqlite_next,
    .end = sqlite_end,
    .col_int = sqlite_col_int,
    .col_text = sqlite_col_text,
    .col_null = sqlite_col_null,
    .tx = writer_tx,
};

/* A quota or a file size limit comes as an I/O error; at COMMIT SQLite does not keep its number, but errno is still there. */
static bool disk_full(sqlite3 *conn)
{
    int no = sqlite3_system_errno(conn) ? sqlite3_system_errno(conn) : errno;
    return no == ENOSPC || no == EDQUOT || no == EFBIG;
}

err_t sqlite_map(struct sqlite_db *db, int rc)
{
    switch (rc) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return ERR_STORE_UNIQUE;
    }
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return ERR_OK;
    case SQLITE_FULL:
        return ERR_STORE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_STORE_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return ERR_BUSY;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_IOERR:
        return disk_full(db->conn) ? ERR_STORE_FULL : ERR_IO;
    case SQLITE_CANTOPEN:
        return ERR_IO;
    }
    return ERR_STORE;
}

/* A failed statement: said in the log, and remembered by the transaction it belongs to, so that a function that overlooks
 * it cannot commit half of its work. A unique conflict is an ordinary answer. */
static err_t statement_failed(struct sqlite_db *db, int rc, enum query q)
{
    err_t e = sqlite_map(db, rc);
    if (e == ERR_STORE_UNIQUE)
        return e;
    store_complain(db->head.store, LOG_ERROR, "%s: %s (%d)", query_name(q), sqlite3_errmsg(db->conn), rc);
    if (db->head.tx && db->head.tx->broken == ERR_OK)
        db->head.tx->broken = e;
    return e;
}

static int on_busy(void *ctx, int count)
{
    const struct sqlite_db *db = ctx;
    if ((int64_t)count * BUSY_STEP_US >= (int64_t)db->busy_ms * 1000)
        return 0;
    nanosleep(&(struct timespec){0, BUSY_STEP_US * 1000}, NULL);
    return 1;
}

err_t sqlite_connect(struct store *s, const char *path, int flags, struct sqlite_db **ret)
{
    struct sqlite_db *db = calloc(1, sizeof(*db));
    if (!db)
        return ERR_MEMORY;
    db->head.engine = &engine_sqlite;
    db->head.store = s;
    db->busy_ms = 5000;
    int rc = sqlite3_open_v2(path, &db->conn, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc != SQLITE_OK) {
        err_t e = sqlite_map(db, rc);
        sqlite_disconnect(db);
        return e;
    }
    sqlite3_busy_handler(db->conn, on_busy, db);
    sqlite3_db_config(db->conn, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->conn, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->conn, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->conn, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    *ret = db;
    return ERR_OK;
}

void sqlite_disconnect(struct sqlite_db *db)
{
    for (int q = 0; q < QUERY_COUNT; q++)
        sqlite3_finalize(db->statement[q].s);
    sqlite3_close_v2(db->conn);
    free(db);
}

err_t sqlite_exec(struct sqlite_db *db, const char *sql)
{
    int rc = sqlite3_exec(db->conn, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        store_complain(db->head.store, LOG_ERROR, "%.40s: %s (%d)", sql, sqlite3_errmsg(db->conn), rc);
    return sqlite_map(db, rc);
}

int sqlite_pragma_int(struct sqlite_db *db, const char *sql, int64_t *ret)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db->conn, sql, -1, &st, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
        *ret = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

void sqlite_reset_all(struct sqlite_db *db)
{
    for (int q = 0; q < QUERY_COUNT && db->reading > 0; q++)
        if (db->statement[q].busy) {
            store_complain(db->head.store, LOG_ERROR, "%s: db_end was forgotten", query_name((enum query)q));
            sqlite3_reset(db->statement[q].s);
            db->statement[q].busy = false;
            db->reading--;
        }
}

err_t sqlite_db_open(struct store *s, size_t cache_kib, struct db **ret)
{
    const struct sqlite_store *own = s->impl;
    struct sqlite_db *db;
    TRY(sqlite_connect(s, own->path, SQLITE_OPEN_READWRITE, &db));
    char sql[160];
    snprintf(sql, sizeof(sql), "PRAGMA cache_size=-%zu; PRAGMA mmap_size=0; PRAGMA temp_store=2; PRAGMA query_only=1;",
             cache_kib ? cache_kib : 64);
    err_t e = sqlite_exec(db, sql);
    if (e != ERR_OK) {
        sqlite_disconnect(db);
        return e;
    }
    *ret = &db->head;
    return ERR_OK;
}

void sqlite_db_close(struct db *db)
{
    sqlite_disconnect((struct sqlite_db *)db);
}

static int64_t steady_ms(const struct sqlite_db *db)
{
    const struct clock *c = db->head.store->cfg.clock;
    return c->steady_ms(c->ctx);
}

err_t sqlite_read_begin(struct db *head)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    if (db->snapshot_ms)
        return ERR_INTERNAL;
    TRY(sqlite_exec(db, "BEGIN"));
    db->snapshot_ms = steady_ms(db) | 1;
    return ERR_OK;
}

void sqlite_read_end(struct db *head)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    if (!db->snapshot_ms)
        return;
    db->snapshot_ms = 0;
    sqlite_reset_all(db);
    (void)!sqlite_exec(db, "COMMIT");
}

static err_t prepare(struct sqlite_db *db, enum query q, struct statement *ret)
{
    int rc = sqlite3_prepare_v3(db->conn, query_sql(q), -1, SQLITE_PREPARE_PERSISTENT, &ret->s, NULL);
    if (rc != SQLITE_OK)
        return statement_failed(db, rc, q);
    ret->nparam = (uint8_t)sqlite3_bind_parameter_count(ret->s);
    for (int i = 0; i < ret->nparam && i < LIMIT_QUERY_PARAMS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "$%d", i + 1);
        ret->place[i] = (uint8_t)sqlite3_bind_parameter_index(ret->s, name);
    }
    return ERR_OK;
}

/* The cached statement, or while that is being read further up, one of its own that db_end frees. */
static err_t statement_get(struct sqlite_db *db, enum query q, struct statement *spare, struct statement **ret)
{
    struct statement *st = &db->statement[q];
    if (st->busy) {
        *spare = (struct statement){.s = NULL};
        st = spare;
    }
    if (!st->s)
        TRY(prepare(db, q, st));
    *ret = st;
    return ERR_OK;
}

static int bind_one(sqlite3_stmt *s, int place, const struct val *v)
{
    const char *p = v->s.p ? v->s.p : "";
    switch (v->type) {
    case VAL_INT:
        return sqlite3_bind_int64(s, place, v->i);
    case VAL_TEXT:
        return sqlite3_bind_text64(s, place, p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case VAL_BLOB:
        return sqlite3_bind_blob64(s, place, p, v->s.n, SQLITE_STATIC);
    case VAL_NULL:
        break;
    }
    return sqlite3_bind_null(s, place);
}

static err_t bind_all(struct sqlite_db *db, enum query q, const struct statement *st, const struct val *v, size_t n)
{
    if (n != st->nparam || n > LIMIT_QUERY_PARAMS) {
        store_complain(db->head.store, LOG_ERROR, "%s takes %d values, not %zu", query_name(q), st->nparam, n);
        return ERR_INTERNAL;
    }
    for (size_t i = 0; i < n; i++) {
        int rc = bind_one(st->s, st->place[i], &v[i]);
        if (rc != SQLITE_OK)
            return statement_failed(db, rc, q);
    }
    return ERR_OK;
}

/* Ready to step. *ret == spare: it is the caller's to finalize. */
static err_t statement_start(struct sqlite_db *db, enum query q, const struct val *v, size_t n, struct statement *spare, struct statement **ret)
{
    if (fault_now(db->head.store))
        return ERR_STORE;
    if (db->snapshot_ms && steady_ms(db) - db->snapshot_ms > LIMIT_READ_MS)
        return ERR_BUSY;
    TRY(statement_get(db, q, spare, ret));
    err_t e = bind_all(db, q, *ret, v, n);
    if (e != ERR_OK && *ret == spare)
        sqlite3_finalize(spare->s);
    return e;
}

err_t sqlite_run(struct db *head, enum query q, const struct val *v, size_t n, int64_t *ret_changed)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    struct statement spare, *st;
    TRY(statement_start(db, q, v, n, &spare, &st));
    int rc = sqlite3_step(st->s);
    err_t e = ERR_OK;
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        e = statement_failed(db, rc, q);
    else if (ret_changed)
        *ret_changed = sqlite3_changes64(db->conn);
    if (st == &spare)
        sqlite3_finalize(st->s);
    else
        sqlite3_reset(st->s);
    return e;
}

err_t sqlite_rows(struct db *head, enum query q, const struct val *v, size_t n, struct rows *ret)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    struct statement spare, *st;
    *ret = (struct rows){.db = head};
    ret->err = statement_start(db, q, v, n, &spare, &st);
    if (ret->err != ERR_OK)
        return ret->err;
    ret->stmt = st->s;
    ret->at = (int)q;
    if (st == &spare) {
        ret->at = -1 - (int)q;
        return ERR_OK;
    }
    st->busy = true;
    db->reading++;
    return ERR_OK;
}

static bool reading_too_long(struct rows *r)
{
    if (++r->seen % ROWS_A_LOOK != 0 || r->db->tx)
        return false;
    int64_t now = steady_ms((struct sqlite_db *)r->db);
    if (!r->since_ms)
        r->since_ms = now;
    return now - r->since_ms > LIMIT_READ_MS;
}

bool sqlite_next(struct rows *r)
{
    if (r->err != ERR_OK)
        return false;
    if (reading_too_long(r)) {
        r->err = ERR_BUSY;
        return false;
    }
    int rc = sqlite3_step(r->stmt);
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        r->err = statement_failed((struct sqlite_db *)r->db, rc, (enum query)(r->at >= 0 ? r->at : -1 - r->at));
    return false;
}

err_t sqlite_end(struct rows *r)
{
    struct sqlite_db *db = (struct sqlite_db *)r->db;
    if (r->at >= 0) {
        sqlite3_reset(r->stmt);
        db->statement[r->at].busy = false;
        db->reading--;
    } else {
        sqlite3_finalize(r->stmt);
    }
    r->stmt = NULL;
    return r->err;
}

int64_t sqlite_col_int(const struct rows *r, int col)
{
    return sqlite3_column_int64(r->stmt, col);
}

struct str sqlite_col_text(const struct rows *r, int col)
{
    if (sqlite3_column_type(r->stmt, col) == SQLITE_NULL)
        return STR_NONE;
    const char *p = sqlite3_column_blob(r->stmt, col);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(r->stmt, col)};
}

bool sqlite_col_null(const struct rows *r, int col)
{
    return sqlite3_column_type(r->stmt, col) == SQLITE_NULL;
}
