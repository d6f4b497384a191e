/* What the files of JWE share inside: a header as it was read, the decoded parts, the content key. */
#pragma once
#include "jose/jwe.h"
#include "jose/internal.h"

/* --- enc.c --- */
struct enc_row {
    const char *name;
    size_t key_n, iv_n, tag_n, block;
    err_t (*seal)(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data, uint8_t *ret,
                  uint8_t *ret_tag);
    err_t (*open)(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data, struct str tag,
                  uint8_t *ret, size_t *ret_n);
};
const struct enc_row *enc_row(enum enc e);

/* --- jwe_header.c: the members of RFC 7516 section 4.1 and RFC 7518 sections 4.6 to 4.8 --- */
struct jwe_params {
    struct str kid, typ, cty;
    enum alg alg; /* ALG_COUNT and ENC_COUNT: absent or unknown */
    enum enc enc;
    struct str epk;      /* JSON */
    struct str apu, apv; /* decoded, like the next three */
    struct str iv, tag, p2s;
    int64_t p2c;
    bool rsa1_5, zip;
};
/* ERR_DECRYPT if it is malformed or has crit. */
err_t jwe_params_read(struct str header, struct arena *a, struct jwe_params *ret);
/* The algorithm and what belongs to it; enc, typ, cty. */
void jwe_params_print_key(const struct jwe_params *p, struct jw *w);
void jwe_params_print_content(const struct jwe_params *p, struct jw *w);
/* What is refused for the header's sake, before any key is looked at. */
err_t jwe_params_judge(const struct jwe_params *p, const struct jwe_accept *accept);

/* --- jwe_key.c --- */
#define CEK_MAX 64
bool jwe_alg_managing(enum alg a); /* it is one of key management */
bool jwe_alg_alone(enum alg a);    /* dir, ECDH-ES: it makes the content key */
/* Settles the content key: makes it (or takes cek as it is when `given`), and writes what the other side needs into p and
 * ret_encrypted. */
err_t jwe_key_make(const struct crypto *c, const struct jwk *k, struct jwe_params *p, bool given, uint8_t cek[static CEK_MAX],
                   struct arena *a, struct str *ret_encrypted);
/* The other way. A key that does not come out is replaced by a random one, so that the failure shows where every other does:
 * at the content's tag. Errors are of what can be seen without the key: lengths, epk, p2c. */
err_t jwe_key_recover(const struct crypto *c, const struct jwk *k, const struct jwe_params *p, struct str encrypted,
                      uint8_t cek[static CEK_MAX], struct arena *a);

/* --- jwe.c --- */
struct jwe_parts {
    struct str aad; /* the input as it stands: base64url of the header, and for JSON of the additional data */
    struct str encrypted_key, iv, text, tag;
};
err_t jwe_seal(const struct crypto *c, enum enc enc, const uint8_t *cek, struct str aad, struct str plain, struct arena *a,
               struct jwe_parts *ret);
err_t jwe_open(const struct crypto *c, const struct jwks *keys, const struct jwe_params *p, const struct jwe_parts *parts,
               struct arena *a, struct str *ret_plain);
struct jwe_params jwe_params_of(const struct jwk *k, enum enc enc, const struct jwe_header *h_or_null);
struct jwe_header jwe_header_of(const struct jwe_params *p);
