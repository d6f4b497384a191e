/* The grant node as a row, and what is done to refresh tokens' rows under it. */
#include "oauth/parts.h"

err_t grant_read(struct op *op, int64_t id, struct grant *ret)
{
    struct rows r;
    struct grant g = {.id = id, .tenant_id = tenant_id_of(op)};
    TRY(db_rows(op->db, Q_GRANT_GET, BIND(vint(g.tenant_id), vint(id)), &r));
    bool found = db_next(&r);
    if (found) {
        g.account_id = db_int(&r, 0);
        g.client_id = db_int(&r, 1);
        g.session_id = db_int(&r, 2);
        g.scope = arena_str(op->arena, db_text(&r, 3));
        g.audience = arena_str(op->arena, db_text(&r, 4));
        g.created_s = db_int(&r, 5);
        g.expires_s = db_int(&r, 6);
        g.revoked_s = db_int(&r, 7);
        g.spec = arena_str(op->arena, db_text(&r, 8));
    }
    TRY(db_end(&r));
    if (!found)
        return ERR_GRANT_INVALID;
    *ret = g;
    return ERR_OK;
}

/* The query answers with a row, or ERR_GRANT_INVALID. */
static err_t must_stand(struct db *db, enum query q, const struct val *v, size_t n)
{
    struct rows r;
    TRY(db_rows(db, q, v, n, &r));
    bool yes = db_next(&r);
    TRY(db_end(&r));
    return yes ? ERR_OK : ERR_GRANT_INVALID;
}

/* While this transaction runs no other server ends what its rows will hang from. */
static err_t claim_ancestors(struct db *db, const struct grant *g)
{
    TRY(db_claim(db, g->account_id, true));
    return db_claim(db, g->session_id, true);
}

err_t grant_insert(struct db *db, const struct grant *g, int64_t older_id)
{
    TRY(claim_ancestors(db, g));
    TRY(must_stand(db, Q_PERSON_STANDS, BIND(vint(g->tenant_id), vint(g->account_id), vint(older_id), vint(g->session_id))));
    return db_run(db, Q_GRANT_INSERT,
                  BIND(vint(g->tenant_id), vint(g->id), vid(g->account_id), vint(g->client_id),
                       vid(g->session_id), vtext(g->scope), vtext(g->audience), vint(g->created_s),
                       vtext(g->ip), vint(g->expires_s), vtext(g->spec)),
                  NULL);
}

static err_t claim_grant(struct db *db, const struct grant *g)
{
    TRY(claim_ancestors(db, g));
    return db_claim(db, g->id, true);
}

static err_t look_whether_stands(struct db *db, const struct grant *g, int64_t older_id)
{
    return must_stand(db, Q_GRANT_STANDS, BIND(vint(g->tenant_id), vint(g->id), vint(older_id)));
}

err_t grant_stands(struct db *db, const struct grant *g, int64_t older_id)
{
    TRY(claim_grant(db, g));
    return look_whether_stands(db, g, older_id);
}

static err_t changed_one(struct db *db, enum query q, const struct val *v, size_t n, bool *ret)
{
    int64_t changed = 0;
    TRY(db_run(db, q, v, n, &changed));
    *ret = changed == 1;
    return ERR_OK;
}

/* In one statement, which is one exchange with PostgreSQL; only who loses asks why. */
err_t refresh_consume(struct db *db, const struct grant *g, int64_t id, int64_t now_s, int64_t successor_id, bool *ret_won)
{
    bool won;
    TRY(claim_grant(db, g));
    TRY(changed_one(db, Q_REFRESH_CONSUME, BIND(vint(g->tenant_id), vint(id), vint(now_s), vint(successor_id), vint(g->id)), &won));
    *ret_won = won;
    return won ? ERR_OK : look_whether_stands(db, g, id);
}

err_t refresh_grace(struct db *db, int64_t tenant_id, int64_t id, bool *ret_allowed)
{
    return changed_one(db, Q_REFRESH_GRACE, BIND(vint(tenant_id), vint(id), vint(LIMIT_REFRESH_GRACE_USES)),
                       ret_allowed);
}
