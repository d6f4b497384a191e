/* The log: one line built in a stack buffer, tokens masked, one write(2). See log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/clock.h"
#include "base/limits.h"

struct log {
    int fd;
    enum log_format format;
    _Atomic int least;
};

struct log *log_new(int fd, enum log_level least, enum log_format format)
{
    struct log *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->fd = fd;
    l->least = (int)least;
    l->format = format != LOG_AUTO ? format : isatty(fd) ? LOG_TEXT : LOG_JSON;
    return l;
}

void log_free(struct log **l)
{
    free(*l);
    *l = NULL;
}

void log_set_level(struct log *l, enum log_level least)
{
    l->least = (int)least;
}

bool log_wants(const struct log *l, enum log_level level)
{
    return l && (int)level >= l->least;
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_b64url_char(char c)
{
    return is_token_char(c) || c == '-' || c == '_';
}

static size_t run_of(struct str s, size_t from, bool (*fits)(char))
{
    size_t i = from;
    while (i < s.n && fits(s.p[i]))
        i++;
    return i - from;
}

/* "mer", one to four kind letters, "_", at least eight digits: the length of all but the digits, else 0. */
static size_t opaque_head(struct str s)
{
    size_t i = 3;
    if (!str_starts(s, STR("mer")))
        return 0;
    while (i < s.n && i < 7 && s.p[i] >= 'a' && s.p[i] <= 'z')
        i++;
    return i > 3 && i < s.n && s.p[i] == '_' && run_of(s, i + 1, is_token_char) >= 8 ? i + 1 : 0;
}

/* What stands at the head of s that must not be seen: its length, and in *keep how much of that may. */
static size_t secret_at(struct str s, size_t *keep)
{
    *keep = opaque_head(s);
    if (*keep)
        return *keep + run_of(s, *keep, is_token_char);
    if (!str_starts(s, STR("eyJ"))) /* a JOSE header: {"... */
        return 0;
    *keep = 3;
    size_t n = run_of(s, 0, is_b64url_char), parts = 1;
    while (n < s.n && s.p[n] == '.' && parts < 5) {
        n += 1 + run_of(s, n + 1, is_b64url_char);
        parts++;
    }
    return n >= 16 ? n : 0;
}

/* In place: a mask is never longer than what it hides. */
static size_t mask(char *p, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n;) {
        size_t keep = 0, hidden = 0;
        if (p[i] == 'm' || p[i] == 'e')
            hidden = secret_at((struct str){p + i, n - i}, &keep);
        if (hidden == 0) {
            p[out++] = p[i++];
            continue;
        }
        memmove(p + out, p + i, keep);
        memcpy(p + out + keep, "***", 3);
        out += keep + 3;
        i += hidden;
    }
    return out;
}

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* Each part is at most the rest of the stack buffer; a line that would be too long loses its tail, not its
 * form. */
struct line {
    char time[25], text[LIMIT_LOG_TEXT];
    size_t text_n;
    const char *level, *event;
    struct str request_id;
};

static void put_json(struct buf *b, const struct line *l)
{
    struct jw w;
    jw_init(&w, b);
    jw_open(&w, '{');
    jw_m_str(&w, "time", str_z(l->time));
    jw_m_str(&w, "level", str_z(l->level));
    jw_m_str(&w, "event", str_z(l->event));
    jw_m_str(&w, "request_id", l->request_id);
    jw_m_str(&w, "message", (struct str){l->text, l->text_n});
    jw_close(&w, '}');
}

static void put_text(struct buf *b, const struct line *l)
{
    buf_fmt(b, "%.8s %-5s %s", l->time + 11, l->level, l->event);
    if (l->text_n > 0)
        buf_z(b, "  ");
    for (size_t i = 0; i < l->text_n; i++) /* nothing from outside may move the terminal's cursor */
        buf_char(b, (unsigned char)l->text[i] < 0x20 || l->text[i] == 0x7F ? ' ' : l->text[i]);
    if (l->request_id.n > 0)
        buf_fmt(b, "  [%.*s]", STR_ARG(l->request_id));
}

static void write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* there is nobody left to tell */
        p += done;
        n -= (size_t)done;
    }
}

static void stamp(char ret[25])
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    time_rfc3339(t.tv_sec, ret);
    long ms = t.tv_nsec / 1000000;
    memcpy(ret + 19,
           (char[]){'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z', 0},
           6);
}

void log_write(struct log *l, enum log_level level, struct str request_id, const char *event, const char *fmt,
               ...)
{
    if (!log_wants(l, level))
        return;
    struct line line = {.level = level_names[level], .event = event, .request_id = request_id};
    if (line.request_id.n > 64)
        line.request_id.n = 64;
    stamp(line.time);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line.text, sizeof(line.text), fmt, args);
    va_end(args);
    line.text_n = n < 0 ? 0 : (size_t)n < sizeof(line.text) ? (size_t)n : sizeof(line.text) - 1;
    line.text_n = mask(line.text, line.text_n);

    char space[LIMIT_LOG_TEXT * 6 + 1024]; /* each byte may become \u00XX */
    struct buf b = {.p = space, .cap = sizeof(space), .max = sizeof(space)};
    if (l->format == LOG_JSON)
        put_json(&b, &line);
    else
        put_text(&b, &line);
    buf_char(&b, '\n');
    if (buf_ok(&b))
        write_all(l->fd, b.p, b.n);
    explicit_bzero(line.text, sizeof(line.text));
}
