/* Moving a store: every table of one into an empty one, of either engine, in one stream, in batches that say how far they are, so that a copy that was
 * cut off goes on where it stood; then both are read side by side and compared row by row. The table meta comes last, in one transaction that
 * also removes the marks: until then no server opens the target. */
#include "store/copy.h"
#include "store/engine.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS_A_COMMIT 4096
#define META          "meta"

struct copy {
    struct store_copy *c;
    struct fault *f;
    struct arena *a;
    struct copy_end *from, *to;
    struct copy_table table[LIMIT_COPY_TABLES];
    int64_t rows[LIMIT_COPY_TABLES];
    size_t ntables;
    int64_t total, done;
};

static bool is_dsn(const char *where)
{
    return str_starts(str_z(where), STR("postgres"));
}

static const struct copy_engine *engine_of(const char *where)
{
    return is_dsn(where) ? &copy_pg : &copy_sqlite;
}

static err_t failed(struct copy *c, struct copy_end *e, const char *doing)
{
    if (c->f->code != ERR_OK)
        return c->f->code;
    return fault_set(c->f, ERR_STORE, "", "%s %s: %s", doing, e == c->from ? "the source" : "the target", e->engine->error(e));
}

/* --- what both ends ask --- */

err_t copy_number(struct copy_end *e, const char *sql, int64_t *ret)
{
    struct val v = {.type = VAL_NULL};
    bool row = false;
    err_t r = e->engine->read(e, sql);
    if (r == ERR_OK)
        r = e->engine->next(e, &v, 1, &row);
    *ret = !row || v.type == VAL_NULL ? 0 : v.type == VAL_BLOB ? id_ceiling_read(v.s) : v.i;
    e->engine->stop(e);
    return r;
}

err_t copy_names(struct copy_end *e, struct arena *a, const char *sql, struct str *ret, size_t max, size_t *ret_n)
{
    struct val v;
    bool row = true;
    size_t n = 0;
    err_t r = sql ? e->engine->read(e, sql) : ERR_MEMORY;
    while (r == ERR_OK && (r = e->engine->next(e, &v, 1, &row)) == ERR_OK && row) {
        if (n == max)
            r = ERR_TOO_LARGE;
        else
            ret[n++] = arena_str(a, v.s);
    }
    e->engine->stop(e);
    *ret_n = n;
    return r;
}

/* SQL with the table's columns; in the arena. */
static const char *select_sql(struct copy *c, const struct copy_table *t, struct str order, int64_t skip)
{
    struct buf b;
    buf_init(&b, c->a, LIMIT_TEXT * 8);
    buf_z(&b, "SELECT ");
    for (size_t i = 0; i < t->ncolumns; i++)
        buf_fmt(&b, "%s%.*s", i ? ", " : "", STR_ARG(t->columns[i]));
    buf_fmt(&b, " FROM %.*s ORDER BY %.*s", STR_ARG(t->name), STR_ARG(order));
    if (skip)
        buf_fmt(&b, " LIMIT 9223372036854775807 OFFSET %lld", (long long)skip);
    buf_char(&b, '\0');
    return buf_ok(&b) ? buf_view(&b).p : NULL;
}

static void say(struct copy *c, const struct copy_table *t, bool verifying)
{
    if (c->c->progress)
        c->c->progress(c->c->ctx, t->name, c->done, c->total, verifying);
}

/* --- what may be copied where --- */

static err_t check_source(struct copy *c)
{
    struct str plan = STR_NONE;
    struct stat st;
    char path[4096];
    const char *where = c->c->from;
    snprintf(path, sizeof(path), "%s/mereau.db", where);
    if (!is_dsn(where) && stat(path, &st) != 0)
        return fault_set(c->f, ERR_NOT_FOUND, "", "there is no store in %s", where);
    TRY(store_migrate_plan(where, is_dsn(where) ? where : NULL, c->a, &plan, c->f));
    if (plan.n)
        return fault_set(c->f, ERR_STORE_VERSION, "", "the source is of an earlier version: bring it up first (mereau migrate), then copy");
    return ERR_OK;
}

