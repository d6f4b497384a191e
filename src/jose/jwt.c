/* JSON Web Tokens (RFC 7519) read the way RFC 8725 asks: one compact form, the key chosen by us, the
 * algorithm the key's, typ, issuer, audience and times checked each time. */
#include "jose/internal.h"
#include "base/limits.h"

/* --- claims --- */

/* NumericDate (RFC 7519 section 2) may have a fraction, which is dropped; exponents and signs have no use and
 * are refused. */
static err_t read_date(struct reader *r, const struct member *self, const struct json_member *m)
{
    struct str whole = {m->raw.p, str_find(m->raw, '.')};
    struct str exponent = m->raw;
    int64_t v;
    if ((m->type != JSON_T_INT && m->type != JSON_T_REAL) || str_find(exponent, 'e') < exponent.n ||
        str_find(exponent, 'E') < exponent.n)
        return ERR_TOKEN_INVALID;
    if (whole.p[0] == '-' || !str_to_int(whole, &v) || v > LIMIT_TIME_S)
        return ERR_TOKEN_INVALID;
    *(int64_t *)((char *)r->obj + self->offset) = v;
    return ERR_OK;
}

static err_t take_text(void *ctx, const struct json_member *m)
{
    *(struct str *)ctx = m->text;
    return ERR_OK;
}

/* A string of an array that is known to be sound JSON. The scanner unescapes values of members only, so make
 * it one. */
static err_t array_string(struct arena *a, struct str raw, struct str *ret)
{
    *ret = (struct str){raw.p + 1, raw.n - 2};
    if (str_find(*ret, '\\') == ret->n)
        return ERR_OK;
    struct str doc = arena_fmt(a, "{\"s\":%.*s}", STR_ARG(raw));
    return doc.p ? json_scan(a, doc, take_text, ret) : ERR_MEMORY;
}

/* Length of the string literal s starts with, quotes included; s is sound JSON, so it ends. */
static size_t literal_length(struct str s)
{
    size_t i = 1;
    while (i < s.n && s.p[i] != '"')
        i += s.p[i] == '\\' ? 2 : 1;
    return i < s.n ? i + 1 : s.n;
}

