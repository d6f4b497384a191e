/* Memory for one request (or one loaded object): many small allocations, one end.
 * Has a byte ceiling, so that no input can make it grow without bound. What was used is zeroed when the arena
 * is reset or freed, because request memory holds passwords and tokens. Not thread-safe: one owner at a time. */
#pragma once
#include "base/str.h"

struct arena;

/* Up to max bytes in total. NULL only if memory is out. */
struct arena *arena_new(size_t max);
void arena_free(struct arena **a);
/* Zeroes what was used and keeps one block (it grows to 16 KiB), so that a reused arena calls malloc no more. */
void arena_reset(struct arena *a);
size_t arena_used(const struct arena *a);

/* Zeroed, aligned for any type; NULL past the ceiling. */
void *arena_alloc(struct arena *a, size_t n);
/* Makes the newest allocation longer where it lies; false if it is not the newest or there is no room. */
bool arena_extend(struct arena *a, void *p, size_t n, size_t new_n);
/* fn(ctx) is called when the arena is reset or freed, newest first: for what the arena points to but cannot hold.
 * False past the ceiling, and then fn is never called. */
bool arena_defer(struct arena *a, void (*fn)(void *ctx), void *ctx);
/* A copy with a NUL behind it (not counted in n); a zero str stays zero. p is NULL past the ceiling. */
struct str arena_str(struct arena *a, struct str s);
struct str arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same bytes as a C string; NULL past the ceiling or if s holds a NUL. */
const char *arena_cstr(struct arena *a, struct str s);

#define arena_new_of(a, type)       ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc((a), sizeof(type) * (size_t)(count)))
