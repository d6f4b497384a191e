/* Signatures. Making and initialising an EVP context costs as much as half an ES256 signature, so each key
 * keeps the contexts it has made and hands them from thread to thread (pool.c); they stay initialised for the
 * key's scheme and digest, which never change in practice since a jwk is bound to one algorithm. */
#include "crypto/internal.h"
#include <openssl/rsa.h>
#include <stdlib.h>

#define DIGEST_MAX 64

/* Exactly one of pkey and md is set: EdDSA hashes the message itself and is only to be had through
 * EVP_MD_CTX. */
struct sig_ctx {
    enum sig_scheme scheme;
    enum digest digest;
    EVP_PKEY_CTX *pkey;
    EVP_MD_CTX *md;
};

static const struct {
    bool ec, rsa, edwards, secret;
    int padding;
} schemes[] = {
    [SIG_ECDSA] = {.ec = true},
    [SIG_RSA_PKCS1] = {.rsa = true, .padding = RSA_PKCS1_PADDING},
    [SIG_RSA_PSS] = {.rsa = true, .padding = RSA_PKCS1_PSS_PADDING},
    [SIG_EDDSA] = {.edwards = true},
    [SIG_HMAC] = {.secret = true},
};

static const EVP_MD *evp_digest(enum digest d)
{
    return d == DIGEST_SHA256 ? EVP_sha256() : d == DIGEST_SHA384 ? EVP_sha384() : EVP_sha512();
}

/* A scheme fits a key, or nothing is done: an RSA scheme never meets an EC key. */
static bool fits(const struct key *k, enum sig_scheme s, enum digest d)
{
    if ((size_t)s >= sizeof(schemes) / sizeof(schemes[0]) || d > DIGEST_SHA512)
        return false;
    return k->kind == KEY_OCT                                ? schemes[s].secret
           : k->kind == KEY_RSA                              ? schemes[s].rsa
           : k->kind == KEY_ED25519 || k->kind == KEY_ED448 ? schemes[s].edwards
                                                             : schemes[s].ec && key_row(k->kind)->group;
}

static void sig_ctx_free(struct sig_ctx *x)
{
    EVP_PKEY_CTX_free(x->pkey);
    EVP_MD_CTX_free(x->md);
    free(x);
}

void sig_pool_drain(struct pool *p)
{
    for (struct sig_ctx *x; (x = pool_take(p)) != NULL;)
        sig_ctx_free(x);
}

static bool init_eddsa(struct sig_ctx *x, EVP_PKEY *pkey, bool signing)
{
    x->md = EVP_MD_CTX_new();
    if (!x->md)
        return false;
    return (signing ? EVP_DigestSignInit_ex(x->md, NULL, NULL, NULL, NULL, pkey, NULL)
                    : EVP_DigestVerifyInit_ex(x->md, NULL, NULL, NULL, NULL, pkey, NULL)) == 1;
}

