/* A server's number on its database: a lock that goes with the writer's connection. The number is in all ids the server gives out. */
#include "store/pg.h"
#include <stdio.h>
#include <stdlib.h>

#define LOCK 1836213602

/* The newest id that may have been given out under this number. */
static err_t read_ceiling(struct pg_db *db, int64_t *ret)
{
    struct rows r;
    char name[24];
    id_ceiling_name(db->head.store, name);
    TRY(db_rows(&db->head, Q_META_GET, BIND(vtext(str_z(name))), &r));
    *ret = db_next(&r) ? id_ceiling_read(db_text(&r, 0)) : 0;
    return db_end(&r);
}

static err_t lock(struct pg_db *db, int slot, bool *ret)
{
    char sql[96], answer[8];
    snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_lock(%d, %d)", LOCK, slot);
    TRY(pg_ask(db, sql, answer, sizeof(answer)));
    *ret = strcmp(answer, "t") == 0;
    return ERR_OK;
}

static err_t unlock(struct pg_db *db, int slot)
{
    char sql[96];
    snprintf(sql, sizeof(sql), "SELECT pg_advisory_unlock(%d, %d)", LOCK, slot);
    return pg_exec(db, sql);
}

/* Servers of before there were numbers hold this one for themselves; a copy of the store does so too. */
static err_t share(struct pg_db *db)
{
    char answer[8];
    TRY(pg_ask(db, "SELECT pg_try_advisory_lock_shared(1836213602)", answer, sizeof(answer)));
    return strcmp(answer, "t") == 0 ? ERR_OK : ERR_STORE_LOCKED;
}

static int64_t now_id(const struct store *s)
{
    return store_id_at(store_wall_ms(s));
}

/* A number whose ids reach into the future (its last server fell) is left alone while there is another: until the clock has passed them,
 * ids under it would not compare with those of other servers. */
static err_t take(struct pg_db *db, bool future_too, int64_t *ret_ceiling)
{
    struct store *s = db->head.store;
    int64_t now = now_id(s);
    for (s->slot = 0; s->slot < LIMIT_SERVERS; s->slot++) {
        bool got;
        TRY(lock(db, s->slot, &got));
        if (!got)
            continue;
        TRY(read_ceiling(db, ret_ceiling));
        if (future_too || *ret_ceiling <= now)
            return ERR_OK;
        TRY(unlock(db, s->slot));
    }
    s->slot = 0;
    return ERR_STORE_LOCKED;
}

err_t pg_slot_take(struct pg_db *db)
{
    int64_t ceiling = 0;
    TRY(share(db));
    err_t e = take(db, false, &ceiling);
    if (e == ERR_STORE_LOCKED)
        e = take(db, true, &ceiling);
    TRY(e);
    db->owner = true;
    db->backend = PQbackendPID(db->conn);
    id_start(db->head.store, ceiling);
    return ERR_OK;
}

/* Where the network failed, the database may not know yet that our connection from before is over: it still holds the number. */
static err_t end_former(struct pg_db *db, int slot)
{
    char sql[320], answer[8];
    snprintf(sql, sizeof(sql),
             "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %d AND objid = %d AND objsubid = 2"
             " AND granted AND pid = %d AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
             LOCK, slot, db->backend);
    TRY(pg_ask(db, sql, answer, sizeof(answer)));
    return answer[0] ? ERR_BUSY : ERR_STORE_LOCKED;
}

err_t pg_slot_again(struct pg_db *db)
{
    struct store *s = db->head.store;
    int64_t ceiling = 0;
    bool got = false;
    err_t e = share(db);
    if (e == ERR_OK)
        e = lock(db, s->slot, &got);
    if (e == ERR_OK && !got)
        e = end_former(db, s->slot); /* the next try finds it free */
    if (e == ERR_OK)
        e = read_ceiling(db, &ceiling);
    if (e == ERR_OK && ceiling > atomic_load(&s->id_ceiling)) {
        /* Another server was here meanwhile: not before the clock has passed all that it may have given out. */
        e = ceiling > now_id(s) ? ERR_BUSY : ERR_OK;
        store_id_seen(s, e == ERR_OK ? ceiling : 0);
    }
    if (e == ERR_OK) /* what was not written down is written again */
        atomic_store(&s->id_ceiling, ceiling);
    if (e == ERR_OK) {
        db->backend = PQbackendPID(db->conn);
        atomic_fetch_add(&s->tenure, 1);
    }
    return e;
}
