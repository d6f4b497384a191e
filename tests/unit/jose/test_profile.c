/* The kinds of JWT: each row of jwt_profile.c takes its own sound token, and none of the others' (RFC 8725 section 3.12; A73, A78). Then
 * secrets as keys (A65), the usual ways of making and reading keys, and JSON where a token is due. */
#include "jose/jose.h"
#include "crypto/vectors.h"

#define NOW    1800000000
#define BASE   "\"iss\":\"https://as.example\",\"aud\":\"https://api.example\",\"iat\":1800000000,\"exp\":1800000120"
#define EVENTS "\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"

static const struct {
    const char *typ, *payload;
} sound[JWT_KINDS] = {
    [JWT_ACCESS_TOKEN] = {"at+jwt", "{" BASE ",\"sub\":\"u\",\"jti\":\"1\",\"client_id\":\"web\"}"},
    [JWT_ID_TOKEN] = {NULL, "{" BASE ",\"sub\":\"u\",\"nonce\":\"n\"}"},
    [JWT_CLIENT_ASSERTION] = {"client-authentication+jwt", "{" BASE ",\"sub\":\"https://as.example\",\"jti\":\"1\"}"},
    [JWT_LOGOUT_TOKEN] = {"logout+jwt", "{" BASE ",\"jti\":\"1\",\"sid\":\"s\"," EVENTS "}"},
    [JWT_REQUEST_OBJECT] = {"oauth-authz-req+jwt", "{\"iss\":\"https://as.example\",\"aud\":\"https://api.example\",\"client_id\":\"web\"}"},
};
static const struct str aud = {"https://api.example", 19};

struct world {
    struct crypto *c;
    struct arena *a;
    struct jwk k;
    struct jwks set;
};

static bool passes(const struct world *w, struct jwt_profile p, const char *typ, const char *payload)
{
    struct str token;
    struct jwt t;
    struct fault f = {0};
    p.iss = STR("https://as.example");
    p.aud = (struct strs){&aud, 1};
    CHECK_ROW(jws_sign(w->c, &w->k, str_z(typ), str_z(payload), w->a, &token) == ERR_OK, payload);
    return jwt_verify(w->c, token, &w->set, &p, NOW, w->a, &t, &f) == ERR_OK;
}

static void test_kinds(const struct world *w)
{
    for (int i = 0; i < JWT_KINDS; i++)
        for (int j = 0; j < JWT_KINDS; j++)
            CHECK_ROW(passes(w, jwt_profile_of((enum jwt_kind)i), sound[j].typ, sound[j].payload) == (i == j), sound[j].payload);
    /* without typ only the claims tell */
    CHECK(passes(w, jwt_profile_of(JWT_LOGOUT_TOKEN), NULL, sound[JWT_LOGOUT_TOKEN].payload));
    CHECK(!passes(w, jwt_profile_of(JWT_ID_TOKEN), NULL, sound[JWT_LOGOUT_TOKEN].payload));
    CHECK(!passes(w, jwt_profile_of(JWT_ACCESS_TOKEN), NULL, sound[JWT_ACCESS_TOKEN].payload));
}

