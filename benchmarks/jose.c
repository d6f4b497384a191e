/* What a signed token of 300 bytes of claims costs, made and verified whole, beside the raw EVP calls on the same bytes (the
 * context made and keyed before, the digest included) and beside other libraries. One line a row, fields by tabs:
 * row, ours a second, EVP a second, then name and rate of each library. "libmereau" is the same through the library's door: tokens
 * that name the present, the wall clock read, the result filled. usage: jose [seconds a row] [part of a row's name] */
#include "jose/jose.h"
#include "jose_rivals.h"
#include "lib/mereau.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NOW   1800000000
#define LIB_ROWS (ALG_BIT(ALG_ES256) | ALG_BIT(ALG_RS256) | ALG_BIT(ALG_EDDSA))
#define ROUND 0.05 /* seconds of each in turn, so that all meet the same moments of the machine */

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "jose: %s failed\n", what);
        exit(1);
    }
}
#define MUST(cond) must((cond), #cond)

struct world {
    struct crypto *c;
    struct arena *a, *keep;
    const struct alg_row *row;
    struct jwk key;
    struct jwks set;
    struct jwt_profile profile;
    struct str claims, token, input, sig;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *sign, *verify;
    EVP_MD_CTX *md, *ed_sign, *ed_verify;
    const EVP_MD *digest;
    HMAC_CTX *mac;
    uint8_t raw_sig[SIG_MAX];
    size_t raw_n;
    struct rival_job job;
    const struct rival *rival;
    const char *typ;
    struct mereau_verifier *lib;
    struct mereau_result *result;
};
typedef void (*call)(struct world *w);

/* --- ours --- */

static void our_sign(struct world *w)
{
    struct str token;
    MUST(jws_sign(w->c, &w->key, STR("JWT"), w->claims, w->a, &token) == ERR_OK);
    arena_reset(w->a);
}

static void our_verify(struct world *w)
{
    struct jwt t;
    MUST(jwt_verify(w->c, w->token, &w->set, &w->profile, NOW, w->a, &t, NULL) == ERR_OK);
    arena_reset(w->a);
}

static void lib_verify(struct world *w)
{
    MUST(mereau_verify(w->lib, w->token.p, w->token.n, w->result) == MEREAU_OK);
}

/* --- EVP --- */