static bool init_prehashed(struct sig_ctx *x, EVP_PKEY *pkey, bool signing)
{
    x->pkey = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!x->pkey || (signing ? EVP_PKEY_sign_init(x->pkey) : EVP_PKEY_verify_init(x->pkey)) != 1)
        return false;
    int padding = schemes[x->scheme].padding;
    if (padding == 0)
        return true;
    return EVP_PKEY_CTX_set_rsa_padding(x->pkey, padding) == 1 &&
           EVP_PKEY_CTX_set_signature_md(x->pkey, evp_digest(x->digest)) == 1 &&
           (padding != RSA_PKCS1_PSS_PADDING ||
            EVP_PKEY_CTX_set_rsa_pss_saltlen(x->pkey, RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* An idle context of the key for this scheme and digest, or a new one. NULL: out of memory, or OpenSSL
 * refuses. */
static struct sig_ctx *sig_ctx_take(const struct key *k, bool signing, enum sig_scheme s, enum digest d)
{
    struct pool *pool =
        (struct pool *)(signing ? &k->signers : &k->verifiers); /* the one changing part of a key */
    struct sig_ctx *x = pool_take(pool);
    if (x && x->scheme == s && x->digest == d)
        return x;
    if (x)
        sig_ctx_free(x);
    x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->scheme = s;
    x->digest = d;
    if (s == SIG_EDDSA ? init_eddsa(x, k->pkey, signing) : init_prehashed(x, k->pkey, signing))
        return x;
    sig_ctx_free(x);
    return NULL;
}

static void sig_ctx_give(const struct key *k, bool signing, struct sig_ctx *x)
{
    if (!pool_give((struct pool *)(signing ? &k->signers : &k->verifiers), x))
        sig_ctx_free(x);
}

static bool sign_raw(struct sig_ctx *x, struct str data, uint8_t *ret, size_t *n)
{
    uint8_t md[DIGEST_MAX];
    size_t md_n;
    if (x->md)
        return EVP_DigestSign(x->md, ret, n, (const uint8_t *)data.p, data.n) == 1;
    return digest(NULL, x->digest, data, md, &md_n) == ERR_OK &&
           EVP_PKEY_sign(x->pkey, ret, n, md, md_n) == 1;
}

/* A MAC is made again and compared in constant time. */
static err_t verify_mac(const struct key *k, enum digest d, struct str data, struct str sig)
{
    uint8_t mac[DIGEST_MAX];
    size_t n;
    TRY(hmac(NULL, d, k->secret, data, mac, &n));
    bool ok = sig.n == n && secret_eq(mac, sig.p, n);
    secret_zero(mac, sizeof(mac));
    return ok ? ERR_OK : ERR_SIGNATURE;
}

err_t key_sign(const struct crypto *c, const struct key *k, enum sig_scheme s, enum digest d, struct str data,
               uint8_t *ret, size_t *ret_n)
{
    (void)c;
    if (!k->private || !fits(k, s, d))
        return ERR_KEY;
    if (s == SIG_HMAC)
        return hmac(c, d, k->secret, data, ret, ret_n);
    struct sig_ctx *x = sig_ctx_take(k, true, s, d);
    if (!x)
        return crypto_failed(ERR_CRYPTO);
    uint8_t der[ECDSA_DER_MAX];
    size_t n = s == SIG_ECDSA ? sizeof(der) : SIG_MAX, size = key_row(k->kind)->size;
    bool ok = sign_raw(x, data, s == SIG_ECDSA ? der : ret, &n);
    sig_ctx_give(k, true, x);
    if (ok && s == SIG_ECDSA) {
        ok = ecdsa_der_to_raw(der, n, size, ret);
        n = 2 * size;
    }
    if (!ok)
        return crypto_failed(ERR_CRYPTO);
    *ret_n = n;
    return ERR_OK;
}

static bool verify_raw(struct sig_ctx *x, struct str data, const uint8_t *sig, size_t sig_n)
{
    uint8_t md[DIGEST_MAX];
    size_t md_n;
    if (x->md)
        return EVP_DigestVerify(x->md, sig, sig_n, (const uint8_t *)data.p, data.n) == 1;
    return digest(NULL, x->digest, data, md, &md_n) == ERR_OK &&
           EVP_PKEY_verify(x->pkey, sig, sig_n, md, md_n) == 1;
}

err_t key_verify(const struct crypto *c, const struct key *k, enum sig_scheme s, enum digest d,
                 struct str data, struct str sig)
{
    (void)c;
    if (!fits(k, s, d))
        return ERR_KEY;
    if (s == SIG_HMAC)
        return verify_mac(k, d, data, sig);
    uint8_t der[ECDSA_DER_MAX];
    const uint8_t *p = (const uint8_t *)sig.p;
    size_t n = sig.n;
    if (s == SIG_ECDSA) {
        n = ecdsa_raw_to_der(sig, key_row(k->kind)->size, der);
        p = der;
    }
    if (n == 0)
        return ERR_SIGNATURE;
    struct sig_ctx *x = sig_ctx_take(k, false, s, d);
    if (!x)
        return crypto_failed(ERR_CRYPTO);
    bool ok = verify_raw(x, data, p, n);
    sig_ctx_give(k, false, x);
    return ok ? ERR_OK : crypto_failed(ERR_SIGNATURE);
}
