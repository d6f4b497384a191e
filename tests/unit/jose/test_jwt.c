/* The abuse cases against tokens, each row named by its id: A64 to A69, A74, A75, A78. A row is a header and
 * a payload that get a true signature, so that what refuses them is the check the row is about. */
#include "jose/jose.h"
#include "base/limits.h"
#include "crypto/vectors.h"

#define NOW     1800000000
#define ISS     "\"iss\":\"https://as.example\""
#define AUD     "\"aud\":\"https://api.example\""
#define EXP     "\"exp\":1800000300"
#define IAT     "\"iat\":1800000000"
#define HEADER  "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}"
#define PAYLOAD "{" ISS "," AUD "," EXP "," IAT ",\"sub\":\"u1\"}"

struct world {
    struct crypto *c;
    struct jwk v[4];
    struct jwks one, all; /* k1 alone; k1, k2 (ES256), rsa, ed */
};

static const struct str audience[] = {{"https://api.example", 19}, {"https://other.example", 21}};
static const struct jwt_profile profile = {
    .typ = "at+jwt",
    .algs = ALG_BIT(ALG_ES256) | ALG_BIT(ALG_RS256) | ALG_BIT(ALG_EDDSA),
    .iss = {"https://as.example", 18},
    .aud = {audience, 1},
    .azp = {"web", 3},
    .skew_s = 5,
    .max_life_s = 3600,
};

static struct str b64(struct arena *a, struct str s)
{
    struct buf b;
    buf_init(&b, a, 1 << 20);
    enc_b64url(&b, s.p, s.n);
    CHECK(buf_ok(&b));
    return buf_view(&b);
}

/* A token over these very bytes, truly signed by k. */
static struct str forge(const struct world *w, const struct jwk *k, struct str header, struct str payload,
                        struct arena *a)
{
    const struct alg_row *row = alg_row(k->alg);
    struct str input = arena_fmt(a, "%.*s.%.*s", STR_ARG(b64(a, header)), STR_ARG(b64(a, payload)));
    uint8_t sig[SIG_MAX];
    size_t n = 0;
    CHECK(key_sign(w->c, k->key, row->scheme, row->digest, input, sig, &n) == ERR_OK);
    return arena_fmt(a, "%.*s.%.*s", STR_ARG(input), STR_ARG(b64(a, (struct str){(char *)sig, n})));
}

static bool trusted_by(const struct world *w, const struct jwks *keys, const struct jwt_profile *p,
                       struct str token, struct arena *a)
{
    struct jwt t = {.exp_s = -1};
    struct fault f = {0};
    err_t e = jwt_verify(w->c, token, keys, p, NOW, a, &t, &f);
    CHECK(e == ERR_OK ||
          (e == ERR_TOKEN_INVALID && f.code == ERR_TOKEN_INVALID && f.detail[0] && t.exp_s == -1));
    return e == ERR_OK;
}

static bool trusted(const struct world *w, struct str token, struct arena *a)
{
    return trusted_by(w, &w->all, &profile, token, a);
}

