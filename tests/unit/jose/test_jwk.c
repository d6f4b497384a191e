/* JSON Web Keys: what is printed is read back, thumbprints are RFC 7638's and RFC 8037's, and what must not
 * be registered is refused (case A76). */
#include "jose/jose.h"
#include "base/limits.h"
#include "crypto/vectors.h"

static void test_thumbprints(const struct crypto *c, struct arena *a, const char *path)
{
    json_t *doc, *v;
    size_t i;
    json_t *list = vectors_load(path, &doc);
    json_array_foreach(list, i, v)
    {
        struct jwk k;
        struct str got = STR_NONE;
        CHECK_ROW(jwk_parse(json_object_get(v, "jwk"), JWK_PUBLIC | JWK_SIG, a, &k) == ERR_OK, vector_name(v));
        CHECK_ROW(jwk_thumbprint(c, k.key, a, &got) == ERR_OK && str_eq(got, vector_text(v, "thumbprint")),
                  vector_name(v));
        key_free(&k.key);
    }
    json_decref(doc);
}

/* The keys of RFC 7517, certificate and all; and one whose certificate is another key's. */
static void test_keys_of_the_rfc(struct arena *a)
{
    json_t *doc, *v;
    size_t i;
    json_t *list = vectors_load("tests/vectors/jose/rfc7517.json", &doc);
    json_array_foreach(list, i, v)
    {
        struct jwk k = {.alg = ALG_COUNT};
        bool good = str_is(vector_text(v, "verdict"), "ok");
        err_t e = jwk_parse(json_object_get(v, "jwk"), JWK_ANY | JWK_LENIENT, a, &k);
        CHECK_ROW(e == (good ? ERR_OK : ERR_KEY), vector_name(v));
        if (e == ERR_OK) {
            CHECK_ROW((json_int_t)k.x5c.n == json_integer_value(json_object_get(v, "x5c")), vector_name(v));
            key_free(&k.key);
        }
    }
    json_decref(doc);
}

static struct str print(const struct jwk *k, struct arena *a)
{
    struct buf b;
    struct jw w;
    buf_init(&b, a, 4096);
    jw_init(&w, &b);
    CHECK(jwk_print_public(k, a, &w) == ERR_OK);
    return buf_view(&b);
}

static void test_round_trip(struct arena *a)
{
    for (unsigned alg = 0; alg < ALG_HS256; alg++) {
        const struct alg_row *row = alg_row((enum alg)alg);
        struct jwk k = {.kid = STR("key \"1\""), .alg = (enum alg)alg}, back = {0};
        json_t *doc = NULL;
        CHECK_ROW(key_generate(row->kind, row->rsa_bits, &k.key) == ERR_OK, row->name);
        struct str text = print(&k, a);
        CHECK_ROW(json_load(text, &doc) == ERR_OK && jwk_parse(doc, JWK_PUBLIC | JWK_SIG, a, &back) == ERR_OK, row->name);
        CHECK_ROW(back.alg == k.alg && str_eq(back.kid, k.kid) && !key_is_private(back.key), row->name);
        CHECK_ROW(!json_object_get(doc, "d") && str_is(json_str(json_object_get(doc, "use")), "sig"),
                  row->name);
        CHECK_ROW(str_eq(print(&back, a), text), row->name);
        json_decref(doc);
        key_free(&k.key);
        key_free(&back.key);
    }
    enum alg none;
    CHECK(!alg_row(ALG_COUNT) && !alg_find(STR("none"), &none) && !alg_find(STR("es256"), &none) &&
          !alg_find(STR_NONE, &none));
}

#define N2048                                                                                                \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"                \
    "BJECPebWKRXjBZCiFV4n3oknjhMstn6"                                                                        \
    "4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"                                              \
    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n9"                                          \
    "1CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"               \
    "kEgU8awapJzKnqDKgw"
#define EC "\"kty\":\"EC\",\"alg\":\"ES256\",\"crv\":\"P-256\","
#define XY                                                                                                   \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_"                          \
    "tue659LNpXW6pCyStikYjKIWI5a0\""
