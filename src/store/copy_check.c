/* What may be copied where: a whole source of this version into an empty target, which gets its schema here; or on in one that was begun. */
#include "store/copy.h"
#include "store/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_dsn(const char *where)
{
    return str_starts(str_z(where), STR("postgres"));
}

static const struct copy_engine *engine_of(const char *where)
{
    return is_dsn(where) ? &copy_pg : &copy_sqlite;
}

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

/* Whose copy is it? The store is known by the id of its first tenant. */
err_t copy_check_marks(struct copy *c, bool *ret_marked)
{
    int64_t marks = 0, source = 0, of = 0;
    TRY(copy_ask(c, c->to, "SELECT count(*) FROM meta WHERE name LIKE '" COPY_MARK "%'", &marks));
    *ret_marked = marks > 0;
    if (!marks)
        return ERR_OK;
    TRY(copy_ask(c, c->from, "SELECT min(id) FROM object WHERE kind = 'tenant'", &source));
    TRY(copy_ask(c, c->to, "SELECT value FROM meta WHERE name = '" COPY_MARK "'", &of));
    return of == source ? ERR_OK : fault_set(c->f, ERR_CONFLICT, "", "the target holds an unfinished copy of another store; empty it first");
}

err_t copy_check_empty(struct copy *c)
{
    for (size_t i = 0; i < c->ntables; i++) {
        int64_t n = 0;
        bool meta = str_is(c->table[i].name, COPY_META);
        TRY(copy_ask(c, c->to, arena_fmt(c->a, "SELECT count(*) FROM %.*s%s", STR_ARG(c->table[i].name), meta ? " WHERE name NOT LIKE 'id_ceiling%'" : "").p, &n));
        if (n)
            return fault_set(c->f, ERR_CONFLICT, "", "the target is not empty (table %.*s has %lld rows): copy into a new one", STR_ARG(c->table[i].name),
                             (long long)n);
    }
    return ERR_OK;
}

err_t copy_describe(struct copy *c)
{
    struct strs ours, theirs;
    if (c->from->engine->tables(c->from, c->a, &ours) != ERR_OK)
        return copy_failed(c, c->from, "looking at");
    if (c->to->engine->tables(c->to, c->a, &theirs) != ERR_OK)
        return copy_failed(c, c->to, "looking at");
    if (ours.n > LIMIT_COPY_TABLES)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < ours.n; i++) {
        struct copy_table *t = &c->table[c->ntables];
        if (!strs_has(theirs, ours.v[i]))
            return fault_set(c->f, ERR_STORE_VERSION, "", "the target has no table %.*s", STR_ARG(ours.v[i]));
        if (c->from->engine->describe(c->from, c->a, ours.v[i], t) != ERR_OK)
            return copy_failed(c, c->from, "looking at");
        TRY(copy_ask(c, c->from, arena_fmt(c->a, "SELECT count(*) FROM %.*s", STR_ARG(t->name)).p, &c->rows[c->ntables]));
        c->total += c->rows[c->ntables++];
    }
    return ERR_OK;
}

err_t copy_open_ends(struct copy *c)
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
