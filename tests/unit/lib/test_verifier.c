/* libmereau with keys given by hand, and against a server that says what the test wants: every refusal, keys that change, status lists,
 * many threads, and no allocation once it is warm. */
#include "lib/mereau.h"
#include "base/enc.h"
#include "jose/jwe.h"
#include "net/server_test.h"
#include "unit.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <time.h>
#include <zlib.h>

#define ISSUER "https://as.example"

/* --- a count of what is allocated, the cryptographic library's own left out --- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0
static long counted(void)
{
    return 0;
}
#else
#define COUNTS 1
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t of);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);
static _Thread_local long allocations;

void *malloc(size_t n)
{
    allocations++;
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t of)
{
    allocations++;
    return __libc_calloc(n, of);
}
void *realloc(void *p, size_t n)
{
    allocations++;
    return __libc_realloc(p, n);
}
static void *theirs(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return __libc_malloc(n);
}
static void *theirs_again(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return __libc_realloc(p, n);
}
static void theirs_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    __libc_free(p);
}
static long counted(void)
{
    return allocations;
}
#endif

/* --- tokens --- */

struct world {
    struct crypto *c;
    struct arena *a;
    struct jwk es, rs, ed, stranger;
    struct str jwks; /* es, rs, ed */
};

static struct str b64(struct arena *a, struct str s)
{
    struct buf b;
    buf_init(&b, a, 1 << 21);
    enc_b64url(&b, s.p, s.n);
    return buf_view(&b);
}

static struct str forge(struct world *w, const struct jwk *k, struct str header, struct str payload)
{
    const struct alg_row *row = alg_row(k->alg);
    struct str input = arena_fmt(w->a, "%.*s.%.*s", STR_ARG(b64(w->a, header)), STR_ARG(b64(w->a, payload)));
    uint8_t sig[SIG_MAX];
    size_t n = 0;
    CHECK(key_sign(w->c, k->key, row->scheme, row->digest, input, sig, &n) == ERR_OK);
    return arena_fmt(w->a, "%.*s.%.*s", STR_ARG(input), STR_ARG(b64(w->a, (struct str){(char *)sig, n})));
}

static struct str header_of(struct world *w, const struct jwk *k, const char *typ)
{
    return arena_fmt(w->a, "{\"alg\":\"%s\",\"typ\":\"%s\",\"kid\":\"%.*s\"}", alg_row(k->alg)->name, typ, STR_ARG(k->kid));
}

/* Claims of a sound access token, those of `more` first. */
static struct str claims(struct world *w, const char *issuer, const char *aud, long from, long life, const char *more)
{
    long now = (long)time(NULL);
    return arena_fmt(w->a, "{%s\"iss\":\"%s\",\"aud\":%s,\"sub\":\"ann\",\"client_id\":\"web\",\"jti\":\"j1\",\"iat\":%ld,\"exp\":%ld}", more, issuer,
                     aud, now + from, now + from + life);
}

#define SCOPE "\"scope\":\"orders.read orders.write\","
#define AUD   "\"https://api.example\""
static struct str token(struct world *w, const struct jwk *k, const char *more)
{
    return forge(w, k, header_of(w, k, "at+jwt"), claims(w, ISSUER, AUD, 0, 300, more));
}

static struct str set_of(struct world *w, const struct jwk *const *keys, size_t n)
{
    struct buf b;
    struct jw jw;
    buf_init(&b, w->a, 64 * 1024);
    jw_init(&jw, &b);
    jw_open(&jw, '{');
    jw_key(&jw, "keys");
    jw_open(&jw, '[');
    for (size_t i = 0; i < n; i++)
        if (jwk_print_public(keys[i], w->a, &jw) != ERR_OK)
            abort(); /* the server's thread comes here, too, and does not count */
    jw_close(&jw, ']');
    jw_close(&jw, '}');
    return arena_str(w->a, buf_view(&b));
}

static void world_make(struct world *w)
{
    *w = (struct world){.a = arena_new(16 << 20)};
    CHECK(crypto_new(&w->c) == ERR_OK);
    CHECK(jwk_generate(w->c, ALG_ES256, KEY_KINDS, 0, w->a, &w->es) == ERR_OK);
    CHECK(jwk_generate(w->c, ALG_RS256, KEY_KINDS, 0, w->a, &w->rs) == ERR_OK);
    CHECK(jwk_generate(w->c, ALG_EDDSA, KEY_KINDS, 0, w->a, &w->ed) == ERR_OK);
    CHECK(jwk_generate(w->c, ALG_ES256, KEY_KINDS, 0, w->a, &w->stranger) == ERR_OK);
    w->jwks = set_of(w, (const struct jwk *const[]){&w->es, &w->rs, &w->ed}, 3);
}

static void world_free(struct world *w)
{
    key_free(&w->es.key);
    key_free(&w->rs.key);
    key_free(&w->ed.key);
    key_free(&w->stranger.key);
    crypto_free(&w->c);
    arena_free(&w->a);
}

static const char *const audiences[] = {"https://api.example", "https://other.example", NULL};
static const char *const loopback[] = {"127.0.0.1", NULL};

