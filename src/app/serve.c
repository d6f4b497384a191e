/* mereau serve: from the configuration to the first answer, the signals, and the end. */
#include "app/app.h"
#include "app/first_admin.h"
#include "app/serving.h"
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_MS 3600000

/* --- the listeners --- */
static err_t add_listener(struct serving *s, const char *address, bool management)
{
    if (!address || s->nlisteners == sizeof s->listeners / sizeof *s->listeners)
        return fault_set(&s->fault, ERR_CONFIG, "listen", "there are too many addresses to listen on");
    bool proxy = s->config->settings.proxy_protocol && !management;
    s->listeners[s->nlisteners++] =
        (struct http_listener){.address = address, .management = management, .proxy_protocol = proxy};
    return ERR_OK;
}

/* Sockets from systemd take the place of server.listen; one named "management" that of server.management. */
static err_t make_listeners(struct serving *s)
{
    const struct settings *set = &s->config->settings;
    bool got[2] = {false, false};
    struct arena *a = s->app.arena;
    systemd_listen_fds(&s->fds);
    for (int i = 0; i < s->fds.n; i++) {
        bool management = !strcmp(s->fds.v[i].name, "management");
        TRY(add_listener(s, arena_fmt(a, "fd:%d", s->fds.v[i].fd).p, management));
        got[management] = true;
    }
    for (size_t i = 0; !got[0] && i < set->listen.n; i++)
        TRY(add_listener(s, arena_cstr(a, set->listen.v[i]), false));
    for (size_t i = 0; !got[1] && i < set->management.n; i++)
        TRY(add_listener(s, arena_cstr(a, set->management.v[i]), true));
    if (!s->nlisteners)
        return fault_set(&s->fault, ERR_CONFIG, "listen", "there is no address to listen on");
    return ERR_OK;
}

bool serving_is_loopback(const struct serving *s, const struct http_listener *l)
{
    int64_t fd;
    struct str address = str_z(l->address);
    (void)s;
    if (str_starts(address, STR("fd:")) && str_to_int((struct str){address.p + 3, address.n - 3}, &fd))
        return systemd_fd_is_loopback((int)fd);
    return config_is_loopback(address);
}

/* Demo objects have passwords that others know: they never meet a network. */
static err_t refuse_demo(struct serving *s, struct op *op)
{
    struct str tenant = STR_NONE;
    const char *outside = NULL;
    for (size_t i = 0; i < s->nlisteners; i++)
        if (!serving_is_loopback(s, &s->listeners[i]))
            outside = s->listeners[i].address;
    if (!outside)
        return ERR_OK;
    TRY(desired_demo_tenant(op, &tenant));
    if (!tenant.p)
        return ERR_OK;
    return fault_set(&s->fault, ERR_CONFIG, "listen",
                     "the tenant \"%.*s\" holds demo objects (demo: true), and %s is not a loopback address: "
                     "remove them first",
                     STR_ARG(tenant), outside);
}

/* --- the tenants' objects --- */
err_t serving_apply(struct serving *s, struct config *cfg, const struct desired *d, struct op *op)
{
    struct desired_report r = {.faults = &cfg->faults};
    if (!d->n)
        return ERR_OK;
    op->actor = (struct actor){.kind = ACTOR_FILE};
    err_t e = desired_apply(op, d, false, &r);
    if (r.count[DESIRED_CREATE] + r.count[DESIRED_CHANGE])
        log_write(s->log, LOG_INFO, STR_NONE, "config.applied", "%zu created, %zu changed, %zu as they were",
                  r.count[DESIRED_CREATE], r.count[DESIRED_CHANGE], r.count[DESIRED_SAME]);
    if (e == ERR_OK)
        atomic_store(&s->app.audit_retention_s, cfg->settings.audit_retention_s);
    op->actor = (struct actor){.kind = ACTOR_SYSTEM};
    return e;
}

/* --- start --- */
static void greet(struct serving *s, struct str link)
{
    const struct settings *set = &s->config->settings;
    for (size_t i = 0; i < s->nlisteners; i++)
        log_write(s->log, LOG_INFO, STR_NONE, "server.listen", "%s (port %d)%s", s->listeners[i].address,
                  http_port(s->http, i), s->listeners[i].management ? ", management" : "");
    if (s->app.master_in_data)
        log_write(s->log, LOG_WARN, STR_NONE, "master_key",
                  "the master key lies in the data directory, beside what it protects: move it and name it "
                  "in server.master_key_file");
    printf("mereau " MEREAU_VERSION " serves %.*s\n", STR_ARG(set->issuer));
    if (link.n) /* not for the log: who reads it would be the administrator */
        printf("first administrator (one use, 15 minutes): %.*s\n", STR_ARG(link));
    fflush(stdout);
    log_write(s->log, LOG_INFO, STR_NONE, "server.start", "mereau " MEREAU_VERSION " serves %.*s",
              STR_ARG(set->issuer));
    systemd_notify("READY=1\nSTATUS=serving\n");
}

