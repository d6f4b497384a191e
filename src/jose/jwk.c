/* JSON Web Keys in and out: RFC 7517, the members of RFC 7518 section 6 and RFC 8037 section 2. Which members a kind
 * has is one table, for reading, printing and thumbprints. */
#include "jose/internal.h"
#include "base/enc.h"
#include "base/limits.h"

#define MEMBER_MAX 1400 /* base64url of 8192 bits, and some */

/* Names of the public numbers, in the order of key_public_parts(). */
static const struct kty {
    const char *kty, *crv, *part[2];
    enum alg sig, enc; /* without "alg"; ALG_COUNT: none is usual */
} ktys[KEY_KINDS] = {
    [KEY_EC_P256] = {"EC", "P-256", {"x", "y"}, ALG_ES256, ALG_ECDH_ES},
    [KEY_EC_P384] = {"EC", "P-384", {"x", "y"}, ALG_ES384, ALG_ECDH_ES},
    [KEY_EC_P521] = {"EC", "P-521", {"x", "y"}, ALG_ES512, ALG_ECDH_ES},
    [KEY_EC_K256] = {"EC", "secp256k1", {"x", "y"}, ALG_ES256K, ALG_COUNT},
    [KEY_ED25519] = {"OKP", "Ed25519", {"x", NULL}, ALG_EDDSA, ALG_COUNT},
    [KEY_ED448] = {"OKP", "Ed448", {"x", NULL}, ALG_ED448, ALG_COUNT},
    [KEY_RSA] = {"RSA", NULL, {"n", "e"}, ALG_RS256, ALG_RSA_OAEP},
    [KEY_X25519] = {"OKP", "X25519", {"x", NULL}, ALG_COUNT, ALG_ECDH_ES},
    [KEY_X448] = {"OKP", "X448", {"x", NULL}, ALG_COUNT, ALG_ECDH_ES},
    [KEY_OCT] = {"oct", NULL, {NULL, NULL}, ALG_COUNT, ALG_COUNT},
};
static const char *const private_names[KEY_PRIVATE_PARTS] = {"d", "p", "q", "dp", "dq", "qi"};

/* --- printing --- */

static void print_part(struct jw *w, struct arena *a, const char *name, struct str bytes)
{
    struct buf b;
    if (!name || !bytes.p)
        return;
    buf_init(&b, a, MEMBER_MAX);
    enc_b64url(&b, bytes.p, bytes.n);
    w->b->failed |= b.failed;
    jw_m_str(w, name, buf_view(&b));
}

static void print_x5c(const struct crypto *c, const struct jwk *k, struct arena *a, struct jw *w)
{
    uint8_t hash[SHA256_SIZE];
    if (k->x5c.n == 0)
        return;
    jw_key(w, "x5c");
    jw_open(w, '[');
    for (size_t i = 0; i < k->x5c.n; i++) {
        struct buf b;
        buf_init(&b, a, 2 * LIMIT_CERT);
        enc_b64(&b, k->x5c.v[i].p, k->x5c.v[i].n);
        w->b->failed |= b.failed;
        jw_str(w, buf_view(&b));
    }
    jw_close(w, ']');
    sha256(c, k->x5c.v[0], hash);
    print_part(w, a, "x5t#S256", (struct str){(char *)hash, sizeof(hash)});
}

err_t jwk_print(const struct jwk *k, bool private_part, struct arena *a, struct jw *w)
{
    enum key_kind kind = key_kind_of(k->key);
    const struct kty *t = &ktys[kind];
    struct str public[2] = {STR_NONE, STR_NONE}, private[KEY_PRIVATE_PARTS] = {{0}};
    if (kind == KEY_OCT ? !private_part : private_part && !key_is_private(k->key))
        return ERR_KEY;
    if (kind != KEY_OCT)
        TRY(key_public_parts(k->key, a, &public[0], &public[1]));
    if (kind != KEY_OCT && private_part)
        TRY(key_private_parts(k->key, a, private));
    jw_open(w, '{');
    jw_m_str(w, "kty", str_z(t->kty));
    jw_m_str(w, "crv", str_z(t->crv));
    for (size_t i = 0; i < 2; i++)
        print_part(w, a, t->part[i], public[i]);
    for (size_t i = 0; i < KEY_PRIVATE_PARTS; i++)
        print_part(w, a, private_names[i], private[i]);
    print_part(w, a, "k", key_secret(k->key));
    jw_m_str(w, "kid", k->kid);
    jw_m_str(w, "use", str_z(alg_row(k->alg)->use));
    jw_m_str(w, "alg", str_z(alg_row(k->alg)->name));
    print_x5c(NULL, k, a, w);
    jw_close(w, '}');
    return buf_ok(w->b) ? ERR_OK : ERR_MEMORY;
}

