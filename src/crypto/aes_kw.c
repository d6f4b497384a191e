/* AES Key Wrap with the default initial value (RFC 3394). */
#include "crypto/internal.h"
#include "base/limits.h"

static bool run(const struct crypto *c, struct str kek, struct str data, bool sealing, uint8_t *ret,
                size_t want)
{
    int n = 0, last = 0;
    EVP_CIPHER_CTX *x = aes_take(c, AES_KW, kek, NULL, sealing);
    if (!x)
        return false;
    bool ok = EVP_CipherUpdate(x, ret, &n, (const uint8_t *)data.p, (int)data.n) == 1 &&
              EVP_CipherFinal_ex(x, ret + n, &last) == 1 && (size_t)(n + last) == want;
    aes_give(c, AES_KW, kek.n, x);
    return ok;
}

static bool length_ok(size_t n)
{
    return n % 8 == 0 && n >= 16 && n <= LIMIT_WRAPPED_KEY;
}

err_t aes_wrap(const struct crypto *c, struct str kek, struct str data, uint8_t *ret)
{
    if (length_ok(data.n) && run(c, kek, data, true, ret, data.n + AES_WRAP_OVERHEAD))
        return ERR_OK;
    return crypto_failed(ERR_CRYPTO);
}

err_t aes_unwrap(const struct crypto *c, struct str kek, struct str wrapped, uint8_t *ret)
{
    if (wrapped.n >= AES_WRAP_OVERHEAD && length_ok(wrapped.n - AES_WRAP_OVERHEAD) &&
        run(c, kek, wrapped, false, ret, wrapped.n - AES_WRAP_OVERHEAD))
        return ERR_OK;
    return crypto_failed(ERR_DECRYPT);
}
