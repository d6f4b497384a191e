/* The one thread that writes. Whoever calls store_tx puts a job on a list and sleeps on the job's own word;
 * the writer takes all that wait, runs each in a savepoint, commits once and wakes them. The woken wake each
 * other (each two more), so that the writer is back at work after one system call. */
#include "store/writer.h"
#include "store/futex.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct job {
    struct job *next;
    store_tx_fn fn;
    void *ctx;
    err_t err;
    bool again;  /* it failed by a conflict that passes */
    bool tells;  /* it has news for other servers, */
    int64_t seq; /* which went out under this number */
    struct job *wake[2];
    _Atomic uint32_t done;
};

struct writer {
    struct store *store;
    const struct writer_engine *engine;
    struct db *db;
    struct tx *tx;
    pthread_t thread;
    _Atomic(struct job *) incoming; /* newest first */
    _Atomic int waiting;
    _Atomic uint32_t asleep;
    _Atomic bool stop, finish;
    struct job *backlog; /* taken, oldest first */
};

/* --- the list
 * --------------------------------------------------------------------------------------------------- */
static void nudge(struct writer *w)
{
    if (atomic_exchange(&w->asleep, 0))
        futex_wake(&w->asleep);
}

static void job_done(struct job *j)
{
    if (!j)
        return;
    atomic_store_explicit(&j->done, 1, memory_order_release);
    futex_wake(&j->done); /* j may be gone: then this wakes nobody */
}

err_t writer_tx(struct writer *w, store_tx_fn fn, void *ctx)
{
    if (pthread_equal(pthread_self(), w->thread)) {
        store_complain(w->store, LOG_ERROR, "a transaction inside a transaction");
        return ERR_INTERNAL;
    }
    if (atomic_fetch_add_explicit(&w->waiting, 1, memory_order_relaxed) >= LIMIT_STORE_QUEUE) {
        atomic_fetch_sub_explicit(&w->waiting, 1, memory_order_relaxed);
        return ERR_BUSY;
    }
    struct job j = {.fn = fn, .ctx = ctx};
    j.next = atomic_load_explicit(&w->incoming, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&w->incoming, &j.next, &j))
        ;
    nudge(w);
    while (!atomic_load_explicit(&j.done, memory_order_acquire))
        futex_wait(&j.done, 0, -1);
    job_done(j.wake[0]);
    job_done(j.wake[1]);
    if (j.err == ERR_OK && j.tells && j.seq)
        w->engine->heard(w->store, j.seq);
    return j.err;
}

/* Sleeps until there is something to do; false when there never will be. */
static bool wait_for_work(struct writer *w)
{
    while (!atomic_load(&w->incoming) && !atomic_load(&w->finish)) {
        if (atomic_load(&w->stop))
            return false;
        atomic_store(&w->asleep, 1);
        if (!atomic_load(&w->incoming) && !atomic_load(&w->finish) && !atomic_load(&w->stop))
            futex_wait(&w->asleep, 1, -1);
        atomic_store(&w->asleep, 0);
    }
    return true;
}

static size_t take_batch(struct writer *w, struct job **ret_jobs)
{
    if (!w->backlog)
        for (struct job *j = atomic_exchange(&w->incoming, NULL), *next; j; j = next) {
            next = j->next;
            j->next = w->backlog;
            w->backlog = j;
        }
    size_t n = 0;
    for (; w->backlog && n < LIMIT_STORE_BATCH; w->backlog = w->backlog->next)
        ret_jobs[n++] = w->backlog;
    return n;
}

/* --- a batch
 * ---------------------------------------------------------------------------------------------------- */
static err_t do_step(struct writer *w, enum writer_step step)
{
    return w->engine->step(w->db, step);
}

static bool transaction_lost(const struct writer *w)
{
    return w->engine->lost(w->db);
}

static void roll_back(struct writer *w)
{
    if (!transaction_lost(w))
        (void)!do_step(w, STEP_ROLLBACK);
    tx_back_to(w->tx, (struct tx_mark){0, 0, 0});
}

static bool met_another(struct writer *w)
{
    return w->engine->again && w->engine->again(w->db);
}

/* Runs one job; what it says goes into the job. An error from here: the whole batch is lost. */
static err_t run_job(struct writer *w, struct job *j, bool alone)
{
    struct tx_mark mark = tx_mark(w->tx);
    if (!alone)
        TRY(do_step(w, STEP_SAVE));
    j->err = j->fn(w->db, j->ctx);
    j->tells = w->tx->news.n > mark.news_n;
    w->engine->settle(w->db);
    if (j->err == ERR_OK)
        j->err = w->tx->broken;
    j->again = j->err != ERR_OK && met_another(w);
    if (transaction_lost(w))
        return j->err != ERR_OK ? j->err : ERR_STORE;
    if (j->err != ERR_OK)
        tx_back_to(w->tx, mark);
    if (alone)
        return j->err;
    if (j->err != ERR_OK)
        TRY(do_step(w, STEP_BACK));
    return do_step(w, STEP_RELEASE);
}

