/* PBKDF2 (RFC 8018 section 5.2) with HMAC-SHA-2. The caller bounds the rounds. */
#include "crypto/internal.h"
#include <limits.h>

err_t pbkdf2(enum digest d, struct str password, struct str salt, uint32_t rounds, uint8_t *ret, size_t n)
{
    const EVP_MD *md = d == DIGEST_SHA256 ? EVP_sha256() : d == DIGEST_SHA384 ? EVP_sha384() : EVP_sha512();
    if (rounds == 0 || rounds > INT_MAX || password.n > INT_MAX || salt.n > INT_MAX || n > INT_MAX)
        return ERR_CRYPTO;
    if (PKCS5_PBKDF2_HMAC(password.p ? password.p : "", (int)password.n, (const uint8_t *)salt.p, (int)salt.n,
                          (int)rounds, md, (int)n, ret) != 1)
        return crypto_failed(ERR_CRYPTO);
    return ERR_OK;
}
