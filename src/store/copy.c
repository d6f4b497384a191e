/* Moving a store: every table of one into an empty one, of either engine, in one stream, in batches that say how far they are, so that a copy that was
 * cut off goes on where it stood; then both are read side by side and compared row by row. The table meta comes last, in one transaction that
 * also removes the marks: until then no server opens the target. */
#include "store/copy.h"
#include "store/engine.h"
#include <stdlib.h>

#define ROWS_A_COMMIT 4096

err_t copy_failed(struct copy *c, struct copy_end *e, const char *doing)
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

err_t copy_ask(struct copy *c, struct copy_end *e, const char *sql, int64_t *ret)
{
    return copy_number(e, sql, ret) == ERR_OK ? ERR_OK : copy_failed(c, e, "looking at");
}

/* SQL with the table's columns; in the arena. */
const char *copy_select(struct copy *c, const struct copy_table *t, struct str order, int64_t skip)
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

void copy_say(struct copy *c, const struct copy_table *t, bool verifying)
{
    if (c->c->progress)
        c->c->progress(c->c->ctx, t->name, c->done, c->total, verifying);
}

/* --- copying --- */

static err_t batch(struct copy *c, const struct copy_table *t, const char *mark, int64_t *at, bool *ret_more)
{
    struct val row[LIMIT_COPY_COLUMNS];
    bool more = true;
    if (c->to->engine->begin(c->to, t, NULL) != ERR_OK)
        return copy_failed(c, c->to, "writing to");
    for (int i = 0; i < ROWS_A_COMMIT && more; i++) {
        if (c->from->engine->next(c->from, row, t->ncolumns, &more) != ERR_OK)
            return copy_failed(c, c->from, "reading");
        if (more && c->to->engine->write(c->to, row) != ERR_OK)
            return copy_failed(c, c->to, "writing to");
        *at += more;
        c->done += more;
    }
    if (c->to->engine->commit(c->to, mark, *at) != ERR_OK)
        return copy_failed(c, c->to, "writing to");
    copy_say(c, t, false);
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
    TRY(copy_ask(c, c->to, arena_fmt(c->a, "SELECT value FROM meta WHERE name = '%s'", mark).p, &at));
    const char *sql = copy_select(c, t, t->natural, at);
    c->c->resumed = c->c->resumed || at > 0;
    c->done += at;
    if (!sql)
        return ERR_MEMORY;
    if (c->from->engine->read(c->from, sql) != ERR_OK)
        return copy_failed(c, c->from, "reading");
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
    const char *sql = copy_select(c, t, t->natural, 0);
    if (!sql || c->from->engine->read(c->from, sql) != ERR_OK)
        return copy_failed(c, c->from, "reading");
    err_t e = c->to->engine->begin(c->to, t, "DELETE FROM " COPY_META);
    while (e == ERR_OK && more) {
        if ((e = c->from->engine->next(c->from, row, t->ncolumns, &more)) == ERR_OK && more)
            e = c->to->engine->write(c->to, row);
        c->done += more;
    }
    c->from->engine->stop(c->from);
    if (e == ERR_OK)
        e = c->to->engine->commit(c->to, NULL, 0);
    return e == ERR_OK ? ERR_OK : copy_failed(c, c->to, "writing to");
}

static err_t copy_all(struct copy *c)
{
    int64_t source;
    bool marked;
    TRY(copy_check_marks(c, &marked));
    if (!marked) {
        TRY(copy_check_empty(c));
        TRY(copy_ask(c, c->from, "SELECT min(id) FROM object WHERE kind = 'tenant'", &source));
        if (c->to->engine->begin(c->to, NULL, "DELETE FROM " COPY_META) != ERR_OK || c->to->engine->commit(c->to, COPY_MARK, source) != ERR_OK)
            return copy_failed(c, c->to, "writing to");
    }
    for (size_t i = 0; i < c->ntables; i++)
        if (!str_is(c->table[i].name, COPY_META))
            TRY(copy_table(c, &c->table[i]));
    return ERR_OK;
}

/* --- all --- */

static err_t copy_and_compare(struct copy *c)
{
    bool marked;
    TRY(copy_describe(c));
    if (c->c->verify_only) {
        TRY(copy_check_marks(c, &marked));
        if (marked)
            return fault_set(c->f, ERR_CONFLICT, "", "the copy has not been finished: run it again without --verify-only");
        TRY(copy_compare(c, false));
        return copy_compare(c, true);
    }
    TRY(copy_all(c));
    c->done = 0;
    TRY(copy_compare(c, false));
    for (size_t i = 0; i < c->ntables; i++)
        if (str_is(c->table[i].name, COPY_META))
            TRY(copy_meta(c, &c->table[i]));
    return copy_compare(c, true);
}

err_t store_copy(struct store_copy *copy, struct fault *f)
{
    struct copy *c = calloc(1, sizeof(*c));
    struct arena *a = arena_new(16 * 1024 * 1024);
    err_t e = ERR_MEMORY;
    if (c && a) {
        *c = (struct copy){.c = copy, .f = f, .a = a};
        e = copy_open_ends(c);
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