/* A fresh target gets its schema as a server would give it. On PostgreSQL that needs a data directory for the moment. */
static err_t make_schema(struct copy *c)
{
    char dir[] = "/tmp/mereau-copy-XXXXXX";
    const char *to = c->c->to;
    struct store *s;
    bool pg = is_dsn(to);
    if (pg && !mkdtemp(dir))
        return fault_set(c->f, ERR_IO, "", "no directory can be made in /tmp");
    struct store_config cfg = {.data_dir = pg ? dir : to, .dsn = pg ? to : NULL, .clock = &clock_system};
    err_t e = store_open(&cfg, &s, c->f);
    if (e == ERR_OK)
        store_close(&s);
    if (pg) {
        char path[64];
        for (const char *const *name = (const char *const[]){"lock", "revoked.log", NULL}; *name; name++) {
            snprintf(path, sizeof(path), "%s/%s", dir, *name);
            unlink(path);
        }
        rmdir(dir);
    }
    return e;
}

static err_t number(struct copy *c, struct copy_end *e, const char *sql, int64_t *ret)
{
    return copy_number(e, sql, ret) == ERR_OK ? ERR_OK : failed(c, e, "looking at");
}

/* Whose copy is it? The store is known by the id of its first tenant. */
static err_t check_marks(struct copy *c, bool *ret_marked)
{
    int64_t marks = 0, source = 0, of = 0;
    TRY(number(c, c->to, "SELECT count(*) FROM meta WHERE name LIKE '" COPY_MARK "%'", &marks));
    *ret_marked = marks > 0;
    if (!marks)
        return ERR_OK;
    TRY(number(c, c->from, "SELECT min(id) FROM object WHERE kind = 'tenant'", &source));
    TRY(number(c, c->to, "SELECT value FROM meta WHERE name = '" COPY_MARK "'", &of));
    return of == source ? ERR_OK : fault_set(c->f, ERR_CONFLICT, "", "the target holds an unfinished copy of another store; empty it first");
}

static err_t check_empty(struct copy *c)
{
    for (size_t i = 0; i < c->ntables; i++) {
        int64_t n = 0;
        bool meta = str_is(c->table[i].name, META);
        TRY(number(c, c->to, arena_fmt(c->a, "SELECT count(*) FROM %.*s%s", STR_ARG(c->table[i].name), meta ? " WHERE name NOT LIKE 'id_ceiling%'" : "").p, &n));
        if (n)
            return fault_set(c->f, ERR_CONFLICT, "", "the target is not empty (table %.*s has %lld rows): copy into a new one", STR_ARG(c->table[i].name),
                             (long long)n);
    }
    return ERR_OK;
}

static err_t describe_tables(struct copy *c)
{
    struct strs ours, theirs;
    if (c->from->engine->tables(c->from, c->a, &ours) != ERR_OK)
        return failed(c, c->from, "looking at");
    if (c->to->engine->tables(c->to, c->a, &theirs) != ERR_OK)
        return failed(c, c->to, "looking at");
    if (ours.n > LIMIT_COPY_TABLES)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < ours.n; i++) {
        struct copy_table *t = &c->table[c->ntables];
        if (!strs_has(theirs, ours.v[i]))
            return fault_set(c->f, ERR_STORE_VERSION, "", "the target has no table %.*s", STR_ARG(ours.v[i]));
        if (c->from->engine->describe(c->from, c->a, ours.v[i], t) != ERR_OK)
            return failed(c, c->from, "looking at");
        TRY(number(c, c->from, arena_fmt(c->a, "SELECT count(*) FROM %.*s", STR_ARG(t->name)).p, &c->rows[c->ntables]));
        c->total += c->rows[c->ntables++];
    }
    return ERR_OK;
}

/* --- copying --- */