/* The same from the files alone, before anything is written; and plain HTTP stays on the machine. */
static err_t refuse_unsafe(struct serving *s)
{
    const struct settings *set = &s->config->settings;
    const struct strs lists[] = {set->listen, set->management};
    bool outside = false, demo = false;
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l].n; i++)
            outside |= !config_is_loopback(lists[l].v[i]);
    for (size_t i = 0; i < s->desired.n; i++)
        demo |= s->desired.v[i].kind->system && json_is_true(json_object_get(s->desired.v[i].doc, "demo"));
    if (outside && demo)
        return fault_set(&s->fault, ERR_CONFIG, "listen",
                         "there are demo objects (demo: true), and not every address is a loopback one: "
                         "remove them first");
    config_check_plain(s->config);
    return s->config->faults.n ? ERR_CONFIG : ERR_OK;
}

static err_t prepare(struct serving *s, struct op *op, struct str *ret_link)
{
    err_t e = serving_apply(s, s->config, &s->desired, op);
    if (e == ERR_OK)
        e = make_listeners(s);
    if (e == ERR_OK)
        e = refuse_demo(s, op);
    if (e == ERR_OK)
        e = first_admin_link(op, ret_link);
    if (e != ERR_OK && s->fault.code == ERR_OK)
        s->fault = op->fault;
    return e;
}

static err_t start(struct serving *s)
{
    struct db *db = NULL;
    struct op op;
    struct str link = STR_NONE;
    struct arena *arena = arena_new(8 * LIMIT_REQUEST_ARENA);
    err_t e = arena ? app_open(s->config, s->log, &s->app, &s->fault) : ERR_MEMORY;
    if (e == ERR_OK)
        e = db_open(s->app.core.store, 256, &db);
    if (e == ERR_OK) {
        e = app_op(&s->app, db, arena, &op);
        if (e == ERR_OK)
            e = prepare(s, &op, &link);
        if (e == ERR_OK)
            e = app_listen(&s->app, s->listeners, s->nlisteners, &s->http, &s->fault);
        if (e == ERR_OK)
            e = control_start(&s->app, &s->control, &s->fault);
        if (e == ERR_OK)
            e = housekeeper_start(&s->app, &s->housekeeper);
        if (e == ERR_OK)
            greet(s, link);
        op_end(&op);
        db_close(&db);
    }
    arena_free(&arena);
    return e;
}

/* --- run and end --- */
static void signals_of(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
}

static void serve_until_told(struct serving *s)
{
    sigset_t set;
    int64_t every_ms = systemd_watchdog_ms() ? systemd_watchdog_ms() : WAIT_MS;
    struct timespec wait = {every_ms / 1000, every_ms % 1000 * 1000000};
    signals_of(&set);
    for (;;) {
        int sig = sigtimedwait(&set, NULL, &wait);
        if (sig == SIGHUP)
            serving_reload(s);
        else if (sig > 0)
            return;
        else if (errno == EAGAIN && every_ms != WAIT_MS && housekeeper_alive(s->housekeeper))
            systemd_notify("WATCHDOG=1\n");
    }
}

static void stop(struct serving *s)
{
    systemd_notify("STOPPING=1\nSTATUS=stopping\n");
    if (s->http)
        http_stop(&s->http, (unsigned)s->config->settings.drain_s);
    control_stop(&s->control);
    housekeeper_stop(&s->housekeeper);
    app_close(&s->app);
}

static int fail(struct serving *s, err_t e)
{
    struct str lines = buf_view(&s->config->faults.text);
    if (lines.n) {
        fprintf(stderr, "%.*s", STR_ARG(lines));
        return 1;
    }
    struct buf b;
    buf_init(&b, NULL, LIMIT_BODY);
    cli_fault_text(&s->fault, e, &b);
    fprintf(stderr, "mereau: %.*s\n", STR_ARG(buf_view(&b)));
    buf_free(&b);
    return 1;
}

int app_serve(struct cli_call *c)
{
    struct app_host *host = c->host;
    struct serving *s = calloc(1, sizeof *s);
    sigset_t set;
    if (!s)
        return cli_refuse(c, 1, "out of memory");
    signals_of(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread: all inherit it, and the main one waits */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a full quota is an error of the write, not the end */
    s->call = c;
    s->config = host->config;
    err_t e = desired_read(s->config, &app_kinds, &s->desired);
    if (e == ERR_OK)
        e = refuse_unsafe(s);
    s->log = e == ERR_OK ? app_log(&s->config->settings) : NULL;
    if (e == ERR_OK)
        e = s->log ? start(s) : ERR_MEMORY;
    desired_free(&s->desired);
    int status = e == ERR_OK ? 0 : fail(s, e);
    config_drop_files(s->config);
    malloc_trim(0);
    if (e == ERR_OK)
        serve_until_told(s);
    if (e == ERR_OK)
        log_write(s->log, LOG_INFO, STR_NONE, "server.stop", "draining");
    stop(s);
    if (s->log)
        log_free(&s->log);
    free(s);
    return status;
}
