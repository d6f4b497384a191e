/* Speck64/128: R. Beaulieu et al., "The SIMON and SPECK Families of Lightweight Block Ciphers" (2013), 27
 * rounds on two 32-bit words with a 128-bit key. The key's words are little-endian; the value's high half is
 * the paper's x. */
#include "crypto/crypto.h"

#define SPECK_ROUNDS   27
#define FEISTEL_ROUNDS 8

static uint32_t rotl(uint32_t v, unsigned by)
{
    return v << by | v >> (32 - by);
}

static uint32_t rotr(uint32_t v, unsigned by)
{
    return v >> by | v << (32 - by);
}

static void round_forward(uint32_t *x, uint32_t *y, uint32_t k)
{
    *x = (rotr(*x, 8) + *y) ^ k;
    *y = rotl(*y, 3) ^ *x;
}

static void round_back(uint32_t *x, uint32_t *y, uint32_t k)
{
    *y = rotr(*y ^ *x, 3);
    *x = rotl((*x ^ k) - *y, 8);
}

static void expand(const uint8_t key[static 16], uint32_t ret[static SPECK_ROUNDS])
{
    uint32_t w[4];
    for (unsigned i = 0; i < 4; i++)
        w[i] = (uint32_t)key[4 * i] | (uint32_t)key[4 * i + 1] << 8 | (uint32_t)key[4 * i + 2] << 16 |
               (uint32_t)key[4 * i + 3] << 24;
    for (uint32_t i = 0; i < SPECK_ROUNDS; i++) {
        ret[i] = w[0];
        round_forward(&w[1 + i % 3], &w[0], i);
    }
}

uint64_t permute64(const uint8_t key[static 16], uint64_t v)
{
    uint32_t k[SPECK_ROUNDS], x = (uint32_t)(v >> 32), y = (uint32_t)v;
    expand(key, k);
    for (unsigned i = 0; i < SPECK_ROUNDS; i++)
        round_forward(&x, &y, k[i]);
    return (uint64_t)x << 32 | y;
}

uint64_t unpermute64(const uint8_t key[static 16], uint64_t v)
{
    uint32_t k[SPECK_ROUNDS], x = (uint32_t)(v >> 32), y = (uint32_t)v;
    expand(key, k);
    for (unsigned i = SPECK_ROUNDS; i-- > 0;)
        round_back(&x, &y, k[i]);
    return (uint64_t)x << 32 | y;
}

uint16_t permute16(const uint8_t key[static 16], uint16_t v)
{
    uint8_t left = (uint8_t)(v >> 8), right = (uint8_t)v;
    for (uint64_t i = 0; i < FEISTEL_ROUNDS; i++) {
        uint8_t next = (uint8_t)(left ^ permute64(key, i << 8 | right));
        left = right;
        right = next;
    }
    return (uint16_t)(left << 8 | right);
}
