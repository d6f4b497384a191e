/* The kinds of objects that make up a tenant: its own settings, roles, resources (webhooks: tenant_webhook.c). Field tables
 * and what must hold of them. */
#include "token/tenant_parts.h"
#include "base/limits.h"
#include <stddef.h>

#define DAY 86400

/* --- tenant --- */

#define AT(member) offsetof(struct tenant_spec, member)
static const struct field tenant_fields[] = {
    {"name", F_STR, FIELD_REQUIRED | FIELD_FIXED, 63, AT(name), NULL, NULL,
     "name: a-z, 0-9 and -; stands in the issuer's path"},
    {"display_name", F_STR, 0, 128, AT(display_name), NULL, NULL, "shown on the sign-in page"},
    {"signing_alg", F_ENUM, 0, 0, AT(signing_alg), "ES256|RS256|EdDSA", "ES256",
     "algorithm of its JWTs unless a client says otherwise"},
    {"access_token_life", F_SECONDS, 0, LIMIT_ACCESS_TOKEN_LIFE, AT(access_token_life_s), NULL, "1h",
     "how long an access token lives"},
    {"refresh_token_life", F_SECONDS, 0, 3660L * DAY, AT(refresh_token_life_s), NULL, "30d",
     "how long a grant can be refreshed at all"},
    {"refresh_token_idle", F_SECONDS, 0, 3660L * DAY, AT(refresh_token_idle_s), NULL, "14d",
     "how long a refresh token lives unused"},
    {"refresh_grace", F_SECONDS, 0, 60, AT(refresh_grace_s), NULL, "20s",
     "how long a consumed refresh token is answered with the same successor; 0: never"},
    {"code_life", F_SECONDS, 0, 600, AT(code_life_s), NULL, "60s", "how long an authorization code lives"},
    {"session_life", F_SECONDS, 0, 3660L * DAY, AT(session_life_s), NULL, "30d",
     "how long a browser session lives"},
    {"session_idle", F_SECONDS, 0, 3660L * DAY, AT(session_idle_s), NULL, "7d",
     "how long a browser session lives unused"},
    {"key_life", F_SECONDS, 0, 3660L * DAY, AT(key_life_s), NULL, "90d",
     "a signing key is replaced after this long; 0: never by itself"},
    {"jwks_max_age", F_SECONDS, 0, DAY, AT(jwks_max_age_s), NULL, "300s",
     "how long others may keep the key set"},
    {"status_list_ttl", F_SECONDS, 0, 3600, AT(status_list_ttl_s), NULL, "10s",
     "how long others may keep a status list: so soon revoking reaches them"},
    {"introspect_max_age", F_SECONDS, 0, 3600, AT(introspect_max_age_s), NULL, "0",
     "how long they may keep what introspection says of a live token; 0: not at all"},
    {"forward_auth_hosts", F_STRS, 0, 253, AT(forward_auth_hosts), NULL, NULL,
     "hosts whose proxies ask /verify: sign-in may lead back to them"},
    {"registration", F_ENUM, 0, 0, AT(registration), "off|token|open", "off",
     "clients may register themselves (RFC 7591): never, with an access token or API key that has client.register, or anybody's"},
    {"registration_scope", F_WORDS, 0, LIMIT_SCOPE, AT(registration_scope), NULL, "openid profile email offline_access",
     "the words that registered clients may ask for; those that name none get all"},
    {"registration_grant_types", F_STRS, 0, LIMIT_NAME, AT(registration_grant_types), NULL,
     "authorization_code refresh_token implicit", "the grant types that they may have"},
    {"registration_hosts", F_STRS, 0, 253, AT(registration_hosts), NULL, NULL,
     "the hosts that their redirect URIs may lead to; empty: any"},
    {"registration_quota", F_INT, 0, LIMIT_REGISTRATIONS, AT(registration_quota), NULL, "100",
     "how many clients the holder of one account may have registered at a time, and all strangers together; 0: no limit"},
    {"registration_rate", F_INT, 0, LIMIT_REGISTRATIONS, AT(registration_rate), NULL, "30",
     "how many registrations of strangers are taken from one network in an hour; 0: no limit"},
    {"registration_life", F_SECONDS, 0, 3660L * DAY, AT(registration_life_s), NULL, "90d",
     "a registered client that is neither used nor updated for so long is removed; 0: never"},
    {"demo", F_BOOL, 0, 0, AT(demo), NULL, "false",
     "holds demo objects: the server then listens on loopback only"},
};
#undef AT

static bool tenant_name_ok(struct str name)
{
    if (name.n == 0 || name.n > 63 || name.p[0] == '-' || name.p[name.n - 1] == '-')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

static err_t tenant_check(struct op *op, void *spec, bool is_new)
{
    const struct tenant_spec *t = spec;
    const struct {
        const char *name;
        int64_t value, least;
        bool or_zero;
    } rows[] = {
        {"access_token_life", t->access_token_life_s, 1, false},
        {"refresh_token_life", t->refresh_token_life_s, 1, false},
        {"refresh_token_idle", t->refresh_token_idle_s, 1, false},
        {"refresh_grace", t->refresh_grace_s, 0, false},
        {"code_life", t->code_life_s, 1, false},
        {"session_life", t->session_life_s, 1, false},
        {"session_idle", t->session_idle_s, 1, false},
        {"key_life", t->key_life_s, KEY_LIFE_MIN, true},
        {"jwks_max_age", t->jwks_max_age_s, 0, false},
        {"status_list_ttl", t->status_list_ttl_s, 1, false},
    };
    if (is_new && !tenant_name_ok(t->name))
        return op_fail(op, ERR_PARAM_BAD, "name",
                       "1 to 63 characters a-z, 0-9 and - are expected, no - at the ends");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].value < rows[i].least && !(rows[i].or_zero && rows[i].value == 0))
            return op_fail(op, ERR_PARAM_BAD, rows[i].name, "at least %lld seconds%s are expected",
                           (long long)rows[i].least, rows[i].or_zero ? " (or 0)" : "");
    }
    return ERR_OK;
}

