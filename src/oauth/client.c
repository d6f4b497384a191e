/* Clients: the configured kind, what a valid one looks like (RFC 7591 section 2), and what is kept of its
 * secret. */
#include "oauth/parts.h"
#include <stdio.h>

#define LIFE_MAX ((size_t)315360000) /* ten years */

static const struct field client_fields_v[] = {
    {"client_id", F_STR, FIELD_REQUIRED | FIELD_FIXED, LIMIT_NAME, offsetof(struct client, client_id), NULL,
     NULL, "the client's name in requests"},
    {"client_name", F_STR, 0, LIMIT_NAME, offsetof(struct client, client_name), NULL, NULL,
     "what people read on the consent page"},
    {"client_secret", F_SECRET, 0, LIMIT_TEXT, offsetof(struct client, client_secret), NULL, NULL,
     "the secret of a confidential client; only a keyed hash is kept"},
    {"keep_previous_secret", F_BOOL, 0, 0, offsetof(struct client, keep_previous_secret), NULL, "false",
     "a new secret leaves the one before valid, until this is false"},
    {"token_endpoint_auth_method", F_ENUM, 0, 0, offsetof(struct client, token_endpoint_auth_method),
     "client_secret_basic|client_secret_post|none", NULL,
     "how the client authenticates; default client_secret_basic with a secret, none without"},
    {"redirect_uris", F_STRS, FIELD_MULTI, LIMIT_REDIRECT_URI, offsetof(struct client, redirect_uris), NULL,
     NULL, "where authorization responses may be sent, compared byte by byte"},
    {"grant_types", F_STRS, 0, LIMIT_NAME, offsetof(struct client, grant_types), NULL, "authorization_code",
     "authorization_code, refresh_token, client_credentials"},
    {"response_types", F_STRS, 0, LIMIT_NAME, offsetof(struct client, response_types), NULL, "code", "code"},
    {"scope", F_WORDS, 0, LIMIT_SCOPE, offsetof(struct client, scope), NULL, "",
     "the words the client may ask for"},
    {"resources", F_STRS, FIELD_MULTI, LIMIT_TEXT, offsetof(struct client, resources), NULL, NULL,
     "resources it may ask for; none: the tenant's default one"},
    {"access_token_format", F_ENUM, 0, 0, offsetof(struct client, access_token_format), "opaque|jwt",
     "opaque", "opaque, or a JWT by RFC 9068"},
    {"access_token_signing_alg", F_STR, 0, LIMIT_NAME, offsetof(struct client, access_token_signing_alg),
     NULL, "", "ES256, RS256 or EdDSA; default the tenant's"},
    {"access_token_life", F_SECONDS, 0, LIMIT_ACCESS_TOKEN_LIFE, offsetof(struct client, access_token_life_s),
     NULL, "-1", "how long an access token lives; default the tenant's"},
    {"refresh_token_life", F_SECONDS, 0, LIFE_MAX, offsetof(struct client, refresh_token_life_s), NULL, "-1",
     "how long a grant lives, refreshed or not; default the tenant's"},
    {"refresh_token_idle", F_SECONDS, 0, LIFE_MAX, offsetof(struct client, refresh_token_idle_s), NULL, "-1",
     "how long a refresh token may lie unused; default the tenant's"},
    {"refresh_grace", F_SECONDS, 0, 60, offsetof(struct client, refresh_grace_s), NULL, "-1",
     "how long a used refresh token gets the same answer again; 0: never; default the tenant's"},
    {"require_pkce", F_BOOL, 0, 0, offsetof(struct client, require_pkce), NULL, "true",
     "false only for a confidential client"},
    {"store_access_tokens", F_BOOL, 0, 0, offsetof(struct client, store_access_tokens), NULL, "true",
     "false: a JWT lives as long as its client and grant, and cannot be revoked alone"},
    {"first_party", F_BOOL, 0, 0, offsetof(struct client, first_party), NULL, "false", "no consent page"},
    {"permissions", F_STRS, 0, LIMIT_NAME, offsetof(struct client, permissions), NULL, NULL,
     "what the client may do here as itself, such as token.introspect"},
    {"client_uri", F_STR, 0, LIMIT_TEXT, offsetof(struct client, client_uri), NULL, NULL, "its home page"},
    {"logo_uri", F_STR, 0, LIMIT_TEXT, offsetof(struct client, logo_uri), NULL, NULL, "its logo"},
    {"policy_uri", F_STR, 0, LIMIT_TEXT, offsetof(struct client, policy_uri), NULL, NULL,
     "its privacy policy"},
    {"tos_uri", F_STR, 0, LIMIT_TEXT, offsetof(struct client, tos_uri), NULL, NULL, "its terms of service"},
    {"contacts", F_STRS, 0, LIMIT_TEXT, offsetof(struct client, contacts), NULL, NULL, "whom to write to"},
    {"attributes", F_JSON, FIELD_TEXT, 0, offsetof(struct client, attributes), NULL, NULL,
     "an object of further facts, for custom claims: {client.attributes.plan}"},
};

