/* AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce before the ciphertext and the tag behind it. With
 * random nonces one key is good for 2^32 messages; the envelope gives each record its own (token/keyring.h).
 */
#include "crypto/internal.h"
#include <limits.h>

#define NONCE_SIZE 12
#define TAG_SIZE   16

/* Lengths go to OpenSSL as int. */
static bool fits(struct str a, struct str b)
{
    return a.n <= INT_MAX && b.n <= INT_MAX;
}

static bool seal(EVP_CIPHER_CTX *x, const EVP_CIPHER *cipher, const uint8_t *key, struct str aad,
                 struct str data, uint8_t *ret)
{
    int n = 0;
    uint8_t *out = ret + NONCE_SIZE;
    return EVP_EncryptInit_ex2(x, cipher, key, ret, NULL) == 1 &&
           (aad.n == 0 || EVP_EncryptUpdate(x, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1) &&
           (data.n == 0 || EVP_EncryptUpdate(x, out, &n, (const uint8_t *)data.p, (int)data.n) == 1) &&
           EVP_EncryptFinal_ex(x, out + data.n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, out + data.n) == 1;
}

err_t aead_seal(const struct crypto *c, const uint8_t key[static AEAD_KEY_SIZE], struct str aad,
                struct str data, uint8_t *ret)
{
    if (!fits(aad, data))
        return ERR_CRYPTO;
    TRY(random_bytes(ret, NONCE_SIZE));
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    if (!x)
        return ERR_MEMORY;
    bool ok = seal(x, c->aes256_gcm, key, aad, data, ret);
    EVP_CIPHER_CTX_free(x);
    return ok ? ERR_OK : crypto_failed(ERR_CRYPTO);
}

static bool open_sealed(EVP_CIPHER_CTX *x, const EVP_CIPHER *cipher, const uint8_t *key, struct str aad,
                        struct str sealed, uint8_t *ret)
{
    int n = 0;
    const uint8_t *in = (const uint8_t *)sealed.p;
    size_t data_n = sealed.n - AEAD_OVERHEAD;
    uint8_t tag[TAG_SIZE], none;
    memcpy(tag, in + NONCE_SIZE + data_n, TAG_SIZE);
    return EVP_DecryptInit_ex2(x, cipher, key, in, NULL) == 1 &&
           (aad.n == 0 || EVP_DecryptUpdate(x, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1) &&
           (data_n == 0 || EVP_DecryptUpdate(x, ret, &n, in + NONCE_SIZE, (int)data_n) == 1) &&
           EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
           EVP_DecryptFinal_ex(x, &none, &n) == 1;
}

err_t aead_open(const struct crypto *c, const uint8_t key[static AEAD_KEY_SIZE], struct str aad,
                struct str sealed, uint8_t *ret)
{
    if (sealed.n < AEAD_OVERHEAD || !fits(aad, sealed))
        return ERR_DECRYPT;
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    if (!x)
        return ERR_MEMORY;
    bool ok = open_sealed(x, c->aes256_gcm, key, aad, sealed, ret);
    EVP_CIPHER_CTX_free(x);
    if (ok)
        return ERR_OK;
    secret_zero(ret, sealed.n - AEAD_OVERHEAD); /* nothing unauthenticated gets out */
    return crypto_failed(ERR_DECRYPT);
}
