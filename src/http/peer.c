/* Addresses and trust (see peer.h). */
#include "http/peer.h"
#include "base/limits.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t v4_head[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const uint8_t b[16])
{
    return memcmp(b, v4_head, sizeof v4_head) == 0;
}

static void set_v4(const void *four, struct addr *ret)
{
    memcpy(ret->b, v4_head, sizeof v4_head);
    memcpy(ret->b + 12, four, 4);
}

void addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret)
{
    memset(ret, 0, sizeof *ret);
    if (sa->sa_family == AF_INET)
        set_v4(&((const struct sockaddr_in *)(const void *)sa)->sin_addr, ret);
    else if (sa->sa_family == AF_INET6)
        memcpy(ret->b, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    else
        ret->local = true;
}

static bool parse_plain(struct str text, struct addr *ret)
{
    char z[INET6_ADDRSTRLEN];
    struct addr a = {0};
    uint8_t four[4];

    if (text.n == 0 || text.n >= sizeof z || memchr(text.p, 0, text.n))
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = 0;
    if (inet_pton(AF_INET, z, four) == 1)
        set_v4(four, &a);
    else if (inet_pton(AF_INET6, z, a.b) != 1)
        return false;
    *ret = a;
    return true;
}

static bool is_port(struct str s)
{
    if (s.n == 0 || s.n > 5)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

bool addr_parse(struct str text, struct addr *ret)
{
    size_t colon, bracket;

    if (text.n && text.p[0] == '[') {
        bracket = str_find(text, ']');
        if (bracket == text.n)
            return false;
        if (bracket + 1 < text.n && (text.p[bracket + 1] != ':' ||
                                     !is_port((struct str){text.p + bracket + 2, text.n - bracket - 2})))
            return false;
        return parse_plain((struct str){text.p + 1, bracket - 1}, ret);
    }
    colon = str_find(text, ':');
    if (colon < text.n &&
        str_find((struct str){text.p + colon + 1, text.n - colon - 1}, ':') == text.n - colon - 1) {
        if (!is_port((struct str){text.p + colon + 1, text.n - colon - 1}))
            return false;
        text.n = colon;
    }
    return parse_plain(text, ret);
}

void addr_print(const struct addr *a, char ret[46])
{
    if (a->local)
        memcpy(ret, "unix", 5);
    else if (is_v4(a->b))
        inet_ntop(AF_INET, a->b + 12, ret, 46);
    else
        inet_ntop(AF_INET6, a->b, ret, 46);
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    if (a->local)
        return true;
    return is_v4(a->b) ? a->b[12] == 127 : memcmp(a->b, one, 16) == 0;
}

static bool cidr_parse(struct str text, struct cidr *ret)
{
    struct addr a;
    int64_t bits;
    size_t slash = str_find(text, '/');
    bool v4;

    if (!parse_plain((struct str){text.p, slash}, &a))
        return false;
    v4 = is_v4(a.b);
    bits = v4 ? 32 : 128;
    if (slash < text.n && (!str_to_int((struct str){text.p + slash + 1, text.n - slash - 1}, &bits) ||
                           bits < 0 || bits > (v4 ? 32 : 128)))
        return false;
    memcpy(ret->b, a.b, 16);
    ret->bits = (unsigned)bits + (v4 ? 96 : 0);
    return true;
}

err_t cidrs_parse(struct strs list, struct cidrs *ret, struct fault *f)
{
    struct cidrs c = {0};

    if (list.n > LIMIT_LIST)
        return fault_set(f, ERR_CONFIG, "server.trusted_proxies", "more than %d addresses", LIMIT_LIST);
    c.v = calloc(list.n + 1, sizeof *c.v);
    if (!c.v)
        return fault_set(f, ERR_MEMORY, "", "%s", "");
    for (size_t i = 0; i < list.n; i++) {
        if (str_is(list.v[i], "unix")) {
            c.local = true;
        } else if (cidr_parse(list.v[i], &c.v[c.n])) {
            c.n++;
        } else {
            free(c.v);
            return fault_set(f, ERR_CONFIG, "server.trusted_proxies",
                             "\"%.*s\" is no address or network (\"127.0.0.1\", \"10.0.0.0/8\", \"unix\")",
                             STR_ARG(list.v[i]));
        }
    }
    *ret = c;
    return ERR_OK;
}

void cidrs_free(struct cidrs *c)
{
    free(c->v);
    *c = (struct cidrs){0};
}

static bool cidr_has(const struct cidr *c, const uint8_t b[16])
{
    size_t whole = c->bits / 8;
    unsigned rest = c->bits % 8;

    if (memcmp(c->b, b, whole) != 0)
        return false;
    return rest == 0 || ((c->b[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool cidrs_has(const struct cidrs *c, const struct addr *a)
{
    if (a->local)
        return c->local;
    for (size_t i = 0; i < c->n; i++)
        if (cidr_has(&c->v[i], a->b))
            return true;
    return false;
}

static struct str trim(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static struct str cut_last(struct str *list)
{
    size_t at = list->n;
    struct str last;

    while (at > 0 && list->p[at - 1] != ',')
        at--;
    last = trim((struct str){list->p + at, list->n - at});
    list->n = at ? at - 1 : 0;
    return last;
}

struct str forwarded_last(struct str list)
{
    return list.n ? cut_last(&list) : STR_NONE;
}

bool forwarded_for(const struct cidrs *trusted, struct str list, struct addr *client)
{
    struct addr a;

    while (list.n) {
        if (!cidrs_has(trusted, client) || !addr_parse(cut_last(&list), &a))
            return false;
        *client = a;
    }
    return true;
}

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

bool host_valid(struct str host)
{
    struct addr a;
    size_t end;

    if (host.n == 0 || host.n > 261)
        return false;
    if (host.p[0] == '[')
        return addr_parse(host, &a);
    end = str_find(host, ':');
    for (size_t i = 0; i < end; i++)
        if (!is_host_char(host.p[i]))
            return false;
    return end > 0 && (end == host.n || is_port((struct str){host.p + end + 1, host.n - end - 1}));
}
