/* Transactions: many threads at once, isolation by savepoints, notes and hook, and functions that misbehave.
 */
#include "store_test.h"
#include "store/engine.h"
#include <pthread.h>
#include <stdatomic.h>

#define THREADS 64
#define TX_EACH 1000

/* --- many at once
 * --------------------------------------------------------------------------------------------------- */
struct crowd {
    struct store *store;
    _Atomic bool stop;
    _Atomic int64_t reads, wrong;
};
struct member {
    struct crowd *crowd;
    pthread_t thread;
    int number, failed;
};
struct insert {
    struct store *store;
    int64_t id, changed;
    char object[32];
};

static err_t insert_tx(struct db *db, void *ctx)
{
    struct insert *i = ctx;
    return db_run(db, Q_OUTBOX_ADD,
                  BIND(vint(i->id), vint(1), vtext(STR("test")), vtext(STR("t")), vtext(STR("e")),
                       vtext(str_z(i->object)), vtext(STR("{}")), vint(1)),
                  &i->changed);
}

static void *write_many(void *arg)
{
    struct member *m = arg;
    for (int i = 0; i < TX_EACH; i++) {
        struct insert in = {.store = m->crowd->store, .id = store_new_id(m->crowd->store)};
        snprintf(in.object, sizeof(in.object), "o:%d:%d", m->number, i);
        m->failed += store_tx(m->crowd->store, insert_tx, &in) != ERR_OK || in.changed != 1;
    }
    return NULL;
}

static int64_t count_pending(struct db *db)
{
    struct rows r;
    int64_t n = -1;
    if (db_rows(db, Q_OUTBOX_PENDING, BIND_NONE, &r) == ERR_OK && db_next(&r))
        n = db_int(&r, 0);
    return db_end(&r) == ERR_OK ? n : -1;
}

/* What a reader has seen does not disappear. */
static void *read_along(void *arg)
{
    struct member *m = arg;
    struct db *db;
    int64_t seen = 0;
    if (db_open(m->crowd->store, 128, &db) != ERR_OK)
        return NULL;
    while (!atomic_load(&m->crowd->stop)) {
        int64_t n = count_pending(db);
        atomic_fetch_add(&m->crowd->wrong, n < seen);
        atomic_fetch_add(&m->crowd->reads, 1);
        seen = n;
        usleep(2000);
    }
    db_close(&db);
    return NULL;
}