#define H(members) "{" members "\"typ\":\"at+jwt\",\"kid\":\"k1\"}"
#define P(members) "{" ISS "," AUD "," members "}"
static const struct {
    const char *name;
    bool ok;
    const char *header, *payload;
} rows[] = {
    {"sound", true, HEADER, PAYLOAD},
    {"A64 none", false, H("\"alg\":\"none\","), PAYLOAD},
    {"A64 None", false, H("\"alg\":\"None\","), PAYLOAD},
    {"A64 nOnE", false, H("\"alg\":\"nOnE\","), PAYLOAD},
    {"A64 empty", false, H("\"alg\":\"\","), PAYLOAD},
    {"A64 missing", false, H(""), PAYLOAD},
    {"A64 number", false, H("\"alg\":256,"), PAYLOAD},
    {"A64 null", false, H("\"alg\":null,"), PAYLOAD},
    {"A64 list", false, H("\"alg\":[\"ES256\"],"), PAYLOAD},
    {"A64 other case", false, H("\"alg\":\"es256\","), PAYLOAD},
    {"A64 with a space", false, H("\"alg\":\"ES256 \","), PAYLOAD},
    {"A64 twice", false, H("\"alg\":\"ES256\",\"alg\":\"none\","), PAYLOAD},
    {"A64 twice, escaped", false, H("\"alg\":\"ES256\",\"\\u0061lg\":\"none\","), PAYLOAD},
    {"A65 HS256", false, H("\"alg\":\"HS256\","), PAYLOAD},
    {"A65 of another key's kind", false, H("\"alg\":\"RS256\","), PAYLOAD},
    {"A65 EdDSA for an EC key", false, H("\"alg\":\"EdDSA\","), PAYLOAD},
    {"A66 jku is passed over", true, H("\"alg\":\"ES256\",\"jku\":\"https://evil.example/jwks\","), PAYLOAD},
    {"A66 jwk is passed over", true, H("\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\"},"), PAYLOAD},
    {"A66 x5u is passed over", true, H("\"alg\":\"ES256\",\"x5u\":\"file:///etc/passwd\","), PAYLOAD},
    {"A66 x5c is passed over", true, H("\"alg\":\"ES256\",\"x5c\":[\"MIIB\"],"), PAYLOAD},
    {"A67 path", false, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"../../dev/null\"}", PAYLOAD},
    {"A67 SQL", false, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"x' UNION SELECT 'k\"}", PAYLOAD},
    {"A67 NUL", false, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\\u0000\"}", PAYLOAD},
    {"A67 absent with several keys", false, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", PAYLOAD},
    {"A67 empty", false, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\"}", PAYLOAD},
    {"A67 number", false, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":1}", PAYLOAD},
    {"A67 another key's", false, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k2\"}", PAYLOAD},
    {"A67 other case", false, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"K1\"}", PAYLOAD},
    {"A68 unknown crit", false, H("\"alg\":\"ES256\",\"crit\":[\"x\"],\"x\":1,"), PAYLOAD},
    {"A68 crit of a known name", false, H("\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1,"), PAYLOAD},
    {"A68 crit empty", false, H("\"alg\":\"ES256\",\"crit\":[],"), PAYLOAD},
    {"A68 crit null", false, H("\"alg\":\"ES256\",\"crit\":null,"), PAYLOAD},
    {"A68 b64 false", false, H("\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"],"), PAYLOAD},
    {"A68 b64 false without crit", false, H("\"alg\":\"ES256\",\"b64\":false,"), PAYLOAD},
    {"A68 b64 true", false, H("\"alg\":\"ES256\",\"b64\":true,"), PAYLOAD},
    {"typ of an id token", false, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"k1\"}", PAYLOAD},
    {"typ missing", false, "{\"alg\":\"ES256\",\"kid\":\"k1\"}", PAYLOAD},
    {"typ a number", false, "{\"alg\":\"ES256\",\"typ\":1,\"kid\":\"k1\"}", PAYLOAD},
    {"typ in full", true, "{\"alg\":\"ES256\",\"typ\":\"application/at+jwt\",\"kid\":\"k1\"}", PAYLOAD},
    {"typ in capitals", true, "{\"alg\":\"ES256\",\"typ\":\"APPLICATION/AT+JWT\",\"kid\":\"k1\"}", PAYLOAD},
    {"A74 member twice", false, HEADER, P(EXP "," IAT "," EXP)},
    {"A74 unknown member twice", false, HEADER, P(EXP "," IAT ",\"x\":1,\"x\":1")},
    {"A74 member of a member twice", false, HEADER, P(EXP "," IAT ",\"x\":{\"y\":1,\"y\":2}")},
    {"A74 member twice, escaped", false, HEADER, P(EXP "," IAT ",\"\\u0065xp\":9999999999")},
    {"A74 header member twice", false, H("\"alg\":\"ES256\",\"x\":1,\"x\":1,"), PAYLOAD},
    {"A74 bad UTF-8", false, HEADER, P(EXP "," IAT ",\"sub\":\"\xff\"")},
    {"A74 overlong UTF-8", false, HEADER, P(EXP "," IAT ",\"sub\":\"\xc0\x80\"")},
    {"A74 lone surrogate", false, HEADER, P(EXP "," IAT ",\"sub\":\"\\ud800\"")},
    {"A74 control character", false, HEADER, P(EXP "," IAT ",\"sub\":\"\n\"")},
    {"A74 NUL in a claim", false, HEADER, P(EXP "," IAT ",\"sub\":\"a\\u0000\"")},
    {"A74 exp 1e999", false, HEADER, P("\"exp\":1e999," IAT)},
    {"A74 exp 1e12", false, HEADER, P("\"exp\":1e12," IAT)},
    {"A74 exp string", false, HEADER, P("\"exp\":\"1800000300\"," IAT)},
    {"A74 exp negative", false, HEADER, P("\"exp\":-1800000300," IAT)},
    {"A74 exp null", false, HEADER, P("\"exp\":null," IAT)},
    {"A74 exp true", false, HEADER, P("\"exp\":true," IAT)},
    {"A74 exp beyond 64 bits", false, HEADER, P("\"exp\":99999999999999999999," IAT)},
    {"A74 exp beyond any date", false, HEADER, P("\"exp\":253402300800," IAT)},
    {"A74 exp with a leading zero", false, HEADER, P("\"exp\":01800000300," IAT)},
    {"A74 exp hexadecimal", false, HEADER, P("\"exp\":0x7fffffff," IAT)},
    {"A74 iat string", false, HEADER, P(EXP ",\"iat\":\"x\"")},
    {"A74 nbf list", false, HEADER, P(EXP "," IAT ",\"nbf\":[]")},
    {"A74 sub a number", false, HEADER, P(EXP "," IAT ",\"sub\":1")},
    {"A74 jti an object", false, HEADER, P(EXP "," IAT ",\"jti\":{}")},
    {"A74 aud with a number", false, HEADER, "{" ISS "," EXP "," IAT ",\"aud\":[\"https://api.example\",1]}"},
    {"A74 aud an object", false, HEADER, "{" ISS "," EXP "," IAT ",\"aud\":{\"https://api.example\":1}}"},
    {"A74 text behind", false, HEADER, PAYLOAD "x"},
    {"A74 text before", false, HEADER, "x" PAYLOAD},
    {"A74 a list", false, HEADER, "[" PAYLOAD "]"},
    {"A74 comment", false, HEADER, P(EXP "," IAT "/**/")},
    {"A74 trailing comma", false, HEADER, P(EXP "," IAT ",")},
    {"A74 byte order mark", false, HEADER, "\xef\xbb\xbf" PAYLOAD},
    {"exp with a fraction", true, HEADER, P("\"exp\":1800000300.75," IAT)},
    {"A78 wrong iss", false, HEADER, "{\"iss\":\"https://evil.example\"," AUD "," EXP "," IAT "}"},
    {"A78 iss of another tenant", false, HEADER,
     "{\"iss\":\"https://as.example/t/b\"," AUD "," EXP "," IAT "}"},
    {"A78 iss with a slash", false, HEADER, "{\"iss\":\"https://as.example/\"," AUD "," EXP "," IAT "}"},
    {"A78 iss missing", false, HEADER, "{" AUD "," EXP "," IAT "}"},
    {"A78 iss a list", false, HEADER, "{\"iss\":[\"https://as.example\"]," AUD "," EXP "," IAT "}"},
    {"A78 wrong aud", false, HEADER, "{" ISS "," EXP "," IAT ",\"aud\":\"https://other.example\"}"},
    {"A78 aud a beginning", false, HEADER, "{" ISS "," EXP "," IAT ",\"aud\":\"https://api.example/x\"}"},
    {"A78 aud missing", false, HEADER, "{" ISS "," EXP "," IAT "}"},
    {"A78 aud empty list", false, HEADER, "{" ISS "," EXP "," IAT ",\"aud\":[]}"},
    {"A78 aud list without us", false, HEADER, "{" ISS "," EXP "," IAT ",\"aud\":[\"a\",\"b\"]}"},
    {"aud list with us", true, HEADER,
     "{" ISS "," EXP "," IAT ",\"aud\":[ \"a\\\"]\" , \"https:\\/\\/api.example\" ]}"},
    {"A78 wrong azp", false, HEADER, P(EXP "," IAT ",\"azp\":\"other\"")},
    {"A78 azp a list", false, HEADER, P(EXP "," IAT ",\"azp\":[\"web\"]")},
    {"azp", true, HEADER, P(EXP "," IAT ",\"azp\":\"web\"")},
    {"A78 exp missing", false, HEADER, P(IAT)},
    {"A78 exp 0", false, HEADER, P("\"exp\":0," IAT)},
    {"A78 expired, at the skew", false, HEADER, P("\"exp\":1799999995,\"iat\":1799999900")},
    {"expired, within the skew", true, HEADER, P("\"exp\":1799999996,\"iat\":1799999900")},
    {"A78 iat in the future, beyond the skew", false, HEADER, P(EXP ",\"iat\":1800000006")},
    {"iat in the future, at the skew", true, HEADER, P(EXP ",\"iat\":1800000005")},
    {"A78 nbf beyond the skew", false, HEADER, P(EXP "," IAT ",\"nbf\":1800000006")},
    {"nbf at the skew", true, HEADER, P(EXP "," IAT ",\"nbf\":1800000005")},
    {"longest life", true, HEADER, P("\"exp\":1800003600," IAT)},
    {"A78 longer life", false, HEADER, P("\"exp\":1800003601," IAT)},
    {"A78 longer life without iat", false, HEADER, P("\"exp\":1800003601")},
    {"without iat", true, HEADER, P("\"exp\":1800003600")},
};

static void test_rows(const struct world *w)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *a = arena_new(1 << 20);
        struct str token = forge(w, &w->v[0], str_z(rows[i].header), str_z(rows[i].payload), a);
        CHECK_ROW(trusted(w, token, a) == rows[i].ok, rows[i].name);
        arena_free(&a);
    }
}

