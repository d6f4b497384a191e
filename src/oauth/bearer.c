/* What a bearer text is and for whom it speaks: opaque tokens and stored JWTs by their row, unstored JWTs by
 * their signature and what their ancestors are now, API keys by their account. */
#include "oauth/parts.h"
#include "account/apikey.h"

static err_t not_valid(struct op *op, const char *detail)
{
    op->fault = (struct fault){0};
    return op_fail(op, ERR_TOKEN_INVALID, "", "%s", detail);
}

/* --- unstored JWTs
 * ------------------------------------------------------------------------------------------------ */

struct own_claims {
    struct str gid;
};

static err_t own_claim(void *ctx, const struct json_member *m)
{
    struct own_claims *c = ctx;
    if (str_is(m->key, "gid") && m->type == JSON_T_STRING)
        c->gid = m->text;
    return ERR_OK;
}

static struct str join(struct op *op, struct strs list)
{
    struct buf b;
    buf_init(&b, op->arena, LIMIT_JWT);
    for (size_t i = 0; i < list.n; i++) {
        if (i)
            buf_char(&b, ' ');
        buf_str(&b, list.v[i]);
    }
    return buf_ok(&b) ? buf_view(&b) : STR("");
}

static err_t claims_to_token(struct op *op, const struct jwt *j, struct token *ret)
{
    struct own_claims own = {0};
    struct object *client;
    struct token t = {.kind = TOKEN_ACCESS,
                      .tenant_id = tenant_id_of(op),
                      .scope = j->scope,
                      .issued_s = j->iat_s,
                      .expires_s = j->exp_s};
    if (j->jti.n < 2 || j->jti.p[0] != JTI_UNSTORED ||
        !id_parse(op->core, (struct str){j->jti.p + 1, j->jti.n - 1}, &t.id))
        return not_valid(op, "the token is not one of this server's");
    TRY(json_scan(op->arena, j->payload, own_claim, &own));
    if (own.gid.p && !id_parse(op->core, own.gid, &t.grant_id))
        return not_valid(op, "the token names no grant");
    err_t e = object_get(op, &kind_client, j->client_id, &client);
    if (e == ERR_NOT_FOUND)
        return not_valid(op, "the token's client is gone");
    TRY(e);
    if (!str_eq(j->sub, j->client_id) && !subject_parse(op, client_of(client), j->sub, &t.account_id))
        return not_valid(op, "the token names no account");
    t.client_id = client->id;
    t.audience = join(op, j->aud);
    *ret = t;
    return ERR_OK;
}

err_t jwt_claims(struct op *op, struct str text, struct token *ret)
{
    struct jwks keys;
    struct jwt j;
    struct jwt_profile profile = {.typ = "at+jwt",
                                  .algs = ALGS_ISSUED,
                                  .iss = op->tenant->issuer,
                                  .skew_s = LIMIT_CLOCK_SKEW,
                                  .max_life_s = LIMIT_ACCESS_TOKEN_LIFE};
    TRY(tenant_jwks(op, &keys));
    TRY(jwt_verify(op->core->crypto, text, &keys, &profile, op->now_s, op->arena, &j, &op->fault));
    if (j.exp_s <= op->now_s) /* the skew is for clocks of others; this one is our own */
        return not_valid(op, "expired");
    return claims_to_token(op, &j, ret);
}

/* --- all
 * ----------------------------------------------------------------------------------------------------------
 */

err_t token_judge(struct op *op, struct str text, struct token *ret, bool *ret_stored)
{
    struct token t;
    bool jwt = str_find(text, '.') < text.n;
    err_t e = token_find(op, text, &t);
    bool stored = e != ERR_TOKEN_INVALID || !jwt;
    if (!stored) {
        op->fault = (struct fault){0};
        TRY(jwt_claims(op, text, &t));
        TRY(life_check_claims(op, &t));
    } else {
        TRY(e);
        TRY(life_check(op, &t));
    }
    *ret = t;
    if (ret_stored)
        *ret_stored = stored;
    return ERR_OK;
}

/* The words of scope that are permissions held. */
static struct strs permissions_in(struct op *op, struct str scope, struct strs held)
{
    struct str *v = arena_array(op->arena, struct str, LIMIT_SCOPE_WORDS);
    struct str w;
    size_t n = 0;
    while (v && n < LIMIT_SCOPE_WORDS && str_word(&scope, ' ', &w))
        if (permission_held(held, w))
            v[n++] = w;
    return (struct strs){v, n};
}

static err_t account_actor(struct op *op, struct bearer *b)
{
    err_t e = account_by_id(op, b->token.account_id, &b->account);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && b->account.disabled))
        return not_valid(op, "the account is gone or disabled");
    TRY(e);
    b->scope = scope_still_held(op, &b->account, b->token.scope);
    b->actor.kind = b->account.type == ACCOUNT_PERSON ? ACTOR_PERSON : ACTOR_SERVICE;
    b->actor.id = b->account.id;
    b->actor.name = b->account.username;
    b->actor.permissions = permissions_in(op, b->scope, account_permissions(op, &b->account));
    return ERR_OK;
}

static err_t client_actor(struct op *op, struct bearer *b)
{
    struct object *client;
    err_t e = object_get_id(op, &kind_client, b->token.client_id, &client);
    if (e == ERR_NOT_FOUND)
        return not_valid(op, "the token's client is gone");
    TRY(e);
    struct strs held = client_of(client)->permissions;
    b->scope = b->token.scope;
    b->actor.kind = ACTOR_CLIENT;
    b->actor.id = client->id;
    b->actor.name = client->name;
    b->actor.permissions = permissions_in(op, b->scope, held);
    return ERR_OK;
}

err_t key_scope(struct op *op, const struct token *t, struct str *ret)
{
    struct actor a;
    TRY(apikey_actor(op, t, &a));
    *ret = join(op, a.permissions);
    return ERR_OK;
}

static err_t key_actor(struct op *op, struct bearer *b)
{
    TRY(apikey_actor(op, &b->token, &b->actor));
    b->scope = join(op, b->actor.permissions);
    return account_by_id(op, b->token.account_id, &b->account);
}

err_t bearer_check(struct op *op, struct str text, struct bearer *ret)
{
    struct bearer b = {0};
    TRY(token_judge(op, text, &b.token, &b.stored));
    switch (b.token.kind) {
    case TOKEN_PERSONAL:
    case TOKEN_SERVICE:
        TRY(key_actor(op, &b));
        usage_touch(op->core->usage, NODE_TOKEN, tenant_id_of(op), b.token.id, op->now_s, op->peer);
        break;
    case TOKEN_ACCESS:
        if (b.token.account_id)
            TRY(account_actor(op, &b));
        else
            TRY(client_actor(op, &b));
        if (b.token.grant_id)
            usage_touch(op->core->usage, NODE_GRANT, tenant_id_of(op), b.token.grant_id, op->now_s, op->peer);
        break;
    default: /* a refresh token is not for presenting (A63) */
        return not_valid(op, "this kind of token is not for calling with");
    }
    b.actor.tenant_id = tenant_id_of(op);
    b.actor.token_id = b.token.id;
    b.actor.session_id = b.token.session_id;
    *ret = b;
    return ERR_OK;
}
