/* Compact JWE (RFC 7516 sections 5 and 7.1): header, encrypted key, IV, ciphertext, tag. The JSON forms are
 * in jwe_json.c. */
#include "jose/jwe_parts.h"
#include "base/enc.h"
#include "base/limits.h"

/* --- content --- */

static size_t sealed_size(const struct enc_row *row, size_t n)
{
    return row->block ? (n / row->block + 1) * row->block : n;
}

err_t jwe_seal(const struct crypto *c, enum enc enc, const uint8_t *cek, struct str aad, struct str plain,
               struct arena *a, struct jwe_parts *ret)
{
    const struct enc_row *row = enc_row(enc);
    size_t text_n = sealed_size(row, plain.n);
    uint8_t *iv = arena_alloc(a, row->iv_n + row->tag_n + text_n);
    if (!iv)
        return ERR_MEMORY;
    uint8_t *tag = iv + row->iv_n, *text = tag + row->tag_n;
    TRY(random_bytes(iv, row->iv_n));
    ret->iv = (struct str){(char *)iv, row->iv_n};
    ret->text = (struct str){(char *)text, text_n};
    ret->tag = (struct str){(char *)tag, row->tag_n};
    return row->seal(c, (struct str){(const char *)cek, row->key_n}, ret->iv, aad, plain, text, tag);
}

/* The key with the header's alg and kid; without a kid on one side, the only one of that alg. */
static const struct jwk *key_find(const struct jwks *keys, const struct jwe_params *p)
{
    const struct jwk *maybe = NULL;
    size_t maybes = 0;
    for (size_t i = 0; i < keys->n; i++) {
        const struct jwk *k = &keys->v[i];
        if (k->alg != p->alg)
            continue;
        if (k->kid.p && p->kid.p && str_eq(k->kid, p->kid))
            return k;
        if (!k->kid.p || !p->kid.p) {
            maybe = k;
            maybes++;
        }
    }
    return maybes == 1 ? maybe : NULL;
}

static bool lengths_ok(const struct enc_row *row, const struct jwe_parts *s)
{
    return s->iv.n == row->iv_n && s->tag.n == row->tag_n &&
           (row->block == 0 || (s->text.n > 0 && s->text.n % row->block == 0));
}

err_t jwe_open(const struct crypto *c, const struct jwks *keys, const struct jwe_params *p,
               const struct jwe_parts *s, struct arena *a, struct str *ret_plain)
{
    const struct enc_row *row = enc_row(p->enc);
    const struct jwk *k = key_find(keys, p);
    uint8_t cek[CEK_MAX];
    size_t n = 0;
    if (!k || !lengths_ok(row, s))
        return ERR_DECRYPT;
    uint8_t *text = arena_alloc(a, s->text.n + 1);
    if (!text)
        return ERR_MEMORY;
    err_t e = jwe_key_recover(c, k, p, s->encrypted_key, cek, a);
    if (e == ERR_OK)
        e = row->open(c, (struct str){(char *)cek, row->key_n}, s->iv, s->aad, s->text, s->tag, text, &n);
    secret_zero(cek, sizeof(cek));
    if (e != ERR_OK)
        return e == ERR_MEMORY ? e : ERR_DECRYPT;
    *ret_plain = (struct str){(char *)text, n};
    return ERR_OK;
}

/* --- compact --- */

struct jwe_params jwe_params_of(const struct jwk *k, enum enc enc, const struct jwe_header *h)
{
    struct jwe_params p = {.kid = k->kid, .alg = k->alg, .enc = enc};
    if (!h)
        return p;
    if (h->kid.p)
        p.kid = h->kid;
    p.typ = h->typ;
    p.cty = h->cty;
    p.apu = h->apu;
    p.apv = h->apv;
    return p;
}

struct jwe_header jwe_header_of(const struct jwe_params *p)
{
    return (struct jwe_header){p->kid, p->typ, p->cty, p->apu, p->apv, p->alg, p->enc};
}

/* The header as base64url at the start of what becomes the token. */
static err_t header_put(const struct jwe_params *p, struct arena *a, struct buf *b)
{
    struct buf text;
    struct jw w;
    buf_init(&text, a, LIMIT_JWE_HEADER);
    jw_init(&w, &text);
    jw_open(&w, '{');
    jwe_params_print_key(p, &w);
    jwe_params_print_content(p, &w);
    jw_close(&w, '}');
    if (!buf_ok(&text))
        return ERR_TOO_LARGE;
    enc_b64url(b, text.p, text.n);
    return buf_ok(b) ? ERR_OK : ERR_MEMORY;
}

