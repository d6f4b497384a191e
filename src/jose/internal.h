/* What JWS and JWT share inside. */
#pragma once
#include "jose/jose.h"

/* A compact JWS taken apart, its header checked, nothing verified. */
struct jws {
    struct str header, payload, sig; /* decoded */
    struct str input;                /* what the signature is over */
    struct str kid, typ;
    enum alg alg;
};
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
};
struct member {
    const char *name;
    err_t (*read)(struct reader *r, const struct member *self, const struct json_member *m);
    size_t offset;
    const char *why; /* told when the value is wrong */
};
/* Hands each member of the JSON object to its row; unknown ones are passed over (RFC 7519 section 4). */
err_t members_read(struct reader *r, struct str text);
err_t member_str(struct reader *r, const struct member *self, const struct json_member *m);

/* --- jwk_set.c --- */
/* x5c as DER, the certificates and fingerprints held against the key. */
err_t jwk_x509_parse(const json_t *doc, const struct key *k, struct arena *a, struct strs *ret);
/* --- jwk.c --- */
bool jwk_leaks(const json_t *doc, unsigned want); /* holds members of a private half where none is wanted */
