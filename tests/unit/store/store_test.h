/* A store in a directory of its own under the temporary directory, for the tests of src/store and src/event.
 */
#pragma once
#include "store/store.h"
#include "unit.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct test_clock {
    struct clock clock;
    _Atomic int64_t ms; /* 0: the real one */
};

static int64_t test_wall(void *ctx)
{
    const struct test_clock *c = ctx;
    return c->ms ? c->ms : clock_system.wall_ms(clock_system.ctx);
}

static int64_t test_steady(void *ctx)
{
    const struct test_clock *c = ctx;
    return c->ms ? c->ms : clock_system.steady_ms(clock_system.ctx);
}

struct test_store {
    char dir[256];
    struct test_clock time;
    struct store *store;
    struct fault fault;
};

static inline err_t test_open(struct test_store *t)
{
    t->time.clock = (struct clock){test_wall, test_steady, &t->time};
    t->fault = (struct fault){.code = ERR_OK};
    const struct store_config cfg = {.data_dir = t->dir, .clock = &t->time.clock};
    return store_open(&cfg, &t->store, &t->fault);
}

static inline void test_dir(struct test_store *t)
{
    const char *tmp = getenv("TMPDIR");
    memset(t, 0, sizeof(*t));
    int n = snprintf(t->dir, sizeof(t->dir), "%s/mereau-store-XXXXXX", tmp ? tmp : "/tmp");
    if (n >= (int)sizeof(t->dir) || !mkdtemp(t->dir))
        abort();
}

static inline void test_file(const struct test_store *t, const char *name, char *ret, size_t n)
{
    snprintf(ret, n, "%s/%s", t->dir, name);
}

static inline void test_remove(struct test_store *t)
{
    store_close(&t->store);
    DIR *d = opendir(t->dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(t->dir);
}

static inline int64_t test_size(const struct test_store *t, const char *name)
{
    char path[512];
    struct stat st;
    test_file(t, name, path, sizeof(path));
    return stat(path, &st) == 0 ? st.st_size : -1;
}

/* One row of meta, by a transaction; and what it says. */
struct test_put {
    const char *name;
    char value[64];
};
static inline err_t test_put_tx(struct db *db, void *ctx)
{
    const struct test_put *p = ctx;
    return db_run(db, Q_META_PUT, BIND(vtext(str_z(p->name)), vblob(p->value, strlen(p->value))), NULL);
}
static inline err_t test_put(struct store *s, const char *name, const char *value)
{
    struct test_put p = {.name = name};
    snprintf(p.value, sizeof(p.value), "%s", value);
    return store_tx(s, test_put_tx, &p);
}
static inline bool test_is(struct db *db, const char *name, const char *value)
{
    struct rows r;
    bool is = false;
    if (db_rows(db, Q_META_GET, BIND(vtext(str_z(name))), &r) == ERR_OK && db_next(&r))
        is = value && str_is(db_text(&r, 0), value);
    else
        is = !value;
    return db_end(&r) == ERR_OK && is;
}
