/* What the files of the sign-in share. For src/account alone. */
#pragma once
#include "account/limiter.h"
#include "account/session.h"

/* A session about to be opened: made before the transaction, inserted in it. */
struct session_new {
    struct session session;
    struct token_text cookie;
    int64_t tenant_id;
    int64_t older_than_id; /* taken before the account was read: a later cut-off of the account wins */
    int64_t version; /* of the account whose password was verified; 0: none was */
    struct audit audit;
};
err_t session_make(struct op *op, const struct account *a, const char *amr, struct session_new *ret);
/* *ret_opened false: the account was disabled, cut off or removed meanwhile. */
err_t session_insert_tx(struct db *db, struct store *store, const struct session_new *n, bool *ret_opened);

/* The device cookie: says that this browser has signed in to this account before. Not a credential: it only
 * has a failure counter of its own (USERS R19). base64url of account id, 16 random bytes, and 16 of their
 * HMAC under the tenant's key. */
err_t device_make(struct op *op, int64_t account_id, struct str *ret);
bool device_known(struct op *op, struct str device, int64_t account_id);
