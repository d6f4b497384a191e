/* Keys: making, reading and writing them. Whatever way a key comes in, it leaves key_wrap() with a known kind and inside the
 * limits of its kind, or not at all. */
#include "crypto/internal.h"
#include "base/limits.h"
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <limits.h>
#include <stdlib.h>

static const struct key_row rows[] = {
    [KEY_EC_P256] = {"EC", "prime256v1", 32}, [KEY_EC_P384] = {"EC", "secp384r1", 48},
    [KEY_EC_P521] = {"EC", "secp521r1", 66},  [KEY_EC_K256] = {"EC", "secp256k1", 32},
    [KEY_ED25519] = {"ED25519", NULL, 32},    [KEY_ED448] = {"ED448", NULL, 57},
    [KEY_RSA] = {"RSA", NULL, 0},
};
#define KIND_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct key_row *key_row(enum key_kind kind)
{
    return (size_t)kind < KIND_COUNT ? &rows[kind] : NULL;
}

/* The row of an OpenSSL key; KIND_COUNT if there is none. */
static size_t kind_find(const EVP_PKEY *p)
{
    char group[32] = "";
    EVP_PKEY_get_group_name(p, group, sizeof(group), NULL); /* fails for keys without one, and for curves without a name */
    size_t i = 0;
    while (i < KIND_COUNT && !(EVP_PKEY_is_a(p, rows[i].type) && (!rows[i].group || strcmp(group, rows[i].group) == 0)))
        i++;
    return i;
}

/* RFC 7518 section 3.3 wants 2048 bits; the upper bounds keep one verification cheap. e = 1 signs anything (A76). */
static bool rsa_ok(const EVP_PKEY *p)
{
    BIGNUM *n = NULL, *e = NULL;
    bool ok = EVP_PKEY_get_bn_param(p, OSSL_PKEY_PARAM_RSA_N, &n) && EVP_PKEY_get_bn_param(p, OSSL_PKEY_PARAM_RSA_E, &e) &&
              BN_num_bits(n) >= LIMIT_RSA_BITS_MIN && BN_num_bits(n) <= LIMIT_RSA_BITS && BN_is_odd(n) && BN_is_odd(e) &&
              !BN_is_one(e) && BN_num_bits(e) <= LIMIT_RSA_E_BITS;
    BN_free(n);
    BN_free(e);
    return ok;
}

/* Takes over p, also on failure. */
static err_t key_wrap(EVP_PKEY *p, bool private, struct key **ret)
{
    if (!p)
        return crypto_failed(ERR_KEY);
    size_t kind = kind_find(p);
    struct key *k = NULL;
    err_t e = ERR_KEY;
    if (kind == KIND_COUNT || (kind == KEY_RSA && !rsa_ok(p)))
        goto out;
    e = ERR_MEMORY;
    k = calloc(1, sizeof(*k));
    if (!k)
        goto out;
    *k = (struct key){.pkey = p, .kind = (enum key_kind)kind, .private = private};
    *ret = k;
    return ERR_OK;
out:
    EVP_PKEY_free(p);
    return crypto_failed(e);
}

err_t key_generate(enum key_kind kind, unsigned rsa_bits, struct key **ret)
{
    const struct key_row *row = key_row(kind);
    if (!row || (kind == KEY_RSA && (rsa_bits < LIMIT_RSA_BITS_MIN || rsa_bits > LIMIT_RSA_BITS)))
        return ERR_KEY;
    EVP_PKEY *p = kind == KEY_RSA ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)rsa_bits)
                  : row->group    ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", row->group)
                                  : EVP_PKEY_Q_keygen(NULL, NULL, row->type);
    return p ? key_wrap(p, true, ret) : crypto_failed(ERR_CRYPTO);
}

void key_free(struct key **k)
{
    if (!*k)
        return;
    sig_pool_drain(&(*k)->signers);
    sig_pool_drain(&(*k)->verifiers);
    EVP_PKEY_free((*k)->pkey);
    free(*k);
    *k = NULL;
}

enum key_kind key_kind_of(const struct key *k)
{
    return k->kind;
}

bool key_is_private(const struct key *k)
{
    return k->private;
}

/* --- PKCS #8 and PEM ----------------------------------------------------------------------------------------------- */

err_t key_to_der(const struct key *k, struct arena *a, struct str *ret_pkcs8)
{
    if (!k->private)
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
    EVP_PKEY *pkey = info && whole ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return key_wrap(pkey, true, ret);
}

/* Without this OpenSSL asks on the terminal when a key is encrypted. */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
    (void)buf, (void)size, (void)writing, (void)ctx;
    return -1;
}

/* Somebody wrote this file by hand or with another program: the halves must belong together. */
static bool pair_ok(EVP_PKEY *p)
{
    EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_pkey(NULL, p, NULL);
    bool ok = x && EVP_PKEY_pairwise_check(x) == 1;
    EVP_PKEY_CTX_free(x);
    return ok;
}

