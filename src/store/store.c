/* Opening and closing a store: the data directory, its lock, and what all engines share. */
#include "store/engine.h"
#include "store/fault.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPLAINTS_A_SECOND 10

/* Makes the directory (and nothing above it that other programs may rely on having another mode). */
static err_t open_dir(struct store *s, struct fault *f)
{
    if (mkdir(s->dir, 0700) != 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "", "the data directory %s cannot be made: %s", s->dir, strerror(errno));
    s->dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir_fd < 0)
        return fault_set(f, ERR_IO, "", "the data directory %s cannot be opened: %s", s->dir,
                         strerror(errno));
    return ERR_OK;
}

static err_t take_lock(struct store *s, struct fault *f)
{
    s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0)
        return fault_set(f, ERR_IO, "", "%s/lock cannot be opened: %s", s->dir, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    if (errno == EWOULDBLOCK)
        return fault_set(f, ERR_STORE_LOCKED, "", "another process is using the data directory %s", s->dir);
    return fault_set(f, ERR_IO, "", "%s/lock cannot be locked: %s", s->dir, strerror(errno));
}

static void let_go(struct store *s)
{
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    if (s->dir_fd >= 0)
        close(s->dir_fd);
    free(s->dir);
    free(s);
}

err_t store_open(const struct store_config *cfg, struct store **ret, struct fault *f)
{
    struct store *s = calloc(1, sizeof(*s));
    if (!s || !(s->dir = strdup(cfg->data_dir))) {
        free(s);
        return fault_set(f, ERR_MEMORY, "", "out of memory while opening the store");
    }
    s->engine = cfg->dsn ? &engine_pg : &engine_sqlite;
    s->cfg = *cfg;
    s->cfg.data_dir = s->dir;
    s->dir_fd = s->lock_fd = s->revoked.fd = -1;
    fault_arm(s);
    err_t e = open_dir(s, f);
    if (e == ERR_OK)
        e = take_lock(s, f);
    if (e == ERR_OK)
        e = revoked_open(s, f);
    if (e == ERR_OK)
        e = s->engine->open(s, f);
    if (e != ERR_OK) {
        revoked_close(s);
        let_go(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

void store_close(struct store **ps)
{
    struct store *s = *ps;
    if (!s)
        return;
    s->engine->close(s);
    *ps = NULL; /* until here its listener may be at work on news */
    revoked_close(s);
    let_go(s);
}

err_t store_migrate_plan(const char *data_dir, const char *dsn, struct arena *a, struct str *ret_text, struct fault *f)
{
    return dsn ? engine_pg.migrate_plan(dsn, a, ret_text, f) : engine_sqlite.migrate_plan(data_dir, a, ret_text, f);
}

err_t store_backup(struct store *s, const char *path, struct fault *f)
{
    return s->engine->backup(s, path, f);
}

err_t store_check(struct db *db, struct fault *f)
{
    return db->engine->check(db, f);
}

void store_on_commit(struct store *s, store_hook_fn fn, void *ctx)
{
    s->hook_ctx = ctx;
    atomic_store_explicit(&s->hook, fn, memory_order_release);
}

void store_on_news(struct store *s, store_news_fn fn, void *ctx)
{
    s->news_ctx = ctx;
    atomic_store_explicit(&s->news, fn, memory_order_release);
}

bool store_fresh(const struct store *s)
{
    return !s->engine->sharing || s->engine->sharing->fresh(s);
}

bool store_leads(const struct store *s)
{
    return !s->engine->sharing || s->engine->sharing->leads(s);
}

void store_serves(struct store *s)
{
    atomic_store(&s->serves, true);
}

int store_others(const struct store *s)
{
    return s->engine->sharing ? s->engine->sharing->others(s) : 0;
}

int store_slot(const struct store *s)
{
    return s->slot;
}

int64_t store_tenure(const struct store *s)
{
    return atomic_load(&s->tenure);
}

void store_complain(struct store *s, enum log_level level, const char *fmt, ...)
{
    if (!s->cfg.log)
        return;
    int64_t now = clock_wall_s(s->cfg.clock);
    if (atomic_exchange(&s->complained_s, now) != now)
        atomic_store(&s->complaints, 0);
    if (atomic_fetch_add(&s->complaints, 1) >= COMPLAINTS_A_SECOND)
        return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_write(s->cfg.log, level, STR_NONE, "store.error", "%s", text);
}

err_t store_is_whole(struct db *db, struct fault *f)
{
    struct rows r;
    TRY(db_rows(db, Q_META_COPYING, BIND_NONE, &r));
    bool copying = db_next(&r);
    TRY(db_end(&r));
    return copying ? fault_set(f, ERR_STORE_LOCKED, "store", "a copy into this store has not been finished: run the same `mereau store copy` again") : ERR_OK;
}
