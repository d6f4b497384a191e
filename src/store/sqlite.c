/* SQLite connections: one is used by one thread. */
#include "store/sqlite.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BUSY_STEP_US 200

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
    .tx = sqlite_tx,
};

/* A quota or a file size limit comes as an I/O error; at COMMIT SQLite does not keep its number, but errno is
 * still there. */
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
    snprintf(sql, sizeof(sql),
             "PRAGMA cache_size=-%zu; PRAGMA mmap_size=0; PRAGMA temp_store=2; PRAGMA query_only=1;",
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
