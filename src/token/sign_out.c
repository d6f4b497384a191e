/* The end of sessions, told to their clients by the outbox: {"session","account"} for the client's name; the logout token is made
 * when it is delivered (oauth/logout_token.c). */
#include "token/sign_out.h"
#include "event/event.h"
#include "base/limits.h"
#include <inttypes.h>
#include <stdio.h>

#define PAGE 64

err_t sign_out_listen_tx(struct db *db, int64_t tenant_id, int64_t session_id, int64_t client_id, int64_t expires_s)
{
    return db_run(db, Q_SESSION_CLIENT_PUT, BIND(vint(tenant_id), vint(session_id), vint(client_id), vint(expires_s)), NULL);
}

struct listener {
    int64_t session_id, client_id, account_id;
    char name[LIMIT_NAME + 1];
};

/* Collected first: a table is not changed while it is read. */
static err_t collect(struct db *db, enum query q, const struct val *v, size_t n, struct listener ret[static PAGE], size_t *ret_n)
{
    struct rows r;
    size_t count = 0;
    TRY(db_rows(db, q, v, n, &r));
    while (count < PAGE && db_next(&r)) {
        struct listener *l = &ret[count++];
        *l = (struct listener){.session_id = db_int(&r, 0), .client_id = db_int(&r, 1), .account_id = db_int(&r, 2)};
        snprintf(l->name, sizeof(l->name), "%.*s", STR_ARG(db_text(&r, 3)));
    }
    *ret_n = count;
    return db_end(&r);
}

static err_t tell(struct db *db, struct store *s, int64_t tenant_id, const struct listener *l, int64_t now_s)
{
    char payload[96], object[48];
    int64_t changed = 0;
    TRY(db_run(db, Q_SESSION_CLIENT_FORGET, BIND(vint(tenant_id), vint(l->session_id), vint(l->client_id)), &changed));
    if (changed == 0) /* somebody else has told it */
        return ERR_OK;
    snprintf(payload, sizeof(payload), "{\"session\":%" PRId64 ",\"account\":%" PRId64 "}", l->session_id, l->account_id);
    snprintf(object, sizeof(object), "session:%" PRId64, l->session_id);
    return event_emit(db, s, tenant_id, SINK_LOGOUT, str_z(l->name), "session.ended", str_z(object), str_z(payload), now_s);
}

static err_t tell_all(struct db *db, struct store *s, int64_t tenant_id, enum query q, const struct val *v, size_t nv, int64_t now_s,
                      int64_t *left)
{
    struct listener page[PAGE];
    size_t n = PAGE;
    while (n == PAGE && *left > 0) {
        TRY(collect(db, q, v, nv, page, &n));
        for (size_t i = 0; i < n; i++)
            TRY(tell(db, s, tenant_id, &page[i], now_s));
        *left -= (int64_t)n;
    }
    return ERR_OK;
}

err_t sign_out_tell_tx(struct db *db, struct store *s, int64_t tenant_id, int64_t session_id, int64_t now_s)
{
    int64_t left = LIMIT_SESSION_CLIENTS;
    return tell_all(db, s, tenant_id, Q_SESSION_CLIENTS, BIND(vint(tenant_id), vint(session_id), vint(PAGE)), now_s, &left);
}

err_t sign_out_tell_account_tx(struct db *db, struct store *s, int64_t tenant_id, int64_t account_id, int64_t before_id, int64_t now_s,
                               int64_t *left)
{
    return tell_all(db, s, tenant_id, Q_SESSION_CLIENTS_OF_ACCOUNT,
                    BIND(vint(tenant_id), vint(account_id), vint(before_id), vint(PAGE)), now_s, left);
}
