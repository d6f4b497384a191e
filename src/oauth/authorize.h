/* One authorization request on its way: shared by the files that check it (authorize_request.c), ask the
 * person (authorize.c, consent.c, reauth.c) and answer (authorize_answer.c). */
#pragma once
#include "oauth/code.h"

enum prompt { PROMPT_NONE = 1, PROMPT_LOGIN = 2, PROMPT_CONSENT = 4 };
enum response_mode { MODE_QUERY, MODE_FRAGMENT, MODE_FORM_POST };
struct request {
    const struct authorize_params *p;    /* what is asked for, out of a request object or not */
    const struct authorize_params *sent; /* as it came: what goes round through our pages */
    struct object *client;
    struct str redirect_uri; /* validated: the one sent, or the only one registered */
    bool wants_code, wants_id_token;
    enum response_mode mode;
    unsigned prompt;
    int64_t max_age_s; /* -1: none; the request's, else the client's */
    struct claims_request claims;
    struct id_hint hint; /* client NULL: none */
    struct str audience, scope;
    struct account account;
    err_t object_error; /* of the request object, told once the redirect URI is trusted */
    struct fault object_fault;
};

/* authorize_request.c. The first says whether the redirect URI may be trusted: its refusals are shown on our
 * own page (rule E). What the second refuses is told to the client. */
err_t request_trust(struct op *op, struct request *r);
err_t request_check(struct op *op, struct request *r);

/* authorize_answer.c: parameters on their way to the client, by the request's response mode, with state and always iss
 * (RFC 9207). */
struct answer {
    struct pair v[8];
    size_t n;
};
void answer_add(struct answer *a, const char *name, struct str value); /* a zero value is left out */
err_t answer_send(struct op *op, const struct request *r, struct answer *a, struct authorize_result *ret);
err_t answer_error(struct op *op, const struct request *r, err_t e, struct authorize_result *ret);
/* The request as a query again, with `after` (zero: as it has it). */
err_t request_query(struct op *op, const struct authorize_params *p, struct str after, struct str *ret);

/* reauth.c: proof that re-authentication was asked for, and that it has happened since. */
struct str reauth_ask(struct op *op, const struct authorize_params *p);
bool reauth_done(struct op *op, const struct authorize_params *p, const struct session *s);
/* When the request first came here, if it carries our proof of that; 0: it doesn't. */
int64_t reauth_asked_s(struct op *op, const struct authorize_params *p);

/* consent.c */
/* What the person is asked for: the scope, and the scopes of claims asked for by name. */
struct str consent_asked(struct op *op, const struct request *r);
err_t consent_covers(struct op *op, const struct request *r, bool *ret);
err_t consent_put_tx(struct db *db, int64_t tenant_id, int64_t account_id, int64_t client_id,
                     struct str scope, int64_t now_s);
err_t consent_scope(struct op *op, const struct request *r,
                    struct str *ret); /* what has been consented to before; STR_NONE */
