/* The token endpoint (RFC 6749 section 3.2): who calls, which grant, and off to its row. */
#include "oauth/parts.h"
#include "oauth/register.h"

static const struct field token_fields_v[] = {
    {"grant_type", F_STR, FIELD_EXACT, LIMIT_NAME, offsetof(struct token_params, grant_type), NULL, NULL,
     "authorization_code, refresh_token or client_credentials"},
    {"code", F_STR, FIELD_EXACT, LIMIT_NAME, offsetof(struct token_params, code), NULL, NULL,
     "the authorization code"},
    {"redirect_uri", F_STR, FIELD_EXACT, LIMIT_REDIRECT_URI, offsetof(struct token_params, redirect_uri),
     NULL, NULL, "the same as in the authorization request"},
    {"code_verifier", F_STR, FIELD_EXACT, LIMIT_TEXT, offsetof(struct token_params, code_verifier), NULL,
     NULL, "PKCE's secret (RFC 7636)"},
    {"refresh_token", F_STR, FIELD_EXACT, LIMIT_PARAM, offsetof(struct token_params, refresh_token), NULL,
     NULL, "the refresh token"},
    {"scope", F_STR, 0, LIMIT_SCOPE, offsetof(struct token_params, scope), NULL, NULL, "what is asked for"},
    {"resource", F_STRS, FIELD_MULTI, LIMIT_TEXT, offsetof(struct token_params, resource), NULL, NULL,
     "which resource the token is for (RFC 8707)"},
    {"client_id", F_STR, FIELD_EXACT, LIMIT_NAME, offsetof(struct token_params, client_id), NULL, NULL,
     "the client"},
    {"client_secret", F_STR, FIELD_EXACT, LIMIT_TEXT, offsetof(struct token_params, client_secret), NULL,
     NULL, "its secret (client_secret_post)"},
    {"client_assertion", F_STR, FIELD_EXACT, LIMIT_PARAM, offsetof(struct token_params, client_assertion),
     NULL, NULL, "a JWT that the client signed, instead of a secret (RFC 7523)"},
    {"client_assertion_type", F_STR, FIELD_EXACT, LIMIT_TEXT,
     offsetof(struct token_params, client_assertion_type), NULL, NULL,
     "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
};
const struct fields token_fields = FIELDS(token_fields_v, struct token_params);

const struct grant_row grants[] = {
    {"authorization_code", grant_code},
    {"refresh_token", grant_refresh},
    {"client_credentials", grant_client},
    {NULL, NULL},
};

static const struct grant_row *grant_find(struct str grant_type)
{
    for (const struct grant_row *g = grants; g->grant_type; g++)
        if (str_is(grant_type, g->grant_type))
            return g;
    return NULL;
}

err_t token_endpoint(struct op *op, const struct token_params *p, const struct client_credentials *c,
                     struct token_answer *ret)
{
    struct object *client;
    if (!p->grant_type.n)
        return op_fail(op, ERR_PARAM_MISSING, "grant_type", "grant_type is missing");
    const struct grant_row *g = grant_find(p->grant_type);
    if (!g)
        return op_fail(op, ERR_GRANT_TYPE, "grant_type", "grant_type is not one this server has");
    TRY(client_authenticate(op, c, true, &client));
    if (!client_has_grant(client_of(client), g->grant_type))
        return op_fail(op, ERR_CLIENT_UNAUTHORIZED, "grant_type", "this client may not use grant_type %s",
                       g->grant_type);
    err_t e = g->run(op, p, client, ret);
    if (e == ERR_GRANT_INVALID)
        audit_refused(op, "invalid_grant", client->name);
    if (e == ERR_OK)
        registration_used(op, client);
    return e;
}
