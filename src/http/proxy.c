/* PROXY protocol, version 2: the address of the client as the proxy in front of us saw it. Version 1 (text)
 * is not taken: it has no length, and every proxy of today can send version 2. */
#include "base/limits.h"
#include "http/peer.h"

enum { PROXY_FIXED = 16, PP2_TYPE_SSL = 0x20, PP2_CLIENT_SSL = 1 };
static const uint8_t signature[12] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

static size_t be16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

/* The type-length-values behind the addresses; only whether TLS was spoken matters here. */
static bool read_tlvs(const uint8_t *p, size_t n, struct proxy_header *h)
{
    while (n) {
        size_t len;
        if (n < 3 || (len = be16(p + 1)) > n - 3)
            return false;
        if (p[0] == PP2_TYPE_SSL && len >= 5)
            h->https = p[3] & PP2_CLIENT_SSL;
        p += 3 + len;
        n -= 3 + len;
    }
    return true;
}

static bool read_addresses(uint8_t family, const uint8_t *p, size_t n, struct proxy_header *h)
{
    size_t used;

    if (family >> 4 == 1) { /* AF_INET: two addresses, two ports */
        struct sockaddr_in in = {.sin_family = AF_INET};
        if (n < (used = 12))
            return false;
        memcpy(&in.sin_addr, p, 4);
        addr_from_sockaddr((const struct sockaddr *)&in, &h->client);
        h->has_client = true;
    } else if (family >> 4 == 2) { /* AF_INET6 */
        if (n < (used = 36))
            return false;
        memcpy(h->client.b, p, 16);
        h->has_client = true;
    } else if (family >> 4 == 3) { /* AF_UNIX: says nothing of use */
        if (n < (used = 216))
            return false;
    } else { /* AF_UNSPEC: the block must be skipped unread */
        return family == 0;
    }
    return read_tlvs(p + used, n - used, h);
}

enum proxy_verdict proxy_parse(const uint8_t *p, size_t n, struct proxy_header *ret)
{
    struct proxy_header h = {0};
    size_t common = n < sizeof signature ? n : sizeof signature;
    size_t len;

    if (memcmp(p, signature, common) != 0)
        return PROXY_BAD;
    if (n < PROXY_FIXED)
        return PROXY_MORE;
    len = be16(p + 14);
    if (p[12] >> 4 != 2 || (p[12] & 15) > 1 || (p[13] & 15) > 2 || PROXY_FIXED + len > LIMIT_PROXY_HEADER)
        return PROXY_BAD;
    if (n < PROXY_FIXED + len)
        return PROXY_MORE;
    h.size = PROXY_FIXED + len;
    /* command 0 is LOCAL: the proxy's own health check, the connection's real address stands */
    if ((p[12] & 15) == 1 && !read_addresses(p[13], p + PROXY_FIXED, len, &h))
        return PROXY_BAD;
    *ret = h;
    return PROXY_OK;
}
