/* What JWS and JWT share inside. */
#pragma once
#include "jose/jose.h"

/* A compact JWS taken apart, its header checked, nothing verified. */
struct jws {
    struct str header, payload, sig; /* decoded */
    struct str input;                /* what the signature is over */
    struct str kid, typ;
    enum alg alg;
    bool crit, unencoded; /* only where jws_header_open read it */
};
/* alg, typ, kid. jws_header_read refuses crit and b64, jws_header_open takes them as RFC 7797 has them. ret is touched on failure. */
err_t jws_header_read(struct str header, struct arena *a, struct jws *ret, const char **ret_why);
err_t jws_header_open(struct str header, struct arena *a, struct jws *ret);
/* The header jws_sign and its like write; crit and b64 if o says so. */
err_t jws_header_print(const struct jwk *k, const struct jws_options *o, struct arena *a, struct str *ret);
bool jws_take_part(struct str *rest, char end, struct str *ret); /* up to end, which is cut off, too; not decoded */
/* --- jws_text.c --- */
/* protected.payload with the payload encoded or not. */
err_t jws_input(struct str protected, struct str payload, bool unencoded, struct arena *a, struct str *ret);
/* The key of the set whose signature s has. ERR_KEY: none that fits the header; ERR_SIGNATURE. */
err_t jws_find_signer(const struct crypto *c, const struct jwks *keys, const struct jws *s, const struct jwk **ret);
/* *ret_why is set on failure: a sentence for the client. */
err_t jws_read(struct str token, struct arena *a, struct jws *ret, const char **ret_why);
err_t jws_check(const struct crypto *c, const struct jws *s, const struct jwk *k);

/* One member of a header or a claims set: how it is read and where to. */
struct reader {
    struct arena *a;
    void *obj;
    const struct member *members;
    size_t members_n;
    const char *why;
    uint32_t seen; /* bit i: members[i] stood there */
};
struct member {
    const char *name;
    err_t (*read)(struct reader *r, const struct member *self, const struct json_member *m);
    size_t offset;
    const char *why; /* told when the value is wrong */
};
/* Hands each member of the JSON object to its row; unknown ones are passed over (RFC 7519 section 4). */
err_t members_read(struct reader *r, struct str text);
/* A JSON list of strings, as json_scan gave it. ERR_TOKEN_INVALID: other things in it, or more than LIMIT_JWT_AUD. */
err_t array_strings(struct arena *a, struct str raw, struct strs *ret);
err_t member_str(struct reader *r, const struct member *self, const struct json_member *m);

/* --- jwk_set.c --- */
/* x5c as DER, the certificates and fingerprints held against the key. */
err_t jwk_x509_parse(const json_t *doc, const struct key *k, struct arena *a, struct strs *ret);
/* --- jwk.c --- */
bool jwk_leaks(const json_t *doc, unsigned want); /* holds members of a private half where none is wanted */
