/* What commands print: faults, times, tables, members. */
#include "cli/cli.h"
#include "base/clock.h"
#include "base/limits.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void cli_fault_text(const struct fault *f, err_t e, struct buf *out)
{
    err_t code = f && f->code != ERR_OK ? f->code : e;
    bool whole = code == ERR_CONFIG && f && f->detail[0];     /* carries file, line and path itself */
    bool store = code >= ERR_STORE && code <= ERR_MASTER_KEY; /* what is wrong, and then where */
    if (f && f->param[0] && !whole)
        buf_fmt(out, "%s: ", f->param);
    if (store && f && f->detail[0])
        buf_fmt(out, "%s: ", err_text(code));
    buf_z(out, f && f->detail[0] ? f->detail : err_text(code));
}

int cli_fail(struct cli_call *c, err_t e)
{
    const struct fault *f = c->op ? &c->op->fault : NULL;
    buf_z(c->err, "mereau: ");
    cli_fault_text(f, e, c->err);
    buf_char(c->err, '\n');
    return 1;
}

int cli_refuse(struct cli_call *c, int status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_z(c->err, "mereau: ");
    buf_vfmt(c->err, fmt, args);
    buf_char(c->err, '\n');
    va_end(args);
    return status;
}

struct str cli_time(struct cli_call *c, int64_t t_s)
{
    char text[32];
    if (t_s <= 0)
        return STR("never");
    time_rfc3339(t_s, text);
    text[10] = ' ';
    return arena_str(c->arena, str_z(text));
}

static void ago_text(int64_t d, char ret[static 32])
{
    static const struct {
        int64_t s;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
    int64_t n = d < 0 ? -d : d;
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof *units && n < 2 * units[i].s)
        i++;
    snprintf(ret, 32, d < 0 ? "%lld %s ago" : "in %lld %s", (long long)(n / units[i].s), units[i].name);
}

struct str cli_ago(struct cli_call *c, int64_t t_s)
{
    char text[32];
    ago_text(t_s - clock_wall_s(c->op ? c->op->core->clock : &clock_system), text);
    return arena_str(c->arena, str_z(text));
}

/* Columns on a terminal: bytes that continue a UTF-8 character take none. */
static size_t width(struct str s)
{
    size_t w = 0;
    for (size_t i = 0; i < s.n; i++)
        w += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return w;
}

/* Control characters from the store do not reach the terminal. */
static void put_text(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_char(out, iscntrl((unsigned char)s.p[i]) ? '?' : s.p[i]);
}

void cli_table(struct buf *out, const struct str *cells, size_t ncols, size_t nrows)
{
    for (size_t r = 0; r < nrows; r++) {
        for (size_t col = 0; col < ncols; col++) {
            struct str cell = cells[r * ncols + col];
            put_text(out, cell);
            if (col + 1 == ncols)
                break;
            size_t wide = 0;
            for (size_t i = 0; i < nrows; i++)
                wide = width(cells[i * ncols + col]) > wide ? width(cells[i * ncols + col]) : wide;
            for (size_t pad = width(cell); pad < wide + 2; pad++)
                buf_char(out, ' ');
        }
        buf_char(out, '\n');
    }
}

const char *cli_path(struct cli_call *c, const char *path)
{
    if (*path == '/' || !c->place || !c->place->cwd)
        return path;
    struct str s = arena_fmt(c->arena, "%s/%s", c->place->cwd, path);
    return s.p ? s.p : path;
}

static void put_value(struct buf *out, const json_t *v)
{
    size_t i;
    json_t *item;
    if (json_is_string(v)) {
        put_text(out, json_str(v));
    } else if (json_is_array(v)) {
        json_array_foreach(v, i, item)
        {
            buf_z(out, i ? ", " : "");
            put_value(out, item);
        }
    } else {
        char *text = json_dumps(v, JSON_ENCODE_ANY);
        buf_z(out, text ? text : "");
        free(text);
    }
}

/* Members that hold a time by their name say it twice: for the calendar and for now. */
static bool is_time(const char *key, const json_t *v)
{
    static const char *const claims[] = {"exp", "iat", "nbf", "auth_time"};
    size_t n = strlen(key);
    bool is = n > 3 && !strcmp(key + n - 3, "_at");
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        is = is || !strcmp(key, claims[i]);
    return is && json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) <= LIMIT_TIME_S;
}

static void put_time(struct buf *out, int64_t t_s)
{
    char text[32], ago[32];
    time_rfc3339(t_s, text);
    ago_text(t_s - clock_wall_s(&clock_system), ago);
    buf_fmt(out, "%s, %s", text, ago);
}

void cli_print_members(struct buf *out, const json_t *object)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)object, key, v)
    {
        if (json_is_string(v) && json_string_length(v) == 0)
            continue;
        buf_fmt(out, "%s: ", key);
        if (is_time(key, v))
            put_time(out, json_integer_value(v));
        else
            put_value(out, v);
        buf_char(out, '\n');
    }
}
