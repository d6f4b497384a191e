/* Revocation by the client a token was issued to (RFC 7009). A refresh token takes its whole grant along,
 * whichever generation it is; an access token dies alone. For anything unknown or another client's the answer
 * is the same 200 and nothing happens (A61). */
#include "oauth/parts.h"

static err_t revoke_row(struct op *op, const struct token *t)
{
    if (t->kind == TOKEN_REFRESH)
        return node_revoke(op, NODE_GRANT, t->grant_id, "revoked by the client");
    return t->revoked_s ? ERR_OK : node_revoke(op, NODE_TOKEN, t->id, "revoked by the client");
}

/* A JWT without a row cannot die alone. */
static err_t revoke_unstored(struct op *op, struct str text, const struct object *client)
{
    struct token t;
    err_t e = jwt_claims(op, text, &t);
    op->fault = (struct fault){0};
    if (e == ERR_TOKEN_INVALID)
        return ERR_OK;
    TRY(e);
    if (t.client_id != client->id)
        return ERR_OK;
    return op_fail(op, ERR_TOKEN_TYPE, "token",
                   "this client's JWTs are not stored: they end with their grant, or when they expire");
}

err_t token_revoke(struct op *op, const struct introspect_params *p, struct object *client)
{
    struct token t;
    if (!p->token.p)
        return op_fail(op, ERR_PARAM_MISSING, "token", "token is missing");
    err_t e = token_find(op, p->token, &t);
    if (e == ERR_TOKEN_INVALID) {
        op->fault = (struct fault){0};
        return str_find(p->token, '.') < p->token.n ? revoke_unstored(op, p->token, client) : ERR_OK;
    }
    TRY(e);
    return t.client_id == client->id ? revoke_row(op, &t) : ERR_OK;
}
