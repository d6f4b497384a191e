/* A server of the http layer alone, for its hostile tests, for load and for sanitizers: constant answers,
 * echoes, slow ones. Prints the port; ends on SIGTERM or SIGINT (draining for --grace seconds), reloads its
 * certificate on SIGHUP. */
#include "http/http.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void hello(struct http_req *req, struct http_resp *resp)
{
    (void)req;
    resp->content_type = "text/plain";
    resp->body = STR("hello, world\n");
}

static void echo(struct http_req *req, struct http_resp *resp)
{
    resp->content_type = "application/octet-stream";
    resp->body = req->body;
}

static int64_t number(struct http_req *req)
{
    int64_t n = 0;
    if (!str_to_int(req->query, &n))
        n = 0;
    return n;
}

static void slow(struct http_req *req, struct http_resp *resp)
{
    usleep((useconds_t)(number(req) * 1000));
    hello(req, resp);
}

static void big(struct http_req *req, struct http_resp *resp)
{
    size_t n = (size_t)number(req);
    char *p = arena_alloc(req->arena, n + 1);
    if (!p) {
        resp->status = 503;
        return;
    }
    memset(p, 'x', n);
    resp->content_type = "text/plain";
    resp->body = (struct str){p, n};
}

static void info(struct http_req *req, struct http_resp *resp)
{
    struct str cookie = http_req_cookie(req, "session");
    struct str agent = http_req_header(req, "x-test");

    resp->content_type = "application/json";
    resp->body = arena_fmt(
        req->arena,
        "{\"peer\":\"%s\",\"https\":%s,\"host\":\"%.*s\",\"path\":\"%.*s\",\"query\":\"%.*s\","
        "\"method\":%d,\"capture\":\"%.*s\",\"capture2\":\"%.*s\",\"cookie\":\"%.*s\",\"x\":\"%.*s\","
        "\"nx\":%zu,\"id\":\"%s\"}",
        req->peer, req->https ? "true" : "false", STR_ARG(req->host), STR_ARG(req->path), STR_ARG(req->query),
        (int)req->method, STR_ARG(req->captures[0]), STR_ARG(req->captures[1]), STR_ARG(cookie),
        STR_ARG(agent), http_req_header_count(req, "X-Test"), req->request_id);
}

static void headers(struct http_req *req, struct http_resp *resp)
{
    hello(req, resp);
    http_resp_header(resp, "Cache-Control", STR("max-age=60"));
    http_resp_header(resp, "X-Bad", STR("a\r\nX-Injected: 1"));
    http_resp_header(resp, "Set-Cookie", STR("a=1"));
    http_resp_header(resp, "Set-Cookie", STR("b=2"));
}

typedef void (*handler)(struct http_req *req, struct http_resp *resp);

static void handle(void *app, const struct route *route, struct http_req *req, struct http_resp *resp)
{
    (void)app;
    ((handler)(uintptr_t)route->endpoint)(req, resp);
}

#define RUN(fn) (const void *)(uintptr_t)(fn)
static const struct route routes[] = {
    {HTTP_GET, "/hello", ROUTE_INLINE, WORK_STORE, 0, RUN(hello)},
    {HTTP_GET, "/work", 0, WORK_STORE, 0, RUN(hello)},
    {HTTP_POST, "/echo", ROUTE_INLINE, WORK_STORE, 0, RUN(echo)},
    {HTTP_PUT, "/echo", ROUTE_INLINE, WORK_STORE, 0, RUN(echo)},
    {HTTP_POST, "/work-echo", 0, WORK_STORE, 0, RUN(echo)},
    {HTTP_POST, "/small", ROUTE_INLINE, WORK_STORE, 100, RUN(echo)},
    {HTTP_POST, "/large", 0, WORK_STORE, 8 * 1024 * 1024, RUN(echo)},
    {HTTP_GET, "/info", ROUTE_INLINE, WORK_STORE, 0, RUN(info)},
    {HTTP_GET, "/headers", ROUTE_INLINE, WORK_STORE, 0, RUN(headers)},
    {HTTP_GET, "/big", ROUTE_INLINE, WORK_STORE, 0, RUN(big)},
    {HTTP_GET, "/slow", 0, WORK_STORE, 0, RUN(slow)},
    {HTTP_GET, "/t/{tenant}/slow", 0, WORK_STORE, 0, RUN(slow)},
    {HTTP_GET, "/argon", 0, WORK_ARGON2, 0, RUN(slow)},
    {HTTP_GET, "/t/{tenant}/info", ROUTE_INLINE, WORK_STORE, 0, RUN(info)},
    {HTTP_GET, "/files/{name}/v/{rest*}", ROUTE_INLINE, WORK_STORE, 0, RUN(info)},
};
static const struct route management[] = {
    {HTTP_GET, "/livez", ROUTE_INLINE, WORK_STORE, 0, RUN(hello)},
};