static err_t array_strings(struct arena *a, struct str raw, struct strs *ret)
{
    struct str *v = arena_array(a, struct str, LIMIT_JWT_AUD);
    size_t n = 0;
    if (!v)
        return ERR_MEMORY;
    for (size_t i = 1; i + 1 < raw.n; i++) { /* between the brackets */
        char c = raw.p[i];
        if (c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r')
            continue;
        if (c != '"' || n == LIMIT_JWT_AUD)
            return ERR_TOKEN_INVALID;
        struct str rest = {raw.p + i, raw.n - i};
        rest.n = literal_length(rest);
        TRY(array_string(a, rest, &v[n++]));
        i += rest.n - 1;
    }
    *ret = (struct strs){v, n};
    return ERR_OK;
}

static err_t read_aud(struct reader *r, const struct member *self, const struct json_member *m)
{
    struct strs *ret = (struct strs *)((char *)r->obj + self->offset);
    if (m->type == JSON_T_ARRAY)
        return array_strings(r->a, m->raw, ret);
    if (m->type != JSON_T_STRING)
        return ERR_TOKEN_INVALID;
    struct str *one = arena_new_of(r->a, struct str);
    if (!one)
        return ERR_MEMORY;
    *one = m->text;
    *ret = (struct strs){one, 1};
    return ERR_OK;
}

#define TEXT(name) #name, member_str, offsetof(struct jwt, name), #name " is not a string"
#define DATE(name) #name, read_date, offsetof(struct jwt, name##_s), #name " is not a time in seconds"
static const struct member claims[] = {
    {TEXT(iss)},
    {TEXT(sub)},
    {"aud", read_aud, offsetof(struct jwt, aud), "aud is not a string or a list of strings"},
    {DATE(exp)},
    {DATE(iat)},
    {DATE(nbf)},
    {TEXT(jti)},
    {TEXT(client_id)},
    {TEXT(scope)},
    {TEXT(azp)},
};
#undef TEXT
#undef DATE

static err_t read_token(struct str token, struct arena *a, struct jws *s, struct jwt *ret,
                        const char **ret_why)
{
    TRY(jws_read(token, a, s, ret_why));
    struct jwt t = {.header = s->header, .payload = s->payload, .kid = s->kid, .typ = s->typ, .alg = s->alg};
    struct reader r = {a, &t, claims, sizeof(claims) / sizeof(claims[0]), NULL};
    err_t e = members_read(&r, s->payload);
    *ret_why = r.why;
    TRY(e);
    *ret = t;
    return ERR_OK;
}

err_t jwt_peek(struct str token, struct arena *a, struct jwt *ret_untrusted)
{
    struct jws s;
    const char *why;
    return read_token(token, a, &s, ret_untrusted, &why);
}

/* --- verifying --- */

/* RFC 7515 section 4.1.9: "application/" may be left out, and media types know no case. */
static bool typ_is(struct str typ, const char *want)
{
    struct str head = STR("application/");
    if (typ.n > head.n && str_eq_nocase((struct str){typ.p, head.n}, head))
        typ = (struct str){typ.p + head.n, typ.n - head.n};
    return str_eq_nocase(typ, str_z(want));
}

static bool typ_ok(struct str typ, const char *want)
{
    return want ? typ.p && typ_is(typ, want) : !typ.p || typ_is(typ, "JWT");
}

/* The key the header names; without a name the only one there is. */
static const struct jwk *key_find(const struct jwks *keys, const struct jws *s)
{
    if (!s->kid.p)
        return keys->n == 1 ? &keys->v[0] : NULL;
    for (size_t i = 0; i < keys->n; i++)
        if (keys->v[i].kid.p && (algs_named(s->alg) & ALG_BIT(keys->v[i].alg)) && str_eq(keys->v[i].kid, s->kid))
            return &keys->v[i];
    return NULL;
}

static bool any_of(struct strs have, struct strs want)
{
    for (size_t i = 0; i < want.n; i++)
        if (strs_has(have, want.v[i]))
            return true;
    return false;
}

static const char *wrong_parties(const struct jwt *t, const struct jwt_profile *p)
{
    if (!t->iss.p || p->iss.n == 0 || !str_eq(t->iss, p->iss))
        return "iss is not the expected issuer";
    if (p->aud.n > 0 && !any_of(t->aud, p->aud))
        return "aud does not name this audience";
    if (p->azp.p && t->azp.p && !str_eq(t->azp, p->azp))
        return "azp is another client";
    return NULL;
}

/* Times are at most LIMIT_TIME_S, so that no sum here overflows. */
static const char *wrong_times(const struct jwt *t, const struct jwt_profile *p, int64_t now_s)
{
    if (t->exp_s == 0)
        return "exp is missing";
    if (now_s >= t->exp_s + p->skew_s)
        return "it has expired";
    if (t->nbf_s > now_s + p->skew_s)
        return "it is not valid yet (nbf)";
    if (t->iat_s > now_s + p->skew_s)
        return "it was issued in the future (iat)";
    if (p->max_life_s > 0 && t->exp_s - (t->iat_s ? t->iat_s : now_s) > p->max_life_s)
        return "it lives longer than is accepted here";
    return NULL;
}

static err_t check(const struct crypto *c, const struct jws *s, const struct jwt *t, const struct jwks *keys,
                   const struct jwt_profile *p, int64_t now_s, const char **ret_why)
{
    *ret_why = "alg is not accepted here";
    if (!(p->algs & algs_named(s->alg)))
        return ERR_TOKEN_INVALID;
    *ret_why = "typ is not the expected one";
    if (!typ_ok(s->typ, p->typ))
        return ERR_TOKEN_INVALID;
    *ret_why = "there is no key for it";
    const struct jwk *k = key_find(keys, s);
    if (!k || !(p->algs & ALG_BIT(k->alg)))
        return ERR_TOKEN_INVALID;
    *ret_why = "the signature is wrong";
    TRY(jws_check(c, s, k));
    *ret_why = wrong_parties(t, p);
    if (!*ret_why)
        *ret_why = wrong_times(t, p, now_s);
    return *ret_why ? ERR_TOKEN_INVALID : ERR_OK;
}

err_t jwt_verify(const struct crypto *c, struct str token, const struct jwks *keys,
                 const struct jwt_profile *p, int64_t now_s, struct arena *a, struct jwt *ret,
                 struct fault *f)
{
    struct jws s;
    struct jwt t;
    const char *why;
    err_t e = read_token(token, a, &s, &t, &why);
    if (e == ERR_OK)
        e = check(c, &s, &t, keys, p, now_s, &why);
    if (e == ERR_OK)
        *ret = t;
    if (e == ERR_OK || e == ERR_MEMORY || e == ERR_CRYPTO)
        return e;
    return fault_set(f, ERR_TOKEN_INVALID, "", "%s", why);
}
