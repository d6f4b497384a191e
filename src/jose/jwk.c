/* JSON Web Keys: RFC 7517, the members of RFC 7518 section 6 and RFC 8037 section 2, thumbprints of RFC 7638.
 * Only public keys pass through here; a private one is kept as PKCS #8 and never printed. */
#include "jose/jose.h"
#include "base/enc.h"
#include "base/limits.h"

#define MEMBER_MAX 1400 /* base64url of 8192 bits, and some */

/* Names of a key's public numbers, in the order of key_public_parts(). */
static const struct kty {
    const char *kty, *crv, *part[2];
} ktys[] = {
    [KEY_EC_P256] = {"EC", "P-256", {"x", "y"}},     [KEY_EC_P384] = {"EC", "P-384", {"x", "y"}},
    [KEY_EC_P521] = {"EC", "P-521", {"x", "y"}},     [KEY_EC_K256] = {"EC", "secp256k1", {"x", "y"}},
    [KEY_ED25519] = {"OKP", "Ed25519", {"x", NULL}}, [KEY_ED448] = {"OKP", "Ed448", {"x", NULL}},
    [KEY_RSA] = {"RSA", NULL, {"n", "e"}},
};

struct parts {
    struct str text[2]; /* base64url */
};

static err_t parts_print(const struct key *k, struct arena *a, struct parts *ret)
{
    struct str bytes[2];
    *ret = (struct parts){0};
    TRY(key_public_parts(k, a, &bytes[0], &bytes[1]));
    for (size_t i = 0; i < 2 && bytes[i].p; i++) {
        struct buf b;
        buf_init(&b, a, MEMBER_MAX);
        enc_b64url(&b, bytes[i].p, bytes[i].n);
        if (!buf_ok(&b))
            return ERR_MEMORY;
        ret->text[i] = buf_view(&b);
    }
    return ERR_OK;
}

err_t jwk_print_public(const struct jwk *k, struct arena *a, struct jw *w)
{
    const struct kty *t = &ktys[key_kind_of(k->key)];
    struct parts p;
    TRY(parts_print(k->key, a, &p));
    jw_open(w, '{');
    jw_m_str(w, "kty", str_z(t->kty));
    jw_m_str(w, "crv", str_z(t->crv));
    for (size_t i = 0; i < 2; i++)
        if (t->part[i])
            jw_m_str(w, t->part[i], p.text[i]);
    jw_m_str(w, "kid", k->kid);
    jw_m_str(w, "use", STR("sig"));
    jw_m_str(w, "alg", str_z(alg_row(k->alg)->name));
    jw_close(w, '}');
    return buf_ok(w->b) ? ERR_OK : ERR_MEMORY;
}

/* RFC 7638: the required members alone, sorted by name, without white space. Both parts of RSA and EC happen
 * to sort so that e < kty < n and crv < kty < x < y. */
err_t jwk_thumbprint(const struct crypto *c, const struct key *k, struct arena *a, struct str *ret)
{
    const struct kty *t = &ktys[key_kind_of(k)];
    bool rsa = t->crv == NULL;
    struct parts p;
    TRY(parts_print(k, a, &p));
    struct buf b;
    struct jw w;
    buf_init(&b, a, 2 * MEMBER_MAX);
    jw_init(&w, &b);
    jw_open(&w, '{');
    if (rsa)
        jw_m_str(&w, "e", p.text[1]);
    jw_m_str(&w, "crv", str_z(t->crv));
    jw_m_str(&w, "kty", str_z(t->kty));
    jw_m_str(&w, t->part[0], p.text[0]);
    if (!rsa && t->part[1])
        jw_m_str(&w, t->part[1], p.text[1]);
    jw_close(&w, '}');
    uint8_t hash[SHA256_SIZE];
    sha256(c, buf_view(&b), hash);
    bool ok = buf_ok(&b);
    buf_init(&b, a, 2 * SHA256_SIZE);
    enc_b64url(&b, hash, sizeof(hash));
    if (!ok || !buf_ok(&b))
        return ERR_MEMORY;
    *ret = buf_view(&b);
    return ERR_OK;
}

