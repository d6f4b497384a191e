/* SHA-2, HMAC (RFC 2104) and HKDF (RFC 5869). These call the SHA-2 block functions directly: OpenSSL 3.0's
 * one-shot SHA256() and HMAC() fetch their algorithm at each call, which costs several times the hashing of a
 * token. The functions are marked deprecated in favour of EVP, hence the define; they are what EVP itself
 * ends in. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/internal.h"
#include <openssl/sha.h>

#define BLOCK_MAX  SHA512_CBLOCK
#define DIGEST_MAX SHA512_DIGEST_LENGTH

union state {
    SHA256_CTX s256;
    SHA512_CTX s512;
};

struct sha {
    size_t size, block;
    void (*init)(union state *s);
    void (*update)(union state *s, const void *p, size_t n);
    void (*final)(union state *s, uint8_t *ret);
};

/* These return 1 always. */
#define SHA(bits, member)                                                                                    \
    static void sha##bits##_init(union state *s)                                                             \
    {                                                                                                        \
        SHA##bits##_Init(&s->member);                                                                        \
    }                                                                                                        \
    static void sha##bits##_update(union state *s, const void *p, size_t n)                                  \
    {                                                                                                        \
        SHA##bits##_Update(&s->member, p, n);                                                                \
    }                                                                                                        \
    static void sha##bits##_final(union state *s, uint8_t *ret)                                              \
    {                                                                                                        \
        SHA##bits##_Final(ret, &s->member);                                                                  \
    }
SHA(256, s256)
SHA(384, s512)
SHA(512, s512)
#undef SHA

static const struct sha shas[] = {
    [DIGEST_SHA256] = {SHA256_DIGEST_LENGTH, SHA256_CBLOCK, sha256_init, sha256_update, sha256_final},
    [DIGEST_SHA384] = {SHA384_DIGEST_LENGTH, SHA512_CBLOCK, sha384_init, sha384_update, sha384_final},
    [DIGEST_SHA512] = {SHA512_DIGEST_LENGTH, SHA512_CBLOCK, sha512_init, sha512_update, sha512_final},
};

static const struct sha *sha_of(enum digest alg)
{
    return (size_t)alg < sizeof(shas) / sizeof(shas[0]) ? &shas[alg] : NULL;
}

/* A zero str may have no address at all; the block functions are not promised to take NULL. */
static void add(const struct sha *sha, union state *s, struct str data)
{
    if (data.n > 0)
        sha->update(s, data.p, data.n);
}

static void hash(const struct sha *sha, struct str data, uint8_t *ret)
{
    union state s;
    sha->init(&s);
    add(sha, &s, data);
    sha->final(&s, ret);
}

/* One keyed state for the inside and one for the outside, so that HKDF and PBKDF-like loops need not key
 * twice. */
struct keyed {
    const struct sha *sha;
    union state inner, outer;
};

static void keyed_init(struct keyed *h, const struct sha *sha, struct str key)
{
    uint8_t pad[BLOCK_MAX] = {0};
    if (key.n > sha->block)
        hash(sha, key, pad);
    else if (key.n > 0)
        memcpy(pad, key.p, key.n);
    for (size_t i = 0; i < sha->block; i++)
        pad[i] ^= 0x36;
    sha->init(&h->inner);
    sha->update(&h->inner, pad, sha->block);
    for (size_t i = 0; i < sha->block; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    sha->init(&h->outer);
    sha->update(&h->outer, pad, sha->block);
    h->sha = sha;
    secret_zero(pad, sizeof(pad));
}

static void keyed_final(struct keyed *h, uint8_t *ret)
{
    uint8_t inner[DIGEST_MAX];
    h->sha->final(&h->inner, inner);
    h->sha->update(&h->outer, inner, h->sha->size);
    h->sha->final(&h->outer, ret);
    secret_zero(h, sizeof(*h));
}

static void mac_parts(const struct sha *sha, struct str key, const struct str *parts, size_t parts_n, uint8_t *ret)
{
    struct keyed h;
    keyed_init(&h, sha, key);
    for (size_t i = 0; i < parts_n; i++)
        add(sha, &h.inner, parts[i]);
    keyed_final(&h, ret);
}

static void mac(const struct sha *sha, struct str key, struct str data, uint8_t *ret)
{
    mac_parts(sha, key, &data, 1, ret);
}

void sha256(const struct crypto *c, struct str data, uint8_t ret[static SHA256_SIZE])
{
    (void)c;
    hash(&shas[DIGEST_SHA256], data, ret);
}

err_t digest(const struct crypto *c, enum digest alg, struct str data, uint8_t *ret, size_t *ret_n)
{
    (void)c;
    const struct sha *sha = sha_of(alg);
    if (!sha)
        return ERR_CRYPTO;
    hash(sha, data, ret);
    *ret_n = sha->size;
    return ERR_OK;
}

void hmac_sha256(const struct crypto *c, struct str key, struct str data, uint8_t ret[static SHA256_SIZE])
{
    (void)c;
    mac(&shas[DIGEST_SHA256], key, data, ret);
}

err_t hmac(const struct crypto *c, enum digest alg, struct str key, struct str data, uint8_t *ret,
           size_t *ret_n)
{
    (void)c;
    const struct sha *sha = sha_of(alg);
    if (!sha)
        return ERR_CRYPTO;
    mac(sha, key, data, ret);
    *ret_n = sha->size;
    return ERR_OK;
}

err_t hmac_parts(const struct crypto *c, enum digest alg, struct str key, const struct str *parts, size_t parts_n,
                 uint8_t *ret, size_t *ret_n)
{
    (void)c;
    const struct sha *sha = sha_of(alg);
    if (!sha)
        return ERR_CRYPTO;
    mac_parts(sha, key, parts, parts_n, ret);
    *ret_n = sha->size;
    return ERR_OK;
}

err_t hkdf_sha256(const struct crypto *c, struct str key, struct str salt, struct str info, uint8_t *ret,
                  size_t n)
{
    const struct sha *sha = &shas[DIGEST_SHA256];
    if (n > 255 * SHA256_SIZE)
        return ERR_CRYPTO;
    uint8_t prk[SHA256_SIZE], t[SHA256_SIZE];
    hmac_sha256(c, salt, key, prk); /* an absent salt is a block of zeros, as an empty key is for HMAC */
    for (unsigned i = 1; n > 0; i++) {
        struct keyed h;
        uint8_t counter = (uint8_t)i;
        keyed_init(&h, sha, (struct str){(char *)prk, sizeof(prk)});
        if (i > 1)
            sha->update(&h.inner, t, sizeof(t));
        add(sha, &h.inner, info);
        sha->update(&h.inner, &counter, 1);
        keyed_final(&h, t);
        size_t take = n < sizeof(t) ? n : sizeof(t);
        memcpy(ret, t, take);
        ret += take;
        n -= take;
    }
    secret_zero(prk, sizeof(prk));
    secret_zero(t, sizeof(t));
    return ERR_OK;
}
