/* Deadlines. A socket past its own is shut; its event thread then sees the end and cleans up. */
#include "http/server.h"
#include <linux/tcp.h>
#include <malloc.h>
#include <sys/socket.h>

enum { PROBE_EVERY = 4, IDLE_UNDER_PRESSURE_S = 5, TRIM_FROM = 500, TRIM_EVERY = 5 };

/* Bytes that have arrived so far; 0 where the kernel does not say (Unix sockets). */
static uint64_t bytes_received(int fd)
{
    struct tcp_info info;
    socklen_t n = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0 ||
        n < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return 0;
    return info.tcpi_bytes_received;
}

/* The library tells of a request when its first line is whole. Who sends that line a byte a minute on a kept
 * connection looks idle; here he is found out and given the time a header has. */
static void probe(struct http_server *s, struct conn *c)
{
    uint64_t seen = bytes_received(c->fd);
    uint32_t deadline = atomic_load_explicit(&c->deadline, memory_order_relaxed);
    uint32_t sooner = server_tick(s) + s->cfg.header_timeout_s + 1;
    uint32_t requests = atomic_load_explicit(&c->requests, memory_order_relaxed);

    if (c->probed != requests) {
        c->probed = requests;
        c->bytes_seen = seen;
    } else if (seen != c->bytes_seen && sooner < deadline) { /* unless a whole request comes meanwhile */
        atomic_compare_exchange_strong(&c->deadline, &deadline, sooner);
    }
}

static bool is_due(const struct http_server *s, const struct conn *c, bool pressure)
{
    uint32_t deadline = atomic_load_explicit(&c->deadline, memory_order_relaxed);
    uint32_t early =
        s->cfg.idle_timeout_s > IDLE_UNDER_PRESSURE_S ? s->cfg.idle_timeout_s - IDLE_UNDER_PRESSURE_S : 0;

    if (deadline == CONN_NO_DEADLINE)
        return false;
    if (pressure && atomic_load_explicit(&c->state, memory_order_relaxed) == CONN_IDLE)
        return deadline < server_tick(s) + early;
    return deadline < server_tick(s);
}

static void sweep_front(struct http_server *s, struct front *f, bool pressure, bool probing)
{
    pthread_mutex_lock(&f->lock);
    for (struct conn *c = f->conns; c; c = c->next) {
        if (is_due(s, c, pressure)) {
            c->swept = true;
            shutdown(c->fd, SHUT_RDWR);
        } else if (probing && atomic_load_explicit(&c->state, memory_order_relaxed) == CONN_IDLE) {
            probe(s, c);
        }
    }
    pthread_mutex_unlock(&f->lock);
}

/* After a crowd has left, what its connections took is given back to the system. */
static void trim_memory(struct http_server *s)
{
    unsigned now = atomic_load(&s->nconns);

    if (now > s->conns_peak)
        s->conns_peak = now;
    if (s->conns_peak < TRIM_FROM || now > s->conns_peak / 4 || server_tick(s) % TRIM_EVERY != 0)
        return;
    s->conns_peak = now;
    malloc_trim(0);
}

void sweep(struct http_server *s)
{
    static const char *const classes[WORK_CLASSES] = {"store", "argon2", "outgoing"};
    unsigned max = s->cfg.connections_max;
    bool pressure = atomic_load(&s->nconns) > max - max / 8;

    for (unsigned i = 0; i < s->nplain + s->ntls; i++)
        sweep_front(s, &s->fronts[i], pressure, server_tick(s) % PROBE_EVERY == 0);
    linger_sweep(s->linger);
    trim_memory(s);
    if (!s->cfg.metrics)
        return;
    metrics_set(s->cfg.metrics, METRIC_CONNECTIONS, NULL, atomic_load(&s->nconns));
    for (unsigned i = 0; i < WORK_CLASSES; i++)
        metrics_set(s->cfg.metrics, METRIC_QUEUE_DEPTH, classes[i], pool_waiting(s->pools[i]));
}

unsigned sweep_drain(struct http_server *s, bool also_new)
{
    unsigned busy = 0;

    for (unsigned i = 0; i < s->nplain + s->ntls; i++) {
        struct front *f = &s->fronts[i];
        pthread_mutex_lock(&f->lock);
        for (struct conn *c = f->conns; c; c = c->next) {
            uint8_t state = atomic_load_explicit(&c->state, memory_order_relaxed);
            if (state == CONN_IDLE || (also_new && state == CONN_NEW))
                shutdown(c->fd, SHUT_RDWR);
            else
                busy++;
        }
        pthread_mutex_unlock(&f->lock);
    }
    return busy;
}
