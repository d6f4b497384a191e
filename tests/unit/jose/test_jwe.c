/* What we encrypt ourselves: every algorithm with every kind of key and every content encryption, every kind
 * of damage, and the abuse cases A70 to A73, A75 and A77. */
#include "jose/jwe_parts.h"
#include "base/enc.h"
#include "base/limits.h"
#include "unit.h"
#include <time.h>

#define TEXT "{\"iss\":\"https://as.example\",\"sub\":\"1\"}"
static const struct jwe_accept all = {ALGS_MANAGE, ENCS_ALL};

/* A key of this kind for this algorithm; dir wants one as long as the content's. */
static struct jwk key_for(enum alg alg, enum key_kind kind, enum enc enc)
{
    static const char secret[64] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde";
    const struct alg_row *row = alg_row(alg);
    struct jwk k = {.kid = STR("k1"), .alg = alg};
    size_t n = row->method == MANAGE_DIR     ? enc_row(enc)->key_n
               : row->method == MANAGE_PBES2 ? 20
                                             : row->wrap_n;
    if (kind == KEY_OCT)
        CHECK_ROW(key_from_secret((struct str){secret, n}, &k.key) == ERR_OK, row->name);
    else
        CHECK_ROW(key_generate(kind, kind == KEY_RSA ? 2048 : 0, &k.key) == ERR_OK, row->name);
    return k;
}

static err_t open_with(const struct crypto *c, const struct jwk *k, struct str token, struct arena *a,
                       struct str *ret)
{
    const struct jwks keys = {(struct jwk *)(uintptr_t)k, 1};
    return jwe_decrypt(c, &keys, &all, token, a, ret, NULL);
}

/* --- round trips --- */

static void check_round(const struct crypto *c, const struct jwk *k, enum enc enc)
{
    struct arena *a = arena_new(1 << 20);
    const struct jwks keys = {(struct jwk *)(uintptr_t)k, 1};
    struct jwe_header h = {.typ = STR("JOSE"), .cty = STR("text"), .apu = STR("Alice"), .apv = STR("Bob")},
                      seen = {0};
    const char *name = alg_row(k->alg)->name;
    struct str token = STR_NONE, plain = STR_NONE, texts[] = {STR(TEXT), STR(""), STR("0123456789abcdef")};
    for (size_t i = 0; i < 3; i++) {
        CHECK_ROW(jwe_encrypt(c, k, enc, &h, texts[i], a, &token) == ERR_OK, name);
        CHECK_ROW(jwt_is_encrypted(token), name);
        CHECK_ROW(jwe_decrypt(c, &keys, &all, token, a, &plain, &seen) == ERR_OK && str_eq(plain, texts[i]),
                  name);
    }
    CHECK_ROW(str_is(seen.kid, "k1") && str_is(seen.typ, "JOSE") && str_is(seen.cty, "text"), name);
    CHECK_ROW(str_is(seen.apu, "Alice") && str_is(seen.apv, "Bob") && seen.alg == k->alg && seen.enc == enc,
              name);
    CHECK_ROW(jwe_encrypt(c, k, enc, NULL, STR(TEXT), a, &token) == ERR_OK, name);
    CHECK_ROW(jwe_decrypt(c, &keys, &all, token, a, &plain, NULL) == ERR_OK && str_is(plain, TEXT), name);
    const struct jwe_accept others = {ALGS_MANAGE & ~ALG_BIT(k->alg), ENCS_ALL};
    const struct jwe_accept other_encs = {ALGS_MANAGE, ENCS_ALL & ~ENC_BIT(enc)};
    CHECK_ROW(jwe_decrypt(c, &keys, &others, token, a, &plain, NULL) == ERR_ALG, name);
    CHECK_ROW(jwe_decrypt(c, &keys, &other_encs, token, a, &plain, NULL) == ERR_ALG, name);
    arena_free(&a);
}

/* --- damage --- */

/* One character after the other is another one; `step` passes some over where each try costs a private key.
 */
