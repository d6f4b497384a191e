/* What must hold of a request's head before anything else looks at it (RFC 9112 sections 2.2, 3.2, 5.1, 6;
 * case A89): the library lets through two lengths, odd names, folded lines and NULs, each of which somebody
 * in front of us may read differently. One pass over the fields, which also collects them. */
#include "http/server.h"

/* Token characters of RFC 9110 section 5.6.2. */
static bool is_token(struct str s)
{
    static const bool token[256] = {
        ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1,         ['&'] = 1,         ['\''] = 1,
        ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,         ['^'] = 1,         ['_'] = 1,
        ['`'] = 1, ['|'] = 1, ['~'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
    };
    for (size_t i = 0; i < s.n; i++)
        if (!token[(unsigned char)s.p[i]])
            return false;
    return s.n > 0;
}

static bool is_field_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

struct scan {
    struct request *r;
    const char *at, *end; /* in the library's buffer: behind what was seen, and behind the head */
    unsigned hosts, lengths, codings;
    struct str host;
    err_t err;
};

/* Between two fields as the library reports them lie line ends (which it overwrites with NULs) and white
 * space. Anything else was cut off by a NUL somebody sent, or was moved because a line was folded. */
static bool gap_is_clean(struct scan *s, const char *to)
{
    if (to < s->at || to > s->end)
        return false;
    for (const char *p = s->at; p < to; p++)
        if (*p != 0 && *p != ' ' && *p != '\t' && *p != '\r' && *p != '\n')
            return false;
    return true;
}

static bool to_length(struct str v, int64_t *ret)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
    return v.n > 0 && str_to_int(v, ret);
}

/* The fields that say where a request ends and whom it is for. */
static bool framing_field(struct scan *s, struct str name, struct str value)
{
    struct request *r = s->r;

    switch (name.n) {
    case 4:
        if (str_eq_nocase(name, STR("Host"))) {
            s->host = value;
            return ++s->hosts == 1;
        }
        break;
    case 6:
        if (str_eq_nocase(name, STR("Expect")))
            r->expects = true;
        break;
    case 14:
        if (str_eq_nocase(name, STR("Content-Length")))
            return ++s->lengths == 1 && to_length(value, &r->content_length);
        break;
    case 17:
        if (str_eq_nocase(name, STR("Transfer-Encoding"))) {
            r->chunked = true;
            return ++s->codings == 1 && str_eq_nocase(value, STR("chunked"));
        }
        break;
    default:
        break;
    }
    return true;
}

static enum MHD_Result on_field(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_n,
                                const char *value, size_t value_n)
{
    struct scan *s = ctx;
    struct request *r = s->r;
    struct str name = {key, key_n}, v = {value, value_n};

    (void)kind;
    s->err = ERR_REQUEST;
    if (r->nheaders == LIMIT_HEADER_LINES) {
        s->err = ERR_HEADERS_LARGE;
        return MHD_NO;
    }
    if (!value || !gap_is_clean(s, key) || !is_token(name) || !is_field_value(v) ||
        !framing_field(s, name, v))
        return MHD_NO;
    s->at = value + value_n;
    while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    r->headers[r->nheaders++] = (struct http_header){name, v};
    s->err = ERR_OK;
    return MHD_YES;
}

static err_t check_fields(struct request *r, const char *method, const char *version, struct scan *s)
{
    size_t size = MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;

    if (size > LIMIT_HEADERS)
        return ERR_HEADERS_LARGE;
    /* The URI the library told of must reach to the version: it holds no NUL then. A space in it would be the
     * end of it to others. */
    if (version != r->uri_raw + r->uri_raw_n + 1 || str_find(r->uri, ' ') < r->uri.n)
        return ERR_REQUEST;
    *s = (struct scan){.r = r, .at = version + strlen(version), .end = method + size};
    MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, on_field, s);
    if (s->err != ERR_OK)
        return s->err;
    if (!gap_is_clean(s, s->end) || (s->lengths && s->codings) || (r->http10 && s->codings))
        return ERR_REQUEST;
    return ERR_OK;
}

static bool method_of(const char *text, enum http_method *ret)
{
    static const char *const names[HTTP_METHODS] = {"GET",    "POST",    "PUT", "PATCH",
                                                    "DELETE", "OPTIONS", "HEAD"};
    for (size_t i = 0; i < HTTP_METHODS; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum http_method)i;
            return true;
        }
    return false;
}

/* What the direct peer says of the client behind it, if it is one we trust. */
static void client_of(struct request *r)
{
    const struct conn *c = r->conn;
    struct addr client = c->peer;
    struct str proto, host;

    r->req.https = c->https;
    memcpy(r->req.peer, c->peer_text, sizeof r->req.peer);
    if (!c->trusted)
        return;
    for (size_t i = r->nheaders; i-- > 0;) /* several fields are one list: the last comes first here */
        if (str_eq_nocase(r->headers[i].name, STR("X-Forwarded-For")) &&
            !forwarded_for(&r->front->server->trusted, r->headers[i].value, &client))
            break;
    addr_print(&client, r->req.peer);
    proto = forwarded_last(http_req_header(&r->req, "X-Forwarded-Proto"));
    host = forwarded_last(http_req_header(&r->req, "X-Forwarded-Host"));
    if (str_eq_nocase(proto, STR("https")) || str_eq_nocase(proto, STR("http")))
        r->req.https = proto.n == 5;
    if (host_valid(host))
        r->req.host = host;
}

/* Path and route; a wrong one costs the request, not the connection. */
static err_t find_route(struct request *r, const char *method)
{
    struct str raw, authority;
    enum http_method m;
    char *path;

    if (!target_split(r->uri, &raw, &r->req.query, &authority) || (authority.p && !host_valid(authority)))
        return ERR_REQUEST;
    if (authority.p)
        r->req.host = authority;
    path = arena_alloc(r->req.arena, raw.n + 1);
    if (!path)
        return ERR_MEMORY;
    if (!path_decode(raw, path, &r->req.path))
        return ERR_REQUEST;
    r->node = router_find(r->front->server->routers[r->conn->management], r->req.path, r->req.captures);
    if (!r->node)
        return ERR_NOT_FOUND;
    if (!method_of(method, &m))
        return ERR_METHOD;
    r->req.method = m;
    r->route = node_route(r->node, m);
    return r->route || m == HTTP_OPTIONS ? ERR_OK : ERR_METHOD;
}

static bool version_ok(struct request *r, const char *version)
{
    r->http10 = strcmp(version, "HTTP/1.0") == 0;
    return r->http10 || strcmp(version, "HTTP/1.1") == 0;
}

void check_headers(struct request *r, const char *method, const char *version)
{
    struct scan s = {0};

    r->close = true;
    r->refused = version_ok(r, version) ? check_fields(r, method, version, &s) : ERR_REQUEST;
    if (r->refused == ERR_OK && (s.hosts ? !host_valid(s.host) : !r->http10))
        r->refused = ERR_REQUEST;
    if (r->refused != ERR_OK)
        return;
    r->req.host = s.host;
    r->refused = find_route(r, method);
    client_of(r);
    if (r->content_length > 0 && (size_t)r->content_length > request_body_max(r)) {
        r->refused = ERR_TOO_LARGE;
        return;
    }
    r->close = r->refused != ERR_OK && r->expects; /* he asked before sending: now he knows */
}
