/* JOSE: JSON Web Keys (RFC 7517), signatures (RFC 7515) and tokens (RFC 7519, RFC 8725).
 * There is no function that decodes without verifying and calls the result trusted; jwt_peek says so in its name. */
#pragma once
#include "crypto/crypto.h"
#include "base/json.h"
#include "base/limits.h"

enum alg {
#define SIG(id, ...)    ALG_##id,
#define MANAGE(id, ...) ALG_##id,
#include "jose/alg.def"
#undef SIG
#undef MANAGE
    ALG_COUNT
};
/* Sets of algorithms. */
#define ALG_BIT(a)      ((uint64_t)1 << (a))
#define ALGS_ALL        (ALG_BIT(ALG_COUNT) - 1)
#define ALGS_ASYMMETRIC (ALG_BIT(ALG_HS256) - 1)                           /* signatures others can check without being able to make them */
#define ALGS_HMAC       (ALG_BIT(ALG_RSA_OAEP) - ALG_BIT(ALG_HS256))
#define ALGS_SIG        (ALGS_ASYMMETRIC | ALGS_HMAC)
#define ALGS_MANAGE     (ALGS_ALL & ~ALGS_SIG)
#define ALGS_EDDSA      (ALG_BIT(ALG_EDDSA) | ALG_BIT(ALG_ED448))
/* key management with a public half: what may be encrypted to somebody else */
#define ALGS_MANAGE_PUBLIC                                                                                                         \
    (ALG_BIT(ALG_RSA_OAEP) | ALG_BIT(ALG_RSA_OAEP_256) | ALG_BIT(ALG_ECDH_ES) | ALG_BIT(ALG_ECDH_ES_A128KW) |                      \
     ALG_BIT(ALG_ECDH_ES_A192KW) | ALG_BIT(ALG_ECDH_ES_A256KW))
#define ALGS_ISSUED     (ALGS_ASYMMETRIC & ~ALG_BIT(ALG_ED448))            /* what the server signs with: one row a name */

enum manage { MANAGE_NONE, MANAGE_OAEP, MANAGE_OAEP_256, MANAGE_KW, MANAGE_GCMKW, MANAGE_DIR, MANAGE_ECDH, MANAGE_PBES2 };
struct alg_row {
    const char *name;
    const char *use;     /* "sig" or "enc" */
    enum key_kind kind;  /* of a new key */
    uint32_t kinds;      /* bit (1 << enum key_kind) of each that fits */
    enum sig_scheme scheme; /* signatures */
    enum manage method;     /* key management; MANAGE_NONE for signatures */
    enum digest digest;
    unsigned rsa_bits;      /* of a new key: RSA and KEY_OCT */
    size_t wrap_n;          /* bytes of the AES key that wraps; 0: none does */
    size_t secret_min, secret_max; /* bytes of a KEY_OCT */
};
const struct alg_row *alg_row(enum alg a);
bool alg_find(struct str name, enum alg *ret); /* exact, case-sensitive; "EdDSA" is ALG_EDDSA */
bool alg_find_in(struct str name, uint64_t algs, enum alg *ret);
uint64_t algs_named(enum alg a);                   /* all rows of a's name */
bool alg_fits(enum alg a, const struct key *k);    /* kind, and for secrets the length */

/* A key bound to one algorithm and one id. Nothing verifies or decrypts with another algorithm than the key's (A65). */
struct jwk {
    struct str kid;
    enum alg alg;
    struct key *key; /* owned by whoever made the jwk */
    struct strs x5c; /* certificates as DER, the key's own first; in the arena */
    bool alg_open;   /* read leniently from a JWK that names no alg: jwks_bind may choose another that fits */
    bool use_open;   /* and that names no use: for signatures and for encryption */
};
/* What a reader takes. Of the halves at least one has to stand; without JWK_SIG and JWK_ENC both uses are taken. */
enum jwk_want {
    JWK_PUBLIC = 1,  /* keys without a private half; a key with one is refused unless JWK_PRIVATE is wanted, too (A76) */
    JWK_PRIVATE = 2, /* keys with one */
    JWK_SECRET = 4,  /* kty oct */
    JWK_SIG = 8,     /* bound to a signature algorithm */
    JWK_ENC = 16,    /* bound to key management */
    /* jwk: a missing alg is the usual one of the key's kind (RS256, ES256 ..., EdDSA, RSA-OAEP, ECDH-ES). Set: what is not understood or not
     * wanted is passed over (RFC 7517 section 5), as with sets of other servers. Private members where none are wanted refuse all the same. */
    JWK_LENIENT = 32,
};
#define JWK_ANY (JWK_PUBLIC | JWK_PRIVATE | JWK_SECRET)
/* Malformed, weak, of another kind than its alg, or not wanted: ERR_KEY; no or an unknown alg: ERR_ALG. use and key_ops have to permit
 * what alg says; x5c, x5t and x5t#S256 have to agree with the key. */
