/* The schema's steps (migrations.def) in an engine's dialect. How to run them is the engine's business. */
#include "store/engine.h"

static const struct {
    int version;
    const char *what, *sql;
} steps[] = {
#define MIGRATION(version, what, sql) {version, what, sql},
#include "store/migrations.def"
#undef MIGRATION
};
#define STEPS (int)(sizeof(steps) / sizeof(steps[0]))

int schema_newest(void)
{
    return steps[STEPS - 1].version;
}

int schema_steps(void)
{
    return STEPS;
}

static struct str substitute(struct str rest, const struct dialect *d, size_t *ret_skip)
{
    const struct {
        struct str name;
        const char *with;
    } words[] = {{STR("{key}"), d->key}, {STR("{blob}"), d->blob}, {STR("{in_order}"), d->in_order}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_starts(rest, words[i].name)) {
            *ret_skip = words[i].name.n;
            return str_z(words[i].with);
        }
    *ret_skip = 1;
    return (struct str){rest.p, 1};
}

bool schema_step(int at, const struct dialect *d, struct arena *a, int *ret_version, const char **ret_what,
                 const char **ret_sql)
{
    struct buf b;
    buf_init(&b, a, 1024 * 1024);
    for (struct str rest = str_z(steps[at].sql); rest.n;) {
        size_t skip = 1;
        buf_str(&b, substitute(rest, d, &skip));
        rest = (struct str){rest.p + skip, rest.n - skip};
    }
    buf_char(&b, '\0');
    *ret_version = steps[at].version;
    *ret_what = steps[at].what;
    *ret_sql = buf_view(&b).p;
    return buf_ok(&b);
}
