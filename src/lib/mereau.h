/* libmereau: verifies the tokens of a mereau server (or of another issuer of JWT access tokens, RFC 9068) inside a resource server,
 * in microseconds and without asking. The issuer's keys are found by its metadata (OpenID Connect Discovery, RFC 8414) and kept fresh.
 *
 *     const char *audiences[] = {"https://api.example", NULL};
 *     struct mereau_options o = {.size = sizeof(o), .issuer = "https://id.example", .audiences = audiences};
 *     struct mereau_verifier *v;
 *     struct mereau_result *r = mereau_result_new();
 *     if (mereau_verifier_new(&o, &v) == MEREAU_OK && mereau_verify_header(v, header, r) == MEREAU_OK && mereau_has_scope(r, "orders.read"))
 *         serve(mereau_subject(r));
 *
 * Texts handed in and out are UTF-8 and end with NUL. Times are seconds since 1970 unless a name ends in _ms.
 * Threads: one verifier serves any number of threads at once; a result belongs to one thread at a time. Not across fork(): make the
 * verifier in the process that uses it. Nothing here writes to a file, to standard error, or changes the process's signals.
 * Link: pkg-config libmereau. Manual: mereau_verify(3), mereau_verifier_new(3), mereau_result_new(3). */
#ifndef MEREAU_H
#define MEREAU_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum mereau_status {
    MEREAU_OK,
    /* the token is not to be trusted: answer 401 */
    MEREAU_MISSING,     /* the header has no bearer token */
    MEREAU_INVALID,     /* malformed, or its signature, type, algorithm or issuer is wrong; mereau_reason() says which */
    MEREAU_DECRYPT,     /* it is encrypted, and no key of ours opens it */
    MEREAU_UNKNOWN_KEY, /* none of the issuer's keys has its kid */
    MEREAU_EXPIRED,     /* expired, not valid yet, or longer-lived than is accepted */
    MEREAU_AUDIENCE,    /* genuine, but for somebody else */
    MEREAU_REVOKED,     /* genuine, but the issuer's status list says that it is not valid any more */
    /* nothing can be said of the token: answer 503 */
    MEREAU_TRY_AGAIN,   /* without a background thread: call mereau_verifier_refresh(), then verify once more */
    MEREAU_UNAVAILABLE, /* there are no keys, or no status list, recent enough to judge by */
    /* of the other calls */
    MEREAU_NETWORK,     /* the issuer could not be reached or gave no sound answer; mereau_verifier_problem() says more */
    MEREAU_OPTIONS,     /* an option is missing or wrong */
    MEREAU_MEMORY,
    MEREAU_CRYPTO       /* a failure inside the cryptographic library */
};
/* An English sentence without a full stop; never NULL, never to be freed. */
const char *mereau_strerror(enum mereau_status status);
const char *mereau_version(void);

/* --- the verifier ------------------------------------------------------------------------------------------------------------- */
struct mereau_verifier;

/* All zero but `size` and `issuer` is a sound choice. Everything is copied: nothing has to outlive mereau_verifier_new(). */
struct mereau_options {
    size_t size;                   /* sizeof(struct mereau_options): what the caller was compiled with */
    const char *issuer;            /* exactly as the tokens' iss has it; https, unless its address is in `allow` */
    const char *const *audiences;  /* who we are, NULL at the end: one of them has to stand in aud. NULL or empty: MEREAU_OPTIONS */
    const char *algorithms;        /* "ES256 EdDSA": signatures taken; NULL: every asymmetric one. Never HS*, never none */
    int64_t clock_skew_s;          /* clock difference tolerated; 0: 60; negative: none. At most 300 */
    int64_t refresh_s;             /* keys are fetched anew so often; 0: as their Cache-Control says, else 300. 60 to 86,400 */
    int64_t stale_s;               /* and serve so long after that while the network is away; 0: 86,400; negative: not at all */
    int64_t timeout_ms;            /* of one fetch; 0: 5,000 */
    int64_t wait_ms;               /* the longest that mereau_verify() waits for a fetch; 0: 2,000; negative: it never waits */
    int no_background;             /* 1: no thread; the caller calls mereau_verifier_refresh() when mereau_verifier_next_refresh() says */
    const char *jwks;              /* the issuer's keys as a JWK Set, given here: then none are fetched */
    const char *decryption_keys;   /* our private keys for encrypted tokens: a JWK, a JWK Set, or one PEM; NULL: such tokens are refused */
    int status_list;               /* 1: tokens that name a place in a status list of the issuer are looked up there */
    int64_t status_stale_s;        /* a list serves so long after its time while the network is away; 0: 300; negative: not at all */
    const char *ca_file;           /* PEM certificates to trust instead of the system's */
    const char *const *allow;      /* private addresses that may be called, over http too: "127.0.0.1", "10.1.0.0/16"; NULL at the end */
};
/* MEREAU_OK with *ret, or MEREAU_OPTIONS, MEREAU_MEMORY, MEREAU_CRYPTO. Does not wait for the network: the keys come with the background
 * thread's first fetch, for which mereau_verify() waits, or with mereau_verifier_refresh(). */
