/* Personal and service API keys: opaque tokens with a name, permissions and an expiry; shown once. */
#pragma once
#include "account/account.h"
struct apikey_request {
    struct str name;
    struct strs permissions; /* each must be held by the account; empty: all it holds, at each use */
    int64_t life_s;          /* 0: 90 days; at most 366 */
};
err_t apikey_issue(struct op *op, int64_t account_id, const struct apikey_request *r, struct token_text *ret,
                   int64_t *ret_id, int64_t *ret_expires_s);
/* The actor behind a live API key (kind 'p' or 'm') with the permissions it has now. */
err_t apikey_actor(struct op *op, const struct token *t, struct actor *ret);
