/* mereau restore: puts a backup in the place of the store. What was revoked since the backup stays revoked:
 * revoked.log is replayed, or, without it, everything issued so far is refused. The store that was there is
 * kept until the new one has opened. */
#include "app/commands.h"
#include "token/audit.h"
#include "token/cache.h"
#include "token/life.h"
#include "token/tenant.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE "mereau.db"
#define KEPT  "mereau.db.before-restore"
#define PART  "mereau.db.restoring"

struct restore {
    struct cli_call *call;
    struct app_host *host;
    int dir, lock;
    bool had_store, had_log, has_log, log_named;
    int64_t identity; /* of the store that was there; 0: unknown */
    int64_t replayed;
    struct app app;
    struct fault fault;
};

static err_t fail(struct restore *r, const char *what, const char *name)
{
    return fault_set(&r->fault, ERR_IO, "", "%s: %s: %s", name, what, strerror(errno));
}

static err_t copy_file(struct restore *r, const char *from, const char *to)
{
    char chunk[65536];
    ssize_t n = 0;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return fail(r, "cannot be read", from);
    unlinkat(r->dir, to, 0);
    int out = openat(r->dir, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = out >= 0;
    while (ok && (n = read(in, chunk, sizeof chunk)) > 0)
        ok = write(out, chunk, (size_t)n) == n;
    ok = ok && n == 0 && fsync(out) == 0;
    err_t e = ok ? ERR_OK : fail(r, "cannot be written", to);
    close(in);
    if (out >= 0)
        close(out);
    return e;
}

static err_t check_source(struct restore *r, const char *path)
{
    static const char magic[] = "SQLite format 3";
    char head[sizeof magic] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(r, "cannot be read", path);
    ssize_t n = read(fd, head, sizeof head);
    close(fd);
    if (n != sizeof head || memcmp(head, magic, sizeof magic))
        return fault_set(&r->fault, ERR_STORE_CORRUPT, "", "%s is no backup of mereau", path);
    return ERR_OK;
}

/* The store's own lock, while files change places. */
static err_t take_lock(struct restore *r)
{
    const char *dir = r->call->place->data_dir;
    if (r->dir >= 0)
        close(r->dir);
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return fail(r, "cannot be made", dir);
    r->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->dir < 0)
        return fail(r, "cannot be opened", dir);
    r->lock = openat(r->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (r->lock < 0 || flock(r->lock, LOCK_EX | LOCK_NB) < 0)
        return fault_set(&r->fault, ERR_STORE_LOCKED, "",
                         "a server or another command uses the store in %s: stop it first", dir);
    return ERR_OK;
}

static void drop_lock(struct restore *r)
{
    if (r->lock >= 0)
        close(r->lock);
    r->lock = -1;
}

/* The write-ahead log and its index belong to the file they stand beside. */
static void move_store(struct restore *r, const char *from, const char *to)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char a[64], b[64];
        snprintf(a, sizeof a, "%s%s", from, ends[i]);
        snprintf(b, sizeof b, "%s%s", to, ends[i]);
        unlinkat(r->dir, b, 0);
        renameat(r->dir, a, r->dir, b);
    }
}

/* A list of revocations is worth something only beside the store it was written for. The old store may be
 * damaged: then nobody knows. */
