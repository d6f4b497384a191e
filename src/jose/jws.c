/* Compact JSON Web Signatures (RFC 7515 section 3.1), made and taken apart. Of a header only alg, typ and kid
 * are read. crit is refused whatever it names, because no extension is understood; b64 is the one that would
 * change what is signed (RFC 7797). jwk, jku, x5u, x5c are passed over like any unknown member: a key never
 * comes from the token it verifies (A66). */
#include "jose/internal.h"
#include "base/enc.h"
#include "base/limits.h"

#define HEADER_MAX 512

/* --- reading members --- */

static err_t member_any(void *ctx, const struct json_member *m)
{
    struct reader *r = ctx;
    for (size_t i = 0; i < r->members_n; i++) {
        const struct member *row = &r->members[i];
        if (!str_is(m->key, row->name))
            continue;
        r->seen |= 1u << i;
        err_t e = row->read(r, row, m);
        if (e != ERR_OK)
            r->why = row->why;
        return e;
    }
    return ERR_OK;
}

err_t members_read(struct reader *r, struct str text)
{
    r->why = "it is not strict JSON";
    err_t e = json_scan(r->a, text, member_any, r);
    return e == ERR_OK || e == ERR_MEMORY ? e : ERR_TOKEN_INVALID;
}

err_t member_str(struct reader *r, const struct member *self, const struct json_member *m)
{
    if (m->type != JSON_T_STRING)
        return ERR_TOKEN_INVALID;
    *(struct str *)((char *)r->obj + self->offset) = m->text;
    return ERR_OK;
}

/* --- lists --- */

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

err_t array_strings(struct arena *a, struct str raw, struct strs *ret)
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

/* --- the header --- */

static err_t read_alg(struct reader *r, const struct member *self, const struct json_member *m)
{
    enum alg *ret = (enum alg *)((char *)r->obj + self->offset);
    return m->type == JSON_T_STRING && alg_find_in(m->text, ALGS_SIG, ret) ? ERR_OK : ERR_TOKEN_INVALID;
}

static err_t read_kid(struct reader *r, const struct member *self, const struct json_member *m)
{
    return m->text.n <= LIMIT_NAME ? member_str(r, self, m) : ERR_TOKEN_INVALID;
}

static err_t refuse(struct reader *r, const struct member *self, const struct json_member *m)
{
    (void)r, (void)self, (void)m;
    return ERR_TOKEN_INVALID;
}

#define COMMON                                                                                               \
    {"alg", read_alg, offsetof(struct jws, alg), "alg is not one of the algorithms known here"},             \
        {"typ", member_str, offsetof(struct jws, typ), "typ is not a string"},                               \
        {"kid", read_kid, offsetof(struct jws, kid), "kid is not a string, or too long"}
static const struct member header_members[] = {
    COMMON,
    {"crit", refuse, 0, "crit names an extension that is not understood here"},
    {"b64", refuse, 0, "b64 is not understood here"},
};

static err_t read_crit(struct reader *r, const struct member *self, const struct json_member *m)
{
    struct strs names;
    if (m->type != JSON_T_ARRAY)
        return ERR_TOKEN_INVALID;
    TRY(array_strings(r->a, m->raw, &names));
    *(bool *)((char *)r->obj + self->offset) = true;
    return names.n == 1 && str_is(names.v[0], "b64") ? ERR_OK : ERR_TOKEN_INVALID;
}

static err_t read_b64(struct reader *r, const struct member *self, const struct json_member *m)
{
    if (m->type != JSON_T_TRUE && m->type != JSON_T_FALSE)
        return ERR_TOKEN_INVALID;
    *(bool *)((char *)r->obj + self->offset) = m->type == JSON_T_FALSE;
    return ERR_OK;
}

#define B64_AT 4 /* of b64 in open_members */
static const struct member open_members[] = {
    COMMON,
    {"crit", read_crit, offsetof(struct jws, crit), "crit names an extension that is not understood here"},
    {"b64", read_b64, offsetof(struct jws, unencoded), "b64 is not a truth value"},
};

err_t jws_header_read(struct str header, struct arena *a, struct jws *ret, const char **ret_why)
{
    struct reader r = {a, ret, header_members, sizeof(header_members) / sizeof(header_members[0]), NULL, 0};
    ret->alg = ALG_COUNT;
    err_t e = members_read(&r, header);
    *ret_why = e == ERR_OK ? "alg is missing" : r.why;
    TRY(e);
    return ret->alg == ALG_COUNT ? ERR_TOKEN_INVALID : ERR_OK;
}

