/* What OpenID Connect adds to a valid client: keys, algorithms, addresses that this server calls or leads to. */
#include "oauth/client.h"
#include "jose/jwe.h"
#include "net/net.h"

/* --- keys --- */

/* Every key as good as one of our own (A76). A key for an algorithm that is unknown here is nobody's concern. */
static err_t check_key(struct op *op, const json_t *doc, size_t i)
{
    struct jwk k;
    err_t e = jwk_parse(doc, JWK_PUBLIC | JWK_LENIENT, op->arena, &k);
    if (e == ERR_OK)
        key_free(&k.key);
    if (e == ERR_OK || e == ERR_ALG || e == ERR_MEMORY)
        return e == ERR_MEMORY ? e : ERR_OK;
    return op_fail(op, ERR_CLIENT_METADATA, "jwks",
                   "jwks: key %zu is private, malformed or too weak, or does not fit its algorithm", i);
}

static err_t check_jwks(struct op *op, const struct client *c)
{
    const json_t *keys = json_object_get(c->jwks, "keys");
    if (!c->jwks)
        return ERR_OK;
    if (c->jwks_uri.n)
        return op_fail(op, ERR_CLIENT_METADATA, "jwks", "either jwks or jwks_uri is expected");
    if (!json_is_array(keys) || json_array_size(keys) > LIMIT_JWKS_KEYS)
        return op_fail(op, ERR_CLIENT_METADATA, "jwks", "jwks must be a JWK Set of at most %d keys", LIMIT_JWKS_KEYS);
    for (size_t i = 0; i < json_array_size(keys); i++)
        TRY(check_key(op, json_array_get(keys, i), i));
    return ERR_OK;
}

static err_t check_needs_keys(struct op *op, const struct client *c)
{
    const struct {
        const char *name;
        bool needs;
    } v[] = {
        {"token_endpoint_auth_method", str_is(c->token_endpoint_auth_method, "private_key_jwt")},
        {"id_token_encrypted_response_alg", c->id_token_encrypted_response_alg.n > 0},
        {"userinfo_encrypted_response_alg", c->userinfo_encrypted_response_alg.n > 0},
        {"require_signed_request_object", c->require_signed_request_object},
    };
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        if (v[i].needs && !c->jwks && !c->jwks_uri.n)
            return op_fail(op, ERR_CLIENT_METADATA, v[i].name, "%s needs the client's keys: jwks or jwks_uri", v[i].name);
    return ERR_OK;
}

/* --- algorithms --- */

static err_t check_algs(struct op *op, const struct client *c)
{
    bool secret = str_is(c->token_endpoint_auth_method, "client_secret_jwt");
    const struct {
        const char *name;
        struct str value;
        uint64_t algs;
    } v[] = {
        {"token_endpoint_auth_signing_alg", c->token_endpoint_auth_signing_alg, secret ? ALGS_HMAC : ALGS_ASYMMETRIC},
        {"id_token_signed_response_alg", c->id_token_signed_response_alg, ALGS_ISSUED},
        {"userinfo_signed_response_alg", c->userinfo_signed_response_alg, ALGS_ISSUED},
        {"request_object_signing_alg", c->request_object_signing_alg, ALGS_ASYMMETRIC},
        {"id_token_encrypted_response_alg", c->id_token_encrypted_response_alg, ALGS_MANAGE_PUBLIC},
        {"userinfo_encrypted_response_alg", c->userinfo_encrypted_response_alg, ALGS_MANAGE_PUBLIC},
    };
    enum alg alg;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        if (v[i].value.n && !alg_find_in(v[i].value, v[i].algs, &alg))
            return op_fail(op, ERR_CLIENT_METADATA, v[i].name, "%s is not an algorithm this server has for it", v[i].name);
    if (!c->id_token_signed_response_alg.n)
        return op_fail(op, ERR_CLIENT_METADATA, "id_token_signed_response_alg", "an ID token is always signed");
    return ERR_OK;
}

static err_t check_enc(struct op *op, const char *name, struct str alg, struct str *enc)
{
    enum enc found;
    if (enc->n && !alg.n)
        return op_fail(op, ERR_CLIENT_METADATA, name, "%s needs an algorithm beside it", name);
    if (enc->n && !enc_find(*enc, &found))
        return op_fail(op, ERR_CLIENT_METADATA, name, "%s is not one this server has", name);
    if (alg.n && !enc->n)
        *enc = STR("A128CBC-HS256"); /* OpenID Connect Registration section 2 */
    return ERR_OK;
}

/* --- addresses --- */

