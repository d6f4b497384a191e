/* A connection's own few bytes, from accept to close, and the count of connections by address. */
#include "http/server.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ADDR_BUCKETS = 1024 };

struct addr_slot {
    struct addr_slot *next;
    uint8_t b[16];
    unsigned count;
};
struct addr_table {
    pthread_mutex_t lock;
    unsigned per_address;
    struct addr_slot *buckets[ADDR_BUCKETS];
};

struct addr_table *addr_table_new(unsigned per_address)
{
    struct addr_table *t = calloc(1, sizeof *t);
    if (t) {
        t->per_address = per_address;
        pthread_mutex_init(&t->lock, NULL);
    }
    return t;
}

void addr_table_free(struct addr_table **t)
{
    if (!*t)
        return;
    for (size_t i = 0; i < ADDR_BUCKETS; i++)
        for (struct addr_slot *s = (*t)->buckets[i], *next; s; s = next) {
            next = s->next;
            free(s);
        }
    pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

/* IPv6 counts by /64: one customer holds that many addresses. */
static void addr_key(const struct addr *a, uint8_t ret[16])
{
    static const uint8_t v4_head[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(ret, a->b, 16);
    if (memcmp(ret, v4_head, sizeof v4_head) != 0)
        memset(ret + 8, 0, 8);
}

static struct addr_slot **addr_place(struct addr_table *t, const uint8_t key[16])
{
    uint64_t h[2];
    struct addr_slot **place;

    memcpy(h, key, 16);
    h[0] = (h[0] ^ h[1]) * 0x9e3779b97f4a7c15u;
    place = &t->buckets[h[0] >> 54];
    while (*place && memcmp((*place)->b, key, 16) != 0)
        place = &(*place)->next;
    return place;
}

bool addr_take(struct addr_table *t, const struct addr *a, struct addr_slot **ret)
{
    uint8_t key[16];
    struct addr_slot **place;
    bool taken = false;

    addr_key(a, key);
    pthread_mutex_lock(&t->lock);
    place = addr_place(t, key);
    if (!*place && (*place = calloc(1, sizeof **place)))
        memcpy((*place)->b, key, 16);
    if (*place && (*place)->count < t->per_address) {
        (*place)->count++;
        *ret = *place;
        taken = true;
    }
    pthread_mutex_unlock(&t->lock);
    return taken;
}

void addr_give(struct addr_table *t, struct addr_slot **slot)
{
    struct addr_slot **place, *s = *slot;

    if (!s)
        return;
    *slot = NULL;
    pthread_mutex_lock(&t->lock);
    if (--s->count == 0) {
        place = addr_place(t, s->b);
        *place = s->next;
        free(s);
    }
    pthread_mutex_unlock(&t->lock);
}

struct conn *conn_new(struct http_server *s, int fd, const struct addr *peer, const struct listener *l)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->fd = fd;
    c->peer = *peer;
    c->management = l->management;
    c->https = l->tls;
    conn_state_set(c, CONN_NEW, server_tick(s) + s->cfg.header_timeout_s + 1);
    atomic_fetch_add(&s->nconns, 1);
    return c;
}

void conn_free(struct http_server *s, struct conn *c)
{
    addr_give(s->addresses, &c->counted);
    tls_cred_give(&c->cred);
    atomic_fetch_sub(&s->nconns, 1);
    free(c);
}

static void conn_started(struct front *f, struct MHD_Connection *mhd, void **socket_context)
{
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct conn *c = atomic_load(&f->server->by_fd[fd]);

    *socket_context = c;
    pthread_mutex_lock(&f->lock);
    c->next = f->conns;
    if (c->next)
        c->next->prev = c;
    f->conns = c;
    pthread_mutex_unlock(&f->lock);
}

/* Closing a socket with bytes unread resets it, and the client may lose the answer it has not read yet. */
static bool leaves_bytes(const struct conn *c)
{
    uint8_t state = atomic_load_explicit(&c->state, memory_order_relaxed);
    char byte;
    ssize_t n;

    if (c->swept || (!c->drain && state != CONN_NEW && state != CONN_HEADER))
        return false;
    n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n != 0;
}

static void conn_closed(struct front *f, struct conn *c)
{
    pthread_mutex_lock(&f->lock); /* from here on the sweeper does not know the socket */
    if (c->prev)
        c->prev->next = c->next;
    else
        f->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    pthread_mutex_unlock(&f->lock);
    if (!atomic_load(&f->server->stopping) && leaves_bytes(c)) {
        int fd = dup(c->fd); /* the library closes its own */
        if (fd >= 0)
            linger_add(f->server->linger, fd);
    }
    atomic_store(&f->server->by_fd[c->fd], NULL);
    atomic_fetch_sub(&f->nconns, 1);
    conn_free(f->server, c);
}

void conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                 enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        conn_started(cls, mhd, socket_context);
    else if (*socket_context)
        conn_closed(cls, *socket_context);
}
