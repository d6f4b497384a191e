/* From a filled http_resp to the library's response, and the answers nobody writes a handler for. */
#include "http/server.h"
#include <time.h>

void http_resp_header(struct http_resp *r, const char *name, struct str value)
{
    if (r->nheaders == sizeof r->headers / sizeof r->headers[0] || !value.p)
        return;
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == '\r' || value.p[i] == '\n' || value.p[i] == 0)
            return;
    r->headers[r->nheaders++] = (struct http_header){str_z(name), value};
}

static void resp_clear(struct http_resp *r)
{
    r->status = 0;
    r->content_type = NULL;
    r->body = STR_NONE;
    r->nheaders = 0;
}

void refuse(struct request *r, err_t e)
{
    const struct http_config *cfg = &r->front->server->cfg;

    r->refused = e;
    resp_clear(&r->resp);
    if (cfg->refuse) {
        cfg->refuse(cfg->app, &r->req, e, &r->resp);
    } else {
        r->resp.content_type = "text/plain; charset=utf-8";
        r->resp.body = str_z(err_text(e));
    }
    if (r->resp.status == 0)
        r->resp.status = err_http(e);
    if (e == ERR_METHOD && r->node)
        http_resp_header(&r->resp, "Allow", str_z(node_allow(r->node)));
    if (r->resp.status == 503)
        http_resp_header(&r->resp, "Retry-After", STR("1"));
    if (cfg->log)
        log_write(cfg->log, LOG_DEBUG, (struct str){r->req.request_id, 26}, "http.refused", "%s from %s",
                  err_name(e), r->req.peer);
}

/* The library wants C strings. */
static void add_header(struct request *r, const char *name, struct str value)
{
    char short_value[512];
    const char *z = short_value;

    if (value.n < sizeof short_value) {
        memcpy(short_value, value.p, value.n);
        short_value[value.n] = 0;
    } else {
        z = arena_cstr(r->req.arena, value);
    }
    if (z)
        MHD_add_response_header(r->answer, name, z);
}

void response_build(struct request *r)
{
    struct http_resp *resp = &r->resp;
    bool cache_said = false;

    if (resp->status == 0)
        resp->status = 200;
    r->answer = MHD_create_response_from_buffer(
        resp->body.n, (void *)(uintptr_t)(resp->body.p ? resp->body.p : ""), MHD_RESPMEM_PERSISTENT);
    if (!r->answer)
        return;
    if (resp->content_type)
        MHD_add_response_header(r->answer, "Content-Type", resp->content_type);
    MHD_add_response_header(r->answer, "X-Request-Id", r->req.request_id);
    for (size_t i = 0; i < resp->nheaders; i++) {
        const struct http_header *h = &resp->headers[i];
        cache_said = cache_said || str_eq_nocase(h->name, STR("Cache-Control"));
        add_header(r, h->name.p, h->value);
    }
    if (!cache_said)
        MHD_add_response_header(r->answer, "Cache-Control", "no-store");
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void observe(struct request *r)
{
    char label[256];
    const char *route = r->route ? r->route->path : "other";
    size_t n = strlen(route);
    unsigned status = (unsigned)r->resp.status;

    if (!r->front->server->cfg.metrics || n > sizeof label - 5)
        return;
    memcpy(label, route, n);
    label[n] = ',';
    label[n + 1] = (char)('0' + status / 100 % 10);
    label[n + 2] = (char)('0' + status / 10 % 10);
    label[n + 3] = (char)('0' + status % 10);
    label[n + 4] = 0;
    metrics_observe(r->front->server->cfg.metrics, METRIC_HTTP_DURATION, label,
                    r->start_ns ? (int64_t)((now_ns() - r->start_ns) / 1000) : 0);
}

enum MHD_Result response_queue(struct request *r)
{
    struct http_server *s = r->front->server;
    enum { SLOWEST_BYTES_S = 8192 }; /* a reader slower than this is cut off */
    uint32_t time = s->cfg.body_timeout_s + (uint32_t)(r->resp.body.n / SLOWEST_BYTES_S);
    enum MHD_Result done;

    if (!r->answer)
        return MHD_NO;
    if (r->close || atomic_load_explicit(&s->stopping, memory_order_relaxed))
        MHD_add_response_header(r->answer, "Connection", "close");
    conn_state_set(r->conn, CONN_SEND, server_tick(s) + time + 1);
    observe(r);
    done = MHD_queue_response(r->mhd, (unsigned)r->resp.status, r->answer);
    MHD_destroy_response(r->answer);
    r->answer = NULL;
    return done;
}
