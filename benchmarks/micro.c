/* What crypto/ and jose/ cost on one core, each beside the raw OpenSSL call it ends in (a reused, initialised
 * context) where there is one.  usage: micro [seconds a row] [part of a row's name] */
#include "jose/jose.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NOW  1800000000
#define STEP 16 /* calls between two looks at the clock */

struct world {
    struct crypto *c;
    struct arena *a;
    struct jwk keys[ALG_COUNT];
    struct jwks set;
    struct str tokens[ALG_COUNT], payload, input;
    struct jwt_profile profile;
    EVP_PKEY_CTX *raw_sign[ALG_COUNT], *raw_verify[ALG_COUNT];
    EVP_MD_CTX *raw_ed_sign, *raw_ed_verify;
    uint8_t raw_sig[ALG_COUNT][SIG_MAX], sig[ALG_COUNT][SIG_MAX];
    size_t raw_sig_n[ALG_COUNT], sig_n[ALG_COUNT];
    uint8_t aead_key[AEAD_KEY_SIZE];
};

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "micro: %s failed\n", what);
        exit(1);
    }
}
#define MUST(cond) must((cond), #cond)

/* --- the floors --- */

static const uint8_t md[32] = {1, 2, 3};

/* The same key again, as OpenSSL sees it. */
static EVP_PKEY *raw_key(struct world *w, enum alg alg)
{
    struct str der;
    MUST(key_to_der(w->keys[alg].key, w->a, &der) == ERR_OK);
    const unsigned char *p = (const unsigned char *)der.p;
    EVP_PKEY *k = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
    MUST(k != NULL);
    return k;
}

static void raw_pkey_make(struct world *w, enum alg alg)
{
    EVP_PKEY *k = raw_key(w, alg);
    EVP_PKEY_CTX *s = EVP_PKEY_CTX_new(k, NULL), *v = EVP_PKEY_CTX_new(k, NULL);
    MUST(EVP_PKEY_sign_init(s) == 1 && EVP_PKEY_verify_init(v) == 1);
    if (alg_row(alg)->scheme == SIG_RSA_PKCS1) {
        MUST(EVP_PKEY_CTX_set_rsa_padding(s, RSA_PKCS1_PADDING) == 1 &&
             EVP_PKEY_CTX_set_signature_md(s, EVP_sha256()) == 1);
        MUST(EVP_PKEY_CTX_set_rsa_padding(v, RSA_PKCS1_PADDING) == 1 &&
             EVP_PKEY_CTX_set_signature_md(v, EVP_sha256()) == 1);
    }
    w->raw_sign[alg] = s;
    w->raw_verify[alg] = v;
    w->raw_sig_n[alg] = SIG_MAX;
    MUST(EVP_PKEY_sign(s, w->raw_sig[alg], &w->raw_sig_n[alg], md, sizeof(md)) == 1);
    EVP_PKEY_free(k);
}

static void raw_ed_make(struct world *w)
{
    EVP_PKEY *k = raw_key(w, ALG_EDDSA);
    w->raw_ed_sign = EVP_MD_CTX_new();
    w->raw_ed_verify = EVP_MD_CTX_new();
    MUST(EVP_DigestSignInit(w->raw_ed_sign, NULL, NULL, NULL, k) == 1);
    MUST(EVP_DigestVerifyInit(w->raw_ed_verify, NULL, NULL, NULL, k) == 1);
    w->raw_sig_n[ALG_EDDSA] = SIG_MAX;
    MUST(EVP_DigestSign(w->raw_ed_sign, w->raw_sig[ALG_EDDSA], &w->raw_sig_n[ALG_EDDSA],
                        (const uint8_t *)w->input.p, w->input.n) == 1);
    EVP_PKEY_free(k);
}

static void raw_sign(struct world *w, enum alg alg)
{
    uint8_t sig[SIG_MAX];
    size_t n = sizeof(sig);
    const uint8_t *in = (const uint8_t *)w->input.p;
    MUST(alg == ALG_EDDSA ? EVP_DigestSign(w->raw_ed_sign, sig, &n, in, w->input.n) == 1
                          : EVP_PKEY_sign(w->raw_sign[alg], sig, &n, md, sizeof(md)) == 1);
}

