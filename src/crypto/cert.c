/* Public keys in X.509's wrappings: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) and certificates, of which only
 * the key and the fingerprint are taken. Whether a certificate is to be trusted is not asked here: a key is trusted
 * for the place it came from. */
#include "crypto/internal.h"
#include "base/limits.h"
#include <openssl/x509.h>

static err_t take_der(unsigned char *der, int n, struct arena *a, struct str *ret)
{
    if (n < 0)
        return crypto_failed(ERR_CRYPTO);
    struct str copy = arena_str(a, (struct str){(char *)der, (size_t)n});
    OPENSSL_free(der);
    if (!copy.p)
        return ERR_MEMORY;
    *ret = copy;
    return ERR_OK;
}

err_t key_to_spki(const struct key *k, struct arena *a, struct str *ret)
{
    unsigned char *der = NULL;
    if (k->kind == KEY_OCT)
        return ERR_KEY;
    int n = i2d_PUBKEY(k->pkey, &der);
    return take_der(der, n, a, ret);
}

err_t key_from_spki(struct str spki, struct key **ret)
{
    if (spki.n == 0 || spki.n > LIMIT_KEY_DER)
        return ERR_KEY;
    const unsigned char *p = (const unsigned char *)spki.p;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)spki.n);
    if (pkey && p != (const unsigned char *)spki.p + spki.n) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return key_wrap(pkey, false, ret);
}

err_t key_from_cert(struct str der, struct key **ret)
{
    if (der.n == 0 || der.n > LIMIT_CERT)
        return ERR_KEY;
    const unsigned char *p = (const unsigned char *)der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.n);
    EVP_PKEY *pkey = x && p == (const unsigned char *)der.p + der.n ? X509_get_pubkey(x) : NULL;
    X509_free(x);
    return key_wrap(pkey, false, ret);
}

err_t cert_sha1(struct str der, uint8_t ret[static 20])
{
    return EVP_Digest(der.p, der.n, ret, NULL, EVP_sha1(), NULL) == 1 ? ERR_OK : crypto_failed(ERR_CRYPTO);
}
