/* The JSON serializations of signatures (RFC 7515 section 7.2), for the library and the command line. A header is the union
 * of its protected and unprotected half; no member may stand in both, and crit and b64 only in the protected one. */
#include "jose/internal.h"
#include "base/enc.h"
#include "base/limits.h"

/* --- making --- */

static void print_b64(struct jw *w, struct arena *a, const char *name, struct str bytes)
{
    struct buf b;
    buf_init(&b, a, 2 * LIMIT_JWS);
    enc_b64url(&b, bytes.p, bytes.n);
    w->b->failed |= b.failed;
    jw_m_str(w, name, buf_view(&b));
}

static err_t print_signature(const struct crypto *c, const struct jwk *k, const struct jws_options *o, struct str payload,
                             struct arena *a, struct jw *w)
{
    const struct alg_row *row = alg_row(k->alg);
    struct str header, input;
    struct buf protected;
    uint8_t sig[SIG_MAX];
    size_t n;
    if (!(ALGS_SIG & ALG_BIT(k->alg)) || !alg_fits(k->alg, k->key))
        return ERR_ALG;
    TRY(jws_header_print(k, o, a, &header));
    buf_init(&protected, a, 2 * LIMIT_JWT);
    enc_b64url(&protected, header.p, header.n);
    if (!buf_ok(&protected))
        return ERR_MEMORY;
    TRY(jws_input(buf_view(&protected), payload, o->unencoded, a, &input));
    TRY(key_sign(c, k->key, row->scheme, row->digest, input, sig, &n));
    jw_m_str(w, "protected", buf_view(&protected));
    print_b64(w, a, "signature", (struct str){(char *)sig, n});
    return ERR_OK;
}

err_t jws_json_make(const struct crypto *c, const struct jwks *keys, const struct jws_options *o, bool general,
                    struct str payload, struct arena *a, struct str *ret)
{
    struct buf b;
    struct jw w;
    if (keys->n == 0 || keys->n > LIMIT_JWS_SIGNATURES)
        return ERR_KEY;
    if (payload.n > LIMIT_JWS)
        return ERR_TOO_LARGE;
    if (o->unencoded && !o->detached && !str_is_utf8(payload))
        return ERR_PARAM_BAD;
    general |= keys->n > 1;
    buf_init(&b, a, 4 * LIMIT_JWS);
    jw_init(&w, &b);
    jw_open(&w, '{');
    if (!o->detached && o->unencoded)
        jw_m_str(&w, "payload", payload);
    else if (!o->detached)
        print_b64(&w, a, "payload", payload);
    if (general) {
        jw_key(&w, "signatures");
        jw_open(&w, '[');
    }
    for (size_t i = 0; i < keys->n; i++) {
        if (general)
            jw_open(&w, '{');
        TRY(print_signature(c, &keys->v[i], o, payload, a, &w));
        if (general)
            jw_close(&w, '}');
    }
    if (general)
        jw_close(&w, ']');
    jw_close(&w, '}');
    if (!buf_ok(&b))
        return ERR_MEMORY;
    if (b.n > LIMIT_JWS)
        return ERR_TOO_LARGE;
    *ret = buf_view(&b);
    return ERR_OK;
}

/* --- opening --- */

struct opening {
    const struct crypto *c;
    const struct jwks *keys;
    const json_t *payload;
    const struct str *detached;
    struct arena *a;
    bool unencoded; /* of the first signature; the others must agree (RFC 7797 section 4) */
    bool any;
};

/* The union of both halves as one JSON text. */
static err_t merge(json_t *into, const json_t *from, struct arena *a, struct str *ret)
{
    const char *name;
    json_t *v;
    struct buf b;
    struct jw w;
    if (from && (!json_is_object(from) || json_object_get(from, "crit") || json_object_get(from, "b64")))
        return ERR_TOKEN_INVALID;
    json_object_foreach((json_t *)from, name, v)
    {
        if (json_object_get(into, name))
            return ERR_TOKEN_INVALID;
        if (json_object_set(into, name, v) != 0)
            return ERR_MEMORY;
    }
    buf_init(&b, a, LIMIT_JWS);
    jw_init(&w, &b);
    jw_json(&w, into);
    if (!buf_ok(&b))
        return ERR_MEMORY;
    *ret = buf_view(&b);
    return ERR_OK;
}

