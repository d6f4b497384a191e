/* The object kind "claim": its fields, the form of its templates, and what is checked on every write. Names that the server
 * writes itself are protected, so that no configuration makes a token say twice, or otherwise, who it is for. */
#include "token/claim.h"
#include "token/core.h"
#include "base/limits.h"
#include <stddef.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ALL_TOKENS (CLAIM_ACCESS | CLAIM_ID | CLAIM_USERINFO)

#define AT(member) offsetof(struct claim, member)
static const struct field claim_fields[] = {
    {"name", F_STR, FIELD_REQUIRED | FIELD_FIXED, LIMIT_NAME, AT(name), NULL, NULL, "the claim as it stands in the token"},
    {"value", F_JSON, FIELD_REQUIRED | FIELD_TEXT, 0, AT(value), NULL, NULL,
     "text or JSON with placeholders: {user.email}, {user.roles}, {user.attributes.department}, {client.client_id}"},
    {"tokens", F_STRS, 0, 16, AT(tokens), NULL, "access id userinfo", "where it stands: access, id, userinfo"},
    {"scope", F_STR, 0, LIMIT_NAME, AT(scope), NULL, NULL, "only when this scope was granted; empty: always"},
    {"clients", F_STRS, 0, LIMIT_NAME, AT(clients), NULL, NULL, "only for these clients; empty: for all"},
};
#undef AT

static const struct {
    const char *name;
    unsigned bit;
} token_names[] = {{"access", CLAIM_ACCESS}, {"id", CLAIM_ID}, {"userinfo", CLAIM_USERINFO}};

unsigned claim_token_bits(struct strs tokens)
{
    unsigned bits = 0;
    for (size_t i = 0; i < COUNT(token_names); i++)
        if (strs_has(tokens, str_z(token_names[i].name)))
            bits |= token_names[i].bit;
    return bits;
}

/* --- names that are the server's own --- */

static const char *const reserved_always[] = {
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "azp", "nonce", "auth_time", "acr", "amr", "at_hash",
    "c_hash", "s_hash", "sid", "cnf", "act", "may_act", "status", "gid", "roles", "events", "toe", "txn", "sub_id", "sub_jwk",
    "active", "username", "token_type", "authorization_details", "_claim_names", "_claim_sources", "vot", "vtm", "purpose"};
/* The standard claims about a person (OpenID Connect Core section 5.1): written by the scopes profile, email, address and
 * phone into what is for the client; free in access tokens. */
static const char *const reserved_for_client[] = {
    "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "email",
    "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address", "updated_at"};

static bool one_of(struct str name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(name, list[i]))
            return true;
    return false;
}

static err_t check_name(struct op *op, const struct claim *c, unsigned bits)
{
    if (one_of(c->name, reserved_always, COUNT(reserved_always)))
        return op_fail(op, ERR_PARAM_BAD, "name", "\"%.*s\" is written by the server itself", STR_ARG(c->name));
    if ((bits & (CLAIM_ID | CLAIM_USERINFO)) && one_of(c->name, reserved_for_client, COUNT(reserved_for_client)))
        return op_fail(op, ERR_PARAM_BAD, "name",
                       "\"%.*s\" is written by the server itself in ID tokens and UserInfo; for access tokens alone say tokens=access",
                       STR_ARG(c->name));
    return ERR_OK;
}

/* --- templates --- */

static struct str cut(struct str *s, size_t n)
{
    struct str head = {s->p, n};
    *s = (struct str){s->p + n, s->n - n};
    return head;
}

