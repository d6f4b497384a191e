/* The store: one interface, one table of SQL texts, two engines: SQLite in the data directory, or a PostgreSQL database.
 *
 * Reading: a thread opens a struct db once and runs queries on it. Writing: store_tx() alone. One
 * writer thread takes all transactions that wait, runs each in a savepoint and commits once (WAL,
 * synchronous=FULL): store_tx returns when that commit is on disk. */
#pragma once
#include "base/err.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

enum query {
#define Q(id, sql) Q_##id,
#include "store/queries.def"
#undef Q
    QUERY_COUNT
};

struct store;
struct db; /* one connection of one thread */

struct store_config {
    const char *data_dir; /* holds mereau.db, lock, control.sock, revoked.log */
    const char *dsn;      /* "postgresql://...": the store is there; NULL: in the data directory */
    struct log *log;
    struct metrics *metrics;
    const struct clock *clock;
};
/* Takes the lock on the data directory, opens or creates the store, brings the schema up to date, starts the
 * writer. ERR_STORE_LOCKED, ERR_STORE_VERSION, ERR_STORE_CORRUPT, ERR_STORE_FULL, ERR_IO, with a sentence in
 * f. */
err_t store_open(const struct store_config *cfg, struct store **ret, struct fault *f);
void store_close(struct store **s); /* waits for the writer; checkpoints */
/* What an upgrade would do, one line a step, without doing it ("" when up to date). Opens read-only, needs no
 * lock. */
err_t store_migrate_plan(const char *data_dir, const char *dsn, struct arena *a, struct str *ret_text, struct fault *f);
/* Hot backup (VACUUM INTO) to a file that must not exist; from a read connection, while serving. */
err_t store_backup(struct store *s, const char *path, struct fault *f);
err_t store_check(struct db *db, struct fault *f); /* quick_check; ERR_STORE_CORRUPT */
/* Every row of one store into an empty one, or on in one that such a copy has begun, then each compared; nobody may use either. from, to: a
 * data directory or "postgresql://...". Until it is whole no server opens the target. */
struct store_copy {
    const char *from, *to;
    bool verify_only; /* compare alone */
    void (*progress)(void *ctx, struct str table, int64_t done, int64_t total, bool verifying); /* or NULL */
    void *ctx;
    int64_t tables, rows; /* out */
    bool resumed;
};
err_t store_copy(struct store_copy *c, struct fault *f);

err_t db_open(struct store *s, size_t cache_kib, struct db **ret);
void db_close(struct db **db);

/* --- values
 * ------------------------------------------------------------------------------------------------------ */
enum val_type { VAL_NULL, VAL_INT, VAL_TEXT, VAL_BLOB };
struct val {
    enum val_type type;
    int64_t i;
    struct str s;
};
static inline struct val vint(int64_t i)
{
    return (struct val){.type = VAL_INT, .i = i};
}
static inline struct val vid(int64_t id) /* an id, or NULL for 0 */
{
    return (struct val){.type = id ? VAL_INT : VAL_NULL, .i = id};
}
static inline struct val vtext(struct str s) /* NULL for a zero str */
{
    return (struct val){.type = s.p ? VAL_TEXT : VAL_NULL, .s = s};
}
static inline struct val vblob(const void *p, size_t n)
{
    return (struct val){.type = p ? VAL_BLOB : VAL_NULL, .s = {(const char *)p, n}};
}
/* The parameters $1, $2, ... of a query: BIND(vint(x), vtext(y)) */
#define BIND(...)                                                                                            \
    (const struct val[]){__VA_ARGS__}, sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val)
#define BIND_NONE NULL, 0

/* --- running
 * ----------------------------------------------------------------------------------------------------- */
/* A statement without rows. *ret_changed (may be NULL): rows touched; a consume asks for exactly 1. */
err_t db_run(struct db *db, enum query q, const struct val *v, size_t n, int64_t *ret_changed);

/* A statement with rows. Slices live until the next db_next or db_end; what is bound must live until db_end.
 * Always db_end, also after errors. ERR_BUSY when the reading takes longer than LIMIT_READ_MS: read long
 * tables in pages. struct rows r; TRY(db_rows(db, Q_X, BIND(vint(t)), &r)); while (db_next(&r))
 * use(db_int(&r, 0), db_text(&r, 1)); TRY(db_end(&r));   // says whether the reading itself failed */
struct rows {
    struct db *db;
    void *stmt;
    int at;
    err_t err;
    uint32_t seen; /* rows so far, and since when: LIMIT_READ_MS */
    int64_t since_ms;
};
err_t db_rows(struct db *db, enum query q, const struct val *v, size_t n, struct rows *ret);
bool db_next(struct rows *r);
err_t db_end(struct rows *r);
int64_t db_int(const struct rows *r, int col);     /* 0 for NULL */
struct str db_text(const struct rows *r, int col); /* text or blob; STR_NONE for NULL */
bool db_null(const struct rows *r, int col);
/* Several reads of one moment, on a read connection (inside a transaction they do nothing: it is one
 * already). Always db_read_end. After LIMIT_READ_MS the reads answer ERR_BUSY. */
