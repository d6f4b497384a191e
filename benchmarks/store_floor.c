/* What the store costs above its floor. Prints durable one-row commits a second by SQLite alone, then
 * store_tx of one row from many threads, then point reads.  usage: store_floor DIRECTORY [threads] [seconds]
 */
#include "store/store.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS_MAX 256
#define SAMPLES     20000
#define SAMPLE_EACH 16

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static double cpu_s(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* --- the floor
 * ------------------------------------------------------------------------------------------------------ */
static void floor_commits(const char *dir, int seconds, int rows)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/floor.db", dir);
    unlink(path);
    sqlite3 *db;
    sqlite3_stmt *st;
    sqlite3_open(path, &db);
    sqlite3_exec(
        db,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, tenant_id "
        "BIGINT,"
        " sink TEXT, target TEXT, event TEXT, object TEXT, payload TEXT, created_s BIGINT, due_s BIGINT);"
        "CREATE INDEX t_due ON t (due_s); CREATE INDEX t_object ON t (tenant_id, object, id);",
        NULL, NULL, NULL);
    sqlite3_prepare_v2(
        db,
        "INSERT INTO t (tenant_id, sink, target, event, object, payload, created_s, due_s) VALUES"
        " (1, 'webhook', 'hook', 'grant.revoked', ?1, ?2, 1, 1)",
        -1, &st, NULL);
    int64_t start = now_us(), end = start + seconds * 1000000LL, n = 0;
    char object[32];
    while (now_us() < end) {
        sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        for (int i = 0; i < rows; i++, n++) {
            snprintf(object, sizeof(object), "grant:%lld", (long long)n);
            sqlite3_bind_text(st, 1, object, -1, SQLITE_STATIC);
            sqlite3_bind_text(st, 2, "{\"reason\":\"sign-out\",\"client\":\"web\"}", -1, SQLITE_STATIC);
            sqlite3_step(st);
            sqlite3_reset(st);
        }
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    double s = (double)(now_us() - start) / 1e6;
    printf("sqlite alone, %3d rows a commit: %8.0f commits/s %8.0f rows/s\n", rows, (double)(n / rows) / s,
           (double)n / s);
    sqlite3_finalize(st);
    sqlite3_close(db);
    unlink(path);
}

/* --- the store
 * ------------------------------------------------------------------------------------------------------ */
struct shared {
    struct store *store;
    _Atomic bool stop;
    int64_t sample[SAMPLES]; /* rows to read, from all over the table */
    _Atomic int nsample;
};
struct worker {
    struct shared *shared;
    pthread_t thread;
    int64_t done, failed, worst_us, sum_us;
};
struct one {
    struct store *store;
    int64_t id;
};

static err_t one_row(struct db *db, void *ctx)
{
    struct one *o = ctx;
    char object[32];
    int n = snprintf(object, sizeof(object), "grant:%lld", (long long)o->id);
    return db_run(db, Q_OUTBOX_ADD,
                  BIND(vint(o->id), vint(1), vtext(STR("webhook")), vtext(STR("hook")),
                       vtext(STR("grant.revoked")), vtext((struct str){object, (size_t)n}),
                       vtext(STR("{\"reason\":\"sign-out\",\"client\":\"web\"}")), vint(1)),
                  NULL);
}

static void *write_rows(void *arg)
{
    struct worker *w = arg;
    while (!atomic_load_explicit(&w->shared->stop, memory_order_relaxed)) {
        struct one o = {w->shared->store, store_new_id(w->shared->store)};
        int64_t t = now_us();
        err_t e = store_tx(w->shared->store, one_row, &o);
        t = now_us() - t;
        w->worst_us = t > w->worst_us ? t : w->worst_us;
        w->sum_us += t;
        w->done += e == ERR_OK;
        w->failed += e != ERR_OK;
        int at = e != ERR_OK || w->done % SAMPLE_EACH ? SAMPLES : atomic_fetch_add(&w->shared->nsample, 1);
        if (at < SAMPLES)
            w->shared->sample[at] = o.id;
    }
    return NULL;
}

static void writers(struct shared *sh, int threads, int seconds)
{
    static struct worker w[THREADS_MAX];
    memset(w, 0, sizeof(w));
    atomic_store(&sh->stop, false);
    double cpu = cpu_s();
    int64_t start = now_us(), done = 0, failed = 0, worst = 0, sum = 0;
    for (int i = 0; i < threads; i++) {
        w[i].shared = sh;
        pthread_create(&w[i].thread, NULL, write_rows, &w[i]);
    }
    sleep((unsigned)seconds);
    atomic_store(&sh->stop, true);
    for (int i = 0; i < threads; i++) {
        pthread_join(w[i].thread, NULL);
        done += w[i].done;
        failed += w[i].failed;
        sum += w[i].sum_us;
        worst = w[i].worst_us > worst ? w[i].worst_us : worst;
    }
    double s = (double)(now_us() - start) / 1e6;
    printf("store_tx, %3d threads: %8.0f tx/s  mean %5lld us  worst %6lld us  cpu %4.1f us/tx  failed %lld\n",
           threads, (double)done / s, (long long)(sum / (done ? done : 1)), (long long)worst,
           (cpu_s() - cpu) * 1e6 / (double)(done ? done : 1), (long long)failed);
}

static void reads(struct shared *sh, const char *what, int count, int among)
{
    struct db *db;
    int n = sh->nsample < among ? sh->nsample : among;
    if (n == 0 || db_open(sh->store, 256, &db) != ERR_OK)
        return;
    int64_t found = 0, start = now_us();
    for (int i = 0; i < count; i++) {
        struct rows r;
        if (db_rows(db, Q_OUTBOX_GET, BIND(vint(1), vint(sh->sample[i % n])), &r) == ERR_OK && db_next(&r))
            found += db_int(&r, 0) == 0;
        if (db_end(&r) != ERR_OK)
            break;
    }
    printf("point read, %s: %.2f us (%lld of %d found)\n", what, (double)(now_us() - start) / count,
           (long long)found, count);
    db_close(&db);
}

static void *write_a_while(void *arg)
{
    writers(arg, 32, 2);
    return NULL;
}

static void read_while_writing(struct shared *sh)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, write_a_while, sh) != 0)
        return;
    usleep(200000);
    reads(sh, "while 32 threads write", 20000, SAMPLES);
    pthread_join(thread, NULL);
}