/* Members that belong to private and symmetric keys (RFC 7518 sections 6.2.2, 6.3.2, 6.4). */
static bool has_secret(const json_t *doc)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_object_get(doc, names[i]))
            return true;
    return false;
}

static bool has_string(const json_t *list, const char *word)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) if (str_is(json_str(v), word)) return true;
    return false;
}

/* RFC 7517 section 4.2, 4.3: both are optional and both must permit verifying. */
static bool for_verifying(const json_t *doc)
{
    const json_t *use = json_object_get(doc, "use"), *ops = json_object_get(doc, "key_ops");
    return (!use || str_is(json_str(use), "sig")) &&
           (!ops || (json_is_array(ops) && has_string(ops, "verify")));
}

static err_t key_parse(const json_t *doc, enum key_kind kind, struct arena *a, struct key **ret)
{
    const struct kty *t = &ktys[kind];
    struct str part[2] = {STR_NONE, STR_NONE};
    if (!str_is(json_str(json_object_get(doc, "kty")), t->kty))
        return ERR_KEY;
    if (t->crv && !str_is(json_str(json_object_get(doc, "crv")), t->crv))
        return ERR_KEY;
    for (size_t i = 0; i < 2; i++) {
        struct str text = t->part[i] ? json_str(json_object_get(doc, t->part[i])) : STR_NONE;
        if (t->part[i] && (!text.p || text.n > MEMBER_MAX || !dec_b64url(a, text, &part[i])))
            return ERR_KEY;
    }
    return key_from_public_parts(kind, part[0], part[1], ret);
}

err_t jwk_parse_public(const json_t *doc, struct arena *a, struct jwk *ret)
{
    struct jwk k = {0};
    if (!json_is_object(doc) || has_secret(doc) || !for_verifying(doc))
        return ERR_KEY;
    if (!alg_find(json_str(json_object_get(doc, "alg")), &k.alg))
        return ERR_ALG;
    const json_t *kid = json_object_get(doc, "kid");
    if (kid && (!json_is_string(kid) || json_str(kid).n == 0 || json_str(kid).n > LIMIT_NAME))
        return ERR_KEY;
    if (kid) {
        k.kid = arena_str(a, json_str(kid));
        if (!k.kid.p)
            return ERR_MEMORY;
    }
    TRY(key_parse(doc, alg_row(k.alg)->kind, a, &k.key));
    *ret = k;
    return ERR_OK;
}

/* Two keys that a token's header could not tell apart. */
static bool ambiguous(const struct jwks *s, const struct jwk *k)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].alg == k->alg && str_eq(s->v[i].kid, k->kid))
            return true;
    return false;
}

static err_t set_parse(const json_t *keys, struct arena *a, struct jwks *s)
{
    size_t n = json_array_size(keys);
    if (!json_is_array(keys) || n > LIMIT_JWKS_KEYS)
        return ERR_KEY;
    s->v = arena_array(a, struct jwk, n ? n : 1);
    if (!s->v)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        struct jwk k;
        TRY(jwk_parse_public(json_array_get(keys, i), a, &k));
        bool twice = ambiguous(s, &k);
        s->v[s->n++] = k;
        if (twice)
            return ERR_KEY;
    }
    return ERR_OK;
}

err_t jwks_parse(struct str text, struct arena *a, struct jwks *ret)
{
    json_t *doc = NULL;
    TRY(json_load(text, &doc));
    struct jwks s = {0};
    err_t e = json_is_object(doc) ? set_parse(json_object_get(doc, "keys"), a, &s) : ERR_KEY;
    json_decref(doc);
    if (e != ERR_OK) {
        jwks_free(&s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

void jwks_free(struct jwks *s)
{
    for (size_t i = 0; i < s->n; i++)
        key_free(&s->v[i].key);
    s->n = 0;
}
