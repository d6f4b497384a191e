/* Opening the SQLite file: damage is looked for before anything is written, a new file is made with mode
 * 0600, the schema is brought up to date in one transaction a step. */
#include "store/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x6d726561 /* "mrea", in the file's header */
#define HEADER_SIZE    100
#define WAL_MAGIC      0x377f0682u

static const struct dialect sqlite_dialect = {
    .key = "id INTEGER PRIMARY KEY, tenant_id BIGINT NOT NULL",
    .blob = "BLOB",
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Bytes at the start of a file of the data directory, and its size; false when it is not there. */
static bool head_of(int dir_fd, const char *name, uint8_t *ret_head, size_t n, int64_t *ret_size)
{
    struct stat st;
    memset(ret_head, 0, n);
    *ret_size = 0;
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fstat(fd, &st) == 0 && pread(fd, ret_head, n, 0) >= 0;
    *ret_size = ok ? st.st_size : 0;
    close(fd);
    return ok;
}

/* What SQLite would take for "empty, start over": a lost main file beside a full log, a log whose header is
 * spoilt. And a file cut short, which it would notice only when it reads the missing page. */
static err_t look_for_damage(const struct store *s, struct fault *f)
{
    uint8_t head[HEADER_SIZE], wal[4];
    int64_t size, wal_size;
    bool there = head_of(s->dir_fd, SQLITE_FILE, head, sizeof(head), &size);
    head_of(s->dir_fd, SQLITE_FILE "-wal", wal, sizeof(wal), &wal_size);
    const char *what = NULL;
    int64_t page = (int64_t)head[16] << 8 | head[17];
    if (size == 0 && wal_size > 0)
        what = there ? "is empty, but its log is not" : "is missing, but its log is there";
    else if (wal_size > 0 && be32(wal) != 0 && (be32(wal) & ~1u) != WAL_MAGIC)
        what = "has a log that is damaged";
    else if (size > 0 && (size < HEADER_SIZE || memcmp(head, "SQLite format 3", 16) != 0))
        what = "is damaged: it is not a database";
    else if (size > 0 && wal_size == 0 && (int64_t)be32(head + 28) * (page == 1 ? 65536 : page) > size)
        what = "has been cut short";
    if (!what)
        return ERR_OK;
    return fault_set(f, ERR_STORE_CORRUPT, "", "%s/" SQLITE_FILE " %s; nothing was changed", s->dir, what);
}

static err_t make_file(const struct store *s, struct fault *f)
{
    int fd = openat(s->dir_fd, SQLITE_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return fault_set(f, ERR_IO, "", "%s/" SQLITE_FILE " cannot be made: %s", s->dir, strerror(errno));
    return ERR_OK;
}

/* The process's settings of SQLite; without effect once it runs. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 512, 64);
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1); /* savepoints stay in memory */
    sqlite3_initialize();
}

static err_t open_fault(struct sqlite_db *db, err_t e, struct fault *f)
{
    return fault_set(f, e, "", "%s/" SQLITE_FILE ": %s", db->head.store->dir, sqlite3_errmsg(db->conn));
}

static err_t set_up(struct sqlite_db *db, struct fault *f)
{
    static const char *const pragmas[] = {
        "PRAGMA page_size=4096",       "PRAGMA cache_size=-8192",
        "PRAGMA mmap_size=0",          "PRAGMA temp_store=2",
        "PRAGMA journal_mode=WAL",     "PRAGMA synchronous=FULL",
        "PRAGMA wal_autocheckpoint=0", "PRAGMA journal_size_limit=67108864",
    };
    for (size_t i = 0; i < sizeof(pragmas) / sizeof(pragmas[0]); i++) {
        int rc = sqlite3_exec(db->conn, pragmas[i], NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            return open_fault(db, sqlite_map(db, rc), f);
    }
    sqlite3_stmt *st = NULL; /* asking for the log does not fail where it cannot be had */
    int rc = sqlite3_prepare_v2(db->conn, "PRAGMA journal_mode", -1, &st, NULL);
    bool wal = rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
    sqlite3_finalize(st);
    if (!wal)
        return fault_set(f, ERR_IO, "", "the file system of %s has no shared memory for the store's log",
                         db->head.store->dir);
    return ERR_OK;
}

static err_t schema_version(struct sqlite_db *db, int *ret, struct fault *f)
{
    int64_t version = 0, tables = 0, app = 0;
    int rc = sqlite_pragma_int(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (rc == SQLITE_OK)
        rc = sqlite_pragma_int(db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK)
        rc = sqlite_pragma_int(db, "PRAGMA application_id", &app);
    if (rc != SQLITE_OK)
        return open_fault(db, sqlite_map(db, rc), f);
    if (tables > 0 && app != APPLICATION_ID)
        return fault_set(f, ERR_STORE_CORRUPT, "",
                         "%s/" SQLITE_FILE " is not a store of mereau; nothing was changed",
                         db->head.store->dir);
    if (version > schema_newest())
        return fault_set(f, ERR_STORE_VERSION, "", "the store was written by a newer mereau: it has schema %d, this one knows up to %d",
                         (int)version, schema_newest());
    *ret = (int)version;
    return ERR_OK;
}

static err_t migrate_step(struct sqlite_db *db, int version, const char *what, const char *sql,
                          struct fault *f)
{
    char mark[96];
    snprintf(mark, sizeof(mark), "PRAGMA user_version=%d; PRAGMA application_id=%d; COMMIT", version,
             APPLICATION_ID);
    int rc = sqlite3_exec(db->conn, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->conn, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->conn, mark, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return ERR_OK;
    err_t e = sqlite_map(db, rc);
    (void)fault_set(f, e, "", "schema %d (%s): %s", version, what, sqlite3_errmsg(db->conn));
    sqlite3_exec(db->conn, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

static err_t migrate(struct sqlite_db *db, struct arena *a, struct fault *f)
{
    int have = 0;
    TRY(schema_version(db, &have, f));
    for (int i = 0; i < schema_steps(); i++) {
        int version;
        const char *what, *sql;
        arena_reset(a);
        if (!schema_step(i, &sqlite_dialect, a, &version, &what, &sql))
            return fault_set(f, ERR_MEMORY, "", "out of memory while preparing the schema");
        if (version > have)
            TRY(migrate_step(db, version, what, sql, f));
    }
    return ERR_OK;
}

static err_t read_newest_id(struct sqlite_db *db, int64_t *ret)
{
    struct rows r;
    TRY(db_rows(&db->head, Q_META_LAST_ID, BIND_NONE, &r));
    int64_t newest = db_next(&r) ? db_int(&r, 0) : 0;
    TRY(db_end(&r));
    TRY(db_rows(&db->head, Q_META_GET, BIND(vtext(STR("id_ceiling"))), &r));
    int64_t ceiling = db_next(&r) ? id_ceiling_read(db_text(&r, 0)) : 0;
    TRY(db_end(&r));
    *ret = newest > ceiling ? newest : ceiling;
    return ERR_OK;
}

static err_t open_writer_connection(struct store *s, struct sqlite_store *own, struct fault *f)
{
    err_t e = sqlite_connect(s, own->path, SQLITE_OPEN_READWRITE, &own->wdb);
    if (e != ERR_OK)
        return fault_set(f, e, "", "%s cannot be opened", own->path);
    TRY(set_up(own->wdb, f));
    struct arena *a = arena_new(2 * 1024 * 1024);
    if (!a)
        return fault_set(f, ERR_MEMORY, "", "out of memory while opening the store");
    e = migrate(own->wdb, a, f);
    arena_free(&a);
    if (e != ERR_OK)
        return e;
    int64_t newest = 0;
    TRY(store_is_whole(&own->wdb->head, f));
    e = read_newest_id(own->wdb, &newest);
    if (e != ERR_OK)
        return open_fault(own->wdb, e, f);
    id_start(s, newest);
    if (fsync(s->dir_fd) != 0)
        return fault_set(f, ERR_IO, "", "%s: %s", s->dir, strerror(errno));
    own->wdb->head.tx = &own->tx;
    return ERR_OK;
}

static void release(struct store *s)
{
    struct sqlite_store *own = s->impl;
    if (own->wdb)
        sqlite_disconnect(own->wdb);
    tx_free(&own->tx);
    free(own->path);
    free(own);
    s->impl = NULL;
}

static err_t start_threads(struct store *s)
{
    TRY(checkpointer_new(s));
    TRY(sqlite_writer_start(s));
    err_t e = id_ceiling_raise(s, false);
    if (e != ERR_OK && e != ERR_STORE_FULL) /* with a full disk there is still much to read */
        return e;
    return checkpointer_start(s);
}

static void stop_threads(struct store *s)
{
    const struct sqlite_store *own = s->impl;
    checkpointer_stop(s);
    if (own->writer)
        (void)!id_ceiling_raise(s, true);
    sqlite_writer_stop(s);
    checkpointer_free(s);
}

err_t sqlite_open(struct store *s, struct fault *f)
{
    configure();
    struct sqlite_store *own = calloc(1, sizeof(*own));
    if (!own || asprintf(&own->path, "%s/" SQLITE_FILE, s->dir) < 0) {
        free(own);
        return fault_set(f, ERR_MEMORY, "", "out of memory while opening the store");
    }
    s->impl = own;
    tx_init(&own->tx);
    err_t e = look_for_damage(s, f);
    if (e == ERR_OK)
        e = make_file(s, f);
    if (e == ERR_OK)
        e = open_writer_connection(s, own, f);
    if (e == ERR_OK && (e = start_threads(s)) != ERR_OK)
        (void)fault_set(f, e, "", "the store in %s cannot be written", s->dir);
    if (e == ERR_OK)
        return ERR_OK;
    stop_threads(s);
    release(s);
    return e;
}

void sqlite_close(struct store *s)
{
    stop_threads(s);
    struct sqlite_store *own = s->impl;
    int rc = sqlite3_wal_checkpoint_v2(own->wdb->conn, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc != SQLITE_OK)
        store_complain(s, LOG_WARN, "the log was not folded in at the end: %s",
                       sqlite3_errmsg(own->wdb->conn));
    release(s);
}

/* --- what an upgrade would do
 * --------------------------------------------------------------------------------------- */
static err_t plan_lines(int have, struct arena *a, struct str *ret_text)
{
    struct buf b;
    buf_init(&b, a, 64 * 1024);
    for (int i = 0; i < schema_steps(); i++) {
        int version;
        const char *what, *sql;
        if (!schema_step(i, &sqlite_dialect, a, &version, &what, &sql))
            return ERR_MEMORY;
        if (version > have)
            buf_fmt(&b, "schema %d: %s\n", version, what);
    }
    *ret_text = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

err_t sqlite_migrate_plan(const char *data_dir, struct arena *a, struct str *ret_text, struct fault *f)
{
    configure();
    struct store s = {.engine = &engine_sqlite, .dir = (char *)data_dir, .cfg = {.data_dir = data_dir}};
    struct str path = arena_fmt(a, "%s/" SQLITE_FILE, data_dir);
    struct stat st;
    if (!path.p)
        return fault_set(f, ERR_MEMORY, "", "out of memory");
    if (stat(path.p, &st) != 0 && errno == ENOENT)
        return plan_lines(SCHEMA_NONE, a, ret_text);
    struct sqlite_db *db;
    err_t e = sqlite_connect(&s, path.p, SQLITE_OPEN_READONLY, &db);
    if (e != ERR_OK)
        return fault_set(f, e, "", "%s cannot be opened", path.p);
    int have = 0;
    e = schema_version(db, &have, f);
    sqlite_disconnect(db);
    return e == ERR_OK ? plan_lines(have, a, ret_text) : e;
}
