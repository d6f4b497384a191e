/* The one thread that writes, for every engine: jobs that wait are run in one transaction, a savepoint each, with one commit.
 * Private to src/store. */
#pragma once
#include "store/engine.h"
#include <pthread.h>

enum writer_step { STEP_BEGIN, STEP_COMMIT, STEP_ROLLBACK, STEP_SAVE, STEP_RELEASE, STEP_BACK, STEP_COUNT };
struct writer_engine {
    err_t (*step)(struct db *db, enum writer_step step); /* complains on failure */
    bool (*lost)(const struct db *db);                   /* no transaction is open any more */
    void (*settle)(struct db *db);                       /* after a job: what it forgot to end */
    void (*between)(struct store *s);                    /* between two commits, after writer_interrupt; may be NULL */
    bool (*again)(struct db *db);                        /* was there a conflict that passes since it was asked? NULL: there are none */
    /* What the batch tells other servers, before its commit; and, for whoever told it, waiting for them. NULL: there are none. */
    err_t (*tell)(struct db *db, struct str lines, int64_t *ret_seq);
    void (*heard)(struct store *s, int64_t seq);
};
struct writer;
err_t writer_start(struct store *s, const struct writer_engine *engine, struct db *db, struct tx *tx, struct writer **ret);
void writer_stop(struct writer **w); /* after what waits is written */
err_t writer_tx(struct writer *w, store_tx_fn fn, void *ctx);
void writer_interrupt(struct writer *w);
/* A thread with all signals blocked. */
err_t writer_thread(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg);
