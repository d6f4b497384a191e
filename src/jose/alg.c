/* The table of algorithms: what is not in alg.def does not exist here. */
#include "jose/jose.h"

#define BIT(kind)  (1u << (kind))
#define KINDS_RSA  BIT(KEY_RSA)
#define KINDS_OCT  BIT(KEY_OCT)
#define KINDS_ECDH (BIT(KEY_EC_P256) | BIT(KEY_EC_P384) | BIT(KEY_EC_P521) | BIT(KEY_X25519) | BIT(KEY_X448))
/* The kind a new key has when nobody says which. */
#define KIND_OF(kinds) ((kinds) == KINDS_RSA ? KEY_RSA : (kinds) == KINDS_OCT ? KEY_OCT : KEY_EC_P256)

/* clang-format off */
static const struct alg_row rows[ALG_COUNT] = {
#define SIG(id, name_, kind_, scheme_, digest_, bits_) \
    [ALG_##id] = {.name = name_, .use = "sig", .kind = kind_, .kinds = BIT(kind_), .scheme = scheme_, .digest = digest_, \
                  .rsa_bits = bits_, .secret_min = (scheme_) == SIG_HMAC ? (bits_) / 8 : 0, \
                  .secret_max = (scheme_) == SIG_HMAC ? LIMIT_KEY_SECRET : 0},
#define MANAGE(id, name_, kinds_, method_, digest_, bits_) \
    [ALG_##id] = {.name = name_, .use = "enc", .kind = KIND_OF(kinds_), .kinds = kinds_, .method = method_, .digest = digest_, \
                  .rsa_bits = KIND_OF(kinds_) == KEY_RSA ? 2048 : (bits_) ? (bits_) : 256, .wrap_n = (bits_) / 8, \
                  .secret_min = (method_) == MANAGE_DIR ? 16 : (method_) == MANAGE_PBES2 ? 1 : (bits_) / 8, \
                  .secret_max = (method_) == MANAGE_DIR ? 64 : (method_) == MANAGE_PBES2 ? LIMIT_KEY_SECRET : (bits_) / 8},
#include "jose/alg.def"
#undef SIG
#undef MANAGE
};
/* clang-format on */

const struct alg_row *alg_row(enum alg a)
{
    return (size_t)a < ALG_COUNT ? &rows[a] : NULL;
}

bool alg_find_in(struct str name, uint64_t algs, enum alg *ret)
{
    for (size_t i = 0; i < ALG_COUNT; i++) {
        if ((algs & ALG_BIT(i)) && str_is(name, rows[i].name)) {
            *ret = (enum alg)i;
            return true;
        }
    }
    return false;
}

bool alg_find(struct str name, enum alg *ret)
{
    return alg_find_in(name, ALGS_ALL, ret);
}

uint64_t algs_named(enum alg a)
{
    uint64_t algs = ALG_BIT(a);
    return algs & ALGS_EDDSA ? ALGS_EDDSA : algs;
}

bool alg_fits(enum alg a, const struct key *k)
{
    const struct alg_row *row = alg_row(a);
    if (!row || !(row->kinds & BIT(key_kind_of(k))))
        return false;
    size_t n = key_secret(k).n;
    return key_kind_of(k) != KEY_OCT || (n >= row->secret_min && n <= row->secret_max);
}
