/* What the files of tenant*.c and keyring*.c share. */
#pragma once
#include "token/audit.h"
#include "token/keyring.h"

#define KEY_LIFE_MIN 3600 /* seconds: no tenant's keys are replaced faster by themselves */
extern const struct object_store tenant_store; /* creating one makes its keys; removing one leaves rows to sweep */

bool tenant_url_ok(struct str url); /* http or https, a host, no user name, no fragment */

/* --- sealed.c: secrets that must come back in the clear --- */
/* A member of what sealed_secret_make wrote: {"fingerprint":..., "sealed":...}; STR_NONE if it is not that. */
struct str sealed_part(struct arena *a, struct str stored, const char *member);
/* For a kind's seal: old stays if secret is empty or the same. */
err_t sealed_secret_make(struct op *op, const struct object_kind *k, struct str name, struct str secret, struct str old, struct str *ret);
err_t sealed_secret_open(struct op *op, const struct tenant *t, const struct object_kind *k, struct str name, struct str stored,
                         struct str *ret);

err_t tenant_fill_permissions(const struct core *core, struct arena *a, struct tenant *t);

/* --- keyring --- */
/* Reads table tenant_key into a snapshot under construction (its arena): envelope, refresh and secret key, signing keys, key set. */
err_t keyring_load_tenant(struct op *op, struct arena *a, struct tenant *t);
err_t keyring_open_with(struct op *op, const struct tenant *t, const char *purpose, struct str sealed, struct str *ret);

/* The rows of a new tenant: made before the transaction, written in it. ERR_BUSY from the transaction: the master key was
 * replaced meanwhile, make them anew. */
#define TENANT_KEYS 3
struct tenant_keys {
    int64_t tenant_id, now_s;
    struct {
        int64_t id;
        struct str purpose, sealed;
    } v[TENANT_KEYS];
    struct str check; /* the store's key-check value they were made under */
};
err_t keyring_make_tenant(struct op *op, int64_t tenant_id, struct tenant_keys *ret);
err_t keyring_insert_tenant(struct db *db, void *tenant_keys);
