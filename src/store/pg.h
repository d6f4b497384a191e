/* The PostgreSQL engine's own structures. Private to src/store/pg*.c. */
#pragma once
#include "store/writer.h"
#include <libpq-fe.h>

struct pg_db {
    struct db head;
    PGconn *conn; /* NULL: given up */
    bool prepared[QUERY_COUNT];
    bool again;          /* the last failure was a conflict with another transaction: trying again may do */
    bool snapshot;       /* between read_begin and read_end */
    int64_t retry_ms;    /* not before that (steady) is a lost connection tried anew */
    int64_t wait_ms;
    bool owner;          /* holds the lock of this server's number */
    int backend;         /* the process that serves it there */
    bool patient;        /* a step of the schema may take as long as it takes */
    struct pg_queued {   /* sent in the open pipeline, not answered yet; the writer's alone */
        enum query q;    /* QUERY_COUNT: none of ours */
        const char *what;
        bool prepares;
    } queued[LIMIT_PIPELINE];
    size_t nqueued;
    bool unsure; /* among them are others than savepoints */
};

struct pg_news;
struct pg_store {
    struct pg_db *wdb; /* the writer's connection */
    struct tx tx;
    struct writer *writer;
    struct pg_news *news; /* NULL until it is started */
};

/* pg.c */
err_t pg_connect(struct store *s, struct pg_db **ret, struct fault *f);
void pg_disconnect(struct pg_db *db);
/* Connected, a lost connection tried anew unless a transaction was open on it. ERR_STORE. */
err_t pg_ready(struct pg_db *db);
err_t pg_exec(struct pg_db *db, const char *sql); /* no parameters; complains on failure */
/* One value as text; "" for none. */
err_t pg_ask(struct pg_db *db, const char *sql, char *ret, size_t n);
/* What a failed result means; complains unless it is an ordinary answer. Takes r. */
err_t pg_failed(struct pg_db *db, PGresult *r, const char *what);
err_t pg_db_open(struct store *s, size_t cache_kib, struct db **ret);
void pg_db_close(struct db *db);
err_t pg_read_begin(struct db *db);
void pg_read_end(struct db *db);

/* pg_wait.c: sending and waiting for the answer, no longer than the database is alive. The last result, or the first that failed; NULL when
 * the connection is lost or given up. */
PGresult *pg_query(struct pg_db *db, const char *sql);
PGresult *pg_prepare(struct pg_db *db, const char *name, const char *sql);
struct pg_bound {
    const char *value[LIMIT_QUERY_PARAMS];
    int length[LIMIT_QUERY_PARAMS], format[LIMIT_QUERY_PARAMS], n;
    char number[LIMIT_QUERY_PARAMS][24];
};
PGresult *pg_query_prepared(struct pg_db *db, const char *name, const struct pg_bound *b);

bool pg_wait(struct pg_db *db); /* until PQgetResult will not block; false: lost or given up */

/* pg_pipe.c: what a transaction sends without waiting for each answer. A failure is in tx->broken once it is drained. */
err_t pg_pipe(struct pg_db *db, enum query q, const struct pg_bound *b);
err_t pg_pipe_text(struct pg_db *db, const char *sql, int n, const char *const *values);
err_t pg_drain(struct pg_db *db, PGresult **ret); /* waits for all; the last one's result, or NULL for none */
err_t pg_pipe_end(struct pg_db *db);

/* pg_statement.c */
void pg_statement_name(enum query q, char ret[static 16]);
err_t pg_run(struct db *db, enum query q, const struct val *v, size_t n, int64_t *ret_changed);
err_t pg_rows(struct db *db, enum query q, const struct val *v, size_t n, struct rows *ret);
bool pg_next(struct rows *r);
err_t pg_end(struct rows *r);
int64_t pg_col_int(const struct rows *r, int col);
struct str pg_col_text(const struct rows *r, int col);
bool pg_col_null(const struct rows *r, int col);

/* pg_open.c */
err_t pg_open(struct store *s, struct fault *f);
void pg_close(struct store *s);
err_t pg_migrate_plan(const char *data_dir, struct arena *a, struct str *ret_text, struct fault *f);
err_t pg_backup(struct store *s, const char *path, struct fault *f);
err_t pg_check(struct db *db, struct fault *f);

/* pg_slot.c */
/* Takes the first free number among the database's servers. ERR_STORE_LOCKED when there is none. */
err_t pg_slot_take(struct pg_db *db);
/* After the connection was lost: the same number again, which nobody may have taken meanwhile. ERR_STORE_LOCKED. */
err_t pg_slot_again(struct pg_db *db);

/* pg_writer.c */
err_t pg_writer_start(struct store *s);
err_t pg_tx(struct store *s, store_tx_fn fn, void *ctx);

/* pg_news.c: what servers on one database tell each other. */
extern const struct sharing pg_sharing;
err_t pg_news_start(struct store *s, struct fault *f); /* returns when this server hears itself */
void pg_news_stop(struct store *s);
bool pg_news_alive(const struct store *s); /* the database has answered lately; true where nobody listens yet */
/* In a transaction, before its commit. */
err_t pg_news_send(struct pg_db *db, struct str lines, int64_t *ret_seq);
/* Waits until every other server has acted on it. */
void pg_news_settle(struct store *s, int64_t seq);
