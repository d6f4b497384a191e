/* The audit trail: rows that commit with their change, sealed into a chain per tenant before the commit
 * (token/audit.c says how), checkpoints signed over all heads. */
#pragma once
#include "token/op.h"

enum audit_event {
#define A(id, name, doc) AUDIT_##id,
#include "token/audit.def"
#undef A
    AUDIT_COUNT
};
const char *audit_name(enum audit_event e);

/* What a row says. Copied into ctx structs of transactions, so everything is by value or in the op's arena.
 */
struct audit {
    enum audit_event event;
    int64_t tenant_id;
    struct str actor;   /* "person:demo", "client:web", "operator", from audit_actor() */
    struct str object;  /* "client:web", "grant:4711" */
    struct str payload; /* JSON object or STR_NONE; never a secret */
    struct str peer, request_id;
    int64_t at_s;
    const struct crypto *crypto;
    uint8_t salt[16];
    struct str tenant;    /* its name */
    struct strs webhooks; /* names of those that subscribe to this event, from the tenant's snapshot */
};
/* Fills from the op. payload may be STR_NONE; address and request id are put into it. Members may be changed
 * afterwards. */
void audit_make(struct op *op, enum audit_event e, struct str object, struct str payload, struct audit *ret);
/* Inside a transaction: the row, and one outbox row for each webhook that subscribes. Every audit row comes
 * through here. */
err_t audit_write(struct db *db, struct store *s, const struct audit *a);
/* "grant:4s0d…": kind and public id, in the arena. */
struct str audit_object(struct op *op, const char *kind, int64_t id);
/* A refusal before authentication: counted per reason, client, network and minute in memory, written later as
 * one row. */
void audit_refused(struct op *op, const char *reason, struct str client);
/* A row of its own in a transaction of its own, waited for. For security events without another change. */
err_t audit_now(struct op *op, enum audit_event e, struct str object, struct str payload);

err_t audit_start(struct core *core); /* makes core->audit, registers the sealer */
void audit_stop(struct core *core);   /* after the store is closed */
/* Walks every chain and checkpoint. progress may be NULL. ERR_STORE_CORRUPT and where in op->fault. */
err_t audit_verify(struct op *op, void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx,
                   int64_t *ret_rows);
err_t audit_checkpoint(struct op *op); /* by the housekeeper, each 10 minutes and at the end */
err_t audit_save_heads(
    struct op *op); /* by the housekeeper, each some seconds: a start after a crash reads less */
err_t audit_flush_refused(struct op *op); /* once a minute; saves the heads as well */
/* Empties payload, actor and object of all tenants' rows before that time; digests stay, so the chain still
 * verifies. */
err_t audit_retain(struct op *op, int64_t before_s, int64_t *ret_rows);

struct audit_query {
    struct str event, object, actor; /* zero: any */
    int64_t before_id;               /* cursor; 0: from the newest */
    int64_t limit;
};
err_t audit_list(struct op *op, const struct audit_query *q, struct jw *w,
                 int64_t *ret_next); /* array of rows; permission audit.read */
