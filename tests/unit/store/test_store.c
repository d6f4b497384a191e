/* Opening, locking, refusing, values, ids, backup, plan. */
#include "store_test.h"
#include "store/engine.h"
#include <sqlite3.h>

static mode_t mode_of(const struct test_store *t, const char *name)
{
    char path[512];
    struct stat st;
    test_file(t, name, path, sizeof(path));
    return stat(path, &st) == 0 ? st.st_mode & 0777 : 0;
}

static void test_first_start(void)
{
    struct test_store t;
    test_dir(&t);
    rmdir(t.dir);
    umask(0);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(mode_of(&t, "") == 0700);
    CHECK(mode_of(&t, "mereau.db") == 0600);
    CHECK(mode_of(&t, "mereau.db-wal") == 0600);
    CHECK(mode_of(&t, "mereau.db-shm") == 0600);
    CHECK(mode_of(&t, "lock") == 0600);
    CHECK(mode_of(&t, "revoked.log") == 0600);

    struct test_store second = t;
    second.store = NULL;
    CHECK(test_open(&second) == ERR_STORE_LOCKED);
    CHECK(strstr(second.fault.detail, "another process") != NULL);
    t.time.clock.ctx = &t.time;

    CHECK(test_put(t.store, "a", "1") == ERR_OK);
    store_close(&t.store);
    CHECK(test_size(&t, "mereau.db-wal") <= 0);
    CHECK(test_open(&t) == ERR_OK);
    struct db *db;
    CHECK(db_open(t.store, 0, &db) == ERR_OK);
    CHECK(test_is(db, "a", "1"));
    CHECK(test_is(db, "b", NULL));
    CHECK(store_check(db, NULL) == ERR_OK);
    db_close(&db);
    test_remove(&t);
}

static void write_at(const struct test_store *t, const char *name, off_t at, const char *text, size_t n)
{
    char path[512];
    test_file(t, name, path, sizeof(path));
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && pwrite(fd, text, n, at) == (ssize_t)n);
    close(fd);
}

