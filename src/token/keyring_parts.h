/* What the files of keyring*.c share. The master key is the root of the envelope: it seals the store's key and each tenant's
 * key, these seal everything else, so that replacing it rewrites one small row a tenant. */
#pragma once
#include "token/core.h"
#include "token/tenant_parts.h"
#include <pthread.h>

#define MASTER_KEY_SIZE 32
#define META_KEY_CHECK  "master_key_check" /* a constant, sealed: says whether a master key is this store's */
#define META_STORE_KEY  "store_key"        /* sealed under the master key */

enum key_source { KEY_FROM_FILE, KEY_FROM_CREDENTIAL, KEY_FROM_DATA_DIR };

struct keyring {
    pthread_rwlock_t lock; /* writing: the master key is being replaced */
    uint8_t master[MASTER_KEY_SIZE];
    struct str check; /* the store's key-check value under it; on the heap */
    enum key_source source;
    char *path; /* of the key file */
};

/* --- keyring.c: sealing --- */
/* One byte of form (1), then the AEAD. The additional data says what it is and whose, so that rows can't be swapped. */
err_t envelope_seal(const struct crypto *c, const uint8_t *key, const char *what, int64_t whose, struct str data, struct arena *a,
                    struct str *ret);
/* ERR_DECRYPT: another key, another place, or damaged. */
err_t envelope_open(const struct crypto *c, const uint8_t *key, const char *what, int64_t whose, struct str sealed, struct arena *a,
                    struct str *ret);
#define SEALED_TENANT "tenant"     /* a tenant's key under the master key */
#define SEALED_STORE  "store"      /* the store's key under the master key */
#define SEALED_CHECK  "check"      /* the key-check value */

err_t meta_read(struct db *db, const char *name, struct arena *a, struct str *ret); /* STR_NONE if there is none */
err_t meta_write(struct db *db, enum query q, const char *name, struct str value); /* q: Q_META_PUT or Q_META_ADD */
err_t master_open_tenant(struct op *op, int64_t tenant_id, struct str sealed, uint8_t ret[static 32]);
/* The key-check value under a key, and whether a key is the one a value was made under. */
err_t master_check_make(const struct crypto *c, const uint8_t *key, struct arena *a, struct str *ret);
bool master_check_fits(const struct crypto *c, const uint8_t *key, struct str check, struct arena *a);

/* --- keyring_file.c: the key on disk --- */
/* 32 bytes, or 64 hexadecimal digits and a newline. ERR_NOT_FOUND; ERR_MASTER_KEY with a sentence for everything else.
 * strict: nobody but the owner may read it (systemd guards its credentials itself). */
err_t key_file_read(const char *path, bool strict, uint8_t ret[static MASTER_KEY_SIZE], struct fault *f);
/* Exclusively, 0600, synced with its directory. */
err_t key_file_make(const char *path, const uint8_t key[static MASTER_KEY_SIZE], struct fault *f);
/* new becomes path, the old one path.old; each step leaves a key in place. */
err_t key_file_replace(const char *path, struct fault *f);
char *key_file_beside(const char *path, const char *ending); /* on the heap: "<path><ending>" */
