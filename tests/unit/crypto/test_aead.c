/* AES-256-GCM: what is sealed opens, and nothing else does. Also randomness and the id permutation. */
#include "crypto/crypto.h"
#include "unit.h"

static const uint8_t key[AEAD_KEY_SIZE] = {1, 2, 3};

/* Test case 16 of the GCM specification (McGrew, Viega): 256-bit key, 96-bit IV, with additional data. */
static void test_known(const struct crypto *c)
{
    static const uint8_t k[32] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                  0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                  0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
    static const char sealed[] =
        "\xca\xfe\xba\xbe\xfa\xce\xdb\xad\xde\xca\xf8\x88" /* nonce */
        "\x52\x2d\xc1\xf0\x99\x56\x7d\x07\xf4\x7f\x37\xa3\x2a\x84\x42\x7d\x64\x3a\x8c\xdc\xbf\xe5\xc0\xc9"
        "\x75\x98\xa2\xbd\x25\x55\xd1\xaa\x8c\xb0\x8e\x48\x59\x0d\xbb\x3d\xa7\xb0\x8b\x10\x56\x82\x88\x38"
        "\xc5\xf6\x1e\x63\x93\xba\x7a\x0a\xbc\xc9\xf6\x62" /* ciphertext */
        "\x76\xfc\x6e\xce\x0f\x4e\x17\x68\xcd\xdf\x88\x53\xbb\x2d\x55\x1b";
    static const char aad[] =
        "\xfe\xed\xfa\xce\xde\xad\xbe\xef\xfe\xed\xfa\xce\xde\xad\xbe\xef\xab\xad\xda\xd2";
    static const uint8_t head[] = {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5};
    uint8_t out[64];
    CHECK(aead_open(c, k, STR(aad), STR(sealed), out) == ERR_OK);
    CHECK(memcmp(out, head, sizeof(head)) == 0);
}

static void test_round(const struct crypto *c)
{
    static const struct {
        struct str aad, data;
    } rows[] = {{{"tenant 1", 8}, {"secret", 6}},
                {{"", 0}, {"secret", 6}},
                {{"tenant 1", 8}, {"", 0}},
                {{NULL, 0}, {NULL, 0}}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t sealed[64], opened[64];
        struct str data = rows[i].data, s = {(char *)sealed, data.n + AEAD_OVERHEAD};
        CHECK(aead_seal(c, key, rows[i].aad, data, sealed) == ERR_OK);
        CHECK(aead_open(c, key, rows[i].aad, s, opened) == ERR_OK);
        CHECK(data.n == 0 || memcmp(opened, data.p, data.n) == 0);
        CHECK(aead_open(c, key, STR("another"), s, opened) == ERR_DECRYPT);
        for (size_t n = 0; n < s.n; n++) {
            sealed[n] ^= 1;
            CHECK(aead_open(c, key, rows[i].aad, s, opened) == ERR_DECRYPT);
            sealed[n] ^= 1;
            CHECK(aead_open(c, key, rows[i].aad, (struct str){s.p, n}, opened) == ERR_DECRYPT);
        }
    }
    uint8_t one[AEAD_OVERHEAD], two[AEAD_OVERHEAD];
    CHECK(aead_seal(c, key, STR_NONE, STR_NONE, one) == ERR_OK &&
          aead_seal(c, key, STR_NONE, STR_NONE, two) == ERR_OK);
    CHECK(memcmp(one, two, 12) != 0); /* a fresh nonce each time */
}

/* The paper's own vector for Speck64/128. */
static void test_permute(void)
{
    static const uint8_t k[16] = {0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b,
                                  0x10, 0x11, 0x12, 0x13, 0x18, 0x19, 0x1a, 0x1b};
    CHECK(permute64(k, 0x3b7265747475432d) == 0x8c6fa548454e028b);
    CHECK(unpermute64(k, 0x8c6fa548454e028b) == 0x3b7265747475432d);
    for (uint64_t v = 1; v != 0; v <<= 1)
        CHECK(unpermute64(k, permute64(k, v)) == v && permute64(k, v) != permute64(k, v - 1));
    CHECK(unpermute64(k, permute64(k, UINT64_MAX)) == UINT64_MAX);
    static uint8_t met[65536];
    size_t distinct = 0;
    for (uint32_t v = 0; v < 65536; v++)
        distinct += met[permute16(k, (uint16_t)v)]++ == 0;
    CHECK(distinct == 65536);
}

static void test_random(void)
{
    uint8_t a[512] = {0}, b[512] = {0}; /* more than getrandom(2) gives in one uninterrupted go */
    CHECK(random_bytes(a, sizeof(a)) == ERR_OK && random_bytes(b, sizeof(b)) == ERR_OK);
    CHECK(memcmp(a, b, sizeof(a)) != 0 && memcmp(a + 256, b + 256, 256) != 0);
    CHECK(random_bytes(a, 0) == ERR_OK);
    secret_zero(a, sizeof(a));
    CHECK(a[0] == 0 && memcmp(a, a + 1, sizeof(a) - 1) == 0);
}

int main(void)
{
    struct crypto *c = NULL;
    CHECK(crypto_new(&c) == ERR_OK);
    test_known(c);
    test_round(c);
    test_permute();
    test_random();
    crypto_free(&c);
    return unit_end("aead");
}
