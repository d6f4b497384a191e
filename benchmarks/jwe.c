/* What encrypting a token of 300 bytes costs, beside the bare primitive on the same bytes: AES-GCM with the
 * key already set, the agreement, the RSA operation; and beside the other libraries that are installed.
 * Lines of "name, ours, OpenSSL's (0: none), library, its rate ..." in operations a second, with tabs between. usage: bench-jwe [SECONDS [PART OF A NAME]] */
#include "jose/jwe.h"
#include "jose_rivals.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MUST(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond)) {                                                                                       \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                                       \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)
#define TEXT_N 300
#define AAD_N  40
#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct world {
    struct crypto *c;
    struct arena *a;
    struct jwk k;
    struct str token, text;
    enum enc enc;
    EVP_CIPHER_CTX *gcm[2];
    uint8_t iv[12], tag[16], sealed[TEXT_N], wrapped[RSA_MAX];
    size_t wrapped_n;
    EVP_PKEY *pkey, *peer;
    EVP_PKEY_CTX *rsa[2];
};
typedef void (*call)(struct world *w);

/* --- ours --- */

static void encrypt(struct world *w)
{
    struct str token;
    MUST(jwe_encrypt(w->c, &w->k, w->enc, NULL, w->text, w->a, &token) == ERR_OK);
}

static void decrypt(struct world *w)
{
    const struct jwks keys = {&w->k, 1};
    const struct jwe_accept accept = {ALGS_MANAGE_SERVER, ENCS_ALL};
    struct str plain;
    MUST(jwe_decrypt(w->c, &keys, &accept, w->token, w->a, &plain, NULL) == ERR_OK);
}

/* --- OpenSSL alone --- */

static void gcm_run(struct world *w, int sealing, const uint8_t *in, uint8_t *out)
{
    EVP_CIPHER_CTX *x = w->gcm[sealing];
    int n;
    MUST(EVP_CipherInit_ex2(x, NULL, NULL, w->iv, sealing, NULL) == 1);
    if (!sealing)
        MUST(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, 16, w->tag) == 1);
    MUST(EVP_CipherUpdate(x, NULL, &n, (const uint8_t *)SECRET, AAD_N) == 1 &&
         EVP_CipherUpdate(x, out, &n, in, TEXT_N) == 1 && EVP_CipherFinal_ex(x, out + n, &n) == 1);
    if (sealing)
        MUST(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, 16, w->tag) == 1);
}

static void raw_seal(struct world *w)
{
    gcm_run(w, 1, (const uint8_t *)w->text.p, w->sealed);
}

static void raw_open(struct world *w)
{
    uint8_t out[TEXT_N + 16];
    gcm_run(w, 0, w->sealed, out);
}

static void raw_rsa_encrypt(struct world *w)
{
    w->wrapped_n = sizeof(w->wrapped);
    MUST(EVP_PKEY_encrypt(w->rsa[1], w->wrapped, &w->wrapped_n, (const uint8_t *)SECRET, 32) == 1);
}

static void raw_rsa_decrypt(struct world *w)
{
    uint8_t out[RSA_MAX];
    size_t n = sizeof(out);
    MUST(EVP_PKEY_decrypt(w->rsa[0], out, &n, w->wrapped, w->wrapped_n) == 1);
}

static void derive(EVP_PKEY *own, EVP_PKEY *peer)
{
    uint8_t z[ECDH_MAX];
    size_t n = sizeof(z);
    EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    MUST(x && EVP_PKEY_derive_init(x) == 1 && EVP_PKEY_derive_set_peer_ex(x, peer, 0) == 1 &&
         EVP_PKEY_derive(x, z, &n) == 1);
    EVP_PKEY_CTX_free(x);
}

static EVP_PKEY *ecdh_key(enum key_kind kind)
{
    EVP_PKEY *p = kind == KEY_X25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "X25519")
                                     : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "prime256v1");
    MUST(p != NULL);
    return p;
}

static void raw_agree_new(struct world *w)
{
    EVP_PKEY *p = ecdh_key(key_kind_of(w->k.key));
    derive(p, w->peer);
    EVP_PKEY_free(p);
}

static void raw_agree(struct world *w)
{
    derive(w->pkey, w->peer);
}

/* --- measuring --- */