/* What crit names has to stand there, and b64 only counts if crit names it (RFC 7797 section 6). */
err_t jws_header_open(struct str header, struct arena *a, struct jws *ret)
{
    struct reader r = {a, ret, open_members, sizeof(open_members) / sizeof(open_members[0]), NULL, 0};
    ret->alg = ALG_COUNT;
    TRY(members_read(&r, header));
    return ret->alg != ALG_COUNT && ret->crit == ((r.seen & 1u << B64_AT) != 0) ? ERR_OK : ERR_TOKEN_INVALID;
}

bool jws_take_part(struct str *rest, char end, struct str *ret)
{
    size_t n = end ? str_find(*rest, end) : rest->n;
    if (end && n == rest->n)
        return false;
    *ret = (struct str){rest->p, n};
    rest->p += n + (end != 0);
    rest->n -= n + (end != 0);
    return true;
}

static bool decode_part(struct str *rest, char end, struct arena *a, struct str *ret)
{
    struct str part;
    return jws_take_part(rest, end, &part) && part.n > 0 && dec_b64url(a, part, ret);
}

err_t jws_read(struct str token, struct arena *a, struct jws *ret, const char **ret_why)
{
    struct jws s = {0};
    struct str rest = token;
    *ret_why = "it is not three parts of base64url with dots between them";
    if (token.n == 0 || token.n > LIMIT_JWT)
        return ERR_TOKEN_INVALID;
    if (!decode_part(&rest, '.', a, &s.header) || !decode_part(&rest, '.', a, &s.payload))
        return ERR_TOKEN_INVALID;
    s.input = (struct str){token.p, (size_t)(rest.p - token.p) - 1};
    if (!decode_part(&rest, 0, a, &s.sig))
        return ERR_TOKEN_INVALID;
    TRY(jws_header_read(s.header, a, &s, ret_why));
    *ret = s;
    return ERR_OK;
}

/* --- signatures --- */

/* The algorithm is the key's; that the header says the same is checked, never followed (A65). */
err_t jws_check(const struct crypto *c, const struct jws *s, const struct jwk *k)
{
    const struct alg_row *row = alg_row(k->alg);
    if (!(algs_named(s->alg) & ALG_BIT(k->alg)) || !(ALGS_SIG & ALG_BIT(k->alg)) || !alg_fits(k->alg, k->key))
        return ERR_ALG;
    return key_verify(c, k->key, row->scheme, row->digest, s->input, s->sig);
}

err_t jws_verify(const struct crypto *c, const struct jwk *k, struct str token, struct arena *a,
                 struct str *ret_payload)
{
    struct jws s;
    const char *why;
    TRY(jws_read(token, a, &s, &why));
    TRY(jws_check(c, &s, k));
    *ret_payload = s.payload;
    return ERR_OK;
}

err_t jws_header_print(const struct jwk *k, const struct jws_options *o, struct arena *a, struct str *ret)
{
    struct buf b;
    struct jw w;
    buf_init(&b, a, HEADER_MAX);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "alg", str_z(alg_row(k->alg)->name));
    jw_m_str(&w, "typ", o->typ);
    jw_m_str(&w, "cty", o->cty);
    jw_m_str(&w, "kid", k->kid);
    if (o->unencoded) {
        jw_m_bool(&w, "b64", false);
        jw_m_raw(&w, "crit", STR("[\"b64\"]"));
    }
    jw_close(&w, '}');
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

err_t jws_sign(const struct crypto *c, const struct jwk *k, struct str typ, struct str payload,
               struct arena *a, struct str *ret)
{
    const struct alg_row *row = alg_row(k->alg);
    if (!(ALGS_SIG & ALG_BIT(k->alg)) || !alg_fits(k->alg, k->key))
        return ERR_ALG;
    if (payload.n > LIMIT_JWT)
        return ERR_TOO_LARGE;
    struct str header;
    TRY(jws_header_print(k, &(struct jws_options){.typ = typ}, a, &header));
    struct buf b;
    buf_init(&b, a, 2 * LIMIT_JWT + HEADER_MAX + 2 * SIG_MAX);
    enc_b64url(&b, header.p, header.n);
    buf_char(&b, '.');
    enc_b64url(&b, payload.p, payload.n);
    if (!buf_ok(&b))
        return ERR_MEMORY;
    uint8_t sig[SIG_MAX];
    size_t sig_n;
    TRY(key_sign(c, k->key, row->scheme, row->digest, buf_view(&b), sig, &sig_n));
    buf_char(&b, '.');
    enc_b64url(&b, sig, sig_n);
    if (!buf_ok(&b))
        return ERR_MEMORY;
    if (b.n > LIMIT_JWT)
        return ERR_TOO_LARGE;
    *ret = buf_view(&b);
    return ERR_OK;
}
