/* The scanner: one pass, no tree. It accepts exactly the objects json_load accepts (fuzz/fuzz_json.c holds it
 * to that) and allocates only for strings with escapes and for objects with many members. See json.h. */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>

#include "base/limits.h"

enum { KEYS_ON_STACK = 64, REAL_MAX = 512 };

struct scan {
    struct arena *arena;
    const char *at, *end;
    unsigned depth;
    struct str *keys; /* of all open objects, the innermost last */
    size_t keys_n, keys_cap;
    struct str keys_first[KEYS_ON_STACK];
};

struct value {
    enum json_type type;
    struct str raw;
    bool escaped; /* strings: a backslash is in it */
    int64_t num;
};

static err_t scan_value(struct scan *s, struct value *ret);

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

static bool take(struct scan *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* --- strings --- */

/* Eight bytes at a step: true if none of them is a control, a quote, a backslash or above ASCII. */
static bool eight_plain(const char *p)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t v;
    memcpy(&v, p, 8);
    uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\';
    return ((v | (v - ones * 0x20) | (quote - ones) | (slash - ones)) & tops) == 0;
}

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i], l = (char)(c | 0x20);
        int digit = c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

/* The character that the escape at p (after its backslash) stands for and the bytes it takes; 0 if it is
 * wrong or NUL. */
static uint32_t escape_at(const char *p, const char *end, size_t *ret_n)
{
    static const char simple[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                     ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    *ret_n = 1;
    if (p == end)
        return 0;
    if (*p != 'u')
        return (unsigned char)*p < 128 ? (uint32_t)simple[(unsigned char)*p] : 0;
    int high = end - p >= 5 ? hex4(p + 1) : -1;
    *ret_n = 5;
    if (high < 0 || (high & 0xFC00) == 0xDC00)
        return 0;
    if ((high & 0xFC00) != 0xD800)
        return (uint32_t)high;
    int low = end - p >= 11 && p[5] == '\\' && p[6] == 'u' ? hex4(p + 7) : -1;
    *ret_n = 11;
    if (low < 0 || (low & 0xFC00) != 0xDC00)
        return 0;
    return 0x10000 + ((uint32_t)(high & 0x3FF) << 10 | (uint32_t)(low & 0x3FF));
}

/* s->at stands behind the opening quote. */
static err_t scan_string(struct scan *s, struct value *ret)
{
    const char *start = s->at - 1;
    *ret = (struct value){.type = JSON_T_STRING};
    for (;;) {
        while (s->end - s->at >= 8 && eight_plain(s->at))
            s->at += 8;
        if (s->at == s->end)
            return ERR_JSON;
        unsigned char c = (unsigned char)*s->at;
        size_t n = 1;
        if (c == '"')
            break;
        if (c == '\\') {
            ret->escaped = true;
            s->at++;
            if (escape_at(s->at, s->end, &n) == 0)
                return ERR_JSON;
        } else if (c >= 0x80) {
            n = str_utf8_len((struct str){s->at, (size_t)(s->end - s->at)});
        } else if (c < 0x20) {
            return ERR_JSON;
        }
        if (n == 0)
            return ERR_JSON;
        s->at += n;
    }
    s->at++;
    ret->raw = (struct str){start, (size_t)(s->at - start)};
    return ERR_OK;
}

static size_t put_utf8(char *p, uint32_t c)
{
    if (c < 0x80) {
        p[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        p[i] = (char)(0x80 | (c & 0x3F));
    p[0] = (char)(0xF00 >> n | c);
    return n;
}

/* The bytes of a string already checked. Never longer than its text. */
static err_t string_text(struct scan *s, const struct value *v, struct str *ret)
{
    struct str in = {v->raw.p + 1, v->raw.n - 2};
    if (!v->escaped) {
        *ret = in;
        return ERR_OK;
    }
    char *p = arena_alloc(s->arena, in.n + 1);
    if (!p)
        return ERR_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < in.n;) {
        if (in.p[i] != '\\') {
            p[n++] = in.p[i++];
            continue;
        }
        size_t taken;
        n += put_utf8(p + n, escape_at(in.p + i + 1, in.p + in.n, &taken));
        i += 1 + taken;
    }
    *ret = (struct str){p, n};
    return ERR_OK;
}

/* --- numbers and words --- */

static size_t skip_digits(struct scan *s)
{
    const char *start = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return (size_t)(s->at - start);
}

/* jansson, too, refuses what a double cannot hold, and takes what is too small for one as 0. */
static bool real_is_finite(struct scan *s, struct str raw)
{
    char small[REAL_MAX];
    char *z = raw.n < sizeof(small) ? small : arena_alloc(s->arena, raw.n + 1);
    if (!z)
        return false;
    memcpy(z, raw.p, raw.n);
    z[raw.n] = 0;
    return isfinite(strtod(z, NULL));
}

static err_t scan_number(struct scan *s, struct value *ret)
{
    const char *start = s->at;
    if (*s->at == '-')
        s->at++;
    const char *first = s->at;
    size_t digits = skip_digits(s);
    if (digits == 0 || (digits > 1 && *first == '0'))
        return ERR_JSON;
    bool real = false;
    if (s->at < s->end && *s->at == '.') {
        real = true;
        s->at++;
        if (skip_digits(s) == 0)
            return ERR_JSON;
    }
    if (s->at < s->end && (*s->at | 0x20) == 'e') {
        real = true;
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        if (skip_digits(s) == 0)
            return ERR_JSON;
    }
    *ret = (struct value){.type = real ? JSON_T_REAL : JSON_T_INT, .raw = {start, (size_t)(s->at - start)}};
    bool fits = real ? real_is_finite(s, ret->raw) : str_to_int(ret->raw, &ret->num);
    return fits ? ERR_OK : ERR_JSON;
}

static err_t scan_word(struct scan *s, struct value *ret)
{
    static const struct {
        struct str text;
        enum json_type type;
    } words[] = {{{"true", 4}, JSON_T_TRUE}, {{"false", 5}, JSON_T_FALSE}, {{"null", 4}, JSON_T_NULL}};
    struct str rest = {s->at, (size_t)(s->end - s->at)};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!str_starts(rest, words[i].text))
            continue;
        *ret = (struct value){.type = words[i].type, .raw = {s->at, words[i].text.n}};
        s->at += words[i].text.n;
        return ERR_OK;
    }
    return ERR_JSON;
}