struct args {
    struct http_config cfg;
    struct http_listener listeners[8];
    struct str trusted[16];
    unsigned grace_s;
};

static unsigned number_arg(const char *z)
{
    return (unsigned)strtoul(z, NULL, 10);
}

static void add_listener(struct args *a, const char *address, bool proxy, bool managed)
{
    a->listeners[a->cfg.nlisteners++] = (struct http_listener){address, proxy, managed};
}

static bool parse(struct args *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        unsigned *to;
    } numbers[] = {
        {"--events", &a->cfg.event_threads},
        {"--workers", &a->cfg.workers[WORK_STORE]},
        {"--queue", &a->cfg.queue_max[WORK_STORE]},
        {"--connections", &a->cfg.connections_max},
        {"--per-address", &a->cfg.connections_per_address},
        {"--header-s", &a->cfg.header_timeout_s},
        {"--body-s", &a->cfg.body_timeout_s},
        {"--idle-s", &a->cfg.idle_timeout_s},
        {"--grace", &a->grace_s},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].to = number_arg(value);
            return true;
        }
    if (strcmp(name, "--listen") == 0)
        add_listener(a, value, false, false);
    else if (strcmp(name, "--proxy") == 0)
        add_listener(a, value, true, false);
    else if (strcmp(name, "--management") == 0)
        add_listener(a, value, false, true);
    else if (strcmp(name, "--trust") == 0)
        a->trusted[a->cfg.trusted_proxies.n++] = str_z(value);
    else if (strcmp(name, "--cert") == 0)
        a->cfg.tls_cert = value;
    else if (strcmp(name, "--key") == 0)
        a->cfg.tls_key = value;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct args a = {.grace_s = 5};
    struct http_server *s = NULL;
    struct fault f = {0};
    sigset_t set;
    int got = 0;

    for (int i = 1; i + 1 < argc; i += 2)
        if (!parse(&a, argv[i], argv[i + 1]))
            return fprintf(stderr, "unknown argument %s\n", argv[i]), 2;
    if (a.cfg.nlisteners == 0)
        add_listener(&a, "127.0.0.1:0", false, false);
    a.cfg.listeners = a.listeners;
    a.cfg.trusted_proxies.v = a.trusted;
    a.cfg.routes = routes;
    a.cfg.nroutes = sizeof routes / sizeof routes[0];
    a.cfg.management_routes = management;
    a.cfg.nmanagement_routes = 1;
    a.cfg.handler = handle;
    a.cfg.metrics = metrics_new();
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (http_start(&a.cfg, &s, &f) != ERR_OK) {
        fprintf(stderr, "%s: %s\n", f.param, f.detail[0] ? f.detail : err_text(f.code));
        metrics_free(&a.cfg.metrics);
        return 1;
    }
    for (size_t i = 0; i < a.cfg.nlisteners; i++)
        printf("%d%s", http_port(s, i), i + 1 < a.cfg.nlisteners ? " " : "\n");
    fflush(stdout);
    while (sigwait(&set, &got) == 0 && (got == SIGHUP || got == SIGUSR1)) {
        if (got == SIGHUP && http_reload_tls(s, &f) != ERR_OK)
            fprintf(stderr, "%s: %s\n", f.param, f.detail);
        if (got == SIGUSR1) {
            struct buf b;
            buf_init(&b, NULL, 1 << 20);
            metrics_print(a.cfg.metrics, &b);
            fwrite(buf_view(&b).p, 1, buf_view(&b).n, stderr);
            buf_free(&b);
        }
    }
    http_stop(&s, a.grace_s);
    metrics_free(&a.cfg.metrics);
    return 0;
}
