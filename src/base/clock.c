/* The system's clocks, and times as text. See clock.h. */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t wall_ms(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_REALTIME);
}

static int64_t steady_ms(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_MONOTONIC);
}

const struct clock clock_system = {wall_ms, steady_ms, NULL};

/* Both formats have room for four digits of the year. */
static struct tm split(int64_t t_s)
{
    const int64_t year_9999_end = 253402300799;
    time_t t = t_s < 0 ? 0 : t_s > year_9999_end ? year_9999_end : t_s;
    struct tm tm;
    gmtime_r(&t, &tm);
    return tm;
}

void time_rfc3339(int64_t t_s, char *ret)
{
    struct tm tm = split(t_s);
    strftime(ret, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The program never sets a locale, so the names are English. */
void time_http_date(int64_t t_s, char *ret)
{
    struct tm tm = split(t_s);
    strftime(ret, 30, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}