/* Each kind of damage is refused with a sentence, and the file is as it was. */
static void test_damage(void)
{
    static const struct {
        const char *what, *file, *text;
        off_t at;
        off_t cut; /* cut mereau.db to so many bytes first; -1: not; -2: remove it */
    } rows[] = {
        {"garbage", "mereau.db",
         "this is not a database, it is a text that is longer than a hundred bytes; this is not a database, "
         "it is a",
         0, -1},
        {"short garbage", "mereau.db", "short", 0, 0},
        {"spoilt header", "mereau.db", "XXXXXXXX", 0, -1},
        {"cut short", NULL, NULL, 0, 8192},
        {"cut to a page and a half", NULL, NULL, 0, 6000},
        {"emptied beside a log", "mereau.db-wal", "\x37\x7f\x06\x82 something", 0, 0},
        {"lost beside a log", "mereau.db-wal", "\x37\x7f\x06\x82 something", 0, -2},
        {"log of another kind", "mereau.db-wal", "garbage garbage garbage garbage garbage", 0, -1},
        {"schema page", "mereau.db", "XXXXXXXXXXXXXXXX", 100, -1},
        {"root page", "mereau.db", "XXXXXXXXXXXXXXXX", 4096 * 3, -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_store t;
        char path[512];
        test_dir(&t);
        CHECK_ROW(test_open(&t) == ERR_OK, rows[i].what);
        store_close(&t.store);
        test_file(&t, "mereau.db", path, sizeof(path));
        if (rows[i].cut >= 0)
            CHECK_ROW(truncate(path, rows[i].cut) == 0, rows[i].what);
        if (rows[i].cut == -2)
            unlink(path);
        if (rows[i].file)
            write_at(&t, rows[i].file, rows[i].at, rows[i].text, strlen(rows[i].text));
        int64_t size = test_size(&t, "mereau.db");
        CHECK_ROW(test_open(&t) == ERR_STORE_CORRUPT, rows[i].what);
        CHECK_ROW(t.fault.detail[0] != '\0', rows[i].what);
        CHECK_ROW(t.store == NULL, rows[i].what);
        CHECK_ROW(test_size(&t, "mereau.db") == size, rows[i].what);
        test_remove(&t);
    }
}

static void raw(const struct test_store *t, const char *sql)
{
    char path[512];
    sqlite3 *db;
    test_file(t, "mereau.db", path, sizeof(path));
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static void test_versions(void)
{
    struct test_store t;
    struct arena *a = arena_new(1024 * 1024);
    struct str plan;
    test_dir(&t);
    CHECK(store_migrate_plan(t.dir, NULL, a, &plan, &t.fault) == ERR_OK);
    CHECK(str_starts(plan, STR("schema 1: first schema\n")));
    CHECK(test_size(&t, "mereau.db") == -1);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(store_migrate_plan(t.dir, NULL, a, &plan, &t.fault) == ERR_OK); /* while it serves */
    CHECK(plan.n == 0);
    store_close(&t.store);
    CHECK(store_migrate_plan(t.dir, NULL, a, &plan, &t.fault) == ERR_OK);
    CHECK(plan.n == 0);
    raw(&t, "PRAGMA user_version=9999");
    CHECK(test_open(&t) == ERR_STORE_VERSION);
    CHECK(strstr(t.fault.detail, "9999") != NULL);
    t.fault.code = ERR_OK;
    CHECK(store_migrate_plan(t.dir, NULL, a, &plan, &t.fault) == ERR_STORE_VERSION);
    test_remove(&t);

    test_dir(&t); /* killed before the first schema was in: an empty file */
    write_at(&t, "mereau.db", 0, "", 0);
    CHECK(test_open(&t) == ERR_OK);
    test_remove(&t);

    test_dir(&t); /* somebody else's database */
    raw(&t, "CREATE TABLE x (y)");
    CHECK(test_open(&t) == ERR_STORE_CORRUPT);
    CHECK(strstr(t.fault.detail, "not a store of mereau") != NULL);
    test_remove(&t);
    arena_free(&a);
}

/* The schema's steps, one after another, from every version to the newest. */
static void test_every_step(void)
{
    static const struct dialect d = {"id INTEGER PRIMARY KEY, tenant_id BIGINT NOT NULL", "BLOB", ""};
    struct arena *a = arena_new(4 * 1024 * 1024);
    int version = 0, before = 0;
    const char *what, *sql;
    for (int i = 0; i < schema_steps(); i++) {
        CHECK(schema_step(i, &d, a, &version, &what, &sql));
        CHECK_ROW(version == before + 1, what);
        CHECK_ROW(strchr(sql, '{') == NULL, what);
        before = version;
    }
    CHECK(version == schema_newest());
    for (int upto = 0; upto < schema_steps(); upto++) {
        struct test_store t;
        test_dir(&t);
        for (int i = 0; i < upto; i++) {
            char mark[96];
            CHECK(schema_step(i, &d, a, &version, &what, &sql));
            raw(&t, sql);
            snprintf(mark, sizeof(mark), "PRAGMA user_version=%d; PRAGMA application_id=%d", version,
                     0x6d726561);
            raw(&t, mark);
        }
        CHECK(test_open(&t) == ERR_OK);
        test_remove(&t);
    }
    arena_free(&a);
}

static void test_values(void)
{
    struct test_store t;
    struct db *db;
    struct rows r, inner;
    test_dir(&t);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(test_put(t.store, "x", "") == ERR_OK);
    CHECK(test_put(t.store, "y", "why") == ERR_OK);
    CHECK(db_open(t.store, 64, &db) == ERR_OK);
    CHECK(test_is(db, "x", ""));
    CHECK(db_rows(db, Q_META_GET, BIND(vtext(STR("x"))), &r) == ERR_OK);
    CHECK(db_next(&r) && db_text(&r, 0).p != NULL && !db_null(&r, 0));
    /* the same text again while it is being read */
    CHECK(db_rows(db, Q_META_GET, BIND(vtext(STR("y"))), &inner) == ERR_OK);
    CHECK(db_next(&inner) && str_is(db_text(&inner, 0), "why"));
    CHECK(db_end(&inner) == ERR_OK);
    CHECK(!db_next(&r));
    CHECK(db_end(&r) == ERR_OK);
    CHECK(db_end(&r) == ERR_OK); /* twice is harmless */
    /* a missing value is NULL, which equals nothing */
    CHECK(db_rows(db, Q_META_GET, BIND(vtext(STR_NONE)), &r) == ERR_OK);
    CHECK(!db_next(&r));
    CHECK(db_end(&r) == ERR_OK);
    /* too many and too few values */
    CHECK(db_rows(db, Q_META_GET, BIND_NONE, &r) == ERR_INTERNAL);
    CHECK(!db_next(&r));
    CHECK(db_end(&r) == ERR_INTERNAL);
    CHECK(db_rows(db, Q_META_GET, BIND(vint(1), vint(2)), &r) == ERR_INTERNAL);
    /* a read connection does not write */
    CHECK(db_run(db, Q_META_PUT, BIND(vtext(STR("z")), vblob("z", 1)), NULL) != ERR_OK);
    CHECK(test_is(db, "z", NULL));
    CHECK(db_note(db, &(struct tx_note){.id = 1}) == ERR_INTERNAL);
    CHECK(db_log_revoked(db, "grant", 1, 1, 1) == ERR_INTERNAL);
    db_close(&db);
    CHECK(db == NULL);
    test_remove(&t);
}

static void test_snapshot(void)
{
    struct test_store t;
    struct db *db;
    test_dir(&t);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(test_put(t.store, "x", "1") == ERR_OK);
    CHECK(db_open(t.store, 64, &db) == ERR_OK);
    CHECK(db_read_begin(db) == ERR_OK);
    CHECK(test_is(db, "x", "1"));
    CHECK(test_put(t.store, "x", "2") == ERR_OK);
    CHECK(test_is(db, "x", "1"));
    CHECK(db_read_begin(db) == ERR_INTERNAL);
    db_read_end(db);
    db_read_end(db);
    CHECK(test_is(db, "x", "2"));
    /* not for ever */
    CHECK(db_read_begin(db) == ERR_OK);
    CHECK(test_is(db, "x", "2"));
    t.time.ms = t.time.clock.steady_ms(&t.time) + LIMIT_READ_MS + 1000;
    struct rows r;
    CHECK(db_rows(db, Q_META_GET, BIND(vtext(STR("x"))), &r) == ERR_BUSY);
    db_read_end(db);
    CHECK(test_is(db, "x", "2"));
    db_close(&db);
    test_remove(&t);
}

static void test_ids(void)
{
    struct test_store t;
    test_dir(&t);
    t.time.ms = 1900000000000;
    CHECK(test_open(&t) == ERR_OK);
    int64_t first = store_new_id(t.store), last = first;
    CHECK(first > 0 && first >= store_id_at(t.time.ms) && first < store_id_at(t.time.ms + 1));
    for (int i = 0; i < 1000; i++) {
        int64_t id = store_new_id(t.store);
        CHECK(id > last);
        last = id;
    }
    t.time.ms -= 3600000; /* the clock goes back */
    int64_t id = store_new_id(t.store);
    CHECK(id > last);
    last = id;
    store_close(&t.store);
    t.time.ms -= 3600000;
    CHECK(test_open(&t) == ERR_OK);
    CHECK(store_new_id(t.store) > last);
    t.time.ms = 1900000100000;
    CHECK(store_new_id(t.store) >= store_id_at(t.time.ms));
    CHECK(store_id_at(0) == 1 && store_id_at(1704067200000) == 1);
    CHECK(store_id_at(1704067200001) == 1 << 21);
    test_remove(&t);
}

static void test_backup(void)
{
    struct test_store t, copy;
    struct db *db;
    char path[512];
    test_dir(&t);
    test_dir(&copy);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(test_put(t.store, "x", "kept") == ERR_OK);
    test_file(&copy, "mereau.db", path, sizeof(path));
    CHECK(store_backup(t.store, path, &t.fault) == ERR_OK);
    CHECK(mode_of(&copy, "mereau.db") == 0600);
    CHECK(store_backup(t.store, path, &t.fault) == ERR_CONFLICT);
    CHECK(store_backup(t.store, "/nowhere/at/all", &t.fault) == ERR_IO);
    CHECK(test_put(t.store, "x", "later") == ERR_OK);
    CHECK(test_open(&copy) == ERR_OK);
    CHECK(db_open(copy.store, 0, &db) == ERR_OK);
    CHECK(test_is(db, "x", "kept"));
    db_close(&db);
    test_remove(&copy);
    test_remove(&t);
}

int main(void)
{
    test_first_start();
    test_damage();
    test_versions();
    test_every_step();
    test_values();
    test_snapshot();
    test_ids();
    test_backup();
    return unit_end("store");
}
