/* Folds the write-ahead log into the file without holding commits up: a thread with a connection of its own
 * copies the bulk, then asks the writer to do the small rest between two commits and to start the log anew.
 * The log then stays near one size, so that its syncs need not grow a file. The same thread raises the
 * ceiling of ids. */
#include "store/sqlite.h"
#include "store/futex.h"
#include <stdlib.h>

#define FOLD_FRAMES  2048  /* 8 MiB of pages: time to fold */
#define HUGE_FRAMES  16384 /* 64 MiB: somebody holds the log */
#define IDLE_SECONDS 5 /* after so long without a commit what is left is folded, so that a restart is quick  \
                        */
#define READER_WAIT_MS 20 /* so long the writer waits for readers to leave the log */

struct checkpointer {
    struct store *store;
    struct sqlite_db *db;
    pthread_t thread;
    bool running;
    _Atomic uint32_t kick;
    _Atomic bool stop;
    _Atomic int frames; /* in the log after the last commit */
    _Atomic int folded; /* of those, copied */
    _Atomic int next;   /* fold when the log has so many */
    int idle_at, idle_s;
    int64_t warned_s;
};

/* After each commit, on the writer's thread. */
static int on_commit(void *ctx, sqlite3 *conn, const char *name, int frames)
{
    struct checkpointer *c = ctx;
    (void)conn;
    (void)name;
    atomic_store_explicit(&c->frames, frames, memory_order_relaxed);
    if (frames < atomic_load_explicit(&c->folded, memory_order_relaxed)) { /* the log has started anew */
        atomic_store_explicit(&c->folded, 0, memory_order_relaxed);
        atomic_store_explicit(&c->next, FOLD_FRAMES, memory_order_relaxed);
    }
    if (frames >= atomic_load_explicit(&c->next, memory_order_relaxed) && !atomic_exchange(&c->kick, 1))
        futex_wake(&c->kick);
    return SQLITE_OK;
}

static void warn_if_huge(struct checkpointer *c, int frames)
{
    int64_t now = clock_wall_s(c->store->cfg.clock);
    if (frames < HUGE_FRAMES || now < c->warned_s + 60)
        return;
    c->warned_s = now;
    store_complain(c->store, LOG_WARN, "the write-ahead log has grown to %d MiB: a long reading holds it",
                   frames / 256);
}

static void fold(struct checkpointer *c)
{
    int frames = 0, folded = 0;
    int rc = sqlite3_wal_checkpoint_v2(c->db->conn, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &folded);
    if (rc != SQLITE_OK && rc != SQLITE_BUSY)
        store_complain(c->store, LOG_ERROR, "checkpoint: %s (%d)", sqlite3_errmsg(c->db->conn), rc);
    if (rc == SQLITE_OK)
        atomic_store_explicit(&c->folded, folded, memory_order_relaxed);
    atomic_store_explicit(&c->next, atomic_load(&c->frames) + FOLD_FRAMES / 2, memory_order_relaxed);
    warn_if_huge(c, frames);
    if (rc == SQLITE_OK)
        writer_interrupt(((struct sqlite_store *)c->store->impl)->writer);
}

void checkpointer_rest(struct store *s)
{
    struct sqlite_store *own = s->impl;
    struct checkpointer *c = own->checkpointer;
    int frames = 0, folded = 0, usual = own->wdb->busy_ms;
    own->wdb->busy_ms = READER_WAIT_MS;
    int rc = sqlite3_wal_checkpoint_v2(own->wdb->conn, NULL, SQLITE_CHECKPOINT_RESTART, &frames, &folded);
    own->wdb->busy_ms = usual;
    if (rc == SQLITE_OK) {
        atomic_store_explicit(&c->folded, folded, memory_order_relaxed);
        atomic_store_explicit(&c->frames, 0, memory_order_relaxed);
        atomic_store_explicit(&c->next, FOLD_FRAMES, memory_order_relaxed);
    } else if (rc != SQLITE_BUSY) {
        store_complain(s, LOG_ERROR, "checkpoint: %s (%d)", sqlite3_errmsg(own->wdb->conn), rc);
    }
}

static void each_second(struct checkpointer *c)
{
    if (id_ceiling_due(c->store) && id_ceiling_raise(c->store, false) != ERR_OK)
        store_complain(c->store, LOG_WARN, "the ceiling of ids could not be written");
    int frames = atomic_load(&c->frames);
    c->idle_s = frames == c->idle_at ? c->idle_s + 1 : 0;
    c->idle_at = frames;
    if (c->idle_s == IDLE_SECONDS && frames > 0)
        fold(c);
}

static void *checkpointer_main(void *arg)
{
    struct checkpointer *c = arg;
    while (!atomic_load(&c->stop)) {
        futex_wait(&c->kick, 0, 1000);
        bool kicked = atomic_exchange(&c->kick, 0);
        if (atomic_load(&c->stop))
            break;
        if (kicked)
            fold(c);
        else
            each_second(c);
    }
    return NULL;
}

err_t checkpointer_new(struct store *s)
{
    struct sqlite_store *own = s->impl;
    struct checkpointer *c = calloc(1, sizeof(*c));
    if (!c)
        return ERR_MEMORY;
    own->checkpointer = c;
    c->store = s;
    atomic_init(&c->next, FOLD_FRAMES);
    TRY(sqlite_connect(s, own->path, SQLITE_OPEN_READWRITE, &c->db));
    TRY(sqlite_exec(c->db, "PRAGMA synchronous=FULL; PRAGMA cache_size=-64; PRAGMA mmap_size=0;"));
    sqlite3_wal_hook(own->wdb->conn, on_commit, c);
    return ERR_OK;
}

err_t checkpointer_start(struct store *s)
{
    struct checkpointer *c = ((struct sqlite_store *)s->impl)->checkpointer;
    TRY(writer_thread(&c->thread, "store-folder", checkpointer_main, c));
    c->running = true;
    return ERR_OK;
}

void checkpointer_stop(struct store *s)
{
    struct checkpointer *c = ((struct sqlite_store *)s->impl)->checkpointer;
    if (!c || !c->running)
        return;
    atomic_store(&c->stop, true);
    atomic_store(&c->kick, 1);
    futex_wake(&c->kick);
    pthread_join(c->thread, NULL);
    c->running = false;
}

void checkpointer_free(struct store *s)
{
    struct sqlite_store *own = s->impl;
    struct checkpointer *c = own->checkpointer;
    if (!c)
        return;
    sqlite3_wal_hook(own->wdb->conn, NULL, NULL);
    if (c->db)
        sqlite_disconnect(c->db);
    free(c);
    own->checkpointer = NULL;
}
