/* AES Key Wrap with the default initial value (RFC 3394), on the block cipher: OpenSSL's own wrap cipher goes
 * past the processor's AES instructions and takes four times as long. */
#include "crypto/internal.h"
#include "base/limits.h"

#define HALF   8 /* bytes of the register and of each word */
#define BLOCK  16
#define ROUNDS 6

static const uint8_t initial[HALF] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};

/* The step's number, counted from 1, goes into the register as 64 bits, of which eight are ever set. */
static bool step(EVP_CIPHER_CTX *x, uint8_t b[static BLOCK], uint8_t *word, unsigned t, bool sealing)
{
    int n = 0;
    memcpy(b + HALF, word, HALF);
    if (!sealing)
        b[HALF - 1] ^= (uint8_t)t;
    if (EVP_CipherUpdate(x, b, &n, b, BLOCK) != 1 || n != BLOCK)
        return false;
    if (sealing)
        b[HALF - 1] ^= (uint8_t)t;
    memcpy(word, b + HALF, HALF);
    return true;
}

/* Wraps or unwraps the words where they lie; the register is the first half of b. */
static bool run(const struct crypto *c, struct str kek, uint8_t b[static BLOCK], uint8_t *words, unsigned n,
                bool sealing)
{
    EVP_CIPHER_CTX *x = aes_take(c, AES_ECB, kek, NULL, sealing);
    unsigned steps = ROUNDS * n;
    bool ok = x && EVP_CIPHER_CTX_set_padding(x, 0) == 1;
    for (unsigned i = 0; ok && i < steps; i++) {
        unsigned t = sealing ? i + 1 : steps - i;
        ok = step(x, b, words + (size_t)((t - 1) % n) * HALF, t, sealing);
    }
    if (x)
        aes_give(c, AES_ECB, kek.n, x);
    return ok;
}

static bool length_ok(size_t n)
{
    return n % HALF == 0 && n >= BLOCK && n <= LIMIT_WRAPPED_KEY;
}

err_t aes_wrap(const struct crypto *c, struct str kek, struct str data, uint8_t *ret)
{
    uint8_t b[BLOCK];
    if (!length_ok(data.n))
        return ERR_CRYPTO;
    memcpy(b, initial, HALF);
    memcpy(ret + HALF, data.p, data.n);
    bool ok = run(c, kek, b, ret + HALF, (unsigned)(data.n / HALF), true);
    memcpy(ret, b, HALF);
    secret_zero(b, sizeof(b));
    return ok ? ERR_OK : crypto_failed(ERR_CRYPTO);
}

err_t aes_unwrap(const struct crypto *c, struct str kek, struct str wrapped, uint8_t *ret)
{
    uint8_t b[BLOCK];
    if (wrapped.n < AES_WRAP_OVERHEAD || !length_ok(wrapped.n - AES_WRAP_OVERHEAD))
        return ERR_DECRYPT;
    size_t n = wrapped.n - AES_WRAP_OVERHEAD;
    memcpy(b, wrapped.p, HALF);
    memcpy(ret, wrapped.p + HALF, n);
    bool ok = run(c, kek, b, ret, (unsigned)(n / HALF), false);
    bool same = secret_eq(b, initial, HALF);
    secret_zero(b, sizeof(b));
    if (ok && same)
        return ERR_OK;
    secret_zero(ret, n);
    return ok ? ERR_DECRYPT : crypto_failed(ERR_CRYPTO);
}
