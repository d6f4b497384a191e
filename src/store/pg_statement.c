/* PostgreSQL statements: each text is prepared once a connection, at its first use. Numbers go as text, so that a parameter takes
 * whatever integer type its place has; texts, bytes and all that comes back are binary. */
#include "store/pg.h"
#include "store/fault.h"
#include <inttypes.h>
#include <stdio.h>

static void bind(struct pg_bound *b, const struct val *v, size_t n)
{
    b->n = (int)n;
    for (size_t i = 0; i < n; i++) {
        b->length[i] = (int)v[i].s.n;
        b->format[i] = v[i].type != VAL_INT;
        b->value[i] = v[i].type == VAL_NULL ? NULL : v[i].s.p ? v[i].s.p : "";
        if (v[i].type == VAL_INT) {
            snprintf(b->number[i], sizeof(b->number[i]), "%" PRId64, v[i].i);
            b->value[i] = b->number[i];
        }
    }
}

void pg_statement_name(enum query q, char ret[static 16])
{
    snprintf(ret, 16, "q%d", (int)q);
}

static err_t prepare(struct pg_db *db, enum query q)
{
    char name[16];
    if (db->prepared[q])
        return ERR_OK;
    pg_statement_name(q, name);
    PGresult *r = pg_prepare(db, name, query_sql(q));
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        return pg_failed(db, r, query_name(q));
    PQclear(r);
    db->prepared[q] = true;
    return ERR_OK;
}

static err_t try_once(struct pg_db *db, enum query q, const struct val *v, size_t n, PGresult **ret)
{
    struct pg_bound b;
    char name[16];
    TRY(pg_ready(db));
    TRY(prepare(db, q));
    bind(&b, v, n);
    pg_statement_name(q, name);
    PGresult *r = pg_query_prepared(db, name, &b);
    ExecStatusType s = PQresultStatus(r);
    if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK)
        return pg_failed(db, r, query_name(q));
    *ret = r;
    return ERR_OK;
}

/* ret NULL: nobody waits for the answer. */
static err_t in_tx(struct pg_db *db, enum query q, const struct val *v, size_t n, PGresult **ret)
{
    struct pg_bound b;
    TRY(pg_ready(db));
    bind(&b, v, n);
    TRY(pg_pipe(db, q, &b));
    return ret ? pg_drain(db, ret) : ERR_OK;
}

/* A connection that has been idle learns of the server's restart when it is used: outside of transactions that costs a second try. */
static err_t execute(struct pg_db *db, enum query q, const struct val *v, size_t n, PGresult **ret)
{
    if (fault_now(db->head.store))
        return ERR_STORE;
    if (n > LIMIT_QUERY_PARAMS)
        return ERR_INTERNAL;
    if (db->head.tx)
        return in_tx(db, q, v, n, ret);
    bool was_up = PQstatus(db->conn) == CONNECTION_OK;
    err_t e = try_once(db, q, v, n, ret);
    bool lost = e != ERR_OK && was_up && PQstatus(db->conn) != CONNECTION_OK;
    return lost && !db->snapshot ? try_once(db, q, v, n, ret) : e;
}

err_t pg_run(struct db *head, enum query q, const struct val *v, size_t n, int64_t *ret_changed)
{
    PGresult *r = NULL;
    int64_t changed = 0;
    TRY(execute((struct pg_db *)head, q, v, n, ret_changed || !head->tx ? &r : NULL));
    if (ret_changed) {
        (void)str_to_int(str_z(PQcmdTuples(r)), &changed);
        *ret_changed = changed;
    }
    PQclear(r);
    return ERR_OK;
}

err_t pg_rows(struct db *head, enum query q, const struct val *v, size_t n, struct rows *ret)
{
    PGresult *r;
    *ret = (struct rows){.db = head, .at = -1};
    ret->err = execute((struct pg_db *)head, q, v, n, &r);
    if (ret->err == ERR_OK)
        ret->stmt = r;
    return ret->err;
}

bool pg_next(struct rows *r)
{
    return r->err == ERR_OK && ++r->at < PQntuples(r->stmt);
}

err_t pg_end(struct rows *r)
{
    PQclear(r->stmt);
    r->stmt = NULL;
    return r->err;
}

int64_t pg_col_int(const struct rows *r, int col)
{
    const unsigned char *p = (const unsigned char *)PQgetvalue(r->stmt, r->at, col);
    int n = PQgetlength(r->stmt, r->at, col);
    uint64_t v = n > 0 && (p[0] & 0x80) ? UINT64_MAX : 0;
    if (PQgetisnull(r->stmt, r->at, col))
        return 0;
    for (int i = 0; i < n && i < 8; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

struct str pg_col_text(const struct rows *r, int col)
{
    if (PQgetisnull(r->stmt, r->at, col))
        return STR_NONE;
    return (struct str){PQgetvalue(r->stmt, r->at, col), (size_t)PQgetlength(r->stmt, r->at, col)};
}

bool pg_col_null(const struct rows *r, int col)
{
    return PQgetisnull(r->stmt, r->at, col) != 0;
}
