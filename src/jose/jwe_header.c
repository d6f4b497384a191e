/* A JWE's header, read and printed. Unknown members are passed over; crit is refused whatever it names,
 * because no extension is understood; jwk, jku, x5u and x5c are never looked at: the key is ours, not the
 * token's (A66). */
#include "jose/jwe_parts.h"
#include "base/enc.h"
#include "base/limits.h"

/* --- reading --- */

static err_t read_alg(struct reader *r, const struct member *self, const struct json_member *m)
{
    struct jwe_params *p = r->obj;
    (void)self;
    if (m->type != JSON_T_STRING)
        return ERR_TOKEN_INVALID;
    p->rsa1_5 = str_is(m->text, "RSA1_5");
    alg_find_in(m->text, ALGS_MANAGE, &p->alg); /* unknown: stays ALG_COUNT */
    return ERR_OK;
}

static err_t read_enc(struct reader *r, const struct member *self, const struct json_member *m)
{
    struct jwe_params *p = r->obj;
    (void)self;
    if (m->type != JSON_T_STRING)
        return ERR_TOKEN_INVALID;
    enc_find(m->text, &p->enc);
    return ERR_OK;
}

static err_t read_zip(struct reader *r, const struct member *self, const struct json_member *m)
{
    struct jwe_params *p = r->obj;
    (void)self, (void)m;
    p->zip = true;
    return ERR_OK;
}

static err_t read_bytes(struct reader *r, const struct member *self, const struct json_member *m)
{
    struct str *ret = (struct str *)((char *)r->obj + self->offset);
    return m->type == JSON_T_STRING && dec_b64url(r->a, m->text, ret) ? ERR_OK : ERR_TOKEN_INVALID;
}

static err_t read_epk(struct reader *r, const struct member *self, const struct json_member *m)
{
    *(struct str *)((char *)r->obj + self->offset) = m->raw;
    return m->type == JSON_T_OBJECT ? ERR_OK : ERR_TOKEN_INVALID;
}

static err_t read_p2c(struct reader *r, const struct member *self, const struct json_member *m)
{
    *(int64_t *)((char *)r->obj + self->offset) = m->num;
    return m->type == JSON_T_INT ? ERR_OK : ERR_TOKEN_INVALID;
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

#define ROW(read, name)                                                                                      \
    {                                                                                                        \
#name, read, offsetof(struct jwe_params, name), #name " is wrong"                                    \
    }
static const struct member members[] = {
    ROW(read_alg, alg),   ROW(read_enc, enc),
    ROW(read_kid, kid),   ROW(member_str, typ),
    ROW(member_str, cty), ROW(read_epk, epk),
    ROW(read_bytes, apu), ROW(read_bytes, apv),
    ROW(read_bytes, iv),  ROW(read_bytes, tag),
    ROW(read_bytes, p2s), ROW(read_p2c, p2c),
    ROW(read_zip, zip),   {"crit", refuse, 0, "crit is not understood here"},
};
#undef ROW

err_t jwe_params_read(struct str header, struct arena *a, struct jwe_params *ret)
{
    struct jwe_params p = {.alg = ALG_COUNT, .enc = ENC_COUNT};
    if (header.n == 0 || header.n > LIMIT_JWE_HEADER)
        return ERR_DECRYPT;
    struct reader r = {a, &p, members, sizeof(members) / sizeof(members[0]), NULL, 0};
    err_t e = members_read(&r, header);
    if (e != ERR_OK)
        return e == ERR_MEMORY ? e : ERR_DECRYPT;
    *ret = p;
    return ERR_OK;
}

err_t jwe_params_judge(const struct jwe_params *p, const struct jwe_accept *accept)
{
    if (p->rsa1_5)
        return ERR_JWE_RSA1_5;
    if (p->zip)
        return ERR_JWE_ZIP;
    if (p->alg == ALG_COUNT || p->enc == ENC_COUNT)
        return ERR_ALG;
    return (accept->algs & ALG_BIT(p->alg)) && (accept->encs & ENC_BIT(p->enc)) ? ERR_OK : ERR_ALG;
}

/* --- printing --- */

static void print_bytes(struct jw *w, const char *name, struct str bytes)
{
    if (!bytes.p)
        return;
    jw_key(w, name);
    jw_raw(w, STR("\"")); /* base64url needs no escaping */
    enc_b64url(w->b, bytes.p, bytes.n);
    buf_char(w->b, '"');
}

void jwe_params_print_key(const struct jwe_params *p, struct jw *w)
{
    jw_m_str(w, "alg", str_z(alg_row(p->alg)->name));
    jw_m_str(w, "kid", p->kid);
    jw_m_raw(w, "epk", p->epk);
    print_bytes(w, "apu", p->apu);
    print_bytes(w, "apv", p->apv);
    print_bytes(w, "iv", p->iv);
    print_bytes(w, "tag", p->tag);
    print_bytes(w, "p2s", p->p2s);
    if (p->p2c)
        jw_m_int(w, "p2c", p->p2c);
}

void jwe_params_print_content(const struct jwe_params *p, struct jw *w)
{
    jw_m_str(w, "enc", str_z(enc_name(p->enc)));
    jw_m_str(w, "typ", p->typ);
    jw_m_str(w, "cty", p->cty);
}
