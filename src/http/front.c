/* A front: one libmicrohttpd daemon with one event thread. Its callbacks walk a request through its stages:
 * head checked, body read, handler run here or by a worker, answer queued, object given back. */
#include "http/server.h"
#include "store/store.h"
#include <sys/random.h>

enum { FRONT_CACHE_KIB = 4096 };

static struct conn *conn_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* The request line is in; the library is about to take the URI apart, so it is copied now. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct front *f = cls;
    struct conn *c = conn_of(mhd);
    struct request *r = c ? request_new(f) : NULL;

    if (!r)
        return NULL;
    if (atomic_load_explicit(&c->state, memory_order_relaxed) == CONN_IDLE)
        conn_state_set(c, CONN_HEADER, server_tick(f->server) + f->server->cfg.header_timeout_s + 1);
    atomic_fetch_add_explicit(&c->requests, 1, memory_order_relaxed);
    r->mhd = mhd;
    r->conn = c;
    r->uri_raw = uri;
    r->uri_raw_n = uri ? strlen(uri) : 0;
    r->uri = arena_str(r->req.arena, (struct str){uri, r->uri_raw_n});
    return r;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **ctx,
                         enum MHD_RequestTerminationCode toe)
{
    struct front *f = cls;
    struct request *r = *ctx;

    (void)mhd;
    (void)toe;
    *ctx = NULL;
    if (!r)
        return;
    if (r->answer)
        MHD_destroy_response(r->answer);
    /* a head the library itself refused ends its connection, which stays one in its head until then */
    if (r->stage != STAGE_HEADERS)
        conn_state_set(r->conn, CONN_IDLE, server_tick(f->server) + f->server->cfg.idle_timeout_s + 1);
    request_free(r);
}

/* The library must not touch the query: ours is parsed later, by tables. */
static size_t unescape_nothing(void *cls, struct MHD_Connection *mhd, char *s)
{
    (void)cls;
    (void)mhd;
    return strlen(s);
}

void front_run(struct front *f, struct db **db, size_t cache_kib, struct request *r)
{
    struct http_server *s = f->server;

    if (s->cfg.store && !*db && db_open(s->cfg.store, cache_kib, db) != ERR_OK) {
        refuse(r, ERR_STORE);
    } else {
        r->req.db = *db;
        s->cfg.handler(s->cfg.app, r->route, &r->req, &r->resp);
    }
    response_build(r);
}

static enum MHD_Result answer_refused(struct request *r)
{
    r->stage = STAGE_DONE;
    refuse(r, r->refused);
    response_build(r);
    return response_queue(r);
}

static enum MHD_Result answer_options(struct request *r)
{
    r->stage = STAGE_DONE;
    r->resp.status = 204;
    http_resp_header(&r->resp, "Allow", str_z(node_allow(r->node)));
    response_build(r);
    return response_queue(r);
}

/* All is in. */
static enum MHD_Result dispatch(struct front *f, struct request *r)
{
    struct http_server *s = f->server;

    r->start_ns = now_ns();
    if (r->refused != ERR_OK)
        return answer_refused(r);
    if (!r->route)
        return answer_options(r);
    conn_state_set(r->conn, CONN_WORK, CONN_NO_DEADLINE);
    if ((r->route->flags & ROUTE_INLINE) && (!s->cfg.may_inline || s->cfg.may_inline(r->route, &r->req))) {
        r->stage = STAGE_DONE;
        front_run(f, &f->db, FRONT_CACHE_KIB, r);
        return response_queue(r);
    }
    r->stage = STAGE_WORK;
    MHD_suspend_connection(r->mhd);
    pool_push(s->pools[r->route->work], r);
    return MHD_YES;
}

static enum MHD_Result take_head(struct front *f, struct request *r, const char *method, const char *version)
{
    check_headers(r, method, version);
    r->stage = STAGE_BODY;
    if (r->refused != ERR_OK && r->close) {
        r->conn->drain = true; /* an answer now ends the connection: the library reads no body then */
        return answer_refused(r);
    }
    if (r->chunked || r->content_length > 0)
        conn_state_set(r->conn, CONN_BODY, server_tick(f->server) + f->server->cfg.body_timeout_s + 1);
    return MHD_YES;
}

/* Once a body is being read the library takes no answer before its end: what is too much is dropped, up to a
 * limit. */
static enum MHD_Result take_body(struct request *r, const char *p, size_t *n)
{
    r->body_seen += *n;
    if (r->body_seen > request_body_max(r) && r->refused == ERR_OK) {
        r->refused = ERR_TOO_LARGE;
        r->close = true;
    }
    if (r->body_seen > LIMIT_BODY_DISCARD && r->refused != ERR_OK)
        return MHD_NO;
    if (r->refused == ERR_OK && !body_add(r, p, *n))
        r->refused = ERR_MEMORY;
    *n = 0;
    return MHD_YES;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                                 const char *version, const char *data, size_t *data_n, void **ctx)
{
    struct front *f = cls;
    struct request *r = *ctx;

    (void)url;
    (void)mhd;
    if (!r)
        return MHD_NO; /* out of memory */
    switch (r->stage) {
    case STAGE_HEADERS:
        return take_head(f, r, method, version);
    case STAGE_BODY:
        return *data_n ? take_body(r, data, data_n) : dispatch(f, r);
    case STAGE_WORK: /* not resumed yet */
        return MHD_YES;
    default:
        return response_queue(r);
    }
}

err_t front_start(struct http_server *s, struct front *f, bool tls, struct fault *fault)
{
    unsigned flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                     MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)tls_choose},
        {MHD_OPTION_END, 0, NULL},
    };

    f->server = s;
    f->tls = tls;
    pthread_mutex_init(&f->lock, NULL);
    if (getrandom(f->id_random, sizeof f->id_random, 0) != sizeof f->id_random)
        return fault_set(fault, ERR_IO, "", "no random bytes");
    f->id_random[0] |= 1; /* all zero would stay so */
    /* clang-format off */
    f->daemon = MHD_start_daemon(flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_access, f,
                                 MHD_OPTION_NOTIFY_CONNECTION, conn_notify, f,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, f,
                                 MHD_OPTION_URI_LOG_CALLBACK, on_uri, f,
                                 MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL,
                                 MHD_OPTION_CONNECTION_LIMIT, s->cfg.connections_max + 1,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_CONNECTION_POOL,
                                 MHD_OPTION_CONNECTION_TIMEOUT, 0u, /* ours are in sweep.c */
                                 MHD_OPTION_ARRAY, tls ? tls_options : tls_options + 2, MHD_OPTION_END);
    /* clang-format on */
    if (!f->daemon)
        return fault_set(fault, ERR_IO, "", "cannot start an event thread");
    return ERR_OK;
}

void front_stop(struct front *f)
{
    if (!f->server) /* never started */
        return;
    if (f->daemon)
        MHD_stop_daemon(f->daemon);
    f->daemon = NULL;
    if (f->db)
        db_close(&f->db);
    while (f->free) {
        struct request *r = f->free;
        f->free = r->next;
        arena_free(&r->req.arena);
        free(r);
    }
    pthread_mutex_destroy(&f->lock);
}
