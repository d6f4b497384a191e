/* Opening the store in a PostgreSQL database: what kind of server it is, and the schema brought up to date, by whoever comes first. */
#include "store/pg.h"
#include <stdio.h>
#include <stdlib.h>

#define VERSION_MIN 130000
#define LOCK_SQL    "SELECT pg_advisory_xact_lock(1836213601)" /* "mrea" */

static const struct dialect pg_dialect = {
    .key = "tenant_id BIGINT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (tenant_id, id)",
    .blob = "BYTEA",
    .in_order = "CREATE INDEX audit_writer ON audit (writer, id); CREATE INDEX audit_seal_writer ON audit_seal (writer, id);"
                " CREATE INDEX outbox_done ON outbox (id) WHERE delivered_s IS NOT NULL OR failed_s IS NOT NULL;",
};

static err_t check_server(struct pg_db *db, struct fault *f)
{
    char text[64];
    int version = PQserverVersion(db->conn);
    if (version < VERSION_MIN)
        return fault_set(f, ERR_STORE, "store", "PostgreSQL 13 or later is needed; this server is %d.%d", version / 10000, version % 10000);
    if (pg_ask(db, "SHOW server_encoding", text, sizeof(text)) != ERR_OK || strcmp(text, "UTF8") != 0)
        return fault_set(f, ERR_STORE, "store", "the database has the encoding %s; UTF8 is needed (CREATE DATABASE ... ENCODING 'UTF8')", text);
    if (pg_ask(db, "SELECT pg_is_in_recovery()", text, sizeof(text)) != ERR_OK || strcmp(text, "f") != 0)
        return fault_set(f, ERR_STORE, "store", "this PostgreSQL server is a replica that only reads; name the primary");
    if (pg_ask(db, "SHOW transaction_read_only", text, sizeof(text)) != ERR_OK || strcmp(text, "off") != 0)
        return fault_set(f, ERR_STORE, "store", "the database takes no writes (default_transaction_read_only)");
    return ERR_OK;
}

static err_t schema_version(struct pg_db *db, int *ret, struct fault *f)
{
    char text[32];
    int64_t version = 0;
    if (pg_ask(db, "SELECT to_regclass('mereau_schema')", text, sizeof(text)) != ERR_OK)
        return fault_set(f, ERR_STORE, "store", "PostgreSQL: %s", PQerrorMessage(db->conn));
    if (text[0] && pg_ask(db, "SELECT max(version) FROM mereau_schema", text, sizeof(text)) == ERR_OK)
        (void)str_to_int(str_z(text), &version);
    if (version > schema_newest())
        return fault_set(f, ERR_STORE_VERSION, "", "the store was written by a newer mereau: it has schema %d, this one knows up to %d",
                         (int)version, schema_newest());
    *ret = (int)version;
    return ERR_OK;
}

static err_t steps(struct pg_db *db, int have, struct arena *a, struct fault *f)
{
    for (int i = 0; i < schema_steps(); i++) {
        int version;
        const char *what, *sql;
        char mark[96];
        arena_reset(a);
        if (!schema_step(i, &pg_dialect, a, &version, &what, &sql))
            return fault_set(f, ERR_MEMORY, "", "out of memory while preparing the schema");
        snprintf(mark, sizeof(mark), "INSERT INTO mereau_schema (version) VALUES (%d)", version);
        if (version > have && (pg_exec(db, sql) != ERR_OK || pg_exec(db, mark) != ERR_OK))
            return fault_set(f, ERR_STORE, "store", "schema %d (%s): %s", version, what, PQerrorMessage(db->conn));
    }
    return ERR_OK;
}

/* All of it in one transaction, under a lock that makes others wait and then find it done. */
static err_t migrate(struct pg_db *db, struct fault *f)
{
    int have = 0;
    struct arena *a = arena_new(2 * 1024 * 1024);
    if (!a)
        return fault_set(f, ERR_MEMORY, "", "out of memory while opening the store");
    db->patient = true; /* an index on a large table; or another server, which is at it already */
    err_t e = pg_exec(db, "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; " LOCK_SQL);
    if (e == ERR_OK)
        e = schema_version(db, &have, f);
    if (e == ERR_OK && have < schema_newest()) {
        e = pg_exec(db, "CREATE TABLE IF NOT EXISTS mereau_schema (version INTEGER PRIMARY KEY)");
        e = e == ERR_OK ? steps(db, have, a, f)
                        : fault_set(f, e, "store", "tables can't be made: %s", PQerrorMessage(db->conn));
    }
    arena_free(&a);
    err_t end = pg_exec(db, e == ERR_OK ? "COMMIT" : "ROLLBACK");
    db->patient = false;
    return e != ERR_OK ? e : end;
}

