/* A server that says what the test wants, one connection after another, and keeps what it heard. */
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct script_server {
    int fd, port;
    pthread_t thread;
    void (*talk)(struct script_server *s, int fd);
    const char *answer; /* HTTP: the whole of it */
    _Atomic int connections, served; /* begun, ended */
    char heard[64 * 1024];
    size_t nheard;
};

static inline void *script_main(void *arg)
{
    struct script_server *s = arg;
    int fd;
    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        s->connections++;
        s->nheard = 0;
        s->talk(s, fd);
        s->heard[s->nheard] = '\0';
        shutdown(fd, SHUT_WR);
        close(fd);
        s->served++;
    }
    return NULL;
}

static inline void script_start(struct script_server *s)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(sa);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&sa, n) != 0 || listen(s->fd, 8) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&sa, &n) != 0)
        abort();
    s->port = ntohs(sa.sin_port);
    if (pthread_create(&s->thread, NULL, script_main, s) != 0)
        abort();
}

static inline void script_stop(struct script_server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

/* Until what was heard is all there and stays. */
static inline void script_settle(struct script_server *s)
{
    while (s->served != s->connections)
        usleep(1000);
}

/* Reads until what was heard since `from` holds `end`. */
static inline int script_until(struct script_server *s, int fd, size_t from, const char *end)
{
    while (!memmem(s->heard + from, s->nheard - from, end, strlen(end))) {
        ssize_t n = read(fd, s->heard + s->nheard, sizeof(s->heard) - 1 - s->nheard);
        if (n <= 0)
            return -1;
        s->nheard += (size_t)n;
    }
    return 0;
}

static inline void script_say(int fd, const char *text)
{
    for (size_t n = strlen(text); n;) {
        ssize_t w = send(fd, text, n, MSG_NOSIGNAL);
        if (w <= 0)
            return;
        text += w;
        n -= (size_t)w;
    }
}

/* One HTTP request with its Content-Length body, one answer. */
static inline void script_http(struct script_server *s, int fd)
{
    if (script_until(s, fd, 0, "\r\n\r\n") != 0)
        return;
    s->heard[s->nheard] = '\0';
    const char *length = strcasestr(s->heard, "content-length:");
    size_t body = length ? (size_t)atoi(length + 15) : 0,
           head = (size_t)(strstr(s->heard, "\r\n\r\n") + 4 - s->heard);
    while (s->nheard < head + body) {
        ssize_t n = read(fd, s->heard + s->nheard, sizeof(s->heard) - 1 - s->nheard);
        if (n <= 0)
            return;
        s->nheard += (size_t)n;
    }
    s->heard[s->nheard] = '\0';
    script_say(fd, s->answer);
}
