/* Keys of every kind go out and come back; what is weak, malformed or off its curve does not come in. */
#include "crypto/crypto.h"
#include "base/limits.h"
#include "unit.h"

static const struct {
    const char *name;
    enum key_kind kind;
    unsigned bits;
    size_t part[2];
} kinds[] = {
    {"P-256", KEY_EC_P256, 0, {32, 32}},  {"P-384", KEY_EC_P384, 0, {48, 48}},
    {"P-521", KEY_EC_P521, 0, {66, 66}},  {"K-256", KEY_EC_K256, 0, {32, 32}},
    {"Ed25519", KEY_ED25519, 0, {32, 0}}, {"Ed448", KEY_ED448, 0, {57, 0}},
    {"RSA", KEY_RSA, 2048, {256, 3}},
    {"X25519", KEY_X25519, 0, {32, 0}}, {"X448", KEY_X448, 0, {56, 0}},
};

static bool same_public(const struct key *a, const struct key *b, struct arena *m)
{
    struct str a1, a2, b1, b2;
    return key_public_parts(a, m, &a1, &a2) == ERR_OK && key_public_parts(b, m, &b1, &b2) == ERR_OK &&
           str_eq(a1, b1) && str_eq(a2, b2);
}

static void round_trip(size_t row, struct arena *a)
{
    struct key *k = NULL, *der = NULL, *pem = NULL, *pub = NULL, *parts = NULL;
    struct str text, p1, p2;
    CHECK_ROW(key_generate(kinds[row].kind, kinds[row].bits, &k) == ERR_OK, kinds[row].name);
    CHECK_ROW(key_kind_of(k) == kinds[row].kind && key_is_private(k), kinds[row].name);

    CHECK_ROW(key_to_der(k, a, &text) == ERR_OK && key_from_der(text, &der) == ERR_OK, kinds[row].name);
    CHECK_ROW(key_is_private(der) && same_public(k, der, a), kinds[row].name);
    char *copy = arena_alloc(a, text.n + 1);
    memcpy(copy, text.p, text.n);
    struct key *none = NULL;
    CHECK_ROW(key_from_der((struct str){copy, text.n + 1}, &none) == ERR_KEY, kinds[row].name);
    for (size_t n = 0; n < text.n; n += 7)
        CHECK_ROW(key_from_der((struct str){text.p, n}, &none) == ERR_KEY, kinds[row].name);

    CHECK_ROW(key_to_pem(k, true, a, &text) == ERR_OK && key_from_pem(text, &pem) == ERR_OK, kinds[row].name);
    CHECK_ROW(key_is_private(pem) && same_public(k, pem, a), kinds[row].name);
    CHECK_ROW(key_to_pem(k, false, a, &text) == ERR_OK && key_from_pem(text, &pub) == ERR_OK,
              kinds[row].name);
    CHECK_ROW(!key_is_private(pub) && same_public(k, pub, a), kinds[row].name);
    CHECK_ROW(key_to_der(pub, a, &text) == ERR_KEY && key_to_pem(pub, true, a, &text) == ERR_KEY,
              kinds[row].name);

    CHECK_ROW(key_public_parts(k, a, &p1, &p2) == ERR_OK, kinds[row].name);
    CHECK_ROW(p1.n == kinds[row].part[0] && p2.n == kinds[row].part[1], kinds[row].name);
    CHECK_ROW(key_from_public_parts(kinds[row].kind, p1, p2, &parts) == ERR_OK, kinds[row].name);
    CHECK_ROW(key_kind_of(parts) == kinds[row].kind && !key_is_private(parts) && same_public(k, parts, a),
              kinds[row].name);
    CHECK_ROW(key_from_public_parts(kinds[row].kind, (struct str){p1.p, p1.n - 1}, p2, &none) == ERR_KEY,
              kinds[row].name);
    CHECK_ROW(key_from_public_parts(kinds[row].kind, STR_NONE, STR_NONE, &none) == ERR_KEY, kinds[row].name);
    key_free(&k), key_free(&der), key_free(&pem), key_free(&pub), key_free(&parts);
    CHECK(!k && !none);
}