#define RSA "\"kty\":\"RSA\",\"alg\":\"RS256\","
static const struct {
    const char *name;
    err_t want;
    const char *jwk;
} a76[] = {
    {"A76 sound EC", ERR_OK, "{" EC XY "}"},
    {"A76 sound RSA", ERR_OK, "{" RSA "\"n\":\"" N2048 "\",\"e\":\"AQAB\"}"},
    {"A76 unknown members", ERR_OK, "{" EC XY ",\"nbf\":\"abc\",\"iat\":1}"},
    {"A76 key_ops verify", ERR_OK, "{" EC XY ",\"key_ops\":[\"verify\"]}"},
    {"A76 RSA under 2048 bits", ERR_KEY, "{" RSA "\"n\":\"wwww\",\"e\":\"AQAB\"}"},
    {"A76 e = 1", ERR_KEY, "{" RSA "\"n\":\"" N2048 "\",\"e\":\"AQ\"}"},
    {"A76 e with a leading zero", ERR_KEY, "{" RSA "\"n\":\"" N2048 "\",\"e\":\"AAEAAQ\"}"},
    {"A76 ES256 with P-384", ERR_KEY,
     "{\"kty\":\"EC\",\"alg\":\"ES256\",\"crv\":\"P-384\",\"x\":"
     "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
     "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"},
    {"A76 P-384's numbers said to be P-256", ERR_KEY,
     "{" EC "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
     "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"},
    {"A76 off the curve", ERR_KEY,
     "{" EC "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_"
            "tue659LNpXW6pCyStikYjKIWI5a4\"}"},
    {"A76 private d", ERR_KEY, "{" EC XY ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"},
    {"A76 private d, null", ERR_KEY, "{" EC XY ",\"d\":null}"},
    {"A76 private p", ERR_KEY, "{" RSA "\"n\":\"" N2048 "\",\"e\":\"AQAB\",\"p\":\"AQAB\"}"},
    {"A76 private dq", ERR_KEY, "{" RSA "\"n\":\"" N2048 "\",\"e\":\"AQAB\",\"dq\":\"AQAB\"}"},
    {"A76 symmetric HS256", ERR_KEY,
     "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"},
    {"A76 symmetric named ES256", ERR_KEY,
     "{\"kty\":\"oct\",\"alg\":\"ES256\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\"}"},
    {"A76 kty of another algorithm", ERR_KEY,
     "{\"kty\":\"RSA\",\"alg\":\"ES256\",\"n\":\"" N2048 "\",\"e\":\"AQAB\"}"},
    {"A76 no alg", ERR_ALG, "{\"kty\":\"EC\",\"crv\":\"P-256\"," XY "}"},
    {"A76 alg none", ERR_ALG, "{\"kty\":\"EC\",\"alg\":\"none\",\"crv\":\"P-256\"," XY "}"},
    {"A76 alg a number", ERR_ALG, "{\"kty\":\"EC\",\"alg\":256,\"crv\":\"P-256\"," XY "}"},
    {"A76 use enc", ERR_KEY, "{" EC XY ",\"use\":\"enc\"}"},
    {"A76 key_ops sign", ERR_KEY, "{" EC XY ",\"key_ops\":[\"sign\"]}"},
    {"A76 key_ops a string", ERR_KEY, "{" EC XY ",\"key_ops\":\"verify\"}"},
    {"A76 kid a number", ERR_KEY, "{" EC XY ",\"kid\":1}"},
    {"A76 kid empty", ERR_KEY, "{" EC XY ",\"kid\":\"\"}"},
    {"A76 no y", ERR_KEY, "{" EC "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}"},
    {"A76 x with padding", ERR_KEY,
     "{" EC "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=\",\"y\":\"x_FEzRu9m36HLN_"
            "tue659LNpXW6pCyStikYjKIWI5a0\"}"},
    {"A76 Ed25519 of 31 bytes", ERR_KEY,
     "{\"kty\":\"OKP\",\"alg\":\"EdDSA\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
     "7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}"},
    {"A76 a list", ERR_KEY, "[]"},
};

static void test_a76(struct arena *a)
{
    for (size_t i = 0; i < sizeof(a76) / sizeof(a76[0]); i++) {
        json_t *doc = NULL;
        struct jwk k = {0};
        CHECK_ROW(json_load(str_z(a76[i].jwk), &doc) == ERR_OK || a76[i].want != ERR_OK, a76[i].name);
        CHECK_ROW(jwk_parse(doc, JWK_PUBLIC | JWK_SIG, a, &k) == a76[i].want, a76[i].name);
        key_free(&k.key);
        json_decref(doc);
    }
}

/* {"keys":[...]} of n keys with kids of their own. */
static struct str set_of(size_t n, bool same_kid, struct arena *a)
{
    struct buf b;
    buf_init(&b, a, 256 * 1024);
    buf_z(&b, "{\"keys\":[");
    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, "%s{" EC XY ",\"kid\":\"%zu\"}", i ? "," : "", same_kid ? 0 : i);
    buf_z(&b, "]}");
    CHECK(buf_ok(&b));
    return buf_view(&b);
}

static void test_sets(struct arena *a)
{
    struct jwks s = {0};
    CHECK(jwks_parse(set_of(LIMIT_JWKS_KEYS, false, a), JWK_PUBLIC | JWK_SIG, a, &s) == ERR_OK && s.n == LIMIT_JWKS_KEYS);
    jwks_free(&s);
    CHECK(jwks_parse(set_of(LIMIT_JWKS_KEYS + 1, false, a), JWK_PUBLIC | JWK_SIG, a, &s) == ERR_KEY);
    CHECK_ROW(jwks_parse(set_of(500, false, a), JWK_PUBLIC | JWK_SIG, a, &s) == ERR_KEY, "A76 500 keys");
    CHECK(jwks_parse(set_of(2, true, a), JWK_PUBLIC | JWK_SIG, a, &s) == ERR_KEY);
    CHECK(jwks_parse(set_of(0, false, a), JWK_PUBLIC | JWK_SIG, a, &s) == ERR_OK && s.n == 0);
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"keys\":{}}",
                                      "{\"keys\":[1]}",
                                      "{\"keys\":[{}]}",
                                      "{\"keys\":[],\"keys\":[]}",
                                      "{\"keys\":[{" EC XY "},{" EC XY ",\"d\":\"AQ\"}]}",
                                      "{\"keys\":[{" EC XY "},{" EC XY "}]}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_ROW(jwks_parse(str_z(bad[i]), JWK_PUBLIC | JWK_SIG, a, &s) != ERR_OK && s.n == 0, bad[i]);
}

int main(void)
{
    struct crypto *c = NULL;
    struct arena *a = arena_new(4 << 20);
    CHECK(a && crypto_new(&c) == ERR_OK);
    test_thumbprints(c, a, "tests/vectors/jose/rfc7638.json");
    test_thumbprints(c, a, "tests/vectors/jose/rfc8037.json");
    test_keys_of_the_rfc(a);
    test_round_trip(a);
    test_a76(a);
    test_sets(a);
    crypto_free(&c);
    arena_free(&a);
    return unit_end("jwk");
}