static err_t batch(struct copy *c, const struct copy_table *t, const char *mark, int64_t *at, bool *ret_more)
{
    struct val row[LIMIT_COPY_COLUMNS];
    bool more = true;
    if (c->to->engine->begin(c->to, t, NULL) != ERR_OK)
        return failed(c, c->to, "writing to");
    for (int i = 0; i < ROWS_A_COMMIT && more; i++) {
        if (c->from->engine->next(c->from, row, t->ncolumns, &more) != ERR_OK)
            return failed(c, c->from, "reading");
        if (more && c->to->engine->write(c->to, row) != ERR_OK)
            return failed(c, c->to, "writing to");
        *at += more;
        c->done += more;
    }
    if (c->to->engine->commit(c->to, mark, *at) != ERR_OK)
        return failed(c, c->to, "writing to");
    say(c, t, false);
    *ret_more = more;
    return ERR_OK;
}

static err_t copy_table(struct copy *c, const struct copy_table *t)
{
    int64_t at = 0;
    bool more = true;
    const char *mark = arena_fmt(c->a, COPY_MARK "%.*s", STR_ARG(t->name)).p;
    if (!mark)
        return ERR_MEMORY;
    TRY(number(c, c->to, arena_fmt(c->a, "SELECT value FROM meta WHERE name = '%s'", mark).p, &at));
    const char *sql = select_sql(c, t, t->natural, at);
    c->c->resumed = c->c->resumed || at > 0;
    c->done += at;
    if (!sql)
        return ERR_MEMORY;
    if (c->from->engine->read(c->from, sql) != ERR_OK)
        return failed(c, c->from, "reading");
    err_t e = ERR_OK;
    while (e == ERR_OK && more)
        e = batch(c, t, mark, &at, &more);
    c->from->engine->stop(c->from);
    return e;
}

/* The store's own numbers and keys: few rows; with them the target is a store. */
static err_t copy_meta(struct copy *c, const struct copy_table *t)
{
    struct val row[LIMIT_COPY_COLUMNS];
    bool more = true;
    const char *sql = select_sql(c, t, t->natural, 0);
    if (!sql || c->from->engine->read(c->from, sql) != ERR_OK)
        return failed(c, c->from, "reading");
    err_t e = c->to->engine->begin(c->to, t, "DELETE FROM " META);
    while (e == ERR_OK && more) {
        if ((e = c->from->engine->next(c->from, row, t->ncolumns, &more)) == ERR_OK && more)
            e = c->to->engine->write(c->to, row);
        c->done += more;
    }
    c->from->engine->stop(c->from);
    if (e == ERR_OK)
        e = c->to->engine->commit(c->to, NULL, 0);
    return e == ERR_OK ? ERR_OK : failed(c, c->to, "writing to");
}

static err_t copy_all(struct copy *c)
{
    int64_t source;
    bool marked;
    TRY(check_marks(c, &marked));
    if (!marked) {
        TRY(check_empty(c));
        TRY(number(c, c->from, "SELECT min(id) FROM object WHERE kind = 'tenant'", &source));
        if (c->to->engine->begin(c->to, NULL, "DELETE FROM " META) != ERR_OK || c->to->engine->commit(c->to, COPY_MARK, source) != ERR_OK)
            return failed(c, c->to, "writing to");
    }
    for (size_t i = 0; i < c->ntables; i++)
        if (!str_is(c->table[i].name, META))
            TRY(copy_table(c, &c->table[i]));
    return ERR_OK;
}

/* --- comparing --- */

static bool same(const struct val *x, const struct val *y)
{
    if ((x->type == VAL_NULL) != (y->type == VAL_NULL) || (x->type == VAL_INT) != (y->type == VAL_INT))
        return false;
    return x->type == VAL_NULL || (x->type == VAL_INT ? x->i == y->i : str_eq(x->s, y->s));
}

static err_t differs(struct copy *c, const struct copy_table *t, int64_t at, const char *column)
{
    return fault_set(c->f, ERR_STORE_CORRUPT, "", "the copy differs from its source: table %.*s, row %lld in the order of its key%s%s", STR_ARG(t->name),
                     (long long)at, column[0] ? ", column " : "", column);
}

