/* Cutting an address to its network. */
#include "token/peer.h"
#include <arpa/inet.h>
#include <stdio.h>

static void cut(unsigned char *addr, unsigned bytes, unsigned bits)
{
    for (unsigned i = 0; i < bytes; i++) {
        unsigned keep = bits > i * 8 ? bits - i * 8 : 0;
        if (keep < 8)
            addr[i] = (unsigned char)(addr[i] & ~(0xffu >> keep));
    }
}

static struct str print(int family, unsigned char *addr, unsigned bytes, unsigned bits, char *ret)
{
    char text[INET6_ADDRSTRLEN];
    cut(addr, bytes, bits);
    if (!inet_ntop(family, addr, text, sizeof(text)))
        text[0] = '\0';
    int n = snprintf(ret, PEER_NETWORK_SIZE, "%s/%u", text, bits);
    return (struct str){ret, (size_t)n};
}

struct str peer_network(struct str peer, unsigned bits_v4, unsigned bits_v6,
                        char ret[static PEER_NETWORK_SIZE])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char text[INET6_ADDRSTRLEN];
    unsigned char addr[16];
    if (peer.n > 0 && peer.n < sizeof(text)) {
        memcpy(text, peer.p, peer.n);
        text[peer.n] = '\0';
        if (inet_pton(AF_INET, text, addr) == 1)
            return print(AF_INET, addr, 4, bits_v4, ret);
        if (inet_pton(AF_INET6, text, addr) == 1 && memcmp(addr, mapped, sizeof(mapped)) == 0)
            return print(AF_INET, addr + 12, 4, bits_v4, ret);
        if (inet_pton(AF_INET6, text, addr) == 1)
            return print(AF_INET6, addr, 16, bits_v6, ret);
    }
    snprintf(ret, PEER_NETWORK_SIZE, "other");
    return (struct str){ret, 5};
}