/* Before anything is given an id; pg_news.c keeps it. */
static err_t read_clock(struct store *s, struct pg_db *db)
{
    char text[32];
    int64_t db_ms, before = s->cfg.clock->steady_ms(s->cfg.clock->ctx);
    TRY(pg_ask(db, "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", text, sizeof(text)));
    if (!str_to_int(str_z(text), &db_ms))
        return ERR_STORE;
    atomic_store(&s->base_low, db_ms - s->cfg.clock->steady_ms(s->cfg.clock->ctx));
    atomic_store(&s->base_high, db_ms - before + 1);
    s->by_base = true;
    return ERR_OK;
}

static err_t open_writer(struct store *s, struct pg_store *own, struct fault *f)
{
    TRY(pg_connect(s, &own->wdb, f));
    TRY(check_server(own->wdb, f));
    TRY(migrate(own->wdb, f));
    TRY(store_is_whole(&own->wdb->head, f));
    err_t e = read_clock(s, own->wdb);
    if (e == ERR_OK)
        e = pg_slot_take(own->wdb);
    if (e == ERR_STORE_LOCKED)
        return fault_set(f, e, "store", "another process has this database for itself, or %d servers are using it", LIMIT_SERVERS);
    if (e != ERR_OK)
        return fault_set(f, ERR_STORE, "store", "PostgreSQL: %s", PQerrorMessage(own->wdb->conn));
    own->wdb->head.tx = &own->tx;
    if (pg_writer_start(s) != ERR_OK || id_ceiling_raise(s, false) != ERR_OK)
        return fault_set(f, ERR_STORE, "store", "the store can't be written");
    return pg_news_start(s, f);
}

err_t pg_open(struct store *s, struct fault *f)
{
    struct pg_store *own = calloc(1, sizeof(*own));
    if (!own)
        return fault_set(f, ERR_MEMORY, "", "out of memory while opening the store");
    s->impl = own;
    tx_init(&own->tx);
    err_t e = open_writer(s, own, f);
    if (e != ERR_OK)
        pg_close(s);
    return e;
}

void pg_close(struct store *s)
{
    struct pg_store *own = s->impl;
    pg_news_stop(s);
    if (own->writer)
        (void)!id_ceiling_raise(s, true);
    writer_stop(&own->writer);
    if (own->wdb)
        pg_disconnect(own->wdb);
    tx_free(&own->tx);
    free(own);
    s->impl = NULL;
}

err_t pg_migrate_plan(const char *dsn, struct arena *a, struct str *ret_text, struct fault *f)
{
    struct store s = {.engine = &engine_pg, .cfg = {.dsn = dsn, .clock = &clock_system}};
    struct pg_db *db;
    struct buf b;
    int have = 0;
    TRY(pg_connect(&s, &db, f));
    err_t e = schema_version(db, &have, f);
    pg_disconnect(db);
    TRY(e);
    buf_init(&b, a, 64 * 1024);
    for (int i = 0; i < schema_steps(); i++) {
        int version;
        const char *what, *sql;
        if (!schema_step(i, &pg_dialect, a, &version, &what, &sql))
            return ERR_MEMORY;
        if (version > have)
            buf_fmt(&b, "schema %d: %s\n", version, what);
    }
    *ret_text = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

err_t pg_backup(struct store *s, const char *path, struct fault *f)
{
    (void)s;
    (void)path;
    return fault_set(f, ERR_PARAM_BAD, "", "this store is in PostgreSQL: back it up with pg_dump or with the database's own archive");
}

err_t pg_check(struct db *db, struct fault *f)
{
    char fsync[16], commit[32];
    struct pg_db *pg = (struct pg_db *)db;
    if (pg_ready(pg) != ERR_OK || pg_ask(pg, "SHOW fsync", fsync, sizeof(fsync)) != ERR_OK ||
        pg_ask(pg, "SHOW synchronous_commit", commit, sizeof(commit)) != ERR_OK)
        return fault_set(f, ERR_STORE, "", "PostgreSQL does not answer");
    if (strcmp(fsync, "off") == 0 || strcmp(commit, "off") == 0)
        return fault_set(f, ERR_STORE, "", "the database does not wait for its disk (%s = off): what was answered can be lost",
                         strcmp(fsync, "off") == 0 ? "fsync" : "synchronous_commit");
    return ERR_OK;
}
