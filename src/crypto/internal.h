/* What the files of this folder share and nobody else sees. */
#pragma once
#include "crypto/crypto.h"
#include <openssl/evp.h>
#include <stdatomic.h>

/* --- pool.c: a few idle contexts, taken and given back by one atomic exchange each --- */
#define POOL_SLOTS 16
struct pool {
    _Atomic(void *) slot[POOL_SLOTS];
};
void *pool_take(struct pool *p);         /* NULL when all are out */
bool pool_give(struct pool *p, void *x); /* false when there is no place: the caller frees x */

/* --- aes.c --- */
enum aes_mode { AES_GCM, AES_CBC, AES_ECB, AES_MODES };
#define AES_SIZES 3 /* 128, 192, 256 bits */
struct aes {
    struct aes_pool {
        EVP_CIPHER *cipher;
        struct pool idle; /* EVP_CIPHER_CTX */
    } of[AES_MODES][AES_SIZES];
};
bool aes_fetch(struct aes *s);
void aes_drain(struct aes *s);
/* A context with this key and IV set. NULL: no such key size, or out of memory. */
EVP_CIPHER_CTX *aes_take(const struct crypto *c, enum aes_mode mode, struct str key, const uint8_t *iv, bool sealing);
void aes_give(const struct crypto *c, enum aes_mode mode, size_t key_n, EVP_CIPHER_CTX *x);

struct crypto {
    EVP_CIPHER *aes256_gcm;
    struct aes aes;
};

/* The library's error queue is per thread and grows by what failed; every failing path empties it. */
err_t crypto_failed(err_t e);

/* --- key.c --- */
struct key {
    EVP_PKEY *pkey;
    enum key_kind kind;
    bool private;
    struct str secret; /* KEY_OCT, which has no pkey */
    struct pool signers, verifiers; /* struct sig_ctx */
};
struct key_row {
    const char *type;  /* OpenSSL's key type */
    const char *group; /* its name of the curve; NULL if the type says it all */
    size_t size;       /* bytes of a coordinate or of an Edwards or X key; 0 for RSA */
    int nid;           /* of the algorithm */
};
const struct key_row *key_row(enum key_kind kind); /* NULL for secrets */
/* Takes over p, also on failure. */
err_t key_wrap(EVP_PKEY *p, bool private, struct key **ret);
bool key_pair_ok(const struct key *k); /* both halves belong together */
EVP_PKEY *key_from_params(const char *type, int selection, OSSL_PARAM *params);

/* --- sign.c --- */
void sig_pool_drain(struct pool *p);

/* --- ecdsa.c: r and s between JOSE's fixed width and DER's SEQUENCE of two INTEGERs --- */
#define ECDSA_SIZE_MAX 66                             /* P-521 */
#define ECDSA_DER_MAX  (3 + 2 * (3 + ECDSA_SIZE_MAX)) /* SEQUENCE, two INTEGERs with a sign byte each */
/* Bytes written, or 0: wrong length, r or s zero. */
size_t ecdsa_raw_to_der(struct str raw, size_t size, uint8_t ret[static ECDSA_DER_MAX]);
bool ecdsa_der_to_raw(const uint8_t *der, size_t n, size_t size, uint8_t *ret);

/* --- password_form.c: how stored passwords look --- */
#define PASSWORD_PART_MAX 128
struct password_parts {
    uint8_t salt[PASSWORD_PART_MAX + 1], hash[PASSWORD_PART_MAX];
    size_t salt_n, hash_n;
    /* Argon2: KiB, passes, lanes; scrypt: log2 N, r, p; PBKDF2: rounds; bcrypt: log2 rounds. */
    uint32_t cost[3];
    uint32_t version; /* Argon2 */
};
struct password_form {
    const char *prefix;
    bool (*parse)(const struct password_form *form, struct str rest, struct password_parts *ret);
    err_t (*derive)(const struct password_form *form, const struct password_parts *p, struct str password,
                    uint8_t *ret);
    const char *md;   /* digest, where the form leaves the choice */
    unsigned variant; /* argon2_type */
};
/* The form of a stored password and its parts; NULL if it is unknown, malformed, or dearer than the limits
 * allow. */
const struct password_form *password_form_find(struct str stored, struct password_parts *ret);

/* --- password_kdf.c --- */
err_t kdf_argon2(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret);
err_t kdf_bcrypt(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret);
err_t kdf_pbkdf2(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret);
err_t kdf_scrypt(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret);
err_t kdf_salted(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret);
