/* Arenas: blocks that grow from 1 KiB (a loaded object needs no more) to 16 KiB (what a request likes to
 * have). Bytes beyond what was handed out are always zero, so that an allocation costs an addition. Under
 * AddressSanitizer each allocation is a block of its own, so that a step over its end is seen. */
#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ONE_BLOCK_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_BLOCK_EACH 1
#endif
#endif
#ifndef ONE_BLOCK_EACH
#define ONE_BLOCK_EACH 0
#endif

enum { BLOCK_FIRST = 1024, BLOCK_MOST = 16 * 1024, ALIGN = _Alignof(max_align_t) };

struct block {
    struct block *older;
    size_t size, used; /* of data */
    _Alignas(max_align_t) char data[];
};

struct deferred {
    struct deferred *older;
    void (*fn)(void *ctx);
    void *ctx;
};

struct arena {
    struct block *newest;
    struct deferred *deferred;
    size_t used, max;
};

struct arena *arena_new(size_t max)
{
    struct arena *a = calloc(1, sizeof(*a));
    if (a)
        a->max = max;
    return a;
}

static void block_free(struct block *b)
{
    explicit_bzero(b->data, b->used);
    free(b);
}

static void run_deferred(struct arena *a)
{
    while (a->deferred) {
        struct deferred *d = a->deferred;
        a->deferred = d->older;
        d->fn(d->ctx);
    }
}

/* Blocks that one big allocation asked for are not kept. */
static bool worth_keeping(const struct block *b, const struct block *kept)
{
    return !ONE_BLOCK_EACH && b->size <= BLOCK_MOST && (!kept || b->size > kept->size);
}

void arena_reset(struct arena *a)
{
    run_deferred(a);
    struct block *kept = NULL;
    for (struct block *b = a->newest, *older; b; b = older) {
        older = b->older;
        if (!worth_keeping(b, kept)) {
            block_free(b);
            continue;
        }
        if (kept)
            block_free(kept);
        kept = b;
    }
    if (kept) {
        explicit_bzero(kept->data, kept->used);
        kept->used = 0;
        kept->older = NULL;
    }
    a->newest = kept;
    a->used = 0;
}

void arena_free(struct arena **a)
{
    if (!*a)
        return;
    run_deferred(*a);
    for (struct block *b = (*a)->newest, *older; b; b = older) {
        older = b->older;
        block_free(b);
    }
    free(*a);
    *a = NULL;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}

static size_t block_size(const struct arena *a, size_t n)
{
    if (ONE_BLOCK_EACH)
        return n;
    size_t size = a->newest ? a->newest->size * 2 : BLOCK_FIRST;
    if (size > BLOCK_MOST)
        size = BLOCK_MOST;
    return n > size ? n : size;
}

static bool add_block(struct arena *a, size_t n)
{
    size_t size = block_size(a, n);
    struct block *b = calloc(1, sizeof(*b) + size);
    if (!b)
        return false;
    b->size = size;
    b->older = a->newest;
    a->newest = b;
    return true;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > a->max)
        return NULL;
    size_t rounded = (n + (n == 0) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (rounded > a->max - a->used)
        return NULL;
    size_t taken = ONE_BLOCK_EACH ? n : rounded;
    struct block *b = a->newest;
    if (!b || ONE_BLOCK_EACH || b->size - b->used < taken) {
        if (!add_block(a, taken))
            return NULL;
        b = a->newest;
    }
    void *p = b->data + b->used;
    b->used += taken;
    a->used += rounded;
    return p;
}

bool arena_extend(struct arena *a, void *p, size_t n, size_t new_n)
{
    struct block *b = a->newest;
    size_t old = (n + (n == 0) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (ONE_BLOCK_EACH || !b || new_n > a->max || b->used < old || b->data + (b->used - old) != (char *)p)
        return false;
    size_t more = ((new_n + ALIGN - 1) & ~(size_t)(ALIGN - 1)) - old;
    if (new_n < n || more > b->size - b->used || more > a->max - a->used)
        return false;
    b->used += more;
    a->used += more;
    return true;
}

bool arena_defer(struct arena *a, void (*fn)(void *ctx), void *ctx)
{
    struct deferred *d = arena_new_of(a, struct deferred);
    if (!d)
        return false;
    *d = (struct deferred){a->deferred, fn, ctx};
    a->deferred = d;
    return true;
}

struct str arena_str(struct arena *a, struct str s)
{
    if (!s.p || s.n == SIZE_MAX)
        return STR_NONE;
    char *p = arena_alloc(a, s.n + 1);
    if (!p)
        return STR_NONE;
    memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

struct str arena_fmt(struct arena *a, const char *fmt, ...)
{
    char small[256];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(small, sizeof(small), fmt, args);
    va_end(args);
    char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (p && (size_t)n < sizeof(small))
        memcpy(p, small, (size_t)n);
    else if (p)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    explicit_bzero(small, n < 0 ? 0 : (size_t)n < sizeof(small) ? (size_t)n : sizeof(small));
    return p ? (struct str){p, (size_t)n} : STR_NONE;
}

const char *arena_cstr(struct arena *a, struct str s)
{
    if (s.n > 0 && memchr(s.p, 0, s.n))
        return NULL;
    return arena_str(a, s.p ? s : STR("")).p;
}
