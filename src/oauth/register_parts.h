/* What the files of client registration share: register.c (the operations), register_metadata.c (the documents),
 * register_policy.c (what a tenant allows), register_store.c (the row beside the client). */
#pragma once
#include "oauth/client.h"
#include "oauth/register.h"

#define PERMISSION_REGISTER "client.register"

/* --- register_metadata.c --- */
/* A document for object_put with what may be registered and nothing else: members left out are there as null, which is their default.
 * In the op's arena. ERR_SOFTWARE_STATEMENT, ERR_CLIENT_METADATA. */
err_t register_take(struct op *op, const json_t *doc, struct str client_id, json_t **ret);

/* --- register_policy.c --- */
bool register_is_open(const struct tenant *t, const char *how); /* "off", "token", "open" */
/* Judges the client as it would be, new or changed. */
err_t register_policy(struct op *op, const json_t *doc);
/* ERR_LIMITED: too many from this network. Counts this one. */
err_t register_rate(struct op *op);

/* --- register_store.c; the first three inside the transaction that writes the client --- */
struct register_row {
    int64_t tenant_id, owner_id, token_id, life_s, expires_s; /* expires_s 0: never */
    uint8_t old_hash[32], hash[32];
    int64_t quota; /* 0: none */
    bool full;     /* verdict of register_insert */
};
err_t register_insert(struct db *db, const struct object *client, void *row);  /* ERR_FORBIDDEN and row->full */
err_t register_renew(struct db *db, const struct object *client, void *row);   /* ERR_TOKEN_INVALID: old_hash is not the one any more */
err_t register_give_up(struct db *db, const struct object *client, void *row); /* the same */
err_t register_read(struct op *op, int64_t client_id, struct register_row *ret); /* its hash is in old_hash; ERR_NOT_FOUND */
