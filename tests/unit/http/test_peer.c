/* Addresses, trusted networks, X-Forwarded-For, Host. */
#include "base/limits.h"
#include "http/peer.h"
#include "unit.h"
#include <arpa/inet.h>

static void test_addr_parse(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"1.2.3.4", "1.2.3.4"},
        {"1.2.3.4:80", "1.2.3.4"},
        {"::1", "::1"},
        {"[::1]", "::1"},
        {"[2001:db8::5]:443", "2001:db8::5"},
        {"2001:DB8::5", "2001:db8::5"},
        {"::ffff:1.2.3.4", "1.2.3.4"},
        {"", NULL},
        {"localhost", NULL},
        {"unknown", NULL},
        {"_hidden", NULL},
        {"1.2.3", NULL},
        {"1.2.3.4.5", NULL},
        {"1.2.3.256", NULL},
        {"01.2.3.4", NULL},
        {"1.2.3.4:", NULL},
        {"1.2.3.4:x", NULL},
        {"1.2.3.4:123456", NULL},
        {"[::1", NULL},
        {"[::1]x", NULL},
        {"[::1]:", NULL},
        {"[]", NULL},
        {"fe80::1%eth0", NULL},
        {"1.2.3.4 ", NULL},
        {"<script>", NULL},
    };
    char text[46];
    struct addr a;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool ok = addr_parse(str_z(rows[i].text), &a);
        CHECK_ROW(ok == (rows[i].want != NULL), rows[i].text);
        if (ok && rows[i].want) {
            addr_print(&a, text);
            CHECK_ROW(strcmp(text, rows[i].want) == 0, rows[i].text);
        }
    }
    CHECK(!addr_parse((struct str){"1.2.3.4\0x", 9}, &a));
}

static void test_loopback(void)
{
    struct addr a = {0};
    CHECK(addr_parse(STR("127.9.9.9"), &a) && addr_is_loopback(&a));
    CHECK(addr_parse(STR("::1"), &a) && addr_is_loopback(&a));
    CHECK(addr_parse(STR("128.0.0.1"), &a) && !addr_is_loopback(&a));
    CHECK(addr_parse(STR("::2"), &a) && !addr_is_loopback(&a));
    CHECK(addr_is_loopback(&(struct addr){.local = true}));
}

static void test_cidrs(void)
{
    static const struct str list[] = {{"10.0.0.0/8", 10}, {"192.168.1.7", 11}, {"172.16.0.0/12", 13}, {"fd00::/7", 8},
                                      {"2001:db8::1", 11}};
    static const struct {
        const char *text;
        bool in;
    } rows[] = {
        {"10.0.0.1", true},       {"10.255.255.255", true}, {"11.0.0.0", false},    {"9.255.255.255", false},
        {"192.168.1.7", true},    {"192.168.1.8", false},   {"172.31.255.255", true}, {"172.32.0.0", false},
        {"172.15.0.0", false},    {"fd12::1", true},        {"fc00::1", true},      {"fe00::1", false},
        {"2001:db8::1", true},    {"2001:db8::2", false},   {"::10.0.0.1", false},  {"::ffff:10.0.0.1", true},
    };
    static const char *const bad[] = {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "host", "::/129",
                                      "proxy.example", "10.0.0/8"};
    struct cidrs c = {0};
    struct fault f = {0};
    struct addr a;

    CHECK(cidrs_parse((struct strs){list, 5}, &c, &f) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(addr_parse(str_z(rows[i].text), &a) && cidrs_has(&c, &a) == rows[i].in, rows[i].text);
    CHECK(!cidrs_has(&c, &(struct addr){.local = true}));
    cidrs_free(&c);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct str one = str_z(bad[i]);
        struct fault g = {0};
        CHECK_ROW(cidrs_parse((struct strs){&one, 1}, &c, &g) == ERR_CONFIG && g.detail[0], bad[i]);
    }
    static const struct str wide[] = {{"0.0.0.0/0", 9}, {"unix", 4}};
    CHECK(cidrs_parse((struct strs){wide, 2}, &c, &f) == ERR_OK);
    CHECK(cidrs_has(&c, &(struct addr){.local = true}));
    CHECK(addr_parse(STR("8.8.8.8"), &a) && cidrs_has(&c, &a));
    CHECK(addr_parse(STR("2001:db8::1"), &a) && !cidrs_has(&c, &a));
    cidrs_free(&c);
}

