/* ID tokens (OpenID Connect Core section 2): made for a client, and read again when they come back as a hint. */
#include "oauth/parts.h"

#define CLAIMS_MAX (16 * LIMIT_TEXT + LIMIT_ATTRIBUTES + LIMIT_CLAIMS)

/* The left half of a hash, the one of the signature's algorithm (section 3.1.3.6). */
static struct str half_hash(struct op *op, enum alg alg, struct str text)
{
    uint8_t h[64];
    size_t n = 0;
    struct buf b;
    if (digest(op->core->crypto, alg_row(alg)->digest, text, h, &n) != ERR_OK)
        return STR_NONE;
    buf_init(&b, op->arena, 64);
    enc_b64url(&b, h, n / 2);
    return buf_view(&b);
}

static void write_signin(struct op *op, const struct signin_info *s, struct jw *w)
{
    if (s->auth_s)
        jw_m_int(w, "auth_time", s->auth_s);
    if (s->amr.n) {
        jw_m_str(w, "acr", acr_of(s->amr));
        write_words(w, "amr", s->amr, false);
    }
    if (s->session_id)
        jw_m_str(w, "sid", id_text(op->core, op->arena, s->session_id));
}

static err_t write_claims(struct op *op, const struct id_token *i, enum alg alg, struct jw *w)
{
    const struct client *c = client_of(i->client);
    jw_open(w, '{');
    jw_m_str(w, "iss", op->tenant->issuer);
    jw_m_str(w, "sub", subject_for(op, c, i->account->id));
    jw_m_str(w, "aud", i->client->name);
    jw_m_str(w, "azp", i->client->name);
    jw_m_int(w, "exp", i->expires_s);
    jw_m_int(w, "iat", op->now_s);
    jw_m_str(w, "nonce", i->nonce);
    write_signin(op, i->signin, w);
    if (i->access_text.n)
        jw_m_str(w, "at_hash", half_hash(op, alg, i->access_text));
    if (i->code.n)
        jw_m_str(w, "c_hash", half_hash(op, alg, i->code));
    identity_write(i->account, i->scope, i->signin->id_claims, w);
    TRY(claims_write_custom(op, op->tenant, CLAIM_ID, i->account, i->client, i->granted, w));
    jw_close(w, '}');
    return buf_ok(w->b) ? ERR_OK : ERR_MEMORY;
}

err_t id_token_make(struct op *op, const struct id_token *i, struct str *ret)
{
    const struct client *c = client_of(i->client);
    const struct signing_key *key;
    struct str jwt;
    struct buf b;
    struct jw w;
    TRY(client_signing_key(op, c->id_token_signed_response_alg, &key));
    buf_init(&b, op->arena, CLAIMS_MAX);
    jw_init(&w, &b);
    TRY(write_claims(op, i, key->jwk.alg, &w));
    TRY(jws_sign(op->core->crypto, &key->jwk, STR_NONE, buf_view(&b), op->arena, &jwt));
    if (c->id_token_encrypted_response_alg.n)
        TRY(client_encrypt(op, c, c->id_token_encrypted_response_alg, c->id_token_encrypted_response_enc, jwt, &jwt));
    *ret = jwt;
    return ERR_OK;
}

err_t id_token_preview(struct op *op, const struct id_token *i, struct jw *w)
{
    return write_claims(op, i, ALG_ES256, w);
}

err_t issue_id_token(struct op *op, const struct issue *i, struct issued *t)
{
    const struct client *c = client_of(i->client);
    struct id_token id = {
        .client = i->client,
        .account = i->account,
        .signin = &i->signin,
        .granted = i->scope,
        .nonce = i->nonce,
        .access_text = t->access_text,
        .expires_s = op->now_s + life_or_default(c->access_token_life_s, op->tenant->spec->access_token_life_s),
    };
    if (!i->account || !str_has_word(i->scope, ' ', STR(SCOPE_OPENID)))
        return ERR_OK;
    return id_token_make(op, &id, &t->id_token);
}

/* --- hints --- */

static err_t not_ours(struct op *op)
{
    op->fault = (struct fault){0};
    return op_fail(op, ERR_PARAM_BAD, "id_token_hint", "id_token_hint is not an ID token of this server");
}

static err_t hint_claims(struct op *op, struct str text, struct jwt *ret)
{
    struct jwt_profile profile = jwt_profile_of(JWT_ID_TOKEN);
    struct jwks keys;
    profile.iss = op->tenant->issuer;
    profile.forbid |= JWT_BIT(JWT_JTI) | JWT_BIT(JWT_SCOPE); /* an access token is no hint (A63) */
    TRY(tenant_jwks(op, &keys));
    if (jwt_peek(text, op->arena, ret) != ERR_OK || ret->iat_s > op->now_s + LIMIT_CLOCK_SKEW)
        return not_ours(op);
    /* As of when it was made: the signature and all else are judged, not its age. */
    err_t e = jwt_verify(op->core->crypto, text, &keys, &profile, ret->iat_s, op->arena, ret, &op->fault);
    return e == ERR_TOKEN_INVALID || ret->aud.n != 1 ? not_ours(op) : e;
}

err_t id_token_hint(struct op *op, struct str text, struct id_hint *ret)
{
    struct id_hint h = {.session_id = 0};
    struct jwt j;
    TRY(hint_claims(op, text, &j));
    err_t e = object_get(op, &kind_client, j.aud.v[0], &h.client);
    if (e == ERR_NOT_FOUND)
        return not_ours(op);
    TRY(e);
    if (!subject_parse(op, client_of(h.client), j.sub, &h.account_id) || (j.sid.p && !id_parse(op->core, j.sid, &h.session_id)))
        return not_ours(op);
    *ret = h;
    return ERR_OK;
}