static err_t commit(struct writer *w, int64_t *ret_seq)
{
    store_hook_fn hook = atomic_load_explicit(&w->store->hook, memory_order_acquire);
    if (hook) {
        TRY(hook(w->db, w->store->hook_ctx));
        TRY(w->tx->broken);
    }
    if (w->tx->revoked.n)
        TRY(revoked_append(w->store, buf_view(&w->tx->revoked)));
    if (w->tx->news.n && w->engine->tell)
        TRY(w->engine->tell(w->db, buf_view(&w->tx->news), ret_seq));
    TRY(do_step(w, STEP_COMMIT));
    tx_back_to(w->tx, (struct tx_mark){0, 0, 0});
    return ERR_OK;
}

/* One transaction around n jobs. On an error nothing of it has happened. */
static err_t try_batch(struct writer *w, struct job **jobs, size_t n)
{
    size_t good = 0;
    int64_t seq = 0;
    err_t e = do_step(w, STEP_BEGIN);
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        e = run_job(w, jobs[i], n == 1);
        good += jobs[i]->err == ERR_OK;
    }
    if (e == ERR_OK && good > 0)
        e = commit(w, &seq);
    for (size_t i = 0; i < n; i++)
        jobs[i]->seq = seq;
    if (e != ERR_OK || good == 0)
        roll_back(w);
    if (e == ERR_OK && good > 0 && w->store->cfg.metrics) {
        metrics_add(w->store->cfg.metrics, METRIC_COMMITS, NULL, 1);
        metrics_add(w->store->cfg.metrics, METRIC_COMMIT_JOBS, NULL, (int64_t)good);
    }
    return e;
}

/* A little longer each time, and not as long as the other one waits. */
static void pause_after(int tries)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t = (struct timespec){.tv_nsec = 500000 + t.tv_nsec / 1000 % 1000 * (1000 << tries)};
    nanosleep(&t, NULL);
}

static void run_alone(struct writer *w, struct job *j)
{
    for (int tries = 0; tries < LIMIT_PUT_TRIES; tries++) {
        j->again = false;
        j->err = try_batch(w, &j, 1);
        if (j->err == ERR_OK || !(j->again || met_another(w)))
            return;
        if (w->store->cfg.metrics)
            metrics_add(w->store->cfg.metrics, METRIC_COMMIT_RETRIES, NULL, 1);
        pause_after(tries);
    }
}

/* All at once; if that is lost, one by one; and alone what has met another server's transaction. */
static void run_batch(struct writer *w, struct job **jobs, size_t n)
{
    bool done = n > 1 && try_batch(w, jobs, n) == ERR_OK;
    for (size_t i = 0; i < n; i++)
        if (!done || jobs[i]->again)
            run_alone(w, jobs[i]);
}

static void wake_all(struct writer *w, struct job **jobs, size_t n)
{
    atomic_fetch_sub_explicit(&w->waiting, (int)n, memory_order_relaxed);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2; k++)
            jobs[i]->wake[k] = 2 * i + 1 + k < n ? jobs[2 * i + 1 + k] : NULL;
    job_done(jobs[0]);
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    struct job *jobs[LIMIT_STORE_BATCH];
    while (w->backlog || wait_for_work(w)) {
        size_t n = take_batch(w, jobs);
        if (n) {
            run_batch(w, jobs, n);
            wake_all(w, jobs, n);
        }
        if (atomic_exchange(&w->finish, false))
            w->engine->between(w->store);
    }
    return NULL;
}

/* --- life
 * ------------------------------------------------------------------------------------------------------- */
err_t writer_thread(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(ret, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        pthread_setname_np(*ret, name);
    return rc == 0 ? ERR_OK : ERR_MEMORY;
}

err_t writer_start(struct store *s, const struct writer_engine *engine, struct db *db, struct tx *tx, struct writer **ret)
{
    struct writer *w = calloc(1, sizeof(*w));
    if (!w)
        return ERR_MEMORY;
    w->store = s;
    w->engine = engine;
    w->db = db;
    w->tx = tx;
    *ret = w; /* before its thread, which may need it */
    if (writer_thread(&w->thread, "store-writer", writer_main, w) == ERR_OK)
        return ERR_OK;
    *ret = NULL;
    free(w);
    return ERR_MEMORY;
}

void writer_stop(struct writer **pw)
{
    struct writer *w = *pw;
    if (!w)
        return;
    atomic_store(&w->stop, true);
    nudge(w);
    pthread_join(w->thread, NULL);
    *pw = NULL;
    free(w);
}

void writer_interrupt(struct writer *w)
{
    atomic_store(&w->finish, true);
    nudge(w);
}
