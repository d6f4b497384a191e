/* JOSE: JSON Web Keys (RFC 7517), signatures (RFC 7515) and tokens (RFC 7519, RFC 8725).
 * There is no function that decodes without verifying and calls the result trusted; jwt_peek says so in its name. */
#pragma once
#include "crypto/crypto.h"
#include "base/json.h"

enum alg {
#define ALG(id, name, kind, scheme, digest, bits) ALG_##id,
#include "jose/alg.def"
#undef ALG
    ALG_COUNT
};
struct alg_row {
    const char *name;
    enum key_kind kind;
    enum sig_scheme scheme;
    enum digest digest;
    unsigned rsa_bits;
};
const struct alg_row *alg_row(enum alg a);
bool alg_find(struct str name, enum alg *ret); /* exact, case-sensitive */

/* A key bound to one algorithm and one id. Nothing verifies with another algorithm than the key's (A65). */
struct jwk {
    struct str kid;
    enum alg alg;
    struct key *key; /* owned by whoever made the jwk */
};
err_t jwk_print_public(const struct jwk *k, struct arena *a, struct jw *w); /* one object with kty, kid, use, alg, ... */
err_t jwk_thumbprint(const struct crypto *c, const struct key *k, struct arena *a, struct str *ret); /* RFC 7638, SHA-256, base64url */
/* One public key of a set. Private members, symmetric keys, missing or unknown alg: ERR_KEY / ERR_ALG (A76). */
err_t jwk_parse_public(const json_t *doc, struct arena *a, struct jwk *ret);
/* Public keys by kid and alg; v is in the arena, the keys are the set's. All or nothing: one bad key, or two that no header could
 * tell apart, refuse the set. */
struct jwks {
    struct jwk *v;
    size_t n;
};
err_t jwks_parse(struct str text, struct arena *a, struct jwks *ret); /* at most LIMIT_JWKS_KEYS */
void jwks_free(struct jwks *s);

/* Compact JWS of `payload`; typ may be STR_NONE. Header members: alg, typ, kid. The result is in the arena.
 * ERR_TOO_LARGE past LIMIT_JWT, since nobody would take it. */
err_t jws_sign(const struct crypto *c, const struct jwk *k, struct str typ, struct str payload, struct arena *a, struct str *ret);

/* The payload of a compact JWS that is not a token. Header and signature are checked as jwt_verify does: ERR_TOKEN_INVALID if it
 * is malformed, ERR_ALG if its header names another algorithm than the key's, ERR_SIGNATURE. */
err_t jws_verify(const struct crypto *c, const struct jwk *k, struct str token, struct arena *a, struct str *ret_payload);

/* What a verifier accepts; every member is required unless said otherwise. */
struct jwt_profile {
    const char *typ;     /* "at+jwt" (also accepted with "application/" before it, any case), or NULL: JWT or absent */
    unsigned algs;       /* bit (1 << enum alg) for each allowed */
    struct str iss;
    struct strs aud;     /* one of these must stand in aud; empty: aud is not looked at */
    struct str azp;      /* if set and the token has azp, they must be equal; STR_NONE: azp is not looked at */
    int64_t skew_s;      /* tolerated clock difference for exp, nbf, iat */
    int64_t max_life_s;  /* exp - iat (exp - now without iat) may not exceed it; 0: no bound. exp is always required */
};
struct jwt {
    struct str header, payload; /* decoded JSON */
    struct str kid, typ, iss, sub, jti, client_id, scope, azp;
    struct strs aud;
    int64_t exp_s, iat_s, nbf_s; /* 0 when absent */
    enum alg alg;
};
/* Splits, decodes, checks the header strictly (alg, typ, crit refused, b64 refused; jwk, jku, x5u, x5c are never looked at;
 * cases A64-A68, A74, A75) and reads the registered claims. Verifies NOTHING cryptographic: for finding the key or the
 * stored row only. ERR_TOKEN_INVALID, whatever was wrong. */
err_t jwt_peek(struct str token, struct arena *a, struct jwt *ret_untrusted);
/* The one way to trust a token: signature by the key with its kid (or the only key when kid is absent), then the profile.
 * ERR_TOKEN_INVALID with the reason in f. */
err_t jwt_verify(const struct crypto *c, struct str token, const struct jwks *keys, const struct jwt_profile *p, int64_t now_s,
                 struct arena *a, struct jwt *ret, struct fault *f);