static bool word(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '{' || s.p[i] == '"' || s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

static bool placeholder(struct str text, struct claim_piece *ret)
{
    size_t dot = str_find(text, '.');
    if (!word(text) || dot == 0 || dot + 1 >= text.n)
        return false;
    ret->of = (struct str){text.p, dot};
    ret->field = (struct str){text.p + dot + 1, text.n - dot - 1};
    dot = str_find(ret->field, '.');
    if (dot == ret->field.n)
        return true;
    ret->path = (struct str){ret->field.p + dot + 1, ret->field.n - dot - 1};
    ret->field.n = dot;
    return dot > 0 && ret->path.n > 0;
}

bool claim_next(struct str *rest, struct claim_piece *ret)
{
    size_t n = 0;
    *ret = (struct claim_piece){.literal = STR_NONE};
    while (n < rest->n && rest->p[n] != '{' && rest->p[n] != '}')
        n++;
    if (n > 0) {
        ret->literal = cut(rest, n);
        return true;
    }
    if (rest->n > 1 && rest->p[0] == rest->p[1]) { /* a doubled brace is one */
        ret->literal = (struct str){rest->p, 1};
        cut(rest, 2);
        return true;
    }
    size_t end = str_find(*rest, '}');
    if (rest->p[0] == '}' || end == rest->n)
        return false;
    struct str inside = {rest->p + 1, end - 1};
    cut(rest, end + 1);
    return placeholder(inside, ret);
}

enum claim_extra claim_extra(const struct claim_piece *p)
{
    static const struct {
        const char *of, *field;
        enum claim_extra is;
    } rows[] = {
        {"user", "id", CLAIM_USER_ID},
        {"user", "permissions", CLAIM_USER_PERMISSIONS},
        {"tenant", "name", CLAIM_TENANT_NAME},
        {"tenant", "issuer", CLAIM_TENANT_ISSUER},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_is(p->of, rows[i].of) && str_is(p->field, rows[i].field) && !p->path.n)
            return rows[i].is;
    return CLAIM_EXTRA_NONE;
}

const struct field *claim_field(const struct object_kinds *kinds, const struct claim_piece *p)
{
    bool known = str_is(p->of, "user") || str_is(p->of, "client");
    const struct object_kind *k = known ? object_kind_find(kinds, p->of) : NULL;
    const struct field *f = k ? fields_find(&k->fields, p->field) : NULL;
    return f && f->type != F_SECRET && (f->type == F_JSON || !p->path.n) ? f : NULL;
}

static err_t check_text(struct op *op, struct str text)
{
    struct claim_piece p;
    while (text.n) {
        if (!claim_next(&text, &p))
            return op_fail(op, ERR_PARAM_BAD, "value",
                           "a placeholder such as {user.email} is expected in braces; a brace itself is written twice");
        if (!p.literal.p && claim_extra(&p) == CLAIM_EXTRA_NONE && !claim_field(op->core->kinds, &p))
            return op_fail(op, ERR_PARAM_BAD, "value", "{%.*s.%.*s%s%.*s} names nothing that a claim may hold", STR_ARG(p.of),
                           STR_ARG(p.field), p.path.n ? "." : "", STR_ARG(p.path));
    }
    return ERR_OK;
}

static err_t check_value(struct op *op, const json_t *v, int depth)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_string(v))
        return check_text(op, json_str(v));
    if (depth == LIMIT_CLAIM_DEPTH)
        return op_fail(op, ERR_PARAM_BAD, "value", "at most %d levels are expected", LIMIT_CLAIM_DEPTH);
    json_array_foreach(v, i, item)
        TRY(check_value(op, item, depth + 1));
    json_object_foreach((json_t *)(uintptr_t)v, key, item)
        TRY(check_value(op, item, depth + 1));
    return ERR_OK;
}

/* A word of RFC 6749 section 3.3; empty is no scope. */
static bool scope_word(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    return true;
}

static err_t claim_check(struct op *op, void *spec, bool is_new)
{
    const struct claim *c = spec;
    (void)is_new;
    for (size_t i = 0; i < c->tokens.n; i++)
        if (!claim_token_bits((struct strs){&c->tokens.v[i], 1}))
            return op_fail(op, ERR_PARAM_BAD, "tokens", "some of access, id and userinfo are expected");
    if (c->tokens.n == 0)
        return op_fail(op, ERR_PARAM_BAD, "tokens", "some of access, id and userinfo are expected");
    TRY(check_name(op, c, claim_token_bits(c->tokens)));
    if (!scope_word(c->scope))
        return op_fail(op, ERR_PARAM_BAD, "scope", "one word of printable characters without \" and \\ is expected");
    if (json_dumpb(c->value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) > LIMIT_CLAIM)
        return op_fail(op, ERR_PARAM_LONG, "value", "at most %d bytes are expected", LIMIT_CLAIM);
    return check_value(op, c->value, 0);
}

const struct object_kind kind_claim = {
    .name = "claim",
    .plural = "claims",
    .name_field = "name",
    .read = "claim.read",
    .write = "claim.write",
    .doc = "a custom claim: a template filled in for tokens and UserInfo",
    .fields = FIELDS(claim_fields, struct claim),
    .in_snapshot = true,
    .check = claim_check,
};
