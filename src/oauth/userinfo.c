/* UserInfo (OpenID Connect Core section 5.3): what the scope of an access token lets its client know of the person. JSON, or a JWT
 * signed and encrypted as the client has registered. */
#include "oauth/parts.h"

#define ANSWER_MAX (16 * LIMIT_TEXT + LIMIT_ATTRIBUTES + LIMIT_CLAIMS)

static err_t find_client(struct op *op, const struct bearer *b, struct object **ret)
{
    if (b->token.kind != TOKEN_ACCESS || !b->token.account_id)
        return op_fail(op, ERR_TOKEN_INVALID, "", "an access token of a person is needed");
    if (!str_has_word(b->scope, ' ', STR(SCOPE_OPENID)))
        return op_fail(op, ERR_SCOPE_INSUFFICIENT, "", "the token does not have the scope openid");
    return object_get_id(op, &kind_client, b->token.client_id, ret);
}

/* What was asked for one by one: it stands in a stored token's row; others ask their grant. */
static err_t asked_claims(struct op *op, const struct token *t, bool stored, struct str *ret)
{
    struct signin_info s;
    struct grant g;
    *ret = t->spec;
    if (stored || !t->grant_id)
        return ERR_OK;
    TRY(grant_read(op, t->grant_id, &g));
    TRY(signin_info_parse(op, g.spec, &s));
    *ret = s.user_claims;
    return ERR_OK;
}

err_t userinfo_write(struct op *op, const struct userinfo *u, bool as_jwt, struct jw *w)
{
    jw_open(w, '{');
    if (as_jwt) {
        jw_m_str(w, "iss", op->tenant->issuer);
        jw_m_str(w, "aud", u->client->name);
        jw_m_int(w, "iat", op->now_s);
    }
    jw_m_str(w, "sub", subject_for(op, client_of(u->client), u->account->id));
    identity_write(u->account, u->scope, u->asked, w);
    TRY(claims_write_custom(op, op->tenant, CLAIM_USERINFO, u->account, u->client, u->scope, w));
    jw_close(w, '}');
    return buf_ok(w->b) ? ERR_OK : ERR_MEMORY;
}

/* Signed, encrypted or both. Encrypted alone it is JSON inside (section 5.3.2). */
static err_t seal(struct op *op, const struct client *c, struct str json, struct str *ret)
{
    const struct signing_key *key;
    struct str text = json;
    if (c->userinfo_signed_response_alg.n) {
        TRY(client_signing_key(op, c->userinfo_signed_response_alg, &key));
        TRY(jws_sign(op->core->crypto, &key->jwk, STR_NONE, json, op->arena, &text));
    }
    if (c->userinfo_encrypted_response_alg.n)
        TRY(client_encrypt(op, c, c->userinfo_encrypted_response_alg, c->userinfo_encrypted_response_enc, text, &text));
    *ret = text;
    return ERR_OK;
}

err_t userinfo(struct op *op, const struct bearer *b, bool *ret_jwt, struct str *ret)
{
    struct object *client;
    struct userinfo u = {.account = &b->account, .scope = b->scope};
    struct buf buf;
    struct jw w;
    TRY(find_client(op, b, &client));
    u.client = client;
    TRY(asked_claims(op, &b->token, b->stored, &u.asked));
    const struct client *c = client_of(client);
    bool jwt = c->userinfo_signed_response_alg.n || c->userinfo_encrypted_response_alg.n;
    buf_init(&buf, op->arena, ANSWER_MAX);
    jw_init(&w, &buf);
    TRY(userinfo_write(op, &u, c->userinfo_signed_response_alg.n > 0, &w));
    *ret_jwt = jwt;
    if (jwt)
        return seal(op, c, buf_view(&buf), ret);
    *ret = buf_view(&buf);
    return ERR_OK;
}