static void test_crowd(void)
{
    struct test_store t;
    struct member w[THREADS], r[2];
    test_dir(&t);
    CHECK(test_open(&t) == ERR_OK);
    struct crowd c = {.store = t.store};
    for (int i = 0; i < 2; i++) {
        r[i] = (struct member){.crowd = &c, .number = i};
        CHECK(pthread_create(&r[i].thread, NULL, read_along, &r[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        w[i] = (struct member){.crowd = &c, .number = i};
        CHECK(pthread_create(&w[i].thread, NULL, write_many, &w[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(w[i].thread, NULL);
        CHECK(w[i].failed == 0);
    }
    atomic_store(&c.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(r[i].thread, NULL);
    CHECK(c.reads > 0 && c.wrong == 0);
    struct db *db;
    CHECK(db_open(t.store, 128, &db) == ERR_OK);
    CHECK(count_pending(db) == THREADS * TX_EACH);
    CHECK(store_check(db, NULL) == ERR_OK);
    db_close(&db);
    CHECK(test_size(&t, "mereau.db-wal") < 64 * 1024 * 1024);
    test_remove(&t);
}

/* --- one consumes, fifty try
 * ------------------------------------------------------------------------------------------ */
static err_t consume_tx(struct db *db, void *ctx)
{
    struct insert *i = ctx;
    int64_t changed = 0;
    TRY(db_run(db, Q_META_ADD, BIND(vtext(STR("consumed")), vblob("x", 1)), &changed));
    i->changed = changed;
    return ERR_OK;
}

static void *consume(void *arg)
{
    struct member *m = arg;
    struct insert i = {.store = m->crowd->store};
    m->failed = store_tx(m->crowd->store, consume_tx, &i) != ERR_OK ? -1 : (int)i.changed;
    return NULL;
}

static void test_consume(void)
{
    struct test_store t;
    struct member m[50];
    test_dir(&t);
    CHECK(test_open(&t) == ERR_OK);
    struct crowd c = {.store = t.store};
    int winners = 0;
    for (int i = 0; i < 50; i++) {
        m[i] = (struct member){.crowd = &c};
        CHECK(pthread_create(&m[i].thread, NULL, consume, &m[i]) == 0);
    }
    for (int i = 0; i < 50; i++) {
        pthread_join(m[i].thread, NULL);
        CHECK(m[i].failed >= 0);
        winners += m[i].failed;
    }
    CHECK(winners == 1);
    test_remove(&t);
}

/* --- batches that hold good and bad
 * ------------------------------------------------------------------------------------ */
enum behaviour { GOOD, FAILS, OVERLOOKS, CONFLICTS, FORGETS_END, NOTES_AND_FAILS, NESTS };
struct actor {
    struct store *store;
    pthread_t thread;
    enum behaviour how;
    int number, runs;
    err_t got, inner;
    pthread_barrier_t *start;
};

static err_t act_tx(struct db *db, void *ctx)
{
    struct actor *a = ctx;
    char name[32];
    struct rows r;
    struct tx_note note = {.tenant_id = 1, .id = a->number};
    a->runs++;
    snprintf(name, sizeof(name), "actor%d", a->number);
    TRY(db_run(db, Q_META_PUT, BIND(vtext(str_z(name)), vblob("x", 1)), NULL));
    TRY(db_note(db, &note));
    switch (a->how) {
    case GOOD:
        return ERR_OK;
    case FAILS:
    case NOTES_AND_FAILS:
        TRY(db_log_revoked(db, "grant", 1, a->number, 7));
        return ERR_GRANT_INVALID;
    case OVERLOOKS: /* NULL where the schema wants a value */
        a->inner = db_run(db, Q_META_PUT, BIND(vtext(STR("null")), vblob(NULL, 0)), NULL);
        return ERR_OK;
    case CONFLICTS: /* an ordinary answer, to which it reacts */
        a->inner = db_run(db, Q_OUTBOX_ADD,
                          BIND(vint(1), vint(1), vtext(STR("s")), vtext(STR("t")), vtext(STR("e")),
                               vtext(STR("o")), vtext(STR("p")), vint(1)),
                          NULL);
        return ERR_OK;
    case FORGETS_END:
        TRY(db_rows(db, Q_META_GET, BIND(vtext(STR("actor0"))), &r));
        db_next(&r);
        return ERR_OK;
    case NESTS:
        a->inner = store_tx(a->store, act_tx, a);
        return ERR_OK;
    }
    return ERR_INTERNAL;
}

static void *act(void *arg)
{
    struct actor *a = arg;
    if (a->start)
        pthread_barrier_wait(a->start);
    a->got = store_tx(a->store, act_tx, a);
    return NULL;
}

struct seen_notes {
    int64_t count, bad; /* notes of actors that failed */
    int calls, fail_first;
    size_t fail_above; /* fails when more notes than this are in the batch */
};

static err_t hook(struct db *db, void *ctx)
{
    struct seen_notes *s = ctx;
    size_t n;
    const struct tx_note *v = db_notes(db, &n);
    s->calls++;
    if (n > s->fail_above)
        return ERR_BUSY;
    for (size_t i = 0; i < n; i++)
        s->bad += v[i].id % 2 == 1;
    s->count += (int64_t)n;
    return db_run(db, Q_META_PUT, BIND(vtext(STR("hook")), vblob("x", 1)), NULL);
}

static const struct {
    enum behaviour how;
    err_t got, inner;
    bool kept;
} behaviours[] = {
    {GOOD, ERR_OK, ERR_OK, true},
    {FAILS, ERR_GRANT_INVALID, ERR_OK, false},
    {CONFLICTS, ERR_OK, ERR_STORE_UNIQUE, true},
    {OVERLOOKS, ERR_STORE, ERR_STORE, false},
    {FORGETS_END, ERR_OK, ERR_OK, true},
    {NOTES_AND_FAILS, ERR_GRANT_INVALID, ERR_OK, false},
    {NESTS, ERR_OK, ERR_INTERNAL, true},
};
#define ACTORS 42
#define KINDS  (int)(sizeof(behaviours) / sizeof(behaviours[0]))

static err_t refuse_line(void *ctx, struct str kind, int64_t tenant_id, int64_t id, int64_t cutoff_id)
{
    (void)kind, (void)tenant_id, (void)id, (void)cutoff_id;
    ++*(int *)ctx;
    return ERR_OK;
}

/* Actors of all kinds in one batch (most of them, since they start together): each fares as it would alone.
 */
static void run_actors(size_t hook_fails_above)
{
    struct test_store t;
    static struct actor a[ACTORS];
    pthread_barrier_t start;
    struct seen_notes seen = {.fail_above = hook_fails_above};
    test_dir(&t);
    CHECK(test_open(&t) == ERR_OK);
    struct insert taken = {.store = t.store, .id = 1, .object = "o"};
    CHECK(store_tx(t.store, insert_tx, &taken) == ERR_OK);
    store_on_commit(t.store, hook, &seen);
    pthread_barrier_init(&start, NULL, ACTORS);
    for (int i = 0; i < ACTORS; i++) {
        int kind = i % KINDS;
        a[i] = (struct actor){.store = t.store, .how = behaviours[kind].how, .start = &start};
        a[i].number = 2 * i + !behaviours[kind].kept; /* odd: must leave nothing */
        CHECK(pthread_create(&a[i].thread, NULL, act, &a[i]) == 0);
    }
    struct db *db;
    CHECK(db_open(t.store, 0, &db) == ERR_OK);
    int kept = 0;
    for (int i = 0; i < ACTORS; i++) {
        char name[32];
        const int kind = i % KINDS;
        pthread_join(a[i].thread, NULL);
        snprintf(name, sizeof(name), "actor%d", a[i].number);
        CHECK_ROW(a[i].got == behaviours[kind].got, name);
        CHECK_ROW(a[i].inner == behaviours[kind].inner, name);
        CHECK_ROW(test_is(db, name, behaviours[kind].kept ? "x" : NULL), name);
        kept += behaviours[kind].kept;
    }
    CHECK(seen.bad == 0);
    CHECK(seen.count == kept);
    CHECK(test_is(db, "hook", "x"));
    db_close(&db);
    int lines = 0;
    CHECK(store_revoked_replay(t.dir, refuse_line, &lines) == ERR_OK && lines == 0);
    pthread_barrier_destroy(&start);
    test_remove(&t);
}

/* A hook that never agrees: nothing commits, and whoever asked learns it. */
static void test_hook_refuses(void)
{
    struct test_store t;
    struct seen_notes seen = {.fail_above = 0};
    struct db *db;
    test_dir(&t);
    CHECK(test_open(&t) == ERR_OK);
    store_on_commit(t.store, hook, &seen);
    struct actor a = {.store = t.store, .how = GOOD, .number = 2};
    CHECK(store_tx(t.store, act_tx, &a) == ERR_BUSY);
    CHECK(test_put(t.store, "plain", "y") == ERR_OK); /* without notes it does */
    CHECK(db_open(t.store, 0, &db) == ERR_OK);
    CHECK(test_is(db, "actor2", NULL));
    CHECK(test_is(db, "plain", "y"));
    db_close(&db);
    test_remove(&t);
}

static err_t note_many(struct db *db, void *ctx)
{
    const int *n = ctx;
    for (int i = 0; i < *n; i++)
        TRY(db_note(db, &(struct tx_note){.id = i}));
    return ERR_OK;
}

static void test_limits(void)
{
    struct test_store t;
    test_dir(&t);
    CHECK(test_open(&t) == ERR_OK);
    int n = LIMIT_TX_NOTES;
    CHECK(store_tx(t.store, note_many, &n) == ERR_OK);
    n++;
    CHECK(store_tx(t.store, note_many, &n) == ERR_MEMORY);
    n = 1;
    CHECK(store_tx(t.store, note_many, &n) == ERR_OK);
    test_remove(&t);
}

int main(void)
{
    test_crowd();
    test_consume();
    run_actors(SIZE_MAX);
    run_actors(1); /* the hook refuses each batch of more than one, so that all run one by one */
    test_hook_refuses();
    test_limits();
    return unit_end("writer");
}
