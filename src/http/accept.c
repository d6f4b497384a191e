/* The acceptor: takes connections from all listeners, reads PROXY headers, keeps the limits on their number
 * and hands them to the front with the fewest. Its thread is also the sweeper's and drains at the end. */
#include "http/server.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { ACCEPTS_A_TURN = 64, DRAIN_MS = 20, DRAIN_NEW_MS = 500, TICK_MS = 1000, NO_FD_PAUSE_MS = 50 };
#define WAKE   UINT64_MAX
#define LINGER (UINT64_MAX - 1)

struct acceptor {
    struct http_server *server;
    pthread_t thread;
    int epoll, wake;
    _Atomic int grace_ms; /* -1: not stopping */
    struct conn *pending; /* their PROXY header has not come yet */
};

static int64_t now_ms(const struct http_server *s)
{
    return s->cfg.clock->steady_ms(s->cfg.clock->ctx);
}

static void drop(struct http_server *s, struct conn *c)
{
    close(c->fd);
    conn_free(s, c);
}

static struct front *choose_front(struct http_server *s, bool tls)
{
    struct front *v = tls ? s->fronts + s->nplain : s->fronts, *best = v;
    unsigned n = tls ? s->ntls : s->nplain;

    for (unsigned i = 1; i < n; i++)
        if (atomic_load(&v[i].nconns) < atomic_load(&best->nconns))
            best = &v[i];
    return best;
}

/* The connection is known by address now: count it, and give it away. */
static void hand_over(struct http_server *s, struct conn *c, bool tls)
{
    struct sockaddr sa = {.sa_family = AF_UNSPEC}; /* the library needs none: we know our peers */
    bool limited = s->cfg.connections_per_address && !addr_is_loopback(&c->peer);
    int fd = c->fd;

    c->trusted = cidrs_has(&s->trusted, &c->peer);
    addr_print(&c->peer, c->peer_text);
    if (limited && !c->trusted && !addr_take(s->addresses, &c->peer, &c->counted)) {
        drop(s, c);
        return;
    }
    c->front = choose_front(s, tls);
    atomic_fetch_add(&c->front->nconns, 1);
    atomic_store(&s->by_fd[fd], c);
    if (MHD_add_connection(c->front->daemon, fd, &sa, sizeof sa) != MHD_YES) { /* it has closed the socket */
        atomic_store(&s->by_fd[fd], NULL);
        atomic_fetch_sub(&c->front->nconns, 1);
        conn_free(s, c);
    }
}

static void pending_add(struct acceptor *a, struct conn *c, const struct listener *l)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};

    /* who may speak for others must be known by address */
    if (!cidrs_has(&a->server->trusted, &c->peer) || epoll_ctl(a->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0) {
        drop(a->server, c);
        return;
    }
    c->https = l->tls;
    c->next = a->pending;
    if (c->next)
        c->next->prev = c;
    a->pending = c;
}

static void pending_remove(struct acceptor *a, struct conn *c)
{
    epoll_ctl(a->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    if (c->prev)
        c->prev->next = c->next;
    else
        a->pending = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->prev = c->next = NULL;
}

static void pending_read(struct acceptor *a, struct conn *c)
{
    uint8_t bytes[LIMIT_PROXY_HEADER];
    struct proxy_header h;
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    enum proxy_verdict v;
    bool tls = c->https;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    v = n > 0 ? proxy_parse(bytes, (size_t)n, &h) : PROXY_BAD;
    if (v == PROXY_MORE) {
        /* what is there was looked at only: without edge triggering it would be reported again at once */
        struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c};
        if (epoll_ctl(a->epoll, EPOLL_CTL_MOD, c->fd, &e) == 0)
            return;
    }
    pending_remove(a, c);
    if (v != PROXY_OK || recv(c->fd, bytes, h.size, MSG_DONTWAIT) != (ssize_t)h.size) {
        drop(a->server, c);
        return;
    }
    if (h.has_client)
        c->peer = h.client;
    c->https = tls || h.https;
    hand_over(a->server, c, tls);
}

static void pending_sweep(struct acceptor *a)
{
    for (struct conn *c = a->pending, *next; c; c = next) {
        next = c->next;
        if (c->deadline < server_tick(a->server)) {
            pending_remove(a, c);
            drop(a->server, c);
        }
    }
}

static void greet(struct acceptor *a, int fd, const struct sockaddr *sa, const struct listener *l)
{
    struct http_server *s = a->server;
    struct addr peer;
    struct conn *c;
    int one = 1;

    if (atomic_load(&s->nconns) >= s->cfg.connections_max || (size_t)fd >= s->by_fd_n) {
        close(fd);
        return;
    }
    addr_from_sockaddr(sa, &peer);
    c = conn_new(s, fd, &peer, l);
    if (!c) {
        close(fd);
        return;
    }
    if (!peer.local)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (l->proxy_protocol)
        pending_add(a, c, l);
    else
        hand_over(s, c, l->tls);
}