static void put(struct buf *b, struct str part)
{
    buf_char(b, '.');
    enc_b64url(b, part.p, part.n);
}

#define BEFORE_TEXT (2 * LIMIT_JWE_HEADER + 2 * RSA_MAX) /* base64url of all that is not the text */

err_t jwe_encrypt(const struct crypto *c, const struct jwk *k, enum enc enc, const struct jwe_header *h,
                  struct str plain, struct arena *a, struct str *ret)
{
    uint8_t cek[CEK_MAX];
    struct jwe_parts s = {0};
    struct buf b;
    if (!jwe_alg_managing(k->alg) || !enc_name(enc))
        return ERR_ALG;
    if (plain.n > LIMIT_JWE)
        return ERR_TOO_LARGE;
    struct jwe_params p = jwe_params_of(k, enc, h);
    buf_init(&b, a, 2 * LIMIT_JWE + BEFORE_TEXT);
    err_t e = jwe_key_make(c, k, &p, false, cek, a, &s.encrypted_key);
    if (e == ERR_OK)
        e = header_put(&p, a, &b);
    if (e == ERR_OK)
        e = jwe_seal(c, enc, cek, buf_view(&b), plain, a, &s);
    secret_zero(cek, sizeof(cek));
    TRY(e);
    put(&b, s.encrypted_key);
    put(&b, s.iv);
    put(&b, s.text);
    put(&b, s.tag);
    if (!buf_ok(&b))
        return ERR_MEMORY;
    if (b.n > LIMIT_JWE)
        return ERR_TOO_LARGE;
    *ret = buf_view(&b);
    return ERR_OK;
}

#define COMPACT_PARTS 5

/* Five parts with dots between, each strict base64url (A75). */
static bool split(struct str token, struct arena *a, struct str *ret_first,
                  struct str ret[static COMPACT_PARTS])
{
    struct str rest = token;
    for (size_t i = 0; i < COMPACT_PARTS; i++) {
        struct str part = {rest.p, str_find(rest, '.')};
        bool last = i == COMPACT_PARTS - 1;
        if (last != (part.n == rest.n) || !dec_b64url(a, part, &ret[i]))
            return false;
        if (i == 0)
            *ret_first = part;
        rest.p += part.n + !last;
        rest.n -= part.n + !last;
    }
    return true;
}

err_t jwe_decrypt(const struct crypto *c, const struct jwks *keys, const struct jwe_accept *accept,
                  struct str token, struct arena *a, struct str *ret_plain, struct jwe_header *ret_seen)
{
    struct str part[COMPACT_PARTS];
    struct jwe_parts s = {0};
    struct jwe_params p;
    if (token.n == 0 || token.n > LIMIT_JWE || !split(token, a, &s.aad, part))
        return ERR_DECRYPT;
    TRY(jwe_params_read(part[0], a, &p));
    TRY(jwe_params_judge(&p, accept));
    s.encrypted_key = part[1];
    s.iv = part[2];
    s.text = part[3];
    s.tag = part[4];
    TRY(jwe_open(c, keys, &p, &s, a, ret_plain));
    if (ret_seen)
        *ret_seen = jwe_header_of(&p);
    return ERR_OK;
}

/* --- nested --- */

static size_t dots(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '.';
    return n;
}

bool jwt_is_encrypted(struct str token)
{
    return dots(token) == COMPACT_PARTS - 1;
}

err_t jwt_encrypt(const struct crypto *c, const struct jwk *k, enum enc enc, struct str signed_jwt,
                  struct arena *a, struct str *ret)
{
    const struct jwe_header h = {.cty = STR("JWT")};
    return jwe_encrypt(c, k, enc, &h, signed_jwt, a, ret);
}

err_t jwt_decrypt(const struct crypto *c, const struct jwks *keys, const struct jwe_accept *accept,
                  struct str token, struct arena *a, struct str *ret_signed)
{
    struct jwe_header seen;
    struct str inner;
    TRY(jwe_decrypt(c, keys, accept, token, a, &inner, &seen));
    if (!str_eq_nocase(seen.cty, STR("JWT")) || dots(inner) != 2)
        return ERR_DECRYPT;
    *ret_signed = inner;
    return ERR_OK;
}
