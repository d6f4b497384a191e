/* What libmereau's files share. A verifier's keys and status lists are one snapshot that never changes once it is made and is counted
 * by those who hold it: the verifier, and each result that used it last. A result whose snapshot is still the verifier's needs no lock. */
#pragma once
#include "lib/mereau.h"
#include "base/clock.h"
#include "jose/jwe.h"
#include "net/net.h"
#include "base/limits.h"
#include <pthread.h>
#include <stdatomic.h>

struct key_set {
    struct jwks keys; /* each row one algorithm: a key that names none has several rows */
    struct jwks owned;
    struct arena *arena;
    struct str text;
    _Atomic int64_t stale_until_ms; /* steady clock, as all times in _ms here */
    _Atomic int refs;
};

struct status_list {
    const char *uri;
    uint8_t *bytes;
    size_t n;
    unsigned bits;
    int64_t stale_until_ms;
    _Atomic int64_t used_ms;
    _Atomic int refs;
};

struct snapshot {
    struct key_set *keys; /* NULL: none yet */
    _Atomic int refs;
    size_t lists_n;
    struct status_list *lists[];
};

/* A status list that some token has named. */
struct wanted {
    char *uri;
    struct status_list *list; /* NULL: not here yet */
    int64_t due_ms;
    unsigned failures;
};

struct mereau_verifier {
    /* set once */
    struct arena *arena;
    struct crypto *crypto;
    struct net *net;
    struct key_set *own; /* decryption; NULL: none */
    struct str issuer, origin;
    struct jwt_profile access, id;
    int64_t refresh_s, stale_s, status_stale_s, timeout_ms, wait_ms;
    bool background, status_list;
    pthread_t thread;
    /* under the lock; `now` is read without it */
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    struct snapshot *_Atomic now;
    struct key_set *keys;
    struct wanted wanted[LIMIT_STATUS_LISTS];
    size_t wanted_n;
    int64_t keys_due_ms, kid_retry_ms;
    unsigned failures;
    bool refreshing, stop;
    struct fault problem;
    /* of the one that refreshes */
    struct arena *scratch;
    char jwks_uri[LIMIT_REDIRECT_URI];
    int64_t discover_ms; /* the metadata is read again then */
};

struct member_list; /* the claims, indexed on the first question */
struct mereau_result {
    struct arena *arena;
    struct snapshot *snapshot; /* the last one used, counted */
    struct jwt jwt;
    struct fault why;
    struct member_list *members;
    const char *payload;
    bool sound; /* the last verification said MEREAU_OK */
};

static inline int64_t steady_ms(void)
{
    return clock_system.steady_ms(clock_system.ctx);
}
enum mereau_status status_of(err_t e); /* of what is not about a token */

/* --- key_set.c --- */
/* A JWK Set of the issuer's: public signature keys. Counted once, for the caller. ERR_KEY, ERR_JSON, ERR_MEMORY. */
err_t key_set_parse(struct str text, struct key_set **ret);
err_t key_set_private(struct str text, struct key_set **ret); /* ours: JWK, JWK Set or PEM */
void key_set_release(struct key_set *s);
void status_list_release(struct status_list *l);
void snapshot_release(struct snapshot *s);
/* With the lock held: keys and lists as they are now become the snapshot. */
err_t snapshot_publish(struct mereau_verifier *v);
/* The verifier's, counted for the result; NULL if there is none. */
const struct snapshot *snapshot_hold(struct mereau_verifier *v, struct mereau_result *r);

/* --- fetch.c: for the one that refreshes, who holds no lock --- */
/* *ret counted once. *ret_fresh_s: from Cache-Control, -1 if it says nothing. */
err_t fetch_keys(struct mereau_verifier *v, struct key_set **ret, int64_t *ret_fresh_s, struct fault *f);
err_t fetch_list(struct mereau_verifier *v, const struct key_set *keys, struct str uri, struct status_list **ret, int64_t *ret_fresh_s,
                 struct fault *f);

/* --- status_list.c --- */
/* A status list token (draft-ietf-oauth-status-list section 5), verified. *ret_fresh_s: its ttl and exp; -1 if it says nothing. */
err_t status_list_read(const struct crypto *c, const struct key_set *keys, const struct jwt_profile *p, struct str uri, struct str token,
                       int64_t now_s, struct arena *a, struct status_list **ret, int64_t *ret_fresh_s, struct fault *f);
/* The claim `status` of a token. ERR_NOT_FOUND: it names no list; ERR_CLAIM: it is malformed. */
struct status_place {
    struct str uri;
    int64_t idx;
};
err_t status_place(struct str payload, struct arena *a, struct status_place *ret);
bool status_at(const struct status_list *l, int64_t idx, unsigned *ret); /* false: past the end */

/* --- refresh.c; with the lock held --- */
int64_t refresh_next(const struct mereau_verifier *v); /* when something is due */
err_t refresh_due(struct mereau_verifier *v);          /* fetches what is; the lock is released meanwhile */

/* --- background.c --- */
/* With the lock held. A pointer is good until the next that is added or dropped. */
struct wanted *wanted_find(struct mereau_verifier *v, struct str uri);
void wanted_drop(struct mereau_verifier *v, size_t i);
err_t refresh_start(struct mereau_verifier *v); /* the lock, and the thread if one is wanted */
void refresh_end(struct mereau_verifier *v);
/* Something is not here: sees to it that it is fetched, and waits for that if a thread does it and the caller may wait. Look again then,
 * since somebody else may have brought it meanwhile. True: there is no thread, and it is due, so the caller has to refresh. */
bool refresh_for_keys(struct mereau_verifier *v, bool unknown_kid);
bool refresh_for_list(struct mereau_verifier *v, struct str uri);