/* The shape of the text (A75), on a token that is sound otherwise. */
static void test_a75(const struct world *w, struct arena *a)
{
    struct str t = forge(w, &w->v[0], str_z(HEADER), str_z(PAYLOAD), a);
    struct str h = {t.p, str_find(t, '.')}, rest = {t.p + h.n + 1, t.n - h.n - 1};
    struct str p = {rest.p, str_find(rest, '.')}, s = {rest.p + p.n + 1, rest.n - p.n - 1};
    CHECK(trusted(w, t, a));
    static const struct {
        const char *name, *fmt;
    } shapes[] = {
        {"A75 = behind the header", "%.*s=.%.*s.%.*s"},
        {"A75 = behind the payload", "%.*s.%.*s=.%.*s"},
        {"A75 == behind the signature", "%.*s.%.*s.%.*s=="},
        {"A75 space before", " %.*s.%.*s.%.*s"},
        {"A75 space behind", "%.*s.%.*s.%.*s "},
        {"A75 newline behind", "%.*s.%.*s.%.*s\n"},
        {"A75 space inside", "%.*s. %.*s.%.*s"},
        {"A75 four parts", "%.*s.%.*s.%.*s."},
        {"A75 five parts (JWE)", "%.*s.%.*s.%.*s.AA.AA"},
        {"A75 empty part before", ".%.*s.%.*s.%.*s"},
        {"A75 + inside", "%.*s.%.*s.+%.*s"},
        {"A75 / inside", "%.*s./%.*s.%.*s"},
        {"A73 flattened JSON", "{\"protected\":\"%.*s\",\"payload\":\"%.*s\",\"signature\":\"%.*s\"}"},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct buf b;
        buf_init(&b, a, LIMIT_JWT);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_fmt(&b, shapes[i].fmt, STR_ARG(h), STR_ARG(p), STR_ARG(s));
#pragma GCC diagnostic pop
        CHECK_ROW(buf_ok(&b) && !trusted(w, buf_view(&b), a), shapes[i].name);
    }
    /* 64 bytes are 86 characters: the last one carries four bits that must be zero. */
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct str copy = arena_str(a, t);
    char *last = (char *)copy.p + copy.n - 1;
    for (size_t low = 1; low < 16; low++) {
        *last = alphabet[(size_t)(strchr(alphabet, t.p[t.n - 1]) - alphabet) + low];
        CHECK_ROW(!trusted(w, copy, a), "A75 non-zero trailing bits");
    }
    static const char *const short_ones[] = {
        "", ".", "..", "a.b", "a.b.c", "eyJhbGciOiJFUzI1NiJ9..", "eyJhbGciOiJFUzI1NiJ9.e30."};
    for (size_t i = 0; i < sizeof(short_ones) / sizeof(short_ones[0]); i++)
        CHECK_ROW(!trusted(w, str_z(short_ones[i]), a), short_ones[i]);
    CHECK(!trusted(w, STR_NONE, a));
}

