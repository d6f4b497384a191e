/* Slices: comparing, cutting into words, numbers, UTF-8. See str.h. */
#include "base/str.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool str_eq_secret(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    volatile unsigned char differ = 0; /* volatile: the loop must not end early */
    for (size_t i = 0; i < a.n; i++)
        differ = (unsigned char)(differ | (a.p[i] ^ b.p[i]));
    return differ == 0;
}

size_t str_find(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

bool str_word(struct str *rest, char sep, struct str *ret_word)
{
    size_t start = 0;
    while (start < rest->n && rest->p[start] == sep)
        start++;
    if (start == rest->n)
        return false;
    struct str tail = {rest->p + start, rest->n - start};
    size_t n = str_find(tail, sep);
    *ret_word = (struct str){tail.p, n};
    *rest = (struct str){tail.p + n, tail.n - n};
    return true;
}

bool str_has_word(struct str list, char sep, struct str word)
{
    struct str w;
    while (str_word(&list, sep, &w))
        if (str_eq(w, word))
            return true;
    return false;
}

bool str_to_int(struct str s, int64_t *ret)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    size_t i = negative;
    if (i == s.n)
        return false;
    int64_t v = 0; /* counted downwards, since the range is longer there by one */
    for (; i < s.n; i++) {
        int digit = s.p[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, digit, &v))
            return false;
    }
    if (!negative && v == INT64_MIN)
        return false;
    *ret = negative ? v : -v;
    return true;
}

/* Length of the well-formed sequence at p (Unicode table 3-7), or 0. The first byte is >= 0x80. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char first, last, low, high, length; /* low..high: what the second byte may be */
    } rows[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (p[0] < rows[i].first || p[0] > rows[i].last)
            continue;
        if (n < rows[i].length || p[1] < rows[i].low || p[1] > rows[i].high)
            return 0;
        for (size_t k = 2; k < rows[i].length; k++)
            if ((p[k] & 0xC0) != 0x80)
                return 0;
        return rows[i].length;
    }
    return 0;
}

size_t str_utf8_len(struct str s)
{
    if (s.n == 0 || s.p[0] == 0)
        return 0;
    if ((unsigned char)s.p[0] < 0x80)
        return 1;
    return utf8_sequence((const unsigned char *)s.p, s.n);
}

bool str_is_utf8(struct str s)
{
    size_t i = 0;
    while (i < s.n) {
        size_t n = str_utf8_len((struct str){s.p + i, s.n - i});
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && s.p[0] == ' ')
        s = (struct str){s.p + 1, s.n - 1};
    while (s.n > 0 && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

bool strs_has(struct strs list, struct str s)
{
    for (size_t i = 0; i < list.n; i++)
        if (str_eq(list.v[i], s))
            return true;
    return false;
}
