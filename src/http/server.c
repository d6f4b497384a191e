/* The server as a whole: its configuration with the defaults, its parts in order, its end. */
#include "http/server.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FILES_FOR_OTHERS = 256 };

static unsigned or_else(unsigned v, unsigned initial)
{
    return v ? v : initial;
}

/* Raises the soft limit as far as allowed and returns how many connections fit under it. */
static unsigned connections_fit(unsigned wanted)
{
    struct rlimit l;
    rlim_t need = (rlim_t)wanted + FILES_FOR_OTHERS;

    if (getrlimit(RLIMIT_NOFILE, &l) != 0)
        return wanted;
    if (l.rlim_cur < need) {
        l.rlim_cur = l.rlim_max < need ? l.rlim_max : need;
        setrlimit(RLIMIT_NOFILE, &l);
        getrlimit(RLIMIT_NOFILE, &l);
    }
    if (l.rlim_cur >= need)
        return wanted;
    return (unsigned)(l.rlim_cur > 2 * FILES_FOR_OTHERS ? l.rlim_cur - FILES_FOR_OTHERS : l.rlim_cur / 2);
}

static void defaults(struct http_config *c)
{
    static const unsigned queue[WORK_CLASSES] = {1024, 64, 256};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = cores > 0 ? (unsigned)cores : 1;
    const unsigned workers[WORK_CLASSES] = {32, n > 1 ? n - 1 : 1, 8};

    for (unsigned i = 0; i < WORK_CLASSES; i++) {
        c->workers[i] = or_else(c->workers[i], workers[i]);
        c->queue_max[i] = or_else(c->queue_max[i], queue[i]);
    }
    c->event_threads = or_else(c->event_threads, n);
    c->connections_max = connections_fit(or_else(c->connections_max, 20000));
    c->header_timeout_s = or_else(c->header_timeout_s, 10);
    c->body_timeout_s = or_else(c->body_timeout_s, 30);
    c->idle_timeout_s = or_else(c->idle_timeout_s, 75);
    if (!c->clock)
        c->clock = &clock_system;
}

static err_t check_config(const struct http_config *c, const struct cidrs *trusted, struct fault *f)
{
    if (!c->tls_cert != !c->tls_key)
        return fault_set(f, ERR_CONFIG, "server.tls_cert", "certificate and key go together");
    for (size_t i = 0; i < c->nlisteners; i++)
        if (c->listeners[i].proxy_protocol && trusted->n == 0 && !trusted->local)
            return fault_set(
                f, ERR_CONFIG, "server.listen",
                "\"%s\" expects the PROXY protocol, but server.trusted_proxies names nobody who may speak it",
                c->listeners[i].address);
    return ERR_OK;
}

static err_t open_listeners(struct http_server *s, struct fault *f)
{
    const struct http_config *c = &s->cfg;

    s->listeners = calloc(c->nlisteners + 1, sizeof *s->listeners);
    if (!s->listeners)
        return fault_set(f, ERR_MEMORY, "", "%s", "");
    for (size_t i = 0; i < c->nlisteners; i++)
        s->listeners[i].fd = -1;
    for (size_t i = 0; i < c->nlisteners; i++)
        TRY(listen_open(&c->listeners[i], s->tls != NULL, &s->listeners[i], f));
    return ERR_OK;
}

