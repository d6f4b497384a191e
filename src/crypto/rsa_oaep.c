/* RSAES-OAEP (RFC 8017 section 7.1) with an empty label and one digest for both the label and MGF1, as RFC
 * 7518 section 4.3 has it. OpenSSL judges the padding in constant time; that a failure is no different to the
 * other side than a wrong key inside is jose/jwe_key.c's business. */
#include "crypto/internal.h"
#include <openssl/rsa.h>

static EVP_PKEY_CTX *make(const struct key *k, enum oaep d, bool encrypting)
{
    const EVP_MD *md = d == OAEP_SHA1 ? EVP_sha1() : EVP_sha256();
    EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    if (x && (encrypting ? EVP_PKEY_encrypt_init(x) : EVP_PKEY_decrypt_init(x)) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(x, RSA_PKCS1_OAEP_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_oaep_md(x, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(x, md) == 1)
        return x;
    EVP_PKEY_CTX_free(x);
    return NULL;
}

size_t rsa_size(const struct key *k)
{
    return k->kind == KEY_RSA ? (size_t)EVP_PKEY_get_size(k->pkey) : 0;
}

err_t rsa_oaep_encrypt(const struct key *k, enum oaep d, struct str data, uint8_t ret[static RSA_MAX],
                       size_t *ret_n)
{
    size_t n = RSA_MAX;
    if (k->kind != KEY_RSA)
        return ERR_KEY;
    EVP_PKEY_CTX *x = make(k, d, true);
    bool ok = x && EVP_PKEY_encrypt(x, ret, &n, (const uint8_t *)data.p, data.n) == 1;
    EVP_PKEY_CTX_free(x);
    if (!ok)
        return crypto_failed(ERR_CRYPTO);
    *ret_n = n;
    return ERR_OK;
}

err_t rsa_oaep_decrypt(const struct key *k, enum oaep d, struct str data, uint8_t ret[static RSA_MAX],
                       size_t *ret_n)
{
    size_t n = RSA_MAX;
    if (k->kind != KEY_RSA || !k->private)
        return ERR_KEY;
    EVP_PKEY_CTX *x = make(k, d, false);
    bool ok = x && EVP_PKEY_decrypt(x, ret, &n, (const uint8_t *)data.p, data.n) == 1;
    EVP_PKEY_CTX_free(x);
    err_t e = crypto_failed(ok ? ERR_OK : ERR_DECRYPT); /* the queue is emptied either way, or the time would tell */
    if (ok)
        *ret_n = n;
    return e;
}