static void check_turned(const struct crypto *c, const struct jwk *k, struct str token, size_t step)
{
    struct arena *a = arena_new(1 << 20), *keep = arena_new(1 << 20);
    struct str copy = arena_str(keep, token), plain = STR_NONE;
    size_t header_n = str_find(token, '.');
    for (size_t i = 0; i < token.n; i += step) {
        if (token.p[i] == '.')
            continue;
        ((char *)copy.p)[i] = token.p[i] == 'A' ? 'B' : 'A';
        err_t e = open_with(c, k, copy, a, &plain);
        CHECK_ROW(i < header_n ? e != ERR_OK : e == ERR_DECRYPT, alg_row(k->alg)->name);
        ((char *)copy.p)[i] = token.p[i];
        arena_reset(a);
    }
    CHECK_ROW(plain.p == NULL, alg_row(k->alg)->name);
    arena_free(&a);
    arena_free(&keep);
}

static struct str part_of(struct str token, size_t which)
{
    struct str rest = token, part = token;
    for (size_t i = 0; i <= which; i++) {
        part = (struct str){rest.p, str_find(rest, '.')};
        rest.p += part.n + 1;
        rest.n -= part.n < rest.n ? part.n + 1 : rest.n;
    }
    return part;
}

/* Each part empty, four characters shorter, four longer, padded, with foreign characters (A75). */
static void check_parts(const struct crypto *c, const struct jwk *k, struct str token, struct arena *a)
{
    static const struct {
        size_t cut;
        const char *add;
    } rows[] = {{SIZE_MAX, ""}, {4, ""},  {0, "AAAA"}, {0, "="}, {0, "=="},
                {0, " "},       {1, "+"}, {1, "/"},    {0, "."}, {0, "\n"}};
    struct str plain;
    for (size_t part = 0; part < 5; part++) {
        struct str old = part_of(token, part);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            size_t keep = rows[i].cut > old.n ? 0 : old.n - rows[i].cut, before = (size_t)(old.p - token.p);
            if (old.n == 0 && rows[i].add[0] == 0)
                continue;
            struct str bad = arena_fmt(a, "%.*s%s%.*s", (int)(before + keep), token.p, rows[i].add,
                                       (int)(token.n - before - old.n), old.p + old.n);
            CHECK_ROW(open_with(c, k, bad, a, &plain) == ERR_DECRYPT, alg_row(k->alg)->name);
        }
    }
}

static void test_all(const struct crypto *c)
{
    for (unsigned alg = 0; alg < ALG_COUNT; alg++) {
        const struct alg_row *row = alg_row((enum alg)alg);
        for (unsigned kind = 0; kind < KEY_KINDS; kind++) {
            if (!(ALGS_MANAGE & ALG_BIT(alg)) || !(row->kinds & 1u << kind))
                continue;
            bool dear = kind == KEY_RSA || row->method == MANAGE_PBES2;
            for (unsigned enc = 0; enc < ENC_COUNT; enc++) {
                struct arena *a = arena_new(4 << 20);
                struct jwk k = key_for((enum alg)alg, (enum key_kind)kind, (enum enc)enc);
                struct str token = STR_NONE;
                check_round(c, &k, (enum enc)enc);
                CHECK_ROW(jwe_encrypt(c, &k, (enum enc)enc, NULL, STR(TEXT), a, &token) == ERR_OK, row->name);
                if (enc == ENC_A256GCM || enc == ENC_A128CBC_HS256) {
                    check_turned(c, &k, token, dear ? 17 : 1);
                    check_parts(c, &k, token, a);
                }
                key_free(&k.key);
                arena_free(&a);
            }
        }
    }
}

/* --- keys --- */