static err_t compare_rows(struct copy *c, const struct copy_table *t)
{
    struct val x[LIMIT_COPY_COLUMNS], y[LIMIT_COPY_COLUMNS];
    for (int64_t at = 1;; at++) {
        bool more, other;
        if (c->from->engine->next(c->from, x, t->ncolumns, &more) != ERR_OK)
            return failed(c, c->from, "reading");
        if (c->to->engine->next(c->to, y, t->ncolumns, &other) != ERR_OK)
            return failed(c, c->to, "reading");
        if (more != other)
            return differs(c, t, at, "");
        if (!more)
            return ERR_OK;
        for (size_t i = 0; i < t->ncolumns; i++)
            if (!same(&x[i], &y[i]))
                return differs(c, t, at, arena_cstr(c->a, t->columns[i]));
        if (++c->done % ROWS_A_COMMIT == 0)
            say(c, t, true);
    }
}

static err_t compare_table(struct copy *c, const struct copy_table *t)
{
    struct copy_table other;
    if (c->to->engine->describe(c->to, c->a, t->name, &other) != ERR_OK)
        return failed(c, c->to, "looking at");
    const char *ours = select_sql(c, t, t->sorted, 0), *theirs = select_sql(c, t, other.sorted, 0);
    if (!ours || !theirs)
        return ERR_MEMORY;
    if (c->from->engine->read(c->from, ours) != ERR_OK)
        return failed(c, c->from, "reading");
    err_t e = c->to->engine->read(c->to, theirs) == ERR_OK ? compare_rows(c, t) : failed(c, c->to, "reading");
    c->from->engine->stop(c->from);
    c->to->engine->stop(c->to);
    say(c, t, true);
    return e;
}

static err_t compare(struct copy *c, bool meta)
{
    for (size_t i = 0; i < c->ntables; i++)
        if (str_is(c->table[i].name, META) == meta)
            TRY(compare_table(c, &c->table[i]));
    return ERR_OK;
}

/* --- all --- */

static err_t copy_and_compare(struct copy *c)
{
    bool marked;
    TRY(describe_tables(c));
    if (c->c->verify_only) {
        TRY(check_marks(c, &marked));
        if (marked)
            return fault_set(c->f, ERR_CONFLICT, "", "the copy has not been finished: run it again without --verify-only");
        TRY(compare(c, false));
        return compare(c, true);
    }
    TRY(copy_all(c));
    c->done = 0;
    TRY(compare(c, false));
    for (size_t i = 0; i < c->ntables; i++)
        if (str_is(c->table[i].name, META))
            TRY(copy_meta(c, &c->table[i]));
    return compare(c, true);
}

static err_t open_ends(struct copy *c)
{
    const struct copy_engine *from = engine_of(c->c->from), *to = engine_of(c->c->to);
    TRY(check_source(c));
    TRY(from->open(c->c->from, &c->from, c->f));
    struct fault before = *c->f;
    err_t e = to->open(c->c->to, &c->to, c->f);
    if (e != ERR_NOT_FOUND)
        return e;
    *c->f = before;
    if (c->c->verify_only)
        return fault_set(c->f, ERR_NOT_FOUND, "", "there is no store in the target");
    TRY(make_schema(c));
    return to->open(c->c->to, &c->to, c->f);
}

err_t store_copy(struct store_copy *copy, struct fault *f)
{
    struct copy *c = calloc(1, sizeof(*c));
    struct arena *a = arena_new(16 * 1024 * 1024);
    err_t e = ERR_MEMORY;
    if (c && a) {
        *c = (struct copy){.c = copy, .f = f, .a = a};
        e = open_ends(c);
        if (e == ERR_OK)
            e = copy_and_compare(c);
        if (c->from)
            c->from->engine->close(c->from);
        if (c->to)
            c->to->engine->close(c->to);
        copy->rows = c->total;
        copy->tables = (int64_t)c->ntables;
    }
    arena_free(&a);
    free(c);
    return e;
}