bool client_has_grant(const struct client *c, const char *grant_type)
{
    return strs_has(c->grant_types, str_z(grant_type));
}

static bool client_is_public(const struct client *c)
{
    return str_is(c->token_endpoint_auth_method, "none");
}

/* --- check
 * ------------------------------------------------------------------------------------------------------- */

static bool printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

/* RFC 6749 appendix A.1, without ':' (it ends the name in Basic credentials) and space. */
static bool client_id_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || s.p[i] == ':')
            return false;
    return s.n > 0;
}

static err_t check_texts(struct op *op, const struct client *c)
{
    const struct {
        const char *name;
        struct str v;
        bool uri;
    } texts[] = {
        {"client_name", c->client_name, false}, {"client_uri", c->client_uri, true},
        {"logo_uri", c->logo_uri, true},        {"policy_uri", c->policy_uri, true},
        {"tos_uri", c->tos_uri, true},
    };
    if (!client_id_ok(c->client_id))
        return op_fail(op, ERR_CLIENT_METADATA, "client_id",
                       "client_id takes printable ASCII without space and ':'");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct str v = texts[i].v;
        if (!printable(v))
            return op_fail(op, ERR_CLIENT_METADATA, texts[i].name, "%s has a control character",
                           texts[i].name);
        if (texts[i].uri && v.n && !str_starts(v, STR("https://")) && !str_starts(v, STR("http://")))
            return op_fail(op, ERR_CLIENT_METADATA, texts[i].name, "%s must be an http or https address",
                           texts[i].name);
    }
    for (size_t i = 0; i < c->contacts.n; i++)
        if (!printable(c->contacts.v[i]))
            return op_fail(op, ERR_CLIENT_METADATA, "contacts", "contacts has a control character");
    if (c->attributes && (!json_is_object(c->attributes) || json_dumpb(c->attributes, NULL, 0, JSON_COMPACT) > LIMIT_ATTRIBUTES))
        return op_fail(op, ERR_CLIENT_METADATA, "attributes", "attributes must be a JSON object of at most %d bytes", LIMIT_ATTRIBUTES);
    return ERR_OK;
}

static err_t check_redirects(struct op *op, const struct client *c)
{
    if (c->redirect_uris.n > LIMIT_REDIRECT_URIS)
        return op_fail(op, ERR_REDIRECT_URI, "redirect_uris", "more than %d redirect URIs",
                       LIMIT_REDIRECT_URIS);
    for (size_t i = 0; i < c->redirect_uris.n; i++) {
        const char *why = redirect_uri_fault(c->redirect_uris.v[i], client_is_public(c));
        if (why)
            return op_fail(op, ERR_REDIRECT_URI, "redirect_uris", "redirect_uris[%zu] %s", i, why);
    }
    if (client_has_grant(c, "authorization_code") && c->redirect_uris.n == 0)
        return op_fail(op, ERR_REDIRECT_URI, "redirect_uris",
                       "grant type authorization_code needs a redirect URI");
    return ERR_OK;
}

