/* Cryptography over OpenSSL 3 (EVP), libargon2 and crypt(3). The only folder that includes a crypto library's headers.
 * EVP algorithms are fetched once into struct crypto (made at start, read-only afterwards, shared by all threads). */
#pragma once
#include "base/err.h"
#include "base/arena.h"

struct crypto;
err_t crypto_new(struct crypto **ret);
void crypto_free(struct crypto **c);

err_t random_bytes(void *ret, size_t n); /* getrandom(2); ERR_CRYPTO only if the kernel has none */
void secret_zero(void *p, size_t n);
bool secret_eq(const void *a, const void *b, size_t n); /* constant time */
/* to becomes from if take, else stays as it is; without a branch on take. */
void secret_choose(uint8_t *to, const uint8_t *from, size_t n, bool take);

/* --- digests and MACs ------------------------------------------------------------------------------------------ */
enum digest { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
#define SHA256_SIZE 32
void sha256(const struct crypto *c, struct str data, uint8_t ret[static SHA256_SIZE]);
err_t digest(const struct crypto *c, enum digest alg, struct str data, uint8_t *ret, size_t *ret_n);
void hmac_sha256(const struct crypto *c, struct str key, struct str data, uint8_t ret[static SHA256_SIZE]);
err_t hmac(const struct crypto *c, enum digest alg, struct str key, struct str data, uint8_t *ret, size_t *ret_n);
/* The same over several pieces, one behind the other. */
err_t hmac_parts(const struct crypto *c, enum digest alg, struct str key, const struct str *parts, size_t parts_n, uint8_t *ret, size_t *ret_n);
/* HKDF-SHA-256 (RFC 5869). */
err_t hkdf_sha256(const struct crypto *c, struct str key, struct str salt, struct str info, uint8_t *ret, size_t n);

/* --- authenticated encryption: AES-256-GCM ---------------------------------------------------------------------- */
#define AEAD_KEY_SIZE   32
#define AEAD_OVERHEAD   28 /* 12 bytes of nonce before, 16 of tag behind */
/* ret holds data.n + AEAD_OVERHEAD bytes; nonce is random. */
err_t aead_seal(const struct crypto *c, const uint8_t key[static AEAD_KEY_SIZE], struct str aad, struct str data, uint8_t *ret);
/* ret holds sealed.n - AEAD_OVERHEAD bytes. ERR_DECRYPT whatever was wrong. */
err_t aead_open(const struct crypto *c, const uint8_t key[static AEAD_KEY_SIZE], struct str aad, struct str sealed, uint8_t *ret);

/* --- a keyed permutation of 64 bits: Speck64/128 (Beaulieu et al. 2013). Hides how many ids have been given out; it
 * guards nothing. --- */
uint64_t permute64(const uint8_t key[static 16], uint64_t v);
uint64_t unpermute64(const uint8_t key[static 16], uint64_t v);
uint16_t permute16(const uint8_t key[static 16], uint16_t v); /* the same for 16 bits: a Feistel network of the above */

/* --- passwords -------------------------------------------------------------------------------------------------- */
/* Argon2id, 19 MiB, t = 2, p = 1 (OWASP's first choice) as a PHC string in the arena. */
err_t password_hash(struct arena *a, struct str password, struct str *ret_phc);
/* Argon2id PHC, bcrypt ($2a/$2b/$2y), PBKDF2 ($pbkdf2-sha256$..., Django's pbkdf2_sha256$...), scrypt ($scrypt$ PHC),
 * {SSHA}. ERR_PASSWORD_WRONG if it does not match or the form is unknown. *ret_rehash: match, but weaker than ours. */
err_t password_verify(const struct crypto *c, struct arena *a, struct str phc, struct str password, bool *ret_rehash);
bool password_hash_known(struct str phc); /* the form is one of those above */

/* --- keys ---------------------------------------------------------------------------------------------------------- */
/* A key carries its kind; what may be done with it is decided by jose/alg.def. Immutable and shareable between threads
 * (signing contexts are kept in a small lock-free pool inside). */
enum key_kind {
    KEY_EC_P256,
    KEY_EC_P384,
    KEY_EC_P521,
    KEY_EC_K256,
    KEY_ED25519,
    KEY_ED448,
    KEY_RSA,
    KEY_X25519,
    KEY_X448,
    KEY_OCT, /* a secret: any bytes */
    KEY_KINDS
};
struct key;
err_t key_generate(enum key_kind kind, unsigned bits, struct key **ret); /* bits: RSA (>= 2048) and secrets, else 0 */
void key_free(struct key **k);
enum key_kind key_kind_of(const struct key *k);
bool key_is_private(const struct key *k);                     /* true for secrets */
bool key_eq_public(const struct key *a, const struct key *b); /* the same public half; false for secrets */
err_t key_from_secret(struct str bytes, struct key **ret);    /* 1 to LIMIT_KEY_SECRET bytes, copied */
struct str key_secret(const struct key *k);                   /* the key's own bytes; STR_NONE for another kind */
err_t key_to_der(const struct key *k, struct arena *a, struct str *ret_pkcs8);        /* private */
err_t key_from_der(struct str pkcs8, struct key **ret);                               /* private */
err_t key_to_spki(const struct key *k, struct arena *a, struct str *ret);             /* public, SubjectPublicKeyInfo */
err_t key_from_spki(struct str spki, struct key **ret);
err_t key_from_pem(struct str pem, struct key **ret);                                 /* private, public, or a certificate's */
err_t key_to_pem(const struct key *k, bool private_part, struct arena *a, struct str *ret);
err_t key_from_cert(struct str der, struct key **ret);                                /* public, of an X.509 certificate; nothing else of it is judged */
err_t cert_sha1(struct str der, uint8_t ret[static 20]);                              /* for x5t (RFC 7517 section 4.8) only */
/* Public numbers, big-endian, fixed width for EC (x and y) and Ed, X (x only); RSA: n and e without leading zeros. */
err_t key_public_parts(const struct key *k, struct arena *a, struct str *ret_1, struct str *ret_2);
/* Refuses points off the curve, RSA below 2048 or over 8192 bits, even or small e (e < 3). */
err_t key_from_public_parts(enum key_kind kind, struct str p1, struct str p2, struct key **ret);
/* Private numbers in the order of RFC 7518 section 6.3.2: d, and for RSA p, q, dp, dq, qi. */
#define KEY_PRIVATE_PARTS 6
size_t key_private_count(enum key_kind kind); /* 6, 1, or 0 for secrets */
err_t key_private_parts(const struct key *k, struct arena *a, struct str ret[static KEY_PRIVATE_PARTS]);
/* ERR_KEY also if the halves do not belong together. */
err_t key_from_private_parts(enum key_kind kind, struct str p1, struct str p2, const struct str parts[static KEY_PRIVATE_PARTS], struct key **ret);

enum sig_scheme { SIG_ECDSA, SIG_RSA_PKCS1, SIG_RSA_PSS, SIG_EDDSA, SIG_HMAC };
#define SIG_MAX 1024
/* ECDSA in JOSE's form (r and s, fixed width, RFC 7518 section 3.4). *ret_n bytes of at most SIG_MAX. */
err_t key_sign(const struct crypto *c, const struct key *k, enum sig_scheme s, enum digest d, struct str data, uint8_t *ret, size_t *ret_n);
/* ERR_SIGNATURE for any wrong signature, wrong length and r, s out of range included (A69). */
err_t key_verify(const struct crypto *c, const struct key *k, enum sig_scheme s, enum digest d, struct str data, struct str sig);

/* --- encryption of tokens (RFC 7518 sections 4 and 5): what jose/jwe*.c is made of --------------------------------- */
#define GCM_IV_SIZE  12
#define GCM_TAG_SIZE 16
#define CBC_IV_SIZE  16
/* AES-GCM by the key's length: 16, 24 or 32 bytes. ret holds data.n bytes, ret_tag GCM_TAG_SIZE. An IV never comes twice
 * with one key. Opening: ERR_DECRYPT whatever was wrong, and nothing of the text is left in ret. */
err_t gcm_seal(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data, uint8_t *ret, uint8_t *ret_tag);
err_t gcm_open(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data, struct str tag, uint8_t *ret, size_t *ret_n);
/* AES-CBC and HMAC-SHA-2 by the key's length: 32, 48 or 64 bytes. Sealing makes data.n / 16 * 16 + 16 bytes and a tag of half
 * the key's length; opening needs room for data.n and tells how much of it is text. */
err_t cbc_hmac_seal(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data, uint8_t *ret, uint8_t *ret_tag);
err_t cbc_hmac_open(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data, struct str tag, uint8_t *ret, size_t *ret_n);
/* AES Key Wrap (RFC 3394): ret holds data.n + AES_WRAP_OVERHEAD bytes, the other way that much less. ERR_DECRYPT. */
#define AES_WRAP_OVERHEAD 8
err_t aes_wrap(const struct crypto *c, struct str kek, struct str data, uint8_t *ret);
err_t aes_unwrap(const struct crypto *c, struct str kek, struct str wrapped, uint8_t *ret);
/* The shared secret, big-endian x for the NIST curves (RFC 7518 section 4.6, RFC 8037 section 3.2). ERR_KEY: not of one curve, or
 * a point of small order, seen before the private key is used (A70). */
#define ECDH_MAX 66
bool ecdh_able(enum key_kind kind);
err_t ecdh(const struct key *own, const struct key *other, uint8_t ret[static ECDH_MAX], size_t *ret_n);
/* Concat KDF with SHA-256 (NIST SP 800-56A section 5.8.1, RFC 7518 section 4.6.2): n bytes. */
err_t concat_kdf(const struct crypto *c, struct str secret, struct str alg_id, struct str apu, struct str apv, uint8_t *ret, size_t n);
enum oaep { OAEP_SHA1, OAEP_SHA256 };
#define RSA_MAX 1024 /* bytes of 8192 bits */
size_t rsa_size(const struct key *k); /* of the modulus and of every ciphertext, in bytes; 0 for another kind */
err_t rsa_oaep_encrypt(const struct key *k, enum oaep d, struct str data, uint8_t ret[static RSA_MAX], size_t *ret_n);
err_t rsa_oaep_decrypt(const struct key *k, enum oaep d, struct str data, uint8_t ret[static RSA_MAX], size_t *ret_n);
/* PBKDF2 (RFC 8018). The caller bounds the rounds. */
err_t pbkdf2(enum digest d, struct str password, struct str salt, uint32_t rounds, uint8_t *ret, size_t n);
