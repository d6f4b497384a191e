/* A growing buffer with a maximum. Failure is sticky: add freely, ask buf_ok() once at the end.
 * Lives in an arena (which owns the bytes) or, with arena NULL, on the heap (buf_free). */
#pragma once
#include "base/arena.h"
#include <stdarg.h>

struct buf {
    char *p;
    size_t n, cap, max;
    struct arena *arena;
    bool failed;
};

void buf_init(struct buf *b, struct arena *arena_or_null, size_t max);
void buf_free(struct buf *b); /* zeroes; only needed for heap buffers */
static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}
static inline struct str buf_view(const struct buf *b)
{
    return (struct str){b->p ? b->p : "", b->n};
}
/* Room for n more bytes at b->p + b->n, not yet counted; false (and failed) if there is none. */
bool buf_reserve(struct buf *b, size_t n);

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || (n > b->cap - b->n && !buf_reserve(b, n)))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}
static inline void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}
static inline void buf_z(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}
static inline void buf_char(struct buf *b, char c)
{
    if (b->n < b->cap || buf_reserve(b, 1))
        b->p[b->n++] = c;
}
void buf_int(struct buf *b, int64_t v);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));
void buf_html(struct buf *b, struct str s); /* escaped for HTML text and quoted attributes */
void buf_url(struct buf *b, struct str s);  /* percent-encoded, application/x-www-form-urlencoded safe */
