/* SHA-2, HMAC and HKDF against FIPS 180-4's examples, RFC 4231 and RFC 5869. */
#include "crypto/crypto.h"
#include "crypto/vectors.h"

static bool hex_is(const uint8_t *p, size_t n, struct str hex)
{
    uint8_t want[128];
    return hex.n == 2 * n && n <= sizeof(want) && dec_hex(hex, want, n) && memcmp(p, want, n) == 0;
}

static const struct {
    enum digest alg;
    const char *data, *hex;
} digests[] = {
    {DIGEST_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {DIGEST_SHA384, "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {DIGEST_SHA512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d442"
     "3643ce80e2a9a"
     "c94fa54ca49f"},
};

static void test_digests(const struct crypto *c)
{
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        uint8_t out[64];
        size_t n = 0;
        CHECK_ROW(digest(c, digests[i].alg, str_z(digests[i].data), out, &n) == ERR_OK, digests[i].hex);
        CHECK_ROW(hex_is(out, n, str_z(digests[i].hex)), digests[i].hex);
    }
    uint8_t out[64];
    size_t n;
    sha256(c, STR_NONE, out);
    CHECK(hex_is(out, 32, str_z(digests[0].hex)));
    CHECK(digest(c, (enum digest)99, STR_NONE, out, &n) == ERR_CRYPTO);
}

static void test_hmac(const struct crypto *c, struct arena *a)
{
    static const char *const names[] = {"sha256", "sha384", "sha512"};
    json_t *doc, *v;
    size_t i;
    json_t *list = vectors_load("tests/vectors/crypto/rfc4231.json", &doc);
    json_array_foreach(list, i, v)
    {
        struct str key = vector_hex(a, v, "key"), data = vector_hex(a, v, "data");
        uint8_t out[64];
        size_t n = 0;
        for (unsigned d = 0; d < 3; d++) {
            CHECK_ROW(hmac(c, (enum digest)d, key, data, out, &n) == ERR_OK, vector_name(v));
            CHECK_ROW(hex_is(out, n, vector_text(v, names[d])), vector_name(v));
        }
        hmac_sha256(c, key, data, out);
        CHECK_ROW(hex_is(out, 32, vector_text(v, "sha256")), vector_name(v));
    }
    json_decref(doc);
}

static void test_hkdf(const struct crypto *c, struct arena *a)
{
    json_t *doc, *v;
    size_t i;
    static uint8_t out[255 * 32 + 1];
    json_t *list = vectors_load("tests/vectors/crypto/rfc5869.json", &doc);
    json_array_foreach(list, i, v)
    {
        struct str okm = vector_hex(a, v, "okm");
        CHECK_ROW(hkdf_sha256(c, vector_hex(a, v, "key"), vector_hex(a, v, "salt"), vector_hex(a, v, "info"),
                              out, okm.n) == ERR_OK,
                  vector_name(v));
        CHECK_ROW(memcmp(out, okm.p, okm.n) == 0, vector_name(v));
    }
    json_decref(doc);
    CHECK(hkdf_sha256(c, STR("k"), STR_NONE, STR_NONE, out, 255 * 32) == ERR_OK);
    CHECK(hkdf_sha256(c, STR("k"), STR_NONE, STR_NONE, out, 255 * 32 + 1) == ERR_CRYPTO);
}

int main(void)
{
    struct crypto *c = NULL;
    struct arena *a = arena_new(1 << 20);
    CHECK(a && crypto_new(&c) == ERR_OK);
    test_digests(c);
    test_hmac(c, a);
    test_hkdf(c, a);
    CHECK(secret_eq("abc", "abc", 3) && !secret_eq("abc", "abd", 3));
    crypto_free(&c);
    arena_free(&a);
    return unit_end("digest");
}
