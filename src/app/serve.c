/* mereau serve: from the configuration to the first answer, the signals, and the end. */
#include "app/app.h"
#include "app/first_admin.h"
#include "http/http.h"
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_MS 3600000

struct serving {
    struct cli_call *call;
    struct config *config;
    struct desired desired;
    struct app app;
    struct log *log;
    struct http_server *http;
    struct control *control;
    struct housekeeper *housekeeper;
    struct systemd_fds fds;
    struct http_listener listeners[2 * SYSTEMD_FDS_MAX + 2 * LIMIT_CONFIG_FILES];
    size_t nlisteners;
    struct fault fault;
};

/* --- the listeners --- */
static err_t add_listener(struct serving *s, const char *address, bool management)
{
    if (!address || s->nlisteners == sizeof s->listeners / sizeof *s->listeners)
        return fault_set(&s->fault, ERR_CONFIG, "listen", "there are too many addresses to listen on");
    bool proxy = s->config->settings.proxy_protocol && !management;
    s->listeners[s->nlisteners++] = (struct http_listener){.address = address, .management = management, .proxy_protocol = proxy};
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

static bool is_loopback(const struct serving *s, const struct http_listener *l)
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
        if (!is_loopback(s, &s->listeners[i]))
            outside = s->listeners[i].address;
    if (!outside)
        return ERR_OK;
    TRY(desired_demo_tenant(op, &tenant));
    if (!tenant.p)
        return ERR_OK;
    return fault_set(&s->fault, ERR_CONFIG, "listen",
                     "the tenant \"%.*s\" holds demo objects (demo: true), and %s is not a loopback address: remove them first", STR_ARG(tenant), outside);
}

/* --- the tenants' objects --- */
static void log_lines(struct serving *s, const struct config_faults *f, const char *what)
{
    struct str rest = buf_view(&f->text), line;
    while (str_word(&rest, '\n', &line))
        log_write(s->log, LOG_ERROR, STR_NONE, "config", "%s: %.*s", what, STR_ARG(line));
}

static err_t apply(struct serving *s, struct config *cfg, const struct desired *d, struct op *op)
{
    struct desired_report r = {.faults = &cfg->faults};
    if (!d->n)
        return ERR_OK;
    op->actor = (struct actor){.kind = ACTOR_FILE};
    err_t e = desired_apply(op, d, false, &r);
    if (r.count[DESIRED_CREATE] + r.count[DESIRED_CHANGE])
        log_write(s->log, LOG_INFO, STR_NONE, "config.applied", "%zu created, %zu changed, %zu as they were", r.count[DESIRED_CREATE],
                  r.count[DESIRED_CHANGE], r.count[DESIRED_SAME]);
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
        log_write(s->log, LOG_INFO, STR_NONE, "server.listen", "%s (port %d)%s", s->listeners[i].address, http_port(s->http, i),
                  s->listeners[i].management ? ", management" : "");
    if (s->app.master_in_data)
        log_write(s->log, LOG_WARN, STR_NONE, "master_key",
                  "the master key lies in the data directory, beside what it protects: move it and name it in server.master_key_file");
    printf("mereau " MEREAU_VERSION " serves %.*s\n", STR_ARG(set->issuer));
    if (link.n) /* not for the log: who reads it would be the administrator */
        printf("first administrator (one use, 15 minutes): %.*s\n", STR_ARG(link));
    fflush(stdout);
    log_write(s->log, LOG_INFO, STR_NONE, "server.start", "mereau " MEREAU_VERSION " serves %.*s", STR_ARG(set->issuer));
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
        return fault_set(&s->fault, ERR_CONFIG, "listen", "there are demo objects (demo: true), and not every address is a loopback one: remove them first");
    config_check_plain(s->config);
    return s->config->faults.n ? ERR_CONFIG : ERR_OK;
}

static err_t prepare(struct serving *s, struct op *op, struct str *ret_link)
{
    err_t e = apply(s, s->config, &s->desired, op);
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

/* --- reload --- */
static void warn_unchanged(struct serving *s, const struct config *new)
{
    struct arena *a = new->arena;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct fields one = {&config_fields.v[i], 1, config_fields.size};
        struct buf was, is;
        struct jw w;
        const struct settings *both[] = {&s->config->settings, &new->settings};
        struct buf *out[] = {&was, &is};
        for (int k = 0; k < 2; k++) {
            buf_init(out[k], a, LIMIT_BODY);
            jw_init(&w, out[k]);
            jw_open(&w, '{');
            fields_to_json(&one, both[k], &w);
            jw_close(&w, '}');
        }
        if (!config_reloads((enum setting)i) && !str_eq(buf_view(&was), buf_view(&is)))
            log_write(s->log, LOG_WARN, STR_NONE, "config", "server.%s has changed; it takes effect at the next start", config_fields.v[i].name);
    }
}

static void take_over(struct serving *s, const struct config *new)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++)
        if (str_is(new->settings.log_level, levels[i]))
            log_set_level(s->log, (enum log_level)i);
    s->config->settings.drain_s = new->settings.drain_s;
    struct fault f = {0};
    if (s->config->settings.tls_certificate.n && http_reload_tls(s->http, &f) != ERR_OK)
        log_write(s->log, LOG_ERROR, STR_NONE, "config", "the old certificate stays: %s", f.detail);
}

static err_t apply_again(struct serving *s, struct config *new, const struct desired *d)
{
    struct db *db;
    struct op op;
    struct arena *arena = arena_new(8 * LIMIT_REQUEST_ARENA);
    err_t e = arena ? db_open(s->app.core.store, 256, &db) : ERR_MEMORY;
    if (e == ERR_OK) {
        e = app_op(&s->app, db, arena, &op);
        struct str tenant = STR_NONE;
        bool outside = false;
        for (size_t i = 0; i < s->nlisteners; i++)
            outside |= !is_loopback(s, &s->listeners[i]);
        for (size_t i = 0; outside && i < d->n && !tenant.p; i++)
            if (d->v[i].kind->system && json_is_true(json_object_get(d->v[i].doc, "demo")))
                tenant = str_z(d->v[i].name);
        if (e == ERR_OK && tenant.p) {
            config_fault(&new->faults, "", "", "demo objects are for loopback alone, and this server listens on other addresses");
            e = ERR_CONFIG;
        }
        if (e == ERR_OK)
            e = apply(s, new, d, &op);
        op_end(&op);
        db_close(&db);
    }
    arena_free(&arena);
    return e;
}

static void reload(struct serving *s)
{
    struct app_host *host = s->call->host;
    struct config *new = calloc(1, sizeof *new);
    struct desired d = {0};
    char text[96];
    int64_t now_us = clock_system.steady_ms(clock_system.ctx) * 1000;
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading\n", (long long)now_us);
    systemd_notify(text);
    err_t e = new ? app_load_config(host->line, host->env, new) : ERR_MEMORY;
    if (e == ERR_OK)
        e = desired_read(new, &app_kinds, &d);
    if (e == ERR_OK) {
        warn_unchanged(s, new);
        e = apply_again(s, new, &d);
    }
    if (e == ERR_OK)
        take_over(s, new);
    if (e != ERR_OK && new)
        log_lines(s, &new->faults, "the old configuration stays");
    log_write(s->log, e == ERR_OK ? LOG_INFO : LOG_ERROR, STR_NONE, "config.reload", "%s", e == ERR_OK ? "done" : err_text(e));
    desired_free(&d);
    if (new)
        config_free(new);
    free(new);
    malloc_trim(0);
    systemd_notify("READY=1\nSTATUS=serving\n");
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
            reload(s);
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
