/* What a person has let a client do, remembered. */
#include "oauth/authorize.h"

struct str consent_asked(struct op *op, const struct request *r)
{
    struct str by_name = identity_scopes_of(op, r->claims.id_token);
    by_name = scope_or(op->arena, by_name, identity_scopes_of(op, r->claims.userinfo));
    return by_name.n ? scope_or(op->arena, r->scope, by_name) : r->scope;
}

err_t consent_scope(struct op *op, const struct request *r, struct str *ret)
{
    struct rows rows;
    struct str scope = STR_NONE;
    TRY(db_rows(op->db, Q_CONSENT_READ,
                BIND(vint(tenant_id_of(op)), vint(r->account.id), vint(r->client->id)), &rows));
    if (db_next(&rows))
        scope = arena_str(op->arena, db_text(&rows, 0));
    TRY(db_end(&rows));
    *ret = scope;
    return ERR_OK;
}

err_t consent_covers(struct op *op, const struct request *r, bool *ret)
{
    struct str given;
    TRY(consent_scope(op, r, &given));
    *ret = given.p && scope_within(consent_asked(op, r), given);
    return ERR_OK;
}

err_t consent_put_tx(struct db *db, int64_t tenant_id, int64_t account_id, int64_t client_id,
                     struct str scope, int64_t now_s)
{
    return db_run(db, Q_CONSENT_PUT,
                  BIND(vint(tenant_id), vint(account_id), vint(client_id), vtext(scope), vint(now_s)), NULL);
}