err_t db_read_begin(struct db *db);
void db_read_end(struct db *db);

/* --- writing
 * ----------------------------------------------------------------------------------------------------- */
/* Runs fn in a transaction and returns when it is durable. fn returns an error only to roll back; a refusal
 * that must persist is a verdict in ctx with ERR_OK returned. fn may run more than once, so: no effect
 * outside the store, no signing, no password hash, no I/O; it writes its results to ctx last. fn runs on the
 * writer's thread: ctx must not be touched meanwhile. ERR_BUSY when too many wait, ERR_STORE_FULL when the
 * disk is full. */
typedef err_t (*store_tx_fn)(struct db *db, void *ctx);
err_t store_tx(struct store *s, store_tx_fn fn, void *ctx);

/* Called on the writer's thread before each COMMIT (the audit trail's sealer); its writes join the commit. */
typedef err_t (*store_hook_fn)(struct db *db, void *ctx);
void store_on_commit(struct store *s, store_hook_fn fn, void *ctx);
/* Things collected in memory for the hook during one batch (audit digests): kept per savepoint, dropped with
 * it. */
struct tx_note {
    int64_t tenant_id, id;
    uint8_t digest[32];
};
err_t db_note(struct db *db, const struct tx_note *n);              /* inside a transaction */
const struct tx_note *db_notes(const struct db *db, size_t *ret_n); /* inside the hook */
/* Appends a line to revoked.log, written and synced once a batch before the answers; inside a transaction.
 * kind: one of the words of token/life.h. Replayed after a restore. */
err_t db_log_revoked(struct db *db, const char *kind, int64_t tenant_id, int64_t id, int64_t cutoff_id);

/* --- several servers on one store
 * ----------------------------------------------------------------------------------------------------- */
/* Inside a transaction: a line that every server on this store, this one included, must hear when it has committed. store_tx
 * returns when all have acted on it, or may no longer believe what they have in memory (LIMIT_LEASE_MS). Nothing on SQLite. */
err_t db_tell(struct db *db, struct str line);
/* Inside a transaction, before it reads what it then writes by: no other server's transaction that claims the same id runs beside it, unless both
 * share. The claim lasts until the commit. Nothing on SQLite, where there is one writer. The id is a row's: an account's for what hangs below
 * it, a tenant's for what is unique or counted in it; minus a tenant's for its counters of attempts. */
err_t db_claim(struct db *db, int64_t id, bool shared);
/* fn is called on a thread of the store's, a line at a time, in the order of the commits; with STR_NONE when something may
 * have been missed: all memory of the store is to be forgotten. To be set before anything is read. */
typedef void (*store_news_fn)(struct str line, void *ctx);
void store_on_news(struct store *s, store_news_fn fn, void *ctx);
bool store_fresh(const struct store *s);  /* this server hears the others: what is in memory can be believed */
bool store_leads(const struct store *s);  /* it is the one that does what one alone should do; may be two for a moment */
void store_serves(struct store *s);       /* from now on it may lead: a server does, a command that passes by does not */
int store_others(const struct store *s);  /* servers on this store beside this one */
int store_slot(const struct store *s);    /* this server's number there, below LIMIT_SERVERS; 0 on SQLite */
/* Counts up whenever this server may have been away from the store for a while: what the writer's thread keeps in memory of its
 * own rows is to be read again. On the writer's thread. */
int64_t store_tenure(const struct store *s);
/* Lines of revoked.log in order (no store need be open). */
err_t store_revoked_replay(const char *data_dir,
                           err_t (*fn)(void *ctx, struct str kind, int64_t tenant_id, int64_t id,
                                       int64_t cutoff_id),
                           void *ctx);

/* --- ids
 * ---------------------------------------------------------------------------------------------------------
 */
/* Grows with time: 42 bits of milliseconds since 2024, 16 bits of order within one, 5 bits of the server's number; never repeats
 * in this store, never goes back, whatever the clock does. Any thread. Servers on one database go by its clock. */
int64_t store_new_id(struct store *s);
int64_t store_wall_ms(const struct store *s); /* what ids go by: the machine's clock, or the database's */
/* An id above all that any server on this store has given out. */
int64_t store_cutoff_id(struct store *s);
/* An id was read: what this server gives out from now on is above it. For cut-offs, so that what is issued after one lives. */
void store_id_seen(struct store *s, int64_t id);
int64_t store_id_at(int64_t wall_ms); /* the smallest id of that millisecond: for "older than" */