static err_t check_grants(struct op *op, const struct client *c)
{
    for (size_t i = 0; i < c->grant_types.n; i++) {
        const struct grant_row *g = grants;
        while (g->grant_type && !str_is(c->grant_types.v[i], g->grant_type))
            g++;
        if (!g->grant_type)
            return op_fail(op, ERR_CLIENT_METADATA, "grant_types",
                           "grant_types[%zu] is not a grant this server has", i);
    }
    for (size_t i = 0; i < c->response_types.n; i++)
        if (!str_is(c->response_types.v[i], "code"))
            return op_fail(op, ERR_CLIENT_METADATA, "response_types", "the only response type is code");
    if (client_has_grant(c, "refresh_token") && !client_has_grant(c, "authorization_code"))
        return op_fail(op, ERR_CLIENT_METADATA, "grant_types", "refresh_token goes with authorization_code");
    return ERR_OK;
}

static err_t check_public(struct op *op, const struct client *c)
{
    if (!client_is_public(c))
        return ERR_OK;
    if (c->client_secret.n)
        return op_fail(op, ERR_CLIENT_METADATA, "client_secret",
                       "a client with token_endpoint_auth_method none has no secret");
    if (client_has_grant(c, "client_credentials"))
        return op_fail(op, ERR_CLIENT_METADATA, "grant_types",
                       "a public client (no client_secret) cannot use client_credentials");
    if (!c->require_pkce)
        return op_fail(op, ERR_CLIENT_METADATA, "require_pkce", "a public client cannot do without PKCE");
    if (c->permissions.n)
        return op_fail(op, ERR_CLIENT_METADATA, "permissions", "a public client cannot act as itself");
    return ERR_OK;
}

static err_t check_words(struct op *op, const char *name, struct strs words)
{
    for (size_t i = 0; i < words.n; i++)
        if (!words.v[i].n || !scope_valid(words.v[i]) || str_find(words.v[i], ' ') < words.v[i].n)
            return op_fail(op, ERR_CLIENT_METADATA, name, "%s[%zu] has a character that is not allowed", name,
                           i);
    return ERR_OK;
}

static err_t check_tokens(struct op *op, const struct client *c)
{
    enum alg alg;
    if (!scope_valid(c->scope))
        return op_fail(op, ERR_CLIENT_METADATA, "scope", "scope is malformed");
    if (c->access_token_signing_alg.n && !alg_find_in(c->access_token_signing_alg, ALGS_ISSUED, &alg))
        return op_fail(op, ERR_CLIENT_METADATA, "access_token_signing_alg",
                       "access_token_signing_alg is unknown");
    if (!c->store_access_tokens && !str_is(c->access_token_format, "jwt"))
        return op_fail(op, ERR_CLIENT_METADATA, "store_access_tokens",
                       "only a JWT can do without being stored");
    if (c->access_token_life_s == 0)
        return op_fail(op, ERR_CLIENT_METADATA, "access_token_life",
                       "an access token must live at least a second");
    TRY(check_words(op, "permissions", c->permissions));
    return check_words(op, "resources", c->resources);
}

/* A first-party client gets what its people hold without asking them: whoever may not administer this server
 * must not make one that asks for that. */
static err_t permit_scope(struct op *op, const struct client *c)
{
    struct str *v = arena_array(op->arena, struct str, LIMIT_SCOPE_WORDS), rest = c->scope, w;
    size_t n = 0;
    if (!v)
        return ERR_MEMORY;
    while (n < LIMIT_SCOPE_WORDS && str_word(&rest, ' ', &w))
        if (permission_is_own(op->core, w))
            v[n++] = w;
    return op_permit_grant(op, (struct strs){v, n}, "scope");
}

