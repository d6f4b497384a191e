/* Sets of keys (RFC 7517 section 5), the certificates a key may carry (sections 4.7 to 4.9), and new keys. */
#include "jose/internal.h"
#include "base/enc.h"
#include "base/limits.h"

/* --- certificates --- */

static bool thumb_is(const json_t *want, const uint8_t *hash, size_t n)
{
    uint8_t bytes[SHA256_SIZE];
    if (!want)
        return true;
    size_t got = dec_b64url_into(json_str(want), bytes, sizeof(bytes));
    return got == n && (!hash || memcmp(bytes, hash, n) == 0);
}

/* Without x5c there is nothing to hold a fingerprint against but its form. */
static err_t thumbs_check(const json_t *doc, const struct str *cert)
{
    uint8_t sha1[20], s256[SHA256_SIZE];
    if (cert) {
        TRY(cert_sha1(*cert, sha1));
        sha256(NULL, *cert, s256);
    }
    bool ok = thumb_is(json_object_get(doc, "x5t"), cert ? sha1 : NULL, sizeof(sha1)) &&
              thumb_is(json_object_get(doc, "x5t#S256"), cert ? s256 : NULL, sizeof(s256));
    return ok ? ERR_OK : ERR_KEY;
}

err_t jwk_x509_parse(const json_t *doc, const struct key *k, struct arena *a, struct strs *ret)
{
    const json_t *list = json_object_get(doc, "x5c");
    size_t n = json_array_size(list);
    if (!list)
        return thumbs_check(doc, NULL);
    if (n == 0 || n > LIMIT_X5C)
        return ERR_KEY;
    struct str *v = arena_array(a, struct str, n);
    if (!v)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        struct str text = json_str(json_array_get(list, i));
        struct key *own = NULL;
        if (!text.p || text.n > 2 * LIMIT_CERT || !dec_b64(a, text, &v[i]) || key_from_cert(v[i], &own) != ERR_OK)
            return ERR_KEY;
        bool same = i > 0 || key_eq_public(own, k);
        key_free(&own);
        if (!same)
            return ERR_KEY;
    }
    TRY(thumbs_check(doc, &v[0]));
    *ret = (struct strs){v, n};
    return ERR_OK;
}

/* --- sets --- */

/* Two keys that a token's header could not tell apart. */
static bool ambiguous(const struct jwks *s, const struct jwk *k)
{
    for (size_t i = 0; i < s->n; i++)
        if ((algs_named(s->v[i].alg) & ALG_BIT(k->alg)) && str_eq(s->v[i].kid, k->kid))
            return true;
    return false;
}

static err_t set_add(const json_t *doc, unsigned want, struct arena *a, struct jwks *s)
{
    struct jwk k;
    bool lenient = want & JWK_LENIENT;
    if (jwk_leaks(doc, want))
        return ERR_KEY;
    err_t e = jwk_parse(doc, want, a, &k);
    if (e != ERR_OK)
        return lenient && json_is_object(doc) && (e == ERR_KEY || e == ERR_ALG) ? ERR_OK : e;
    if (ambiguous(s, &k)) {
        key_free(&k.key);
        return lenient ? ERR_OK : ERR_KEY;
    }
    s->v[s->n++] = k;
    return ERR_OK;
}

err_t jwks_from(const json_t *doc, unsigned want, struct arena *a, struct jwks *ret)
{
    const json_t *keys = json_object_get(doc, "keys");
    size_t n = json_array_size(keys);
    struct jwks s = {0};
    err_t e = ERR_OK;
    if (!json_is_array(keys) || n > LIMIT_JWKS_KEYS)
        return ERR_KEY;
    s.v = arena_array(a, struct jwk, n ? n : 1);
    if (!s.v)
        return ERR_MEMORY;
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = set_add(json_array_get(keys, i), want, a, &s);
    if (e != ERR_OK) {
        jwks_free(&s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

err_t jwks_parse(struct str text, unsigned want, struct arena *a, struct jwks *ret)
{
    json_t *doc = NULL;
    TRY(json_load(text, &doc));
    err_t e = jwks_from(doc, want, a, ret);
    json_decref(doc);
    return e;
}

void jwks_free(struct jwks *s)
{
    for (size_t i = 0; i < s->n; i++)
        key_free(&s->v[i].key);
    s->n = 0;
}

static bool may_use(const struct jwk *k, enum alg alg)
{
    bool same_use = !(ALGS_SIG & ALG_BIT(alg)) == !(ALGS_SIG & ALG_BIT(k->alg));
    return k->alg == alg || (k->alg_open && (same_use || k->use_open) && alg_fits(alg, k->key));
}

err_t jwks_bind(const struct jwks *set, enum alg alg, struct arena *a, struct jwks *ret)
{
    struct jwks s = {.v = arena_array(a, struct jwk, set->n ? set->n : 1)};
    if (!s.v)
        return ERR_MEMORY;
    for (size_t i = 0; i < set->n; i++) {
        struct jwk k = set->v[i];
        if (!may_use(&k, alg))
            continue;
        k.alg = alg;
        s.v[s.n++] = k;
    }
    *ret = s;
    return ERR_OK;
}

/* --- new keys --- */

/* A secret's thumbprint would let anybody try guesses against it. */
static err_t name_secret(struct arena *a, struct str *ret)
{
    uint8_t bytes[16];
    struct buf b;
    TRY(random_bytes(bytes, sizeof(bytes)));
    buf_init(&b, a, 2 * sizeof(bytes));
    enc_b64url(&b, bytes, sizeof(bytes));
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

err_t jwk_generate(const struct crypto *c, enum alg alg, enum key_kind kind, unsigned bits, struct arena *a,
                   struct jwk *ret)
{
    const struct alg_row *row = alg_row(alg);
    struct jwk k = {.alg = alg};
    if (!row)
        return ERR_ALG;
    if (kind == KEY_KINDS)
        kind = row->kind;
    if (!(row->kinds & 1u << kind))
        return ERR_KEY;
    bool sized = kind == KEY_RSA || kind == KEY_OCT;
    TRY(key_generate(kind, !sized ? 0 : bits ? bits : row->rsa_bits, &k.key));
    err_t e = !alg_fits(alg, k.key) ? ERR_KEY
              : kind == KEY_OCT     ? name_secret(a, &k.kid)
                                    : jwk_thumbprint(c, k.key, a, &k.kid);
    if (e != ERR_OK) {
        key_free(&k.key);
        return e;
    }
    *ret = k;
    return ERR_OK;
}
