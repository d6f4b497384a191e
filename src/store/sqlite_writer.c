/* The writer's steps on SQLite: statements prepared once. */
#include "store/sqlite.h"

static const char *const step_sql[STEP_COUNT] = {
    "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SAVEPOINT job", "RELEASE job", "ROLLBACK TO job",
};

static err_t step(struct db *head, enum writer_step step)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    sqlite3_stmt *st = ((struct sqlite_store *)head->store->impl)->step[step];
    int rc = sqlite3_step(st);
    err_t e = sqlite_map(db, rc);
    if (e != ERR_OK)
        store_complain(head->store, LOG_ERROR, "%s: %s (%d)", step_sql[step], sqlite3_errmsg(db->conn), rc);
    sqlite3_reset(st);
    return e;
}

static bool lost(const struct db *head)
{
    return sqlite3_get_autocommit(((const struct sqlite_db *)head)->conn) != 0;
}

static void settle(struct db *head)
{
    sqlite_reset_all((struct sqlite_db *)head);
}

static const struct writer_engine engine = {.step = step, .lost = lost, .settle = settle, .between = checkpointer_rest};

err_t sqlite_writer_start(struct store *s)
{
    struct sqlite_store *own = s->impl;
    for (int i = 0; i < STEP_COUNT; i++)
        if (sqlite3_prepare_v3(own->wdb->conn, step_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &own->step[i], NULL) != SQLITE_OK)
            return ERR_MEMORY;
    return writer_start(s, &engine, &own->wdb->head, &own->tx, &own->writer);
}

void sqlite_writer_stop(struct store *s)
{
    struct sqlite_store *own = s->impl;
    writer_stop(&own->writer);
    for (int i = 0; i < STEP_COUNT; i++)
        sqlite3_finalize(own->step[i]);
}

err_t sqlite_tx(struct store *s, store_tx_fn fn, void *ctx)
{
    return writer_tx(((struct sqlite_store *)s->impl)->writer, fn, ctx);
}
