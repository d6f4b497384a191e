/* Base64, hex and percent decoding and encoding. Decoders accept one form only. See enc.h. */
#include "base/enc.h"

static const char b64url_digits[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char b64_digits[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Digit values plus one, so that what the table does not name is 0. */
#define B64_COMMON                                                                                           \
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8, ['I'] = 9,       \
    ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17,          \
    ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25,          \
    ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33,          \
    ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41,          \
    ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,          \
    ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57,          \
    ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62
static const uint8_t b64url_values[256] = {B64_COMMON, ['-'] = 63, ['_'] = 64};
static const uint8_t b64_values[256] = {B64_COMMON, ['+'] = 63, ['/'] = 64};

static char *encode_triples(char *at, const uint8_t *p, size_t n, const char digits[64])
{
    for (; n >= 3; n -= 3, p += 3) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        *at++ = digits[v >> 18];
        *at++ = digits[v >> 12 & 63];
        *at++ = digits[v >> 6 & 63];
        *at++ = digits[v & 63];
    }
    if (n > 0) {
        uint32_t v = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
        *at++ = digits[v >> 18];
        *at++ = digits[v >> 12 & 63];
        if (n == 2)
            *at++ = digits[v >> 6 & 63];
    }
    return at;
}

void enc_b64url(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || n > SIZE_MAX / 2 || !buf_reserve(b, (n * 4 + 2) / 3))
        return;
    b->n = (size_t)(encode_triples(b->p + b->n, p, n, b64url_digits) - b->p);
}

void enc_b64(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || n > SIZE_MAX / 2 || !buf_reserve(b, (n + 2) / 3 * 4))
        return;
    char *end = encode_triples(b->p + b->n, p, n, b64_digits);
    for (size_t pad = (3 - n % 3) % 3; pad > 0; pad--)
        *end++ = '=';
    b->n = (size_t)(end - b->p);
}

/* Writes n / 4 * 3 (+ 0, 1, 2) bytes; false for a foreign character, a lone last digit or left-over bits. */
static bool decode_quads(const unsigned char *p, size_t n, const uint8_t values[256], uint8_t *ret)
{
    for (; n >= 4; n -= 4, p += 4, ret += 3) {
        uint32_t a = values[p[0]] - 1u, b = values[p[1]] - 1u, c = values[p[2]] - 1u, d = values[p[3]] - 1u;
        if ((a | b | c | d) > 63) /* what the table does not name became all ones */
            return false;
        uint32_t v = a << 18 | b << 12 | c << 6 | d;
        ret[0] = (uint8_t)(v >> 16);
        ret[1] = (uint8_t)(v >> 8);
        ret[2] = (uint8_t)v;
    }
    if (n == 0)
        return true;
    if (n == 1)
        return false;
    uint32_t a = values[p[0]] - 1u, b = values[p[1]] - 1u, c = n == 3 ? values[p[2]] - 1u : 0;
    uint32_t v = a << 18 | b << 12 | c << 6;
    if ((a | b | c) > 63 || (n == 2 ? v & 0xFFFF : v & 0xFF) != 0)
        return false;
    ret[0] = (uint8_t)(v >> 16);
    if (n == 3)
        ret[1] = (uint8_t)(v >> 8);
    return true;
}

static size_t decoded_size(size_t digits)
{
    return digits / 4 * 3 + digits % 4 * 3 / 4;
}

size_t dec_b64url_into(struct str s, uint8_t *ret, size_t max)
{
    size_t n = decoded_size(s.n);
    if (n > max || !decode_quads((const unsigned char *)s.p, s.n, b64url_values, ret))
        return SIZE_MAX;
    return n;
}

static bool decode_in(struct arena *a, struct str s, const uint8_t values[256], struct str *ret)
{
    size_t n = decoded_size(s.n);
    char *p = arena_alloc(a, n + 1);
    if (!p || !decode_quads((const unsigned char *)s.p, s.n, values, (uint8_t *)p))
        return false;
    *ret = (struct str){p, n};
    return true;
}

bool dec_b64url(struct arena *a, struct str s, struct str *ret)
{
    return decode_in(a, s, b64url_values, ret);
}

bool dec_b64(struct arena *a, struct str s, struct str *ret)
{
    if (s.n % 4 != 0)
        return false;
    for (int pad = 0; pad < 2 && s.n > 0 && s.p[s.n - 1] == '='; pad++)
        s.n--;
    return decode_in(a, s, b64_values, ret);
}

void enc_hex(struct buf *b, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = p;
    if (n == 0 || n > SIZE_MAX / 2 || !buf_reserve(b, n * 2))
        return;
    for (size_t i = 0; i < n; i++) {
        b->p[b->n++] = digits[bytes[i] >> 4];
        b->p[b->n++] = digits[bytes[i] & 15];
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that two digits at p stand for, or -1. */
static int hex_pair(const char *p)
{
    int high = hex_value(p[0]), low = hex_value(p[1]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool dec_hex(struct str s, uint8_t *ret, size_t n)
{
    if (s.n % 2 != 0 || s.n / 2 != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int v = hex_pair(s.p + i * 2);
        if (v < 0)
            return false;
        ret[i] = (uint8_t)v;
    }
    return true;
}

bool dec_percent(struct arena *a, struct str s, bool plus, struct str *ret)
{
    char *p = arena_alloc(a, s.n + 1);
    if (!p)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int c = (unsigned char)s.p[i];
        if (c == '+' && plus) {
            c = ' ';
        } else if (c == '%') {
            c = s.n - i > 2 ? hex_pair(s.p + i + 1) : -1;
            i += 2;
        }
        if (c <= 0)
            return false;
        p[n++] = (char)c;
    }
    *ret = (struct str){p, n};
    return true;
}
