/* Token status lists (draft-ietf-oauth-status-list): revocation for those who verify JWTs by themselves. A token's place is a list
 * and an index in it, kept as one number in its row (token.status_index: list << 16 | index); the list is a signed token of one
 * bit each, set for what life_check refuses.
 *
 * Lists have LIMIT_STATUS_SIZE places. Each server opens its own, one conditional insert a list, and hands its places out from
 * memory in an order that tells nothing, for a day at most; one that has stopped opens new ones, so no place is ever given twice. */
#pragma once
#include "token/life.h"

struct status;
struct status *status_new(void); /* core->status; NULL if memory is out */
void status_free(struct status **s);

/* A place for the JWT that will have this row id (taken before anything was checked, as for any token). Writes once a list. */
err_t status_take(struct op *op, int64_t token_id, int64_t *ret_index);
/* The claim: "status": {"status_list": {"idx": 7, "uri": "https://.../status/..."}}. */
void status_write(struct op *op, int64_t index, struct jw *w);

/* The Status List Token of a list of the tenant, by the name in its address; at most LIMIT_STATUS_AGE_MS old, made by one thread
 * however many ask. In the op's arena. ERR_NOT_FOUND. */
err_t status_list_token(struct op *op, struct str name, struct str *ret);
/* {"status_lists": [addresses]}, newest first: of all whose tokens may live, at most LIMIT_STATUS_SHOWN. */
err_t status_list_all(struct op *op, struct jw *w);