static void accept_some(struct acceptor *a, const struct listener *l)
{
    for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage sa = {.ss_family = AF_UNIX};
        socklen_t n = sizeof sa;
        int fd = accept4(l->fd, (struct sockaddr *)&sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            greet(a, fd, (struct sockaddr *)&sa, l);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            usleep(NO_FD_PAUSE_MS * 1000); /* the listener stays readable: do not spin */
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static void serve_event(struct acceptor *a, const struct epoll_event *e)
{
    uint64_t spent;

    if (e->data.u64 == WAKE)
        (void)!read(a->wake, &spent, sizeof spent);
    else if (e->data.u64 == LINGER)
        linger_serve(a->server->linger);
    else if (e->data.u64 < a->server->cfg.nlisteners)
        accept_some(a, &a->server->listeners[e->data.u64]);
    else
        pending_read(a, e->data.ptr);
}

static void tick(struct acceptor *a, int64_t *next_ms)
{
    struct http_server *s = a->server;
    int64_t now = now_ms(s);

    if (now < *next_ms)
        return;
    *next_ms = now + TICK_MS;
    atomic_store_explicit(&s->tick, (uint32_t)((now - s->start_ms) / 1000) + 1, memory_order_relaxed);
    sweep(s);
    pending_sweep(a);
}

/* No more connections; those at rest are shut; the rest has until the end of grace. */
static void drain(struct acceptor *a, int64_t *next_tick_ms)
{
    struct http_server *s = a->server;
    struct epoll_event events[16];
    int64_t start = now_ms(s), end = start + atomic_load(&a->grace_ms);

    for (size_t i = 0; i < s->cfg.nlisteners; i++)
        listen_close(&s->listeners[i]);
    while (a->pending) {
        struct conn *c = a->pending;
        pending_remove(a, c);
        drop(s, c);
    }
    while (now_ms(s) < end && sweep_drain(s, now_ms(s) - start > DRAIN_NEW_MS) > 0) {
        int n = epoll_wait(a->epoll, events, 16, DRAIN_MS);
        for (int i = 0; i < n; i++)
            serve_event(a, &events[i]);
        tick(a, next_tick_ms);
    }
}

static void *run(void *arg)
{
    struct acceptor *a = arg;
    struct epoll_event events[64];
    int64_t next_ms = 0;

    pthread_setname_np(pthread_self(), "http-accept");
    while (atomic_load(&a->grace_ms) < 0) {
        int64_t wait = next_ms - now_ms(a->server);
        int n = epoll_wait(a->epoll, events, 64, wait < 0 ? 0 : wait > TICK_MS ? TICK_MS : (int)wait + 1);
        for (int i = 0; i < n; i++)
            serve_event(a, &events[i]);
        tick(a, &next_ms);
    }
    drain(a, &next_ms);
    return NULL;
}

static void acceptor_free(struct acceptor *a)
{
    if (a->epoll >= 0)
        close(a->epoll);
    if (a->wake >= 0)
        close(a->wake);
    free(a);
}

static bool watch(struct acceptor *a, int fd, uint64_t what)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = what};
    return epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

err_t acceptor_start(struct http_server *s, struct fault *f)
{
    struct acceptor *a = calloc(1, sizeof *a);
    bool ok;

    if (!a)
        return fault_set(f, ERR_MEMORY, "", "%s", "");
    a->server = s;
    a->grace_ms = -1;
    a->epoll = epoll_create1(EPOLL_CLOEXEC);
    a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ok = a->epoll >= 0 && a->wake >= 0 && watch(a, a->wake, WAKE) && watch(a, linger_fd(s->linger), LINGER);
    for (size_t i = 0; ok && i < s->cfg.nlisteners; i++)
        ok = watch(a, s->listeners[i].fd, i);
    if (!ok || pthread_create(&a->thread, NULL, run, a) != 0) {
        acceptor_free(a);
        return fault_set(f, ERR_IO, "", "cannot start the acceptor: %s", strerror(errno));
    }
    s->acceptor = a;
    return ERR_OK;
}

void acceptor_stop(struct http_server *s, unsigned grace_s)
{
    struct acceptor *a = s->acceptor;
    uint64_t one = 1;

    if (!a)
        return;
    atomic_store(&a->grace_ms, grace_s > 3600 ? 3600 * 1000 : (int)grace_s * 1000);
    (void)!write(a->wake, &one, sizeof one);
    pthread_join(a->thread, NULL);
    acceptor_free(a);
    s->acceptor = NULL;
}
