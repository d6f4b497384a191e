/* The network a peer's address belongs to, as text: what failures are counted by. */
#pragma once
#include "base/str.h"

#define PEER_NETWORK_SIZE 56
/* "203.0.113.0/24", "2001:db8::/48"; an IPv4-mapped address counts as IPv4; anything that is no address:
 * "other". ret is NUL-terminated. */
struct str peer_network(struct str peer, unsigned bits_v4, unsigned bits_v6,
                        char ret[static PEER_NETWORK_SIZE]);
