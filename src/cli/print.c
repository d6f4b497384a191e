/* What commands print: faults, times, tables, members. */
#include "cli/cli.h"
#include <ctype.h>
#include <stdarg.h>

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

struct str cli_ago(struct cli_call *c, int64_t t_s)
{
    static const struct {
        int64_t s;
        const char *name;
    } units[] = {{86400 * 2, "d"}, {3600 * 2, "h"}, {60 * 2, "min"}, {0, "s"}};
    int64_t d = t_s - clock_wall_s(c->op ? c->op->core->clock : &clock_system), n = d < 0 ? -d : d;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (n < units[i].s)
            continue;
        int64_t v = n / (units[i].s ? units[i].s / 2 : 1);
        return d < 0 ? arena_fmt(c->arena, "%lld %s ago", (long long)v, units[i].name)
                     : arena_fmt(c->arena, "in %lld %s", (long long)v, units[i].name);
    }
    return STR("now");
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

void cli_print_members(struct buf *out, const json_t *object)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)object, key, v)
    {
        buf_fmt(out, "%s: ", key);
        put_value(out, v);
        buf_char(out, '\n');
    }
}
