/* A copy's two ends (an engine's tables as rows of values, read and written in bulk), and its parts. Private to src/store/copy*.c. */
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

struct copy {
    struct store_copy *c; /* what was asked for */
    struct fault *f;
    struct arena *a;
    struct copy_end *from, *to;
    struct copy_table table[LIMIT_COPY_TABLES];
    int64_t rows[LIMIT_COPY_TABLES];
    size_t ntables;
    int64_t total, done;
};

/* copy.c */
err_t copy_failed(struct copy *c, struct copy_end *e, const char *doing);                    /* unless there is a fault already */
err_t copy_ask(struct copy *c, struct copy_end *e, const char *sql, int64_t *ret);             /* copy_number, with a fault */
const char *copy_select(struct copy *c, const struct copy_table *t, struct str order, int64_t skip); /* in the arena; NULL */
void copy_say(struct copy *c, const struct copy_table *t, bool verifying);
/* copy_check.c: opens both ends, a new target with its schema, and describes the tables; what may not be copied where. */
err_t copy_open_ends(struct copy *c);
err_t copy_describe(struct copy *c);
err_t copy_check_marks(struct copy *c, bool *ret_marked); /* a copy of this very source has begun */
err_t copy_check_empty(struct copy *c);
/* copy_compare.c: the table meta alone, or all others. */
err_t copy_compare(struct copy *c, bool meta);
/* What both ends ask, by their own reading: a number or the eight bytes of one (0 for no row); the first column of at most `max` rows. */
err_t copy_number(struct copy_end *e, const char *sql, int64_t *ret);
err_t copy_names(struct copy_end *e, struct arena *a, const char *sql, struct str *ret, size_t max, size_t *ret_n);
#define COPY_META "meta"  /* the table that makes it a store: copied last */
#define COPY_MARK "copy/" /* in meta: before a table's name how many of its rows are there; alone, whose copy it is */
