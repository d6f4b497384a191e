/* What clients may learn of a person: the standard claims of claims.def, by scope or by name. */
#include "oauth/parts.h"

enum claim_type { CLAIM_TEXT, CLAIM_BOOL, CLAIM_TIME, CLAIM_JSON };
struct claim_row {
    const char *name, *scope;
    enum claim_type type;
    size_t at, needs; /* offsets in struct account; needs: a text that must not be empty */
};

static const struct claim_row rows[] = {
#define CLAIM(name, scope, type, member, needs)                                                                                    \
    {#name, scope, CLAIM_##type, offsetof(struct account, member), offsetof(struct account, needs)},
#include "oauth/claims.def"
#undef CLAIM
};
#define NROWS (sizeof(rows) / sizeof(rows[0]))

static const char *const scopes[] = {SCOPE_OPENID, "profile", "email", "address", "phone", SCOPE_OFFLINE};
#define NSCOPES (sizeof(scopes) / sizeof(scopes[0]))

bool identity_scope(struct str word)
{
    for (size_t i = 0; i < NSCOPES; i++)
        if (str_is(word, scopes[i]))
            return true;
    return false;
}

static void write_value(const struct claim_row *r, const struct account *a, struct jw *w)
{
    const void *at = (const char *)a + r->at;
    const struct str *needs = (const void *)((const char *)a + r->needs);
    if (!needs->n)
        return;
    switch (r->type) {
    case CLAIM_TEXT:
        jw_m_str(w, r->name, *(const struct str *)at);
        break;
    case CLAIM_BOOL:
        jw_m_bool(w, r->name, *(const bool *)at);
        break;
    case CLAIM_TIME:
        jw_m_int(w, r->name, *(const int64_t *)at);
        break;
    case CLAIM_JSON:
        if (*(json_t *const *)at) {
            jw_key(w, r->name);
            jw_json(w, *(json_t *const *)at);
        }
    }
}

void identity_write(const struct account *a, struct str scope, struct str asked, struct jw *w)
{
    for (size_t i = 0; i < NROWS; i++)
        if (str_has_word(scope, ' ', str_z(rows[i].scope)) || str_has_word(asked, ' ', str_z(rows[i].name)))
            write_value(&rows[i], a, w);
}

struct str identity_scopes_of(struct op *op, struct str claims)
{
    struct str scope = STR_NONE;
    for (size_t i = 0; i < NROWS; i++)
        if (str_has_word(claims, ' ', str_z(rows[i].name)))
            scope = scope_or(op->arena, scope, str_z(rows[i].scope));
    return scope;
}

void identity_list(struct jw *w, const char *scopes_name, const char *claims_name)
{
    static const char *const always[] = {"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid"};
    jw_key(w, scopes_name);
    jw_open(w, '[');
    for (size_t i = 0; i < NSCOPES; i++)
        jw_str(w, str_z(scopes[i]));
    jw_close(w, ']');
    jw_key(w, claims_name);
    jw_open(w, '[');
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        jw_str(w, str_z(always[i]));
    for (size_t i = 0; i < NROWS; i++)
        jw_str(w, str_z(rows[i].name));
    jw_close(w, ']');
}
