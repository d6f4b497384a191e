/* What is fetched once and shared: fetching an algorithm by name costs OpenSSL 3 a lock and a search, so
 * nothing on a request's path does it. Also the two comparisons and wipes that compilers must not undo. */
#include "crypto/internal.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

err_t crypto_new(struct crypto **ret)
{
    struct crypto *c = calloc(1, sizeof(*c));
    if (!c)
        return ERR_MEMORY;
    c->aes256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (!c->aes256_gcm || !aes_fetch(&c->aes)) {
        crypto_free(&c);
        return crypto_failed(ERR_CRYPTO);
    }
    *ret = c;
    return ERR_OK;
}

void crypto_free(struct crypto **c)
{
    if (!*c)
        return;
    aes_drain(&(*c)->aes);
    EVP_CIPHER_free((*c)->aes256_gcm);
    free(*c);
    *c = NULL;
}

err_t crypto_failed(err_t e)
{
    ERR_clear_error();
    return e;
}

void secret_zero(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

void secret_choose(uint8_t *to, const uint8_t *from, size_t n, bool take)
{
    uint8_t mask = (uint8_t)(0 - (unsigned)take);
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)((from[i] & mask) | (to[i] & ~mask));
}

bool secret_eq(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}
