/* A key's public numbers, out and in: what JWKs, and whatever else writes keys as numbers, are made of. */
#include "crypto/internal.h"
#include "base/limits.h"
#include <openssl/core_names.h>

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

/* Both coordinates at once: asked for one by one, OpenSSL works the point out again for each. */
static err_t point(const struct key *k, size_t size, struct arena *a, struct str *ret_x, struct str *ret_y)
{
    size_t want = 1 + 2 * size, n = 0;
    unsigned char *p = arena_alloc(a, want);
    if (!p)
        return ERR_MEMORY;
    if (EVP_PKEY_get_octet_string_param(k->pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, p, want, &n) != 1 ||
        n != want || p[0] != 4)
        return crypto_failed(ERR_CRYPTO);
    *ret_x = (struct str){(char *)p + 1, size};
    *ret_y = (struct str){(char *)p + 1 + size, size};
    return ERR_OK;
}

static err_t edwards_public(const struct key *k, struct arena *a, struct str *ret)
{
    size_t n = key_row(k->kind)->size;
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
    const struct key_row *row = key_row(k->kind);
    struct str p1 = STR_NONE, p2 = STR_NONE;
    if (!row)
        return ERR_KEY;
    if (row->group) {
        TRY(point(k, row->size, a, &p1, &p2));
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
    return key_from_params(row->type, EVP_PKEY_PUBLIC_KEY, params);
}

static EVP_PKEY *rsa_from_parts(struct str n, struct str e)
{
    unsigned char n_le[LIMIT_RSA_BITS / 8],
        e_le[LIMIT_RSA_E_BITS / 8]; /* OSSL_PARAM wants the machine's order */
    if (n.n == 0 || e.n == 0 || n.n > sizeof(n_le) || e.n > sizeof(e_le) || n.p[0] == 0 || e.p[0] == 0)
        return NULL;
    BIGNUM *n_bn = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
    BIGNUM *e_bn = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
    EVP_PKEY *p = NULL;
    if (n_bn && e_bn && BN_bn2nativepad(n_bn, n_le, (int)n.n) > 0 &&
        BN_bn2nativepad(e_bn, e_le, (int)e.n) > 0) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n_le, n.n),
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e_le, e.n),
            OSSL_PARAM_construct_end(),
        };
        p = key_from_params("RSA", EVP_PKEY_PUBLIC_KEY, params);
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
