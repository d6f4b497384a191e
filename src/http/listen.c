/* Listening sockets: TCP over IPv4 and IPv6, Unix sockets, and those systemd hands over ("fd:3"). */
#include "http/server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static err_t wrong(const char *address, const char *what, struct fault *f)
{
    return fault_set(f, ERR_CONFIG, "server.listen", "\"%s\": %s", address, what);
}

static err_t failed(const char *address, int fd, struct fault *f)
{
    int eno = errno;
    if (fd >= 0)
        close(fd);
    return fault_set(f, ERR_IO, "server.listen", "cannot listen on %s: %s", address, strerror(eno));
}

/* "127.0.0.1:8080" or "[::1]:8080"; the length of *ret, 0 if it is neither. */
static socklen_t parse_tcp(struct str text, struct sockaddr_storage *ret)
{
    size_t colon = text.n;
    int64_t port;
    struct addr a;

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || !str_to_int((struct str){text.p + colon, text.n - colon}, &port) || port < 0 ||
        port > 65535)
        return 0;
    text.n = colon - 1;
    memset(ret, 0, sizeof *ret);
    if (text.p[0] != '[' && memchr(text.p, ':', text.n))
        return 0;
    if (!addr_parse(text, &a))
        return 0;
    if (text.p[0] == '[') {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ret;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        memcpy(&in6->sin6_addr, a.b, 16);
        return sizeof *in6;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)ret;
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    memcpy(&in->sin_addr, a.b + 12, 4);
    return sizeof *in;
}

static err_t open_tcp(const char *address, int *ret_fd, struct fault *f)
{
    struct sockaddr_storage sa;
    socklen_t n = parse_tcp(str_z(address), &sa);
    int fd, one = 1;

    if (n == 0)
        return wrong(address, "expected \"127.0.0.1:8080\", \"[::1]:8080\", \"unix:/path\" or \"fd:3\"", f);
    fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return failed(address, fd, f);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (sa.ss_family == AF_INET6) /* [::] takes IPv4 too only where it is asked for by name */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&sa, n) != 0 || listen(fd, BACKLOG) != 0)
        return failed(address, fd, f);
    *ret_fd = fd;
    return ERR_OK;
}

/* A socket file nobody answers on is what a killed process left. */
static bool is_stale(const struct sockaddr_un *un)
{
    struct stat st;
    int fd;
    bool stale;

    if (lstat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    stale = connect(fd, (const struct sockaddr *)un, sizeof *un) != 0 && errno == ECONNREFUSED;
    close(fd);
    return stale;
}

static err_t open_unix(const char *address, const char *path, struct listener *ret, struct fault *f)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd;

    if (path[0] != '/' || strlen(path) >= sizeof un.sun_path)
        return wrong(address, "the path must be absolute and shorter than 108 bytes", f);
    strcpy(un.sun_path, path);
    if (is_stale(&un))
        unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof un) != 0)
        return failed(address, fd, f);
    if (chmod(path, 0660) != 0 || listen(fd, BACKLOG) != 0) {
        err_t e = failed(address, fd, f);
        unlink(path);
        return e;
    }
    strcpy(ret->unix_path, path);
    ret->fd = fd;
    return ERR_OK;
}

static err_t take_fd(const char *address, int *ret_fd, struct fault *f)
{
    int64_t fd;
    int listens = 0;
    socklen_t n = sizeof listens;

    if (!str_to_int(str_z(address + 3), &fd) || fd < 3 || fd > 1023)
        return wrong(address, "expected \"fd:3\" or higher", f);
    if (getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0 || !listens)
        return wrong(address, "this is no listening socket", f);
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    fcntl((int)fd, F_SETFL, fcntl((int)fd, F_GETFL) | O_NONBLOCK);
    *ret_fd = (int)fd;
    return ERR_OK;
}

static void learn_name(struct listener *l)
{
    struct sockaddr_storage sa = {0};
    socklen_t n = sizeof sa;

    if (getsockname(l->fd, (struct sockaddr *)&sa, &n) != 0)
        return;
    l->local = sa.ss_family == AF_UNIX;
    if (sa.ss_family == AF_INET)
        l->port = ntohs(((struct sockaddr_in *)(void *)&sa)->sin_port);
    else if (sa.ss_family == AF_INET6)
        l->port = ntohs(((struct sockaddr_in6 *)(void *)&sa)->sin6_port);
}

err_t listen_open(const struct http_listener *l, bool tls, struct listener *ret, struct fault *f)
{
    struct listener made = {.fd = -1, .proxy_protocol = l->proxy_protocol, .management = l->management};

    if (strncmp(l->address, "unix:", 5) == 0)
        TRY(open_unix(l->address, l->address + 5, &made, f));
    else if (strncmp(l->address, "fd:", 3) == 0)
        TRY(take_fd(l->address, &made.fd, f));
    else
        TRY(open_tcp(l->address, &made.fd, f));
    learn_name(&made);
    made.tls = tls && !made.management && !made.local;
    *ret = made;
    return ERR_OK;
}

void listen_close(struct listener *l)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->unix_path[0])
        unlink(l->unix_path);
    l->fd = -1;
    l->unix_path[0] = 0;
}
