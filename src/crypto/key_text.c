/* Private keys as PKCS #8 (RFC 5208, RFC 5958), keys of both halves as PEM. OpenSSL 3.0 sets up all its
 * decoders for each key it reads, which takes half a millisecond; a tenant's keys are read whenever its
 * snapshot is loaded, so the three shapes we write ourselves are read here (RFC 5915, RFC 8017 appendix
 * A.1.2, RFC 8410) and only others go to OpenSSL. */
#include "crypto/internal.h"
#include "base/limits.h"
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* --- reading DER --- */

enum {
    TAG_INTEGER = 0x02,
    TAG_BITS = 0x03,
    TAG_OCTETS = 0x04,
    TAG_SEQUENCE = 0x30,
    TAG_0 = 0xa0,
    TAG_1 = 0xa1
};

/* Cuts one element with this tag off *rest. */
static bool der_take(struct str *rest, int tag, struct str *ret)
{
    const uint8_t *p = (const uint8_t *)rest->p;
    size_t head = 2, n;
    if (rest->n < 2 || p[0] != tag)
        return false;
    n = p[1];
    if (n >= 0x80) {
        size_t more = n & 0x7f;
        if (more == 0 || more > 2 || rest->n < 2 + more)
            return false;
        n = more == 1 ? p[2] : (size_t)p[2] << 8 | p[3];
        head += more;
    }
    if (n > rest->n - head)
        return false;
    *ret = (struct str){rest->p + head, n};
    rest->p += head + n;
    rest->n -= head + n;
    return true;
}

static bool der_is_int(struct str *rest, char want)
{
    struct str v;
    return der_take(rest, TAG_INTEGER, &v) && v.n == 1 && v.p[0] == want;
}

/* Pushes numbers into a parameter set; the numbers live as long as the set is being built. */
#define NUMBERS_MAX 8
struct numbers {
    OSSL_PARAM_BLD *bld;
    BIGNUM *bn[NUMBERS_MAX];
    size_t n;
};

static bool number_push(struct numbers *s, const char *name, struct str v)
{
    BIGNUM *bn = s->n < NUMBERS_MAX ? BN_secure_new() : NULL; /* "secure" also makes the set wipe its copy */
    if (!bn)
        return false;
    s->bn[s->n++] = bn;
    return BN_bin2bn((const uint8_t *)v.p, (int)v.n, bn) && OSSL_PARAM_BLD_push_BN(s->bld, name, bn) == 1;
}

