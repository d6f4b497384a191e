/* The server's side of the control socket: data/control.sock, mode 0600, and only the server's own user or
 * root is heard. Each call has a thread, a connection and an arena of its own; LIMIT_CONTROL_CALLS at once.
 */
#include "app/app.h"
#include "token/tenant.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CALL_ARENA   (LIMIT_CONTROL_REQUEST * 2L)
#define CALL_TIMEOUT 30 /* seconds to send the request */

struct control {
    struct app *app;
    int listener, wake[2];
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    unsigned calls;
};
struct session_call {
    struct control *control;
    int fd;
    uid_t uid;
    struct cli_call call;
    struct buf out, err;
};

static void flush(void *ctx)
{
    struct session_call *c = ctx;
    if (c->out.n)
        cli_frame_send(c->fd, 'o', buf_view(&c->out));
    if (c->err.n)
        cli_frame_send(c->fd, 'e', buf_view(&c->err));
    c->out.n = c->err.n = 0;
}

static const char *user_name(struct arena *a, uid_t uid)
{
    struct passwd pw, *hit = NULL;
    char room[2048];
    const char *name =
        getpwuid_r(uid, &pw, room, sizeof room, &hit) == 0 && hit ? arena_cstr(a, str_z(pw.pw_name)) : NULL;
    return name ? name : arena_fmt(a, "uid %u", (unsigned)uid).p;
}

static int answer_request(struct session_call *c, struct arena *a, struct str text)
{
    struct app_host host = {.app = c->control->app, .config = c->control->app->config};
    struct cli_request req;
    struct cli_call *call = &c->call;
    if (cli_request_read(a, text, &req) != ERR_OK)
        return cli_refuse(call, 1, "the request was not understood");
    host.line = &req.line;
    req.place.data_dir = host.app->data_dir;
    req.place.master_key_file = host.app->master_key_file;
    req.place.user = user_name(a, c->uid);
    *call = (struct cli_call){.arena = a,
                              .argc = req.line.argc,
                              .argv = req.line.argv,
                              .json = req.line.json,
                              .out = &c->out,
                              .err = &c->err,
                              .flush = flush,
                              .flush_ctx = c,
                              .input = req.input,
                              .options = req.line.options,
                              .noptions = req.line.noptions,
                              .place = &req.place};
    call->command = app_find_command(req.words);
    if (!call->command)
        return cli_refuse(call, 1,
                          "the running server (version " MEREAU_VERSION ") does not know the command \"%s\"",
                          req.words);
    return app_run_command(host.app, call, &host);
}

static void *serve_call(void *ctx)
{
    struct session_call *c = ctx;
    struct control *control = c->control;
    struct arena *a = arena_new(CALL_ARENA);
    struct str text;
    char kind;
    buf_init(&c->out, NULL, LIMIT_CLI_OUT);
    buf_init(&c->err, NULL, LIMIT_BODY);
    c->call = (struct cli_call){.out = &c->out, .err = &c->err};
    if (a && cli_frame_recv(c->fd, a, LIMIT_CONTROL_REQUEST, &kind, &text) && kind == 'q') {
        char status = (char)answer_request(c, a, text);
        flush(c);
        cli_frame_send(c->fd, 'x', (struct str){&status, 1});
    }
    close(c->fd);
    buf_free(&c->out);
    buf_free(&c->err);
    arena_free(&a);
    free(c);
    pthread_mutex_lock(&control->lock);
    control->calls--;
    pthread_cond_broadcast(&control->idle);
    pthread_mutex_unlock(&control->lock);
    return NULL;
}

static bool peer_allowed(int fd, uid_t *ret_uid)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
        return false;
    *ret_uid = cred.uid;
    return cred.uid == 0 || cred.uid == geteuid();
}

static void take_call(struct control *c, int fd)
{
    struct session_call *call = calloc(1, sizeof *call);
    struct timeval wait = {CALL_TIMEOUT, 0};
    pthread_attr_t attr;
    pthread_t t;
    if (!call || !peer_allowed(fd, &call->uid)) {
        free(call);
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    call->control = c;
    call->fd = fd;
    pthread_mutex_lock(&c->lock);
    while (c->calls >= LIMIT_CONTROL_CALLS)
        pthread_cond_wait(&c->idle, &c->lock);
    c->calls++;
    pthread_mutex_unlock(&c->lock);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&t, &attr, serve_call, call)) {
        pthread_mutex_lock(&c->lock);
        c->calls--;
        pthread_mutex_unlock(&c->lock);
        free(call);
        close(fd);
    }
    pthread_attr_destroy(&attr);
}

static void *accept_calls(void *ctx)
{
    struct control *c = ctx;
    struct pollfd p[2] = {{c->listener, POLLIN, 0}, {c->wake[0], POLLIN, 0}};
    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (p[1].revents)
            return NULL;
        int fd = p[0].revents ? accept4(c->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            take_call(c, fd);
        else if (p[0].revents && errno != EINTR && errno != EAGAIN)
            usleep(100000); /* out of files: others need them more */
    }
}

static err_t make_listener(struct control *c, struct fault *f)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (snprintf(c->path, sizeof c->path, "%s/control.sock", c->app->data_dir) >= (int)sizeof c->path)
        return fault_set(f, ERR_CONFIG, "data",
                         "the path of the data directory is too long for its control socket");
    memcpy(addr.sun_path, c->path, sizeof addr.sun_path);
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(c->path); /* ours: the store's lock is held */
    mode_t old = umask(0177);
    bool ok = c->listener >= 0 && bind(c->listener, (struct sockaddr *)&addr, sizeof addr) == 0;
    umask(old);
    if (!ok || listen(c->listener, 16) < 0)
        return fault_set(f, ERR_IO, "", "%s: %s", c->path, strerror(errno));
    return ERR_OK;
}

err_t control_start(struct app *a, struct control **ret, struct fault *f)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_MEMORY;
    c->app = a;
    c->listener = c->wake[0] = c->wake[1] = -1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->idle, NULL);
    err_t e = make_listener(c, f);
    if (e == ERR_OK && pipe2(c->wake, O_CLOEXEC))
        e = ERR_IO;
    if (e == ERR_OK && pthread_create(&c->thread, NULL, accept_calls, c) == 0) {
        *ret = c;
        return ERR_OK;
    }
    close(c->listener);
    close(c->wake[0]);
    close(c->wake[1]);
    free(c);
    return e != ERR_OK ? e : ERR_MEMORY;
}

void control_stop(struct control **cp)
{
    struct control *c = *cp;
    if (!c)
        return;
    unlink(c->path);
    close(c->wake[1]);
    c->wake[1] = -1;
    pthread_join(c->thread, NULL);
    pthread_mutex_lock(&c->lock);
    while (c->calls)
        pthread_cond_wait(&c->idle, &c->lock);
    pthread_mutex_unlock(&c->lock);
    close(c->listener);
    close(c->wake[0]);
    pthread_cond_destroy(&c->idle);
    pthread_mutex_destroy(&c->lock);
    free(c);
    *cp = NULL;
}
