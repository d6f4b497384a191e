/* Introspection (RFC 7662). Whoever may not see a token learns nothing of it, not even that it lives (A60).
 */
#include "oauth/parts.h"

static const struct field introspect_fields_v[] = {
    {"token", F_STR, FIELD_EXACT, LIMIT_JWT, offsetof(struct introspect_params, token), NULL, NULL,
     "the token"},
    {"token_type_hint", F_STR, FIELD_EXACT, LIMIT_NAME, offsetof(struct introspect_params, token_type_hint),
     NULL, NULL, "ignored: every token says its kind itself"},
    {"client_id", F_STR, FIELD_EXACT, LIMIT_NAME, offsetof(struct introspect_params, client_id), NULL, NULL,
     "the calling client"},
    {"client_secret", F_STR, FIELD_EXACT, LIMIT_TEXT, offsetof(struct introspect_params, client_secret), NULL,
     NULL, "its secret (client_secret_post)"},
    {"client_assertion", F_STR, FIELD_EXACT, LIMIT_PARAM,
     offsetof(struct introspect_params, client_assertion), NULL, NULL,
     "a JWT that the client signed, instead of a secret (RFC 7523)"},
    {"client_assertion_type", F_STR, FIELD_EXACT, LIMIT_TEXT,
     offsetof(struct introspect_params, client_assertion_type), NULL, NULL,
     "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
};
const struct fields introspect_fields = FIELDS(introspect_fields_v, struct introspect_params);

static bool stands_for_audience(struct op *op, struct str audience, struct str client_name)
{
    struct str id;
    while (str_word(&audience, ' ', &id)) {
        const struct resource *r = tenant_resource(op->tenant, id);
        if (r && strs_has(r->introspect_clients, client_name))
            return true;
    }
    return false;
}

static bool may_see(struct op *op, const struct token *t, const struct object *client)
{
    if (client && t->client_id == client->id)
        return true;
    if (t->kind == TOKEN_REFRESH)
        return false;
    if (client && stands_for_audience(op, t->audience, client->name))
        return true;
    return op_may(op, "token.introspect");
}

/* What the answer needs beside the token's row. */
struct names {
    struct str client, user, scope;
    const struct object *client_object; /* NULL: an API key */
};

static err_t user_name(struct op *op, int64_t account_id, struct str *ret)
{
    struct rows r;
    TRY(db_rows(op->db, Q_OAUTH_ACCOUNT_NAME, BIND(vint(tenant_id_of(op)), vint(account_id)), &r));
    if (db_next(&r))
        *ret = arena_str(op->arena, db_text(&r, 0));
    return db_end(&r);
}

static err_t read_names(struct op *op, const struct token *t, struct names *ret)
{
    ret->scope = t->scope;
    if (t->kind == TOKEN_PERSONAL || t->kind == TOKEN_SERVICE)
        TRY(key_scope(op, t, &ret->scope));
    if (t->account_id)
        TRY(user_name(op, t->account_id, &ret->user));
    if (t->client_id) {
        struct object *client;
        TRY(object_get_id(op, &kind_client, t->client_id, &client));
        ret->client = client->name;
        ret->client_object = client;
    }
    return ERR_OK;
}

/* What an access token says beside, whatever its format. */
static err_t write_custom(struct op *op, const struct token *t, const struct names *n, struct jw *w)
{
    struct account a;
    if (t->kind != TOKEN_ACCESS || !(op->tenant->claim_tokens & CLAIM_ACCESS))
        return ERR_OK;
    if (t->account_id)
        TRY(account_by_id(op, t->account_id, &a));
    return claims_write_custom(op, op->tenant, CLAIM_ACCESS, t->account_id ? &a : NULL, n->client_object, n->scope, w);
}

static err_t write_active(struct op *op, const struct token *t, const struct names *n, struct jw *w)
{
    jw_m_bool(w, "active", true);
    if (n->scope.n)
        jw_m_str(w, "scope", n->scope);
    jw_m_str(w, "client_id", n->client);
    jw_m_str(w, "username", n->user);
    if (t->kind != TOKEN_REFRESH)
        jw_m_str(w, "token_type", STR("Bearer"));
    jw_m_int(w, "exp", t->expires_s);
    jw_m_int(w, "iat", t->issued_s);
    jw_m_str(w, "sub", token_subject(op, t, n->client_object));
    if (t->audience.n)
        write_words(w, "aud", t->audience, true);
    jw_m_str(w, "iss", op->tenant->issuer);
    jw_m_str(w, "jti", id_text(op->core, op->arena, t->id));
    return write_custom(op, t, n, w);
}

static err_t look(struct op *op, struct str text, const struct object *client, struct token *ret,
                  struct names *names)
{
    TRY(token_judge(op, text, ret, NULL));
    if (!may_see(op, ret, client))
        return ERR_TOKEN_INVALID;
    if (ret->grant_id) /* a resource asks because the token was presented to it: a use, from an unknown
                          address */
        usage_touch(op->core->usage, NODE_GRANT, tenant_id_of(op), ret->grant_id, op->now_s, STR_NONE);
    err_t e = read_names(op, ret, names);
    return e == ERR_NOT_FOUND ? ERR_TOKEN_INVALID : e;
}

/* Never past the token's end. */
static int64_t max_age_s(const struct op *op, const struct token *t)
{
    int64_t left = t->expires_s - op->now_s, most = op->tenant->spec->introspect_max_age_s;
    return left < most ? left : most;
}

err_t introspect(struct op *op, const struct introspect_params *p, struct object *client_or_null,
                 struct jw *w, int64_t *ret_max_age_s)
{
    struct token t;
    struct names names = {.client = STR_NONE};
    if (!p->token.p)
        return op_fail(op, ERR_PARAM_MISSING, "token", "token is missing");
    err_t e = look(op, p->token, client_or_null, &t, &names);
    op->fault = (struct fault){0};
    if (e != ERR_OK && e != ERR_TOKEN_INVALID)
        return e;
    jw_open(w, '{');
    if (e == ERR_OK)
        TRY(write_active(op, &t, &names, w));
    else
        jw_m_bool(w, "active", false);
    jw_close(w, '}');
    *ret_max_age_s = e == ERR_OK ? max_age_s(op, &t) : 0;
    return ERR_OK;
}
