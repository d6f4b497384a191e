/* Redirect URIs: what may be registered, and whether the one sent is the one registered. Comparing is by
 * bytes (RFC 9700 section 2.1); the one exception is the port of a loopback address (RFC 8252 section 7.3).
 */
#include "oauth/parts.h"

static const struct str loopback_http[] = {{"http://127.0.0.1", 16}, {"http://[::1]", 12}};
#define NLOOPBACK (sizeof(loopback_http) / sizeof(loopback_http[0]))

static struct str cut(struct str s, size_t n)
{
    return (struct str){s.p + n, s.n - n};
}

static struct str head(struct str s, size_t n)
{
    return (struct str){s.p, n};
}

/* Characters of RFC 3986 alone: no space, control, quote, backslash, bracket beyond a host's, nothing outside
 * ASCII. '*' is a wildcard in other servers: refused so that nobody believes it is one here (A04). */
static bool chars_ok(struct str uri)
{
    for (size_t i = 0; i < uri.n; i++) {
        unsigned char c = (unsigned char)uri.p[i];
        if (c <= 0x20 || c >= 0x7f || memchr("\"<>\\^`{|}*", c, 10))
            return false;
    }
    return uri.n > 0;
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Length of the scheme, without ':'; 0 if there is none. */
static size_t scheme_length(struct str uri)
{
    size_t n = 0;
    while (n < uri.n && (is_alpha(uri.p[n]) || (n > 0 && (is_digit(uri.p[n]) || memchr("+-.", uri.p[n], 3)))))
        n++;
    return n < uri.n && uri.p[n] == ':' ? n : 0;
}

/* "." or ".." as a segment, escaped or not: it would mean another path than it says. */
static bool has_dot_segment(struct str path)
{
    struct str rest = head(path, str_find(path, '?'));
    while (rest.n > 0) {
        size_t n = str_find(rest, '/'), dots = 0, i = 0;
        while (i < n) {
            bool escaped =
                i + 2 < n && rest.p[i] == '%' && rest.p[i + 1] == '2' && (rest.p[i + 2] | 0x20) == 'e';
            if (!escaped && rest.p[i] != '.')
                break;
            i += escaped ? 3 : 1;
            dots++;
        }
        if (i == n && (dots == 1 || dots == 2))
            return true;
        rest = cut(rest, n < rest.n ? n + 1 : n);
    }
    return false;
}

struct web_uri {
    struct str host, port, rest;
};

static bool host_ok(struct str host)
{
    if (host.n > 2 && host.p[0] == '[')
        return host.p[host.n - 1] == ']';
    for (size_t i = 0; i < host.n; i++)
        if (!is_alpha(host.p[i]) && !is_digit(host.p[i]) && !memchr("-._", host.p[i], 3))
            return false;
    return host.n > 0;
}

static bool port_ok(struct str port)
{
    int64_t v;
    return port.n > 0 && port.n <= 5 && is_digit(port.p[0]) && str_to_int(port, &v) && v > 0 && v <= 65535;
}

/* What stands after "scheme://". */
static bool web_split(struct str s, struct web_uri *ret)
{
    size_t end = 0, host_end;
    while (end < s.n && s.p[end] != '/' && s.p[end] != '?')
        end++;
    struct str authority = head(s, end);
    size_t from = authority.n && authority.p[0] == '[' ? str_find(authority, ']') : 0;
    if (str_find(authority, '@') < authority.n || from >= (authority.n ? authority.n : 1))
        return false;
    host_end = from + str_find(cut(authority, from), ':');
    ret->host = head(authority, host_end);
    ret->port = host_end < authority.n ? cut(authority, host_end + 1) : STR_NONE;
    ret->rest = cut(s, end);
    return host_ok(ret->host) && (!ret->port.p || port_ok(ret->port));
}

static bool host_is_loopback(struct str host)
{
    return str_is(host, "127.0.0.1") || str_is(host, "[::1]") || str_is(host, "localhost");
}

static const char *web_fault(struct str after_scheme, bool https)
{
    struct web_uri u;
    if (!str_starts(after_scheme, STR("//")) || !web_split(cut(after_scheme, 2), &u))
        return "has no plain host (user names, odd characters and ports out of range are refused)";
    if (!https && !host_is_loopback(u.host))
        return "uses http; only https is allowed, or http to 127.0.0.1, [::1] or localhost";
    return has_dot_segment(u.rest) ? "has a dot segment in its path" : NULL;
}

const char *redirect_uri_fault(struct str uri, bool public_client)
{
    size_t n = scheme_length(uri);
    struct str scheme = head(uri, n);
    if (uri.n > LIMIT_REDIRECT_URI)
        return "is too long";
    if (!chars_ok(uri))
        return "has a character that is not allowed (white space, quotes, '*', '\\', anything outside ASCII)";
    if (n == 0)
        return "is not absolute";
    if (str_find(uri, '#') < uri.n)
        return "has a fragment";
    if (str_is(scheme, "https") || str_is(scheme, "http"))
        return web_fault(cut(uri, n + 1), n == 5);
    if (str_find(scheme, '.') >= scheme.n)
        return "has a scheme that is neither https nor an application's own with a dot in it "
               "(com.example.app)";
    if (!public_client)
        return "has an application's own scheme, which only a public client may use";
    if (n + 1 >= uri.n || uri.p[n + 1] != '/')
        return "has an application's own scheme that is not followed by a slash";
    return has_dot_segment(cut(uri, n + 1)) ? "has a dot segment in its path" : NULL;
}

bool url_host(struct str url, struct str *ret_host)
{
    struct web_uri u;
    size_t n = scheme_length(url);
    struct str scheme = head(url, n);
    if (!chars_ok(url) || (!str_is(scheme, "https") && !str_is(scheme, "http")))
        return false;
    url = cut(url, n + 1);
    if (!str_starts(url, STR("//")) || !web_split(cut(url, 2), &u))
        return false;
    *ret_host = u.host;
    return true;
}

bool redirect_is_native(struct str uri)
{
    return !str_starts(uri, STR("https://"));
}

/* A Content-Security-Policy has no form for IPv6 addresses: there the scheme alone stands. */
struct str redirect_origin(struct str uri)
{
    size_t n = scheme_length(uri);
    bool v6 = n + 3 < uri.n && uri.p[n + 3] == '[';
    if (!v6 && n + 2 < uri.n && uri.p[n + 1] == '/' && uri.p[n + 2] == '/') {
        size_t end = n + 3;
        while (end < uri.n && uri.p[end] != '/' && uri.p[end] != '?')
            end++;
        return head(uri, end);
    }
    return head(uri, n + 1);
}

/* What follows the loopback address, its port taken off. False if it is not one. */
static bool loopback_rest(struct str uri, const struct str *address, struct str *ret_rest)
{
    if (!str_starts(uri, *address))
        return false;
    struct str rest = cut(uri, address->n);
    if (rest.n && rest.p[0] == ':') {
        size_t end = 1;
        while (end < rest.n && is_digit(rest.p[end]))
            end++;
        if (!port_ok((struct str){rest.p + 1, end - 1}))
            return false;
        rest = cut(rest, end);
    }
    *ret_rest = rest;
    return rest.n == 0 || rest.p[0] == '/' || rest.p[0] == '?';
}

bool redirect_same(struct str registered, struct str sent)
{
    struct str a, b;
    if (str_eq(registered, sent))
        return true;
    for (size_t i = 0; i < NLOOPBACK; i++)
        if (loopback_rest(registered, &loopback_http[i], &a) && loopback_rest(sent, &loopback_http[i], &b))
            return str_eq(a, b);
    return false;
}

bool client_redirect_matches(const struct client *c, struct str uri)
{
    for (size_t i = 0; i < c->redirect_uris.n; i++)
        if (redirect_same(c->redirect_uris.v[i], uri))
            return true;
    return false;
}
