/* What the store promises when things go wrong: a full disk, kill -9, a torn line in revoked.log. */
#include "store_test.h"
#include "store/engine.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* --- the disk is full
 * --------------------------------------------------------------------------------------------- */
struct big {
    struct store *store;
    int64_t id;
};

static err_t big_tx(struct db *db, void *ctx)
{
    const struct big *b = ctx;
    static const char text[3000] = {'x'};
    return db_run(db, Q_OUTBOX_ADD,
                  BIND(vint(b->id), vint(1), vtext(STR("s")), vtext(STR("t")), vtext(STR("e")),
                       vtext(STR("o")), vblob(text, sizeof(text)), vint(1)),
                  NULL);
}

static err_t put_big(struct store *s)
{
    struct big b = {s, store_new_id(s)};
    return store_tx(s, big_tx, &b);
}

static void *fill(void *arg)
{
    struct test_store *t = arg;
    err_t e = ERR_OK;
    for (int i = 0; i < 500 && e == ERR_OK; i++)
        e = put_big(t->store);
    return (void *)(intptr_t)e;
}

static int64_t count_pending(struct db *db)
{
    struct rows r;
    int64_t n = -1;
    if (db_rows(db, Q_OUTBOX_PENDING, BIND_NONE, &r) == ERR_OK && db_next(&r))
        n = db_int(&r, 0);
    return db_end(&r) == ERR_OK ? n : -1;
}

static void test_full(void)
{
    struct test_store t;
    struct db *db;
    struct rlimit was, tight;
    pthread_t fillers[8];
    test_dir(&t);
    signal(SIGXFSZ, SIG_IGN);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(db_open(t.store, 0, &db) == ERR_OK);
    CHECK(test_put(t.store, "before", "1") == ERR_OK);
    getrlimit(RLIMIT_FSIZE, &was);
    tight = was;
    tight.rlim_cur = 2 * 1024 * 1024;
    setrlimit(RLIMIT_FSIZE, &tight);
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&fillers[i], NULL, fill, &t) == 0);
    for (int i = 0; i < 8; i++) {
        void *got;
        pthread_join(fillers[i], &got);
        CHECK((err_t)(intptr_t)got == ERR_STORE_FULL);
    }
    CHECK(test_is(db, "before", "1")); /* reads go on */
    int64_t n = count_pending(db);
    CHECK(n > 100 && n < 4000);
    CHECK(put_big(t.store) == ERR_STORE_FULL);
    setrlimit(RLIMIT_FSIZE, &was); /* space is back */
    CHECK(put_big(t.store) == ERR_OK);
    CHECK(count_pending(db) == n + 1);
    CHECK(store_check(db, NULL) == ERR_OK);
    db_close(&db);
    store_close(&t.store);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(db_open(t.store, 0, &db) == ERR_OK);
    CHECK(count_pending(db) == n + 1);
    db_close(&db);
    test_remove(&t);
}

/* --- kill -9
 * ---------------------------------------------------------------------------------------------------------
 */
struct child {
    struct store *store;
    int fd;
    int number;
};

static void *write_and_tell(void *arg)
{
    const struct child *c = arg;
    for (;;) {
        struct big b = {c->store, store_new_id(c->store)};
        if (store_tx(c->store, big_tx, &b) == ERR_OK && write(c->fd, &b.id, sizeof(b.id)) != sizeof(b.id))
            return NULL;
    }
}

static void child_main(struct test_store *t, int fd)
{
    if (test_open(t) != ERR_OK)
        _exit(1);
    struct child c = {t->store, fd, 0};
    pthread_t thread;
    for (int i = 0; i < 7; i++)
        if (pthread_create(&thread, NULL, write_and_tell, &c) != 0)
            _exit(1);
    write_and_tell(&c);
    _exit(0);
}

static bool row_there(struct db *db, int64_t id)
{
    struct rows r;
    bool there = db_rows(db, Q_OUTBOX_GET, BIND(vint(1), vint(id)), &r) == ERR_OK && db_next(&r);
    return db_end(&r) == ERR_OK && there;
}

