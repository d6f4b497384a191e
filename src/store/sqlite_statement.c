/* SQLite statements: each text is prepared once a connection, at its first use, and bound by the names
 * $1..$n. */
#include "store/sqlite.h"
#include "store/fault.h"
#include <stdio.h>

#define ROWS_A_LOOK 256 /* so often the clock is asked while reading */

/* A failed statement: said in the log, and remembered by the transaction it belongs to, so that a function
 * that overlooks it cannot commit half of its work. A unique conflict is an ordinary answer. */
static err_t statement_failed(struct sqlite_db *db, int rc, enum query q)
{
    err_t e = sqlite_map(db, rc);
    if (e == ERR_STORE_UNIQUE)
        return e;
    store_complain(db->head.store, LOG_ERROR, "%s: %s (%d)", query_name(q), sqlite3_errmsg(db->conn), rc);
    if (db->head.tx && db->head.tx->broken == ERR_OK)
        db->head.tx->broken = e;
    return e;
}

static int64_t steady_ms(const struct sqlite_db *db)
{
    const struct clock *c = db->head.store->cfg.clock;
    return c->steady_ms(c->ctx);
}

err_t sqlite_read_begin(struct db *head)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    if (db->snapshot_ms)
        return ERR_INTERNAL;
    TRY(sqlite_exec(db, "BEGIN"));
    db->snapshot_ms = steady_ms(db) | 1;
    return ERR_OK;
}

void sqlite_read_end(struct db *head)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    if (!db->snapshot_ms)
        return;
    db->snapshot_ms = 0;
    sqlite_reset_all(db);
    (void)!sqlite_exec(db, "COMMIT");
}

static err_t prepare(struct sqlite_db *db, enum query q, struct statement *ret)
{
    int rc = sqlite3_prepare_v3(db->conn, query_sql(q), -1, SQLITE_PREPARE_PERSISTENT, &ret->s, NULL);
    if (rc != SQLITE_OK)
        return statement_failed(db, rc, q);
    ret->nparam = (uint8_t)sqlite3_bind_parameter_count(ret->s);
    for (int i = 0; i < ret->nparam && i < LIMIT_QUERY_PARAMS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "$%d", i + 1);
        ret->place[i] = (uint8_t)sqlite3_bind_parameter_index(ret->s, name);
    }
    return ERR_OK;
}

/* The cached statement, or while that is being read further up, one of its own that db_end frees. */
static err_t statement_get(struct sqlite_db *db, enum query q, struct statement *spare,
                           struct statement **ret)
{
    struct statement *st = &db->statement[q];
    if (st->busy) {
        *spare = (struct statement){.s = NULL};
        st = spare;
    }
    if (!st->s)
        TRY(prepare(db, q, st));
    *ret = st;
    return ERR_OK;
}

static int bind_one(sqlite3_stmt *s, int place, const struct val *v)
{
    const char *p = v->s.p ? v->s.p : "";
    switch (v->type) {
    case VAL_INT:
        return sqlite3_bind_int64(s, place, v->i);
    case VAL_TEXT:
        return sqlite3_bind_text64(s, place, p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case VAL_BLOB:
        return sqlite3_bind_blob64(s, place, p, v->s.n, SQLITE_STATIC);
    case VAL_NULL:
        break;
    }
    return sqlite3_bind_null(s, place);
}

static err_t bind_all(struct sqlite_db *db, enum query q, const struct statement *st, const struct val *v,
                      size_t n)
{
    if (n != st->nparam || n > LIMIT_QUERY_PARAMS) {
        store_complain(db->head.store, LOG_ERROR, "%s takes %d values, not %zu", query_name(q), st->nparam,
                       n);
        return ERR_INTERNAL;
    }
    for (size_t i = 0; i < n; i++) {
        int rc = bind_one(st->s, st->place[i], &v[i]);
        if (rc != SQLITE_OK)
            return statement_failed(db, rc, q);
    }
    return ERR_OK;
}

/* Ready to step. *ret == spare: it is the caller's to finalize. */
static err_t statement_start(struct sqlite_db *db, enum query q, const struct val *v, size_t n,
                             struct statement *spare, struct statement **ret)
{
    if (fault_now(db->head.store))
        return ERR_STORE;
    if (db->snapshot_ms && steady_ms(db) - db->snapshot_ms > LIMIT_READ_MS)
        return ERR_BUSY;
    TRY(statement_get(db, q, spare, ret));
    err_t e = bind_all(db, q, *ret, v, n);
    if (e != ERR_OK && *ret == spare)
        sqlite3_finalize(spare->s);
    return e;
}

err_t sqlite_run(struct db *head, enum query q, const struct val *v, size_t n, int64_t *ret_changed)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    struct statement spare, *st;
    TRY(statement_start(db, q, v, n, &spare, &st));
    int rc = sqlite3_step(st->s);
    err_t e = ERR_OK;
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        e = statement_failed(db, rc, q);
    else if (ret_changed)
        *ret_changed = sqlite3_changes64(db->conn);
    if (st == &spare)
        sqlite3_finalize(st->s);
    else
        sqlite3_reset(st->s);
    return e;
}

err_t sqlite_rows(struct db *head, enum query q, const struct val *v, size_t n, struct rows *ret)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    struct statement spare, *st;
    *ret = (struct rows){.db = head};
    ret->err = statement_start(db, q, v, n, &spare, &st);
    if (ret->err != ERR_OK)
        return ret->err;
    ret->stmt = st->s;
    ret->at = (int)q;
    if (st == &spare) {
        ret->at = -1 - (int)q;
        return ERR_OK;
    }
    st->busy = true;
    db->reading++;
    return ERR_OK;
}

static bool reading_too_long(struct rows *r)
{
    if (++r->seen % ROWS_A_LOOK != 0 || r->db->tx)
        return false;
    int64_t now = steady_ms((struct sqlite_db *)r->db);
    if (!r->since_ms)
        r->since_ms = now;
    return now - r->since_ms > LIMIT_READ_MS;
}

bool sqlite_next(struct rows *r)
{
    if (r->err != ERR_OK)
        return false;
    if (reading_too_long(r)) {
        r->err = ERR_BUSY;
        return false;
    }
    int rc = sqlite3_step(r->stmt);
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        r->err =
            statement_failed((struct sqlite_db *)r->db, rc, (enum query)(r->at >= 0 ? r->at : -1 - r->at));
    return false;
}

err_t sqlite_end(struct rows *r)
{
    struct sqlite_db *db = (struct sqlite_db *)r->db;
    if (r->at >= 0) {
        sqlite3_reset(r->stmt);
        db->statement[r->at].busy = false;
        db->reading--;
    } else {
        sqlite3_finalize(r->stmt);
    }
    r->stmt = NULL;
    return r->err;
}

int64_t sqlite_col_int(const struct rows *r, int col)
{
    return sqlite3_column_int64(r->stmt, col);
}

struct str sqlite_col_text(const struct rows *r, int col)
{
    if (sqlite3_column_type(r->stmt, col) == SQLITE_NULL)
        return STR_NONE;
    const char *p = sqlite3_column_blob(r->stmt, col);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(r->stmt, col)};
}

bool sqlite_col_null(const struct rows *r, int col)
{
    return sqlite3_column_type(r->stmt, col) == SQLITE_NULL;
}