/* Every single character matters. */
static void test_turned(const struct world *w)
{
    struct arena *a = arena_new(1 << 20), *b = arena_new(1 << 20);
    struct str t = forge(w, &w->v[0], str_z(HEADER), str_z(PAYLOAD), a);
    for (size_t i = 0; i < t.n; i++) {
        char *c = (char *)t.p + i, was = *c;
        *c = was == 'A' ? 'B' : 'A';
        CHECK(!trusted(w, t, b));
        CHECK(!trusted(w, (struct str){t.p, i}, b));
        *c = was;
        arena_reset(b);
    }
    CHECK(trusted(w, t, b));
    arena_free(&a);
    arena_free(&b);
}

/* HMAC with the public key's text as its secret, in the forms attackers have tried. */
static void test_a65(const struct world *w, struct arena *a)
{
    const struct jwk *rsa = &w->v[2];
    struct str pem, n, e;
    CHECK(key_to_pem(rsa->key, false, a, &pem) == ERR_OK && key_public_parts(rsa->key, a, &n, &e) == ERR_OK);
    struct buf b;
    struct jw jw;
    buf_init(&b, a, 4096);
    jw_init(&jw, &b);
    CHECK(jwk_print_public(rsa, a, &jw) == ERR_OK);
    const struct {
        const char *name;
        struct str secret;
    } secrets[] = {{"A65 PEM", pem}, {"A65 JWK", buf_view(&b)}, {"A65 modulus", n}, {"A65 empty", STR_NONE}};
    static const char *const algs[] = {"HS256", "RS256"};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        for (size_t j = 0; j < 2; j++) {
            struct str header = arena_fmt(a, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"rsa\"}", algs[j]);
            struct str input =
                arena_fmt(a, "%.*s.%.*s", STR_ARG(b64(a, header)), STR_ARG(b64(a, str_z(PAYLOAD))));
            uint8_t mac[SHA256_SIZE];
            hmac_sha256(w->c, secrets[i].secret, input, mac);
            struct str token = arena_fmt(a, "%.*s.%.*s", STR_ARG(input),
                                         STR_ARG(b64(a, (struct str){(char *)mac, sizeof(mac)})));
            CHECK_ROW(!trusted(w, token, a), secrets[i].name);
        }
    }
}

