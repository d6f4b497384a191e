/* Clients of a session, as rows. */
#include "oauth/session_client.h"

err_t session_client_put_tx(struct db *db, int64_t tenant_id, int64_t session_id, int64_t client_id, int64_t expires_s)
{
    return db_run(db, Q_SESSION_CLIENT_PUT, BIND(vint(tenant_id), vint(session_id), vint(client_id), vint(expires_s)), NULL);
}
