/* Which clients have had an ID token in a session: whom to tell when it ends. */
#pragma once
#include "oauth/oauth.h"

/* Inside a transaction; again is the same. expires_s: the session's own end. */
err_t session_client_put_tx(struct db *db, int64_t tenant_id, int64_t session_id, int64_t client_id, int64_t expires_s);

/* The client wants to be told. */
static inline bool client_hears_sign_out(const struct client *c)
{
    return c->backchannel_logout_uri.n || c->frontchannel_logout_uri.n;
}