static err_t identity_of(struct db *db, int64_t *ret)
{
    struct rows r;
    TRY(db_rows(db, Q_RESTORE_IDENTITY, BIND_NONE, &r));
    *ret = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

static void look_at_old_store(struct restore *r, struct log *log)
{
    struct store *store = NULL;
    struct db *db = NULL;
    struct fault f = {0};
    struct metrics *m = metrics_new();
    struct store_config cfg = {r->call->place->data_dir, NULL, log, m, &clock_system};
    if (!app_has_store(cfg.data_dir, NULL) || !m || store_open(&cfg, &store, &f) != ERR_OK) {
        if (m)
            metrics_free(&m);
        return;
    }
    if (db_open(store, 256, &db) == ERR_OK) {
        if (identity_of(db, &r->identity) != ERR_OK)
            r->identity = 0;
        db_close(&db);
    }
    store_close(&store);
    metrics_free(&m);
}

static err_t put_in_place(struct restore *r, const char *source)
{
    struct str log = cli_option(r->call, "revoked-log");
    r->had_store = faccessat(r->dir, STORE, F_OK, 0) == 0;
    if (r->had_store && !cli_option(r->call, "force").p)
        return fault_set(&r->fault, ERR_CONFLICT, "", "there is a store in %s already; --force replaces it",
                         r->call->place->data_dir);
    TRY(copy_file(r, source, PART));
    if (log.p)
        TRY(copy_file(r, cli_path(r->call, arena_cstr(r->call->arena, log)), "revoked.log"));
    struct stat st;
    r->log_named = log.p != NULL;
    r->had_log = fstatat(r->dir, "revoked.log", &st, 0) == 0 && S_ISREG(st.st_mode);
    if (r->had_store)
        move_store(r, STORE, KEPT);
    if (renameat(r->dir, PART, r->dir, STORE) < 0)
        return fail(r, "cannot be put in place", STORE);
    return fsync(r->dir) == 0 ? ERR_OK : fail(r, "cannot be synced", r->call->place->data_dir);
}

static void undo(struct restore *r)
{
    unlinkat(r->dir, PART, 0);
    if (!r->had_log) /* opening the store made an empty one: the next try must not take it for the whole list
                      */
        unlinkat(r->dir, "revoked.log", 0);
    if (!r->had_store)
        unlinkat(r->dir, STORE, 0);
    else if (faccessat(r->dir, KEPT, F_OK, 0) == 0)
        move_store(r, KEPT, STORE);
}

/* --- what was revoked --- */
struct replay {
    struct restore *restore;
    struct db *db;
    struct arena *arena;
};

static err_t replay_line(void *ctx, struct str kind, int64_t tenant_id, int64_t id, int64_t cutoff_id)
{
    struct replay *p = ctx;
    struct op op;
    arena_reset(p->arena);
    err_t e = app_op(&p->restore->app, p->db, p->arena, &op);
    if (e == ERR_OK)
        e = node_replay(&op, kind, tenant_id, id, cutoff_id);
    op_end(&op);
    p->restore->replayed += e == ERR_OK;
    return e;
}

struct ending {
    int64_t now_s, cutoff_id; /* 0: revocations are known */
    struct store *store;
    struct audit audit;
};

static err_t end_tx(struct db *db, void *ctx)
{
    struct ending *x = ctx;
    TRY(db_run(db, Q_RESTORE_TICKETS, BIND(vint(x->now_s)), NULL));
    TRY(db_run(db, Q_RESTORE_STATUS, BIND_NONE, NULL));
    if (x->cutoff_id)
        TRY(db_run(db, Q_RESTORE_CUTOFF, BIND(vint(x->cutoff_id), vint(x->now_s)), NULL));
    return audit_write(db, x->store, &x->audit);
}

static err_t end_one_time_things(struct restore *r, struct op *op)
{
    struct store *store = op->core->store;
    struct ending x = {.now_s = op->now_s, .cutoff_id = r->has_log ? 0 : store_new_id(store), .store = store};
    op->actor = (struct actor){.kind = ACTOR_OPERATOR, .name = str_z(r->call->place->user)};
    struct str payload = arena_fmt(op->arena, "{\"revocations\":%lld,\"all_refused\":%s}",
                                   (long long)r->replayed, r->has_log ? "false" : "true");
    audit_make(op, AUDIT_RESTORED, STR("store"), payload, &x.audit);
    return store_tx(store, end_tx, &x);
}

static err_t bring_up(struct restore *r, struct log *log)
{
    struct db *db = NULL;
    struct op op;
    struct arena *a = arena_new(LIMIT_REQUEST_ARENA), *b = arena_new(LIMIT_REQUEST_ARENA);
    err_t e = a && b ? app_open(r->host->config, log, &r->app, &r->fault) : ERR_MEMORY;
    bool opened = e == ERR_OK;
    if (e == ERR_OK)
        e = db_open(r->app.core.store, 1024, &db);
    if (e == ERR_OK)
        e = store_check(db, &r->fault);
    int64_t identity = 0;
    if (e == ERR_OK)
        e = identity_of(db, &identity);
    r->has_log = r->had_log && (r->log_named || (identity && identity == r->identity));
    struct replay p = {r, db, b};
    if (e == ERR_OK && r->has_log)
        e = store_revoked_replay(r->call->place->data_dir, replay_line, &p);
    if (e == ERR_OK) {
        e = app_op(&r->app, db, a, &op);
        if (e == ERR_OK)
            e = end_one_time_things(r, &op);
        if (r->fault.code == ERR_OK)
            r->fault = op.fault;
        op_end(&op);
    }
    if (db)
        db_close(&db);
    if (opened)
        app_close(&r->app);
    arena_free(&a);
    arena_free(&b);
    return e;
}

static err_t restore(struct restore *r)
{
    const char *source = cli_path(r->call, r->call->argv[0]);
    struct log *log = log_new(STDERR_FILENO, LOG_ERROR, LOG_AUTO);
    err_t e = log ? check_source(r, source) : ERR_MEMORY;
    if (e == ERR_OK)
        e = take_lock(r);
    if (e == ERR_OK && cli_option(r->call, "force").p) {
        drop_lock(r); /* opening takes it */
        look_at_old_store(r, log);
        e = take_lock(r);
    }
    if (e == ERR_OK) {
        e = put_in_place(r, source);
        drop_lock(r); /* opening takes it again */
        if (e == ERR_OK)
            e = bring_up(r, log);
        if (e != ERR_OK && !(r->had_store && !cli_option(r->call, "force").p))
            undo(r);
    }
    if (log)
        log_free(&log);
    return e;
}

int app_restore(struct cli_call *c)
{
    struct restore r = {.call = c, .host = c->host, .dir = -1, .lock = -1};
    err_t e = restore(&r);
    drop_lock(&r);
    if (r.dir >= 0)
        close(r.dir);
    if (e != ERR_OK) {
        buf_z(c->err, "mereau: nothing was restored: ");
        cli_fault_text(&r.fault, e, c->err);
        buf_char(c->err, '\n');
        return 1;
    }
    if (c->json)
        buf_fmt(c->out, "{\"restored\":true,\"revocations\":%lld,\"all_refused\":%s}\n",
                (long long)r.replayed, r.has_log ? "false" : "true");
    else if (r.has_log)
        buf_fmt(c->out, "restored; %lld revocations were made again\n", (long long)r.replayed);
    else
        buf_z(c->out,
              "restored; there was no list of revocations of this very store (--revoked-log names one), so "
              "that all sessions, tokens and API keys issued so far are refused: people sign in again, "
              "keys are made anew\n");
    if (r.had_store)
        buf_fmt(c->err, "the store that was there is %s/" KEPT "\n", c->place->data_dir);
    return 0;
}