static struct mereau_verifier *verifier(const struct mereau_options *o)
{
    struct mereau_verifier *v = NULL;
    CHECK(mereau_verifier_new(o, &v) == MEREAU_OK && v);
    return v;
}

static struct mereau_options offline(const struct world *w)
{
    return (struct mereau_options){.size = sizeof(struct mereau_options), .issuer = ISSUER, .audiences = audiences, .jwks = w->jwks.p};
}

static enum mereau_status ask(struct mereau_verifier *v, struct str t, struct mereau_result *r)
{
    return mereau_verify(v, t.p, t.n, r);
}

/* --- options --- */

static void test_options(struct world *w)
{
    static const char *const none[] = {NULL}, *const no_address[] = {"example.org", NULL};
    struct mereau_options good = offline(w), o;
    struct mereau_verifier *v = NULL;
    struct {
        const char *name;
        struct mereau_options o;
    } rows[16];
    size_t n = 0;
#define BAD(what, member, value) (rows[n].name = what, rows[n].o = good, rows[n].o.member = value, n++)
    BAD("no issuer", issuer, NULL);
    BAD("empty issuer", issuer, "");
    BAD("issuer is no address", issuer, "as.example");
    BAD("issuer with a query", issuer, ISSUER "?x");
    BAD("issuer over http", issuer, "http://as.example/%zz x");
    BAD("private issuer", issuer, "https://10.0.0.1");
    BAD("no audience", audiences, NULL);
    BAD("empty audiences", audiences, none);
    BAD("secret algorithm", algorithms, "HS256");
    BAD("unknown algorithm", algorithms, "ES256 none");
    BAD("no algorithm", algorithms, "");
    BAD("skew", clock_skew_s, 301);
    BAD("refresh", refresh_s, 59);
    BAD("allow", allow, no_address);
    BAD("keys", jwks, "{\"keys\":[]}");
    BAD("size", size, sizeof(good) + 1);
    for (size_t i = 0; i < n; i++)
        CHECK_ROW(mereau_verifier_new(&rows[i].o, &v) == MEREAU_OPTIONS && !v, rows[i].name);
    o = good;
    o.decryption_keys = "{\"kty\":\"oct\"}";
    CHECK(mereau_verifier_new(&o, &v) == MEREAU_OPTIONS && !v);
    CHECK(mereau_verifier_new(NULL, &v) == MEREAU_OPTIONS);
    v = verifier(&good);
    CHECK(mereau_verifier_next_refresh(v) < 0 && mereau_verifier_refresh(v) == MEREAU_OK);
    mereau_verifier_free(&v);
    CHECK(!v);
    mereau_verifier_free(&v);
    mereau_verifier_free(NULL);
}

/* --- verdicts --- */

