/* A code becomes an identity: the token endpoint (RFC 6749 section 4.1.3), the ID token's checks (OpenID Connect Core section
 * 3.1.3.7), and what UserInfo adds. The ID token is taken with an asymmetric signature by a key of the provider's set alone. */
#include "account/outside_parts.h"
#include "net/net.h"
#include "token/remote_keys.h"

/* --- the token endpoint --- */

static void add_param(struct buf *b, const char *name, struct str value)
{
    buf_fmt(b, "%s%s=", b->n ? "&" : "", name);
    buf_url(b, value);
}

/* RFC 6749 section 2.3.1: each half is form-encoded first. */
static err_t basic(struct op *op, const struct provider *p, struct str *ret_header)
{
    struct buf plain, header;
    buf_init(&plain, op->arena, 8 * LIMIT_TEXT);
    buf_url(&plain, p->client_id);
    buf_char(&plain, ':');
    buf_url(&plain, p->client_secret);
    buf_init(&header, op->arena, 16 * LIMIT_TEXT);
    buf_z(&header, "Authorization: Basic ");
    enc_b64(&header, plain.p, plain.n);
    *ret_header = buf_view(&header);
    return buf_ok(&plain) && buf_ok(&header) ? ERR_OK : ERR_MEMORY;
}

static err_t ask_tokens(struct op *op, const struct outside_exchange *x, struct str endpoint, json_t **ret)
{
    const struct provider *p = x->provider;
    struct buf body;
    struct str headers[3] = {STR("Accept: application/json"), STR("Content-Type: application/x-www-form-urlencoded")};
    struct net_request q = {.method = "POST", .url = endpoint, .headers = {headers, 2}};
    buf_init(&body, op->arena, 4 * LIMIT_PARAM);
    add_param(&body, "grant_type", STR("authorization_code"));
    add_param(&body, "code", x->code);
    add_param(&body, "redirect_uri", outside_redirect_uri(op, p));
    add_param(&body, "code_verifier", x->verifier);
    if (str_is(p->token_endpoint_auth_method, "client_secret_post")) {
        add_param(&body, "client_id", p->client_id);
        add_param(&body, "client_secret", p->client_secret);
    } else {
        TRY(basic(op, p, &headers[q.headers.n++]));
    }
    if (!buf_ok(&body))
        return op_fail(op, ERR_PARAM_LONG, "code", "the code is too long");
    q.body = buf_view(&body);
    return outside_fetch(op, p, &q, ret, NULL);
}

/* --- the ID token --- */

static err_t bad_token(struct op *op, const struct provider *p, const char *why)
{
    struct str title = provider_title(p);
    log_write(op->core->log, LOG_WARN, op->request_id, "outside", "provider %.*s: the ID token is refused: %s", STR_ARG(p->name), why);
    return outside_refuse(op, "outside sign-in: ID token", "what %.*s says of you can't be trusted; you are not signed in", STR_ARG(title));
}

/* Key by kid and by the algorithm that the header names, of those that nobody can sign with who only verifies. */
static err_t keys_for(struct op *op, const struct provider *p, struct str jwks_uri, const struct jwt *untrusted, struct jwks *ret)
{
    const struct jwks *set;
    struct str title = provider_title(p);
    struct fault before = op->fault;
    err_t e = remote_keys_get(op, jwks_uri, untrusted->kid, &set);
    if (e == ERR_MEMORY || e == ERR_BUSY)
        return e;
    if (e != ERR_OK) {
        op->fault = before;
        return op_fail(op, ERR_NET, "", "%.*s can't be asked now; try again later", STR_ARG(title));
    }
    return jwks_bind(set, untrusted->alg, op->arena, ret);
}

static bool subject_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && s.n <= LIMIT_SUBJECT && str_is_utf8(s);
}

static err_t verify(struct op *op, const struct outside_exchange *x, struct str jwks_uri, struct str token, struct jwt *ret)
{
    const struct provider *p = x->provider;
    struct jwt_profile profile = jwt_profile_of(JWT_ID_TOKEN);
    struct jwt untrusted;
    struct jwks keys;
    struct fault why = {0};
    profile.iss = p->issuer;
    profile.aud = (struct strs){&p->client_id, 1};
    profile.azp = p->client_id;
    profile.nonce = x->nonce;
    profile.need |= JWT_BIT(JWT_NONCE);
    if (jwt_peek(token, op->arena, &untrusted) != ERR_OK)
        return bad_token(op, p, "it is malformed or not signed");
    if (!(ALG_BIT(untrusted.alg) & profile.algs))
        return bad_token(op, p, "its algorithm is not taken here");
    TRY(keys_for(op, p, jwks_uri, &untrusted, &keys));
    err_t e = jwt_verify(op->core->crypto, token, &keys, &profile, op->now_s, op->arena, ret, &why);
    if (e == ERR_MEMORY)
        return e;
    if (e != ERR_OK)
        return bad_token(op, p, why.detail[0] ? why.detail : err_text(e));
    if (ret->aud.n > 1 && !ret->azp.p)
        return bad_token(op, p, "it is for several and does not say for whom it was made");
    return subject_ok(ret->sub) ? ERR_OK : bad_token(op, p, "its sub is no name");
}

/* --- claims --- */

/* Later documents only add. The address and whether it is verified go together. */
static void take_claims(const json_t *doc, struct outside_identity *i)
{
    if (!i->name.n)
        i->name = json_str(json_object_get(doc, "name"));
    if (!i->username.n)
        i->username = json_str(json_object_get(doc, "preferred_username"));
    if (!i->email.n) {
        i->email = json_str(json_object_get(doc, "email"));
        i->email_verified = i->email.n && json_is_true(json_object_get(doc, "email_verified"));
    }
}

err_t outside_exchange(struct op *op, const struct outside_exchange *x, const struct outside_metadata *m, struct outside_identity *ret,
                       struct str *ret_access_token)
{
    json_t *answer, *claims = NULL;
    struct jwt t;
    struct outside_identity i = {.email_verified = false};
    TRY(ask_tokens(op, x, m->token_endpoint, &answer));
    struct str token = json_str(json_object_get(answer, "id_token"));
    if (!token.n)
        return bad_token(op, x->provider, "there is none in the answer");
    TRY(verify(op, x, m->jwks_uri, token, &t));
    if (json_load(t.payload, &claims) != ERR_OK)
        return bad_token(op, x->provider, "its claims are not strict JSON");
    TRY(json_keep(op->arena, claims));
    i.subject = t.sub;
    take_claims(claims, &i);
    *ret = i;
    *ret_access_token = json_str(json_object_get(answer, "access_token"));
    return ERR_OK;
}

err_t outside_userinfo(struct op *op, const struct provider *p, const struct outside_metadata *m, struct str access_token,
                       struct outside_identity *io)
{
    json_t *claims;
    struct str headers[2] = {STR("Accept: application/json")};
    struct net_request q = {.method = "GET", .url = m->userinfo_endpoint, .headers = {headers, 2}};
    if ((io->email.n && io->name.n) || !m->userinfo_endpoint.n || !access_token.n)
        return ERR_OK;
    headers[1] = arena_fmt(op->arena, "Authorization: Bearer %.*s", STR_ARG(access_token));
    if (!headers[1].p)
        return ERR_MEMORY;
    TRY(outside_fetch(op, p, &q, &claims, NULL));
    if (!str_eq(json_str(json_object_get(claims, "sub")), io->subject)) /* OpenID Connect Core section 5.3.2 */
        return bad_token(op, p, "UserInfo speaks of somebody else");
    take_claims(claims, io);
    return ERR_OK;
}