static void test_keys(const struct crypto *c, struct arena *a)
{
    struct jwk k[3] = {key_for(ALG_A128KW, KEY_OCT, 0), key_for(ALG_A256KW, KEY_OCT, 0),
                       key_for(ALG_ECDH_ES, KEY_X25519, 0)};
    struct str token = STR_NONE, plain;
    struct jwks keys = {k, 3}, last = {&k[1], 2};
    CHECK(jwe_encrypt(c, &k[0], ENC_A128GCM, NULL, STR(TEXT), a, &token) == ERR_OK);
    CHECK(jwe_decrypt(c, &keys, &all, token, a, &plain, NULL) == ERR_OK);
    CHECK(jwe_decrypt(c, &last, &all, token, a, &plain, NULL) == ERR_DECRYPT); /* no key of this alg */
    k[0].kid = STR("k2");
    CHECK(jwe_decrypt(c, &keys, &all, token, a, &plain, NULL) == ERR_DECRYPT); /* of this kid */
    k[0].kid = STR_NONE;
    CHECK(jwe_decrypt(c, &keys, &all, token, a, &plain, NULL) ==
          ERR_OK); /* it has none, and is the only one */
    struct jwk other = k[2];
    other.key = NULL;
    CHECK(key_generate(KEY_X25519, 0, &other.key) == ERR_OK);
    CHECK(jwe_encrypt(c, &other, ENC_A128GCM, NULL, STR(TEXT), a, &token) == ERR_OK);
    CHECK(jwe_decrypt(c, &keys, &all, token, a, &plain, NULL) == ERR_DECRYPT);
    struct jwk wrong = {.kid = STR("k1"), .alg = ALG_A256KW, .key = k[0].key}; /* 128 bits */
    CHECK(jwe_encrypt(c, &wrong, ENC_A128GCM, NULL, STR(TEXT), a, &token) == ERR_KEY);
    wrong.alg = ALG_RSA_OAEP_256;
    CHECK(jwe_encrypt(c, &wrong, ENC_A128GCM, NULL, STR(TEXT), a, &token) == ERR_KEY);
    wrong.alg = ALG_ES256;
    CHECK(jwe_encrypt(c, &wrong, ENC_A128GCM, NULL, STR(TEXT), a, &token) == ERR_ALG);
    CHECK(jwe_encrypt(c, &k[0], ENC_COUNT, NULL, STR(TEXT), a, &token) == ERR_ALG);
    for (size_t i = 0; i < 3; i++)
        key_free(&k[i].key);
    key_free(&other.key);
}

/* --- headers made by hand --- */

static struct str forge(const char *header, const char *encrypted_key, struct arena *a)
{
    struct buf b;
    buf_init(&b, a, LIMIT_JWE);
    enc_b64url(&b, header, strlen(header));
    buf_z(&b, ".");
    buf_z(&b, encrypted_key);
    buf_z(&b, ".AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA");
    return buf_view(&b);
}