enum mereau_status mereau_verifier_new(const struct mereau_options *options, struct mereau_verifier **ret);
/* Ends the thread (a fetch under way is waited for). Nobody may be using *v; results made with it stay. *v becomes NULL. */
void mereau_verifier_free(struct mereau_verifier **v);
/* Fetches what is due: metadata and keys, and status lists. Blocks; never two at once (the second caller waits for the first).
 * MEREAU_OK: all that was due is here. MEREAU_NETWORK, MEREAU_MEMORY: some is not; what was there serves on. */
enum mereau_status mereau_verifier_refresh(struct mereau_verifier *v);
/* Milliseconds until something is due: 0: now; negative: never (the keys were given). For event loops without the background thread; it
 * changes when mereau_verify() meets an unknown key or list (MEREAU_TRY_AGAIN). */
int64_t mereau_verifier_next_refresh(struct mereau_verifier *v);
/* What the last failing fetch said, for a log; "" when nothing failed since the last success. Cut to n bytes, NUL included. Returns ret. */
const char *mereau_verifier_problem(struct mereau_verifier *v, char *ret, size_t n);

/* --- verifying ------------------------------------------------------------------------------------------------------------------ */
/* What a token says; to be used again for the next one. Made once a thread: after some tokens its memory suffices and nothing is
 * allocated any more, the cryptographic library's own needs apart. */
struct mereau_result;
struct mereau_result *mereau_result_new(void); /* NULL: memory is out */
void mereau_result_free(struct mereau_result **r);

/* An access token: its bytes, without "Bearer". Signature, algorithm, type (at+jwt), issuer, audience, times, and where asked for the status
 * list; an encrypted token is decrypted first. MEREAU_OK is the only answer after which the result says anything.
 * Waits for the network only where the first keys, the key of a token or its status list are not here yet (wait_ms); an unknown kid
 * causes a fetch; after one that brought nothing new the next is 30 seconds later. */
enum mereau_status mereau_verify(struct mereau_verifier *v, const char *token, size_t n, struct mereau_result *r);
/* The same from the value of an Authorization header: "Bearer <token>", the word in any case. NULL counts as absent. */
enum mereau_status mereau_verify_header(struct mereau_verifier *v, const char *value, struct mereau_result *r);
/* An ID token instead (OpenID Connect Core section 3.1.3.7); the verifier's audience is the client id. nonce: what the authorization request
 * sent; NULL: not looked at. */
enum mereau_status mereau_verify_id_token(struct mereau_verifier *v, const char *token, size_t n, const char *nonce, struct mereau_result *r);

/* --- what the token says: valid until the result is used again or freed; NULL or 0 when it is absent ------------------------------------ */
/* Why the last verification refused, as a sentence for logs; "" after MEREAU_OK. Not for strangers. */
const char *mereau_reason(const struct mereau_result *r);
const char *mereau_subject(struct mereau_result *r);   /* sub */
const char *mereau_client_id(struct mereau_result *r); /* client_id */
const char *mereau_scope(struct mereau_result *r);     /* scope: words with a space between */
int64_t mereau_expires(const struct mereau_result *r); /* exp */
int mereau_has_scope(const struct mereau_result *r, const char *scope);       /* 1 or 0; scope is one word */
int mereau_has_role(struct mereau_result *r, const char *role);               /* among the strings of the claim "roles" */
int mereau_has_audience(const struct mereau_result *r, const char *audience); /* among aud */
/* A claim by its name. Text: of a string, its characters; of a number, true or false as JSON writes it; NULL for objects, lists, null. */
const char *mereau_claim(struct mereau_result *r, const char *name);
const char *mereau_claim_json(struct mereau_result *r, const char *name); /* any claim, as the token has it */
const char *mereau_claims_json(struct mereau_result *r);                  /* all of them: the payload */

#ifdef __cplusplus
}
#endif
#endif