static void test_cidrs_limit(void)
{
    static struct str many[LIMIT_LIST + 1];
    struct cidrs c = {0};
    struct fault f = {0};

    for (size_t i = 0; i < LIMIT_LIST + 1; i++)
        many[i] = STR("10.0.0.1");
    CHECK(cidrs_parse((struct strs){many, LIMIT_LIST}, &c, &f) == ERR_OK);
    cidrs_free(&c);
    CHECK(cidrs_parse((struct strs){many, LIMIT_LIST + 1}, &c, &f) == ERR_CONFIG);
}

static void test_forwarded(void)
{
    static const struct str list[] = {{"10.0.0.0/8", 10}};
    static const struct {
        const char *peer, *header, *want;
    } rows[] = {
        {"10.0.0.1", "1.2.3.4", "1.2.3.4"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"9.9.9.9", "1.2.3.4", "9.9.9.9"},                   /* who is not trusted may say what he likes */
        {"10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"},         /* the client's own invention stands on the left */
        {"10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
        {"10.0.0.1", "1.2.3.4,10.0.0.2", "1.2.3.4"},
        {"10.0.0.1", "1.2.3.4 ,\t10.0.0.2 ", "1.2.3.4"},
        {"10.0.0.1", "1.2.3.4, unknown", "10.0.0.1"},        /* not an address: the walk ends before it */
        {"10.0.0.1", "1.2.3.4, evil.example, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", "1.2.3.4, <b>", "10.0.0.1"},
        {"10.0.0.1", ",", "10.0.0.1"},
        {"10.0.0.1", "1.2.3.4,", "10.0.0.1"},
        {"10.0.0.1", "[2001:db8::9]:1234", "2001:db8::9"},
        {"10.0.0.1", "1.2.3.4:5678", "1.2.3.4"},
    };
    struct cidrs c = {0};
    struct fault f = {0};

    CHECK(cidrs_parse((struct strs){list, 1}, &c, &f) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr a;
        char text[46];
        CHECK_ROW(addr_parse(str_z(rows[i].peer), &a), rows[i].peer);
        forwarded_for(&c, str_z(rows[i].header), &a);
        addr_print(&a, text);
        CHECK_ROW(strcmp(text, rows[i].want) == 0, rows[i].header);
    }
    cidrs_free(&c);
    struct addr a;
    CHECK(cidrs_parse((struct strs){list, 1}, &c, &f) == ERR_OK);
    CHECK(addr_parse(STR("10.0.0.1"), &a) && forwarded_for(&c, STR("1.2.3.4, 10.0.0.2"), &a)); /* all read */
    CHECK(!forwarded_for(&c, STR("6.6.6.6"), &a));                                             /* a stranger now */
    CHECK(addr_parse(STR("10.0.0.1"), &a) && !forwarded_for(&c, STR("1.2.3.4, junk"), &a));
    cidrs_free(&c);
    CHECK(str_is(forwarded_last(STR("http, https")), "https"));
    CHECK(str_is(forwarded_last(STR("a")), "a"));
    CHECK(str_is(forwarded_last(STR("a,")), ""));
    CHECK(!forwarded_last(STR_NONE).p);
}

static void test_host(void)
{
    static const char *const good[] = {"a", "example.com", "example.com:8443", "127.0.0.1", "127.0.0.1:80", "[::1]",
                                       "[::1]:8080", "a-b.c_d", "EXAMPLE.com"};
    static const char *const bad[] = {"", ":80", "a:", "a:b", "a:123456", "a b", "a/b", "a@b", "a?b", "a#b", "a,b", "[::1",
                                      "[x]", "[::1]:", "a\\b", "\xc3\xa9.com", "a%41"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK_ROW(host_valid(str_z(good[i])), good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_ROW(!host_valid(str_z(bad[i])), bad[i]);
    char longest[263];
    memset(longest, 'a', sizeof longest);
    CHECK(host_valid((struct str){longest, 261}));
    CHECK(!host_valid((struct str){longest, 262}));
}

int main(void)
{
    test_addr_parse();
    test_loopback();
    test_cidrs();
    test_cidrs_limit();
    test_forwarded();
    test_host();
    return unit_end("http/peer");
}
