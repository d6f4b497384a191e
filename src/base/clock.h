/* Time as the process sees it. Seconds since 1970 (wall) and a clock that never jumps (steady). */
#pragma once
#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(void *ctx);
    int64_t (*steady_ms)(void *ctx);
    void *ctx;
};
extern const struct clock clock_system;

static inline int64_t clock_wall_s(const struct clock *c)
{
    return c->wall_ms(c->ctx) / 1000;
}
/* "2026-11-23T21:22:00Z" into ret (at least 21 bytes). */
void time_rfc3339(int64_t t_s, char *ret);
void time_http_date(int64_t t_s, char *ret); /* at least 30 bytes */
