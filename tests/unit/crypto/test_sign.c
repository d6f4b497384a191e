/* Signatures of every scheme; what is not exactly a signature is refused (case A69). Also from many threads
 * at once, since the contexts inside a key go from thread to thread. */
#include "crypto/crypto.h"
#include "unit.h"
#include <pthread.h>

static const struct {
    const char *name;
    enum key_kind kind;
    unsigned bits;
    enum sig_scheme scheme;
    enum digest digest;
    size_t sig_n;
} rows[] = {
    {"ES256", KEY_EC_P256, 0, SIG_ECDSA, DIGEST_SHA256, 64},
    {"ES384", KEY_EC_P384, 0, SIG_ECDSA, DIGEST_SHA384, 96},
    {"ES512", KEY_EC_P521, 0, SIG_ECDSA, DIGEST_SHA512, 132},
    {"ES256K", KEY_EC_K256, 0, SIG_ECDSA, DIGEST_SHA256, 64},
    {"RS256", KEY_RSA, 2048, SIG_RSA_PKCS1, DIGEST_SHA256, 256},
    {"RS512", KEY_RSA, 2048, SIG_RSA_PKCS1, DIGEST_SHA512, 256},
    {"PS256", KEY_RSA, 2048, SIG_RSA_PSS, DIGEST_SHA256, 256},
    {"Ed25519", KEY_ED25519, 0, SIG_EDDSA, DIGEST_SHA512, 64},
    {"Ed448", KEY_ED448, 0, SIG_EDDSA, DIGEST_SHA512, 114},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static err_t sign(const struct crypto *c, const struct key *k, size_t row, struct str data, uint8_t *ret,
                  size_t *n)
{
    return key_sign(c, k, rows[row].scheme, rows[row].digest, data, ret, n);
}

static err_t verify(const struct crypto *c, const struct key *k, size_t row, struct str data,
                    const uint8_t *sig, size_t n)
{
    return key_verify(c, k, rows[row].scheme, rows[row].digest, data, (struct str){(const char *)sig, n});
}

static void test_row(const struct crypto *c, size_t row)
{
    struct key *k = NULL, *other = NULL;
    uint8_t sig[SIG_MAX + 1];
    size_t n = 0;
    CHECK_ROW(key_generate(rows[row].kind, rows[row].bits, &k) == ERR_OK, rows[row].name);
    CHECK_ROW(key_generate(rows[row].kind, rows[row].bits, &other) == ERR_OK, rows[row].name);
    for (unsigned round = 0; round < 40;
         round++) { /* the same contexts again and again; short r and s among them */
        char text[16];
        struct str data = {text, (size_t)snprintf(text, sizeof(text), "message %u", round)};
        CHECK_ROW(sign(c, k, row, data, sig, &n) == ERR_OK && n == rows[row].sig_n, rows[row].name);
        CHECK_ROW(verify(c, k, row, data, sig, n) == ERR_OK, rows[row].name);
        CHECK_ROW(verify(c, k, row, STR("another message"), sig, n) == ERR_SIGNATURE, rows[row].name);
        sig[round % n] ^= 1;
        CHECK_ROW(verify(c, k, row, data, sig, n) == ERR_SIGNATURE, rows[row].name);
        sig[round % n] ^= 1;
    }
    struct str data = STR("message 39");
    CHECK_ROW(verify(c, k, row, data, sig, n) == ERR_OK, rows[row].name);
    CHECK_ROW(verify(c, other, row, data, sig, n) == ERR_SIGNATURE, rows[row].name);
    CHECK_ROW(verify(c, k, row, data, sig, n - 1) == ERR_SIGNATURE, rows[row].name);
    sig[n] = 0;
    CHECK_ROW(verify(c, k, row, data, sig, n + 1) == ERR_SIGNATURE, rows[row].name);
    CHECK_ROW(verify(c, k, row, data, NULL, 0) == ERR_SIGNATURE, rows[row].name);
    key_free(&k), key_free(&other);
}

/* A scheme of another kind of key does nothing at all. */
static void test_mismatch(const struct crypto *c)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct key *k = NULL;
        uint8_t sig[SIG_MAX] = {1};
        size_t n = 0;
        CHECK_ROW(key_generate(rows[i].kind, rows[i].bits, &k) == ERR_OK, rows[i].name);
        for (size_t j = 0; j < ROWS; j++) {
            bool fits =
                rows[i].scheme == rows[j].scheme || (rows[i].kind == KEY_RSA && rows[j].kind == KEY_RSA);
            CHECK_ROW((sign(c, k, j, STR("x"), sig, &n) == ERR_OK) == fits, rows[j].name);
            CHECK_ROW((verify(c, k, j, STR("x"), sig, 64) == ERR_KEY) == !fits, rows[j].name);
        }
        key_free(&k);
    }
}