/* A client's name stands as sub in its own tokens: it must not read as a person's (RFC 9700 section 4.15). */
static err_t check_nobodys_id(struct op *op, const struct client *c)
{
    struct account a;
    struct fault before = op->fault;
    int64_t id;
    if (!id_parse(op->core, c->client_id, &id))
        return ERR_OK;
    err_t e = account_by_id(op, id, &a);
    if (e == ERR_OK)
        return op_fail(op, ERR_CLIENT_METADATA, "client_id", "client_id is an account's id");
    op->fault = before;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static err_t client_check(struct op *op, void *spec, bool is_new)
{
    struct client *c = spec;
    bool names_secret =
        c->client_secret.n || op->actor.kind == ACTOR_FILE; /* a file is the whole state, secrets included */
    if (!is_new && !c->token_endpoint_auth_method.n && !names_secret)
        return op_fail(op, ERR_CLIENT_METADATA, "token_endpoint_auth_method",
                       "name token_endpoint_auth_method when replacing a client");
    if (!c->token_endpoint_auth_method.n)
        c->token_endpoint_auth_method = c->client_secret.n ? STR("client_secret_basic") : STR("none");
    if (is_new && !client_is_public(c) && !c->client_secret.n)
        return op_fail(op, ERR_CLIENT_METADATA, "client_secret",
                       "a confidential client needs a client_secret");
    TRY(check_texts(op, c));
    TRY(check_redirects(op, c));
    TRY(check_grants(op, c));
    TRY(check_public(op, c));
    TRY(op_permit_grant(op, c->permissions, "permissions"));
    TRY(check_tokens(op, c));
    TRY(permit_scope(op, c));
    return is_new ? check_nobodys_id(op, c) : ERR_OK;
}

static err_t client_permit(struct op *op, const void *old_spec)
{
    const struct client *c = old_spec;
    TRY(op_permit_grant(op, c->permissions, "permissions"));
    return permit_scope(op, c);
}

/* --- secrets: a JSON array of one or two hex HMACs, the newest first
 * ---------------------------------------------- */

static err_t client_seal(struct op *op, const void *spec, struct str old, struct str *ret)
{
    const struct client *c = spec;
    struct str list[2] = {STR_NONE, STR_NONE}, first = client_secret_nth(old, 0),
               second = client_secret_nth(old, 1);
    char mac[CLIENT_SECRET_MAC];
    if (client_is_public(c)) {
        *ret = STR_NONE;
        return ERR_OK;
    }
    list[0] = first;
    list[1] = c->keep_previous_secret ? second : STR_NONE;
    if (c->client_secret.n) {
        client_secret_mac(op, c->client_secret, mac);
        struct str fresh = arena_str(op->arena, (struct str){mac, sizeof(mac)});
        if (!fresh.p)
            return ERR_MEMORY;
        if (!str_eq_secret(fresh, first)) {
            list[1] = c->keep_previous_secret ? first : STR_NONE;
            list[0] = fresh;
        }
    }
    *ret = !list[0].p  ? STR_NONE
           : list[1].p ? arena_fmt(op->arena, "[\"%.*s\",\"%.*s\"]", STR_ARG(list[0]), STR_ARG(list[1]))
                       : arena_fmt(op->arena, "[\"%.*s\"]", STR_ARG(list[0]));
    return ERR_OK;
}

err_t client_secret_generate(struct op *op, json_t *doc, struct str *ret_secret)
{
    struct token_text t;
    *ret_secret = STR_NONE;
    if (json_object_get(doc, "client_secret") ||
        str_is(json_str(json_object_get(doc, "token_endpoint_auth_method")), "none"))
        return ERR_OK;
    TRY(token_text_make(op->core, TOKEN_CLIENT_SECRET, store_new_id(op->core->store), &t));
    struct str text = arena_str(op->arena, (struct str){t.p, sizeof(t.p)});
    secret_zero(&t, sizeof(t));
    if (!text.p || json_object_set_new(doc, "client_secret", json_stringn(text.p, text.n)) != 0)
        return ERR_MEMORY;
    *ret_secret = text;
    return ERR_OK;
}

const struct object_kind kind_client = {
    .name = "client",
    .plural = "clients",
    .name_field = "client_id",
    .read = "client.read",
    .write = "client.write",
    .doc = "an application that gets tokens (RFC 7591 names)",
    .fields = FIELDS(client_fields_v, struct client),
    .check = client_check,
    .permit = client_permit,
    .seal = client_seal,
};
