/* A PostgreSQL store as an end of a copy: read row by row, written by COPY in binary form. */
#include "store/copy.h"
#include "store/engine.h"
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#define ALONE "SELECT pg_try_advisory_lock(1836213602)" /* servers share it (pg_slot.c) */
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23 }; /* pg_type.dat */

struct end {
    struct copy_end head;
    PGconn *conn;
    PGresult *row;                    /* the one being read */
    int width[LIMIT_COPY_COLUMNS];    /* of the columns being written: bytes of a number; 0: text or bytes */
    size_t nwidth;                    /* 0: nothing is being written */
    struct buf out;                   /* COPY's form, not sent yet */
};

static struct end *own(struct copy_end *e)
{
    return (struct end *)e;
}

static const char *error(struct copy_end *e)
{
    return PQerrorMessage(own(e)->conn);
}

static void close_end(struct copy_end *head)
{
    struct end *e = own(head);
    PQclear(e->row);
    PQfinish(e->conn);
    buf_free(&e->out);
    free(e);
}

static err_t run(struct end *e, const char *sql, ExecStatusType want)
{
    PGresult *r = PQexec(e->conn, sql);
    bool ok = PQresultStatus(r) == want;
    PQclear(r);
    return ok ? ERR_OK : ERR_STORE;
}

/* --- reading --- */

static int64_t be(const char *p, int n)
{
    uint64_t v = n > 0 && (p[0] & 0x80) ? UINT64_MAX : 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | (uint8_t)p[i];
    return (int64_t)v;
}

static void value(const PGresult *r, int i, struct val *ret)
{
    Oid type = PQftype(r, i);
    char *p = PQgetvalue(r, 0, i);
    int n = PQgetlength(r, 0, i);
    if (PQgetisnull(r, 0, i))
        *ret = (struct val){.type = VAL_NULL};
    else if (type == OID_INT8 || type == OID_INT4 || type == OID_INT2)
        *ret = vint(be(p, n));
    else
        *ret = (struct val){.type = type == OID_BYTEA ? VAL_BLOB : VAL_TEXT, .s = {p, (size_t)n}};
}

static err_t read_sql(struct copy_end *head, const char *sql)
{
    struct end *e = own(head);
    if (!PQsendQueryParams(e->conn, sql, 0, NULL, NULL, NULL, NULL, 1) || !PQsetSingleRowMode(e->conn))
        return ERR_STORE;
    return ERR_OK;
}

static err_t next(struct copy_end *head, struct val *row, size_t n, bool *ret_row)
{
    struct end *e = own(head);
    PQclear(e->row);
    e->row = PQgetResult(e->conn);
    ExecStatusType s = PQresultStatus(e->row);
    *ret_row = s == PGRES_SINGLE_TUPLE;
    for (size_t i = 0; i < n && *ret_row; i++)
        value(e->row, (int)i, &row[i]);
    return *ret_row || s == PGRES_TUPLES_OK ? ERR_OK : ERR_STORE;
}

static void stop(struct copy_end *head)
{
    struct end *e = own(head);
    PQclear(e->row);
    e->row = NULL;
    for (PGresult *r; (r = PQgetResult(e->conn));)
        PQclear(r);
}

static err_t tables(struct copy_end *e, struct arena *a, struct strs *ret)
{
    struct str *v = arena_array(a, struct str, LIMIT_COPY_TABLES);
    ret->v = v;
    return v ? copy_names(e, a,
                     "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'mereau_schema' ORDER BY tablename COLLATE \"C\"",
                     v, LIMIT_COPY_TABLES, &ret->n)
             : ERR_MEMORY;
}

static err_t describe(struct copy_end *head, struct arena *a, struct str table, struct copy_table *ret)
{
    struct str key[8];
    size_t nkey;
    struct buf b;
    *ret = (struct copy_table){.name = table};
    TRY(copy_names(head, a,
              arena_fmt(a, "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '%.*s'"
                           " ORDER BY column_name COLLATE \"C\"", STR_ARG(table)).p,
              ret->columns, LIMIT_COPY_COLUMNS, &ret->ncolumns));
    /* Texts in the order of their bytes, whatever the database's is. */
    TRY(copy_names(head, a,
              arena_fmt(a, "SELECT a.attname || CASE WHEN a.atttypid = 'text'::regtype THEN ' COLLATE \"C\"' ELSE '' END FROM pg_index i"
                           " CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(n, o) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n"
                           " WHERE i.indrelid = '%.*s'::regclass AND i.indisprimary ORDER BY k.o", STR_ARG(table)).p,
              key, 8, &nkey));
    buf_init(&b, a, LIMIT_TEXT);
    for (size_t i = 0; i < nkey; i++)
        buf_fmt(&b, "%s%.*s", i ? ", " : "", STR_ARG(key[i]));
    ret->sorted = ret->natural = buf_view(&b);
    return buf_ok(&b) && nkey ? ERR_OK : ERR_MEMORY;
}

/* --- writing --- */

static void put(struct buf *b, int64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buf_char(b, (char)(uint8_t)((uint64_t)v >> (8 * i)));
}

static err_t send_some(struct end *e, size_t at_least)
{
    if (e->out.n < at_least)
        return ERR_OK;
    struct str s = buf_view(&e->out);
    bool ok = buf_ok(&e->out) && PQputCopyData(e->conn, s.p, (int)s.n) == 1;
    e->out.n = 0;
    return ok ? ERR_OK : ERR_STORE;
}