static void test_claims(const struct world *w)
{
    static const struct {
        const char *name;
        enum jwt_kind kind;
        const char *payload;
        bool good;
    } rows[] = {
        {"A78 logout with nonce", JWT_LOGOUT_TOKEN, "{" BASE ",\"jti\":\"1\",\"nonce\":\"n\"," EVENTS "}", false},
        {"A78 logout of another event", JWT_LOGOUT_TOKEN, "{" BASE ",\"jti\":\"1\",\"events\":{\"x\":{}}}", false},
        {"A78 logout, events a list", JWT_LOGOUT_TOKEN, "{" BASE ",\"jti\":\"1\",\"events\":[]}", false},
        {"A78 assertion, iss is not sub", JWT_CLIENT_ASSERTION, "{" BASE ",\"sub\":\"u\",\"jti\":\"1\"}", false},
        {"A78 assertion without jti", JWT_CLIENT_ASSERTION, "{" BASE ",\"sub\":\"https://as.example\"}", false},
        {"A78 assertion of an hour", JWT_CLIENT_ASSERTION,
         "{\"iss\":\"a\",\"sub\":\"a\",\"aud\":\"https://api.example\",\"iat\":1800000000,\"exp\":1800003600,\"jti\":\"1\"}", false},
        {"A78 request with sub", JWT_REQUEST_OBJECT, "{" BASE ",\"client_id\":\"web\",\"sub\":\"web\"}", false},
        {"A78 request, expired", JWT_REQUEST_OBJECT,
         "{\"iss\":\"https://as.example\",\"aud\":\"https://api.example\",\"client_id\":\"web\",\"exp\":1700000000}", false},
        {"A78 request, exp 0", JWT_REQUEST_OBJECT,
         "{\"iss\":\"https://as.example\",\"aud\":\"https://api.example\",\"client_id\":\"web\",\"exp\":0}", false},
        {"request with exp", JWT_REQUEST_OBJECT, "{" BASE ",\"client_id\":\"web\"}", true},
        {"A78 ID token without sub", JWT_ID_TOKEN, "{" BASE "}", false},
        {"A78 ID token without exp", JWT_ID_TOKEN, "{\"iss\":\"https://as.example\",\"aud\":\"https://api.example\",\"sub\":\"u\",\"iat\":1800000000}", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(passes(w, jwt_profile_of(rows[i].kind), sound[rows[i].kind].typ, rows[i].payload) == rows[i].good, rows[i].name);
    struct jwt_profile p = jwt_profile_of(JWT_ID_TOKEN);
    p.nonce = STR("n");
    CHECK(passes(w, p, NULL, sound[JWT_ID_TOKEN].payload));
    p.nonce = STR("other");
    CHECK(!passes(w, p, NULL, sound[JWT_ID_TOKEN].payload));
    p = jwt_profile_of(JWT_CLIENT_ASSERTION);
    p.aud_alone = true;
    CHECK(passes(w, p, NULL, sound[JWT_CLIENT_ASSERTION].payload));
    CHECK(!passes(w, p, NULL,
                  "{\"iss\":\"https://as.example\",\"sub\":\"https://as.example\",\"aud\":[\"https://api.example\"],\"exp\":1800000120,\"jti\":\"1\"}"));
    p.algs = ALGS_HMAC;
    CHECK(!passes(w, p, NULL, sound[JWT_CLIENT_ASSERTION].payload));
}

/* A73: what is no compact token is none, however well it is signed. */
static void test_json_refused(const struct world *w)
{
    struct jws_options o = {.typ = STR("at+jwt")};
    struct jwt_profile p = jwt_profile_of(JWT_ACCESS_TOKEN);
    struct jws_seen seen;
    struct jwt t;
    p.iss = STR("https://as.example");
    for (int general = 0; general < 2; general++) {
        struct str text;
        CHECK(jws_json_make(w->c, &w->set, &o, general, str_z(sound[JWT_ACCESS_TOKEN].payload), w->a, &text) == ERR_OK);
        CHECK(jws_json_open(w->c, &w->set, text, NULL, w->a, &seen) == ERR_OK && seen.key == &w->k);
        CHECK(jwt_verify(w->c, text, &w->set, &p, NOW, w->a, &t, NULL) == ERR_TOKEN_INVALID);
    }
    struct str text;
    o.unencoded = true;
    CHECK(jws_make(w->c, &w->k, &o, STR("plain text"), w->a, &text) == ERR_OK);
    CHECK(jws_open(w->c, &w->set, text, NULL, w->a, &seen) == ERR_OK && str_is(seen.payload, "plain text"));
    CHECK(jws_make(w->c, &w->k, &o, STR("a.b"), w->a, &text) == ERR_PARAM_BAD);
    CHECK(jws_make(w->c, &w->k, &o, str_z(sound[0].payload), w->a, &text) == ERR_PARAM_BAD);
    o.detached = true; /* A68: unencoded is not for tokens */
    CHECK(jws_make(w->c, &w->k, &o, str_z(sound[0].payload), w->a, &text) == ERR_OK);
    CHECK(jwt_verify(w->c, text, &w->set, &p, NOW, w->a, &t, NULL) == ERR_TOKEN_INVALID);
}

static void test_generated(const struct world *w)
{
    for (enum alg alg = 0; alg < ALG_COUNT; alg++) {
        const char *name = alg_row(alg)->name;
        for (enum key_kind kind = 0; kind < KEY_KINDS; kind++) {
            struct jwk k = {0}, back = {0};
            struct buf b;
            struct jw jw;
            json_t *doc = NULL;
            err_t e = alg_row(alg)->kind == KEY_RSA && kind == KEY_RSA && alg != ALG_RS256 ? ERR_KEY /* slow to make, and alike */
                                                                                         : jwk_generate(w->c, alg, kind, 0, w->a, &k);
            if (e != ERR_OK)
                continue;
            buf_init(&b, w->a, 16384);
            jw_init(&jw, &b);
            CHECK_ROW(jwk_print(&k, true, w->a, &jw) == ERR_OK && json_load(buf_view(&b), &doc) == ERR_OK, name);
            CHECK_ROW(jwk_parse(doc, JWK_ANY, w->a, &back) == ERR_OK && back.alg == alg && str_eq(back.kid, k.kid), name);
            struct jwk other = {0};
            CHECK_ROW(jwk_parse(doc, JWK_PUBLIC | JWK_LENIENT, w->a, &other) == ERR_KEY, name);
            CHECK_ROW(jwk_parse(doc, JWK_ANY | (ALGS_SIG & ALG_BIT(alg) ? JWK_ENC : JWK_SIG), w->a, &other) == ERR_KEY, name);
            key_free(&k.key);
            key_free(&back.key);
            json_decref(doc);
            arena_reset(w->a);
        }
    }
}

/* Of foreign sets only what is understood is taken, but private members refuse the whole. */
static void test_lenient(const struct world *w)
{
#define XY "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC "\"kty\":\"EC\",\"crv\":\"P-256\"," XY
    struct jwks s = {0};
    struct str text = STR("{\"keys\":[{\"kty\":\"XX\"},{" EC ",\"kid\":\"1\"},{" EC ",\"kid\":\"1\"},{" EC ",\"kid\":\"2\",\"use\":\"enc\"}]}");
    CHECK(jwks_parse(text, JWK_PUBLIC | JWK_SIG, w->a, &s) != ERR_OK);
    CHECK(jwks_parse(text, JWK_PUBLIC | JWK_SIG | JWK_LENIENT, w->a, &s) == ERR_OK && s.n == 1 && s.v[0].alg == ALG_ES256);
    jwks_free(&s);
    CHECK(jwks_parse(text, JWK_PUBLIC | JWK_LENIENT, w->a, &s) == ERR_OK && s.n == 2 && s.v[1].alg == ALG_ECDH_ES);
    jwks_free(&s);
    CHECK(jwks_parse(STR("{\"keys\":[{" EC "},{\"kty\":\"XX\",\"d\":\"AQ\"}]}"), JWK_PUBLIC | JWK_LENIENT, w->a, &s) == ERR_KEY);
}

/* RFC 8037 A.3, RFC 9278: the URI is the thumbprint behind a fixed head. */
static void test_uri(const struct world *w)
{
    struct str print, uri;
    CHECK(jwk_thumbprint(w->c, w->k.key, w->a, &print) == ERR_OK && jwk_thumbprint_uri(w->c, w->k.key, w->a, &uri) == ERR_OK);
    CHECK(str_eq(uri, arena_fmt(w->a, "urn:ietf:params:oauth:jwk-thumbprint:sha-256:%.*s", STR_ARG(print))) && print.n == 43);
}

int main(void)
{
    struct world w = {.a = arena_new(8 << 20)};
    CHECK(crypto_new(&w.c) == ERR_OK && jwk_generate(w.c, ALG_ES256, KEY_KINDS, 0, w.a, &w.k) == ERR_OK);
    struct str kid = w.k.kid;
    char keep[64];
    memcpy(keep, kid.p, kid.n);
    w.k.kid.p = keep;
    w.set = (struct jwks){&w.k, 1};
    test_kinds(&w);
    test_claims(&w);
    test_json_refused(&w);
    test_generated(&w);
    test_lenient(&w);
    test_uri(&w);
    key_free(&w.k.key);
    crypto_free(&w.c);
    arena_free(&w.a);
    return unit_end("profile");
}
