/* JSON Web Encryption (RFC 7516). Whatever was wrong with a key, a ciphertext or a tag, there is one error, ERR_DECRYPT,
 * after the same work (RFC 7516 section 11.5, A77). What the header alone shows has errors of its own: ERR_JWE_RSA1_5 and
 * ERR_JWE_ZIP for the two things that are never taken, ERR_ALG for an algorithm that is unknown or not accepted here. */
#pragma once
#include "jose/jose.h"

enum enc {
#define ENC(id, name, key, iv, tag, block, suite) ENC_##id,
#include "jose/enc.def"
#undef ENC
    ENC_COUNT
};
#define ENC_BIT(e) ((uint64_t)1 << (e))
#define ENCS_ALL   (ENC_BIT(ENC_COUNT) - 1)
/* What a server takes: PBES2 makes it work as long as the sender likes (A71), passphrases have no place there. */
#define ALGS_MANAGE_SERVER \
    (ALGS_MANAGE & ~(ALG_BIT(ALG_PBES2_HS256_A128KW) | ALG_BIT(ALG_PBES2_HS384_A192KW) | ALG_BIT(ALG_PBES2_HS512_A256KW)))
const char *enc_name(enum enc e);
bool enc_find(struct str name, enum enc *ret); /* exact, case-sensitive */

/* Header members beside the algorithms. For encrypting those that are absent are left out (kid: the key's own is written);
 * apu and apv are bytes, used by ECDH-ES alone. */
struct jwe_header {
    struct str kid, typ, cty, apu, apv;
    enum alg alg; /* set by decrypting */
    enum enc enc;
};
struct jwe_accept {
    uint64_t algs, encs; /* ALG_BIT, ENC_BIT */
};

/* The compact form; h may be NULL. ERR_ALG: the key's algorithm is not one of key management. ERR_KEY: it does not fit.
 * ERR_TOO_LARGE past LIMIT_JWE. The result is in the arena. */
err_t jwe_encrypt(const struct crypto *c, const struct jwk *k, enum enc enc, const struct jwe_header *h, struct str plain,
                  struct arena *a, struct str *ret);
/* The key is the one of `keys` that has the header's alg and kid; without a kid on either side the only one of that alg.
 * ret_seen may be NULL. */
err_t jwe_decrypt(const struct crypto *c, const struct jwks *keys, const struct jwe_accept *accept, struct str token,
                  struct arena *a, struct str *ret_plain, struct jwe_header *ret_seen);

/* --- nested JWTs (RFC 7519 appendix A.2): signed, then encrypted, cty "JWT" --- */
err_t jwt_encrypt(const struct crypto *c, const struct jwk *k, enum enc enc, struct str signed_jwt, struct arena *a,
                  struct str *ret);
/* Decrypts and hands out the compact JWS inside, still to be verified (jwt_verify). ERR_DECRYPT, too, if cty does not say JWT
 * or what is inside is not of three parts: a claim nobody signed is no token (A73). */
err_t jwt_decrypt(const struct crypto *c, const struct jwks *keys, const struct jwe_accept *accept, struct str token,
                  struct arena *a, struct str *ret_signed);
bool jwt_is_encrypted(struct str token); /* five parts; nothing else is looked at */

/* --- JSON serialization (RFC 7516 section 7.2): for the command line and the library; the server takes the compact form --- */
struct jwe_json {
    struct str aad; /* additional data, authenticated and not encrypted; STR_NONE: none */
    bool flattened; /* one recipient only */
};
/* To each key of `to` (at most LIMIT_JWE_RECIPIENTS); dir and ECDH-ES make the content key themselves and stand alone. */
err_t jwe_json_encrypt(const struct crypto *c, const struct jwks *to, enum enc enc, const struct jwe_header *h,
                       const struct jwe_json *form, struct str plain, struct arena *a, struct str *ret);
/* General or flattened. The first recipient that one of the keys opens is the one. ret_aad may be NULL. */
err_t jwe_json_decrypt(const struct crypto *c, const struct jwks *keys, const struct jwe_accept *accept, struct str text,
                       struct arena *a, struct str *ret_plain, struct jwe_header *ret_seen, struct str *ret_aad);
