/* Keys: making and ending them. Whatever way a key comes in (here, key_text.c, key_public.c), it leaves
 * key_wrap() with a known kind and inside the limits of its kind, or not at all. */
#include "crypto/internal.h"
#include "base/limits.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdlib.h>

static const struct key_row rows[] = {
    [KEY_EC_P256] = {"EC", "prime256v1", 32, EVP_PKEY_EC},
    [KEY_EC_P384] = {"EC", "secp384r1", 48, EVP_PKEY_EC},
    [KEY_EC_P521] = {"EC", "secp521r1", 66, EVP_PKEY_EC},
    [KEY_EC_K256] = {"EC", "secp256k1", 32, EVP_PKEY_EC},
    [KEY_ED25519] = {"ED25519", NULL, 32, EVP_PKEY_ED25519},
    [KEY_ED448] = {"ED448", NULL, 57, EVP_PKEY_ED448},
    [KEY_RSA] = {"RSA", NULL, 0, EVP_PKEY_RSA},
    [KEY_X25519] = {"X25519", NULL, 32, EVP_PKEY_X25519},
    [KEY_X448] = {"X448", NULL, 56, EVP_PKEY_X448},
};
#define KIND_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct key_row *key_row(enum key_kind kind)
{
    return (size_t)kind < KIND_COUNT ? &rows[kind] : NULL;
}

/* The row of an OpenSSL key; KIND_COUNT if there is none. */
static size_t kind_find(const EVP_PKEY *p)
{
    char group[32] = ""; /* stays empty for a curve without a name */
    if (EVP_PKEY_is_a(p, "EC"))
        EVP_PKEY_get_group_name(p, group, sizeof(group), NULL);
    size_t i = 0;
    while (i < KIND_COUNT &&
           !(EVP_PKEY_is_a(p, rows[i].type) && (!rows[i].group || strcmp(group, rows[i].group) == 0)))
        i++;
    return i;
}

/* RFC 7518 section 3.3 wants 2048 bits; the upper bounds keep one verification cheap. e = 1 signs anything
 * (A76). */
static bool rsa_ok(const EVP_PKEY *p)
{
    BIGNUM *n = NULL, *e = NULL;
    bool ok = EVP_PKEY_get_bn_param(p, OSSL_PKEY_PARAM_RSA_N, &n) &&
              EVP_PKEY_get_bn_param(p, OSSL_PKEY_PARAM_RSA_E, &e) && BN_num_bits(n) >= LIMIT_RSA_BITS_MIN &&
              BN_num_bits(n) <= LIMIT_RSA_BITS && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
              BN_num_bits(e) <= LIMIT_RSA_E_BITS;
    BN_free(n);
    BN_free(e);
    return ok;
}

err_t key_wrap(EVP_PKEY *p, bool private, struct key **ret)
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
    ERR_clear_error(); /* of whatever was tried on the way here */
    return ERR_OK;
out:
    EVP_PKEY_free(p);
    return crypto_failed(e);
}

/* --- secrets --- */

err_t key_from_secret(struct str bytes, struct key **ret)
{
    if (bytes.n == 0 || bytes.n > LIMIT_KEY_SECRET)
        return ERR_KEY;
    struct key *k = calloc(1, sizeof(*k));
    char *copy = malloc(bytes.n);
    if (!k || !copy) {
        free(k);
        free(copy);
        return ERR_MEMORY;
    }
    memcpy(copy, bytes.p, bytes.n);
    *k = (struct key){.kind = KEY_OCT, .private = true, .secret = {copy, bytes.n}};
    *ret = k;
    return ERR_OK;
}

struct str key_secret(const struct key *k)
{
    return k->secret;
}

static err_t secret_generate(unsigned bits, struct key **ret)
{
    uint8_t bytes[LIMIT_KEY_SECRET];
    size_t n = bits / 8;
    if (bits % 8 || n > sizeof(bytes))
        return ERR_KEY;
    TRY(random_bytes(bytes, n));
    err_t e = key_from_secret((struct str){(char *)bytes, n}, ret);
    secret_zero(bytes, n);
    return e;
}

err_t key_generate(enum key_kind kind, unsigned bits, struct key **ret)
{
    if (kind == KEY_OCT)
        return secret_generate(bits, ret);
    unsigned rsa_bits = bits;
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
    if ((*k)->secret.p)
        secret_zero((char *)(*k)->secret.p, (*k)->secret.n);
    free((char *)(*k)->secret.p);
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

bool key_eq_public(const struct key *a, const struct key *b)
{
    bool same = a->kind == b->kind && a->kind != KEY_OCT && EVP_PKEY_eq(a->pkey, b->pkey) == 1;
    ERR_clear_error();
    return same;
}

bool key_pair_ok(const struct key *k)
{
    EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    bool ok = x && EVP_PKEY_pairwise_check(x) == 1;
    EVP_PKEY_CTX_free(x);
    return ok;
}

EVP_PKEY *key_from_params(const char *type, int selection, OSSL_PARAM *params)
{
    EVP_PKEY *p = NULL;
    EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (x && EVP_PKEY_fromdata_init(x) == 1)
        EVP_PKEY_fromdata(x, &p, selection, params);
    EVP_PKEY_CTX_free(x);
    return p;
}
