/* Outside sign-in: this server as a client of another OpenID provider (OpenID Connect Core section 3.1, RFC 6749, RFC 7636,
 * RFC 9207). Whoever comes back is known by (issuer, subject) alone, never by an address (case A79). A sign-in under way is a
 * ticket, bound to the browser that began it and consumed once (case A82). What blocks on the network is for WORK_OUTGOING. */
#pragma once
#include "account/session.h"

struct outside;
struct outside *outside_new(void); /* core->outside; NULL if memory is out */
void outside_free(struct outside **o);

/* The address of the provider's authorization endpoint, with the request. browser: the browser's secret of before sign-in.
 * next: where to go afterwards, the caller's to check. again: the person must prove anew who he is. ERR_OUTSIDE, ERR_NET. */
struct outside_begin {
    struct str provider, browser, next;
    bool again;
};
err_t outside_begin(struct op *op, const struct outside_begin *b, struct str *ret_location);

/* What the provider sent the browser back with; members may be zero. */
struct outside_answer {
    struct str provider, browser;
    struct str code, state, iss, error;
};
struct outside_result {
    struct str next;     /* what it began with; told also when it fails, as far as it is known */
    bool ask;            /* nobody here is linked to that account: `pending`; otherwise `in` */
    struct signed_in in;
    struct str pending;  /* names who came, for the sign-in page: outside_pending */
};
/* ERR_OUTSIDE and a sentence for the person: whatever is wrong with the answer. ERR_NET: the provider can't be reached. */
err_t outside_finish(struct op *op, const struct outside_answer *a, struct outside_result *ret);

/* Somebody who came back and is not linked yet. */
struct outside_pending {
    const struct provider *provider;
    struct str subject, label; /* label: his name or address there, for reading; may be empty */
    struct ticket ticket;
};
/* Of this browser, alive and not used yet; ERR_OUTSIDE. Looks, does not consume. */
err_t outside_pending(struct op *op, struct str text, struct str browser, struct outside_pending *ret);
/* Consumes it and links, once: the caller has just seen proof that the person is this account's. ERR_CONFLICT: linked already. */
err_t outside_link(struct op *op, const struct outside_pending *p, const struct session *s);