/* A key of the attacker's own, carried along in the header. */
static void test_a66(const struct world *w, struct arena *a)
{
    struct jwk evil = {.kid = STR("k1"), .alg = ALG_ES256};
    CHECK(key_generate(KEY_EC_P256, 0, &evil.key) == ERR_OK);
    struct buf b;
    struct jw jw;
    buf_init(&b, a, 4096);
    jw_init(&jw, &b);
    CHECK(jwk_print_public(&evil, a, &jw) == ERR_OK);
    struct str header = arena_fmt(a, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"jwk\":%.*s}",
                                  STR_ARG(buf_view(&b)));
    CHECK_ROW(!trusted(w, forge(w, &evil, header, str_z(PAYLOAD), a), a), "A66 jwk");
    header = arena_fmt(a, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"jwk\":%.*s}", STR_ARG(buf_view(&b)));
    CHECK_ROW(!trusted_by(w, &w->one, &profile, forge(w, &evil, header, str_z(PAYLOAD), a), a),
              "A66 jwk, no kid");
    key_free(&evil.key);
}

static struct str with_kid(const struct world *w, size_t n, struct arena *a)
{
    char *kid = arena_alloc(a, n + 1);
    memset(kid, 'k', n);
    struct jwk k = w->v[0];
    k.kid = (struct str){kid, n};
    struct str header = arena_fmt(a, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", kid);
    return forge(w, &k, header, str_z(PAYLOAD), a);
}

static void test_a67(const struct world *w, struct arena *a)
{
    struct jwt t;
    CHECK(jwt_peek(with_kid(w, LIMIT_NAME, a), a, &t) == ERR_OK && t.kid.n == LIMIT_NAME);
    CHECK(jwt_peek(with_kid(w, LIMIT_NAME + 1, a), a, &t) == ERR_TOKEN_INVALID);
    CHECK_ROW(!trusted(w, with_kid(w, 10 * 1024, a), a), "A67 10 KB");
    struct str no_kid = forge(w, &w->v[0], STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}"), str_z(PAYLOAD), a);
    CHECK(trusted_by(w, &w->one, &profile, no_kid, a)); /* one key: it needs no name */
    CHECK_ROW(!trusted(w, no_kid, a), "A67 absent with several keys");
    struct jwks none = {0};
    CHECK_ROW(!trusted_by(w, &none, &profile, no_kid, a), "A67 no keys at all");
}

static void test_a69(const struct world *w, struct arena *a)
{
    struct str t = forge(w, &w->v[0], str_z(HEADER), str_z(PAYLOAD), a);
    struct str input = {t.p, t.n - 86 - 1};
    static const struct {
        const char *name;
        size_t n;
        uint8_t byte;
    } sigs[] = {{"A69 all zero", 64, 0},      {"A69 all ones", 64, 0xff},   {"A69 one byte short", 63, 1},
                {"A69 one byte long", 65, 1}, {"A69 P-384's width", 96, 1}, {"A69 one byte", 1, 1}};
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
        uint8_t sig[96];
        memset(sig, sigs[i].byte, sizeof(sig));
        struct str text = b64(a, (struct str){(char *)sig, sigs[i].n});
        CHECK_ROW(!trusted(w, arena_fmt(a, "%.*s.%.*s", STR_ARG(input), STR_ARG(text)), a), sigs[i].name);
    }
}

