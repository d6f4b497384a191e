/* PROXY protocol version 2: whole, in pieces, and wrong. */
#include "base/limits.h"
#include "http/peer.h"
#include "unit.h"

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define V4  SIG "\x21\x11\x00\x0c" "\x01\x02\x03\x04" "\x0a\x00\x00\x01" "\x10\x00\x01\xbb"
#define B(lit) (const uint8_t *)(lit), sizeof(lit) - 1

static void test_good(void)
{
    static const struct {
        const char *name;
        const uint8_t *p;
        size_t n;
        const char *client; /* NULL: the real peer stands */
        bool https;
    } rows[] = {
        {"v4", B(V4), "1.2.3.4", false},
        {"v6", B(SIG "\x21\x21\x00\x24" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" "\x10\x00\x01\xbb"),
         "2001:db8::9", false},
        {"local", B(SIG "\x20\x00\x00\x00"), NULL, false},
        {"local with an address to be ignored", B(SIG "\x20\x11\x00\x0c" "\x01\x02\x03\x04\x0a\x00\x00\x01\x10\x00\x01\xbb"), NULL, false},
        {"unspecified", B(SIG "\x21\x00\x00\x03" "abc"), NULL, false},
        {"tls", B(SIG "\x21\x11\x00\x14" "\x01\x02\x03\x04" "\x0a\x00\x00\x01" "\x10\x00\x01\xbb" "\x20\x00\x05" "\x01\0\0\0\0"), "1.2.3.4", true},
        {"not tls", B(SIG "\x21\x11\x00\x14" "\x01\x02\x03\x04" "\x0a\x00\x00\x01" "\x10\x00\x01\xbb" "\x20\x00\x05" "\x02\0\0\0\0"), "1.2.3.4", false},
        {"other tlvs", B(SIG "\x21\x11\x00\x13" "\x01\x02\x03\x04" "\x0a\x00\x00\x01" "\x10\x00\x01\xbb" "\x02\x00\x01" "a" "\x04\x00\x00"), "1.2.3.4", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct proxy_header h;
        char text[46];
        CHECK_ROW(proxy_parse(rows[i].p, rows[i].n, &h) == PROXY_OK, rows[i].name);
        CHECK_ROW(h.size == rows[i].n && h.https == rows[i].https && h.has_client == (rows[i].client != NULL), rows[i].name);
        addr_print(&h.client, text);
        if (rows[i].client)
            CHECK_ROW(strcmp(text, rows[i].client) == 0, rows[i].name);
        for (size_t n = 0; n < rows[i].n; n++)
            CHECK_ROW(proxy_parse(rows[i].p, n, &h) == PROXY_MORE, rows[i].name);
    }
}

static void test_bad(void)
{
    static const struct {
        const char *name;
        const uint8_t *p;
        size_t n;
    } rows[] = {
        {"http", B("GET / HTTP/1.1\r\n")},
        {"one byte", B("G")},
        {"version 1", B("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n")},
        {"version 3", B(SIG "\x31\x11\x00\x0c" "\1\2\3\4\5\6\7\x08\0\1\0\1")},
        {"command 2", B(SIG "\x22\x11\x00\x0c" "\1\2\3\4\5\6\7\x08\0\1\0\1")},
        {"family 4", B(SIG "\x21\x41\x00\x0c" "\1\2\3\4\5\6\7\x08\0\1\0\1")},
        {"protocol 3", B(SIG "\x21\x13\x00\x0c" "\1\2\3\4\5\6\7\x08\0\1\0\1")},
        {"short v4", B(SIG "\x21\x11\x00\x0b" "\1\2\3\4\5\6\7\x08\0\1\0")},
        {"short v6", B(SIG "\x21\x21\x00\x0c" "\1\2\3\4\5\6\7\x08\0\1\0\1")},
        {"short unix", B(SIG "\x21\x31\x00\x0c" "\1\2\3\4\5\6\7\x08\0\1\0\1")},
        {"tlv beyond the end", B(SIG "\x21\x11\x00\x10" "\1\2\3\4\5\6\7\x08\0\1\0\1" "\x04\x00\x02" "a")},
        {"half a tlv", B(SIG "\x21\x11\x00\x0e" "\1\2\3\4\5\6\7\x08\0\1\0\1" "\x04\x00")},
    };
    struct proxy_header h;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(proxy_parse(rows[i].p, rows[i].n, &h) == PROXY_BAD, rows[i].name);
}

static void test_limit(void)
{
    static uint8_t long_one[LIMIT_PROXY_HEADER + 1];
    struct proxy_header h;
    size_t rest = LIMIT_PROXY_HEADER - 16;

    memcpy(long_one, SIG "\x21\x00", 14);
    long_one[14] = (uint8_t)(rest >> 8);
    long_one[15] = (uint8_t)rest;
    CHECK(proxy_parse(long_one, LIMIT_PROXY_HEADER, &h) == PROXY_OK && h.size == LIMIT_PROXY_HEADER);
    rest++;
    long_one[14] = (uint8_t)(rest >> 8);
    long_one[15] = (uint8_t)rest;
    CHECK(proxy_parse(long_one, LIMIT_PROXY_HEADER + 1, &h) == PROXY_BAD);
}

int main(void)
{
    test_good();
    test_bad();
    test_limit();
    return unit_end("http/proxy");
}
