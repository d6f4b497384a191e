/* One authorization request on its way: shared by the files that check it (authorize_request.c), ask the
 * person (authorize.c, consent.c, reauth.c) and answer (authorize_answer.c). */
#pragma once
#include "oauth/code.h"

enum prompt { PROMPT_NONE = 1, PROMPT_LOGIN = 2, PROMPT_CONSENT = 4 };
struct request {
    const struct authorize_params *p;
    struct object *client;
    struct str redirect_uri; /* validated: the one sent, or the only one registered */
    unsigned prompt;
    struct str audience, scope;
    struct account account;
};

/* authorize_request.c. The first says whether the redirect URI may be trusted: its refusals are shown on our
 * own page (rule E). What the second refuses is told to the client. */
err_t request_trust(struct op *op, struct request *r);
err_t request_check(struct op *op, struct request *r);

/* authorize_answer.c: a location with iss (RFC 9207) and state. */
err_t answer_code(struct op *op, const struct request *r, struct str code, struct str *ret_location);
err_t answer_error(struct op *op, const struct request *r, err_t e, struct str *ret_location);
/* The request as a query again, with `after` (zero: as it has it). */
err_t request_query(struct op *op, const struct authorize_params *p, struct str after, struct str *ret);

/* reauth.c: proof that re-authentication was asked for, and that it has happened since. */
struct str reauth_ask(struct op *op, const struct authorize_params *p);
bool reauth_done(struct op *op, const struct authorize_params *p, const struct session *s);

/* consent.c */
err_t consent_covers(struct op *op, const struct request *r, bool *ret);
err_t consent_put_tx(struct db *db, int64_t tenant_id, int64_t account_id, int64_t client_id,
                     struct str scope, int64_t now_s);
err_t consent_scope(struct op *op, const struct request *r,
                    struct str *ret); /* what has been consented to before; STR_NONE */