static void test_verdicts(struct world *w)
{
    struct mereau_options o = offline(w);
    struct mereau_verifier *v = verifier(&o);
    struct mereau_result *r = mereau_result_new();
    struct str good = token(w, &w->es, SCOPE), at = header_of(w, &w->es, "at+jwt");
    struct str public = arena_fmt(w->a, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}", STR_ARG(w->es.kid));
    struct str damaged = arena_str(w->a, good), none = STR("eyJhbGciOiJub25lIn0.e30.");
    struct jwk other = w->es; /* a right signature under a wrong name */
    ((char *)(uintptr_t)damaged.p)[damaged.n - 3] ^= 1;
    other.kid = w->rs.kid;
    const struct {
        const char *name;
        enum mereau_status status;
        struct str token;
    } rows[] = {
        {"ES256", MEREAU_OK, good},
        {"RS256", MEREAU_OK, token(w, &w->rs, SCOPE)},
        {"EdDSA", MEREAU_OK, token(w, &w->ed, SCOPE)},
        {"second audience", MEREAU_OK, forge(w, &w->es, at, claims(w, ISSUER, "[\"x\",\"https://other.example\"]", 0, 300, ""))},
        {"within the skew", MEREAU_OK, forge(w, &w->es, at, claims(w, ISSUER, AUD, -350, 300, ""))},
        {"ahead within the skew", MEREAU_OK, forge(w, &w->es, at, claims(w, ISSUER, AUD, 50, 300, ""))},
        {"expired", MEREAU_EXPIRED, forge(w, &w->es, at, claims(w, ISSUER, AUD, -400, 300, ""))},
        {"not yet", MEREAU_EXPIRED, forge(w, &w->es, at, claims(w, ISSUER, AUD, 100, 300, ""))},
        {"nbf", MEREAU_EXPIRED, token(w, &w->es, "\"nbf\":99999999999,")},
        {"too long", MEREAU_EXPIRED, forge(w, &w->es, at, claims(w, ISSUER, AUD, 0, 86401, ""))},
        {"audience", MEREAU_AUDIENCE, forge(w, &w->es, at, claims(w, ISSUER, "\"https://api.example/\"", 0, 300, ""))},
        {"audience and expired", MEREAU_INVALID, forge(w, &w->es, at, claims(w, ISSUER, "\"x\"", -900, 300, ""))},
        {"issuer", MEREAU_INVALID, forge(w, &w->es, at, claims(w, ISSUER "/", AUD, 0, 300, ""))},
        {"type of an ID token", MEREAU_INVALID, forge(w, &w->es, header_of(w, &w->es, "JWT"), claims(w, ISSUER, AUD, 0, 300, ""))},
        {"no client_id", MEREAU_INVALID, forge(w, &w->es, at, STR("{\"iss\":\"" ISSUER "\",\"aud\":\"https://api.example\",\"sub\":\"a\",\"exp\":99}"))},
        {"expired, but nobody's word", MEREAU_INVALID, forge(w, &w->stranger, at, claims(w, ISSUER, AUD, -400, 300, ""))},
        {"signature", MEREAU_INVALID, damaged},
        {"a stranger's key under our kid", MEREAU_INVALID, forge(w, &w->stranger, at, claims(w, ISSUER, AUD, 0, 300, ""))},
        {"a stranger's key", MEREAU_UNKNOWN_KEY, token(w, &w->stranger, "")},
        {"another key's kid", MEREAU_INVALID, token(w, &other, "")},
        {"kid absent with several keys", MEREAU_INVALID, forge(w, &w->es, STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}"), claims(w, ISSUER, AUD, 0, 300, ""))},
        {"A65 HS256", MEREAU_INVALID, forge(w, &w->es, public, claims(w, ISSUER, AUD, 0, 300, ""))},
        {"A64 none", MEREAU_INVALID, none},
        {"A74 twice", MEREAU_INVALID, token(w, &w->es, "\"exp\":99999999999,")},
        {"A75 padded", MEREAU_INVALID, arena_fmt(w->a, "%.*s=", STR_ARG(good))},
        {"text", MEREAU_INVALID, STR("hello")},
        {"empty", MEREAU_MISSING, STR("")},
        {"encrypted, no key", MEREAU_DECRYPT, STR("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum mereau_status s = ask(v, rows[i].token, r);
        CHECK_ROW(s == rows[i].status, rows[i].name);
        CHECK_ROW((s == MEREAU_OK) == (mereau_subject(r) != NULL), rows[i].name);
        CHECK_ROW((s == MEREAU_OK) == (mereau_reason(r)[0] == '\0'), rows[i].name);
        CHECK_ROW(s == MEREAU_OK || (!mereau_claims_json(r) && !mereau_expires(r) && !mereau_has_audience(r, "https://api.example")), rows[i].name);
    }
    mereau_verifier_free(&v);
    CHECK(ask((v = verifier(&o)), good, r) == MEREAU_OK);
    mereau_verifier_free(&v);
    CHECK(!strcmp(mereau_subject(r), "ann")); /* a result outlives its verifier */
    o.algorithms = "RS256";
    v = verifier(&o);
    CHECK(ask(v, good, r) == MEREAU_INVALID && ask(v, token(w, &w->rs, ""), r) == MEREAU_OK);
    mereau_verifier_free(&v);
    o.algorithms = NULL;
    o.clock_skew_s = -1;
    v = verifier(&o);
    CHECK(ask(v, forge(w, &w->es, at, claims(w, ISSUER, AUD, -310, 300, "")), r) == MEREAU_EXPIRED);
    mereau_verifier_free(&v);
    mereau_result_free(&r);
    mereau_result_free(&r);
}

static void test_header(struct world *w)
{
    struct mereau_options o = offline(w);
    struct mereau_verifier *v = verifier(&o);
    struct mereau_result *r = mereau_result_new();
    struct str t = token(w, &w->es, "");
    static const struct {
        const char *before, *behind;
        enum mereau_status status;
    } rows[] = {{"Bearer ", "", MEREAU_OK}, {"bearer ", "", MEREAU_OK}, {" BEARER   ", " ", MEREAU_OK}, {"Basic ", "", MEREAU_MISSING},
                {"", "", MEREAU_MISSING}, {"Bearer", "", MEREAU_MISSING}, {"Bearer ", " x", MEREAU_INVALID}, {"Bearer\t", "", MEREAU_MISSING}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(mereau_verify_header(v, arena_fmt(w->a, "%s%.*s%s", rows[i].before, STR_ARG(t), rows[i].behind).p, r) == rows[i].status, rows[i].before);
    CHECK(mereau_verify_header(v, NULL, r) == MEREAU_MISSING && mereau_verify_header(v, "", r) == MEREAU_MISSING);
    CHECK(mereau_verify_header(v, "Bearer ", r) == MEREAU_MISSING && mereau_verify(v, NULL, 5, r) == MEREAU_MISSING);
    mereau_result_free(&r);
    mereau_verifier_free(&v);
}

static bool same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static void test_claims(struct world *w)
{
    struct mereau_options o = offline(w);
    struct mereau_verifier *v = verifier(&o);
    struct mereau_result *r = mereau_result_new();
    CHECK(ask(v, token(w, &w->es, SCOPE "\"roles\":[\"support\",{\"x\":\"inner\"},[\"deep\"],\"bo\\u0073s\"],\"name\":\"Zo\\u00eb \\\"Z\\\"\",\"n\":-3,\"ok\":true,"
                                        "\"none\":null,\"empty\":\"\",\"a\":{\"b\":[1]},"), r) == MEREAU_OK);
    CHECK(same(mereau_subject(r), "ann") && same(mereau_client_id(r), "web") && same(mereau_scope(r), "orders.read orders.write"));
    CHECK(same(mereau_claim(r, "jti"), "j1") && same(mereau_claim(r, "iss"), ISSUER) && mereau_expires(r) > time(NULL));
    CHECK(same(mereau_claim(r, "name"), "Zo\xc3\xab \"Z\"") && same(mereau_claim(r, "n"), "-3") && same(mereau_claim(r, "ok"), "true"));
    CHECK(same(mereau_claim(r, "empty"), "") && same(mereau_claim_json(r, "empty"), "\"\"") && same(mereau_claim_json(r, "a"), "{\"b\":[1]}"));
    CHECK(!mereau_claim(r, "none") && same(mereau_claim_json(r, "none"), "null") && !mereau_claim(r, "a") && !mereau_claim(r, "absent"));
    CHECK(!mereau_claim(r, NULL) && !mereau_claim_json(r, "absent") && mereau_claim(r, "sub") == mereau_claim(r, "sub"));
    CHECK(mereau_has_scope(r, "orders.read") && mereau_has_scope(r, "orders.write") && !mereau_has_scope(r, "orders") && !mereau_has_scope(r, ""));
    CHECK(!mereau_has_scope(r, "orders.read orders.write") && !mereau_has_scope(r, NULL));
    CHECK(mereau_has_role(r, "support") && mereau_has_role(r, "boss") && !mereau_has_role(r, "inner") && !mereau_has_role(r, "deep"));
    CHECK(!mereau_has_role(r, "x") && !mereau_has_role(r, NULL) && mereau_has_audience(r, "https://api.example") && !mereau_has_audience(r, NULL));
    CHECK(mereau_claims_json(r)[0] == '{' && mereau_claims_json(r) == mereau_claims_json(r));
    CHECK(ask(v, token(w, &w->es, "\"roles\":\"support\","), r) == MEREAU_OK && !mereau_has_role(r, "support") && !mereau_scope(r));
    mereau_result_free(&r);
    mereau_verifier_free(&v);
}

static void test_id_token(struct world *w)
{
    struct mereau_options o = offline(w);
    struct mereau_verifier *v = verifier(&o);
    struct mereau_result *r = mereau_result_new();
    struct str jwt = header_of(w, &w->es, "JWT");
    struct str t = forge(w, &w->es, jwt, claims(w, ISSUER, AUD, 0, 300, "\"nonce\":\"n1\","));
    CHECK(mereau_verify_id_token(v, t.p, t.n, "n1", r) == MEREAU_OK && mereau_verify_id_token(v, t.p, t.n, NULL, r) == MEREAU_OK);
    CHECK(mereau_verify_id_token(v, t.p, t.n, "n2", r) == MEREAU_INVALID && mereau_verify_id_token(v, t.p, t.n, "", r) == MEREAU_INVALID);
    t = forge(w, &w->es, jwt, claims(w, ISSUER, AUD, 0, 300, "\"events\":{},"));
    CHECK(mereau_verify_id_token(v, t.p, t.n, NULL, r) == MEREAU_INVALID);
    t = forge(w, &w->es, jwt, claims(w, ISSUER, AUD, 0, 300, "\"azp\":\"somebody\","));
    CHECK(mereau_verify_id_token(v, t.p, t.n, NULL, r) == MEREAU_INVALID);
    t = token(w, &w->es, "");
    CHECK(mereau_verify_id_token(v, t.p, t.n, NULL, r) == MEREAU_INVALID); /* an access token */
    mereau_result_free(&r);
    mereau_verifier_free(&v);
}

/* --- encrypted --- */

static void test_encrypted(struct world *w)
{
    static const enum alg algs[] = {ALG_RSA_OAEP_256, ALG_ECDH_ES, ALG_ECDH_ES_A128KW};
    struct mereau_options o = offline(w);
    struct mereau_result *r = mereau_result_new();
    struct str good = token(w, &w->es, SCOPE);
    for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        struct jwk key;
        struct buf b;
        struct jw jw;
        struct str sealed, text, pem, bad;
        CHECK(jwk_generate(w->c, algs[i], KEY_KINDS, 0, w->a, &key) == ERR_OK);
        buf_init(&b, w->a, 8192);
        jw_init(&jw, &b);
        CHECK(jwk_print(&key, true, w->a, &jw) == ERR_OK && key_to_pem(key.key, true, w->a, &pem) == ERR_OK);
        text = arena_str(w->a, buf_view(&b));
        CHECK(jwt_encrypt(w->c, &key, ENC_A256GCM, good, w->a, &sealed) == ERR_OK);
        bad = arena_str(w->a, sealed);
        ((char *)(uintptr_t)bad.p)[bad.n - 4] ^= 1;
        const char *forms[] = {text.p, pem.p, arena_fmt(w->a, "{\"keys\":[%.*s]}", STR_ARG(text)).p};
        for (size_t k = 0; k < 3; k++) {
            o.decryption_keys = forms[k];
            struct mereau_verifier *v = verifier(&o);
            CHECK_ROW(ask(v, sealed, r) == MEREAU_OK && same(mereau_subject(r), "ann"), alg_row(algs[i])->name);
            CHECK_ROW(ask(v, good, r) == MEREAU_OK, alg_row(algs[i])->name);
            CHECK_ROW(ask(v, bad, r) == MEREAU_DECRYPT && !mereau_subject(r), alg_row(algs[i])->name);
            mereau_verifier_free(&v);
        }
        key_free(&key.key);
    }
    mereau_result_free(&r);
}

/* --- memory and threads --- */

static void test_allocations(struct world *w)
{
    struct mereau_options o = offline(w);
    struct mereau_verifier *v = verifier(&o);
    struct mereau_result *r = mereau_result_new();
    struct str tokens[] = {token(w, &w->es, SCOPE "\"roles\":[\"support\"],"), token(w, &w->rs, SCOPE), token(w, &w->ed, SCOPE), token(w, &w->stranger, "")};
    long before = 0;
    for (int round = 0; round < 40; round++) {
        if (round == 20)
            before = counted();
        for (size_t i = 0; i < 4; i++) {
            CHECK((ask(v, tokens[i], r) == MEREAU_OK) == (i < 3));
            CHECK(i == 3 || (mereau_subject(r) && mereau_has_scope(r, "orders.read") && mereau_claims_json(r)));
        }
    }
    if (COUNTS)
        CHECK(counted() == before);
    mereau_result_free(&r);
    mereau_verifier_free(&v);
}

struct worker {
    struct mereau_verifier *v;
    struct str token;
    pthread_t thread;
    int rounds, wrong;
};

static void *work(void *ctx)
{
    struct worker *k = ctx;
    struct mereau_result *r = mereau_result_new();
    for (int i = 0; i < k->rounds; i++)
        k->wrong += ask(k->v, k->token, r) != MEREAU_OK || !same(mereau_subject(r), "ann");
    mereau_result_free(&r);
    return NULL;
}

static int crowd(struct mereau_verifier *v, struct str t, int rounds)
{
    struct worker k[8];
    int wrong = 0;
    for (size_t i = 0; i < 8; i++) {
        k[i] = (struct worker){.v = v, .token = t, .rounds = rounds};
        if (pthread_create(&k[i].thread, NULL, work, &k[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(k[i].thread, NULL);
        wrong += k[i].wrong;
    }
    return wrong;
}

/* --- the network --- */

struct site {
    struct script_server http;
    struct world *w;
    char issuer[64], list_uri[96];
    _Atomic int metadata, keys, lists, down;
    const struct jwk *_Atomic second; /* a key that appears */
    const char *_Atomic list, *_Atomic named;
};

static void say_json(int fd, const char *body)
{
    char head[160];
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", strlen(body));
    script_say(fd, head);
    script_say(fd, body);
}

static struct site *the_site; /* script_server has no place for more */

static void site_talk(struct script_server *s, int fd)
{
    struct site *site = the_site;
    struct arena *a = arena_new(1 << 20);
    struct world w = {.c = site->w->c, .a = a};
    if (script_until(s, fd, 0, "\r\n\r\n") != 0 || site->down) {
        if (site->down)
            script_say(fd, "HTTP/1.1 503 Away\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    } else if (!strncmp(s->heard, "GET /.well-known/openid-configuration ", 38)) {
        site->metadata++;
        say_json(fd, arena_fmt(a, "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/jwks\"}", (const char *)site->named, site->issuer).p);
    } else if (!strncmp(s->heard, "GET /.well-known/oauth-authorization-server/t/x ", 48)) {
        say_json(fd, arena_fmt(a, "{\"jwks_uri\":\"%s/jwks\",\"issuer\":\"%s/t/x\"}", site->issuer, site->issuer).p);
    } else if (!strncmp(s->heard, "GET /jwks ", 10)) {
        const struct jwk *second = site->second;
        site->keys++;
        usleep(20000);
        say_json(fd, set_of(&w, (const struct jwk *const[]){&site->w->es, second}, second ? 2 : 1).p);
    } else if (!strncmp(s->heard, "GET /status/1 ", 14) && strstr(s->heard, "application/statuslist+jwt")) {
        site->lists++;
        say_json(fd, site->list);
    } else {
        script_say(fd, "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    arena_free(&a);
}

static void site_start(struct site *s, struct world *w)
{
    memset(s, 0, sizeof(*s));
    s->w = w;
    s->http.talk = site_talk;
    the_site = s;
    script_start(&s->http);
    snprintf(s->issuer, sizeof(s->issuer), "http://127.0.0.1:%d", s->http.port);
    snprintf(s->list_uri, sizeof(s->list_uri), "%s/status/1", s->issuer);
    s->named = s->issuer;
}

static struct mereau_options online(const struct site *s)
{
    return (struct mereau_options){.size = sizeof(struct mereau_options), .issuer = s->issuer, .audiences = audiences, .allow = loopback};
}

static struct str site_token(struct site *s, const struct jwk *k, const char *more)
{
    return forge(s->w, k, header_of(s->w, k, "at+jwt"), claims(s->w, s->issuer, AUD, 0, 300, more));
}

static void test_background(struct world *w)
{
    struct site s;
    site_start(&s, w);
    struct mereau_options o = online(&s);
    o.wait_ms = 10000;
    struct mereau_verifier *v = verifier(&o);
    struct mereau_result *r = mereau_result_new();
    struct str first = site_token(&s, &w->es, ""), second = site_token(&s, &w->stranger, "");
    CHECK(crowd(v, first, 50) == 0); /* all wait for the same first fetch */
    CHECK(s.metadata == 1 && s.keys == 1 && mereau_verifier_next_refresh(v) > 50000);
    s.second = &w->stranger; /* a key appears */
    CHECK(crowd(v, second, 20) == 0);
    CHECK(s.keys == 2);
    struct str forged = forge(w, &w->rs, header_of(w, &w->rs, "at+jwt"), claims(w, s.issuer, AUD, 0, 300, ""));
    for (int i = 0; i < 20; i++)
        CHECK(ask(v, forged, r) == MEREAU_UNKNOWN_KEY);
    CHECK(s.keys == 3); /* once, since the last fetch brought a key, and not again so soon */
    s.down = 1;
    CHECK(ask(v, first, r) == MEREAU_OK && ask(v, second, r) == MEREAU_OK);
    mereau_verifier_free(&v);
    mereau_result_free(&r);
    script_stop(&s.http);
}

static void test_event_loop(struct world *w)
{
    struct site s;
    char why[128];
    site_start(&s, w);
    struct mereau_options o = online(&s);
    o.no_background = 1;
    struct mereau_verifier *v = verifier(&o);
    struct mereau_result *r = mereau_result_new();
    struct str first = site_token(&s, &w->es, ""), second = site_token(&s, &w->stranger, "");
    CHECK(mereau_verifier_next_refresh(v) == 0 && ask(v, first, r) == MEREAU_TRY_AGAIN && !mereau_subject(r));
    s.down = 1;
    CHECK(mereau_verifier_refresh(v) == MEREAU_NETWORK && strstr(mereau_verifier_problem(v, why, sizeof(why)), "503"));
    CHECK(mereau_verifier_next_refresh(v) > 0 && ask(v, first, r) == MEREAU_UNAVAILABLE);
    s.down = 0;
    usleep(1100000);
    CHECK(mereau_verifier_refresh(v) == MEREAU_OK && mereau_verifier_problem(v, why, sizeof(why))[0] == '\0');
    CHECK(ask(v, first, r) == MEREAU_OK && mereau_verifier_next_refresh(v) > 50000 && s.keys == 1);
    CHECK(mereau_verifier_refresh(v) == MEREAU_OK && s.keys == 1); /* nothing is due */
    s.second = &w->stranger;
    CHECK(ask(v, second, r) == MEREAU_TRY_AGAIN && mereau_verifier_next_refresh(v) == 0);
    CHECK(mereau_verifier_refresh(v) == MEREAU_OK && ask(v, second, r) == MEREAU_OK && s.keys == 2);
    mereau_verifier_free(&v);
    s.named = "https://other.example"; /* A78: metadata of another issuer */
    v = verifier(&o);
    CHECK(mereau_verifier_refresh(v) == MEREAU_NETWORK && strstr(mereau_verifier_problem(v, why, sizeof(why)), "another issuer"));
    CHECK(ask(v, first, r) == MEREAU_UNAVAILABLE);
    mereau_verifier_free(&v);
    s.named = s.issuer;
    o.issuer = arena_fmt(w->a, "%s/t/x", s.issuer).p; /* RFC 8414 section 3.1: between host and path */
    v = verifier(&o);
    CHECK(mereau_verifier_refresh(v) == MEREAU_OK && ask(v, first, r) == MEREAU_INVALID);
    CHECK(ask(v, forge(w, &w->es, header_of(w, &w->es, "at+jwt"), claims(w, o.issuer, AUD, 0, 300, "")), r) == MEREAU_OK);
    mereau_verifier_free(&v);
    o.issuer = s.issuer;
    o.stale_s = -1; /* with nothing allowed to be stale, the minute of max-age is all */
    v = verifier(&o);
    CHECK(mereau_verifier_refresh(v) == MEREAU_OK && ask(v, first, r) == MEREAU_OK);
    mereau_verifier_free(&v);
    mereau_result_free(&r);
    script_stop(&s.http);
}

/* --- status lists --- */

static struct str packed(struct world *w, const uint8_t *bytes, size_t n)
{
    uLongf out_n = compressBound(n);
    char *out = arena_alloc(w->a, out_n);
    CHECK(compress2((Bytef *)out, &out_n, bytes, n, 9) == Z_OK);
    return b64(w->a, (struct str){out, out_n});
}

static const char *status_token(struct site *s, const struct jwk *k, const char *typ, const char *sub, const char *times, int bits, struct str lst)
{
    struct str payload = arena_fmt(s->w->a, "{\"sub\":\"%s\",%s,\"status_list\":{\"bits\":%d,\"lst\":\"%.*s\"}}", sub, times, bits, STR_ARG(lst));
    return forge(s->w, k, header_of(s->w, k, typ), payload).p;
}

static struct str listed(struct site *s, const char *uri, long idx)
{
    return site_token(s, &s->w->es, arena_fmt(s->w->a, "\"status\":{\"status_list\":{\"idx\":%ld,\"uri\":\"%s\"}},", idx, uri).p);
}

static void test_status(struct world *w)
{
    static const uint8_t one[] = {0x09, 0x80}, two[] = {0xc9, 0x44}; /* the draft's own way of counting: least significant bit first */
    struct site s;
    site_start(&s, w);
    struct mereau_options o = online(&s);
    o.status_list = 1;
    o.wait_ms = 10000;
    const char *times = arena_fmt(w->a, "\"iat\":%ld,\"exp\":%ld,\"ttl\":1", (long)time(NULL), (long)time(NULL) + 600).p;
    s.list = status_token(&s, &w->es, "statuslist+jwt", s.list_uri, times, 1, packed(w, one, 2));
    struct mereau_verifier *v = verifier(&o);
    struct mereau_result *r = mereau_result_new();
    static const bool revoked[16] = {[0] = true, [3] = true, [15] = true};
    for (long i = 0; i < 16; i++)
        CHECK(ask(v, listed(&s, s.list_uri, i), r) == (revoked[i] ? MEREAU_REVOKED : MEREAU_OK));
    CHECK(s.lists == 1 && ask(v, listed(&s, s.list_uri, 16), r) == MEREAU_INVALID && ask(v, listed(&s, s.list_uri, -1), r) == MEREAU_INVALID);
    CHECK(ask(v, listed(&s, "https://evil.example/status/1", 1), r) == MEREAU_INVALID);
    CHECK(ask(v, listed(&s, arena_fmt(w->a, "%s.evil.example/1", s.issuer).p, 1), r) == MEREAU_INVALID);
    CHECK(ask(v, listed(&s, arena_fmt(w->a, "%s0/status/1", s.issuer).p, 1), r) == MEREAU_INVALID);
    CHECK(ask(v, site_token(&s, &w->es, "\"status\":1,"), r) == MEREAU_OK);
    CHECK(ask(v, site_token(&s, &w->es, "\"status\":{\"status_list\":[]},"), r) == MEREAU_INVALID);
    CHECK(ask(v, site_token(&s, &w->es, "\"status\":{\"other\":{}},"), r) == MEREAU_OK);
    CHECK(ask(v, site_token(&s, &w->es, ""), r) == MEREAU_OK);
    CHECK(ask(v, listed(&s, arena_fmt(w->a, "%s/status/404", s.issuer).p, 1), r) == MEREAU_UNAVAILABLE);
    /* the next one comes by itself within its ttl, here of two bits */
    s.list = status_token(&s, &w->es, "statuslist+jwt", s.list_uri, times, 2, packed(w, two, 2));
    for (int i = 0; i < 80 && ask(v, listed(&s, s.list_uri, 1), r) != MEREAU_REVOKED; i++)
        usleep(100000);
    static const bool revoked_two[8] = {[0] = true, [1] = true, [3] = true, [5] = true, [7] = true};
    for (long i = 0; i < 8; i++)
        CHECK(ask(v, listed(&s, s.list_uri, i), r) == (revoked_two[i] ? MEREAU_REVOKED : MEREAU_OK));
    s.down = 1;
    usleep(2200000);
    CHECK(ask(v, listed(&s, s.list_uri, 4), r) == MEREAU_OK); /* stale, and tolerated */
    mereau_verifier_free(&v);
    s.down = 0;
    o.no_background = 1;
    o.status_stale_s = -1;
    v = verifier(&o);
    CHECK(mereau_verifier_refresh(v) == MEREAU_OK && ask(v, listed(&s, s.list_uri, 4), r) == MEREAU_TRY_AGAIN);
    CHECK(mereau_verifier_refresh(v) == MEREAU_OK && ask(v, listed(&s, s.list_uri, 4), r) == MEREAU_OK);
    usleep(1100000);
    CHECK(ask(v, listed(&s, s.list_uri, 4), r) == MEREAU_TRY_AGAIN && mereau_verifier_refresh(v) == MEREAU_OK);
    CHECK(ask(v, listed(&s, s.list_uri, 4), r) == MEREAU_OK);
    mereau_verifier_free(&v);
    mereau_result_free(&r);
    script_stop(&s.http);
}

/* Lists that are not to be believed: the token they are asked about is neither valid nor revoked. */
static void test_status_refused(struct world *w)
{
    static uint8_t big[1024 * 1024 + 1];
    static const uint8_t none[] = {0, 0};
    struct site s;
    site_start(&s, w);
    struct mereau_options o = online(&s);
    struct mereau_result *r = mereau_result_new();
    long now = (long)time(NULL);
    const char *good = arena_fmt(w->a, "\"iat\":%ld", now).p, *typ = "statuslist+jwt";
    struct str lst = packed(w, none, 2);
    struct str crit = arena_fmt(w->a, "{\"alg\":\"ES256\",\"typ\":\"statuslist+jwt\",\"b64\":true,\"crit\":[\"b64\"],\"kid\":\"%.*s\"}", STR_ARG(w->es.kid));
    const struct {
        const char *name;
        enum mereau_status status;
        const char *token;
    } rows[] = {
        {"sound", MEREAU_OK, status_token(&s, &w->es, typ, s.list_uri, good, 1, lst)},
        {"typ in full", MEREAU_OK, status_token(&s, &w->es, "application/statuslist+jwt", s.list_uri, good, 8, lst)},
        {"the most", MEREAU_OK, status_token(&s, &w->es, typ, s.list_uri, good, 1, packed(w, big, sizeof(big) - 1))},
        {"A72 one more", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, good, 1, packed(w, big, sizeof(big)))},
        {"typ", MEREAU_UNAVAILABLE, status_token(&s, &w->es, "at+jwt", s.list_uri, good, 1, lst)},
        {"another list's", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, "https://x.example/1", good, 1, lst)},
        {"a stranger's", MEREAU_UNAVAILABLE, status_token(&s, &w->stranger, typ, s.list_uri, good, 1, lst)},
        {"another issuer's", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, arena_fmt(w->a, "\"iss\":\"x\",%s", good).p, 1, lst)},
        {"expired", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, arena_fmt(w->a, "%s,\"exp\":%ld", good, now - 100).p, 1, lst)},
        {"no iat", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, "\"x\":1", 1, lst)},
        {"future iat", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, arena_fmt(w->a, "\"iat\":%ld", now + 1000).p, 1, lst)},
        {"bits", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, good, 3, lst)},
        {"no bits", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, good, 0, lst)},
        {"empty", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, good, 1, STR(""))},
        {"not packed", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, good, 1, STR("AAAA"))},
        {"something behind", MEREAU_UNAVAILABLE, status_token(&s, &w->es, typ, s.list_uri, good, 1, arena_fmt(w->a, "%.*sAAAA", (int)(lst.n / 4 * 4), lst.p))},
        {"crit", MEREAU_UNAVAILABLE, forge(w, &w->es, crit, arena_fmt(w->a, "{\"sub\":\"%s\",%s,\"status_list\":{\"bits\":1,\"lst\":\"%.*s\"}}", s.list_uri, good, STR_ARG(lst))).p},
        {"text", MEREAU_UNAVAILABLE, "hello"},
    };
    o.status_list = 1;
    o.no_background = 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mereau_verifier *v = verifier(&o);
        s.list = rows[i].token;
        CHECK(mereau_verifier_refresh(v) == MEREAU_OK);
        CHECK_ROW(ask(v, listed(&s, s.list_uri, 1), r) == MEREAU_TRY_AGAIN, rows[i].name);
        CHECK_ROW((mereau_verifier_refresh(v) == MEREAU_OK) == (rows[i].status == MEREAU_OK), rows[i].name);
        CHECK_ROW(ask(v, listed(&s, s.list_uri, 1), r) == rows[i].status, rows[i].name);
        mereau_verifier_free(&v);
    }
    mereau_result_free(&r);
    script_stop(&s.http);
}

