/* Scopes and audiences: what a request may ask for and what of it is granted. The rule: within what the
 * client has registered; known to the resource it is for; and, where a word is a permission that roles give,
 * held by the person. */
#include "oauth/parts.h"

static bool word_valid(struct str w)
{
    for (size_t i = 0; i < w.n; i++) {
        unsigned char c = (unsigned char)w.p[i];
        if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\')
            return false;
    }
    return w.n > 0;
}

bool scope_valid(struct str scope)
{
    struct str w;
    size_t n = 0;
    if (scope.n > LIMIT_SCOPE)
        return false;
    while (str_word(&scope, ' ', &w))
        if (++n > LIMIT_SCOPE_WORDS || !word_valid(w))
            return false;
    return true;
}

bool scope_within(struct str narrow, struct str wide)
{
    struct str w;
    while (str_word(&narrow, ' ', &w))
        if (!str_has_word(wide, ' ', w))
            return false;
    return true;
}

static void add_word(struct buf *b, struct str w)
{
    if (str_has_word(buf_view(b), ' ', w))
        return;
    if (b->n > 0)
        buf_char(b, ' ');
    buf_str(b, w);
}

static struct str words_done(struct buf *b)
{
    return buf_ok(b) ? buf_view(b) : STR("");
}

struct str scope_or(struct arena *a, struct str x, struct str y)
{
    struct buf b;
    struct str w;
    buf_init(&b, a, 2 * LIMIT_SCOPE + 1);
    while (str_word(&x, ' ', &w))
        add_word(&b, w);
    while (str_word(&y, ' ', &w))
        add_word(&b, w);
    return words_done(&b);
}

/* Words about the person or the grant are not a resource's. */
static bool audience_knows(struct op *op, struct str audience, struct str word)
{
    struct str id;
    if (identity_scope(word))
        return true;
    while (str_word(&audience, ' ', &id)) {
        const struct resource *r = tenant_resource(op->tenant, id);
        if (!r || r->scopes.n == 0 || strs_has(r->scopes, word))
            return true;
    }
    return false;
}

struct str scope_for_audience(struct op *op, struct str scope, struct str audience)
{
    struct buf b;
    struct str w;
    buf_init(&b, op->arena, LIMIT_SCOPE);
    while (str_word(&scope, ' ', &w))
        if (audience_knows(op, audience, w))
            add_word(&b, w);
    return words_done(&b);
}

bool permission_held(struct strs held, struct str permission)
{
    return permissions_allow(held, permission);
}

struct str scope_still_held(struct op *op, const struct account *person, struct str scope)
{
    struct strs held = {0};
    bool loaded = false;
    struct buf b;
    struct str w;
    buf_init(&b, op->arena, LIMIT_SCOPE);
    while (str_word(&scope, ' ', &w)) {
        if (tenant_knows_permission(op->tenant, w)) {
            if (!loaded) {
                held = account_permissions(op, person);
                loaded = true;
            }
            if (!permission_held(held, w))
                continue;
        }
        add_word(&b, w);
    }
    return words_done(&b);
}

static bool only_offline(struct str scope)
{
    return scope_within(scope, STR(SCOPE_OFFLINE));
}

static struct str without_offline(struct op *op, struct str scope)
{
    struct buf b;
    struct str w;
    buf_init(&b, op->arena, LIMIT_SCOPE);
    while (str_word(&scope, ' ', &w))
        if (!str_is(w, SCOPE_OFFLINE))
            add_word(&b, w);
    return words_done(&b);
}

