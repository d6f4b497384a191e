/* Compact signatures over text that is no token: with the payload apart (RFC 7515 appendix F) and unencoded (RFC 7797).
 * Here, and in jws_json.c, crit is understood, for b64 alone. */
#include "jose/internal.h"
#include "base/enc.h"
#include "base/limits.h"

err_t jws_input(struct str protected, struct str payload, bool unencoded, struct arena *a, struct str *ret)
{
    struct buf b;
    buf_init(&b, a, 2 * LIMIT_JWS);
    buf_str(&b, protected);
    buf_char(&b, '.');
    if (unencoded)
        buf_str(&b, payload);
    else
        enc_b64url(&b, payload.p, payload.n);
    if (!buf_ok(&b))
        return ERR_MEMORY;
    *ret = buf_view(&b);
    return ERR_OK;
}

/* --- making --- */

/* RFC 7797 section 5.2: printable and without a dot. */
static bool stands_compact(struct str payload)
{
    for (size_t i = 0; i < payload.n; i++)
        if (payload.p[i] < ' ' || payload.p[i] > '~' || payload.p[i] == '.')
            return false;
    return payload.n > 0;
}

err_t jws_make(const struct crypto *c, const struct jwk *k, const struct jws_options *o, struct str payload,
               struct arena *a, struct str *ret)
{
    const struct alg_row *row = alg_row(k->alg);
    struct str header, input;
    struct buf b, protected;
    uint8_t sig[SIG_MAX];
    size_t sig_n;
    if (!(ALGS_SIG & ALG_BIT(k->alg)) || !alg_fits(k->alg, k->key))
        return ERR_ALG;
    if (payload.n > LIMIT_JWS)
        return ERR_TOO_LARGE;
    if (o->unencoded && !o->detached && !stands_compact(payload))
        return ERR_PARAM_BAD;
    TRY(jws_header_print(k, o, a, &header));
    buf_init(&protected, a, 2 * LIMIT_JWT);
    enc_b64url(&protected, header.p, header.n);
    if (!buf_ok(&protected))
        return ERR_MEMORY;
    TRY(jws_input(buf_view(&protected), payload, o->unencoded, a, &input));
    TRY(key_sign(c, k->key, row->scheme, row->digest, input, sig, &sig_n));
    buf_init(&b, a, 3 * LIMIT_JWS);
    buf_str(&b, o->detached ? buf_view(&protected) : input);
    buf_z(&b, o->detached ? ".." : ".");
    enc_b64url(&b, sig, sig_n);
    if (!buf_ok(&b))
        return ERR_MEMORY;
    if (b.n > LIMIT_JWS)
        return ERR_TOO_LARGE;
    *ret = buf_view(&b);
    return ERR_OK;
}

/* --- opening --- */

err_t jws_find_signer(const struct crypto *c, const struct jwks *keys, const struct jws *s, const struct jwk **ret)
{
    err_t e = ERR_KEY;
    for (size_t i = 0; i < keys->n; i++) {
        const struct jwk *k = &keys->v[i];
        if (!(algs_named(s->alg) & ALG_BIT(k->alg)) || (s->kid.p && k->kid.p && !str_eq(s->kid, k->kid)))
            continue;
        e = jws_check(c, s, k);
        if (e == ERR_OK)
            *ret = k;
        if (e != ERR_SIGNATURE)
            return e;
    }
    return e;
}

/* What lies between the dots, or what came apart from it: never both. */
static err_t take_payload(const struct jws *s, struct str protected, struct str middle, const struct str *detached,
                          struct arena *a, struct str *ret_payload, struct str *ret_input)
{
    struct str payload = detached ? *detached : middle;
    if (detached ? middle.n > 0 : middle.n == 0)
        return ERR_TOKEN_INVALID;
    if (!detached && !s->unencoded && !dec_b64url(a, middle, &payload))
        return ERR_TOKEN_INVALID;
    if (!detached && s->unencoded && !stands_compact(middle))
        return ERR_TOKEN_INVALID;
    TRY(jws_input(protected, payload, s->unencoded, a, ret_input));
    *ret_payload = payload;
    return ERR_OK;
}

err_t jws_open(const struct crypto *c, const struct jwks *keys, struct str text, const struct str *detached,
               struct arena *a, struct jws_seen *ret)
{
    struct jws s = {0};
    struct jws_seen seen = {0};
    struct str rest = text, protected, middle;
    if (text.n == 0 || text.n > LIMIT_JWS || (detached && detached->n > LIMIT_JWS))
        return ERR_TOKEN_INVALID;
    if (!jws_take_part(&rest, '.', &protected) || !jws_take_part(&rest, '.', &middle) || protected.n == 0 ||
        protected.n > LIMIT_JWT || !dec_b64url(a, protected, &s.header) || !dec_b64url(a, rest, &s.sig))
        return ERR_TOKEN_INVALID;
    TRY(jws_header_open(s.header, a, &s));
    TRY(take_payload(&s, protected, middle, detached, a, &s.payload, &s.input));
    TRY(jws_find_signer(c, keys, &s, &seen.key));
    seen.header = s.header;
    seen.payload = s.payload;
    *ret = seen;
    return ERR_OK;
}