/* As many lists as are kept, and more. */
static void test_status_many(struct world *w)
{
    struct site s;
    site_start(&s, w);
    struct mereau_options o = online(&s);
    struct mereau_result *r = mereau_result_new();
    o.status_list = 1;
    o.no_background = 1;
    struct mereau_verifier *v = verifier(&o);
    CHECK(mereau_verifier_refresh(v) == MEREAU_OK);
    for (int i = 0; i < LIMIT_STATUS_LISTS + 20; i++)
        CHECK(ask(v, listed(&s, arena_fmt(w->a, "%s/status/x%d", s.issuer, i).p, 1), r) == MEREAU_TRY_AGAIN);
    CHECK(mereau_verifier_refresh(v) == MEREAU_NETWORK);
    mereau_verifier_free(&v);
    mereau_result_free(&r);
    script_stop(&s.http);
}

int main(void)
{
    struct world w;
#if COUNTS
    CHECK(CRYPTO_set_mem_functions(theirs, theirs_again, theirs_free) == 1);
#endif
    world_make(&w);
    for (enum mereau_status s = MEREAU_OK; s <= MEREAU_CRYPTO; s++)
        CHECK(mereau_strerror(s)[0] && strcmp(mereau_strerror(s), "unknown status"));
    CHECK(!strcmp(mereau_strerror((enum mereau_status)99), "unknown status") && mereau_version()[0]);
    test_options(&w);
    test_verdicts(&w);
    test_header(&w);
    test_claims(&w);
    test_id_token(&w);
    test_encrypted(&w);
    test_allocations(&w);
    test_background(&w);
    test_event_loop(&w);
    test_status(&w);
    test_status_refused(&w);
    test_status_many(&w);
    world_free(&w);
    return unit_end("lib-verifier");
}
