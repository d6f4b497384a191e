/* The SQLite engine's own structures. Private to src/store/sqlite*.c. */
#pragma once
#include "store/writer.h"
#include <sqlite3.h>

#define SQLITE_FILE "mereau.db"

/* One prepared text; made at its first use, kept as long as the connection. */
struct statement {
    sqlite3_stmt *s;
    bool busy;
    uint8_t nparam;
    uint8_t place[LIMIT_QUERY_PARAMS]; /* SQLite numbers $2, $1 by first appearance: where $i stands */
};

struct sqlite_db {
    struct db head;
    sqlite3 *conn;
    int64_t snapshot_ms; /* db_read_begin's moment; 0: none */
    int busy_ms;         /* how long to wait for a lock */
    int reading;         /* cached statements between db_rows and db_end */
    struct statement statement[QUERY_COUNT];
};

struct checkpointer;
struct sqlite_store {
    char *path;
    struct sqlite_db *wdb; /* the writer's connection */
    struct tx tx;
    struct writer *writer;
    sqlite3_stmt *step[STEP_COUNT];
    struct checkpointer *checkpointer;
};

/* sqlite.c, sqlite_statement.c */
err_t sqlite_map(struct sqlite_db *db,
                 int rc); /* what a result code means to callers; before errno changes */
err_t sqlite_connect(struct store *s, const char *path, int flags, struct sqlite_db **ret);
void sqlite_disconnect(struct sqlite_db *db);
err_t sqlite_exec(struct sqlite_db *db, const char *sql); /* complains on failure */
int sqlite_pragma_int(struct sqlite_db *db, const char *sql, int64_t *ret);
void sqlite_reset_all(struct sqlite_db *db); /* statements somebody forgot to end */
err_t sqlite_db_open(struct store *s, size_t cache_kib, struct db **ret);
void sqlite_db_close(struct db *db);
err_t sqlite_read_begin(struct db *db);
void sqlite_read_end(struct db *db);
err_t sqlite_run(struct db *db, enum query q, const struct val *v, size_t n, int64_t *ret_changed);
err_t sqlite_rows(struct db *db, enum query q, const struct val *v, size_t n, struct rows *ret);
bool sqlite_next(struct rows *r);
err_t sqlite_end(struct rows *r);
int64_t sqlite_col_int(const struct rows *r, int col);
struct str sqlite_col_text(const struct rows *r, int col);
bool sqlite_col_null(const struct rows *r, int col);

/* sqlite_open.c */
err_t sqlite_open(struct store *s, struct fault *f);
void sqlite_close(struct store *s);
err_t sqlite_migrate_plan(const char *data_dir, struct arena *a, struct str *ret_text, struct fault *f);

/* sqlite_backup.c */
err_t sqlite_backup(struct store *s, const char *path, struct fault *f);
err_t sqlite_check(struct db *db, struct fault *f);

/* sqlite_writer.c: what writer.c needs of this engine */
err_t sqlite_writer_start(struct store *s);
void sqlite_writer_stop(struct store *s);
err_t sqlite_tx(struct store *s, store_tx_fn fn, void *ctx);

/* sqlite_checkpoint.c */
err_t checkpointer_new(struct store *s);   /* before the writer starts */
err_t checkpointer_start(struct store *s); /* after it */
void checkpointer_stop(struct store *s);   /* before it stops */
void checkpointer_free(struct store *s);   /* after it */
void checkpointer_rest(struct store *s);   /* on the writer's thread */
