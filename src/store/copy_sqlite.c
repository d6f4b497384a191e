/* A SQLite store as an end of a copy. */
#include "store/copy.h"
#include "store/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct end {
    struct copy_end head;
    sqlite3 *conn;
    int lock_fd;
    sqlite3_stmt *reading, *writing;
    int nwriting;
};

static struct end *own(struct copy_end *e)
{
    return (struct end *)e;
}

static void close_end(struct copy_end *head)
{
    struct end *e = own(head);
    sqlite3_finalize(e->reading);
    sqlite3_finalize(e->writing);
    sqlite3_close(e->conn);
    if (e->lock_fd >= 0)
        close(e->lock_fd);
    free(e);
}

static err_t lock(struct end *e, const char *dir, struct fault *f)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/lock", dir);
    e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (e->lock_fd < 0)
        return fault_set(f, ERR_IO, "", "%s cannot be opened: %s", path, strerror(errno));
    if (flock(e->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fault_set(f, ERR_STORE_LOCKED, "", "a server is using %s: stop it first", dir);
    return ERR_OK;
}

static err_t open_end(const char *where, struct copy_end **ret, struct fault *f)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof(path), "%s/" SQLITE_FILE, where);
    if (stat(path, &st) != 0)
        return ERR_NOT_FOUND;
    struct end *e = calloc(1, sizeof(*e));
    if (!e)
        return ERR_MEMORY;
    e->head.engine = &copy_sqlite;
    e->lock_fd = -1;
    err_t r = lock(e, where, f);
    if (r == ERR_OK && (sqlite3_open_v2(path, &e->conn, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
                        sqlite3_exec(e->conn, "PRAGMA synchronous = FULL; PRAGMA cache_size = -65536", NULL, NULL, NULL) != SQLITE_OK))
        r = fault_set(f, ERR_STORE, "", "%s cannot be opened: %s", path, sqlite3_errmsg(e->conn));
    if (r != ERR_OK) {
        close_end(&e->head);
        return r;
    }
    *ret = &e->head;
    return ERR_OK;
}

static const char *error(struct copy_end *e)
{
    return sqlite3_errmsg(own(e)->conn);
}

static err_t read_sql(struct copy_end *head, const char *sql)
{
    struct end *e = own(head);
    return sqlite3_prepare_v2(e->conn, sql, -1, &e->reading, NULL) == SQLITE_OK ? ERR_OK : ERR_STORE;
}

static void stop(struct copy_end *head)
{
    sqlite3_finalize(own(head)->reading);
    own(head)->reading = NULL;
}

static void value(sqlite3_stmt *s, int i, struct val *ret)
{
    int type = sqlite3_column_type(s, i);
    if (type == SQLITE_NULL)
        *ret = (struct val){.type = VAL_NULL};
    else if (type == SQLITE_INTEGER)
        *ret = vint(sqlite3_column_int64(s, i));
    else if (type == SQLITE_BLOB)
        *ret = (struct val){.type = VAL_BLOB, .s = {sqlite3_column_blob(s, i), (size_t)sqlite3_column_bytes(s, i)}};
    else
        *ret = (struct val){.type = VAL_TEXT, .s = {(const char *)sqlite3_column_text(s, i), (size_t)sqlite3_column_bytes(s, i)}};
    if (ret->type != VAL_NULL && ret->type != VAL_INT && !ret->s.p)
        ret->s.p = "";
}

static err_t next(struct copy_end *head, struct val *row, size_t n, bool *ret_row)
{
    sqlite3_stmt *s = own(head)->reading;
    int rc = sqlite3_step(s);
    *ret_row = rc == SQLITE_ROW;
    for (size_t i = 0; i < n && rc == SQLITE_ROW; i++)
        value(s, (int)i, &row[i]);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : ERR_STORE;
}

