/* The HTTP server: sockets, limits, threads, routing. It knows nothing of tokens; api/ gives it a table of routes.
 *
 * One libmicrohttpd event thread a core, fed by our acceptor. A route marked ROUTE_INLINE runs there (memory and point
 * reads only, on the thread's own read connection); every other request is suspended and handed to a worker class. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/clock.h"

struct db;
struct store;

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_HEAD, HTTP_METHODS };

struct http_header {
    struct str name, value;
};

/* One request, whole: body read, path and query split, nothing decoded but the path. Valid until the handler returns.
 * A request refused before its path was understood has an empty path, and one refused before its head was checked no
 * headers, host or peer either. */
struct http_req {
    enum http_method method;
    struct str path;         /* decoded, starts with '/', no '..', no empty segment but a last one */
    struct str query;        /* as sent, without '?' */
    struct str body;
    struct str host;         /* as the client sees it: Host, or from a trusted proxy X-Forwarded-Host; host[:port], well-formed;
                              * empty on HTTP/1.0 without one */
    bool https;              /* as the client sees it */
    char peer[46];           /* the client's address as text, through trusted proxies only (A84); "unix" on a Unix socket */
    char request_id[27];     /* ours, NUL-terminated; also sent as X-Request-Id */
    struct str captures[4];  /* the {name} segments of the matched route, in order */
    void *native;            /* for http_req_header(); NULL: no headers */
    struct arena *arena;     /* LIMIT_REQUEST_ARENA */
    struct db *db;           /* this thread's read connection */
};
struct str http_req_header(const struct http_req *r, const char *name); /* first value; STR_NONE if absent */
size_t http_req_header_count(const struct http_req *r, const char *name);
struct str http_req_cookie(const struct http_req *r, const char *name);

/* An answer. Bytes are in the request's arena or static. X-Request-Id is added, and Cache-Control: no-store unless there is
 * one. For HEAD the body is left out of what is sent. */
struct http_resp {
    int status;
    const char *content_type;
    struct str body;
    struct http_header headers[24];
    size_t nheaders;
};
void http_resp_header(struct http_resp *r, const char *name, struct str value); /* leaves out what holds CR, LF, NUL (A87) */

enum route_flag { ROUTE_INLINE = 1 };
enum worker_class { WORK_STORE, WORK_ARGON2, WORK_OUTGOING, WORK_CLASSES };
struct route {
    enum http_method method;
    const char *path;   /* "/t/{tenant}/token"; {name} is one segment, {name*} at the end the rest */
    unsigned flags;
    enum worker_class work;
    size_t body_max;    /* 0: LIMIT_BODY */
    const void *endpoint; /* api's row */
};
/* HEAD is served by the GET row (req->method says HEAD), OPTIONS without a row of its own is answered 204 with Allow.
 * Workers take turns between the tenants of rows that begin with /t/{tenant}; all other rows count as one tenant.
 * Fills *resp (status 0: 200). Runs on an event thread (ROUTE_INLINE) or on a worker; several run at once. */
typedef void (*http_handler)(void *app, const struct route *route, struct http_req *req, struct http_resp *resp);

struct http_listener {
    const char *address; /* "127.0.0.1:8080", "[::1]:8080", "unix:/run/mereau/http.sock", "fd:3" */
    bool proxy_protocol; /* PROXY v2 expected, from trusted_proxies only: others are dropped */
    bool management;     /* serves the management routes instead */
};
/* What it points to must stay as long as the server. */
struct http_config {
    const struct http_listener *listeners;
    size_t nlisteners;
    const struct route *routes; /* the public table */
    size_t nroutes;
    const struct route *management_routes;
    size_t nmanagement_routes;
    http_handler handler;
    /* Asked before a ROUTE_INLINE row runs on the event thread; false: a worker takes this request. NULL: all may. */
    bool (*may_inline)(const struct route *route, const struct http_req *req);
    /* Writes the answer for what never reaches a handler (404, 405, 400, 413, 431, 503): one voice for all errors. */
    void (*refuse)(void *app, const struct http_req *req, err_t e, struct http_resp *resp);
    void *app;
    struct store *store;          /* read connections for event threads and workers; may be NULL in tests */
    const char *tls_cert, *tls_key; /* both or neither; applies to TCP listeners that are not management */
    struct strs trusted_proxies;  /* "127.0.0.1", "10.0.0.0/8", "unix" (whoever may open the Unix sockets) */
    unsigned event_threads;       /* 0: one a core */
    unsigned workers[WORK_CLASSES]; /* 0: 32, cores - 1 (at least 1), 8 */
    unsigned queue_max[WORK_CLASSES]; /* 0: 1024, 64, 256 */
    unsigned connections_max;     /* 0: 20000, bounded by RLIMIT_NOFILE */
    unsigned connections_per_address; /* 0: no limit of its own (loopback and trusted proxies never have one) */
    unsigned header_timeout_s, body_timeout_s, idle_timeout_s; /* 0: 10, 30, 75 */
    const struct clock *clock;
    struct log *log;
    struct metrics *metrics;
};
struct http_server;
/* ERR_CONFIG for what is wrong in cfg, ERR_IO when an address cannot be listened on. Raises the soft limit of open files. */
err_t http_start(const struct http_config *cfg, struct http_server **ret, struct fault *f);
/* Stops accepting, lets requests under way finish (at most grace_s), then ends. */
void http_stop(struct http_server **s, unsigned grace_s);
err_t http_reload_tls(struct http_server *s, struct fault *f); /* keeps the old certificate on error */
int http_port(const struct http_server *s, size_t listener);   /* the bound port (for ":0") */