/* ECPrivateKey: version 1, the scalar, perhaps the curve again, the point. */
static bool ec_push(struct numbers *s, const struct key_row *row, struct str der)
{
    struct str all, scalar, curve, tagged, bits;
    if (!der_take(&der, TAG_SEQUENCE, &all) || der.n != 0 || !der_is_int(&all, 1) ||
        !der_take(&all, TAG_OCTETS, &scalar))
        return false;
    der_take(&all, TAG_0, &curve);
    return der_take(&all, TAG_1, &tagged) && all.n == 0 && der_take(&tagged, TAG_BITS, &bits) &&
           tagged.n == 0 && bits.n == 2 + 2 * row->size && bits.p[0] == 0 && scalar.n == row->size &&
           OSSL_PARAM_BLD_push_utf8_string(s->bld, OSSL_PKEY_PARAM_GROUP_NAME, row->group, 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(s->bld, OSSL_PKEY_PARAM_PUB_KEY, bits.p + 1, bits.n - 1) == 1 &&
           number_push(s, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
}

/* RSAPrivateKey: version 0 (two primes) and eight numbers. */
static bool rsa_push(struct numbers *s, const struct key_row *row, struct str der)
{
    static const char *const names[NUMBERS_MAX] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    (void)row;
    struct str all, v;
    if (!der_take(&der, TAG_SEQUENCE, &all) || der.n != 0 || !der_is_int(&all, 0))
        return false;
    for (size_t i = 0; i < NUMBERS_MAX; i++)
        if (!der_take(&all, TAG_INTEGER, &v) || v.n == 0 || (v.p[0] & 0x80) || !number_push(s, names[i], v))
            return false;
    return all.n == 0;
}

static EVP_PKEY *from_numbers(const struct key_row *row,
                              bool (*push)(struct numbers *, const struct key_row *, struct str),
                              struct str der)
{
    struct numbers s = {.bld = OSSL_PARAM_BLD_new()};
    OSSL_PARAM *params = s.bld && push(&s, row, der) ? OSSL_PARAM_BLD_to_param(s.bld) : NULL;
    EVP_PKEY *p = params ? key_from_params(row->type, EVP_PKEY_KEYPAIR, params) : NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(s.bld);
    for (size_t i = 0; i < s.n; i++)
        BN_clear_free(s.bn[i]);
    return p;
}

static EVP_PKEY *from_shape(const struct key_row *row, struct str der)
{
    struct str raw;
    if (row->group)
        return from_numbers(row, ec_push, der);
    if (row->size == 0)
        return from_numbers(row, rsa_push, der);
    return der_take(&der, TAG_OCTETS, &raw) && der.n == 0 && raw.n == row->size
               ? EVP_PKEY_new_raw_private_key_ex(NULL, row->type, NULL, (const uint8_t *)raw.p, raw.n)
               : NULL;
}

/* The row whose algorithm (and for EC whose curve) is named by the key's AlgorithmIdentifier. */
static const struct key_row *row_of(const ASN1_OBJECT *algorithm, const X509_ALGOR *alg)
{
    const void *curve = NULL;
    int type = 0;
    X509_ALGOR_get0(NULL, &type, &curve, alg);
    int nid = OBJ_obj2nid(algorithm), curve_nid = type == V_ASN1_OBJECT ? OBJ_obj2nid(curve) : NID_undef;
    for (size_t i = 0; key_row((enum key_kind)i); i++) {
        const struct key_row *row = key_row((enum key_kind)i);
        if (row->nid == nid && (!row->group || OBJ_sn2nid(row->group) == curve_nid))
            return row;
    }
    return NULL;
}

static EVP_PKEY *from_pkcs8(const PKCS8_PRIV_KEY_INFO *info)
{
    const ASN1_OBJECT *algorithm = NULL;
    const X509_ALGOR *alg = NULL;
    const unsigned char *p = NULL;
    int n = 0;
    if (PKCS8_pkey_get0(&algorithm, &p, &n, &alg, info) != 1 || n <= 0)
        return NULL;
    const struct key_row *row = row_of(algorithm, alg);
    EVP_PKEY *k = row ? from_shape(row, (struct str){(const char *)p, (size_t)n}) : NULL;
    return k ? k : EVP_PKCS82PKEY(info);
}

/* --- PKCS #8 --- */

err_t key_to_der(const struct key *k, struct arena *a, struct str *ret_pkcs8)
{
    if (!k->private || k->kind == KEY_OCT)
        return ERR_KEY;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k->pkey);
    unsigned char *der = NULL;
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    if (n < 0)
        return crypto_failed(ERR_CRYPTO);
    struct str copy = arena_str(a, (struct str){(char *)der, (size_t)n});
    OPENSSL_clear_free(der, (size_t)n);
    if (!copy.p)
        return ERR_MEMORY;
    *ret_pkcs8 = copy;
    return ERR_OK;
}

err_t key_from_der(struct str pkcs8, struct key **ret)
{
    if (pkcs8.n == 0 || pkcs8.n > LIMIT_KEY_DER)
        return ERR_KEY;
    const unsigned char *p = (const unsigned char *)pkcs8.p;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)pkcs8.n);
    bool whole = p == (const unsigned char *)pkcs8.p + pkcs8.n;
    EVP_PKEY *pkey = info && whole ? from_pkcs8(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return key_wrap(pkey, true, ret);
}

/* --- PEM --- */

/* Without this OpenSSL asks on the terminal when a key is encrypted. */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
    (void)buf, (void)size, (void)writing, (void)ctx;
    return -1;
}

static EVP_PKEY *pem_certificate(BIO *in)
{
    X509 *x = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
    EVP_PKEY *p = x ? X509_get_pubkey(x) : NULL;
    X509_free(x);
    return p;
}

static bool holds(struct str text, struct str word)
{
    return memmem(text.p, text.n, word.p, word.n) != NULL;
}

/* Somebody wrote this file by hand or with another program: the halves must belong together. */
err_t key_from_pem(struct str pem, struct key **ret)
{
    if (pem.n == 0 || pem.n > LIMIT_KEY_PEM)
        return ERR_KEY;
    bool private = holds(pem, STR("PRIVATE KEY-----"));
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (!in)
        return crypto_failed(ERR_MEMORY);
    EVP_PKEY *p = private                                  ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL)
                  : holds(pem, STR("BEGIN CERTIFICATE-")) ? pem_certificate(in)
                                                           : PEM_read_bio_PUBKEY(in, NULL, no_passphrase, NULL);
    BIO_free(in);
    struct key *k = NULL;
    TRY(key_wrap(p, private, &k));
    if (private && !key_pair_ok(k)) {
        key_free(&k);
        return crypto_failed(ERR_KEY);
    }
    *ret = k;
    return ERR_OK;
}

err_t key_to_pem(const struct key *k, bool private_part, struct arena *a, struct str *ret)
{
    if (k->kind == KEY_OCT || (private_part && !k->private))
        return ERR_KEY;
    BIO *out = BIO_new(BIO_s_secmem());
    if (!out)
        return crypto_failed(ERR_MEMORY);
    int ok = private_part ? PEM_write_bio_PKCS8PrivateKey(out, k->pkey, NULL, NULL, 0, NULL, NULL)
                          : PEM_write_bio_PUBKEY(out, k->pkey);
    char *text = NULL;
    long n = BIO_get_mem_data(out, &text);
    struct str copy = ok == 1 && n > 0 ? arena_str(a, (struct str){text, (size_t)n}) : STR_NONE;
    BIO_free(out);
    if (ok != 1)
        return crypto_failed(ERR_CRYPTO);
    if (!copy.p)
        return ERR_MEMORY;
    *ret = copy;
    return ERR_OK;
}
