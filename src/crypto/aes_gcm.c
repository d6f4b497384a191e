/* AES-GCM (NIST SP 800-38D) with the nonce and the tag beside the ciphertext, as RFC 7518 section 5.3 has
 * them: a nonce of 96 bits, a tag of 128. */
#include "crypto/internal.h"
#include <limits.h>

static bool sound(struct str iv, struct str aad, struct str data)
{
    return iv.n == GCM_IV_SIZE && aad.n <= INT_MAX && data.n <= INT_MAX;
}

static bool pass(EVP_CIPHER_CTX *x, struct str aad, struct str data, uint8_t *ret)
{
    int n = 0;
    return (aad.n == 0 || EVP_CipherUpdate(x, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1) &&
           (data.n == 0 || EVP_CipherUpdate(x, ret, &n, (const uint8_t *)data.p, (int)data.n) == 1);
}

err_t gcm_seal(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data,
               uint8_t *ret, uint8_t *ret_tag)
{
    uint8_t none[16];
    int n = 0;
    if (!sound(iv, aad, data))
        return ERR_CRYPTO;
    EVP_CIPHER_CTX *x = aes_take(c, AES_GCM, key, (const uint8_t *)iv.p, true);
    if (!x)
        return crypto_failed(ERR_CRYPTO);
    bool ok = pass(x, aad, data, ret) && EVP_CipherFinal_ex(x, none, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_SIZE, ret_tag) == 1;
    aes_give(c, AES_GCM, key.n, x);
    return ok ? ERR_OK : crypto_failed(ERR_CRYPTO);
}

err_t gcm_open(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data,
               struct str tag, uint8_t *ret, size_t *ret_n)
{
    uint8_t none[16];
    int n = 0;
    if (!sound(iv, aad, data) || tag.n != GCM_TAG_SIZE)
        return ERR_DECRYPT;
    EVP_CIPHER_CTX *x = aes_take(c, AES_GCM, key, (const uint8_t *)iv.p, false);
    if (!x)
        return crypto_failed(ERR_CRYPTO);
    bool ok = EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_SIZE, (void *)(uintptr_t)tag.p) == 1 &&
              pass(x, aad, data, ret) && EVP_CipherFinal_ex(x, none, &n) == 1;
    aes_give(c, AES_GCM, key.n, x);
    if (!ok) {
        secret_zero(ret, data.n); /* nothing unauthenticated gets out */
        return crypto_failed(ERR_DECRYPT);
    }
    *ret_n = data.n;
    return ERR_OK;
}
