/* Which addresses and URLs may be called: every notation of a private address is refused (A21). */
#include "net/net.h"
#include "net/address.h"
#include "unit.h"

static const struct {
    const char *ip;
    bool open, listed; /* without a list; with 10.1.0.0/16, ::1 and 192.168.7.7 allowed */
} addresses[] = {
    {"8.8.8.8", true, true},
    {"1.1.1.1", true, true},
    {"2606:4700::1111", true, true},
    {"[2606:4700::1111]", true, true},
    {"::ffff:8.8.8.8", true, true},
    {"64:ff9b::8.8.8.8", true, true},
    {"134744072", true, true},
    {"127.0.0.1", false, false},
    {"127.1", false, false},
    {"127.255.255.254", false, false},
    {"0x7f.1", false, false},
    {"0x7f000001", false, false},
    {"2130706433", false, false},
    {"017700000001", false, false},
    {"0177.0.0.1", false, false},
    {"127.0.0.1.", false, false},
    {"0", false, false},
    {"0.0.0.0", false, false},
    {"::", false, false},
    {"::1", false, true},
    {"[::1]", false, true},
    {"0:0:0:0:0:0:0:1", false, true},
    {"::ffff:127.0.0.1", false, false},
    {"::ffff:7f00:1", false, false},
    {"::127.0.0.1", false, false},
    {"10.0.0.1", false, false},
    {"10.1.0.1", false, true},
    {"10.1.255.255", false, true},
    {"10.2.0.0", false, false},
    {"::ffff:10.0.0.1", false, false},
    {"::ffff:10.1.0.1", false, true},
    {"172.15.255.255", true, true},
    {"172.16.0.0", false, false},
    {"172.31.255.255", false, false},
    {"172.32.0.0", true, true},
    {"192.168.7.7", false, true},
    {"192.168.7.8", false, false},
    {"169.254.169.254", false, false},
    {"0xa9fea9fe", false, false},
    {"100.63.255.255", true, true},
    {"100.64.0.0", false, false},
    {"100.127.255.255", false, false},
    {"100.128.0.0", true, true},
    {"192.0.0.1", false, false},
    {"192.0.2.1", false, false},
    {"192.88.99.1", false, false},
    {"198.17.255.255", true, true},
    {"198.18.0.0", false, false},
    {"198.19.255.255", false, false},
    {"198.20.0.0", true, true},
    {"223.255.255.255", true, true},
    {"224.0.0.1", false, false},
    {"239.255.255.255", false, false},
    {"240.0.0.1", false, false},
    {"255.255.255.255", false, false},
    {"64:ff9b::10.0.0.1", false, false},
    {"64:ff9b::a9fe:a9fe", false, false},
    {"64:ff9b:1::8.8.8.8", false, false},
    {"2002:7f00:1::", false, false},
    {"2002:808:808::1", false, false},
    {"2001::1", false, false},
    {"2001:1ff:ffff::1", false, false},
    {"2001:200::1", true, true},
    {"2001:db8::1", false, false},
    {"3fff::1", false, false},
    {"4000::1", false, false},
    {"fc00::1", false, false},
    {"fd12:3456::1", false, false},
    {"fe80::1", false, false},
    {"fe80::1%eth0", false, false},
    {"fec0::1", false, false},
    {"ff02::1", false, false},
    {"fd00:ec2::254", false, false},
    {"", false, false},
    {"example.com", false, false},
    {"127.0.0.1 x", false, false},
    {"1.2.3.4.5", false, false},
    {"999999999999", false, false},
};

static const struct {
    const char *url;
    err_t want, listed;
} urls[] = {
    {"https://example.com/hook?x=1", ERR_OK, ERR_OK},
    {"https://example.com:8443/", ERR_OK, ERR_OK},
    {"https://8.8.8.8/", ERR_OK, ERR_OK},
    {"https://[2606:4700::1111]/", ERR_OK, ERR_OK},
    {"http://8.8.8.8/", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN}, /* in the clear over the internet */
    {"https://10.1.0.1/", ERR_NET_FORBIDDEN, ERR_OK},
    {"http://10.1.0.1:8080/x", ERR_NET_FORBIDDEN, ERR_OK},
    {"https://[::1]/", ERR_NET_FORBIDDEN, ERR_OK},
    {"https://2130706433/", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://0x7f.1/", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://0177.0.0.1/", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://127.0.0.1./", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://[::ffff:10.0.0.1]/", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://[64:ff9b::a9fe:a9fe]/", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://169.254.169.254/latest/meta-data/", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://localhost/", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://LOCALHOST./", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://a.localhost/", ERR_NET_FORBIDDEN, ERR_NET_FORBIDDEN},
    {"https://user@example.com/", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"https://user:pass@example.com/", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"https://example.com\\@10.0.0.1/", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"https://example.com/a b", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"https://example.com/\r\nX: y", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"file:///etc/passwd", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"gopher://example.com/", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"ftp://example.com/", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"example.com", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"//example.com/", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"https://", ERR_PARAM_BAD, ERR_PARAM_BAD},
    {"", ERR_PARAM_BAD, ERR_PARAM_BAD},
};

static void test_tables(const struct net *bare, const struct net *listing)
{
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        CHECK_ROW(net_address_allowed(bare, addresses[i].ip) == addresses[i].open, addresses[i].ip);
        CHECK_ROW(net_address_allowed(listing, addresses[i].ip) == addresses[i].listed, addresses[i].ip);
    }
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct fault f = {.code = ERR_OK};
        CHECK_ROW(net_url_check(bare, str_z(urls[i].url), &f) == urls[i].want, urls[i].url);
        CHECK_ROW(f.code == urls[i].want, urls[i].url);
        CHECK_ROW(net_url_check(listing, str_z(urls[i].url), NULL) == urls[i].listed, urls[i].url);
    }
}

static void test_allow_list(void)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"10.0.0.0/8", true},   {"10.0.0.1", true},   {"::1", true},
        {"fd00::/8", true},     {"0.0.0.0/0", true},  {"10.0.0.0/32", true},
        {"10.0.0.0/33", false}, {"::/128", true},     {"::/129", false},
        {"10.0.0.0/-1", false}, {"10.0.0.0/", false}, {"10.0.0.0/x", false},
        {"example.com", false}, {"", false},          {"/8", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct str one[] = {str_z(rows[i].text)};
        const struct net_config cfg = {.allow = {one, 1}};
        struct net *n = net_new(&cfg);
        CHECK_ROW((n != NULL) == rows[i].good, rows[i].text);
        net_free(&n);
    }
}

int main(void)
{
    const struct str list[] = {STR("10.1.0.0/16"), STR("::1"), STR("192.168.7.7")};
    const struct net_config plain = {.ca_file = NULL}, with = {.allow = {list, 3}};
    struct net *bare = net_new(&plain), *listing = net_new(&with);
    CHECK(bare && listing);
    test_tables(bare, listing);
    test_allow_list();
    net_free(&bare);
    net_free(&listing);
    return unit_end("address");
}
