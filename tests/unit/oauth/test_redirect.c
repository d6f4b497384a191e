/* Redirect URIs: what may be registered (A04), and whether the one sent is the one registered (A01, A02,
 * A03). */
#include "oauth/parts.h"
#include "unit.h"

static void test_registered(void)
{
    static const struct {
        const char *uri;
        bool public_ok, confidential_ok;
    } rows[] = {
        {"https://app.example/callback", true, true},
        {"https://app.example:8443/cb?x=1", true, true},
        {"https://app.example", true, true},
        {"https://[2001:db8::1]/cb", true, true},
        {"http://127.0.0.1/cb", true, true},
        {"http://127.0.0.1:8000/cb", true, true},
        {"http://[::1]/cb", true, true},
        {"http://localhost:3000/cb", true, true},
        {"com.example.app:/cb", true, false},
        {"com.example.app://cb", true, false},
        {"http://app.example/cb", false, false},
        {"http://127.0.0.1.evil.example/cb", false, false},
        {"http://127.0.0.1@evil.example/cb", false, false},
        {"https://good@evil.example/", false, false},
        {"https://*.example/cb", false, false},
        {"https://app.example/*", false, false},
        {"https://app.example/cb#frag", false, false},
        {"https://app.example/a/../b", false, false},
        {"https://app.example/a/%2e%2E/b", false, false},
        {"https://app.example/a/.%2e", false, false},
        {"https://app.example/a/./b", false, false},
        {"https://app.example/a/...", true, true},
        {"https://app.example/cb\r\nX: y", false, false},
        {"https://app.example/c b", false, false},
        {"https://app.example\\@evil.example/", false, false},
        {"https://\xc3\xa4pp.example/cb", false, false},
        {"https:///cb", false, false},
        {"https://app.example:0/cb", false, false},
        {"https://app.example:65536/cb", false, false},
        {"https://app.example:/cb", false, false},
        {"https:app.example/cb", false, false},
        {"//app.example/cb", false, false},
        {"/cb", false, false},
        {"", false, false},
        {"javascript:alert(1)", false, false},
        {"data:text/html,x", false, false},
        {"myapp:/cb", false, false},
        {"HTTPS://app.example/cb", false, false},
        {"com.example.app:cb", false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_ROW((redirect_uri_fault(str_z(rows[i].uri), true) == NULL) == rows[i].public_ok, rows[i].uri);
        CHECK_ROW((redirect_uri_fault(str_z(rows[i].uri), false) == NULL) == rows[i].confidential_ok,
                  rows[i].uri);
    }
    CHECK(redirect_uri_fault((struct str){"https://a.example/\0", 19}, false) != NULL);
}

static void test_length(void)
{
    char uri[LIMIT_REDIRECT_URI + 1];
    memset(uri, 'a', sizeof(uri));
    memcpy(uri, "https://", 8);
    uri[20] = '/';
    CHECK(redirect_uri_fault((struct str){uri, LIMIT_REDIRECT_URI}, false) == NULL);
    CHECK(redirect_uri_fault((struct str){uri, LIMIT_REDIRECT_URI + 1}, false) != NULL);
}

static void test_same(void)
{
    static const struct {
        const char *registered, *sent;
        bool same;
    } rows[] = {
        {"https://app.example/callback", "https://app.example/callback", true},
        {"https://app.example/callback", "https://app.example/CALLBACK", false},
        {"https://app.example/callback", "https://app.example/callback/", false},
        {"https://app.example/callback", "https://app.example/callback?x", false},
        {"https://app.example/callback", "https://app.example:443/callback", false},
        {"https://app.example/callback", "https://APP.example/callback", false},
        {"https://app.example/cb", "https://app.example/cb/../x", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true},
        {"http://127.0.0.1:1234/cb", "http://127.0.0.1:49152/cb", true},
        {"http://127.0.0.1:1234/cb", "http://127.0.0.1/cb", true},
        {"http://[::1]/cb", "http://[::1]:9/cb", true},
        {"http://127.0.0.1/cb", "http://127.0.0.1/cb?bar=foo", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:1/cb#x", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false},
        {"http://127.0.0.1/cb", "http://[::1]/cb", false},
        {"http://127.0.0.1/cb", "https://127.0.0.1/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:/cb", false},
        {"http://127.0.0.1", "http://127.0.0.1:80", true},
        {"http://localhost:3000/cb", "http://localhost:3001/cb", false},
        {"com.example.app:/cb", "com.example.app:/cb", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(redirect_same(str_z(rows[i].registered), str_z(rows[i].sent)) == rows[i].same,
                  rows[i].sent);
}

static void test_parts(void)
{
    struct str host;
    CHECK(str_is(redirect_origin(STR("https://app.example:8443/cb?x")), "https://app.example:8443"));
    CHECK(str_is(redirect_origin(STR("https://app.example")), "https://app.example"));
    CHECK(str_is(redirect_origin(STR("http://[::1]:7/cb")), "http:"));
    CHECK(str_is(redirect_origin(STR("com.example.app:/cb")), "com.example.app:"));
    CHECK(redirect_is_native(STR("http://127.0.0.1/cb")) && redirect_is_native(STR("com.example.app:/cb")));
    CHECK(!redirect_is_native(STR("https://app.example/cb")));
    CHECK(url_host(STR("https://App.example.:8443/x"), &host) && str_is(host, "App.example."));
    CHECK(!url_host(STR("https://a@b/x"), &host) && !url_host(STR("/x"), &host) &&
          !url_host(STR("ftp://a/x"), &host));
}

int main(void)
{
    test_registered();
    test_length();
    test_same();
    test_parts();
    return unit_end("oauth-redirect");
}
