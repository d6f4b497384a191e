/* What systemd asks of a Type=notify service, by its documented protocol (sd_notify(3), sd_listen_fds(3)): a
 * datagram to NOTIFY_SOCKET, sockets from number 3 on, a watchdog. */
#include "app/app.h"
#include <fcntl.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3

void systemd_notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof addr.sun_path)
        return;
    memcpy(addr.sun_path, path, strlen(path));
    if (path[0] == '@')
        addr.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    ssize_t sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&addr, n);
    (void)sent; /* nobody to tell */
    close(fd);
}

static bool env_number(const char *name, int64_t *ret)
{
    const char *v = getenv(name);
    return v && str_to_int(str_z(v), ret);
}

/* Variables with a pid are meant for that process alone. */
static bool for_us(const char *pid_name)
{
    int64_t pid;
    return !getenv(pid_name) || (env_number(pid_name, &pid) && pid == getpid());
}

int64_t systemd_watchdog_ms(void)
{
    int64_t us;
    return env_number("WATCHDOG_USEC", &us) && us >= 2000 && for_us("WATCHDOG_PID") ? us / 2000 : 0;
}

bool systemd_fd_is_loopback(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a;
    socklen_t n = sizeof a;
    if (getsockname(fd, &a.any, &n) < 0)
        return false;
    if (a.any.sa_family == AF_INET)
        return ntohl(a.v4.sin_addr.s_addr) >> 24 == 127;
    return a.any.sa_family == AF_UNIX ||
           (a.any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr));
}

void systemd_listen_fds(struct systemd_fds *ret)
{
    int64_t n;
    *ret = (struct systemd_fds){0};
    if (getenv("LISTEN_PID") && for_us("LISTEN_PID") && env_number("LISTEN_FDS", &n) && n > 0) {
        struct str rest = str_z(getenv("LISTEN_FDNAMES"));
        for (int i = 0; i < n && i < SYSTEMD_FDS_MAX; i++) {
            struct str name = STR_NONE;
            if (rest.n) {
                name = (struct str){rest.p, str_find(rest, ':')};
                size_t used = name.n < rest.n ? name.n + 1 : name.n;
                rest = (struct str){rest.p + used, rest.n - used};
            }
            ret->v[i].fd = FIRST_FD + i;
            snprintf(ret->v[i].name, sizeof ret->v[i].name, "%.*s", STR_ARG(name));
            fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC);
            ret->n++;
        }
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}