/* Deep and long (A74); the limits at them and one above. */
static struct str nested(size_t depth, struct arena *a)
{
    struct buf b;
    buf_init(&b, a, 1 << 19);
    buf_z(&b, "{" ISS "," AUD "," EXP "," IAT ",\"x\":");
    for (size_t i = 0; i < depth; i++)
        buf_char(&b, '[');
    for (size_t i = 0; i < depth; i++)
        buf_char(&b, ']');
    buf_char(&b, '}');
    return buf_view(&b);
}

static struct str many_aud(size_t n, struct arena *a)
{
    struct buf b;
    buf_init(&b, a, 1 << 16);
    buf_z(&b, "{" ISS "," EXP "," IAT ",\"aud\":[\"https://api.example\"");
    for (size_t i = 1; i < n; i++)
        buf_z(&b, ",\"x\"");
    buf_z(&b, "]}");
    return buf_view(&b);
}

static void test_a74(const struct world *w)
{
    struct arena *a = arena_new(4 << 20);
    const struct jwk *k = &w->v[0];
    /* The object itself is one level. */
    CHECK(trusted(w, forge(w, k, str_z(HEADER), nested(LIMIT_JSON_DEPTH - 1, a), a), a));
    CHECK_ROW(!trusted(w, forge(w, k, str_z(HEADER), nested(LIMIT_JSON_DEPTH, a), a), a),
              "A74 one level too deep");
    CHECK_ROW(!trusted(w, forge(w, k, str_z(HEADER), nested(3000, a), a), a), "A74 3000 levels");
    CHECK_ROW(!trusted(w, forge(w, k, str_z(HEADER), nested(100000, a), a), a), "A74 100000 levels");
    CHECK(trusted(w, forge(w, k, str_z(HEADER), many_aud(LIMIT_JWT_AUD, a), a), a));
    CHECK(!trusted(w, forge(w, k, str_z(HEADER), many_aud(LIMIT_JWT_AUD + 1, a), a), a));
    arena_free(&a);
}

/* The last second of the year 9999, and the next one. */
static void test_last_date(const struct world *w, struct arena *a)
{
    struct jwt t;
    struct str at = forge(w, &w->v[0], str_z(HEADER), STR("{\"exp\":253402300799}"), a);
    struct str above = forge(w, &w->v[0], str_z(HEADER), STR("{\"exp\":253402300800}"), a);
    CHECK(jwt_peek(at, a, &t) == ERR_OK && t.exp_s == LIMIT_TIME_S);
    CHECK(jwt_peek(above, a, &t) == ERR_TOKEN_INVALID);
}

