/* What handlers are given and give back: header look-up, cookies, response headers. */
#include "http/server.h"
#include "unit.h"

static void field(struct request *r, const char *name, const char *value)
{
    r->headers[r->nheaders++] = (struct http_header){str_z(name), str_z(value)};
}

static void test_headers(void)
{
    static struct request r;
    r.req.native = &r;
    field(&r, "Host", "a");
    field(&r, "X-Test", "1");
    field(&r, "x-test", "2");
    field(&r, "X-Empty", "");
    CHECK(str_is(http_req_header(&r.req, "X-TEST"), "1"));
    CHECK(http_req_header_count(&r.req, "x-Test") == 2);
    CHECK(http_req_header(&r.req, "X-Empty").p && http_req_header(&r.req, "X-Empty").n == 0);
    CHECK(!http_req_header(&r.req, "X-Tes").p);
    CHECK(!http_req_header(&r.req, "X-Testt").p);
    CHECK(http_req_header_count(&r.req, "Cookie") == 0);
    struct http_req without = {0};
    CHECK(!http_req_header(&without, "Host").p && !http_req_cookie(&without, "a").p);
}

static void test_cookies(void)
{
    static const struct {
        const char *header, *name, *want;
    } rows[] = {
        {"a=1", "a", "1"},
        {"a=1; b=2", "b", "2"},
        {"a=1;b=2", "b", "2"},
        {"  a=1 ;  b=2 ", "b", "2"},
        {"aa=1; a=2", "a", "2"},
        {"a=", "a", ""},
        {"a=b=c", "a", "b=c"},
        {"a=1; a=2", "a", "1"},
        {"__Host-s=x", "__Host-s", "x"},
        {"A=1", "a", NULL},
        {"a", "a", NULL},
        {"ab=1", "a", NULL},
        {"=1", "a", NULL},
        {"", "a", NULL},
        {";;;", "a", NULL},
        {"b=a=1", "a", NULL},
        {"a =1", "a", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct request r;
        r.nheaders = 0;
        r.req.native = &r;
        field(&r, "cookie", rows[i].header);
        struct str v = http_req_cookie(&r.req, rows[i].name);
        CHECK_ROW((v.p != NULL) == (rows[i].want != NULL) && str_eq(v, str_z(rows[i].want)), rows[i].header);
    }
}

static void test_response_headers(void)
{
    static struct http_resp r;
    size_t most = sizeof r.headers / sizeof r.headers[0];

    http_resp_header(&r, "A", STR("a\rb"));
    http_resp_header(&r, "A", STR("a\nb"));
    http_resp_header(&r, "A", STR("a\0b"));
    http_resp_header(&r, "A", STR("\r\nX: 1"));
    http_resp_header(&r, "A", STR_NONE);
    CHECK(r.nheaders == 0);
    http_resp_header(&r, "A", STR(""));
    CHECK(r.nheaders == 1);
    while (r.nheaders < most)
        http_resp_header(&r, "A", STR("x"));
    http_resp_header(&r, "A", STR("one more"));
    CHECK(r.nheaders == most && str_is(r.headers[most - 1].value, "x"));
}

int main(void)
{
    test_headers();
    test_cookies();
    test_response_headers();
    return unit_end("http/request");
}