/* What is asked, or what asking for nothing means. */
static err_t scope_start(struct op *op, const struct scope_request *r, struct str *ret)
{
    if (!r->asked.p) {
        *ret = without_offline(op, scope_for_audience(op, r->client->scope, r->audience));
        return ERR_OK;
    }
    if (!scope_valid(r->asked))
        return op_fail(op, ERR_SCOPE_INVALID, "scope", "scope is malformed or too long");
    if (!scope_within(r->asked, r->client->scope))
        return op_fail(op, ERR_SCOPE_INVALID, "scope",
                       "scope has a word that this client has not registered");
    *ret = scope_for_audience(op, r->asked, r->audience);
    if (!scope_within(r->asked, *ret))
        return op_fail(op, ERR_SCOPE_INVALID, "scope", "scope has a word that the resource does not know");
    return ERR_OK;
}

err_t scope_check(struct op *op, const struct scope_request *r)
{
    struct str scope;
    return scope_start(op, r, &scope);
}

err_t scope_narrow(struct op *op, const struct scope_request *r, struct str *ret)
{
    struct str scope;
    TRY(scope_start(op, r, &scope));
    bool something = r->asked.p && !only_offline(scope);
    if (r->person)
        scope = scope_still_held(op, r->person, scope);
    if (!r->person || !client_has_grant(r->client, "refresh_token"))
        scope = without_offline(op, scope);
    if (something && only_offline(scope))
        return op_fail(op, ERR_ACCESS_DENIED, "scope", "the person holds none of the permissions asked for");
    *ret = scope;
    return ERR_OK;
}

/* A client without a list may use the tenant's default resource. One with a list may use what is in it,
 * mereau itself (the issuer) included. */
static bool audience_may(struct op *op, const struct client *client, struct str identifier)
{
    const struct resource *r = tenant_resource(op->tenant, identifier);
    if (client->resources.n == 0) {
        const struct resource *d = tenant_resource(op->tenant, STR_NONE);
        return str_eq(identifier, d ? d->identifier : op->tenant->issuer);
    }
    return strs_has(client->resources, identifier) && (r || str_eq(identifier, op->tenant->issuer));
}

static struct str audience_default(struct op *op, const struct client *client)
{
    const struct resource *d = tenant_resource(op->tenant, STR_NONE);
    struct str id = d ? d->identifier : op->tenant->issuer;
    for (size_t i = 0; !audience_may(op, client, id) && i < client->resources.n; i++)
        id = client->resources.v[i];
    return audience_may(op, client, id) ? id : STR_NONE;
}

err_t audience_choose(struct op *op, const struct client *client, struct strs asked, struct str *ret)
{
    struct buf b;
    buf_init(&b, op->arena, LIMIT_RESOURCES * (LIMIT_TEXT + 1));
    if (asked.n > LIMIT_RESOURCES)
        return op_fail(op, ERR_TARGET_INVALID, "resource", "more than %d resource parameters",
                       LIMIT_RESOURCES);
    for (size_t i = 0; i < asked.n; i++) {
        if (!audience_may(op, client, asked.v[i]))
            return op_fail(op, ERR_TARGET_INVALID, "resource",
                           "resource is unknown or may not be used by this client");
        add_word(&b, asked.v[i]);
    }
    if (asked.n == 0) {
        struct str id = audience_default(op, client);
        if (!id.p)
            return op_fail(op, ERR_TARGET_INVALID, "resource", "none of this client's resources exists");
        add_word(&b, id);
    }
    if (!buf_ok(&b))
        return ERR_MEMORY;
    *ret = buf_view(&b);
    return ERR_OK;
}

err_t audience_narrow(struct op *op, struct str granted, struct strs asked, struct str *ret)
{
    struct buf b;
    buf_init(&b, op->arena, LIMIT_RESOURCES * (LIMIT_TEXT + 1));
    for (size_t i = 0; i < asked.n; i++) {
        if (asked.v[i].n == 0 || !str_has_word(granted, ' ', asked.v[i]))
            return op_fail(op, ERR_TARGET_INVALID, "resource", "resource is not one that was granted");
        add_word(&b, asked.v[i]);
    }
    if (!buf_ok(&b))
        return ERR_MEMORY;
    *ret = asked.n ? buf_view(&b) : granted;
    return ERR_OK;
}
