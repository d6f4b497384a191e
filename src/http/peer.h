/* Addresses: of a peer, of networks that are trusted, and what trusted peers say of the client behind them (A84). No
 * names, no DNS: text that is not an address is not used. */
#pragma once
#include "base/err.h"
#include <netinet/in.h>
#include <sys/socket.h>

/* IPv6, IPv4 as ::ffff:a.b.c.d. A peer on a Unix socket has no address. */
struct addr {
    uint8_t b[16];
    bool local; /* Unix socket */
};
struct cidr {
    uint8_t b[16];
    unsigned bits;
};
struct cidrs {
    struct cidr *v;
    size_t n;
    bool local; /* "unix": peers on Unix sockets are trusted */
};

void addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret);
bool addr_parse(struct str text, struct addr *ret); /* "1.2.3.4", "::1", "1.2.3.4:80", "[::1]", "[::1]:80" */
void addr_print(const struct addr *a, char ret[46]); /* "unix" for local ones */
bool addr_is_loopback(const struct addr *a);

/* "127.0.0.1", "10.0.0.0/8", "fd00::/8", "unix". ERR_CONFIG names the wrong one. */
err_t cidrs_parse(struct strs list, struct cidrs *ret, struct fault *f);
void cidrs_free(struct cidrs *c);
bool cidrs_has(const struct cidrs *c, const struct addr *a);

/* X-Forwarded-For as one list: walks from the right (nearest) while what it meets is trusted. *client holds the direct
 * peer and becomes the rightmost untrusted address; at text that is no address the walk ends. False when it has ended
 * before the leftmost member: fields further left are not to be read then. */
bool forwarded_for(const struct cidrs *trusted, struct str list, struct addr *client);
struct str forwarded_last(struct str list); /* the last member of a comma-separated list, trimmed */
bool host_valid(struct str host);           /* uri-host [":" port], RFC 9110 section 7.2 */

/* PROXY protocol version 2 (haproxy, proxy-protocol.txt). Looks at what has arrived: PROXY_MORE until whole. */
enum proxy_verdict { PROXY_MORE, PROXY_BAD, PROXY_OK };
struct proxy_header {
    size_t size; /* bytes of the header itself */
    bool has_client;
    bool https; /* the client spoke TLS to the proxy (PP2_TYPE_SSL) */
    struct addr client;
};
enum proxy_verdict proxy_parse(const uint8_t *p, size_t n, struct proxy_header *ret);
