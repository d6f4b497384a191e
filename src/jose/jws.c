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

static const struct member header_members[] = {
    {"alg", read_alg, offsetof(struct jws, alg), "alg is not one of the algorithms known here"},
    {"typ", member_str, offsetof(struct jws, typ), "typ is not a string"},
    {"kid", read_kid, offsetof(struct jws, kid), "kid is not a string, or too long"},
    {"crit", refuse, 0, "crit names an extension that is not understood here"},
    {"b64", refuse, 0, "b64 is not understood here"},
};

static bool decode_part(struct str *rest, char end, struct arena *a, struct str *ret)
{
    size_t n = end ? str_find(*rest, end) : rest->n;
    if (n == 0 || (end && n == rest->n) || !dec_b64url(a, (struct str){rest->p, n}, ret))
        return false;
    rest->p += n + (end != 0);
    rest->n -= n + (end != 0);
    return true;
}

err_t jws_read(struct str token, struct arena *a, struct jws *ret, const char **ret_why)
{
    struct jws s = {.alg = ALG_COUNT};
    struct str rest = token;
    *ret_why = "it is not three parts of base64url with dots between them";
    if (token.n == 0 || token.n > LIMIT_JWT)
        return ERR_TOKEN_INVALID;
    if (!decode_part(&rest, '.', a, &s.header) || !decode_part(&rest, '.', a, &s.payload))
        return ERR_TOKEN_INVALID;
    s.input = (struct str){token.p, (size_t)(rest.p - token.p) - 1};
    if (!decode_part(&rest, 0, a, &s.sig))
        return ERR_TOKEN_INVALID;
    struct reader r = {a, &s, header_members, sizeof(header_members) / sizeof(header_members[0]), NULL};
    err_t e = members_read(&r, s.header);
    *ret_why = e == ERR_OK ? "alg is missing" : r.why;
    TRY(e);
    if (s.alg == ALG_COUNT)
        return ERR_TOKEN_INVALID;
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

static err_t header_print(const struct jwk *k, struct str typ, struct arena *a, struct str *ret)
{
    struct buf b;
    struct jw w;
    buf_init(&b, a, HEADER_MAX);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "alg", str_z(alg_row(k->alg)->name));
    jw_m_str(&w, "typ", typ);
    jw_m_str(&w, "kid", k->kid);
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
    TRY(header_print(k, typ, a, &header));
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
