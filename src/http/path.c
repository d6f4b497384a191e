/* The request target: its parts, and its path made plain. What different programs read differently is
 * refused. */
#include "base/limits.h"
#include "http/router.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of the path; *at moves behind it. -1 for what is refused. */
static int decode_byte(struct str raw, size_t *at)
{
    unsigned char c = (unsigned char)raw.p[(*at)++];
    bool escaped = c == '%';

    if (escaped) {
        int high, low;
        if (raw.n - *at < 2 || (high = hex(raw.p[*at])) < 0 || (low = hex(raw.p[*at + 1])) < 0)
            return -1;
        c = (unsigned char)(high << 4 | low);
        *at += 2;
    }
    if (c < 0x20 || c == 0x7f || c == '\\' || (escaped && c == '/') || (!escaped && (c == ' ' || c >= 0x80)))
        return -1;
    return c;
}

static bool segments_plain(struct str path)
{
    size_t start = 1, count = 0;

    for (size_t i = 1; i <= path.n; i++) {
        struct str s = {path.p + start, i - start};
        if (i < path.n && path.p[i] != '/')
            continue;
        if (++count > LIMIT_PATH_SEGMENTS || (s.n == 0 && i < path.n) || str_is(s, ".") || str_is(s, ".."))
            return false;
        start = i + 1;
    }
    return true;
}

bool path_decode(struct str raw, char *ret, struct str *ret_path)
{
    struct str path = {ret, 0};
    bool ascii = true;

    if (raw.n == 0 || raw.p[0] != '/')
        return false;
    for (size_t at = 0; at < raw.n;) {
        int c = decode_byte(raw, &at);
        if (c < 0)
            return false;
        ascii = ascii && c < 0x80;
        ret[path.n++] = (char)c;
    }
    ret[path.n] = 0;
    if (!segments_plain(path) || (!ascii && !str_is_utf8(path)))
        return false;
    *ret_path = path;
    return true;
}

static bool cut_scheme(struct str *s)
{
    static const struct str schemes[] = {{"http://", 7}, {"https://", 8}};
    for (size_t i = 0; i < 2; i++)
        if (s->n > schemes[i].n && str_eq_nocase((struct str){s->p, schemes[i].n}, schemes[i])) {
            s->p += schemes[i].n;
            s->n -= schemes[i].n;
            return true;
        }
    return false;
}

bool target_split(struct str target, struct str *ret_path, struct str *ret_query, struct str *ret_authority)
{
    size_t question;

    *ret_authority = STR_NONE;
    if (cut_scheme(&target)) { /* absolute form, RFC 9112 section 3.2.2 */
        size_t end = str_find(target, '/');
        size_t q = str_find(target, '?');
        *ret_authority = (struct str){target.p, end < q ? end : q};
        target.p += ret_authority->n;
        target.n -= ret_authority->n;
        if (target.n == 0 || target.p[0] == '?') {
            *ret_path = STR("/");
            *ret_query = target.n ? (struct str){target.p + 1, target.n - 1} : STR_NONE;
            return true;
        }
    }
    question = str_find(target, '?');
    *ret_path = (struct str){target.p, question};
    *ret_query =
        question < target.n ? (struct str){target.p + question + 1, target.n - question - 1} : STR_NONE;
    return target.n > 0 && target.p[0] == '/';
}
