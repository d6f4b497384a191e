/* The streaming JSON writer. See json.h. */
#include "base/json.h"

void jw_init(struct jw *w, struct buf *b)
{
    *w = (struct jw){.b = b};
}

static uint64_t bit(const struct jw *w)
{
    return (uint64_t)1 << w->depth;
}

/* Each value and each key starts here. */
static void comma(struct jw *w)
{
    if (w->comma & bit(w))
        buf_char(w->b, ',');
    w->comma |= bit(w);
}

void jw_open(struct jw *w, char bracket)
{
    comma(w);
    buf_char(w->b, bracket);
    if (w->depth == 63) { /* our own mistake, never the outside's: nothing nests so deep */
        w->b->failed = true;
        return;
    }
    w->depth++;
    w->comma &= ~bit(w);
}

void jw_close(struct jw *w, char bracket)
{
    buf_char(w->b, bracket);
    if (w->depth == 0) {
        w->b->failed = true;
        return;
    }
    w->depth--;
}

/* Bytes from i on that stand in JSON as they are. */
static size_t plain_run(struct str s, size_t i)
{
    size_t start = i;
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7F)
            break;
        i++;
    }
    return i - start;
}

/* One character that does not. Returns its bytes. What is not UTF-8 becomes U+FFFD: our answers are always
 * JSON. */
static size_t put_special(struct buf *b, struct str s)
{
    static const char short_escape[0x60] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'};
    static const char hex[] = "0123456789abcdef";
    unsigned char c = (unsigned char)s.p[0];
    size_t n = str_utf8_len(s);
    if (n == 0 && c != 0)
        buf_add(b, "\\ufffd", 6);
    else if (c < sizeof(short_escape) && short_escape[c])
        buf_add(b, (char[]){'\\', short_escape[c]}, 2);
    else if (c < 0x20 || c == 0x7F)
        buf_add(b, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    else
        buf_add(b, s.p, n);
    return n ? n : 1;
}

static void put_string(struct buf *b, struct str s)
{
    buf_char(b, '"');
    for (size_t i = 0; i < s.n;) {
        size_t n = plain_run(s, i);
        buf_add(b, s.p + i, n);
        i += n;
        if (i < s.n)
            i += put_special(b, (struct str){s.p + i, s.n - i});
    }
    buf_char(b, '"');
}

void jw_key_str(struct jw *w, struct str name)
{
    comma(w);
    put_string(w->b, name);
    buf_char(w->b, ':');
    w->comma &= ~bit(w); /* the value that follows puts no comma and sets this again */
}

void jw_key(struct jw *w, const char *name)
{
    jw_key_str(w, str_z(name));
}

void jw_str(struct jw *w, struct str s)
{
    comma(w);
    put_string(w->b, s);
}

void jw_int(struct jw *w, int64_t v)
{
    comma(w);
    buf_int(w->b, v);
}

void jw_bool(struct jw *w, bool v)
{
    jw_raw(w, v ? STR("true") : STR("false"));
}

void jw_raw(struct jw *w, struct str json)
{
    comma(w);
    buf_str(w->b, json);
}

static int dump_to_buf(const char *p, size_t n, void *ctx)
{
    struct buf *b = ctx;
    buf_add(b, p, n);
    return buf_ok(b) ? 0 : -1;
}

void jw_json(struct jw *w, const json_t *v)
{
    comma(w);
    if (json_dump_callback(v, dump_to_buf, w->b, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        w->b->failed = true;
}

void jw_m_str(struct jw *w, const char *name, struct str s)
{
    if (!s.p)
        return;
    jw_key(w, name);
    jw_str(w, s);
}

void jw_m_int(struct jw *w, const char *name, int64_t v)
{
    jw_key(w, name);
    jw_int(w, v);
}

void jw_m_bool(struct jw *w, const char *name, bool v)
{
    jw_key(w, name);
    jw_bool(w, v);
}

void jw_m_raw(struct jw *w, const char *name, struct str json)
{
    if (!json.p)
        return;
    jw_key(w, name);
    jw_raw(w, json);
}

void jw_m_strs(struct jw *w, const char *name, struct strs list)
{
    jw_key(w, name);
    jw_open(w, '[');
    for (size_t i = 0; i < list.n; i++)
        jw_str(w, list.v[i]);
    jw_close(w, ']');
}
