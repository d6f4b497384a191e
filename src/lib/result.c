/* What a verified token says. The claims are indexed on the first question about one of them, once a token. */
#include "lib/parts.h"
#include <stdlib.h>

struct claim {
    struct claim *next;
    struct str name, text, json; /* each with a NUL behind it; text: absent for lists, objects and null */
    enum json_type type;
};
struct member_list {
    struct claim *first;
    struct arena *arena;
};

struct mereau_result *mereau_result_new(void)
{
    struct mereau_result *r = calloc(1, sizeof(*r));
    if (r)
        r->arena = arena_new(LIMIT_LIB_RESULT);
    if (r && !r->arena) {
        free(r);
        r = NULL;
    }
    return r;
}

void mereau_result_free(struct mereau_result **r)
{
    if (!r || !*r)
        return;
    snapshot_release((*r)->snapshot);
    arena_free(&(*r)->arena);
    free(*r);
    *r = NULL;
}

const char *mereau_reason(const struct mereau_result *r)
{
    return r->sound ? "" : r->why.detail;
}

/* --- the index --- */

static err_t add(void *ctx, const struct json_member *m)
{
    struct member_list *l = ctx;
    struct claim *c = arena_new_of(l->arena, struct claim);
    bool plain = m->type != JSON_T_NULL && m->type != JSON_T_OBJECT && m->type != JSON_T_ARRAY;
    if (!c)
        return ERR_MEMORY;
    c->type = m->type;
    c->name = arena_str(l->arena, m->key);
    c->json = arena_str(l->arena, m->raw);
    c->text = !plain ? STR_NONE : m->type == JSON_T_STRING ? arena_str(l->arena, m->text) : c->json;
    if (!c->name.p || !c->json.p || (plain && !c->text.p))
        return ERR_MEMORY;
    c->next = l->first;
    l->first = c;
    return ERR_OK;
}

static const struct claim *find(struct mereau_result *r, const char *name)
{
    if (!r->sound || !name)
        return NULL;
    if (!r->members) {
        struct member_list *l = arena_new_of(r->arena, struct member_list);
        if (!l)
            return NULL;
        l->arena = r->arena;
        if (json_scan(r->arena, r->jwt.payload, add, l) != ERR_OK)
            return NULL;
        r->members = l;
    }
    for (const struct claim *c = r->members->first; c; c = c->next)
        if (str_is(c->name, name))
            return c;
    return NULL;
}

/* --- questions --- */

const char *mereau_claim(struct mereau_result *r, const char *name)
{
    const struct claim *c = find(r, name);
    return c ? c->text.p : NULL;
}

const char *mereau_claim_json(struct mereau_result *r, const char *name)
{
    const struct claim *c = find(r, name);
    return c ? c->json.p : NULL;
}

const char *mereau_claims_json(struct mereau_result *r)
{
    if (r->sound && !r->payload)
        r->payload = arena_cstr(r->arena, r->jwt.payload);
    return r->payload;
}

const char *mereau_subject(struct mereau_result *r)
{
    return mereau_claim(r, "sub");
}

const char *mereau_client_id(struct mereau_result *r)
{
    return mereau_claim(r, "client_id");
}

const char *mereau_scope(struct mereau_result *r)
{
    return mereau_claim(r, "scope");
}

int64_t mereau_expires(const struct mereau_result *r)
{
    return r->sound ? r->jwt.exp_s : 0;
}

int mereau_has_scope(const struct mereau_result *r, const char *scope)
{
    struct str word = str_z(scope);
    return r->sound && word.n && str_find(word, ' ') == word.n && str_has_word(r->jwt.scope, ' ', word);
}

int mereau_has_audience(const struct mereau_result *r, const char *audience)
{
    return r->sound && audience && strs_has(r->jwt.aud, str_z(audience));
}

static err_t take_text(void *ctx, const struct json_member *m)
{
    *(struct str *)ctx = m->text;
    return ERR_OK;
}

/* A string as JSON writes it; the scanner undoes its escapes. */
static bool literal_is(struct arena *a, struct str literal, struct str want)
{
    struct str text = {literal.p + 1, literal.n - 2};
    if (str_find(text, '\\') == text.n)
        return str_eq(text, want);
    struct str doc = arena_fmt(a, "{\"s\":%.*s}", STR_ARG(literal));
    return doc.p && json_scan(a, doc, take_text, &text) == ERR_OK && str_eq(text, want);
}

/* Is `want` one of the strings of a list? raw is sound JSON. */
static bool list_has(struct arena *a, struct str raw, struct str want)
{
    int depth = 0;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        depth += (c == '[' || c == '{') - (c == ']' || c == '}');
        if (c != '"')
            continue;
        struct str literal = {raw.p + i, 1};
        while (raw.p[++i] != '"')
            i += raw.p[i] == '\\';
        literal.n = (size_t)(raw.p + i + 1 - literal.p);
        if (depth == 1 && literal_is(a, literal, want))
            return true;
    }
    return false;
}

int mereau_has_role(struct mereau_result *r, const char *role)
{
    const struct claim *c = find(r, "roles");
    return role && c && c->type == JSON_T_ARRAY && list_has(r->arena, c->json, str_z(role));
}