static unsigned hash(struct world *w, uint8_t *md)
{
    unsigned n = 0;
    MUST(EVP_DigestInit_ex(w->md, w->digest, NULL) == 1 && EVP_DigestUpdate(w->md, w->input.p, w->input.n) == 1 &&
         EVP_DigestFinal_ex(w->md, md, &n) == 1);
    return n;
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void raw_mac(struct world *w, uint8_t *out)
{
    unsigned n = SIG_MAX;
    MUST(HMAC_Init_ex(w->mac, NULL, 0, NULL, NULL) == 1 && HMAC_Update(w->mac, (const uint8_t *)w->input.p, w->input.n) == 1 &&
         HMAC_Final(w->mac, out, &n) == 1);
}

static void raw_sign(struct world *w)
{
    uint8_t md[64];
    w->raw_n = SIG_MAX;
    if (w->row->scheme == SIG_HMAC)
        raw_mac(w, w->raw_sig);
    else if (w->row->scheme == SIG_EDDSA)
        MUST(EVP_DigestSign(w->ed_sign, w->raw_sig, &w->raw_n, (const uint8_t *)w->input.p, w->input.n) == 1);
    else
        MUST(EVP_PKEY_sign(w->sign, w->raw_sig, &w->raw_n, md, hash(w, md)) == 1);
}

static void raw_verify(struct world *w)
{
    uint8_t md[64];
    if (w->row->scheme == SIG_HMAC)
        raw_mac(w, md);
    else if (w->row->scheme == SIG_EDDSA)
        MUST(EVP_DigestVerify(w->ed_verify, w->raw_sig, w->raw_n, (const uint8_t *)w->input.p, w->input.n) == 1);
    else
        MUST(EVP_PKEY_verify(w->verify, w->raw_sig, w->raw_n, md, hash(w, md)) == 1);
}

static void raw_pad(struct world *w, EVP_PKEY_CTX *x)
{
    bool pss = w->row->scheme == SIG_RSA_PSS;
    if (w->row->kind != KEY_RSA)
        return;
    MUST(EVP_PKEY_CTX_set_rsa_padding(x, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1);
    MUST(EVP_PKEY_CTX_set_signature_md(x, w->digest) == 1);
    MUST(!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(x, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static void raw_make(struct world *w)
{
    static const char *const names[] = {"SHA256", "SHA384", "SHA512"};
    struct str der, secret = key_secret(w->key.key);
    w->digest = EVP_MD_fetch(NULL, names[w->row->digest], NULL);
    w->md = EVP_MD_CTX_new();
    if (secret.p) {
        w->mac = HMAC_CTX_new();
        MUST(HMAC_Init_ex(w->mac, secret.p, (int)secret.n, w->digest, NULL) == 1);
        return;
    }
    MUST(key_to_der(w->key.key, w->keep, &der) == ERR_OK);
    const unsigned char *p = (const unsigned char *)der.p;
    MUST((w->pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.n)) != NULL);
    if (w->row->scheme == SIG_EDDSA) {
        w->ed_sign = EVP_MD_CTX_new();
        w->ed_verify = EVP_MD_CTX_new();
        MUST(EVP_DigestSignInit(w->ed_sign, NULL, NULL, NULL, w->pkey) == 1);
        MUST(EVP_DigestVerifyInit(w->ed_verify, NULL, NULL, NULL, w->pkey) == 1);
        return;
    }
    w->sign = EVP_PKEY_CTX_new(w->pkey, NULL);
    w->verify = EVP_PKEY_CTX_new(w->pkey, NULL);
    MUST(EVP_PKEY_sign_init(w->sign) == 1 && EVP_PKEY_verify_init(w->verify) == 1);
    raw_pad(w, w->sign);
    raw_pad(w, w->verify);
}

/* --- others --- */

static void rival_sign(struct world *w)
{
    MUST(w->rival->sign(&w->job));
}

static void rival_verify(struct world *w)
{
    MUST(w->rival->verify(&w->job));
}

static void job_make(struct world *w)
{
    struct buf b;
    struct jw jw;
    struct str pem = STR_NONE, public = STR_NONE, secret = key_secret(w->key.key);
    buf_init(&b, w->keep, 8192);
    jw_init(&jw, &b);
    MUST(jwk_print(&w->key, true, w->keep, &jw) == ERR_OK);
    if (!secret.p)
        MUST(key_to_pem(w->key.key, true, w->keep, &pem) == ERR_OK && key_to_pem(w->key.key, false, w->keep, &public) == ERR_OK);
    w->job = (struct rival_job){.alg = w->row->name, .pem = pem.p, .pem_public = public.p, .jwk = arena_cstr(w->keep, buf_view(&b)),
                                .secret = (const unsigned char *)secret.p, .secret_n = (int)secret.n,
                                .claims = arena_cstr(w->keep, w->claims), .token = arena_cstr(w->keep, w->token)};
}

/* --- measuring --- */

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Calls in about ROUND seconds; adds to *calls and *time. */
static void some(struct world *w, call f, double *calls, double *time)
{
    double start = now_s(), end = start;
    while (end - start < ROUND) {
        for (unsigned i = 0; i < 8; i++)
            f(w);
        *calls += 8;
        end = now_s();
    }
    *time += end - start;
}

#define CONTESTANTS 8
static void measure(struct world *w, const char *what, bool signing, double seconds)
{
    const struct rival *with[CONTESTANTS] = {NULL, NULL};
    double calls[CONTESTANTS] = {0}, time[CONTESTANTS] = {0};
    void *state[CONTESTANTS] = {NULL};
    size_t n = 2;
    for (size_t i = 0; rivals[i] && n < CONTESTANTS; i++) {
        struct rival_job j = w->job;
        if (!rivals[i]->open(&j) || !rivals[i]->sign(&j) || !rivals[i]->verify(&j))
            continue;
        state[n] = j.state;
        with[n++] = rivals[i];
    }
    raw_sign(w);
    while (time[0] < seconds) {
        some(w, signing ? our_sign : w->lib ? lib_verify : our_verify, &calls[0], &time[0]);
        some(w, signing ? raw_sign : raw_verify, &calls[1], &time[1]);
        for (size_t i = 2; i < n; i++) {
            w->rival = with[i];
            w->job.state = state[i];
            some(w, signing ? rival_sign : rival_verify, &calls[i], &time[i]);
        }
    }
    printf("%s %s\t%.0f\t%.0f", what, signing ? "sign" : "verify", calls[0] / time[0], calls[1] / time[1]);
    for (size_t i = 2; i < n; i++) {
        printf("\t%s\t%.0f", with[i]->name, calls[i] / time[i]);
        w->job.state = state[i];
        with[i]->close(&w->job);
    }
    printf("\n");
    fflush(stdout);
}

static void world_make(struct world *w, enum alg alg)
{
    const char *dot;
    w->row = alg_row(alg);
    MUST(jwk_generate(w->c, alg, KEY_KINDS, 0, w->keep, &w->key) == ERR_OK);
    MUST(jws_sign(w->c, &w->key, str_z(w->typ), w->claims, w->keep, &w->token) == ERR_OK);
    w->set = (struct jwks){&w->key, 1};
    dot = memrchr(w->token.p, '.', w->token.n);
    w->input = (struct str){w->token.p, (size_t)(dot - w->token.p)};
    raw_make(w);
    job_make(w);
}

/* The verifier reads the clock, so the token has to live now; both times have ten digits. */
static void lib_make(struct world *w, enum alg alg)
{
    static const char *const audiences[] = {"https://api.example", NULL};
    struct mereau_options o = {.size = sizeof(o), .issuer = "https://as.example", .audiences = audiences};
    struct str claims = arena_str(w->keep, w->claims);
    struct buf b;
    struct jw jw;
    char *iat = memmem(claims.p, claims.n, "1800000000", 10), *exp = memmem(claims.p, claims.n, "1800000300", 10), text[24];
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof(text), "%010ld", (long)time(NULL) + (i ? 3600 : 0));
        memcpy(i ? exp : iat, text, 10);
    }
    w->claims = claims;
    w->typ = "at+jwt";
    world_make(w, alg);
    buf_init(&b, w->keep, 8192);
    jw_init(&jw, &b);
    buf_z(&b, "{\"keys\":[");
    MUST(jwk_print_public(&w->key, w->keep, &jw) == ERR_OK);
    buf_z(&b, "]}");
    o.jwks = arena_cstr(w->keep, buf_view(&b));
    MUST((w->result = mereau_result_new()) && mereau_verifier_new(&o, &w->lib) == MEREAU_OK);
}

static void world_free(struct world *w)
{
    mereau_verifier_free(&w->lib);
    mereau_result_free(&w->result);
    key_free(&w->key.key);
    EVP_PKEY_free(w->pkey);
    EVP_PKEY_CTX_free(w->sign);
    EVP_PKEY_CTX_free(w->verify);
    EVP_MD_CTX_free(w->md);
    EVP_MD_CTX_free(w->ed_sign);
    EVP_MD_CTX_free(w->ed_verify);
    EVP_MD_free((EVP_MD *)w->digest);
    HMAC_CTX_free(w->mac);
    arena_free(&w->keep);
    arena_free(&w->a);
    crypto_free(&w->c);
}

static void world_begin(struct world *w)
{
    static const struct str aud = {"https://api.example", 19};
    *w = (struct world){.a = arena_new(1 << 20), .keep = arena_new(1 << 20), .typ = "JWT"};
    w->profile = (struct jwt_profile){.algs = ALGS_SIG, .iss = STR("https://as.example"), .aud = {&aud, 1}, .skew_s = 5, .max_life_s = 3600};
    w->claims = STR("{\"iss\":\"https://as.example\",\"aud\":\"https://api.example\",\"sub\":\"3f0a1c9e5b7d2468\",\"client_id\":\"web\","
                    "\"iat\":1800000000,\"exp\":1800000300,\"jti\":\"7Yk2mQpXw1RtZ9sB4cVd\",\"scope\":\"orders.read orders.write\","
                    "\"sid\":\"Zm9vYmFyYmF6cXV4\",\"email\":\"alice@people.example\",\"name\":\"Alice Liddell\",\"tenant\":\"default\"}");
    MUST(w->a && w->keep && crypto_new(&w->c) == ERR_OK);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    for (enum alg alg = 0; alg < ALG_RSA_OAEP; alg++) {
        char name[32], lib[48];
        struct world w;
        snprintf(name, sizeof(name), "%s%s", alg_row(alg)->name, alg == ALG_ED448 ? " Ed448" : "");
        if (argc > 2 && !strstr(name, argv[2]))
            continue;
        world_begin(&w);
        world_make(&w, alg);
        measure(&w, name, true, seconds);
        measure(&w, name, false, seconds);
        world_free(&w);
        if (!(LIB_ROWS & ALG_BIT(alg)))
            continue;
        world_begin(&w);
        lib_make(&w, alg);
        snprintf(lib, sizeof(lib), "%s libmereau", name);
        measure(&w, lib, false, seconds);
        world_free(&w);
    }
    return 0;
}
