/* Which addresses are private, whatever they look like (A21). IPv4 lives in ::ffff:0:0/96, so that one table
 * serves both; of IPv6 only 2000::/3 is open, less what is not for hosts; 64:ff9b::/96 (NAT64, RFC 6052) is
 * judged by the IPv4 address inside, because in networks with DNS64 all of IPv4 is reached through it. */
#include "net/address.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#define V4(a, b, c, d)                                                                                       \
    {                                                                                                        \
        {                                                                                                    \
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d                                             \
        }                                                                                                    \
    }
#define V6(a, b, c, d)                                                                                       \
    {                                                                                                        \
        {                                                                                                    \
            (a) >> 8, (a)&255, (b) >> 8, (b)&255, (c) >> 8, (c)&255, (d) >> 8, (d)&255                       \
        }                                                                                                    \
    }

static const struct range mapped = {V4(0, 0, 0, 0), 96};
static const struct range nat64 = {V6(0x64, 0xff9b, 0, 0), 96};
static const struct range global6 = {V6(0x2000, 0, 0, 0), 3};

static const struct range closed[] = {
    {V4(0, 0, 0, 0), 96 + 8},       /* this network */
    {V4(10, 0, 0, 0), 96 + 8},      /* private */
    {V4(100, 64, 0, 0), 96 + 10},   /* carriers' NAT */
    {V4(127, 0, 0, 0), 96 + 8},     /* loopback */
    {V4(169, 254, 0, 0), 96 + 16},  /* link-local; cloud metadata */
    {V4(172, 16, 0, 0), 96 + 12},   /* private */
    {V4(192, 0, 0, 0), 96 + 24},    /* protocol assignments */
    {V4(192, 0, 2, 0), 96 + 24},    /* documentation */
    {V4(192, 88, 99, 0), 96 + 24},  /* 6to4 relays */
    {V4(192, 168, 0, 0), 96 + 16},  /* private */
    {V4(198, 18, 0, 0), 96 + 15},   /* benchmarks */
    {V4(198, 51, 100, 0), 96 + 24}, /* documentation */
    {V4(203, 0, 113, 0), 96 + 24},  /* documentation */
    {V4(224, 0, 0, 0), 96 + 4},     /* multicast */
    {V4(240, 0, 0, 0), 96 + 4},     /* reserved, broadcast */
    {V6(0x2001, 0, 0, 0), 23},      /* protocol assignments, Teredo, ORCHID */
    {V6(0x2001, 0xdb8, 0, 0), 32},  /* documentation */
    {V6(0x2002, 0, 0, 0), 16},      /* 6to4: holds any IPv4 address */
    {V6(0x3fff, 0, 0, 0), 20},      /* documentation */
};

bool range_has(const struct range *r, const struct address *a)
{
    int whole = r->bits / 8, rest = r->bits % 8;
    if (memcmp(r->net.b, a->b, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((r->net.b[whole] ^ a->b[whole]) >> (8 - rest)) == 0;
}

static struct address from_v4(const void *four)
{
    struct address a = mapped.net;
    memcpy(a.b + 12, four, 4);
    return a;
}

bool address_public(const struct address *a)
{
    struct address inner;
    if (range_has(&nat64, a)) {
        inner = from_v4(a->b + 12);
        a = &inner;
    }
    if (!range_has(&mapped, a) && !range_has(&global6, a))
        return false;
    for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
        if (range_has(&closed[i], a))
            return false;
    return true;
}

bool address_of(const struct sockaddr *sa, struct address *ret)
{
    if (sa->sa_family == AF_INET)
        *ret = from_v4(&((const struct sockaddr_in *)sa)->sin_addr);
    else if (sa->sa_family == AF_INET6)
        memcpy(ret->b, &((const struct sockaddr_in6 *)sa)->sin6_addr, sizeof(ret->b));
    else
        return false;
    return true;
}

static bool only(const char *text, const char *of)
{
    return text[strspn(text, of)] == '\0';
}

bool address_parse(struct str text, struct address *ret)
{
    char z[64];
    struct in_addr v4;
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = (struct str){text.p + 1, text.n - 2};
    text.n = str_find(text, '%');            /* a zone */
    if (text.n && text.p[text.n - 1] == '.') /* the root's dot */
        text.n--;
    if (text.n == 0 || text.n >= sizeof(z))
        return false;
    snprintf(z, sizeof(z), "%.*s", STR_ARG(text));
    if (inet_pton(AF_INET6, z, ret->b) == 1)
        return true;
    if (!only(z, "0123456789abcdefABCDEFxX.") ||
        !inet_aton(z, &v4)) /* inet_aton takes a tail after a space */
        return false;
    *ret = from_v4(&v4);
    return true;
}

bool range_parse(struct str text, struct range *ret)
{
    size_t slash = str_find(text, '/');
    struct str head = {text.p, slash};
    struct address a;
    if (!address_parse(head, &a))
        return false;
    bool v4 = range_has(&mapped, &a) && str_find(head, ':') == head.n;
    int64_t bits = v4 ? 32 : 128, most = bits;
    if (slash < text.n &&
        (!str_to_int((struct str){text.p + slash + 1, text.n - slash - 1}, &bits) || bits < 0 || bits > most))
        return false;
    *ret = (struct range){a, (int)bits + (v4 ? 96 : 0)};
    return true;
}
