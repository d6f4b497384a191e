/* Requests against a server of our own: answers, caps, time, redirects, and the guard at the socket. */
#include "net/internal.h"
#include "unit.h"
#include "server_test.h"

static struct net *net_with(const char *allow)
{
    const struct str one[] = {str_z(allow)};
    const struct net_config cfg = {.allow = {one, allow ? 1 : 0}};
    return net_new(&cfg);
}

static err_t get(struct net *n, struct arena *a, int port, const char *host, const struct net_request *how,
                 struct net_response *ret, struct fault *f)
{
    struct net_request r = *how;
    r.kind = "test";
    if (!r.method)
        r.method = "GET";
    r.url = arena_fmt(a, "http://%s:%d/path?q=1", host, port);
    *f = (struct fault){.code = ERR_OK};
    return net_fetch(n, &r, a, ret, f);
}

static const struct {
    const char *what, *answer;
    err_t want;
    int status;
    const char *body;
    int64_t max_age_s;
} answers[] = {
    {"plain", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ERR_OK, 200, "hello", -1},
    {"age", "HTTP/1.1 200 OK\r\ncache-control: public, max-age=300\r\nContent-Length: 0\r\n\r\n", ERR_OK, 200,
     "", 300},
    {"no store", "HTTP/1.1 200 OK\r\nCache-Control: max-age=300, no-store\r\nContent-Length: 0\r\n\r\n",
     ERR_OK, 200, "", 0},
    {"bad age", "HTTP/1.1 200 OK\r\nCache-Control: max-age=-3, s-maxage=9\r\nContent-Length: 0\r\n\r\n",
     ERR_OK, 200, "", -1},
    {"redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", ERR_OK,
     302, "", -1},
    {"error", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno", ERR_OK, 500, "no", -1},
    {"at the cap", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", ERR_OK, 200, "0123456789", -1},
    {"over the cap", "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789x", ERR_NET, 0, NULL, 0},
    {"over the cap, unsaid", "HTTP/1.1 200 OK\r\n\r\n0123456789x", ERR_NET, 0, NULL, 0},
    {"cut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", ERR_NET, 0, NULL, 0},
    {"not HTTP", "what?\r\n\r\n", ERR_NET, 0, NULL, 0},
    {"nothing", "", ERR_NET, 0, NULL, 0},
};

static void test_answers(struct net *n, struct arena *a)
{
    struct script_server s = {.talk = script_http};
    script_start(&s);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct net_response r = {.status = 0};
        struct fault f;
        const struct net_request how = {.response_max = 10, .timeout_ms = 5000};
        s.answer = answers[i].answer;
        err_t e = get(n, a, s.port, "127.0.0.1", &how, &r, &f);
        CHECK_ROW(e == answers[i].want, answers[i].what);
        CHECK_ROW(r.status == answers[i].status, answers[i].what);
        if (e != ERR_OK) {
            CHECK_ROW(strcmp(f.detail, "the other server could not be reached") == 0, answers[i].what);
            continue;
        }
        CHECK_ROW(str_is(r.body, answers[i].body), answers[i].what);
        CHECK_ROW(r.max_age_s == answers[i].max_age_s, answers[i].what);
    }
    CHECK(s.connections == (int)(sizeof(answers) / sizeof(answers[0]))); /* the redirect went nowhere */
    script_stop(&s);
}

static void test_post(struct net *n, struct arena *a)
{
    struct script_server s = {.talk = script_http, .answer = "HTTP/1.1 204 No Content\r\n\r\n"};
    struct net_response r;
    struct fault f;
    const struct str headers[] = {STR("Content-Type: application/json"), STR("X-One: 1")};
    struct net_request how = {.method = "POST", .headers = {headers, 2}, .body = STR("{\"a\":1}")};
    script_start(&s);
    CHECK(get(n, a, s.port, "127.0.0.1", &how, &r, &f) == ERR_OK && r.status == 204);
    script_stop(&s);
    CHECK(strstr(s.heard, "POST /path?q=1 HTTP/1.1\r\n") == s.heard);
    CHECK(strstr(s.heard, "\r\nContent-Type: application/json\r\n") && strstr(s.heard, "\r\nX-One: 1\r\n"));
    CHECK(strstr(s.heard, "\r\n\r\n{\"a\":1}"));
    CHECK(!strcasestr(s.heard, "Expect:") && strcasestr(s.heard, "User-Agent: mereau/"));
    const struct str bad[] = {STR("X: y\r\nZ: 1")};
    how.headers = (struct strs){bad, 1};
    CHECK(get(n, a, s.port, "127.0.0.1", &how, &r, &f) != ERR_OK);
}

static void silence(struct script_server *s, int fd)
{
    script_until(s, fd, 0, "never");
}

static void test_time(struct net *n, struct arena *a)
{
    struct script_server s = {.talk = silence};
    struct net_response r;
    struct fault f;
    const struct net_request how = {.timeout_ms = 300};
    script_start(&s);
    CHECK(get(n, a, s.port, "127.0.0.1", &how, &r, &f) == ERR_NET);
    script_stop(&s);
}

/* The guard where it counts: the URL has passed, the address is what the name has turned into. */
static void test_guard(struct arena *a)
{
    struct script_server s = {.talk = script_http, .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    struct net *closed = net_with(NULL), *other = net_with("10.0.0.0/8");
    struct net_response r;
    struct fault f;
    const struct net_request how = {.timeout_ms = 2000};
    script_start(&s);
    setenv("http_proxy", arena_fmt(a, "http://127.0.0.1:%d", s.port).p, 1); /* the environment has no say */
    CHECK(get(closed, a, s.port, "127.0.0.1", &how, &r, &f) == ERR_NET_FORBIDDEN);
    CHECK(get(closed, a, s.port, "localhost", &how, &r, &f) == ERR_NET_FORBIDDEN);
    CHECK(get(other, a, s.port, "2130706433", &how, &r, &f) == ERR_NET_FORBIDDEN);
    unsetenv("http_proxy");
    for (int secure = 0; secure < 2; secure++) {
        struct transfer t = {.secure = secure};
        f = (struct fault){.code = ERR_OK};
        CHECK(transfer_begin(&t, closed, arena_fmt(a, "http://localhost:%d/", s.port).p, "http", 2000) ==
              ERR_OK);
        CHECK(transfer_run(&t, "test", &f) == ERR_NET && t.forbidden);
        transfer_end(&t);
    }
    script_stop(&s);
    CHECK(s.connections == 0);
    net_free(&closed);
    net_free(&other);
}

int main(void)
{
    struct arena *a = arena_new(4 * 1024 * 1024);
    struct net *n = net_with("127.0.0.0/8");
    test_answers(n, a);
    test_post(n, a);
    test_time(n, a);
    test_guard(a);
    net_free(&n);
    arena_free(&a);
    return unit_end("fetch");
}
