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

static err_t read_aud(struct reader *r, const struct member *self, const struct json_member *m)
{
    struct strs *ret = (struct strs *)((char *)r->obj + self->offset);
    ((struct jwt *)r->obj)->aud_is_list = m->type == JSON_T_ARRAY;
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

static err_t read_object(struct reader *r, const struct member *self, const struct json_member *m)
{
    if (m->type != JSON_T_OBJECT)
        return ERR_TOKEN_INVALID;
    *(struct str *)((char *)r->obj + self->offset) = m->raw;
    return ERR_OK;
}

#define TEXT(name) #name, member_str, offsetof(struct jwt, name), #name " is not a string"
#define DATE(name) #name, read_date, offsetof(struct jwt, name##_s), #name " is not a time in seconds"
static const struct member claims[JWT_CLAIMS] = {
    [JWT_ISS] = {TEXT(iss)},
    [JWT_SUB] = {TEXT(sub)},
    [JWT_AUD] = {"aud", read_aud, offsetof(struct jwt, aud), "aud is not a string or a list of strings"},
    [JWT_EXP] = {DATE(exp)},
    [JWT_IAT] = {DATE(iat)},
    [JWT_NBF] = {DATE(nbf)},
    [JWT_JTI] = {TEXT(jti)},
    [JWT_CLIENT_ID] = {TEXT(client_id)},
    [JWT_SCOPE] = {TEXT(scope)},
    [JWT_AZP] = {TEXT(azp)},
    [JWT_NONCE] = {TEXT(nonce)},
    [JWT_SID] = {TEXT(sid)},
    [JWT_AUTH_TIME] = {DATE(auth_time)},
    [JWT_EVENTS] = {"events", read_object, offsetof(struct jwt, events), "events is not an object"},
};
#undef TEXT
#undef DATE

static err_t read_token(struct str token, struct arena *a, struct jws *s, struct jwt *ret,
                        const char **ret_why)
{
    TRY(jws_read(token, a, s, ret_why));
    struct jwt t = {.header = s->header, .payload = s->payload, .kid = s->kid, .typ = s->typ, .alg = s->alg};
    struct reader r = {a, &t, claims, JWT_CLAIMS, NULL, 0};
    err_t e = members_read(&r, s->payload);
    *ret_why = r.why;
    TRY(e);
    t.has = r.seen;
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

static bool typ_ok(struct str typ, const struct jwt_profile *p)
{
    bool plain = !typ.p || typ_is(typ, "JWT");
    return p->typ ? (typ.p && typ_is(typ, p->typ)) || (p->typ_lax && plain) : plain;
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
    if (p->aud_alone && t->aud_is_list)
        return "aud is a list, not one string";
    if (p->iss_is_sub && !str_eq(t->iss, t->sub))
        return "iss and sub differ";
    if (p->nonce.p && !str_eq(t->nonce, p->nonce))
        return "nonce is another";
    return NULL;
}

struct wanted_event {
    const char *name;
    bool found;
};

static err_t look_for_event(void *ctx, const struct json_member *m)
{
    struct wanted_event *w = ctx;
    w->found |= m->type == JSON_T_OBJECT && str_is(m->key, w->name);
    return ERR_OK;
}

/* Which claims stand there tells one kind of token from another (RFC 8725 section 3.12). */
static const char *wrong_kind(const struct jwt *t, const struct jwt_profile *p, struct arena *a)
{
    static const char *const missing[JWT_CLAIMS] = {
        [JWT_ISS] = "iss is missing", [JWT_SUB] = "sub is missing", [JWT_AUD] = "aud is missing",
        [JWT_EXP] = "exp is missing", [JWT_IAT] = "iat is missing", [JWT_JTI] = "jti is missing",
        [JWT_CLIENT_ID] = "client_id is missing", [JWT_EVENTS] = "events is missing", [JWT_NONCE] = "nonce is missing",
    };
    if (t->has & p->forbid)
        return "it has a claim that is not for this kind of token";
    for (size_t i = 0; p->need & ~t->has && i < JWT_CLAIMS; i++)
        if (p->need & ~t->has & JWT_BIT(i))
            return missing[i] ? missing[i] : "a claim is missing";
    if (!p->event)
        return NULL;
    struct wanted_event w = {p->event, false};
    return json_scan(a, t->events, look_for_event, &w) == ERR_OK && w.found ? NULL : "events does not name the expected event";
}

/* Times are at most LIMIT_TIME_S, so that no sum here overflows. */
static const char *wrong_times(const struct jwt *t, const struct jwt_profile *p, int64_t now_s)
{
    if (t->exp_s == 0 && !p->exp_optional)
        return "exp is missing";
    if ((t->has & JWT_BIT(JWT_EXP)) && now_s >= t->exp_s + p->skew_s)
        return "it has expired";
    if (t->nbf_s > now_s + p->skew_s)
        return "it is not valid yet (nbf)";
    if (t->iat_s > now_s + p->skew_s)
        return "it was issued in the future (iat)";
    int64_t since_s = (t->has & JWT_BIT(JWT_IAT)) ? t->iat_s : now_s;
    if (p->max_life_s > 0 && t->exp_s > 0 && t->exp_s - since_s > p->max_life_s)
        return "it lives longer than is accepted here";
    return NULL;
}

const char *jwt_fault(const struct jwt *t, const struct jwt_profile *p, int64_t now_s, struct arena *a)
{
    const char *why = typ_ok(t->typ, p) ? wrong_parties(t, p) : "typ is not the expected one";
    if (!why)
        why = wrong_kind(t, p, a);
    return why ? why : wrong_times(t, p, now_s);
}

static err_t check(const struct crypto *c, const struct jws *s, const struct jwt *t, const struct jwks *keys,
                   const struct jwt_profile *p, int64_t now_s, struct arena *a, const char **ret_why)
{
    *ret_why = "alg is not accepted here";
    if (!(p->algs & algs_named(s->alg)))
        return ERR_TOKEN_INVALID;
    *ret_why = "typ is not the expected one";
    if (!typ_ok(s->typ, p))
        return ERR_TOKEN_INVALID;
    *ret_why = "there is no key for it";
    const struct jwk *k = key_find(keys, s);
    if (!k || !(p->algs & ALG_BIT(k->alg)))
        return ERR_TOKEN_INVALID;
    *ret_why = "the signature is wrong";
    TRY(jws_check(c, s, k));
    *ret_why = jwt_fault(t, p, now_s, a);
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
        e = check(c, &s, &t, keys, p, now_s, a, &why);
    if (e == ERR_OK)
        *ret = t;
    if (e == ERR_OK || e == ERR_MEMORY || e == ERR_CRYPTO)
        return e;
    return fault_set(f, ERR_TOKEN_INVALID, "", "%s", why);
}
