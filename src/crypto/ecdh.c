/* Diffie-Hellman on the curves of RFC 7518 section 4.6 and RFC 8037 section 3.2, and the Concat KDF behind it
 * (NIST SP 800-56A section 5.8.1). A point of the other side is judged before the private key is used (A70):
 * those of the NIST curves when the key is made (key_from_public_parts), those of small order on the
 * Montgomery curves here. */
#include "crypto/internal.h"
#include "base/limits.h"

/* --- points of small order --- */

#define X25519_SIZE 32
#define X448_SIZE   56

/* u of the points of order 1, 2, 4 and 8 on curve25519 and its twist, in every form below 2^255,
 * little-endian. */
static const uint8_t small_25519[][X25519_SIZE] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
};

/* p - 1, p and p + 1 differ in their lowest byte only, except p + 1 of curve448, which carries into the
 * middle. */
static bool near_p_25519(const uint8_t *u)
{
    bool high = u[31] == 0x7f;
    for (size_t i = 1; i < X25519_SIZE - 1; i++)
        high = high && u[i] == 0xff;
    return high && u[0] >= 0xec && u[0] <= 0xee;
}

static bool small_x25519(const uint8_t *point)
{
    uint8_t u[X25519_SIZE];
    memcpy(u, point, sizeof(u));
    u[31] &= 0x7f; /* the topmost bit is not part of the number (RFC 7748 section 5) */
    bool small = near_p_25519(u);
    for (size_t i = 0; i < sizeof(small_25519) / sizeof(small_25519[0]); i++)
        small = small || memcmp(u, small_25519[i], sizeof(u)) == 0;
    return small;
}

/* 0, 1 and p - 1, p, p + 1 with p = 2^448 - 2^224 - 1. */
static bool small_x448(const uint8_t *u)
{
    uint8_t low[X448_SIZE] = {0}, p[X448_SIZE];
    memset(p, 0xff, sizeof(p));
    p[28] = 0xfe;
    bool small = u[0] <= 1 && memcmp(u + 1, low + 1, X448_SIZE - 1) == 0;
    small = small || ((u[0] == 0xfe || u[0] == 0xff) && memcmp(u + 1, p + 1, X448_SIZE - 1) == 0);
    memset(p, 0, 28);
    p[28] = 0xff;
    return small || memcmp(u, p, sizeof(p)) == 0;
}

static bool point_ok(const struct key *k)
{
    uint8_t u[X448_SIZE];
    size_t n = sizeof(u);
    if (k->kind != KEY_X25519 && k->kind != KEY_X448)
        return true;
    return EVP_PKEY_get_raw_public_key(k->pkey, u, &n) == 1 &&
           !(k->kind == KEY_X25519 ? small_x25519(u) : small_x448(u));
}

/* --- agreement --- */

static bool kind_ok(enum key_kind kind)
{
    return kind == KEY_EC_P256 || kind == KEY_EC_P384 || kind == KEY_EC_P521 || kind == KEY_X25519 ||
           kind == KEY_X448;
}

bool ecdh_able(enum key_kind kind)
{
    return kind_ok(kind);
}

err_t ecdh(const struct key *own, const struct key *other, uint8_t ret[static ECDH_MAX], size_t *ret_n)
{
    size_t n = ECDH_MAX;
    if (!own->private || own->kind != other->kind || !kind_ok(own->kind) || !point_ok(other))
        return ERR_KEY;
    EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_pkey(NULL, own->pkey, NULL);
    /* The point has been checked, and the check here would be as dear as the agreement. */
    bool ok = x && EVP_PKEY_derive_init(x) == 1 && EVP_PKEY_derive_set_peer_ex(x, other->pkey, 0) == 1 &&
              EVP_PKEY_derive(x, ret, &n) == 1;
    EVP_PKEY_CTX_free(x);
    if (!ok)
        return crypto_failed(ERR_KEY);
    *ret_n = n;
    return ERR_OK;
}

/* --- Concat KDF --- */

#define ALG_ID_MAX 32
#define KDF_INPUT  (4 + ECDH_MAX + 4 + ALG_ID_MAX + 2 * (4 + LIMIT_JWE_PARTY) + 4)

static uint8_t *put_u32(uint8_t *at, size_t v)
{
    for (unsigned i = 0; i < 4; i++)
        *at++ = (uint8_t)(v >> (24 - 8 * i));
    return at;
}

static uint8_t *put_sized(uint8_t *at, struct str s)
{
    at = put_u32(at, s.n);
    if (s.n > 0)
        memcpy(at, s.p, s.n);
    return at + s.n;
}

err_t concat_kdf(const struct crypto *c, struct str secret, struct str alg_id, struct str apu, struct str apv,
                 uint8_t *ret, size_t n)
{
    uint8_t in[KDF_INPUT], out[SHA256_SIZE];
    if (secret.n > ECDH_MAX || alg_id.n > ALG_ID_MAX || apu.n > LIMIT_JWE_PARTY || apv.n > LIMIT_JWE_PARTY)
        return ERR_CRYPTO;
    memcpy(in + 4, secret.p, secret.n);
    uint8_t *end = put_sized(in + 4 + secret.n, alg_id);
    end = put_sized(end, apu);
    end = put_sized(end, apv);
    end = put_u32(end, n * 8);
    for (size_t round = 1, done = 0; done < n; round++, done += SHA256_SIZE) {
        put_u32(in, round);
        sha256(c, (struct str){(char *)in, (size_t)(end - in)}, out);
        memcpy(ret + done, out, n - done < SHA256_SIZE ? n - done : SHA256_SIZE);
    }
    secret_zero(in, sizeof(in));
    secret_zero(out, sizeof(out));
    return ERR_OK;
}