static void raw_verify(struct world *w, enum alg alg)
{
    const uint8_t *sig = w->raw_sig[alg], *in = (const uint8_t *)w->input.p;
    size_t n = w->raw_sig_n[alg];
    MUST(alg == ALG_EDDSA ? EVP_DigestVerify(w->raw_ed_verify, sig, n, in, w->input.n) == 1
                          : EVP_PKEY_verify(w->raw_verify[alg], sig, n, md, sizeof(md)) == 1);
}

static void raw_sha256(struct world *w, enum alg alg)
{
    (void)alg;
    uint8_t out[32];
    MUST(SHA256((const uint8_t *)w->input.p, 32, out) != NULL);
}

static void raw_hmac(struct world *w, enum alg alg)
{
    (void)alg;
    uint8_t out[32];
    unsigned n = sizeof(out);
    MUST(HMAC(EVP_sha256(), md, sizeof(md), (const uint8_t *)w->input.p, 32, out, &n) != NULL);
}

/* --- ours --- */

static void our_sign(struct world *w, enum alg alg)
{
    const struct alg_row *r = alg_row(alg);
    MUST(key_sign(w->c, w->keys[alg].key, r->scheme, r->digest, w->input, w->sig[alg], &w->sig_n[alg]) ==
         ERR_OK);
}

static void our_verify(struct world *w, enum alg alg)
{
    const struct alg_row *r = alg_row(alg);
    struct str sig = {(char *)w->sig[alg], w->sig_n[alg]};
    MUST(key_verify(w->c, w->keys[alg].key, r->scheme, r->digest, w->input, sig) == ERR_OK);
}

static void our_jws(struct world *w, enum alg alg)
{
    struct str token;
    MUST(jws_sign(w->c, &w->keys[alg], STR("at+jwt"), w->payload, w->a, &token) == ERR_OK);
}

static void our_jwt(struct world *w, enum alg alg)
{
    struct jwt t;
    MUST(jwt_verify(w->c, w->tokens[alg], &w->set, &w->profile, NOW, w->a, &t, NULL) == ERR_OK);
}

static void our_peek(struct world *w, enum alg alg)
{
    struct jwt t;
    MUST(jwt_peek(w->tokens[alg], w->a, &t) == ERR_OK);
}

static void our_sha256(struct world *w, enum alg alg)
{
    (void)alg;
    uint8_t out[32];
    sha256(w->c, (struct str){w->input.p, 32}, out);
}

static void our_hmac(struct world *w, enum alg alg)
{
    (void)alg;
    uint8_t out[32];
    hmac_sha256(w->c, (struct str){(const char *)md, sizeof(md)}, (struct str){w->input.p, 32}, out);
}

static void our_seal(struct world *w, enum alg alg)
{
    (void)alg;
    uint8_t out[32 + AEAD_OVERHEAD];
    MUST(aead_seal(w->c, w->aead_key, STR("aad"), (struct str){w->input.p, 32}, out) == ERR_OK);
}

static void our_permute(struct world *w, enum alg alg)
{
    static volatile uint64_t sink;
    (void)alg;
    sink = permute64(w->aead_key, 42);
    (void)sink;
}

static void our_random(struct world *w, enum alg alg)
{
    (void)w, (void)alg;
    uint8_t out[24];
    MUST(random_bytes(out, sizeof(out)) == ERR_OK);
}

static void our_key_load(struct world *w, enum alg alg)
{
    struct key *k = NULL;
    struct str der;
    MUST(key_to_der(w->keys[alg].key, w->a, &der) == ERR_OK && key_from_der(der, &k) == ERR_OK);
    key_free(&k);
}

static void our_password(struct world *w, enum alg alg)
{
    (void)alg;
    struct str phc;
    MUST(password_hash(w->a, STR("correct horse battery"), &phc) == ERR_OK);
}

/* --- measuring --- */

