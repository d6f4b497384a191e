/* The documents of client registration: which members are taken from what a client sends, and what it is told back. The members
 * and their checks are the client kind's own; whatever else stands in a document is ignored (RFC 7591 section 2), names with a
 * language tag among it. */
#include "oauth/register_parts.h"

/* Those of RFC 7591, OpenID Connect Registration, RFC 9101 and the logout specifications. Not one that is ours alone. */
static const char *const members[] = {
    "redirect_uris",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "response_types",
    "application_type",
    "client_name",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "scope",
    "jwks",
    "jwks_uri",
    "software_id",
    "software_version",
    "subject_type",
    "sector_identifier_uri",
    "id_token_signed_response_alg",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "request_object_signing_alg",
    "require_signed_request_object",
    "default_max_age",
    "require_auth_time",
    "default_acr_values",
    "initiate_login_uri",
    "post_logout_redirect_uris",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
};

/* A client that asks for one of these relies on protection that it would not get: better told than ignored. */
static const char *const unsupported[] = {
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "authorization_signed_response_alg",
    "authorization_encrypted_response_alg",
    "authorization_encrypted_response_enc",
    "introspection_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "tls_client_certificate_bound_access_tokens",
    "dpop_bound_access_tokens",
    "require_pushed_authorization_requests",
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- what is taken --- */

static const json_t *get(const json_t *doc, const char *name)
{
    const json_t *v = json_object_get(doc, name);
    return json_is_null(v) ? NULL : v;
}

static err_t refuse_unsupported(struct op *op, const json_t *doc)
{
    if (get(doc, "software_statement"))
        return op_fail(op, ERR_SOFTWARE_STATEMENT, "software_statement", "this server takes no software statements: leave it out");
    for (size_t i = 0; i < COUNT(unsupported); i++) {
        const json_t *v = get(doc, unsupported[i]);
        if (v && !json_is_false(v))
            return op_fail(op, ERR_CLIENT_METADATA, unsupported[i], "this server does not have %s", unsupported[i]);
    }
    return ERR_OK;
}

static bool put_text(json_t *doc, const char *name, struct str s)
{
    return json_object_set_new(doc, name, json_stringn(s.p, s.n)) == 0;
}

err_t register_take(struct op *op, const json_t *doc, struct str client_id, json_t **ret)
{
    if (!json_is_object(doc))
        return op_fail(op, ERR_CLIENT_METADATA, "", "a JSON object of client metadata is expected");
    TRY(refuse_unsupported(op, doc));
    json_t *out = json_object();
    bool ok = out != NULL;
    for (size_t i = 0; ok && i < COUNT(members); i++) {
        json_t *v = json_object_get(doc, members[i]);
        ok = json_object_set_new(out, members[i], v ? json_incref(v) : json_null()) == 0;
    }
    ok = ok && put_text(out, "client_id", client_id);
    if (ok && !get(out, "token_endpoint_auth_method"))
        ok = put_text(out, "token_endpoint_auth_method", STR("client_secret_basic"));
    if (ok && !get(out, "scope"))
        ok = put_text(out, "scope", op->tenant->spec->registration_scope);
    /* There is no member for it in the standard, and conforming OpenID clients with a secret come without PKCE; one that sends a
     * challenge is held to it all the same. */
    if (ok)
        ok = json_object_set_new(out, "require_pkce", json_boolean(str_is(json_str(get(out, "token_endpoint_auth_method")), "none"))) == 0;
    if (!ok) {
        json_decref(out);
        return ERR_MEMORY;
    }
    *ret = out;
    return json_keep(op->arena, out);
}

/* --- what is told --- */

/* A value that says nothing: not registered. */
static bool is_empty(const struct field *f, const void *spec)
{
    const char *p = (const char *)spec + f->offset;
    switch (f->type) {
    case F_INT:
    case F_SECONDS:
        return *(const int64_t *)(const void *)p < 0;
    case F_STRS:
        return ((const struct strs *)(const void *)p)->n == 0;
    case F_JSON:
        return *(json_t *const *)(const void *)p == NULL;
    case F_BOOL:
        return false;
    default:
        return ((const struct str *)(const void *)p)->n == 0;
    }
}

static err_t print_members(struct op *op, const struct object *client, struct jw *w)
{
    struct field *v = arena_array(op->arena, struct field, COUNT(members));
    struct fields table = {v, 0, kind_client.fields.size};
    if (!v)
        return ERR_MEMORY;
    for (size_t i = 0; i < COUNT(members); i++) {
        const struct field *f = fields_find(&kind_client.fields, str_z(members[i]));
        if (f && !is_empty(f, client->spec))
            v[table.n++] = *f;
    }
    fields_to_json(&table, client->spec, w);
    return ERR_OK;
}

err_t registration_print(struct op *op, const struct registration *r, struct jw *w)
{
    struct str issuer = op->tenant->issuer;
    jw_open(w, '{');
    jw_m_str(w, "client_id", r->client->name);
    jw_m_int(w, "client_id_issued_at", r->client->created_s);
    jw_m_str(w, "client_secret", r->client_secret);
    if (client_has_secret(client_of(r->client)))
        jw_m_int(w, "client_secret_expires_at", r->expires_s);
    jw_m_str(w, "registration_access_token", r->token);
    jw_m_str(w, "registration_client_uri",
             arena_fmt(op->arena, "%.*s/register/%.*s", STR_ARG(issuer), STR_ARG(r->client->name)));
    TRY(print_members(op, r->client, w));
    jw_close(w, '}');
    return ERR_OK;
}