static void test_kill(void)
{
    struct test_store t;
    int64_t highest = 0;
    test_dir(&t);
    for (int round = 0; round < 5; round++) {
        int fds[2];
        CHECK(pipe(fds) == 0);
        pid_t pid = fork();
        if (pid == 0)
            child_main(&t, fds[1]);
        close(fds[1]);
        int64_t id, told[1500];
        size_t n = 0;
        while (n < 1000 + (size_t)round * 100 && read(fds[0], &id, sizeof(id)) == sizeof(id))
            told[n++] = id;
        kill(pid, SIGKILL);
        while (n < 1500 && read(fds[0], &id, sizeof(id)) == sizeof(id)) /* what was already said */
            told[n++] = id;
        close(fds[0]);
        waitpid(pid, NULL, 0);
        CHECK(n >= 1000);
        CHECK(test_open(&t) == ERR_OK);
        struct db *db;
        CHECK(db_open(t.store, 0, &db) == ERR_OK);
        size_t missing = 0;
        for (size_t i = 0; i < n; i++) {
            missing += !row_there(db, told[i]);
            highest = told[i] > highest ? told[i] : highest;
        }
        CHECK(missing == 0);
        CHECK(store_new_id(t.store) > highest);
        CHECK(store_check(db, NULL) == ERR_OK);
        db_close(&db);
        store_close(&t.store);
    }
    test_remove(&t);
}

/* --- revoked.log
 * ----------------------------------------------------------------------------------------------------- */
struct line {
    char kind[16];
    int64_t tenant_id, id, cutoff_id;
};
struct lines {
    struct line v[16];
    int n;
};

static err_t collect(void *ctx, struct str kind, int64_t tenant_id, int64_t id, int64_t cutoff_id)
{
    struct lines *l = ctx;
    struct line *v = &l->v[l->n++];
    snprintf(v->kind, sizeof(v->kind), "%.*s", STR_ARG(kind));
    v->tenant_id = tenant_id;
    v->id = id;
    v->cutoff_id = cutoff_id;
    return ERR_OK;
}

static err_t revoke_tx(struct db *db, void *ctx)
{
    const struct line *l = ctx;
    return db_log_revoked(db, l->kind, l->tenant_id, l->id, l->cutoff_id);
}

static void append_raw(const struct test_store *t, const char *text)
{
    char path[512];
    test_file(t, "revoked.log", path, sizeof(path));
    int fd = open(path, O_WRONLY | O_APPEND);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void test_revoked_log(void)
{
    struct test_store t;
    struct line first = {"grant", 1, 17, 18}, second = {"account", INT64_MAX, INT64_MAX, INT64_MAX},
                third = {"session", 3, 4, 5};
    struct line no_kind = {"", 1, 1, 1};
    struct lines got = {.n = 0};
    test_dir(&t);
    CHECK(store_revoked_replay(t.dir, collect, &got) == ERR_OK && got.n == 0);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(store_tx(t.store, revoke_tx, &first) == ERR_OK);
    CHECK(store_tx(t.store, revoke_tx, &second) == ERR_OK);
    store_close(&t.store);
    append_raw(&t, "grant 1 2"); /* a crash in the middle of a line */
    CHECK(store_revoked_replay(t.dir, collect, &got) == ERR_OK && got.n == 2);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(store_tx(t.store, revoke_tx, &third) == ERR_OK);
    store_close(&t.store);
    got.n = 0;
    CHECK(store_revoked_replay(t.dir, collect, &got) == ERR_OK && got.n == 3);
    CHECK(strcmp(got.v[0].kind, "grant") == 0 && got.v[0].id == 17 && got.v[0].cutoff_id == 18);
    CHECK(strcmp(got.v[1].kind, "account") == 0 && got.v[1].tenant_id == INT64_MAX &&
          got.v[1].cutoff_id == INT64_MAX);
    CHECK(strcmp(got.v[2].kind, "session") == 0 && got.v[2].tenant_id == 3);
    append_raw(&t, "grant 1 2 3 00000000\n"); /* damage: the others still count, and it is said */
    got.n = 0;
    CHECK(store_revoked_replay(t.dir, collect, &got) == ERR_STORE_CORRUPT && got.n == 3);
    CHECK(test_open(&t) == ERR_OK);
    CHECK(store_tx(t.store, revoke_tx, &no_kind) == ERR_INTERNAL);
    test_remove(&t);
}

int main(void)
{
    test_kill(); /* first: it forks */
    test_full();
    test_revoked_log();
    return unit_end("crash");
}