static err_t make_parts(struct http_server *s, struct fault *f)
{
    const struct http_config *c = &s->cfg;

    TRY(router_new(c->routes, c->nroutes, &s->routers[0], f));
    TRY(router_new(c->management_routes, c->nmanagement_routes, &s->routers[1], f));
    if (c->tls_cert)
        TRY(tls_new(c, &s->tls, f));
    TRY(open_listeners(s, f));
    s->addresses = addr_table_new(c->connections_per_address);
    s->linger = linger_new(s);
    s->by_fd_n = (size_t)c->connections_max + 4 * FILES_FOR_OTHERS;
    s->by_fd = calloc(s->by_fd_n, sizeof *s->by_fd);
    /* with TLS the plain front is for management and Unix sockets */
    s->nplain = s->tls ? 1 : c->event_threads;
    s->ntls = s->tls ? c->event_threads : 0;
    s->fronts = calloc(s->nplain + s->ntls, sizeof *s->fronts);
    for (unsigned i = 0; i < WORK_CLASSES; i++)
        if (!(s->pools[i] = pool_new(s, (enum worker_class)i, c->workers[i], c->queue_max[i])))
            return fault_set(f, ERR_MEMORY, "", "%s", "");
    if (!s->addresses || !s->linger || !s->by_fd || !s->fronts)
        return fault_set(f, ERR_MEMORY, "", "%s", "");
    return ERR_OK;
}

static err_t start_threads(struct http_server *s, struct fault *f)
{
    for (unsigned i = 0; i < WORK_CLASSES; i++)
        if (!pool_start(s->pools[i]))
            return fault_set(f, ERR_IO, "", "cannot start a worker thread");
    for (unsigned i = 0; i < s->nplain + s->ntls; i++)
        TRY(front_start(s, &s->fronts[i], i >= s->nplain, f));
    return acceptor_start(s, f);
}

static void server_free(struct http_server *s)
{
    for (size_t i = 0; s->listeners && i < s->cfg.nlisteners; i++)
        listen_close(&s->listeners[i]);
    for (size_t i = 0; s->by_fd && i < s->by_fd_n; i++) {
        struct conn *c = atomic_load(&s->by_fd[i]); /* given to a front that ended before it took it */
        if (c)
            conn_free(s, c);
    }
    linger_free(&s->linger);
    addr_table_free(&s->addresses);
    tls_free(&s->tls);
    router_free(&s->routers[0]);
    router_free(&s->routers[1]);
    cidrs_free(&s->trusted);
    free((void *)s->by_fd);
    free(s->fronts);
    free(s->listeners);
    free(s);
}

/* Workers first: no connection may be suspended when its daemon ends. */
static void stop_parts(struct http_server *s)
{
    for (unsigned i = 0; i < WORK_CLASSES; i++)
        if (s->pools[i])
            pool_stop(s->pools[i]);
    for (unsigned i = 0; s->fronts && i < s->nplain + s->ntls; i++)
        front_stop(&s->fronts[i]);
    for (unsigned i = 0; i < WORK_CLASSES; i++)
        pool_free(&s->pools[i]);
}

err_t http_start(const struct http_config *cfg, struct http_server **ret, struct fault *f)
{
    struct http_server *s = calloc(1, sizeof *s);
    sigset_t all, before;
    err_t e;

    if (!s)
        return fault_set(f, ERR_MEMORY, "", "%s", "");
    s->cfg = *cfg;
    defaults(&s->cfg);
    s->start_ms = s->cfg.clock->steady_ms(s->cfg.clock->ctx);
    s->tick = 1;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    e = cidrs_parse(cfg->trusted_proxies, &s->trusted, f);
    if (e == ERR_OK)
        e = check_config(&s->cfg, &s->trusted, f);
    if (e == ERR_OK)
        e = make_parts(s, f);
    if (e == ERR_OK)
        e = start_threads(s, f);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e == ERR_OK)
        *ret = s;
    else
        http_stop(&s, 0);
    return e;
}

void http_stop(struct http_server **s, unsigned grace_s)
{
    if (!*s)
        return;
    atomic_store(&(*s)->stopping, true);
    acceptor_stop(*s, grace_s);
    stop_parts(*s);
    server_free(*s);
    *s = NULL;
}

err_t http_reload_tls(struct http_server *s, struct fault *f)
{
    return s->tls ? tls_reload(s->tls, f) : ERR_OK;
}

int http_port(const struct http_server *s, size_t listener)
{
    return listener < s->cfg.nlisteners ? s->listeners[listener].port : 0;
}
