/* Compact signatures: the examples of RFC 7515 appendix A and RFC 8037 appendix A, ES256K (those of the JOSE cookbook,
 * RFC 7520, are test_cookbook.c's); and what we sign ourselves with every algorithm of alg.def. */
#include "jose/jose.h"
#include "base/limits.h"
#include "crypto/vectors.h"

/* A signature with one bit of each part turned must fail. */
static void check_turned(const struct crypto *c, const struct jwk *k, struct str token, struct arena *a,
                         const char *name)
{
    struct str copy = arena_str(a, token), payload;
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] == '.')
            continue;
        ((char *)copy.p)[i] = token.p[i] == 'A' ? 'B' : 'A';
        CHECK_ROW(jws_verify(c, k, copy, a, &payload) != ERR_OK, name);
        ((char *)copy.p)[i] = token.p[i];
    }
}

static void check_vector(const struct crypto *c, const json_t *jwk, struct str compact, struct str payload,
                         struct str verdict, struct arena *a, const char *name)
{
    struct jwk k = {0};
    struct str got = STR_NONE;
    err_t e = jwk_parse(jwk, JWK_PUBLIC | JWK_SECRET | JWK_SIG, a, &k);
    CHECK_ROW(e == (str_is(verdict, "key") ? ERR_KEY : ERR_OK), name);
    if (e != ERR_OK)
        return;
    if (str_is(verdict, "refused")) {
        CHECK_ROW(jws_verify(c, &k, compact, a, &got) != ERR_OK, name);
    } else {
        CHECK_ROW(jws_verify(c, &k, compact, a, &got) == ERR_OK && str_eq(got, payload), name);
        check_turned(c, &k, compact, a, name);
    }
    key_free(&k.key);
}

static void test_rfc(const struct crypto *c, const char *path)
{
    json_t *doc, *v;
    size_t i;
    json_t *list = vectors_load(path, &doc);
    json_array_foreach(list, i, v)
    {
        struct arena *a = arena_new(8 << 20);
        check_vector(c, json_object_get(v, "jwk"), vector_text(v, "compact"), vector_text(v, "payload"),
                     json_str(json_object_get(v, "verdict")), a, vector_name(v));
        arena_free(&a);
    }
    json_decref(doc);
}

/* RFC 8037 A.4 signs deterministically: from the private key comes the very signature. PKCS #8 of Ed25519:
 * RFC 8410. */
static void test_eddsa_made(const struct crypto *c, struct arena *a)
{
    json_t *doc;
    json_t *v = json_array_get(vectors_load("tests/vectors/jose/rfc8037.json", &doc), 0);
    char der[48] = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    struct key *k = NULL;
    uint8_t sig[SIG_MAX];
    size_t n = 0;
    CHECK(dec_b64url_into(vector_text(v, "d"), (uint8_t *)der + 16, 32) == 32);
    CHECK(key_from_der((struct str){der, sizeof(der)}, &k) == ERR_OK);
    struct str compact = vector_text(v, "compact"), want;
    size_t dot = compact.n - 86 - 1; /* 64 bytes of signature behind the last dot */
    CHECK(key_sign(c, k, SIG_EDDSA, DIGEST_SHA512, (struct str){compact.p, dot}, sig, &n) == ERR_OK &&
          n == 64);
    CHECK(dec_b64url(a, (struct str){compact.p + dot + 1, 86}, &want) && memcmp(want.p, sig, 64) == 0);
    key_free(&k);
    json_decref(doc);
}

static void test_made(const struct crypto *c, struct arena *a)
{
    for (unsigned alg = 0; alg < ALG_RSA_OAEP; alg++) {
        const struct alg_row *row = alg_row((enum alg)alg);
        struct jwk k = {.kid = STR("k\"1"), .alg = (enum alg)alg}, wrong = k;
        struct str token = STR_NONE, payload;
        CHECK_ROW(key_generate(row->kind, row->rsa_bits, &k.key) == ERR_OK, row->name);
        CHECK_ROW(jws_sign(c, &k, STR("at+jwt"), STR("{\"a\":1}"), a, &token) == ERR_OK, row->name);
        CHECK_ROW(jws_verify(c, &k, token, a, &payload) == ERR_OK && str_is(payload, "{\"a\":1}"), row->name);
        wrong.key = k.key;
        wrong.alg =
            alg == ALG_ES256 ? ALG_RS256 : ALG_ES256; /* a key bound to an algorithm of another kind */
        CHECK_ROW(jws_sign(c, &wrong, STR_NONE, STR("{}"), a, &token) == ERR_ALG, row->name);
        CHECK_ROW(jws_verify(c, &wrong, token, a, &payload) == ERR_ALG, row->name);
        key_free(&k.key);
    }
}

/* What would be longer than anybody takes is not made. */
static void test_length(const struct crypto *c, struct arena *a)
{
    static char text[LIMIT_JWT + 1];
    memset(text, 'x', sizeof(text));
    struct jwk k = {.kid = STR("k"), .alg = ALG_ES256};
    struct str token, payload;
    CHECK(key_generate(KEY_EC_P256, 0, &k.key) == ERR_OK);
    CHECK(jws_sign(c, &k, STR_NONE, STR("x"), a, &token) == ERR_OK);
    size_t room = (LIMIT_JWT - (token.n - 2)) * 3 / 4; /* two characters are the one byte's */
    CHECK(jws_sign(c, &k, STR_NONE, (struct str){text, room}, a, &token) == ERR_OK && token.n <= LIMIT_JWT);
    CHECK(jws_verify(c, &k, token, a, &payload) == ERR_OK && payload.n == room);
    CHECK(jws_sign(c, &k, STR_NONE, (struct str){text, room + 1}, a, &token) == ERR_TOO_LARGE);
    CHECK(jws_sign(c, &k, STR_NONE, (struct str){text, LIMIT_JWT}, a, &token) == ERR_TOO_LARGE);
    CHECK(jws_sign(c, &k, STR_NONE, (struct str){text, LIMIT_JWT + 1}, a, &token) == ERR_TOO_LARGE);
    key_free(&k.key);
}

int main(void)
{
    struct crypto *c = NULL;
    struct arena *a = arena_new(1 << 20);
    CHECK(a && crypto_new(&c) == ERR_OK);
    test_rfc(c, "tests/vectors/jose/rfc7515.json");
    test_rfc(c, "tests/vectors/jose/rfc8037.json");
    test_rfc(c, "tests/vectors/jose/rfc8812.json");
    test_eddsa_made(c, a);
    test_made(c, a);
    test_length(c, a);
    crypto_free(&c);
    arena_free(&a);
    return unit_end("jws");
}