/* --- members --- */

static err_t key_push(struct scan *s, struct str key)
{
    if (s->keys_n == s->keys_cap) {
        struct str *more = arena_array(s->arena, struct str, s->keys_cap * 2);
        if (!more)
            return ERR_MEMORY;
        memcpy(more, s->keys, s->keys_n * sizeof(*more));
        s->keys = more;
        s->keys_cap *= 2;
    }
    s->keys[s->keys_n++] = key;
    return ERR_OK;
}

static int compare_keys(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return memcmp(x->p, y->p, x->n);
}

/* Many keys are sorted: whoever chooses them cannot make that quadratic. */
static bool any_twice(struct str *keys, size_t n)
{
    enum { FEW = 12 };
    if (n > FEW) {
        qsort(keys, n, sizeof(*keys), compare_keys);
        for (size_t i = 1; i < n; i++)
            if (compare_keys(&keys[i - 1], &keys[i]) == 0)
                return true;
        return false;
    }
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(keys[i], keys[k]))
                return true;
    return false;
}

/* "key": up to the value's first byte. */
static err_t scan_key(struct scan *s, struct str *ret)
{
    struct value key;
    if (!take(s, '"'))
        return ERR_JSON;
    TRY(scan_string(s, &key));
    TRY(string_text(s, &key, ret));
    return take(s, ':') ? key_push(s, *ret) : ERR_JSON;
}

typedef err_t (*member_fn)(void *ctx, const struct json_member *m);

static err_t hand_over(struct scan *s, struct str key, const struct value *v, member_fn fn, void *ctx)
{
    struct json_member m = {.key = key, .type = v->type, .raw = v->raw, .num = v->num};
    if (v->type == JSON_T_STRING)
        TRY(string_text(s, v, &m.text));
    return fn(ctx, &m);
}

/* s->at stands behind '{'. fn may be NULL. */
static err_t scan_object(struct scan *s, member_fn fn, void *ctx)
{
    size_t mine = s->keys_n;
    if (take(s, '}'))
        return ERR_OK;
    do {
        struct str key;
        struct value v;
        TRY(scan_key(s, &key));
        TRY(scan_value(s, &v));
        if (fn)
            TRY(hand_over(s, key, &v, fn, ctx));
    } while (take(s, ','));
    if (!take(s, '}') || any_twice(s->keys + mine, s->keys_n - mine))
        return ERR_JSON;
    s->keys_n = mine;
    return ERR_OK;
}

static err_t scan_array(struct scan *s)
{
    struct value v;
    if (take(s, ']'))
        return ERR_OK;
    do {
        TRY(scan_value(s, &v));
    } while (take(s, ','));
    return take(s, ']') ? ERR_OK : ERR_JSON;
}

static err_t scan_container(struct scan *s, struct value *ret)
{
    const char *start = s->at++;
    if (++s->depth > LIMIT_JSON_DEPTH)
        return ERR_JSON;
    TRY(*start == '{' ? scan_object(s, NULL, NULL) : scan_array(s));
    s->depth--;
    *ret = (struct value){.type = *start == '{' ? JSON_T_OBJECT : JSON_T_ARRAY,
                          .raw = {start, (size_t)(s->at - start)}};
    return ERR_OK;
}

static err_t scan_value(struct scan *s, struct value *ret)
{
    skip_space(s);
    if (s->at == s->end)
        return ERR_JSON;
    char c = *s->at;
    if (c == '"') {
        s->at++;
        return scan_string(s, ret);
    }
    if (c == '{' || c == '[')
        return scan_container(s, ret);
    return c == '-' || (c >= '0' && c <= '9') ? scan_number(s, ret) : scan_word(s, ret);
}

err_t json_scan(struct arena *a, struct str text, member_fn fn, void *ctx)
{
    struct scan s; /* not zeroed: its first keys are a kilobyte */
    if (text.n == 0)
        return ERR_JSON;
    s.arena = a;
    s.at = text.p;
    s.end = text.p + text.n;
    s.depth = 1;
    s.keys = s.keys_first;
    s.keys_n = 0;
    s.keys_cap = KEYS_ON_STACK;
    if (!take(&s, '{'))
        return ERR_JSON;
    TRY(scan_object(&s, fn, ctx));
    skip_space(&s);
    return s.at == s.end ? ERR_OK : ERR_JSON;
}