err_t jwk_print_public(const struct jwk *k, struct arena *a, struct jw *w)
{
    return jwk_print(k, false, a, w);
}

/* --- thumbprints --- */

/* RFC 7638: the required members alone, sorted by name, without white space: crv < e < k < kty < n < x < y. */
static err_t required_print(const struct key *k, struct arena *a, struct jw *w)
{
    const struct kty *t = &ktys[key_kind_of(k)];
    bool rsa = key_kind_of(k) == KEY_RSA;
    struct str p[2] = {STR_NONE, STR_NONE};
    if (key_kind_of(k) != KEY_OCT)
        TRY(key_public_parts(k, a, &p[0], &p[1]));
    jw_open(w, '{');
    jw_m_str(w, "crv", str_z(t->crv));
    if (rsa)
        print_part(w, a, t->part[1], p[1]);
    print_part(w, a, "k", key_secret(k));
    jw_m_str(w, "kty", str_z(t->kty));
    print_part(w, a, t->part[0], p[0]);
    if (!rsa)
        print_part(w, a, t->part[1], p[1]);
    jw_close(w, '}');
    return buf_ok(w->b) ? ERR_OK : ERR_MEMORY;
}

err_t jwk_thumbprint(const struct crypto *c, const struct key *k, struct arena *a, struct str *ret)
{
    struct buf b;
    struct jw w;
    uint8_t hash[SHA256_SIZE];
    buf_init(&b, a, 2 * MEMBER_MAX);
    jw_init(&w, &b);
    TRY(required_print(k, a, &w));
    sha256(c, buf_view(&b), hash);
    buf_init(&b, a, 2 * SHA256_SIZE);
    enc_b64url(&b, hash, sizeof(hash));
    if (!buf_ok(&b))
        return ERR_MEMORY;
    *ret = buf_view(&b);
    return ERR_OK;
}

err_t jwk_thumbprint_uri(const struct crypto *c, const struct key *k, struct arena *a, struct str *ret)
{
    struct str print;
    TRY(jwk_thumbprint(c, k, a, &print));
    struct str uri = arena_fmt(a, "urn:ietf:params:oauth:jwk-thumbprint:sha-256:%.*s", STR_ARG(print));
    if (!uri.p)
        return ERR_MEMORY;
    *ret = uri;
    return ERR_OK;
}

/* --- reading --- */

static struct str text_of(const json_t *doc, const char *name)
{
    return json_str(json_object_get(doc, name));
}

static bool kind_find(const json_t *doc, enum key_kind *ret)
{
    for (size_t i = 0; i < KEY_KINDS; i++) {
        if (!str_is(text_of(doc, "kty"), ktys[i].kty) || (ktys[i].crv && !str_is(text_of(doc, "crv"), ktys[i].crv)))
            continue;
        *ret = (enum key_kind)i;
        return true;
    }
    return false;
}

/* Members that belong to private and symmetric keys (RFC 7518 sections 6.2.2, 6.3.2, 6.4), whatever kty says. */
static bool has_secret(const json_t *doc)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_object_get(doc, names[i]))
            return true;
    return false;
}

static bool take_part(const json_t *doc, const char *name, struct arena *a, struct str *ret)
{
    struct str text = text_of(doc, name);
    return text.p && text.n <= MEMBER_MAX && dec_b64url(a, text, ret);
}

/* Only what kind and half of the key say may stand there. More than two primes ("oth") are nobody's. */
static err_t numbers_parse(const json_t *doc, enum key_kind kind, struct arena *a, struct key **ret)
{
    const struct kty *t = &ktys[kind];
    struct str public[2] = {STR_NONE, STR_NONE}, private[KEY_PRIVATE_PARTS] = {{0}};
    if (kind == KEY_OCT) {
        bool alone = !json_object_get(doc, "d") && take_part(doc, "k", a, &public[0]);
        return alone ? key_from_secret(public[0], ret) : ERR_KEY;
    }
    for (size_t i = 0; i < 2; i++)
        if (t->part[i] && !take_part(doc, t->part[i], a, &public[i]))
            return ERR_KEY;
    if (!has_secret(doc))
        return key_from_public_parts(kind, public[0], public[1], ret);
    if (json_object_get(doc, "oth") || json_object_get(doc, "k"))
        return ERR_KEY;
    for (size_t i = 0; i < key_private_count(kind); i++)
        if (!take_part(doc, private_names[i], a, &private[i]))
            return ERR_KEY;
    return key_from_private_parts(kind, public[0], public[1], private, ret);
}