const struct object_kind kind_tenant = {
    .name = "tenant",
    .plural = "tenants",
    .name_field = "name",
    .read = "tenant.read",
    .write = "tenant.write",
    .doc = "a realm of its own: issuer, people, clients, keys",
    .fields = FIELDS(tenant_fields, struct tenant_spec),
    .system = true,
    .check = tenant_check,
    .store = &tenant_store,
};

/* --- role --- */

#define AT(member) offsetof(struct role, member)
static const struct field role_fields[] = {
    {"name", F_STR, FIELD_REQUIRED | FIELD_FIXED, LIMIT_NAME, AT(name), NULL, NULL, "name"},
    {"description", F_STR, 0, LIMIT_TEXT, AT(description), NULL, NULL, "what it is for"},
    {"permissions", F_STRS, 0, LIMIT_NAME, AT(permissions), NULL, NULL,
     "what its holders may do: words such as orders.read"},
};
#undef AT

/* A permission may become a scope: its characters are those of RFC 6749 section 3.3. */
static bool word_ok(struct str w)
{
    if (w.n == 0 || w.n > LIMIT_NAME)
        return false;
    for (size_t i = 0; i < w.n; i++) {
        char c = w.p[i];
        if (c < 0x21 || c > 0x7e || c == '"' || c == '\\')
            return false;
    }
    return true;
}

static err_t words_check(struct op *op, const char *param, struct strs words)
{
    for (size_t i = 0; i < words.n; i++) {
        if (!word_ok(words.v[i]))
            return op_fail(op, ERR_PARAM_BAD, param,
                           "words of printable characters without \" and \\ are expected");
    }
    return ERR_OK;
}

static err_t role_check(struct op *op, void *spec, bool is_new)
{
    const struct role *r = spec;
    (void)is_new;
    if (role_is_built_in(r->name))
        return op_fail(op, ERR_CONFLICT, "name", "the role \"%.*s\" is built in", STR_ARG(r->name));
    if (!op_is_default_tenant(op) && strs_has(r->permissions, STR("operator")))
        return op_fail(op, ERR_PARAM_BAD, "permissions",
                       "operators are of the tenant \"" TENANT_DEFAULT "\" alone");
    TRY(words_check(op, "permissions", r->permissions));
    return op_permit_grant(op, r->permissions, "permissions");
}

static err_t role_permit(struct op *op, const void *old_spec)
{
    const struct role *r = old_spec;
    return op_permit_grant(op, r->permissions, "permissions");
}

const struct object_kind kind_role = {
    .name = "role",
    .plural = "roles",
    .name_field = "name",
    .read = "role.read",
    .write = "role.write",
    .doc = "a named set of permissions for people and service accounts",
    .fields = FIELDS(role_fields, struct role),
    .in_snapshot = true,
    .check = role_check,
    .permit = role_permit,
};

/* --- resource --- */

#define AT(member) offsetof(struct resource, member)
static const struct field resource_fields[] = {
    {"identifier", F_STR, FIELD_REQUIRED | FIELD_FIXED, LIMIT_NAME, AT(identifier), NULL, NULL,
     "the audience: an absolute URI or a plain name"},
    {"description", F_STR, 0, LIMIT_TEXT, AT(description), NULL, NULL, "what it is"},
    {"scopes", F_STRS, 0, LIMIT_NAME, AT(scopes), NULL, NULL,
     "scopes it knows; empty: whatever its clients list"},
    {"introspect_clients", F_STRS, 0, LIMIT_NAME, AT(introspect_clients), NULL, NULL,
     "clients that may introspect tokens meant for it"},
    {"default", F_BOOL, 0, 0, AT(is_default), NULL, "false", "the audience when a request names no resource"},
};
#undef AT

static err_t resource_check(struct op *op, void *spec, bool is_new)
{
    const struct resource *r = spec;
    (void)is_new;
    TRY(words_check(op, "scopes", r->scopes));
    /* The file may move the mark from one to the other in any order. */
    for (size_t i = 0; r->is_default && op->actor.kind != ACTOR_FILE && i < op->tenant->nresources; i++) {
        const struct resource *other = &op->tenant->resources[i];
        if (other->is_default && !str_eq(other->identifier, r->identifier))
            return op_fail(op, ERR_CONFLICT, "default", "\"%.*s\" is the default already",
                           STR_ARG(other->identifier));
    }
    return ERR_OK;
}

const struct object_kind kind_resource = {
    .name = "resource",
    .plural = "resources",
    .name_field = "identifier",
    .read = "resource.read",
    .write = "resource.write",
    .doc = "a resource server: the audience of access tokens",
    .fields = FIELDS(resource_fields, struct resource),
    .in_snapshot = true,
    .check = resource_check,
};
