/* What the audit trail keeps in memory, and how it is chained. For audit*.c alone.
 *
 * A row carries digest = SHA-256("mereau audit 1", id, tenant, time, salt, event, actor, object, payload),
 * each text with its length before it. Before each COMMIT the writer adds one audit_seal row for each tenant
 * of the batch: chain(n) = SHA-256(chain(n-1), n, count, the digests in order of their ids), chain(0) =
 * SHA-256("mereau audit", tenant). Checkpoints hold the heads that have moved since the checkpoint before and
 * are signed, with that one's signature, by HMAC-SHA-256 under a key derived from the store's (it outlives a
 * rotation of the master key).
 *
 * Row ids and seal ids are taken on the writer's thread, so that their order is the order of writing: first a
 * commit's rows, then its seals. Heads are in memory; table audit_end has them as they were some seconds
 * ago, with the id of that moment in meta ("audit_heads"), and the seals since that id tell the rest.
 *
 * Of several servers on one database each is a writer with a trail of its own: chains, heads, checkpoints. None waits for another, and
 * all of the above holds for each. A server's number passes on to the next one that takes it, and its trail with it. */
#pragma once
#include "token/core.h"
#include "token/idmap.h"
#include "token/life.h"
#include "base/limits.h"
#include <pthread.h>
#include <stdatomic.h>

struct audit_head {
    int64_t seal_id, seal;
    uint8_t chain[SHA256_SIZE];
    bool unsaved;   /* audit_head does not have it yet */
    bool unsigned_; /* no checkpoint has it yet */
};
struct audit_state {
    struct core *core;
    /* the writer's thread alone */
    bool loaded;
    int64_t tenure; /* store_tenure when it was read */
    struct idmap heads; /* tenant -> struct audit_head; those that are saved and signed may be left out */
    int64_t last_tenant_id, last_seal_id; /* written before the last COMMIT: is it there? */
    struct tx_note *note;
    uint8_t *chained;
    size_t cap; /* of both, in notes */
    /* any thread */
    _Atomic bool rescan; /* which heads no checkpoint has is not known */
    pthread_mutex_t lock;
    struct idmap refused;   /* refusals of this minute, counted; under lock */
    int64_t refused_beyond; /* those for which there was no room */
};

#define AUDIT_HEAD_SIZE 48  /* of a checkpoint: tenant, seal, chain */
#define AUDIT_FIELD_MAX 512 /* longer texts go into a digest as their SHA-256 */

/* --- audit_digest.c
 * ------------------------------------------------------------------------------------------------------ */
void audit_be64(uint8_t *ret, int64_t v);
int64_t audit_read_be64(const char *p);
struct audit_content {
    int64_t id, tenant_id, at_s;
    struct str event, actor, object, payload, salt;
};
void audit_digest(const struct crypto *c, const struct audit_content *r, uint8_t ret[static SHA256_SIZE]);
void audit_chain_start(const struct crypto *c, int64_t tenant_id, uint8_t ret[static SHA256_SIZE]);
/* buf: room for AUDIT_CHAIN_HEAD bytes and after them n digests, which stand there already. */
#define AUDIT_CHAIN_HEAD (SHA256_SIZE + 16)
void audit_chain_next(const struct crypto *c, uint8_t *buf, int64_t seal, size_t n,
                      uint8_t chain[static SHA256_SIZE]);
struct audit_checkpoint_row {
    int64_t id, at_s, tenants;
    struct str heads, before; /* before: the signature of the checkpoint before, or STR_NONE */
};
err_t audit_checkpoint_sign(struct op *op, const struct audit_checkpoint_row *c,
                            uint8_t ret[static SHA256_SIZE]);

/* --- audit_seal.c: on the writer's thread
 * ---------------------------------------------------------------------------------- */
err_t audit_seal_batch(struct db *db, void *state); /* the hook */
/* Memory agrees with the store: read at the first call, and again after a COMMIT that failed. */
err_t audit_heads_check(struct db *db, struct audit_state *st);
err_t audit_head_of(struct db *db, struct audit_state *st, int64_t tenant_id, struct audit_head **ret);
/* --- audit_writers.c: any connection
 * ------------------------------------------------------------------------------------------------------- */
struct audit_writer {
    int number;
    int64_t mark; /* the id in meta */
};
/* All whose trails are in the store. */
err_t audit_writers(struct db *db, struct audit_writer ret[static LIMIT_SERVERS], size_t *ret_n);
err_t audit_writer_mark(struct db *db, int number, int64_t *ret_id); /* 0: there is none */
err_t audit_writer_save(struct db *db, int number, int64_t id);      /* in a transaction */

/* --- audit_refused.c
 * ------------------------------------------------------------------------------------------------------- */
void audit_refused_init(struct audit_state *st);
void audit_refused_free(struct audit_state *st);
