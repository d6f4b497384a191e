/* Other JOSE libraries as benchmarks/jose.c sees them; each is there only if its development package is. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct rival_job {
    const char *alg;                  /* "ES256" */
    const char *pem, *pem_public;     /* of asymmetric keys, else NULL */
    const char *jwk;                  /* both halves, or the secret */
    const unsigned char *secret;
    int secret_n;
    const char *claims, *token;
    void *state;
};
struct rival {
    const char *name;
    bool (*open)(struct rival_job *j); /* false: not with this algorithm */
    bool (*sign)(struct rival_job *j);
    bool (*verify)(struct rival_job *j);
    void (*close)(struct rival_job *j);
};
extern const struct rival *const rivals[]; /* NULL at the end */

/* The same for encrypted tokens. */
struct rival_jwe_job {
    const char *alg, *enc, *jwk; /* jwk: with its private half, or the secret */
    const char *text;
    size_t text_n;
    const char *token; /* to decrypt */
    void *state;
};
struct jwe_rival {
    const char *name;
    bool (*open)(struct rival_jwe_job *j);
    bool (*encrypt)(struct rival_jwe_job *j);
    bool (*decrypt)(struct rival_jwe_job *j);
    void (*close)(struct rival_jwe_job *j);
};
extern const struct jwe_rival *const jwe_rivals[]; /* NULL at the end */
