/* Fixed-width base62: numbers of up to 64 bytes, ten (decoding) or five (encoding) digits at a step. See
 * enc.h. */
#include "base/enc.h"

#include <endian.h>

enum { LIMBS_64 = BASE62_NUM_MAX / 8, LIMBS_32 = BASE62_NUM_MAX / 4 };

static const char digits62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Limbs are least significant first. Five digits fit in 30 bits, so that each division is one of a 64-bit
 * number by a constant, which costs a multiplication. */
static size_t load_be(const uint8_t *num, size_t num_n, uint32_t limb[LIMBS_32])
{
    size_t n = 0;
    for (; num_n >= 4; num_n -= 4) {
        uint32_t v;
        memcpy(&v, num + num_n - 4, 4);
        limb[n++] = be32toh(v);
    }
    if (num_n > 0) {
        uint32_t v = 0;
        for (size_t i = 0; i < num_n; i++)
            v = v << 8 | num[i];
        limb[n++] = v;
    }
    return n;
}

static uint32_t divide(uint32_t limb[LIMBS_32], size_t n)
{
    enum { FIVE = 62 * 62 * 62 * 62 * 62 };
    uint64_t rest = 0;
    for (size_t i = n; i-- > 0;) {
        uint64_t v = rest << 32 | limb[i];
        limb[i] = (uint32_t)(v / FIVE);
        rest = v % FIVE;
    }
    return (uint32_t)rest;
}

void enc_base62(char *ret, size_t width, const uint8_t *num, size_t num_n)
{
    uint32_t limb[LIMBS_32];
    size_t n = load_be(num, num_n > BASE62_NUM_MAX ? BASE62_NUM_MAX : num_n, limb);
    size_t at = width;
    while (at > 0) {
        while (n > 0 && limb[n - 1] == 0)
            n--;
        uint32_t five = divide(limb, n);
        for (int i = 0; i < 5 && at > 0; i++, five /= 62)
            ret[--at] = digits62[five % 62];
    }
    explicit_bzero(limb, sizeof(limb));
}

/* Values plus one; 0 is foreign. */
static const uint8_t values62[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    ['G'] = 17, ['H'] = 18, ['I'] = 19, ['J'] = 20, ['K'] = 21, ['L'] = 22, ['M'] = 23, ['N'] = 24,
    ['O'] = 25, ['P'] = 26, ['Q'] = 27, ['R'] = 28, ['S'] = 29, ['T'] = 30, ['U'] = 31, ['V'] = 32,
    ['W'] = 33, ['X'] = 34, ['Y'] = 35, ['Z'] = 36, ['a'] = 37, ['b'] = 38, ['c'] = 39, ['d'] = 40,
    ['e'] = 41, ['f'] = 42, ['g'] = 43, ['h'] = 44, ['i'] = 45, ['j'] = 46, ['k'] = 47, ['l'] = 48,
    ['m'] = 49, ['n'] = 50, ['o'] = 51, ['p'] = 52, ['q'] = 53, ['r'] = 54, ['s'] = 55, ['t'] = 56,
    ['u'] = 57, ['v'] = 58, ['w'] = 59, ['x'] = 60, ['y'] = 61, ['z'] = 62,
};

/* limb = limb * factor + add; what falls out at the top. */
static uint64_t multiply_add(uint64_t limb[LIMBS_64], size_t n, uint64_t factor, uint64_t add)
{
    for (size_t i = 0; i < n; i++) {
        unsigned __int128 v = (unsigned __int128)limb[i] * factor + add;
        limb[i] = (uint64_t)v;
        add = (uint64_t)(v >> 64);
    }
    return add;
}

/* num = the low num_n bytes; false if more are not zero. */
static bool store_be(const uint64_t limb[LIMBS_64], size_t n, uint8_t *num, size_t num_n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t v = limb[i];
        size_t bytes = num_n < 8 ? num_n : 8;
        for (size_t k = 0; k < bytes; k++, v = v >> 8)
            num[num_n - 1 - k] = (uint8_t)v;
        if (bytes < 8 && v != 0)
            return false;
        num_n -= bytes;
    }
    return true;
}

bool dec_base62(struct str s, uint8_t *ret_num, size_t num_n)
{
    if (num_n > BASE62_NUM_MAX || s.n == 0)
        return false;
    uint64_t limb[LIMBS_64] = {0};
    size_t n = (num_n + 7) / 8;
    for (size_t i = 0; i < s.n;) {
        uint64_t chunk = 0, factor = 1;
        for (int k = 0; k < 10 && i < s.n; k++, i++, factor *= 62) {
            uint8_t v = values62[(unsigned char)s.p[i]];
            if (v == 0)
                return false;
            chunk = chunk * 62 + v - 1u;
        }
        if (multiply_add(limb, n, factor, chunk) != 0)
            return false;
    }
    return store_be(limb, n, ret_num, num_n);
}
