/* Clients that have to hear of a session's end: a row each (session_client) while it lasts, a delivery of the sink "logout" each
 * when it is over. Told in the transaction that ends the session, so that nobody is forgotten; once, since the row goes with it. */
#pragma once
#include "store/store.h"

#define SINK_LOGOUT "logout"

/* Inside a transaction: the client has had an ID token in this session; again is the same. expires_s: the session's own end. */
err_t sign_out_listen_tx(struct db *db, int64_t tenant_id, int64_t session_id, int64_t client_id, int64_t expires_s);
/* Inside a transaction. For one session. */
err_t sign_out_tell_tx(struct db *db, struct store *s, int64_t tenant_id, int64_t session_id, int64_t now_s);
/* For the sessions of an account that are older than before_id; each client told takes one of *left. */
err_t sign_out_tell_account_tx(struct db *db, struct store *s, int64_t tenant_id, int64_t account_id, int64_t before_id, int64_t now_s,
                               int64_t *left);
