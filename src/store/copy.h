/* The two ends of a copy (copy.c): an engine's tables as rows of values, read and written in bulk. Private to src/store. */
#pragma once
#include "store/store.h"
#include "base/limits.h"

struct copy_table {
    struct str name;
    struct str columns[LIMIT_COPY_COLUMNS]; /* by name */
    size_t ncolumns;
    struct str natural, sorted; /* what to order by: as it is cheap here; as every engine does */
};
struct copy_end;
struct copy_engine {
    /* Nobody else uses the store then. ERR_STORE_LOCKED; ERR_NOT_FOUND when there is none. */
    err_t (*open)(const char *where, struct copy_end **ret, struct fault *f);
    void (*close)(struct copy_end *e);
    err_t (*tables)(struct copy_end *e, struct arena *a, struct strs *ret);
    err_t (*describe)(struct copy_end *e, struct arena *a, struct str table, struct copy_table *ret);
    /* A stream of rows; the slices of one live until the next. *ret_row false: the end. */
    err_t (*read)(struct copy_end *e, const char *sql);
    err_t (*next)(struct copy_end *e, struct val *row, size_t n, bool *ret_row);
    void (*stop)(struct copy_end *e);
    /* One transaction: rows of one table, then, at its end, a word in meta (NULL: none). */
    err_t (*begin)(struct copy_end *e, const struct copy_table *t, const char *first_sql);
    err_t (*write)(struct copy_end *e, const struct val *row);
    err_t (*commit)(struct copy_end *e, const char *mark, int64_t value);
    const char *(*error)(struct copy_end *e);
};
struct copy_end {
    const struct copy_engine *engine;
};
extern const struct copy_engine copy_sqlite, copy_pg;
/* What both ends ask, by their own reading: a number or the eight bytes of one (0 for no row); the first column of at most `max` rows. */
err_t copy_number(struct copy_end *e, const char *sql, int64_t *ret);
err_t copy_names(struct copy_end *e, struct arena *a, const char *sql, struct str *ret, size_t max, size_t *ret_n);
#define COPY_MARK "copy/" /* in meta: before a table's name how many of its rows are there; alone, whose copy it is */