err_t jwk_parse(const json_t *doc, unsigned want, struct arena *a, struct jwk *ret);
/* One object: kty, numbers, kid, use, alg, x5c, x5t#S256. ERR_KEY: private or secret, and the jwk has no such half (or is a
 * secret that is to be printed as public). */
err_t jwk_print(const struct jwk *k, bool private_part, struct arena *a, struct jw *w);
err_t jwk_print_public(const struct jwk *k, struct arena *a, struct jw *w);
err_t jwk_thumbprint(const struct crypto *c, const struct key *k, struct arena *a, struct str *ret); /* RFC 7638, SHA-256, base64url */
err_t jwk_thumbprint_uri(const struct crypto *c, const struct key *k, struct arena *a, struct str *ret); /* RFC 9278 */
/* A new key for the algorithm, its kid the thumbprint (of a secret: random). kind: KEY_KINDS for the algorithm's usual one; bits: 0 for its
 * usual length (RSA, and secrets). ERR_KEY if they do not fit. The caller key_free()s. */
err_t jwk_generate(const struct crypto *c, enum alg alg, enum key_kind kind, unsigned bits, struct arena *a, struct jwk *ret);

/* Keys by kid and alg; v is in the arena, the keys are the set's. All or nothing: one bad key, or two that no header could
 * tell apart, refuse the set. want: enum jwk_want. At most LIMIT_JWKS_KEYS. */
struct jwks {
    struct jwk *v;
    size_t n;
};
err_t jwks_parse(struct str text, unsigned want, struct arena *a, struct jwks *ret);
err_t jwks_from(const json_t *doc, unsigned want, struct arena *a, struct jwks *ret);
void jwks_free(struct jwks *s);
/* The keys of a set that may be used with `alg`: those bound to it, and those of other makers that are bound to none and fit,
 * bound to it now. The keys stay the set's. */
err_t jwks_bind(const struct jwks *set, enum alg alg, struct arena *a, struct jwks *ret);

/* Compact JWS of `payload`; typ may be STR_NONE. Header members: alg, typ, kid. The result is in the arena.
 * ERR_TOO_LARGE past LIMIT_JWT, since nobody would take it. */
err_t jws_sign(const struct crypto *c, const struct jwk *k, struct str typ, struct str payload, struct arena *a, struct str *ret);

/* The payload of a compact JWS that is not a token. Header and signature are checked as jwt_verify does: ERR_TOKEN_INVALID if it
 * is malformed, ERR_ALG if its header names another algorithm than the key's, ERR_SIGNATURE. */
err_t jws_verify(const struct crypto *c, const struct jwk *k, struct str token, struct arena *a, struct str *ret_payload);

/* --- signed text that is no token: jws_text.c, jws_json.c. For the library and the command line; the server's profiles take
 * compact tokens alone (A73). At most LIMIT_JWS bytes. --- */
struct jws_options {
    struct str typ, cty;
    bool detached;  /* the payload is left out (RFC 7515 appendix F) */
    bool unencoded; /* the payload as it is: "b64": false and crit (RFC 7797). Attached it has to be text without a dot (compact) or UTF-8 (JSON) */
};
struct jws_seen {
    struct str header, payload;
    const struct jwk *key; /* whose signature it is; in the caller's set */
};
/* ERR_PARAM_BAD: a payload that cannot stand there unencoded. */
err_t jws_make(const struct crypto *c, const struct jwk *k, const struct jws_options *o, struct str payload, struct arena *a,
               struct str *ret);
/* detached: the payload if it comes apart from the text, else NULL. One key of the set (with the header's kid, if it has one) must have made
 * the signature. Of crit only ["b64"] is understood. ERR_TOKEN_INVALID: malformed; ERR_KEY: no key for it; ERR_SIGNATURE. */
err_t jws_open(const struct crypto *c, const struct jwks *keys, struct str text, const struct str *detached, struct arena *a,
               struct jws_seen *ret);