static void print_commits(struct metrics *m)
{
    struct buf b;
    buf_init(&b, NULL, 1024 * 1024);
    metrics_print(m, &b);
    buf_char(&b, '\0');
    for (char *line = strtok(b.p, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, "mereau_store_commit", 19) == 0)
            printf("%s\n", line);
    buf_free(&b);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    int threads = argc > 2 ? atoi(argv[2]) : 0, seconds = argc > 3 ? atoi(argv[3]) : 3;
    struct fault f = {.code = ERR_OK};
    struct metrics *m = metrics_new();
    static struct shared sh;
    struct store_config cfg = {
        .data_dir = argv[1], .log = log_new(2, LOG_INFO, LOG_TEXT), .metrics = m, .clock = &clock_system};
    if (store_open(&cfg, &sh.store, &f) != ERR_OK) {
        fprintf(stderr, "%s\n", f.detail);
        return 1;
    }
    floor_commits(argv[1], seconds, 1);
    floor_commits(argv[1], seconds, 20);
    if (threads)
        writers(&sh, threads < THREADS_MAX ? threads : THREADS_MAX, seconds);
    else
        for (int t = 1; t <= 64; t *= 2)
            writers(&sh, t, seconds);
    print_commits(m);
    reads(&sh, "one row", 300000, 1);
    reads(&sh, "all over", 300000, SAMPLES);
    read_while_writing(&sh);
    int64_t start = now_us();
    store_close(&sh.store);
    int64_t closed = now_us();
    if (store_open(&cfg, &sh.store, &f) != ERR_OK)
        return 1;
    printf("close %lld ms, open %lld ms\n", (long long)(closed - start) / 1000,
           (long long)(now_us() - closed) / 1000);
    store_close(&sh.store);
    return 0;
}
