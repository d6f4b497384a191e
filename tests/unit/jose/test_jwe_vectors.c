/* The examples of RFC 7516 appendix A, RFC 7518 appendices B and C, RFC 7520 sections 5 and 6 and RFC 3394, and
 * tokens another implementation made, read from tests/vectors. Each says what has to come of it: the text, or
 * the error that refuses it. */
#include "jose/jwe.h"
#include "crypto/vectors.h"

static const struct jwe_accept all = {ALGS_MANAGE, ENCS_ALL};

static err_t open_vector(const struct crypto *c, const json_t *v, const struct jwk *k, struct arena *a,
                         struct str *ret)
{
    const struct jwks keys = {(struct jwk *)(uintptr_t)k, 1};
    const json_t *json = json_object_get(v, "json");
    struct str compact = vector_text(v, "compact");
    if (!json)
        return jwe_decrypt(c, &keys, &all, compact, a, ret, NULL);
    char *text = json_dumps(json, JSON_COMPACT);
    err_t e = jwe_json_decrypt(c, &keys, &all, str_z(text), a, ret, NULL, NULL);
    CHECK_ROW(jwe_decrypt(c, &keys, &all, str_z(text), a, ret, NULL) == ERR_DECRYPT,
              vector_name(v)); /* A73 */
    free(text);
    return e;
}

static void test_tokens(const struct crypto *c, const char *path)
{
    json_t *doc, *v;
    size_t i;
    json_t *list = vectors_load(path, &doc);
    json_array_foreach(list, i, v)
    {
        struct arena *a = arena_new(8 << 20);
        struct jwk k = {0};
        struct str plain = STR_NONE, verdict = vector_text(v, "verdict");
        CHECK_ROW(jwk_parse(json_object_get(v, "jwk"), JWK_ANY, a, &k) == ERR_OK, vector_name(v));
        if (k.key) {
            err_t e = open_vector(c, v, &k, a, &plain);
            CHECK_ROW(str_is(verdict, e == ERR_OK ? "opens" : err_name(e)), vector_name(v));
            CHECK_ROW(e != ERR_OK || str_eq(plain, vector_text(v, "plaintext")), vector_name(v));
        }
        key_free(&k.key);
        arena_free(&a);
    }
    json_decref(doc);
}

static void test_cbc_hmac(const struct crypto *c, struct arena *a)
{
    json_t *doc, *v;
    size_t i, n = 0;
    json_t *list = vectors_load("tests/vectors/jose/rfc7518-cbc-hmac.json", &doc);
    json_array_foreach(list, i, v)
    {
        struct str key = vector_hex(a, v, "key"), iv = vector_hex(a, v, "iv"), aad = vector_hex(a, v, "aad");
        struct str plain = vector_hex(a, v, "plaintext"), text = vector_hex(a, v, "ciphertext"),
                   tag = vector_hex(a, v, "tag");
        uint8_t out[256], out_tag[32];
        CHECK_ROW(cbc_hmac_seal(c, key, iv, aad, plain, out, out_tag) == ERR_OK, vector_name(v));
        CHECK_ROW(memcmp(out, text.p, text.n) == 0 && memcmp(out_tag, tag.p, tag.n) == 0, vector_name(v));
        CHECK_ROW(cbc_hmac_open(c, key, iv, aad, text, tag, out, &n) == ERR_OK && n == plain.n,
                  vector_name(v));
        CHECK_ROW(memcmp(out, plain.p, n) == 0, vector_name(v));
        CHECK_ROW(cbc_hmac_open(c, key, iv, STR("another"), text, tag, out, &n) == ERR_DECRYPT,
                  vector_name(v));
    }
    json_decref(doc);
}

/* Both sides agree, and on what the RFC says. */
static void test_agreement(const struct crypto *c, struct arena *a)
{
    json_t *doc;
    const json_t *v = json_array_get(vectors_load("tests/vectors/jose/rfc7518-ecdh.json", &doc), 0);
    struct jwk own = {0}, other = {0};
    uint8_t z[2][ECDH_MAX], got[16];
    size_t n[2] = {0};
    struct str want = STR_NONE;
    CHECK(jwk_parse(json_object_get(v, "own"), JWK_ANY, a, &own) == ERR_OK);
    CHECK(jwk_parse(json_object_get(v, "other"), JWK_ANY, a, &other) == ERR_OK);
    CHECK(dec_b64url(a, vector_text(v, "derived"), &want) && want.n == sizeof(got));
    if (own.key && other.key) {
        CHECK(ecdh(own.key, other.key, z[0], &n[0]) == ERR_OK &&
              ecdh(other.key, own.key, z[1], &n[1]) == ERR_OK);
        CHECK(n[0] == 32 && n[1] == 32 && memcmp(z[0], z[1], 32) == 0);
        CHECK(concat_kdf(c, (struct str){(char *)z[0], n[0]}, vector_text(v, "alg_id"), vector_text(v, "apu"),
                         vector_text(v, "apv"), got, sizeof(got)) == ERR_OK);
        CHECK(memcmp(got, want.p, sizeof(got)) == 0);
    }
    key_free(&own.key);
    key_free(&other.key);
    json_decref(doc);
}

static void test_key_wrap(const struct crypto *c, struct arena *a)
{
    json_t *doc, *v;
    size_t i;
    json_t *list = vectors_load("tests/vectors/crypto/rfc3394.json", &doc);
    json_array_foreach(list, i, v)
    {
        struct str kek = vector_hex(a, v, "kek"), key = vector_hex(a, v, "key"),
                   wrapped = vector_hex(a, v, "wrapped");
        uint8_t out[80];
        CHECK_ROW(aes_wrap(c, kek, key, out) == ERR_OK && memcmp(out, wrapped.p, wrapped.n) == 0,
                  vector_name(v));
        CHECK_ROW(aes_unwrap(c, kek, wrapped, out) == ERR_OK && memcmp(out, key.p, key.n) == 0,
                  vector_name(v));
        ((char *)wrapped.p)[0] ^= 1;
        CHECK_ROW(aes_unwrap(c, kek, wrapped, out) == ERR_DECRYPT, vector_name(v));
        wrapped.n -= 1;
        CHECK_ROW(aes_unwrap(c, kek, wrapped, out) == ERR_DECRYPT, vector_name(v));
    }
    json_decref(doc);
}

int main(void)
{
    struct crypto *c = NULL;
    struct arena *a = arena_new(1 << 20);
    CHECK(a && crypto_new(&c) == ERR_OK);
    test_tokens(c, "tests/vectors/jose/rfc7516.json");
    test_tokens(c, "tests/vectors/jose/rfc7520-jwe.json");
    test_tokens(c, "tests/vectors/jose/jwcrypto-jwe.json");
    test_cbc_hmac(c, a);
    test_agreement(c, a);
    test_key_wrap(c, a);
    crypto_free(&c);
    arena_free(&a);
    return unit_end("jwe-vectors");
}
