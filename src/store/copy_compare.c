/* Both stores read side by side in the order of their keys, and compared row by row. */
#include "store/copy.h"

#define SAY_EVERY 4096 /* rows */

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
            return copy_failed(c, c->from, "reading");
        if (c->to->engine->next(c->to, y, t->ncolumns, &other) != ERR_OK)
            return copy_failed(c, c->to, "reading");
        if (more != other)
            return differs(c, t, at, "");
        if (!more)
            return ERR_OK;
        for (size_t i = 0; i < t->ncolumns; i++)
            if (!same(&x[i], &y[i]))
                return differs(c, t, at, arena_cstr(c->a, t->columns[i]));
        if (++c->done % SAY_EVERY == 0)
            copy_say(c, t, true);
    }
}

static err_t compare_table(struct copy *c, const struct copy_table *t)
{
    struct copy_table other;
    if (c->to->engine->describe(c->to, c->a, t->name, &other) != ERR_OK)
        return copy_failed(c, c->to, "looking at");
    const char *ours = copy_select(c, t, t->sorted, 0), *theirs = copy_select(c, t, other.sorted, 0);
    if (!ours || !theirs)
        return ERR_MEMORY;
    if (c->from->engine->read(c->from, ours) != ERR_OK)
        return copy_failed(c, c->from, "reading");
    err_t e = c->to->engine->read(c->to, theirs) == ERR_OK ? compare_rows(c, t) : copy_failed(c, c->to, "reading");
    c->from->engine->stop(c->from);
    c->to->engine->stop(c->to);
    copy_say(c, t, true);
    return e;
}

err_t copy_compare(struct copy *c, bool meta)
{
    for (size_t i = 0; i < c->ntables; i++)
        if (str_is(c->table[i].name, COPY_META) == meta)
            TRY(compare_table(c, &c->table[i]));
    return ERR_OK;
}
