/* What a fault in the configuration says: where, and which known name may have been meant. */
#include "app/config.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

void config_fault(struct config_faults *f, const char *place, const char *path, const char *fmt, ...)
{
    if (f->n++ >= LIMIT_CONFIG_FAULTS)
        return;
    if (*place)
        buf_fmt(&f->text, "%s: ", place);
    if (*path)
        buf_fmt(&f->text, "%s: ", path);
    va_list args;
    va_start(args, fmt);
    buf_vfmt(&f->text, fmt, args);
    va_end(args);
    buf_char(&f->text, '\n');
}

#define NEAR_MAX 64

/* Levenshtein distance of two short words. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NEAR_MAX + 1];
    size_t na = strlen(a), nb = strlen(b);
    if (na > NEAR_MAX || nb > NEAR_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned replace = diagonal + (a[i - 1] != b[j - 1]), above = row[j] + 1, left = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = replace < above ? replace : above;
            row[j] = left < row[j] ? left : row[j];
        }
    }
    return row[nb];
}

const char *config_nearest(struct arena *a, const char *name, const char *const *known, size_t n)
{
    const char *best = NULL;
    unsigned least = (unsigned)strlen(name) / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        unsigned d = distance(name, known[i]);
        if (d < least) {
            least = d;
            best = known[i];
        }
    }
    struct str s = best ? arena_fmt(a, "; did you mean %s?", best) : STR("");
    return s.p ? s.p : "";
}

const char *config_place(struct arena *a, const struct yaml_doc *d, const char *path)
{
    struct str s = arena_fmt(a, "%s:%d", d->file, yaml_line(d, path));
    return s.p ? s.p : d->file;
}
