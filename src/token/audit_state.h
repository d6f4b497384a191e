/* What the audit trail keeps in memory. For audit*.c alone.
 *
 * The chain. A row carries digest = SHA-256("mereau audit 1", salt, id, tenant, time, event, actor, object, payload), each
 * text with its length before it. Before each COMMIT the writer adds one audit_seal row for each tenant of the batch:
 * chain(n) = SHA-256(chain(n-1), n, count, the digests in order of their ids), chain(0) = SHA-256("mereau audit", tenant).
 * Checkpoints hold the heads that have moved since the checkpoint before and are signed, with that one's signature, by
 * HMAC-SHA-256 under a key derived from the store's (it outlives a rotation of the master key). */
#pragma once
#include "token/life.h"
#include "token/core.h"
#include "token/idmap.h"
#include <pthread.h>
#include <stdatomic.h>

struct audit_head {
    int64_t seal;
    uint8_t chain[SHA256_SIZE];
    bool moved; /* since the last checkpoint */
};
struct audit_state {
    struct core *core;
    /* the writer's thread alone */
    struct idmap heads; /* tenant -> struct audit_head, a cache */
    int64_t last_tenant_id, last_seal; /* written before the last COMMIT: is it there? */
    struct tx_note *note;
    uint8_t *chained;
    size_t cap; /* of both, in notes */
    /* any thread */
    _Atomic bool rescan; /* which heads have moved is not known */
    pthread_mutex_t lock;
    struct idmap refused;   /* refusals of this minute, counted; under lock */
    int64_t refused_beyond; /* those for which there was no room */
};

#define AUDIT_HEAD_SIZE 48 /* of a checkpoint: tenant, seal, chain */
#define AUDIT_FIELD_MAX 512 /* longer texts go into a digest as their SHA-256 */

void audit_be64(uint8_t *ret, int64_t v);
/* What a row's digest is over, but for those two of struct audit that are not in the row. */
struct audit_content {
    int64_t id, tenant_id, at_s;
    struct str event, actor, object, payload, salt;
};
void audit_digest(const struct crypto *c, const struct audit_content *r, uint8_t ret[static SHA256_SIZE]);
void audit_chain_start(const struct crypto *c, int64_t tenant_id, uint8_t ret[static SHA256_SIZE]);
/* buf: room for AUDIT_CHAIN_HEAD bytes and after them n digests, which stand there already. */
#define AUDIT_CHAIN_HEAD (SHA256_SIZE + 16)
void audit_chain_next(const struct crypto *c, uint8_t *buf, int64_t seal, size_t n, uint8_t chain[static SHA256_SIZE]);

err_t audit_seal_batch(struct db *db, void *state); /* the hook */

struct audit_checkpoint_row {
    int64_t id, at_s, tenants;
    struct str heads, before; /* before: the signature of the checkpoint before, or STR_NONE */
};
err_t audit_checkpoint_sign(struct op *op, const struct audit_checkpoint_row *c, uint8_t ret[static SHA256_SIZE]);

void audit_refused_init(struct audit_state *st);
void audit_refused_free(struct audit_state *st);