/* The JSON serializations (RFC 7515 section 7.2): flattened with one key, general with several or when asked for. Opening takes both;
 * one right signature is enough, by the key that is told. */
err_t jws_json_make(const struct crypto *c, const struct jwks *keys, const struct jws_options *o, bool general, struct str payload,
                    struct arena *a, struct str *ret);
err_t jws_json_open(const struct crypto *c, const struct jwks *keys, struct str text, const struct str *detached, struct arena *a,
                    struct jws_seen *ret);

/* --- tokens --- */
enum jwt_claim {
    JWT_ISS,
    JWT_SUB,
    JWT_AUD,
    JWT_EXP,
    JWT_IAT,
    JWT_NBF,
    JWT_JTI,
    JWT_CLIENT_ID,
    JWT_SCOPE,
    JWT_AZP,
    JWT_NONCE,
    JWT_SID,
    JWT_AUTH_TIME,
    JWT_EVENTS,
    JWT_CLAIMS
};
#define JWT_BIT(c) (1u << (c))
/* What a verifier accepts; a zero member asks for nothing unless said otherwise. */
struct jwt_profile {
    const char *typ;     /* "at+jwt" (also accepted with "application/" before it, any case), or NULL: JWT or absent */
    bool typ_lax;        /* with a typ: JWT and absent are accepted, too, since older makers leave it out */
    uint64_t algs;       /* ALG_BIT() of each allowed */
    uint32_t need;       /* JWT_BIT() of each that has to stand there; exp does unless exp_optional */
    uint32_t forbid;     /* and of each that marks another kind of token */
    bool exp_optional;
    bool iss_is_sub;     /* both name the client (RFC 7523 section 3) */
    const char *event;   /* a member events must have */
    struct str iss;      /* required */
    struct strs aud;     /* one of these must stand in aud; empty: aud is not looked at */
    bool aud_alone;      /* aud must be one string, not a list */
    struct str azp;      /* if set and the token has azp, they must be equal; STR_NONE: azp is not looked at */
    struct str nonce;    /* if set, the token's must be equal */
    int64_t skew_s;      /* tolerated clock difference for exp, nbf, iat */
    int64_t max_life_s;  /* exp - iat (exp - now without iat) may not exceed it; 0: no bound */
};
/* The rows of jwt_profile.c: typ, algorithms, claims, lifetime and skew of a kind of token (RFC 8725 section 3.12); the caller sets iss, aud and
 * what else it knows, and may narrow algs. */
enum jwt_kind { JWT_ACCESS_TOKEN, JWT_ID_TOKEN, JWT_CLIENT_ASSERTION, JWT_LOGOUT_TOKEN, JWT_REQUEST_OBJECT, JWT_KINDS };
struct jwt_profile jwt_profile_of(enum jwt_kind kind);

struct jwt {
    struct str header, payload; /* decoded JSON */
    struct str kid, typ, iss, sub, jti, client_id, scope, azp, nonce, sid;
    struct str events; /* JSON as it stands */
    struct strs aud;
    bool aud_is_list;
    int64_t exp_s, iat_s, nbf_s, auth_time_s; /* 0 when absent */
    uint32_t has; /* JWT_BIT() of each claim that stands there */
    enum alg alg;
};
/* Splits, decodes, checks the header strictly (alg, typ, crit refused, b64 refused; jwk, jku, x5u, x5c are never looked at;
 * cases A64-A68, A74, A75) and reads the registered claims. Verifies NOTHING cryptographic: for finding the key or the
 * stored row only. ERR_TOKEN_INVALID, whatever was wrong. */
err_t jwt_peek(struct str token, struct arena *a, struct jwt *ret_untrusted);
/* What in the claims does not fit the profile, as a sentence; NULL: nothing. Says nothing of who made the token: for telling what
 * is wrong before a key is looked for, or more narrowly after jwt_verify. */
const char *jwt_fault(const struct jwt *t, const struct jwt_profile *p, int64_t now_s, struct arena *a);
/* The one way to trust a token: signature by the key with its kid (or the only key when kid is absent), then the profile.
 * ERR_TOKEN_INVALID with the reason in f. */
err_t jwt_verify(const struct crypto *c, struct str token, const struct jwks *keys, const struct jwt_profile *p, int64_t now_s,
                 struct arena *a, struct jwt *ret, struct fault *f);
