/* Waiting for the database. A connection can fall silent without being closed (a cable, a firewall, a stopped machine), so nobody waits
 * for a socket alone: while the listener (pg_news.c) hears the database a statement may take its time, and when it does not
 * every wait ends and its connection is given up. */
#include "store/pg.h"
#include <poll.h>

#define SLICE_MS 200
#define ALONE_MS 35000 /* where nobody listens: longer than statement_timeout */

static int64_t now_ms(const struct pg_db *db)
{
    const struct clock *c = db->head.store->cfg.clock;
    return c->steady_ms(c->ctx);
}

static bool readable(const struct pg_db *db)
{
    struct pollfd p = {.fd = PQsocket(db->conn), .events = POLLIN};
    int64_t since = now_ms(db), until = since + ALONE_MS;
    while (p.fd >= 0) {
        int n = poll(&p, 1, SLICE_MS);
        if (n > 0)
            return true;
        int64_t now = now_ms(db);
        if ((now > until && !db->patient) || (now > since + LIMIT_LEASE_MS && !pg_news_alive(db->head.store)))
            return false;
    }
    return false;
}

static bool failed(const PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);
    return s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK;
}

bool pg_wait(struct pg_db *db)
{
    while (PQisBusy(db->conn)) {
        if (!readable(db)) {
            PQfinish(db->conn);
            db->conn = NULL;
            return false;
        }
        if (!PQconsumeInput(db->conn))
            break; /* PQgetResult says so */
    }
    return true;
}

static PGresult *await(struct pg_db *db, int sent)
{
    PGresult *last = NULL, *r;
    if (!sent)
        return NULL;
    for (;;) {
        if (!pg_wait(db)) {
            PQclear(last);
            return NULL;
        }
        r = PQgetResult(db->conn);
        if (!r)
            return last;
        if (last && failed(last)) {
            PQclear(r);
            continue;
        }
        PQclear(last);
        last = r;
    }
}

PGresult *pg_query(struct pg_db *db, const char *sql)
{
    return await(db, db->conn ? PQsendQuery(db->conn, sql) : 0);
}

PGresult *pg_prepare(struct pg_db *db, const char *name, const char *sql)
{
    return await(db, db->conn ? PQsendPrepare(db->conn, name, sql, 0, NULL) : 0);
}

PGresult *pg_query_prepared(struct pg_db *db, const char *name, const struct pg_bound *b)
{
    return await(db, db->conn ? PQsendQueryPrepared(db->conn, name, b->n, b->value, b->length, b->format, 1) : 0);
}
