/* AES contexts, kept idle between uses: making one costs more than encrypting a token with it. There is a
 * pool for each mode and key size, because OpenSSL builds a context anew when its cipher changes; within one,
 * a new key is all that is set. An idle context holds the last key it was given, as the key objects beside it
 * do. */
#include "crypto/internal.h"

static const char *const names[AES_MODES][AES_SIZES] = {
    [AES_GCM] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"},
    [AES_CBC] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"},
    [AES_ECB] = {"AES-128-ECB", "AES-192-ECB", "AES-256-ECB"},
};

bool aes_fetch(struct aes *s)
{
    for (size_t mode = 0; mode < AES_MODES; mode++)
        for (size_t size = 0; size < AES_SIZES; size++) {
            s->of[mode][size].cipher = EVP_CIPHER_fetch(NULL, names[mode][size], NULL);
            if (!s->of[mode][size].cipher)
                return false;
        }
    return true;
}

void aes_drain(struct aes *s)
{
    for (size_t mode = 0; mode < AES_MODES; mode++)
        for (size_t size = 0; size < AES_SIZES; size++) {
            for (EVP_CIPHER_CTX *x; (x = pool_take(&s->of[mode][size].idle)) != NULL;)
                EVP_CIPHER_CTX_free(x);
            EVP_CIPHER_free(s->of[mode][size].cipher);
        }
}

static struct aes_pool *pool_of(const struct crypto *c, enum aes_mode mode, size_t key_n)
{
    if (key_n != 16 && key_n != 24 && key_n != 32)
        return NULL;
    return (struct aes_pool *)&c->aes.of[mode][key_n / 8 - 2]; /* the one changing part of struct crypto */
}

static EVP_CIPHER_CTX *fresh(const EVP_CIPHER *cipher)
{
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    if (!x)
        return NULL;
    if (EVP_CipherInit_ex2(x, cipher, NULL, NULL, 1, NULL) == 1)
        return x;
    EVP_CIPHER_CTX_free(x);
    return NULL;
}

EVP_CIPHER_CTX *aes_take(const struct crypto *c, enum aes_mode mode, struct str key, const uint8_t *iv,
                         bool sealing)
{
    struct aes_pool *p = pool_of(c, mode, key.n);
    if (!p)
        return NULL;
    EVP_CIPHER_CTX *x = pool_take(&p->idle);
    if (!x)
        x = fresh(p->cipher);
    if (x && EVP_CipherInit_ex2(x, NULL, (const uint8_t *)key.p, iv, sealing, NULL) == 1)
        return x;
    EVP_CIPHER_CTX_free(x);
    return NULL;
}

void aes_give(const struct crypto *c, enum aes_mode mode, size_t key_n, EVP_CIPHER_CTX *x)
{
    struct aes_pool *p = pool_of(c, mode, key_n);
    if (!p || !pool_give(&p->idle, x))
        EVP_CIPHER_CTX_free(x);
}
