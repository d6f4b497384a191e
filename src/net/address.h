/* Addresses as 16 bytes (IPv4 as ::ffff:a.b.c.d) and what may be called. Private to src/net. */
#pragma once
#include "base/str.h"
#include <sys/socket.h>

struct address {
    uint8_t b[16];
};
struct range {
    struct address net;
    int bits;
};

/* Any notation a resolver or a URL parser may take for an address: 127.1, 0x7f000001, 2130706433, 0177.0.0.1,
 * [::1], fe80::1%eth0. False if it is a name. */
bool address_parse(struct str text, struct address *ret);
bool address_of(const struct sockaddr *sa, struct address *ret);
bool range_parse(struct str text, struct range *ret); /* "10.0.0.0/8", "::1" */
bool range_has(const struct range *r, const struct address *a);
/* In the part of the internet that is for everybody (IANA's special-purpose registries, RFC 6890). */
bool address_public(const struct address *a);
