/* Growing buffers: room, numbers, formats, and the two escapings every page and query needs. See buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAP_FIRST = 256 };

void buf_init(struct buf *b, struct arena *arena_or_null, size_t max)
{
    *b = (struct buf){.max = max, .arena = arena_or_null};
}

void buf_free(struct buf *b)
{
    if (!b->arena && b->p) {
        explicit_bzero(b->p, b->n);
        free(b->p);
    }
    *b = (struct buf){.max = b->max, .arena = b->arena};
}

static size_t next_cap(const struct buf *b, size_t needed)
{
    size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
    if (cap < CAP_FIRST)
        cap = CAP_FIRST < b->max ? CAP_FIRST : b->max;
    return cap > needed ? cap : needed;
}

bool buf_reserve(struct buf *b, size_t n)
{
    if (b->failed || n > b->max - b->n) {
        b->failed = true;
        return false;
    }
    if (n <= b->cap - b->n)
        return true;
    size_t cap = next_cap(b, b->n + n);
    if (b->arena && b->p && arena_extend(b->arena, b->p, b->cap, cap)) {
        b->cap = cap;
        return true;
    }
    char *p = b->arena ? arena_alloc(b->arena, cap) : malloc(cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    if (b->n)
        memcpy(p, b->p, b->n);
    if (!b->arena && b->p) { /* realloc would leave the old bytes lying about */
        explicit_bzero(b->p, b->n);
        free(b->p);
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_int(struct buf *b, int64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (v < 0)
        digits[--at] = '-';
    buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vfmt(b, fmt, args);
    va_end(args);
}

void buf_vfmt(struct buf *b, const char *fmt, va_list args)
{
    if (b->failed)
        return;
    va_list again;
    va_copy(again, args);
    size_t room = b->cap - b->n;
    int n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, args);
    if (n < 0)
        b->failed = true;
    else if ((size_t)n < room)
        b->n += (size_t)n;
    else { /* printf wants a byte more than it says, for its NUL; a heap copy keeps the maximum exact */
        char *p = malloc((size_t)n + 1);
        if (p) {
            vsnprintf(p, (size_t)n + 1, fmt, again);
            buf_add(b, p, (size_t)n);
            explicit_bzero(p, (size_t)n);
            free(p);
        } else {
            b->failed = true;
        }
    }
    va_end(again);
}

void buf_html(struct buf *b, struct str s)
{
    static const char *const entity[128] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
    };
    size_t start = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 128 || !entity[c])
            continue;
        buf_add(b, s.p + start, i - start);
        buf_z(b, entity[c]);
        start = i + 1;
    }
    if (s.n > start)
        buf_add(b, s.p + start, s.n - start);
}

static bool is_unreserved(char c) /* RFC 3986 section 2.3 */
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void buf_url(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved(s.p[i]))
            buf_char(b, s.p[i]);
        else
            buf_add(b, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
    }
}
