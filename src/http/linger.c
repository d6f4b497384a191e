/* A request refused before its body was read (413, 431, framing errors): the answer is out, the sending side
 * is shut, and here the rest is read and dropped until the client has seen the answer and closes (RFC 9112
 * section 9.6). A fixed number at a time, each with an end in time and bytes; above that a connection is
 * simply reset. */
#include "http/server.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINGER_S = 10, READ_AT_ONCE = 64 * 1024, READS_A_TURN = 16 };

struct leftover {
    int fd; /* -1: free */
    uint32_t deadline;
    size_t read;
};
struct leftovers {
    struct http_server *server;
    pthread_mutex_t lock;
    int epoll;
    struct leftover v[LIMIT_LINGER];
    char sink[READ_AT_ONCE];
};

struct leftovers *linger_new(struct http_server *s)
{
    struct leftovers *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->server = s;
    pthread_mutex_init(&l->lock, NULL);
    for (size_t i = 0; i < LIMIT_LINGER; i++)
        l->v[i].fd = -1;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0)
        linger_free(&l);
    return l;
}

static void leftover_close(struct leftover *o)
{
    close(o->fd);
    o->fd = -1;
}

void linger_free(struct leftovers **l)
{
    if (!*l)
        return;
    for (size_t i = 0; i < LIMIT_LINGER; i++)
        if ((*l)->v[i].fd >= 0)
            leftover_close(&(*l)->v[i]);
    if ((*l)->epoll >= 0)
        close((*l)->epoll);
    pthread_mutex_destroy(&(*l)->lock);
    free(*l);
    *l = NULL;
}

int linger_fd(const struct leftovers *l)
{
    return l->epoll;
}

void linger_add(struct leftovers *l, int fd)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP};
    uint32_t i = 0;

    shutdown(fd, SHUT_WR);
    pthread_mutex_lock(&l->lock);
    while (i < LIMIT_LINGER && l->v[i].fd >= 0)
        i++;
    if (i < LIMIT_LINGER) {
        e.data.u32 = i;
        l->v[i] = (struct leftover){fd, server_tick(l->server) + LINGER_S, 0};
        if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
            leftover_close(&l->v[i]);
    } else {
        close(fd);
    }
    pthread_mutex_unlock(&l->lock);
}

static void leftover_read(struct leftovers *l, struct leftover *o)
{
    for (unsigned i = 0; i < READS_A_TURN; i++) {
        ssize_t n = recv(o->fd, l->sink, sizeof l->sink, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0 || (o->read += (size_t)n) > LIMIT_BODY_DISCARD) {
            leftover_close(o);
            return;
        }
    }
}

void linger_serve(struct leftovers *l)
{
    struct epoll_event events[64];
    int n = epoll_wait(l->epoll, events, 64, 0);

    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < n; i++)
        if (l->v[events[i].data.u32].fd >= 0)
            leftover_read(l, &l->v[events[i].data.u32]);
    pthread_mutex_unlock(&l->lock);
}

void linger_sweep(struct leftovers *l)
{
    uint32_t now = server_tick(l->server);

    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < LIMIT_LINGER; i++)
        if (l->v[i].fd >= 0 && l->v[i].deadline < now)
            leftover_close(&l->v[i]);
    pthread_mutex_unlock(&l->lock);
}