static void test_public_only(const struct crypto *c, struct arena *a)
{
    struct key *k = NULL, *pub = NULL;
    struct str x, y;
    uint8_t sig[SIG_MAX];
    size_t n;
    CHECK(key_generate(KEY_EC_P256, 0, &k) == ERR_OK && key_public_parts(k, a, &x, &y) == ERR_OK);
    CHECK(key_from_public_parts(KEY_EC_P256, x, y, &pub) == ERR_OK);
    CHECK(sign(c, pub, 0, STR("x"), sig, &n) == ERR_KEY);
    CHECK(sign(c, k, 0, STR("x"), sig, &n) == ERR_OK && verify(c, pub, 0, STR("x"), sig, n) == ERR_OK);
    key_free(&k), key_free(&pub);
}

/* Order of P-256, and a number above it. */
static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                  0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
enum half { AS_IT_IS, ZERO, ORDER, ONES };
static const struct {
    const char *name;
    enum half r, s;
} a69[] = {
    {"A69 r = 0", ZERO, AS_IT_IS},  {"A69 s = 0", AS_IT_IS, ZERO},  {"A69 r = s = 0", ZERO, ZERO},
    {"A69 r = n", ORDER, AS_IT_IS}, {"A69 s = n", AS_IT_IS, ORDER}, {"A69 r = s = n", ORDER, ORDER},
    {"A69 r > n", ONES, AS_IT_IS},  {"A69 s > n", AS_IT_IS, ONES},  {"A69 r > n, s = 0", ONES, ZERO},
};

static void half_set(uint8_t *p, enum half h)
{
    if (h == ORDER)
        memcpy(p, order, sizeof(order));
    else if (h != AS_IT_IS)
        memset(p, h == ZERO ? 0 : 0xff, sizeof(order));
}

static void test_a69(const struct crypto *c)
{
    struct key *k = NULL;
    uint8_t sig[SIG_MAX];
    size_t n;
    CHECK(key_generate(KEY_EC_P256, 0, &k) == ERR_OK && sign(c, k, 0, STR("x"), sig, &n) == ERR_OK);
    for (size_t i = 0; i < sizeof(a69) / sizeof(a69[0]); i++) {
        uint8_t bad[64];
        memcpy(bad, sig, sizeof(bad));
        half_set(bad, a69[i].r);
        half_set(bad + 32, a69[i].s);
        CHECK_ROW(verify(c, k, 0, STR("x"), bad, sizeof(bad)) == ERR_SIGNATURE, a69[i].name);
    }
    uint8_t der[80] = {0x30, 0x44, 2, 0x20};
    memcpy(der + 4, sig, 32);
    der[36] = 2, der[37] = 0x20;
    memcpy(der + 38, sig + 32, 32);
    CHECK_ROW(verify(c, k, 0, STR("x"), der, 70) == ERR_SIGNATURE, "A69 DER form");
    CHECK_ROW(verify(c, k, 0, STR("x"), der, 64) == ERR_SIGNATURE, "A69 DER form, cut");
    CHECK_ROW(verify(c, k, 0, STR("x"), sig, 63) == ERR_SIGNATURE, "A69 one byte short");
    memset(sig + 64, 0, 32);
    CHECK_ROW(verify(c, k, 0, STR("x"), sig, 65) == ERR_SIGNATURE, "A69 one byte long");
    CHECK_ROW(verify(c, k, 0, STR("x"), sig, 96) == ERR_SIGNATURE, "A69 the width of P-384");
    key_free(&k);
}

struct job {
    const struct crypto *c;
    const struct key *k;
    size_t row;
    unsigned failed;
};

static void *job_run(void *ctx)
{
    struct job *j = ctx;
    for (unsigned i = 0; i < 100; i++) {
        uint8_t sig[SIG_MAX];
        size_t n;
        struct str data = {(const char *)&i, sizeof(i)};
        j->failed += sign(j->c, j->k, j->row, data, sig, &n) != ERR_OK ||
                     verify(j->c, j->k, j->row, data, sig, n) != ERR_OK;
    }
    return NULL;
}

static void test_threads(const struct crypto *c, size_t row)
{
    enum { THREADS = 24 }; /* more than the pool has places */
    pthread_t t[THREADS];
    struct job jobs[THREADS];
    struct key *k = NULL;
    CHECK_ROW(key_generate(rows[row].kind, rows[row].bits, &k) == ERR_OK, rows[row].name);
    for (unsigned i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){c, k, row, 0};
        CHECK(pthread_create(&t[i], NULL, job_run, &jobs[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        CHECK_ROW(jobs[i].failed == 0, rows[row].name);
    }
    key_free(&k);
}

int main(void)
{
    struct crypto *c = NULL;
    struct arena *a = arena_new(1 << 20);
    CHECK(a && crypto_new(&c) == ERR_OK);
    for (size_t i = 0; i < ROWS; i++)
        test_row(c, i);
    test_mismatch(c);
    test_public_only(c, a);
    test_a69(c);
    test_threads(c, 0); /* ES256 */
    test_threads(c, 7); /* Ed25519 */
    crypto_free(&c);
    arena_free(&a);
    return unit_end("sign");
}
