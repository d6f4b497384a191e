/* What an engine is, and what the engines share. An engine is one row of functions below: SQLite (sqlite*.c) or PostgreSQL
 * (pg*.c). writer.c runs the transactions of both; store.c and db.c hold what does not depend on it: the lock on
 * the data directory, ids, revoked.log, the notes of a transaction. Private to src/store. */
#pragma once
#include "store/store.h"
#include "base/limits.h"
#include <stdatomic.h>

struct engine {
    const char *name;
    /* Opens or creates the store, brings the schema up to date, starts threads. The data directory is locked.
     */
    err_t (*open)(struct store *s, struct fault *f);
    void (*close)(struct store *s);
    err_t (*migrate_plan)(const char *where, struct arena *a, struct str *ret_text, struct fault *f);
    err_t (*backup)(struct store *s, const char *path, struct fault *f);
    err_t (*check)(struct db *db, struct fault *f);
    err_t (*db_open)(struct store *s, size_t cache_kib, struct db **ret);
    void (*db_close)(struct db *db);
    err_t (*read_begin)(struct db *db);
    void (*read_end)(struct db *db);
    err_t (*run)(struct db *db, enum query q, const struct val *v, size_t n, int64_t *ret_changed);
    err_t (*rows)(struct db *db, enum query q, const struct val *v, size_t n, struct rows *ret);
    bool (*next)(struct rows *r);
    err_t (*end)(struct rows *r);
    int64_t (*col_int)(const struct rows *r, int col);
    struct str (*col_text)(const struct rows *r, int col);
    bool (*col_null)(const struct rows *r, int col);
    err_t (*tx)(struct store *s, store_tx_fn fn, void *ctx);
    /* Where several servers may be on one store; NULL where one alone can. */
    const struct sharing *sharing;
};
struct sharing {
    bool (*fresh)(const struct store *s);
    bool (*leads)(const struct store *s);
    int (*others)(const struct store *s);
    err_t (*claim)(struct db *db, int64_t id, bool shared);
};
extern const struct engine engine_sqlite, engine_pg;

/* revoked.log, open for appending. Used by the thread that commits. */
struct revoked_log {
    int fd;
    int64_t size;
};

struct store {
    const struct engine *engine;
    struct store_config cfg; /* data_dir points to dir */
    char *dir;
    int dir_fd, lock_fd;
    struct revoked_log revoked;
    int slot;                   /* in ids; of this server among those on the store */
    _Atomic int64_t tenure;
    _Atomic bool serves;
    /* Where `by_base`, milliseconds since 1970 are the steady clock and one of these: the database's clock is between. */
    bool by_base;
    _Atomic int64_t base_low, base_high;
    _Atomic int64_t last_id;    /* the newest id given out */
    _Atomic int64_t id_ceiling; /* no id above it was given out unless the store says so (id.c) */
    _Atomic(store_hook_fn) hook;
    void *hook_ctx; /* set before hook */
    _Atomic(store_news_fn) news;
    void *news_ctx; /* set before news */
    _Atomic int64_t complained_s;
    _Atomic int complaints; /* in that second */
    _Atomic int64_t calls;  /* counted for fault.h alone */
    int64_t fault_from, fault_to;
    void *impl; /* the engine's */
};

/* What one transaction (or a batch of them) has collected in memory. */
struct tx {
    struct tx_note *note;
    size_t nnote, cap;
    struct buf revoked; /* lines for revoked.log */
    struct buf news;    /* lines for the other servers */
    err_t broken; /* a statement failed with more than a unique conflict: this transaction cannot commit */
};
struct tx_mark {
    size_t nnote, revoked_n, news_n;
};

struct db {
    const struct engine *engine;
    struct store *store;
    struct tx *tx; /* NULL on a read connection */
};

void tx_init(struct tx *t);
void tx_free(struct tx *t);
struct tx_mark tx_mark(const struct tx *t);
void tx_back_to(struct tx *t, struct tx_mark m); /* drops what was collected since */

const char *query_name(enum query q);
const char *query_sql(enum query q);

/* Logs under "store.error", at most ten lines a second: a full disk must not fill the log too. */
void store_complain(struct store *s, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* id.c */
void id_start(struct store *s, int64_t highest); /* no id up to `highest` is given out again */
void id_ceiling_name(const struct store *s, char ret[static 24]); /* in meta */
int64_t id_ceiling_read(struct str be);                          /* its value there */
int64_t id_ceiling_next(int64_t id);                             /* far enough above it */
bool id_ceiling_due(struct store *s);
err_t id_ceiling_raise(struct store *s, bool closing); /* by a transaction */

/* revoked.c */
err_t revoked_open(struct store *s, struct fault *f);
void revoked_close(struct store *s);
err_t revoked_append(struct store *s, struct str lines); /* written and on disk when it returns ERR_OK */

err_t store_is_whole(struct db *db, struct fault *f); /* ERR_STORE_LOCKED while a copy into it is not finished */

/* migrate.c: the schema's steps as an engine wants them written. */
struct dialect {
    const char *key, *blob, *in_order;
};
#define SCHEMA_NONE 0
int schema_newest(void);
int schema_steps(void);
/* The step's SQL with {key} and {blob} replaced; false past the arena's ceiling. */
bool schema_step(int at, const struct dialect *d, struct arena *a, int *ret_version, const char **ret_what,
                 const char **ret_sql);