/* Called by this server: never a private network's (A21); the text says nothing of what a name leads to (A22). */
static err_t check_called(struct op *op, const char *name, struct str url)
{
    struct fault f = {.code = ERR_OK};
    if (!url.n || !op->core->net || net_url_check(op->core->net, url, &f) == ERR_OK)
        return ERR_OK;
    return op_fail(op, ERR_CLIENT_METADATA, name, "%s must be an https address this server may call", name);
}

/* Loaded by browsers: on a host that the client's redirect URIs lead to. */
static err_t check_framed(struct op *op, const struct client *c)
{
    struct str origin = redirect_origin(c->frontchannel_logout_uri);
    if (!c->frontchannel_logout_uri.n)
        return ERR_OK;
    for (size_t i = 0; i < c->redirect_uris.n; i++)
        if (!redirect_uri_fault(c->frontchannel_logout_uri, false) && str_eq(redirect_origin(c->redirect_uris.v[i]), origin))
            return ERR_OK;
    return op_fail(op, ERR_CLIENT_METADATA, "frontchannel_logout_uri",
                   "frontchannel_logout_uri must be on the scheme, host and port of a redirect URI");
}

static err_t check_addresses(struct op *op, const struct client *c)
{
    TRY(check_called(op, "jwks_uri", c->jwks_uri));
    TRY(check_called(op, "sector_identifier_uri", c->sector_identifier_uri));
    TRY(check_called(op, "backchannel_logout_uri", c->backchannel_logout_uri));
    TRY(check_framed(op, c));
    if (c->initiate_login_uri.n && redirect_uri_fault(c->initiate_login_uri, false))
        return op_fail(op, ERR_CLIENT_METADATA, "initiate_login_uri", "initiate_login_uri must be an https address");
    if (c->post_logout_redirect_uris.n > LIMIT_REDIRECT_URIS)
        return op_fail(op, ERR_CLIENT_METADATA, "post_logout_redirect_uris", "more than %d addresses", LIMIT_REDIRECT_URIS);
    for (size_t i = 0; i < c->post_logout_redirect_uris.n; i++) {
        const char *why = redirect_uri_fault(c->post_logout_redirect_uris.v[i], client_is_public(c));
        if (why)
            return op_fail(op, ERR_CLIENT_METADATA, "post_logout_redirect_uris", "post_logout_redirect_uris[%zu] %s", i, why);
    }
    return ERR_OK;
}

/* One sector, so that the pairwise sub does not depend on where a sign-in leads (OpenID Connect Core section 8.1). */
static err_t check_sector(struct op *op, const struct client *c)
{
    struct str host = STR_NONE, h;
    if (!str_is(c->subject_type, "pairwise") || c->sector_identifier_uri.n)
        return ERR_OK;
    for (size_t i = 0; i < c->redirect_uris.n; i++) {
        if (!url_host(c->redirect_uris.v[i], &h) || (host.p && !str_eq_nocase(h, host)))
            return op_fail(op, ERR_CLIENT_METADATA, "sector_identifier_uri",
                           "pairwise with redirect URIs of several hosts needs a sector_identifier_uri");
        host = h;
    }
    return ERR_OK;
}

/* --- what may be asked for --- */

static err_t check_response_types(struct op *op, const struct client *c)
{
    static const struct {
        const char *type, *grant[2];
    } known[] = {
        {"code", {"authorization_code", "authorization_code"}},
        {"id_token", {"implicit", "implicit"}},
        {"code id_token", {"authorization_code", "implicit"}},
    };
    enum { N = sizeof(known) / sizeof(known[0]) };
    for (size_t i = 0; i < c->response_types.n; i++) {
        size_t k = 0;
        while (k < N && !str_is(c->response_types.v[i], known[k].type))
            k++;
        if (k == N)
            return op_fail(op, ERR_CLIENT_METADATA, "response_types", "response types are code, id_token and code id_token");
        /* code alone is every client's default, used or not */
        if (k > 0 && (!client_has_grant(c, known[k].grant[0]) || !client_has_grant(c, known[k].grant[1])))
            return op_fail(op, ERR_CLIENT_METADATA, "response_types", "response type %s needs grant type implicit%s",
                           known[k].type, k == 2 ? " and authorization_code" : "");
    }
    return ERR_OK;
}

err_t client_check_oidc(struct op *op, struct client *c)
{
    TRY(check_response_types(op, c));
    TRY(check_jwks(op, c));
    TRY(check_needs_keys(op, c));
    TRY(check_algs(op, c));
    TRY(check_enc(op, "id_token_encrypted_response_enc", c->id_token_encrypted_response_alg, &c->id_token_encrypted_response_enc));
    TRY(check_enc(op, "userinfo_encrypted_response_enc", c->userinfo_encrypted_response_alg, &c->userinfo_encrypted_response_enc));
    TRY(check_addresses(op, c));
    return check_sector(op, c);
}
