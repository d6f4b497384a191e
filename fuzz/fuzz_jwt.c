/* Tokens and key sets. An input with a line break inside is a header and a payload, truly signed here, so that
 * what lies behind the signature is reached: whatever is then trusted must hold up against a plain reading of
 * the same JSON. One that starts with '{' is a key set. Anything else is a token as it came in: its signature
 * can't be right unless it stands in the corpus. */
// layers: base crypto jose
// libs: crypto argon2 crypt
#include "jose/jose.h"

#include <stdlib.h>

#include "base/enc.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1800000000

static const struct str audience = {"https://api.example", 19};
static const struct jwt_profile profile = {
    .typ = "at+jwt",
    .algs = ALG_BIT(ALG_EDDSA),
    .iss = {"https://as.example", 18},
    .aud = {&audience, 1},
    .skew_s = 5,
    .max_life_s = 3600,
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The private key of RFC 8037 appendix A.1: the same in every run, so that a corpus can hold tokens of it. */
static struct jwk fixed_key(void)
{
    static const char der[] = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"
                              "\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4"
                              "\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60";
    struct jwk k = {.kid = STR("k1"), .alg = ALG_EDDSA};
    require(key_from_der(STR(der), &k.key) == ERR_OK);
    return k;
}

static struct str forge(const struct crypto *c, const struct jwk *k, struct str header, struct str payload,
                        struct arena *a)
{
    struct buf b;
    uint8_t sig[SIG_MAX];
    size_t n = 0;
    buf_init(&b, a, 4 * LIMIT_BODY);
    enc_b64url(&b, header.p, header.n);
    buf_char(&b, '.');
    enc_b64url(&b, payload.p, payload.n);
    require(buf_ok(&b) && key_sign(c, k->key, SIG_EDDSA, DIGEST_SHA512, buf_view(&b), sig, &n) == ERR_OK);
    buf_char(&b, '.');
    enc_b64url(&b, sig, n);
    require(buf_ok(&b));
    return buf_view(&b);
}

static bool names_us(const json_t *aud)
{
    size_t i;
    json_t *v;
    if (json_is_string(aud))
        return str_eq(json_str(aud), audience);
    json_array_foreach(aud, i, v)
    {
        if (str_eq(json_str(v), audience))
            return true;
    }
    return false;
}

/* What must be true of a token that was trusted, seen through the other JSON reader. */
static void check_trusted(const struct jwt *t)
{
    json_t *h = NULL, *p = NULL;
    require(json_load(t->header, &h) == ERR_OK && json_load(t->payload, &p) == ERR_OK);
    require(str_is(json_str(json_object_get(h, "alg")), "EdDSA") && !json_object_get(h, "crit") &&
            !json_object_get(h, "b64"));
    const json_t *kid = json_object_get(h, "kid"), *exp = json_object_get(p, "exp");
    require(!kid || str_is(json_str(kid), "k1"));
    require(str_eq(json_str(json_object_get(p, "iss")), profile.iss) && names_us(json_object_get(p, "aud")));
    require(json_is_number(exp) && json_number_value(exp) + 5 > NOW &&
            json_number_value(exp) <= NOW + 5 + 3600 + 1);
    require(str_eq(json_str(json_object_get(p, "sub")), t->sub) &&
            str_eq(json_str(json_object_get(p, "scope")), t->scope));
    json_decref(h);
    json_decref(p);
}

static void try_token(const struct crypto *c, const struct jwk *k, struct str token, struct arena *a)
{
    const struct jwks keys = {(struct jwk *)(uintptr_t)k, 1};
    struct jwt t, seen;
    struct fault f = {0};
    bool peeked = jwt_peek(token, a, &seen) == ERR_OK;
    err_t e = jwt_verify(c, token, &keys, &profile, NOW, a, &t, &f);
    require(e == ERR_OK || e == ERR_MEMORY || (e == ERR_TOKEN_INVALID && f.detail[0]));
    if (e != ERR_OK)
        return;
    require(peeked && str_eq(seen.payload, t.payload));
    check_trusted(&t);
}

static void try_keys(struct str text, struct arena *a)
{
    struct jwks s = {0};
    if (jwks_parse(text, JWK_PUBLIC | JWK_SIG, a, &s) != ERR_OK)
        return;
    require(s.n <= LIMIT_JWKS_KEYS);
    for (size_t i = 0; i < s.n; i++) {
        struct buf b;
        struct jw w;
        json_t *doc = NULL;
        struct jwk again = {0};
        buf_init(&b, a, LIMIT_BODY);
        jw_init(&w, &b);
        require(!key_is_private(s.v[i].key) && jwk_print_public(&s.v[i], a, &w) == ERR_OK);
        require(json_load(buf_view(&b), &doc) == ERR_OK && jwk_parse(doc, JWK_PUBLIC | JWK_SIG, a, &again) == ERR_OK);
        require(again.alg == s.v[i].alg && str_eq(again.kid, s.v[i].kid));
        key_free(&again.key);
        json_decref(doc);
    }
    jwks_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LIMIT_BODY / 2)
        return 0;
    struct crypto *c = NULL;
    struct str text = {(const char *)data, size};
    struct arena *a = arena_new(4 * LIMIT_REQUEST_ARENA);
    require(a && crypto_new(&c) == ERR_OK);
    struct jwk k = fixed_key();
    size_t line = size ? str_find(text, '\n') : size;
    if (line > 0 && line < size)
        try_token(
            c, &k,
            forge(c, &k, (struct str){text.p, line}, (struct str){text.p + line + 1, size - line - 1}, a), a);
    else if (size && text.p[0] == '{')
        try_keys(text, a);
    else
        try_token(c, &k, text, a);
    key_free(&k.key);
    crypto_free(&c);
    arena_free(&a);
    return 0;
}