static void test_profile(const struct world *w, struct arena *a)
{
    struct str t = forge(w, &w->v[0], str_z(HEADER), str_z(PAYLOAD), a);
    struct jwt_profile p = profile;
    p.algs = ALG_BIT(ALG_RS256);
    CHECK_ROW(!trusted_by(w, &w->all, &p, t, a), "A65 algorithm not in the profile");
    p = profile;
    p.iss = STR_NONE;
    CHECK_ROW(!trusted_by(w, &w->all, &p, t, a), "A78 profile without issuer trusts nobody");
    p = profile;
    p.aud = (struct strs){audience, 2};
    CHECK(trusted_by(w, &w->all, &p, t, a));
    p.aud = (struct strs){audience + 1, 1};
    CHECK_ROW(!trusted_by(w, &w->all, &p, t, a), "A78 another audience");
    p.aud = (struct strs){0};
    CHECK(trusted_by(w, &w->all, &p, t, a));
    p = profile;
    p.typ = NULL;
    CHECK_ROW(!trusted_by(w, &w->all, &p, t, a), "A63 an access token is no plain JWT");
    CHECK(trusted_by(w, &w->all, &p,
                     forge(w, &w->v[0], STR("{\"alg\":\"ES256\",\"kid\":\"k1\"}"), str_z(PAYLOAD), a), a));
    CHECK(trusted_by(
        w, &w->all, &p,
        forge(w, &w->v[0], STR("{\"typ\":\"jwt\",\"alg\":\"ES256\",\"kid\":\"k1\"}"), str_z(PAYLOAD), a), a));
    struct fault f = {0};
    struct jwt got;
    CHECK(jwt_verify(w->c, STR("x"), &w->all, &profile, NOW, a, &got, NULL) ==
          ERR_TOKEN_INVALID); /* nobody to tell */
    CHECK(jwt_verify(w->c, t, &w->all, &profile, NOW + 1000, a, &got, &f) == ERR_TOKEN_INVALID &&
          strstr(f.detail, "expired"));
}

/* Signed by jws_sign with each algorithm, and every claim read. */
static void test_read(const struct world *w, struct arena *a)
{
    struct str payload = STR("{" ISS "," AUD "," EXP "," IAT
                             ",\"nbf\":1799999999,\"sub\":\"u\\u00e9\",\"jti\":\"j\",\"client_id\":\"c\","
                             "\"scope\":\"a b\",\"azp\":\"web\",\"roles\":[{\"x\":1.5e3}]}");
    for (size_t i = 0; i < w->all.n; i++) {
        struct str token;
        struct jwt t, seen;
        CHECK(jws_sign(w->c, &w->v[i], STR("at+jwt"), payload, a, &token) == ERR_OK);
        CHECK(jwt_verify(w->c, token, &w->all, &profile, NOW, a, &t, NULL) == ERR_OK);
        CHECK(jwt_peek(token, a, &seen) == ERR_OK && str_eq(seen.payload, payload) &&
              str_eq(seen.sub, t.sub));
        CHECK(str_eq(t.payload, payload) && str_eq(t.kid, w->v[i].kid) && t.alg == w->v[i].alg &&
              str_is(t.typ, "at+jwt"));
        CHECK(str_is(t.iss, "https://as.example") && t.aud.n == 1 &&
              str_is(t.aud.v[0], "https://api.example"));
        CHECK(str_is(t.sub, "u\xc3\xa9") && str_is(t.jti, "j") && str_is(t.client_id, "c") &&
              str_is(t.scope, "a b"));
        CHECK(str_is(t.azp, "web") && t.exp_s == NOW + 300 && t.iat_s == NOW && t.nbf_s == NOW - 1);
    }
}

static void world_make(struct world *w)
{
    static const struct {
        const char *kid;
        enum alg alg;
    } keys[] = {{"k1", ALG_ES256}, {"k2", ALG_ES256}, {"rsa", ALG_RS256}, {"ed", ALG_EDDSA}};
    *w = (struct world){0};
    CHECK(crypto_new(&w->c) == ERR_OK);
    for (size_t i = 0; i < 4; i++) {
        const struct alg_row *row = alg_row(keys[i].alg);
        w->v[i] = (struct jwk){.kid = str_z(keys[i].kid), .alg = keys[i].alg};
        CHECK(key_generate(row->kind, row->rsa_bits, &w->v[i].key) == ERR_OK);
    }
    w->one = (struct jwks){w->v, 1};
    w->all = (struct jwks){w->v, 4};
}

int main(void)
{
    struct world w;
    struct arena *a = arena_new(1 << 20);
    world_make(&w);
    static void (*const tests[])(const struct world *, struct arena *) = {
        test_a75, test_a65, test_a66, test_a67, test_a69, test_profile, test_read, test_last_date};
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        tests[i](&w, a);
        arena_reset(a);
    }
    test_rows(&w);
    test_turned(&w);
    test_a74(&w);
    jwks_free(&w.all);
    crypto_free(&w.c);
    arena_free(&a);
    return unit_end("jwt");
}