err_t key_from_pem(struct str pem, struct key **ret)
{
    if (pem.n == 0 || pem.n > LIMIT_KEY_PEM)
        return ERR_KEY;
    bool private = memmem(pem.p, pem.n, "PRIVATE KEY-----", 16) != NULL;
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (!in)
        return crypto_failed(ERR_MEMORY);
    EVP_PKEY *p = private ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL)
                          : PEM_read_bio_PUBKEY(in, NULL, no_passphrase, NULL);
    BIO_free(in);
    struct key *k = NULL;
    TRY(key_wrap(p, private, &k));
    if (private && !pair_ok(k->pkey)) {
        key_free(&k);
        return crypto_failed(ERR_KEY);
    }
    *ret = k;
    return ERR_OK;
}

err_t key_to_pem(const struct key *k, bool private_part, struct arena *a, struct str *ret)
{
    if (private_part && !k->private)
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

/* --- public numbers ------------------------------------------------------------------------------------------------- */

/* A number of the key, big-endian, width bytes (0: as many as it needs). */
static err_t number(const struct key *k, const char *name, size_t width, struct arena *a, struct str *ret)
{
    BIGNUM *bn = NULL;
    if (!EVP_PKEY_get_bn_param(k->pkey, name, &bn))
        return crypto_failed(ERR_CRYPTO);
    size_t n = width ? width : (size_t)BN_num_bytes(bn);
    unsigned char *p = arena_alloc(a, n);
    bool ok = p && BN_bn2binpad(bn, p, (int)n) == (int)n;
    BN_free(bn);
    if (!ok)
        return p ? crypto_failed(ERR_CRYPTO) : ERR_MEMORY;
    *ret = (struct str){(char *)p, n};
    return ERR_OK;
}

static err_t edwards_public(const struct key *k, struct arena *a, struct str *ret)
{
    size_t n = rows[k->kind].size;
    unsigned char *p = arena_alloc(a, n);
    if (!p)
        return ERR_MEMORY;
    if (EVP_PKEY_get_raw_public_key(k->pkey, p, &n) != 1)
        return crypto_failed(ERR_CRYPTO);
    *ret = (struct str){(char *)p, n};
    return ERR_OK;
}

err_t key_public_parts(const struct key *k, struct arena *a, struct str *ret_1, struct str *ret_2)
{
    const struct key_row *row = &rows[k->kind];
    struct str p1 = STR_NONE, p2 = STR_NONE;
    if (row->group) {
        TRY(number(k, OSSL_PKEY_PARAM_EC_PUB_X, row->size, a, &p1));
        TRY(number(k, OSSL_PKEY_PARAM_EC_PUB_Y, row->size, a, &p2));
    } else if (k->kind == KEY_RSA) {
        TRY(number(k, OSSL_PKEY_PARAM_RSA_N, 0, a, &p1));
        TRY(number(k, OSSL_PKEY_PARAM_RSA_E, 0, a, &p2));
    } else {
        TRY(edwards_public(k, a, &p1));
    }
    *ret_1 = p1;
    *ret_2 = p2;
    return ERR_OK;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *p = NULL;
    EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (x && EVP_PKEY_fromdata_init(x) == 1)
        EVP_PKEY_fromdata(x, &p, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(x);
    return p;
}

/* Reading the point checks that it lies on the curve; these curves have no small subgroups. */
static EVP_PKEY *ec_from_parts(const struct key_row *row, struct str x, struct str y)
{
    unsigned char point[1 + 2 * ECDSA_SIZE_MAX] = {4};
    if (x.n != row->size || y.n != row->size)
        return NULL;
    memcpy(point + 1, x.p, x.n);
    memcpy(point + 1 + x.n, y.p, y.n);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)row->group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * row->size),
        OSSL_PARAM_construct_end(),
    };
    return from_params(row->type, params);
}

static EVP_PKEY *rsa_from_parts(struct str n, struct str e)
{
    unsigned char n_le[LIMIT_RSA_BITS / 8], e_le[LIMIT_RSA_E_BITS / 8]; /* OSSL_PARAM wants the machine's order */
    if (n.n == 0 || e.n == 0 || n.n > sizeof(n_le) || e.n > sizeof(e_le) || n.p[0] == 0 || e.p[0] == 0)
        return NULL;
    BIGNUM *n_bn = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
    BIGNUM *e_bn = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
    EVP_PKEY *p = NULL;
    if (n_bn && e_bn && BN_bn2nativepad(n_bn, n_le, (int)n.n) > 0 && BN_bn2nativepad(e_bn, e_le, (int)e.n) > 0) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n_le, n.n),
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e_le, e.n),
            OSSL_PARAM_construct_end(),
        };
        p = from_params("RSA", params);
    }
    BN_free(n_bn);
    BN_free(e_bn);
    return p;
}

err_t key_from_public_parts(enum key_kind kind, struct str p1, struct str p2, struct key **ret)
{
    const struct key_row *row = key_row(kind);
    if (!row)
        return ERR_KEY;
    EVP_PKEY *p = NULL;
    if (row->group)
        p = ec_from_parts(row, p1, p2);
    else if (kind == KEY_RSA)
        p = rsa_from_parts(p1, p2);
    else if (p1.n == row->size && p2.n == 0)
        p = EVP_PKEY_new_raw_public_key_ex(NULL, row->type, NULL, (const unsigned char *)p1.p, p1.n);
    return key_wrap(p, false, ret);
}