typedef void (*call)(struct world *w, enum alg alg);
static const struct {
    const char *name;
    enum alg alg;
    call ours, floor;
} rows[] = {
    {"ES256 key_sign", ALG_ES256, our_sign, raw_sign},
    {"ES256 jws_sign", ALG_ES256, our_jws, raw_sign},
    {"ES256 key_verify", ALG_ES256, our_verify, raw_verify},
    {"ES256 jwt_verify", ALG_ES256, our_jwt, raw_verify},
    {"RS256 key_sign", ALG_RS256, our_sign, raw_sign},
    {"RS256 key_verify", ALG_RS256, our_verify, raw_verify},
    {"RS256 jwt_verify", ALG_RS256, our_jwt, raw_verify},
    {"EdDSA key_sign", ALG_EDDSA, our_sign, raw_sign},
    {"EdDSA key_verify", ALG_EDDSA, our_verify, raw_verify},
    {"jwt_peek", ALG_ES256, our_peek, NULL},
    {"sha256, 32 bytes", ALG_ES256, our_sha256, raw_sha256},
    {"hmac_sha256, 32 bytes", ALG_ES256, our_hmac, raw_hmac},
    {"aead_seal, 32 bytes", ALG_ES256, our_seal, NULL},
    {"permute64", ALG_ES256, our_permute, NULL},
    {"random_bytes, 24 bytes", ALG_ES256, our_random, NULL},
    {"ES256 key out and in", ALG_ES256, our_key_load, NULL},
    {"RS256 key out and in", ALG_RS256, our_key_load, NULL},
    {"password_hash", ALG_ES256, our_password, NULL},
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double per_second(struct world *w, call f, enum alg alg, double seconds)
{
    double start = now_s(), end = start;
    size_t n = 0;
    while (end - start < seconds) {
        for (unsigned i = 0; i < STEP; i++) {
            f(w, alg);
            arena_reset(w->a);
        }
        n += STEP;
        end = now_s();
    }
    return (double)n / (end - start);
}

static void world_make(struct world *w, struct arena *keep)
{
    static const struct str aud = {"https://api.example", 19};
    *w = (struct world){
        .profile = {
            .typ = "at+jwt", .algs = ALGS_ALL, .iss = STR("https://as.example"), .skew_s = 5, .max_life_s = 3600}};
    w->profile.aud = (struct strs){&aud, 1};
    w->payload = STR("{\"iss\":\"https://as.example\",\"aud\":\"https://"
                     "api.example\",\"sub\":\"3f0a1c9e5b7d2468\",\"client_id\":\"web\","
                     "\"iat\":1800000000,\"exp\":1800000300,\"jti\":\"7Yk2mQpXw1RtZ9sB4cVd\",\"scope\":"
                     "\"orders.read orders.write\"}");
    w->input = w->payload;
    w->a = keep;
    MUST(crypto_new(&w->c) == ERR_OK);
    for (unsigned i = 0; i < ALG_RSA_OAEP; i++) {
        const struct alg_row *r = alg_row((enum alg)i);
        w->keys[i] = (struct jwk){.kid = str_z(r->name), .alg = (enum alg)i};
        MUST(key_generate(r->kind, r->rsa_bits, &w->keys[i].key) == ERR_OK);
        MUST(jws_sign(w->c, &w->keys[i], STR("at+jwt"), w->payload, keep, &w->tokens[i]) == ERR_OK);
        our_sign(w, (enum alg)i);
    }
    w->set = (struct jwks){w->keys, ALG_RSA_OAEP};
    raw_pkey_make(w, ALG_ES256);
    raw_pkey_make(w, ALG_RS256);
    raw_ed_make(w);
    w->a = arena_new(1 << 20);
    MUST(w->a != NULL);
}

int main(int argc, char **argv)
{
    struct world w;
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    struct arena *keep = arena_new(1 << 20);
    MUST(keep != NULL);
    world_make(&w, keep);
    printf("%-24s %12s %10s %12s %8s\n", "", "ours/s", "ours us", "OpenSSL/s", "ratio");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (argc > 2 && !strstr(rows[i].name, argv[2]))
            continue;
        double ours = per_second(&w, rows[i].ours, rows[i].alg, seconds);
        printf("%-24s %12.0f %10.2f", rows[i].name, ours, 1e6 / ours);
        if (rows[i].floor) {
            double floor = per_second(&w, rows[i].floor, rows[i].alg, seconds);
            printf(" %12.0f %8.2f", floor, ours / floor);
        }
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