static const struct {
    const char *name;
    enum alg alg;
    enum enc enc;
    enum key_kind kind;
    call floor[2]; /* encrypting, decrypting */
} rows[] = {
    {"dir, A256GCM", ALG_DIR, ENC_A256GCM, KEY_OCT, {raw_seal, raw_open}},
    {"dir, A128CBC-HS256", ALG_DIR, ENC_A128CBC_HS256, KEY_OCT, {NULL, NULL}},
    {"A256KW, A256GCM", ALG_A256KW, ENC_A256GCM, KEY_OCT, {raw_seal, raw_open}},
    {"A256GCMKW, A256GCM", ALG_A256GCMKW, ENC_A256GCM, KEY_OCT, {raw_seal, raw_open}},
    {"ECDH-ES P-256, A256GCM", ALG_ECDH_ES, ENC_A256GCM, KEY_EC_P256, {raw_agree_new, raw_agree}},
    {"ECDH-ES X25519, A256GCM", ALG_ECDH_ES, ENC_A256GCM, KEY_X25519, {raw_agree_new, raw_agree}},
    {"A128KW, A128CBC-HS256", ALG_A128KW, ENC_A128CBC_HS256, KEY_OCT, {NULL, NULL}},
    {"ECDH-ES P-256, A128CBC-HS256", ALG_ECDH_ES, ENC_A128CBC_HS256, KEY_EC_P256, {raw_agree_new, raw_agree}},
    {"RSA-OAEP, A256GCM", ALG_RSA_OAEP, ENC_A256GCM, KEY_RSA, {raw_rsa_encrypt, raw_rsa_decrypt}},
    {"RSA-OAEP-256, A256GCM", ALG_RSA_OAEP_256, ENC_A256GCM, KEY_RSA, {raw_rsa_encrypt, raw_rsa_decrypt}},
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#define STEP 16
static double microseconds(struct world *w, call f, double seconds)
{
    double begin = now_s(), end = begin;
    size_t n = 0;
    for (; end - begin < seconds; end = now_s(), n += STEP)
        for (unsigned i = 0; i < STEP; i++) {
            f(w);
            arena_reset(w->a);
        }
    return (end - begin) / (double)n * 1e6;
}

static void raw_make(struct world *w, enum key_kind kind)
{
    EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    for (int sealing = 0; sealing <= 1; sealing++) {
        w->gcm[sealing] = EVP_CIPHER_CTX_new();
        MUST(EVP_CipherInit_ex2(w->gcm[sealing], gcm, (const uint8_t *)SECRET, w->iv, sealing, NULL) == 1);
    }
    EVP_CIPHER_free(gcm);
    raw_seal(w);
    if (kind == KEY_RSA) {
        w->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
        for (int encrypting = 0; encrypting <= 1; encrypting++) {
            EVP_PKEY_CTX *x = w->rsa[encrypting] = EVP_PKEY_CTX_new_from_pkey(NULL, w->pkey, NULL);
            MUST((encrypting ? EVP_PKEY_encrypt_init(x) : EVP_PKEY_decrypt_init(x)) == 1 &&
                 EVP_PKEY_CTX_set_rsa_padding(x, RSA_PKCS1_OAEP_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_rsa_oaep_md(x, EVP_sha256()) == 1);
        }
        raw_rsa_encrypt(w);
    } else if (kind != KEY_OCT) {
        w->pkey = ecdh_key(kind);
        w->peer = ecdh_key(kind);
    }
}

static void world_make(struct world *w, size_t row, struct arena *keep)
{
    static char text[TEXT_N];
    struct str secret = {SECRET, rows[row].alg == ALG_A128KW ? 16 : 32};
    memset(text, 'x', sizeof(text));
    *w = (struct world){
        .k = {.kid = STR("k1"), .alg = rows[row].alg}, .text = {text, TEXT_N}, .enc = rows[row].enc};
    w->a = keep;
    MUST(crypto_new(&w->c) == ERR_OK);
    MUST((rows[row].kind == KEY_OCT
              ? key_from_secret(secret, &w->k.key)
              : key_generate(rows[row].kind, rows[row].kind == KEY_RSA ? 2048 : 0, &w->k.key)) == ERR_OK);
    MUST(jwe_encrypt(w->c, &w->k, w->enc, NULL, w->text, keep, &w->token) == ERR_OK);
    w->a = arena_new(1 << 20);
    MUST(w->a != NULL);
    raw_make(w, rows[row].kind);
}

static void world_free(struct world *w)
{
    for (int i = 0; i <= 1; i++) {
        EVP_CIPHER_CTX_free(w->gcm[i]);
        EVP_PKEY_CTX_free(w->rsa[i]);
    }
    EVP_PKEY_free(w->pkey);
    EVP_PKEY_free(w->peer);
    key_free(&w->k.key);
    arena_free(&w->a);
    crypto_free(&w->c);
}

static struct rival_jwe_job job_of(struct world *w, size_t row, struct arena *keep)
{
    struct buf b;
    struct jw j;
    buf_init(&b, keep, 16384);
    jw_init(&j, &b);
    MUST(jwk_print(&w->k, true, keep, &j) == ERR_OK && buf_ok(&b));
    return (struct rival_jwe_job){.alg = alg_row(rows[row].alg)->name,
                                  .enc = enc_name(w->enc),
                                  .jwk = arena_cstr(keep, buf_view(&b)),
                                  .text = w->text.p,
                                  .text_n = w->text.n,
                                  .token = arena_cstr(keep, w->token)};
}

static double rival_rate(bool (*f)(struct rival_jwe_job *j), struct rival_jwe_job *j, double seconds)
{
    double begin = now_s(), end = begin;
    size_t n = 0;
    if (!f(j))
        return 0;
    for (; end - begin < seconds; end = now_s(), n += STEP)
        for (unsigned i = 0; i < STEP; i++)
            (void)f(j);
    return (double)n / (end - begin);
}

static void measure(struct world *w, size_t row, struct arena *keep, double seconds)
{
    for (int decrypting = 0; decrypting <= 1; decrypting++) {
        call floor = rows[row].floor[decrypting];
        printf("%s %s\t%.1f\t%.1f", rows[row].name, decrypting ? "decrypt" : "encrypt",
               1e6 / microseconds(w, decrypting ? decrypt : encrypt, seconds), floor ? 1e6 / microseconds(w, floor, seconds) : 0);
        struct rival_jwe_job j = job_of(w, row, keep);
        for (size_t i = 0; jwe_rivals[i]; i++) {
            double rate = jwe_rivals[i]->open(&j) ? rival_rate(decrypting ? jwe_rivals[i]->decrypt : jwe_rivals[i]->encrypt, &j, seconds) : 0;
            if (rate > 0)
                printf("\t%s\t%.1f", jwe_rivals[i]->name, rate);
            jwe_rivals[i]->close(&j);
        }
        printf("\n");
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (argc > 2 && !strstr(rows[i].name, argv[2]))
            continue;
        struct world w;
        struct arena *keep = arena_new(1 << 20);
        MUST(keep != NULL);
        world_make(&w, i, keep);
        measure(&w, i, keep, seconds);
        world_free(&w);
        arena_free(&keep);
    }
    return 0;
}