static err_t header_of(const json_t *sig, struct str protected, struct arena *a, struct str *ret)
{
    json_t *doc = NULL;
    struct str text = STR("{}");
    if (protected.n > LIMIT_JWT || (protected.n > 0 && !dec_b64url(a, protected, &text)))
        return ERR_TOKEN_INVALID;
    if (json_load(text, &doc) != ERR_OK)
        return ERR_TOKEN_INVALID;
    err_t e = json_is_object(doc) ? merge(doc, json_object_get(sig, "header"), a, ret) : ERR_TOKEN_INVALID;
    json_decref(doc);
    return e;
}

/* Without the payload's base64url text: encoding is exact, so that encoding it again gives the same. */
static err_t payload_of(const struct opening *x, bool unencoded, struct str *ret)
{
    struct str text = json_str(x->payload);
    if (x->detached ? x->payload != NULL : !text.p)
        return ERR_TOKEN_INVALID;
    *ret = x->detached ? *x->detached : text;
    return x->detached || unencoded || dec_b64url(x->a, text, ret) ? ERR_OK : ERR_TOKEN_INVALID;
}

static err_t open_one(struct opening *x, const json_t *sig, struct jws_seen *ret)
{
    struct jws s = {0};
    struct jws_seen seen = {0};
    const json_t *member = json_object_get(sig, "protected");
    struct str protected = json_str(member), signature = json_str(json_object_get(sig, "signature"));
    if ((member && !protected.p) || !signature.p || !dec_b64url(x->a, signature, &s.sig))
        return ERR_TOKEN_INVALID;
    TRY(header_of(sig, protected, x->a, &s.header));
    TRY(jws_header_open(s.header, x->a, &s));
    if (x->any && x->unencoded != s.unencoded)
        return ERR_TOKEN_INVALID;
    x->any = true;
    x->unencoded = s.unencoded;
    TRY(payload_of(x, s.unencoded, &s.payload));
    TRY(jws_input(protected, s.payload, s.unencoded, x->a, &s.input));
    TRY(jws_find_signer(x->c, x->keys, &s, &seen.key));
    seen.header = s.header;
    seen.payload = s.payload;
    *ret = seen;
    return ERR_OK;
}

/* Every signature is looked at until one is right; the last one's error is told if none is. */
static err_t open_all(struct opening *x, const json_t *list, struct jws_seen *ret)
{
    err_t e = ERR_TOKEN_INVALID;
    if (!json_is_array(list) || json_array_size(list) > LIMIT_JWS_SIGNATURES)
        return e;
    for (size_t i = 0; i < json_array_size(list); i++) {
        e = open_one(x, json_array_get(list, i), ret);
        if (e == ERR_OK || e == ERR_MEMORY || e == ERR_TOKEN_INVALID)
            return e;
    }
    return e;
}

err_t jws_json_open(const struct crypto *c, const struct jwks *keys, struct str text, const struct str *detached,
                    struct arena *a, struct jws_seen *ret)
{
    json_t *doc = NULL;
    if (text.n > LIMIT_JWS || (detached && detached->n > LIMIT_JWS) || json_load(text, &doc) != ERR_OK)
        return ERR_TOKEN_INVALID;
    struct opening x = {c, keys, json_object_get(doc, "payload"), detached, a, false, false};
    const json_t *list = json_object_get(doc, "signatures");
    bool both = list && (json_object_get(doc, "signature") || json_object_get(doc, "protected") ||
                         json_object_get(doc, "header"));
    err_t e = both || !json_is_object(doc) ? ERR_TOKEN_INVALID : list ? open_all(&x, list, ret) : open_one(&x, doc, ret);
    if (e == ERR_OK && !detached) { /* an unencoded payload lies in the document */
        ret->payload = arena_str(a, ret->payload);
        e = ret->payload.p ? ERR_OK : ERR_MEMORY;
    }
    json_decref(doc);
    return e;
}