static void test_curve(struct arena *a)
{
    struct key *k = NULL, *bad = NULL;
    struct str x, y;
    CHECK(key_generate(KEY_EC_P256, 0, &k) == ERR_OK && key_public_parts(k, a, &x, &y) == ERR_OK);
    ((char *)y.p)[31] ^= 1;
    CHECK(key_from_public_parts(KEY_EC_P256, x, y, &bad) == ERR_KEY);
    ((char *)y.p)[31] ^= 1;
    CHECK(key_from_public_parts(KEY_EC_K256, x, y, &bad) ==
          ERR_KEY); /* a point of another curve of the same width */
    char zero[32] = {0}, ones[32];
    memset(ones, 0xff, sizeof(ones));
    CHECK(key_from_public_parts(KEY_EC_P256, (struct str){zero, 32}, (struct str){zero, 32}, &bad) ==
          ERR_KEY);
    CHECK(key_from_public_parts(KEY_EC_P256, (struct str){ones, 32}, (struct str){ones, 32}, &bad) ==
          ERR_KEY);
    key_free(&k);
}

/* n is all ones where nothing else is said: odd, and as long as asked. */
static const struct {
    const char *name;
    size_t n_bytes, e_bytes;
    uint8_t n_first, n_last, e[9];
    bool ok;
} rsas[] = {
    {"2048 bits", 256, 3, 0x80, 1, {1, 0, 1}, true},
    {"2047 bits", 256, 3, 0x7f, 1, {1, 0, 1}, false},
    {"8192 bits", 1024, 3, 0xff, 1, {1, 0, 1}, true},
    {"8193 bits", 1025, 3, 0x01, 1, {1, 0, 1}, false},
    {"e = 3", 256, 1, 0x80, 1, {3}, true},
    {"e = 1", 256, 1, 0x80, 1, {1}, false},
    {"e = 2", 256, 1, 0x80, 1, {2}, false},
    {"e = 0", 256, 1, 0x80, 1, {0}, false},
    {"e even", 256, 3, 0x80, 1, {1, 0, 0}, false},
    {"e of 64 bits", 256, 8, 0x80, 1, {0x80, 0, 0, 0, 0, 0, 0, 1}, true},
    {"e of 65 bits", 256, 9, 0x80, 1, {1, 0, 0, 0, 0, 0, 0, 0, 1}, false},
    {"n even", 256, 3, 0x80, 2, {1, 0, 1}, false},
    {"n with a leading zero", 257, 3, 0, 1, {1, 0, 1}, false},
    {"e with a leading zero", 256, 4, 0x80, 1, {0, 1, 0, 1}, false},
};

static void test_rsa(void)
{
    for (size_t i = 0; i < sizeof(rsas) / sizeof(rsas[0]); i++) {
        uint8_t n[1100];
        struct key *k = NULL;
        memset(n, 0xff, sizeof(n));
        n[0] = rsas[i].n_first;
        n[rsas[i].n_bytes - 1] = rsas[i].n_last;
        err_t e = key_from_public_parts(KEY_RSA, (struct str){(char *)n, rsas[i].n_bytes},
                                        (struct str){(const char *)rsas[i].e, rsas[i].e_bytes}, &k);
        CHECK_ROW(e == (rsas[i].ok ? ERR_OK : ERR_KEY), rsas[i].name);
        key_free(&k);
    }
    struct key *k = NULL;
    CHECK(key_generate(KEY_RSA, LIMIT_RSA_BITS_MIN - 1, &k) == ERR_KEY);
    CHECK(key_generate(KEY_RSA, LIMIT_RSA_BITS + 1, &k) == ERR_KEY);
    CHECK(key_generate((enum key_kind)99, 0, &k) == ERR_KEY);
}

static const char *const bad_pems[] = {
    "",
    "hello",
    "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    /* encrypted: refused without asking on a terminal */
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhwnbVCAWPKrwICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJ4i"
    "5cYzkJqM\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n",
    /* X448 of 32 bytes */
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VvAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n-----END "
    "PUBLIC KEY-----\n",
};

static void test_pem(void)
{
    static char big[LIMIT_KEY_PEM + 1];
    struct key *k = NULL;
    for (size_t i = 0; i < sizeof(bad_pems) / sizeof(bad_pems[0]); i++)
        CHECK_ROW(key_from_pem(str_z(bad_pems[i]), &k) == ERR_KEY, bad_pems[i]);
    memset(big, '-', sizeof(big));
    CHECK(key_from_pem((struct str){big, sizeof(big)}, &k) == ERR_KEY);
    CHECK(key_from_der((struct str){big, LIMIT_KEY_DER + 1}, &k) == ERR_KEY && !k);
}

int main(void)
{
    struct arena *a = arena_new(1 << 20);
    CHECK(a);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        round_trip(i, a);
    test_curve(a);
    test_rsa();
    test_pem();
    arena_free(&a);
    return unit_end("key");
}
