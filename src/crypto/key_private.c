/* A key's private numbers, out and in: what private JWKs are made of (RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037
 * section 2). The numbers lie in the caller's arena, which zeroes them. */
#include "crypto/internal.h"
#include "base/limits.h"
#include <openssl/core_names.h>
#include <openssl/param_build.h>

static const char *const rsa_names[KEY_PRIVATE_PARTS] = {
    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,
    OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

size_t key_private_count(enum key_kind kind)
{
    return kind == KEY_RSA ? KEY_PRIVATE_PARTS : kind < KEY_OCT ? 1 : 0;
}

/* --- out --- */

static err_t number(const struct key *k, const char *name, size_t width, struct arena *a, struct str *ret)
{
    BIGNUM *bn = NULL;
    if (!EVP_PKEY_get_bn_param(k->pkey, name, &bn))
        return crypto_failed(ERR_KEY);
    size_t n = width ? width : (size_t)BN_num_bytes(bn);
    uint8_t *p = arena_alloc(a, n);
    bool ok = p && BN_bn2binpad(bn, p, (int)n) == (int)n;
    BN_clear_free(bn);
    if (!ok)
        return p ? crypto_failed(ERR_CRYPTO) : ERR_MEMORY;
    *ret = (struct str){(char *)p, n};
    return ERR_OK;
}

static err_t raw(const struct key *k, size_t n, struct arena *a, struct str *ret)
{
    uint8_t *p = arena_alloc(a, n);
    if (!p)
        return ERR_MEMORY;
    if (EVP_PKEY_get_raw_private_key(k->pkey, p, &n) != 1)
        return crypto_failed(ERR_CRYPTO);
    *ret = (struct str){(char *)p, n};
    return ERR_OK;
}

err_t key_private_parts(const struct key *k, struct arena *a, struct str ret[static KEY_PRIVATE_PARTS])
{
    const struct key_row *row = key_row(k->kind);
    struct str parts[KEY_PRIVATE_PARTS] = {{0}};
    if (!row || !k->private)
        return ERR_KEY;
    if (row->group)
        TRY(number(k, OSSL_PKEY_PARAM_PRIV_KEY, row->size, a, &parts[0]));
    else if (row->size)
        TRY(raw(k, row->size, a, &parts[0]));
    for (size_t i = 0; k->kind == KEY_RSA && i < KEY_PRIVATE_PARTS; i++)
        TRY(number(k, rsa_names[i], 0, a, &parts[i]));
    memcpy(ret, parts, sizeof(parts));
    return ERR_OK;
}

/* --- in --- */

#define NUMBERS_MAX (KEY_PRIVATE_PARTS + 2)
struct numbers {
    OSSL_PARAM_BLD *bld;
    BIGNUM *bn[NUMBERS_MAX];
    size_t n;
    uint8_t point[1 + 2 * ECDSA_SIZE_MAX]; /* here, since the builder only notes where it lies */
};

static bool push(struct numbers *s, const char *name, struct str v)
{
    if (v.n == 0 || v.n > LIMIT_RSA_BITS / 8)
        return false;
    BIGNUM *bn = BN_secure_new();
    if (!bn)
        return false;
    s->bn[s->n++] = bn;
    return BN_bin2bn((const uint8_t *)v.p, (int)v.n, bn) && OSSL_PARAM_BLD_push_BN(s->bld, name, bn) == 1;
}

static bool push_ec(struct numbers *s, const struct key_row *row, struct str x, struct str y, struct str d)
{
    uint8_t *point = s->point;
    if (x.n != row->size || y.n != row->size || d.n != row->size)
        return false;
    point[0] = 4;
    memcpy(point + 1, x.p, x.n);
    memcpy(point + 1 + x.n, y.p, y.n);
    return OSSL_PARAM_BLD_push_utf8_string(s->bld, OSSL_PKEY_PARAM_GROUP_NAME, row->group, 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(s->bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * row->size) == 1 &&
           push(s, OSSL_PKEY_PARAM_PRIV_KEY, d);
}

static bool push_rsa(struct numbers *s, struct str n, struct str e, const struct str *parts)
{
    bool ok = push(s, OSSL_PKEY_PARAM_RSA_N, n) && push(s, OSSL_PKEY_PARAM_RSA_E, e);
    for (size_t i = 0; ok && i < KEY_PRIVATE_PARTS; i++)
        ok = push(s, rsa_names[i], parts[i]);
    return ok;
}

static EVP_PKEY *from_numbers(const struct key_row *row, struct str p1, struct str p2, const struct str *parts)
{
    struct numbers s = {.bld = OSSL_PARAM_BLD_new()};
    bool ok = s.bld && (row->group ? push_ec(&s, row, p1, p2, parts[0]) : push_rsa(&s, p1, p2, parts));
    OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(s.bld) : NULL;
    EVP_PKEY *p = params ? key_from_params(row->type, EVP_PKEY_KEYPAIR, params) : NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(s.bld);
    for (size_t i = 0; i < s.n; i++)
        BN_clear_free(s.bn[i]);
    return p;
}

err_t key_from_private_parts(enum key_kind kind, struct str p1, struct str p2,
                             const struct str parts[static KEY_PRIVATE_PARTS], struct key **ret)
{
    const struct key_row *row = key_row(kind);
    struct key *k = NULL, *public = NULL;
    if (!row)
        return ERR_KEY;
    TRY(key_from_public_parts(kind, p1, p2, &public)); /* also judges the numbers */
    EVP_PKEY *p = row->group || !row->size ? from_numbers(row, p1, p2, parts)
                  : parts[0].n == row->size
                      ? EVP_PKEY_new_raw_private_key_ex(NULL, row->type, NULL, (const uint8_t *)parts[0].p, row->size)
                      : NULL;
    err_t e = key_wrap(p, true, &k);
    /* An Edwards or X key's public half is computed from the private one, so that comparing says it all. */
    if (e == ERR_OK && (!key_eq_public(k, public) || ((row->group || !row->size) && !key_pair_ok(k))))
        e = crypto_failed(ERR_KEY);
    key_free(&public);
    if (e != ERR_OK) {
        key_free(&k);
        return e;
    }
    *ret = k;
    return ERR_OK;
}