#define WRAPPED   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define EPK(rest) "{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"epk\":" rest "}"
#define P256_X    "\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\""
#define P256_Y    "\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\""
#define ZERO      "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
static const struct {
    const char *name, *header, *encrypted_key;
    enum alg alg;
    enum key_kind kind;
    err_t want;
} forged[] = {
    // clang-format off
    {"A70 off the curve", EPK("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" P256_X ",\"y\":" P256_X "}"), "", ALG_ECDH_ES, KEY_EC_P256, ERR_DECRYPT},
    {"A70 infinity", EPK("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" ZERO ",\"y\":" ZERO "}"), "", ALG_ECDH_ES, KEY_EC_P256, ERR_DECRYPT},
    {"A70 another curve", EPK("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":" P256_X ",\"y\":" P256_Y "}"), "", ALG_ECDH_ES, KEY_EC_P256, ERR_DECRYPT},
    {"A70 another kty", EPK("{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":" P256_X ",\"y\":" P256_Y "}"), "", ALG_ECDH_ES, KEY_EC_P256, ERR_DECRYPT},
    {"A70 no y", EPK("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" P256_X "}"), "", ALG_ECDH_ES, KEY_EC_P256, ERR_DECRYPT},
    {"A70 x a number", EPK("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":1,\"y\":" P256_Y "}"), "", ALG_ECDH_ES, KEY_EC_P256, ERR_DECRYPT},
    {"A70 epk a string", EPK("\"P-256\""), "", ALG_ECDH_ES, KEY_EC_P256, ERR_DECRYPT},
    {"A70 no epk", "{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\"}", "", ALG_ECDH_ES, KEY_EC_P256, ERR_DECRYPT},
    {"A70 X25519 of low order", EPK("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":" ZERO "}"), "", ALG_ECDH_ES, KEY_X25519, ERR_DECRYPT},
    {"A70 X25519 with y", EPK("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":" P256_X ",\"y\":" P256_Y "}"), "", ALG_ECDH_ES, KEY_X25519, ERR_DECRYPT},
    {"ECDH-ES with an encrypted key", EPK("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" P256_X ",\"y\":" P256_Y "}"), WRAPPED, ALG_ECDH_ES, KEY_EC_P256, ERR_DECRYPT},
    {"A71 p2c 2^31-1", "{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"p2c\":2147483647}", WRAPPED, ALG_PBES2_HS256_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A71 p2c 0", "{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"p2c\":0}", WRAPPED, ALG_PBES2_HS256_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A71 p2c -1", "{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"p2c\":-1}", WRAPPED, ALG_PBES2_HS256_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A71 p2c a fraction", "{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"p2c\":4096.5}", WRAPPED, ALG_PBES2_HS256_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A71 no p2c", "{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAAAAAAAA\"}", WRAPPED, ALG_PBES2_HS256_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A71 short p2s", "{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAA\",\"p2c\":4096}", WRAPPED, ALG_PBES2_HS256_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A71 no p2s", "{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2c\":4096}", WRAPPED, ALG_PBES2_HS256_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A72 zip", "{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"zip\":\"DEF\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_JWE_ZIP},
    {"A77 RSA1_5", "{\"alg\":\"RSA1_5\",\"enc\":\"A128GCM\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_JWE_RSA1_5},
    {"unknown alg", "{\"alg\":\"A512KW\",\"enc\":\"A128GCM\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_ALG},
    {"alg of signatures", "{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_ALG},
    {"alg in another case", "{\"alg\":\"a128kw\",\"enc\":\"A128GCM\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_ALG},
    {"no alg", "{\"enc\":\"A128GCM\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_ALG},
    {"no enc", "{\"alg\":\"A128KW\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_ALG},
    {"alg a number", "{\"alg\":1,\"enc\":\"A128GCM\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A68 crit", "{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"crit\":[\"exp\"],\"exp\":1}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A74 a member twice", "{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"alg\":\"A128KW\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_DECRYPT},
    {"no JSON", "alg", WRAPPED, ALG_A128KW, KEY_OCT, ERR_DECRYPT},
    {"A66 jwk, jku", "{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},\"jku\":\"http://127.0.0.1:1\"}", WRAPPED, ALG_A128KW, KEY_OCT, ERR_DECRYPT},
    {"GCMKW without iv and tag", "{\"alg\":\"A128GCMKW\",\"enc\":\"A128GCM\"}", "AAAAAAAAAAAAAAAAAAAAAA", ALG_A128GCMKW, KEY_OCT, ERR_DECRYPT},
    {"GCMKW with a short tag", "{\"alg\":\"A128GCMKW\",\"enc\":\"A128GCM\",\"iv\":\"AAAAAAAAAAAAAAAA\",\"tag\":\"AAAAAA\"}", "AAAAAAAAAAAAAAAAAAAAAA", ALG_A128GCMKW, KEY_OCT, ERR_DECRYPT},
    // clang-format on
};

static void test_forged(const struct crypto *c, struct arena *a)
{
    clock_t begin = clock();
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        struct jwk k = key_for(forged[i].alg, forged[i].kind, ENC_A128GCM);
        struct str plain;
        CHECK_ROW(open_with(c, &k, forge(forged[i].header, forged[i].encrypted_key, a), a, &plain) ==
                      forged[i].want,
                  forged[i].name);
        key_free(&k.key);
    }
    CHECK((double)(clock() - begin) / CLOCKS_PER_SEC < 2); /* not a round of 2^31 was run */
}

/* A70: seen before the private key is used. */
static void test_points(struct arena *a)
{
    static const struct {
        enum key_kind kind;
        uint8_t first, fill, last;
        int at; /* one byte elsewhere, or -1 */
        uint8_t value;
    } rows[] = {
        {KEY_X25519, 0, 0, 0, -1, 0},
        {KEY_X25519, 1, 0, 0, -1, 0},
        {KEY_X25519, 0xec, 0xff, 0x7f, -1, 0},
        {KEY_X25519, 0xed, 0xff, 0x7f, -1, 0},
        {KEY_X25519, 0xee, 0xff, 0x7f, -1, 0},
        {KEY_X25519, 0xed, 0xff, 0xff, -1, 0},
        {KEY_X448, 0, 0, 0, -1, 0},
        {KEY_X448, 1, 0, 0, -1, 0},
        {KEY_X448, 0xfe, 0xff, 0xff, 28, 0xfe},
        {KEY_X448, 0xff, 0xff, 0xff, 28, 0xfe},
    };
    uint8_t z[ECDH_MAX];
    size_t n;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size = rows[i].kind == KEY_X25519 ? 32 : 56;
        char u[56];
        struct key *own = NULL, *other = NULL;
        memset(u, rows[i].fill, size);
        u[0] = (char)rows[i].first;
        u[size - 1] = (char)rows[i].last;
        if (rows[i].at >= 0)
            u[rows[i].at] = (char)rows[i].value;
        CHECK(key_generate(rows[i].kind, 0, &own) == ERR_OK);
        err_t e = key_from_public_parts(rows[i].kind, (struct str){u, size}, STR_NONE, &other);
        CHECK(e == ERR_KEY || (e == ERR_OK && ecdh(own, other, z, &n) == ERR_KEY));
        key_free(&own);
        key_free(&other);
    }
    struct key *p256 = NULL, *p384 = NULL;
    CHECK(key_generate(KEY_EC_P256, 0, &p256) == ERR_OK && key_generate(KEY_EC_P384, 0, &p384) == ERR_OK);
    CHECK(ecdh(p256, p384, z, &n) == ERR_KEY);
    key_free(&p256);
    key_free(&p384);
    (void)a;
}

/* A77, RFC 7516 section 11.5: a wrapped key that does not open is no error of its own; another key stands in
 * for it, never the same twice. */
static void test_stand_in(const struct crypto *c, struct arena *a)
{
    static const enum alg algs[] = {ALG_RSA_OAEP, ALG_RSA_OAEP_256, ALG_A128KW, ALG_A256GCMKW,
                                    ALG_ECDH_ES_A128KW};
    for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        const char *name = alg_row(algs[i])->name;
        struct jwk k = key_for(algs[i], alg_row(algs[i])->kind, ENC_A128GCM);
        struct jwe_params p = jwe_params_of(&k, ENC_A128GCM, NULL);
        uint8_t cek[3][CEK_MAX] = {{0}};
        struct str encrypted = STR_NONE;
        CHECK_ROW(jwe_key_make(c, &k, &p, false, cek[0], a, &encrypted) == ERR_OK, name);
        CHECK_ROW(jwe_key_recover(c, &k, &p, encrypted, cek[1], a) == ERR_OK &&
                      memcmp(cek[0], cek[1], 16) == 0,
                  name);
        ((char *)encrypted.p)[1] ^= 1;
        CHECK_ROW(jwe_key_recover(c, &k, &p, encrypted, cek[1], a) == ERR_OK, name);
        CHECK_ROW(jwe_key_recover(c, &k, &p, encrypted, cek[2], a) == ERR_OK, name);
        CHECK_ROW(memcmp(cek[1], cek[0], 16) != 0 && memcmp(cek[1], cek[2], 16) != 0, name);
        struct jwe_params longer = p; /* a sound key of another length */
        longer.enc = ENC_A256GCM;
        ((char *)encrypted.p)[1] ^= 1;
        err_t e = jwe_key_recover(c, &k, &longer, encrypted, cek[2], a);
        CHECK_ROW((e == ERR_OK && memcmp(cek[2], cek[0], 16) != 0) || e == ERR_DECRYPT, name);
        key_free(&k.key);
    }
}

/* --- nested --- */

static void test_nested(const struct crypto *c, struct arena *a)
{
    struct jwk k = key_for(ALG_DIR, KEY_OCT, ENC_A256GCM), s = {.kid = STR("s"), .alg = ALG_ES256};
    const struct jwks keys = {&k, 1};
    struct str inner = STR_NONE, token = STR_NONE, got = STR_NONE, payload;
    const struct jwe_header jwt = {.cty = STR("JWT")};
    CHECK(key_generate(KEY_EC_P256, 0, &s.key) == ERR_OK &&
          jws_sign(c, &s, STR("JWT"), STR(TEXT), a, &inner) == ERR_OK);
    CHECK(jwt_encrypt(c, &k, ENC_A256GCM, inner, a, &token) == ERR_OK);
    CHECK(jwt_decrypt(c, &keys, &all, token, a, &got) == ERR_OK && str_eq(got, inner));
    CHECK(jws_verify(c, &s, got, a, &payload) == ERR_OK && str_is(payload, TEXT));
    CHECK(!jwt_is_encrypted(inner) && jwt_decrypt(c, &keys, &all, inner, a, &got) == ERR_DECRYPT);
    CHECK(jwe_encrypt(c, &k, ENC_A256GCM, NULL, inner, a, &token) == ERR_OK); /* no cty */
    CHECK(jwt_decrypt(c, &keys, &all, token, a, &got) == ERR_DECRYPT);
    CHECK(jwe_encrypt(c, &k, ENC_A256GCM, &jwt, STR(TEXT), a, &token) == ERR_OK); /* A73: nobody signed it */
    CHECK(jwt_decrypt(c, &keys, &all, token, a, &got) == ERR_DECRYPT);
    CHECK(jws_verify(c, &s, token, a, &payload) == ERR_TOKEN_INVALID);
    key_free(&k.key);
    key_free(&s.key);
}

/* --- JSON --- */

static void test_json(const struct crypto *c, struct arena *a)
{
    struct jwk k[LIMIT_JWE_RECIPIENTS + 1];
    const struct jwe_json general = {.aad = STR("seen")}, flat = {.flattened = true};
    struct jwe_header seen = {0};
    struct str text = STR_NONE, plain = STR_NONE, aad = STR_NONE;
    static const enum alg algs[] = {ALG_A128KW, ALG_ECDH_ES_A256KW, ALG_RSA_OAEP, ALG_A256GCMKW};
    for (size_t i = 0; i <= LIMIT_JWE_RECIPIENTS; i++) {
        k[i] = key_for(algs[i < 4 ? i : 0], alg_row(algs[i < 4 ? i : 0])->kind, 0);
        k[i].kid = arena_fmt(a, "k%zu", i);
    }
    struct jwks to = {k, 4};
    CHECK(jwe_json_encrypt(c, &to, ENC_A128CBC_HS256, NULL, &general, STR(TEXT), a, &text) == ERR_OK);
    for (size_t i = 0; i < 4; i++) {
        struct jwks own = {&k[i], 1};
        CHECK(jwe_json_decrypt(c, &own, &all, text, a, &plain, &seen, &aad) == ERR_OK && str_is(plain, TEXT));
        CHECK(str_eq(seen.kid, k[i].kid) && seen.alg == k[i].alg && str_is(aad, "seen"));
        CHECK(jwe_decrypt(c, &own, &all, text, a, &plain, NULL) ==
              ERR_DECRYPT); /* A73: the compact form only */
    }
    to.n = LIMIT_JWE_RECIPIENTS;
    CHECK(jwe_json_encrypt(c, &to, ENC_A128GCM, NULL, &general, STR(TEXT), a, &text) == ERR_OK);
    CHECK(jwe_json_decrypt(c, &to, &all, text, a, &plain, NULL, NULL) == ERR_OK);
    to.n++;
    CHECK(jwe_json_encrypt(c, &to, ENC_A128GCM, NULL, &general, STR(TEXT), a, &text) == ERR_KEY);
    to.n = 1;
    CHECK(jwe_json_encrypt(c, &to, ENC_A128GCM, NULL, &flat, STR(TEXT), a, &text) == ERR_OK);
    CHECK(jwe_json_decrypt(c, &to, &all, text, a, &plain, NULL, &aad) == ERR_OK && !aad.p &&
          str_is(plain, TEXT));
    struct str copy = arena_str(a, text);
    for (size_t i = 0; i < text.n; i++) {
        ((char *)copy.p)[i] = (char)(text.p[i] == 'A' ? 'B' : 'A');
        CHECK(jwe_json_decrypt(c, &to, &all, copy, a, &plain, NULL, NULL) != ERR_OK);
        ((char *)copy.p)[i] = text.p[i];
    }
    to.n = 2;
    CHECK(jwe_json_encrypt(c, &to, ENC_A128GCM, NULL, &flat, STR(TEXT), a, &text) == ERR_KEY);
    k[0].alg = ALG_DIR;
    CHECK(jwe_json_encrypt(c, &to, ENC_A128GCM, NULL, &general, STR(TEXT), a, &text) == ERR_ALG);
    for (size_t i = 0; i <= LIMIT_JWE_RECIPIENTS; i++)
        key_free(&k[i].key);
}

/* Names that come twice, forms mixed, members of wrong types. */
static void test_json_bad(const struct crypto *c, struct arena *a)
{
#define TAIL "\"iv\":\"AAAAAAAAAAAAAAAA\",\"ciphertext\":\"AAAA\",\"tag\":\"AAAAAAAAAAAAAAAAAAAAAA\"}"
    static const char *const texts[] = {
        "[]",
        "{}",
        "{" TAIL,
        "{\"recipients\":[]," TAIL,
        "{\"recipients\":{}," TAIL,
        "{\"recipients\":[1]," TAIL,
        "{\"protected\":\"e30\",\"header\":{\"alg\":\"A128KW\",\"enc\":\"A128GCM\"},\"unprotected\":{\"alg\":"
        "\"A128KW\"}," TAIL,
        "{\"header\":{\"alg\":\"A128KW\",\"enc\":\"A128GCM\"},\"recipients\":[{}]," TAIL,
        "{\"protected\":1," TAIL,
        "{\"protected\":\"e30=\"," TAIL,
        "{\"protected\":\"W10\",\"header\":{\"alg\":\"A128KW\",\"enc\":\"A128GCM\"}," TAIL,
        "{\"header\":[]," TAIL,
        "{\"unprotected\":1," TAIL,
        "{\"header\":{\"alg\":\"A128KW\",\"enc\":\"A128GCM\"},\"encrypted_key\":7," TAIL,
    };
    struct jwk k = key_for(ALG_A128KW, KEY_OCT, 0);
    const struct jwks keys = {&k, 1};
    struct str plain;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        err_t e = jwe_json_decrypt(c, &keys, &all, str_z(texts[i]), a, &plain, NULL, NULL);
        CHECK_ROW(e == ERR_DECRYPT || e == ERR_ALG, texts[i]);
    }
    key_free(&k.key);
}

/* --- limits --- */

static void test_limits(const struct crypto *c)
{
    static char long_text[LIMIT_JWE + 1];
    struct arena *a = arena_new(16 << 20);
    struct jwk k = key_for(ALG_DIR, KEY_OCT, ENC_A128GCM), ec = key_for(ALG_ECDH_ES, KEY_X25519, ENC_A128GCM);
    struct jwe_header h = {0};
    struct str token = STR_NONE, plain;
    memset(long_text, 'x', sizeof(long_text));
    CHECK(jwe_encrypt(c, &k, ENC_A128GCM, NULL, STR(""), a, &token) == ERR_OK);
    size_t room = (LIMIT_JWE - token.n) / 4 * 3;
    CHECK(jwe_encrypt(c, &k, ENC_A128GCM, NULL, (struct str){long_text, room}, a, &token) == ERR_OK);
    CHECK(token.n <= LIMIT_JWE && open_with(c, &k, token, a, &plain) == ERR_OK && plain.n == room);
    CHECK(jwe_encrypt(c, &k, ENC_A128GCM, NULL, (struct str){long_text, room + 4}, a, &token) ==
          ERR_TOO_LARGE);
    CHECK(jwe_encrypt(c, &k, ENC_A128GCM, NULL, (struct str){long_text, LIMIT_JWE + 1}, a, &token) ==
          ERR_TOO_LARGE);
    CHECK(open_with(c, &k, (struct str){long_text, LIMIT_JWE + 1}, a, &plain) == ERR_DECRYPT);
    h.apu = (struct str){long_text, LIMIT_JWE_PARTY};
    CHECK(jwe_encrypt(c, &ec, ENC_A128GCM, &h, STR(""), a, &token) == ERR_OK &&
          open_with(c, &ec, token, a, &plain) == ERR_OK);
    h.apu.n++;
    CHECK(jwe_encrypt(c, &ec, ENC_A128GCM, &h, STR(""), a, &token) == ERR_TOO_LARGE);
    h = (struct jwe_header){.typ = {long_text, LIMIT_JWE_HEADER}};
    CHECK(jwe_encrypt(c, &k, ENC_A128GCM, &h, STR(""), a, &token) == ERR_TOO_LARGE);
    key_free(&k.key);
    key_free(&ec.key);
    arena_free(&a);
}

int main(void)
{
    struct crypto *c = NULL;
    struct arena *a = arena_new(8 << 20);
    CHECK(a && crypto_new(&c) == ERR_OK);
    test_all(c);
    test_keys(c, a);
    test_forged(c, a);
    test_points(a);
    test_stand_in(c, a);
    test_nested(c, a);
    test_json(c, a);
    test_json_bad(c, a);
    test_limits(c);
    crypto_free(&c);
    arena_free(&a);
    return unit_end("jwe");
}