static err_t tables(struct copy_end *e, struct arena *a, struct strs *ret)
{
    struct str *v = arena_array(a, struct str, LIMIT_COPY_TABLES);
    ret->v = v;
    return v ? copy_names(e, a, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name", v, LIMIT_COPY_TABLES, &ret->n)
             : ERR_MEMORY;
}

static err_t describe(struct copy_end *e, struct arena *a, struct str table, struct copy_table *ret)
{
    struct str key[8];
    size_t nkey, i;
    struct buf b;
    *ret = (struct copy_table){.name = table, .natural = STR("rowid")};
    TRY(copy_names(e, a, arena_fmt(a, "SELECT name FROM pragma_table_info('%.*s') ORDER BY name", STR_ARG(table)).p, ret->columns, LIMIT_COPY_COLUMNS,
              &ret->ncolumns));
    TRY(copy_names(e, a, arena_fmt(a, "SELECT name FROM pragma_table_info('%.*s') WHERE pk > 0 ORDER BY pk", STR_ARG(table)).p, key, 8, &nkey));
    buf_init(&b, a, LIMIT_TEXT);
    if (nkey == 1 && str_is(key[0], "id") && strs_has((struct strs){ret->columns, ret->ncolumns}, STR("tenant_id")))
        buf_z(&b, "tenant_id, "); /* the key on PostgreSQL */
    for (i = 0; i < nkey; i++)
        buf_fmt(&b, "%s%.*s", i ? ", " : "", STR_ARG(key[i]));
    ret->sorted = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

/* --- writing --- */

static err_t run(struct end *e, const char *sql)
{
    return sqlite3_exec(e->conn, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : ERR_STORE;
}

static err_t begin(struct copy_end *head, const struct copy_table *t, const char *first_sql)
{
    struct end *e = own(head);
    struct buf b;
    TRY(run(e, "BEGIN IMMEDIATE"));
    if (first_sql)
        TRY(run(e, first_sql));
    if (!t)
        return ERR_OK;
    buf_init(&b, NULL, LIMIT_TEXT * 8);
    buf_fmt(&b, "INSERT INTO %.*s (", STR_ARG(t->name));
    for (size_t i = 0; i < t->ncolumns; i++)
        buf_fmt(&b, "%s%.*s", i ? ", " : "", STR_ARG(t->columns[i]));
    buf_z(&b, ") VALUES (");
    for (size_t i = 0; i < t->ncolumns; i++)
        buf_z(&b, i ? ", ?" : "?");
    buf_z(&b, ")");
    buf_char(&b, '\0');
    bool ok = buf_ok(&b) && sqlite3_prepare_v2(e->conn, buf_view(&b).p, -1, &e->writing, NULL) == SQLITE_OK;
    e->nwriting = (int)t->ncolumns;
    buf_free(&b);
    return ok ? ERR_OK : ERR_STORE;
}

static int bind(sqlite3_stmt *s, int at, const struct val *v)
{
    switch (v->type) {
    case VAL_NULL:
        return sqlite3_bind_null(s, at);
    case VAL_INT:
        return sqlite3_bind_int64(s, at, v->i);
    case VAL_TEXT:
        return sqlite3_bind_text(s, at, v->s.p, (int)v->s.n, SQLITE_STATIC);
    case VAL_BLOB:
        return sqlite3_bind_blob(s, at, v->s.p, (int)v->s.n, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static err_t write_row(struct copy_end *head, const struct val *row)
{
    struct end *e = own(head);
    for (int i = 0; i < e->nwriting; i++)
        if (bind(e->writing, i + 1, &row[i]) != SQLITE_OK)
            return ERR_STORE;
    int rc = sqlite3_step(e->writing);
    sqlite3_reset(e->writing);
    return rc == SQLITE_DONE ? ERR_OK : ERR_STORE;
}

static err_t commit(struct copy_end *head, const char *mark, int64_t n)
{
    struct end *e = own(head);
    char sql[256];
    sqlite3_finalize(e->writing);
    e->writing = NULL;
    snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO meta (name, value) VALUES ('%s', x'%016llx')", mark ? mark : "", (unsigned long long)n);
    if (mark)
        TRY(run(e, sql));
    return run(e, "COMMIT");
}

const struct copy_engine copy_sqlite = {open_end, close_end, tables, describe, read_sql, next, stop, begin, write_row, commit, error};