/* --- what a key may be used for (RFC 7517 sections 4.2 to 4.4) --- */

static bool ops_permit(const json_t *ops, bool sig)
{
    static const char *const names[2][6] = {{"encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"},
                                            {"sign", "verify"}};
    size_t i;
    json_t *v;
    bool any = false;
    if (!ops)
        return true;
    json_array_foreach(ops, i, v)
    {
        for (size_t j = 0; j < 6 && names[sig][j]; j++)
            any |= str_is(json_str(v), names[sig][j]);
    }
    return json_is_array(ops) && any;
}

/* A public key that is only said to make signatures is said wrongly. */
static bool ops_sound(const json_t *doc, bool sig)
{
    const json_t *ops = json_object_get(doc, "key_ops");
    size_t i;
    json_t *v;
    bool verify = false;
    if (!ops || !sig || has_secret(doc))
        return ops_permit(ops, sig);
    json_array_foreach(ops, i, v) verify |= str_is(json_str(v), "verify");
    return verify;
}

static err_t alg_parse(const json_t *doc, enum key_kind kind, unsigned want, enum alg *ret)
{
    const json_t *alg = json_object_get(doc, "alg");
    if (alg) {
        /* Of the rows of one name the one of the key's kind; none fits: the first, which is refused with its own error. */
        for (size_t i = 0; i < ALG_COUNT; i++) {
            const struct alg_row *row = alg_row((enum alg)i);
            *ret = (enum alg)i;
            if (str_is(json_str(alg), row->name) && (row->kinds & 1u << kind))
                return ERR_OK;
        }
        return alg_find(json_str(alg), ret) ? ERR_KEY : ERR_ALG;
    }
    if (!(want & JWK_LENIENT))
        return ERR_ALG;
    bool enc = str_is(text_of(doc, "use"), "enc") || ktys[kind].sig == ALG_COUNT;
    *ret = enc ? ktys[kind].enc : ktys[kind].sig;
    return *ret == ALG_COUNT ? ERR_ALG : ERR_OK;
}

static bool use_ok(const json_t *doc, enum alg alg, unsigned want)
{
    const json_t *use = json_object_get(doc, "use");
    bool sig = (ALGS_SIG & ALG_BIT(alg)) != 0;
    unsigned uses = want & (JWK_SIG | JWK_ENC);
    return (!uses || (uses & (sig ? JWK_SIG : JWK_ENC))) && (!use || str_is(json_str(use), alg_row(alg)->use)) &&
           ops_sound(doc, sig);
}

static bool half_ok(const json_t *doc, enum key_kind kind, unsigned want)
{
    unsigned half = kind == KEY_OCT ? JWK_SECRET : has_secret(doc) ? JWK_PRIVATE : JWK_PUBLIC;
    return (want & half) != 0;
}

err_t jwk_parse(const json_t *doc, unsigned want, struct arena *a, struct jwk *ret)
{
    struct jwk k = {.alg = ALG_COUNT};
    enum key_kind kind;
    struct str kid = text_of(doc, "kid");
    if (!json_is_object(doc))
        return ERR_KEY;
    if (!kind_find(doc, &kind) || !half_ok(doc, kind, want))
        return ERR_KEY;
    TRY(alg_parse(doc, kind, want, &k.alg));
    k.alg_open = !json_object_get(doc, "alg");
    k.use_open = k.alg_open && !json_object_get(doc, "use") && !json_object_get(doc, "key_ops");
    if (!use_ok(doc, k.alg, want) || (json_object_get(doc, "kid") && (kid.n == 0 || kid.n > LIMIT_NAME)))
        return ERR_KEY;
    k.kid = arena_str(a, kid);
    if (kid.p && !k.kid.p)
        return ERR_MEMORY;
    TRY(numbers_parse(doc, kind, a, &k.key));
    err_t e = alg_fits(k.alg, k.key) ? jwk_x509_parse(doc, k.key, a, &k.x5c) : ERR_KEY;
    if (e != ERR_OK) {
        key_free(&k.key);
        return e;
    }
    *ret = k;
    return ERR_OK;
}

bool jwk_leaks(const json_t *doc, unsigned want)
{
    return has_secret(doc) && !(want & (JWK_PRIVATE | JWK_SECRET));
}
