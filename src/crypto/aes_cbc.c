/* AES_CBC_HMAC_SHA2 (RFC 7518 section 5.2): the first half of the key authenticates, the second encrypts; the
 * tag is the first half of HMAC over additional data, IV, ciphertext and the additional data's length in
 * bits. The tag is looked at before anything is decrypted, so that padding is seen by the key's owner alone
 * (A77). */
#include "crypto/internal.h"
#include <limits.h>

#define MAC_MAX 64

/* By length of the whole key. */
static bool digest_of(size_t key_n, enum digest *ret)
{
    *ret = key_n == 32 ? DIGEST_SHA256 : key_n == 48 ? DIGEST_SHA384 : DIGEST_SHA512;
    return key_n == 32 || key_n == 48 || key_n == 64;
}

static err_t tag_make(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data,
                      uint8_t ret[static MAC_MAX])
{
    enum digest d;
    char bits[8];
    size_t n;
    if (!digest_of(key.n, &d))
        return ERR_CRYPTO;
    for (unsigned i = 0; i < 8; i++)
        bits[i] = (char)((uint64_t)aad.n * 8 >> (56 - 8 * i));
    const struct str parts[] = {aad, iv, data, {bits, sizeof(bits)}};
    return hmac_parts(c, d, (struct str){key.p, key.n / 2}, parts, sizeof(parts) / sizeof(parts[0]), ret, &n);
}

static err_t cipher(const struct crypto *c, struct str key, struct str iv, struct str data, bool sealing,
                    uint8_t *ret, size_t *ret_n)
{
    struct str half = {key.p + key.n / 2, key.n / 2};
    int n = 0, last = 0;
    EVP_CIPHER_CTX *x = aes_take(c, AES_CBC, half, (const uint8_t *)iv.p, sealing);
    if (!x)
        return crypto_failed(ERR_CRYPTO);
    bool ok = (data.n == 0 || EVP_CipherUpdate(x, ret, &n, (const uint8_t *)data.p, (int)data.n) == 1) &&
              EVP_CipherFinal_ex(x, ret + n, &last) == 1;
    aes_give(c, AES_CBC, half.n, x);
    if (!ok)
        return crypto_failed(ERR_DECRYPT);
    *ret_n = (size_t)(n + last);
    return ERR_OK;
}

err_t cbc_hmac_seal(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data,
                    uint8_t *ret, uint8_t *ret_tag)
{
    uint8_t mac[MAC_MAX];
    size_t n = 0;
    if (iv.n != CBC_IV_SIZE || data.n > INT_MAX - CBC_IV_SIZE ||
        cipher(c, key, iv, data, true, ret, &n) != ERR_OK)
        return ERR_CRYPTO;
    TRY(tag_make(c, key, iv, aad, (struct str){(char *)ret, n}, mac));
    memcpy(ret_tag, mac, key.n / 2);
    return ERR_OK;
}

err_t cbc_hmac_open(const struct crypto *c, struct str key, struct str iv, struct str aad, struct str data,
                    struct str tag, uint8_t *ret, size_t *ret_n)
{
    uint8_t mac[MAC_MAX];
    if (iv.n != CBC_IV_SIZE || tag.n != key.n / 2 || data.n == 0 || data.n % 16 != 0 || data.n > INT_MAX)
        return ERR_DECRYPT;
    TRY(tag_make(c, key, iv, aad, data, mac));
    bool same = secret_eq(mac, tag.p, tag.n);
    secret_zero(mac, sizeof(mac)); /* what the right tag would have been */
    return same ? cipher(c, key, iv, data, false, ret, ret_n) : ERR_DECRYPT;
}
