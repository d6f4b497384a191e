/* What a valid client looks like (RFC 7591 section 2), on every path of writing: API, command line, file, registration. */
#include "oauth/client.h"

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
    if ((client_has_grant(c, "authorization_code") || client_has_grant(c, "implicit")) && c->redirect_uris.n == 0)
        return op_fail(op, ERR_REDIRECT_URI, "redirect_uris",
                       "grant type authorization_code needs a redirect URI");
    return ERR_OK;
}

static err_t check_grants(struct op *op, const struct client *c)
{
    for (size_t i = 0; i < c->grant_types.n; i++) {
        const struct grant_row *g = grants;
        if (str_is(c->grant_types.v[i], "implicit")) /* no grant of the token endpoint */
            continue;
        while (g->grant_type && !str_is(c->grant_types.v[i], g->grant_type))
            g++;
        if (!g->grant_type)
            return op_fail(op, ERR_CLIENT_METADATA, "grant_types",
                           "grant_types[%zu] is not a grant this server has", i);
    }
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

/* A key of an HMAC is as long as its digest (RFC 7518 section 3.2). */
static err_t check_signing_secret(struct op *op, const struct client *c)
{
    enum alg alg;
    if (!str_is(c->token_endpoint_auth_method, "client_secret_jwt") || !c->client_secret.n)
        return ERR_OK;
    if (!alg_find_in(c->token_endpoint_auth_signing_alg, ALGS_HMAC, &alg))
        alg = ALG_HS256;
    if (c->client_secret.n < alg_row(alg)->secret_min)
        return op_fail(op, ERR_CLIENT_METADATA, "client_secret", "to sign with %s a secret has at least %zu bytes", alg_row(alg)->name,
                       alg_row(alg)->secret_min);
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
    if (c->status_list && !(c->store_access_tokens && str_is(c->access_token_format, "jwt")))
        return op_fail(op, ERR_CLIENT_METADATA, "status_list",
                       "a status list is of stored JWTs: it needs access_token_format jwt and store_access_tokens");
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

err_t client_check(struct op *op, void *spec, bool is_new)
{
    struct client *c = spec;
    bool names_secret =
        c->client_secret.n || op->actor.kind == ACTOR_FILE; /* a file is the whole state, secrets included */
    if (!is_new && !c->token_endpoint_auth_method.n && !names_secret)
        return op_fail(op, ERR_CLIENT_METADATA, "token_endpoint_auth_method",
                       "name token_endpoint_auth_method when replacing a client");
    if (!c->token_endpoint_auth_method.n)
        c->token_endpoint_auth_method = c->client_secret.n ? STR("client_secret_basic") : STR("none");
    if (is_new && client_has_secret(c) && !c->client_secret.n)
        return op_fail(op, ERR_CLIENT_METADATA, "client_secret",
                       "a confidential client needs a client_secret");
    TRY(check_texts(op, c));
    TRY(check_redirects(op, c));
    TRY(check_grants(op, c));
    TRY(check_public(op, c));
    TRY(check_signing_secret(op, c));
    TRY(client_check_oidc(op, c));
    TRY(op_permit_grant(op, c->permissions, "permissions"));
    TRY(check_tokens(op, c));
    TRY(permit_scope(op, c));
    if (is_new)
        TRY(check_nobodys_id(op, c));
    return client_check_sector(op, c, is_new);
}

err_t client_permit(struct op *op, const void *old_spec)
{
    const struct client *c = old_spec;
    TRY(op_permit_grant(op, c->permissions, "permissions"));
    return permit_scope(op, c);
}