/* How wide the table's numbers are. */
static err_t widths(struct end *e, const struct copy_table *t, struct str columns)
{
    char sql[2048];
    snprintf(sql, sizeof(sql), "SELECT %.*s FROM %.*s LIMIT 0", STR_ARG(columns), STR_ARG(t->name));
    PGresult *r = PQexec(e->conn, sql);
    bool ok = PQresultStatus(r) == PGRES_TUPLES_OK;
    for (size_t i = 0; i < t->ncolumns && ok; i++) {
        Oid type = PQftype(r, (int)i);
        e->width[i] = type == OID_INT8 ? 8 : type == OID_INT4 ? 4 : type == OID_INT2 ? 2 : 0;
    }
    PQclear(r);
    return ok ? ERR_OK : ERR_STORE;
}

static err_t begin(struct copy_end *head, const struct copy_table *t, const char *first_sql)
{
    static const char signature[] = "PGCOPY\n\377\r\n";
    struct end *e = own(head);
    char sql[2048], columns[1024];
    size_t at = 0;
    TRY(run(e, "BEGIN", PGRES_COMMAND_OK));
    if (first_sql)
        TRY(run(e, first_sql, PGRES_COMMAND_OK));
    if (!t)
        return ERR_OK;
    for (size_t i = 0; i < t->ncolumns && at < sizeof(columns); i++)
        at += (size_t)snprintf(columns + at, sizeof(columns) - at, "%s%.*s", i ? ", " : "", STR_ARG(t->columns[i]));
    if (at >= sizeof(columns))
        return ERR_TOO_LARGE;
    TRY(widths(e, t, str_z(columns)));
    snprintf(sql, sizeof(sql), "COPY %.*s (%s) FROM STDIN BINARY", STR_ARG(t->name), columns);
    TRY(run(e, sql, PGRES_COPY_IN));
    e->nwidth = t->ncolumns;
    buf_str(&e->out, (struct str){signature, sizeof(signature)}); /* with its NUL */
    put(&e->out, 0, 4);
    put(&e->out, 0, 4);
    return ERR_OK;
}

static err_t write_row(struct copy_end *head, const struct val *row)
{
    struct end *e = own(head);
    put(&e->out, (int64_t)e->nwidth, 2);
    for (size_t i = 0; i < e->nwidth; i++) {
        const struct val *v = &row[i];
        if (v->type == VAL_NULL) {
            put(&e->out, -1, 4);
        } else if (v->type == VAL_INT) {
            if (!e->width[i])
                return ERR_STORE_CORRUPT;
            put(&e->out, e->width[i], 4);
            put(&e->out, v->i, e->width[i]);
        } else {
            put(&e->out, (int64_t)v->s.n, 4);
            buf_str(&e->out, v->s);
        }
    }
    return send_some(e, 64 * 1024);
}

static err_t end_copy(struct end *e)
{
    put(&e->out, -1, 2);
    TRY(send_some(e, 0));
    e->nwidth = 0;
    if (PQputCopyEnd(e->conn, NULL) != 1)
        return ERR_STORE;
    PGresult *r = PQgetResult(e->conn);
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
    PQclear(r);
    while (ok && (r = PQgetResult(e->conn)))
        PQclear(r);
    return ok ? ERR_OK : ERR_STORE;
}

static err_t commit(struct copy_end *head, const char *mark, int64_t n)
{
    struct end *e = own(head);
    char sql[320];
    if (e->nwidth)
        TRY(end_copy(e));
    snprintf(sql, sizeof(sql), "INSERT INTO meta (name, value) VALUES ('%s', decode('%016llx', 'hex')) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
             mark ? mark : "", (unsigned long long)n);
    if (mark)
        TRY(run(e, sql, PGRES_COMMAND_OK));
    return run(e, "COMMIT", PGRES_COMMAND_OK);
}

/* --- opening --- */

static err_t one_word(struct end *e, const char *sql, struct str *ret)
{
    PGresult *r = PQexec(e->conn, sql);
    bool ok = PQresultStatus(r) == PGRES_TUPLES_OK;
    *ret = !ok || PQntuples(r) == 0 || PQgetisnull(r, 0, 0) ? STR_NONE : PQgetvalue(r, 0, 0)[0] == 't' ? STR("t") : STR("f");
    PQclear(r);
    return ok ? ERR_OK : ERR_STORE;
}

static err_t open_end(const char *where, struct copy_end **ret, struct fault *f)
{
    const char *const keys[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
    const char *const values[] = {where, "mereau store copy", "UTF8", NULL};
    struct str word = STR_NONE;
    struct end *e = calloc(1, sizeof(*e));
    if (!e)
        return ERR_MEMORY;
    e->head.engine = &copy_pg;
    buf_init(&e->out, NULL, LIMIT_COPY_ROW);
    e->conn = PQconnectdbParams(keys, values, 1);
    err_t r = ERR_OK;
    if (PQstatus(e->conn) != CONNECTION_OK || one_word(e, ALONE, &word) != ERR_OK)
        r = fault_set(f, ERR_STORE, "", "PostgreSQL: %.*s", (int)str_find(str_z(PQerrorMessage(e->conn)), '\n'), PQerrorMessage(e->conn));
    else if (!str_is(word, "t"))
        r = fault_set(f, ERR_STORE_LOCKED, "", "a server is using the database: stop it first");
    else if (one_word(e, "SELECT to_regclass('meta') IS NOT NULL", &word) != ERR_OK || !str_is(word, "t"))
        r = ERR_NOT_FOUND;
    if (r != ERR_OK) {
        close_end(&e->head);
        return r;
    }
    *ret = &e->head;
    return ERR_OK;
}

const struct copy_engine copy_pg = {open_end, close_end, tables, describe, read_sql, next, stop, begin, write_row, commit, error};
