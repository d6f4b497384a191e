/* SIGHUP: everything is read again, checked whole, and only then put in force; a faulty file changes nothing,
 * and the log says why. */
#include "app/serving.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

static void log_lines(struct serving *s, const struct config_faults *f, const char *what)
{
    struct str rest = buf_view(&f->text), line;
    while (str_word(&rest, '\n', &line))
        log_write(s->log, LOG_ERROR, STR_NONE, "config", "%s: %.*s", what, STR_ARG(line));
}

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
            log_write(s->log, LOG_WARN, STR_NONE, "config",
                      "server.%s has changed; it takes effect at the next start", config_fields.v[i].name);
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
            outside |= !serving_is_loopback(s, &s->listeners[i]);
        for (size_t i = 0; outside && i < d->n && !tenant.p; i++)
            if (d->v[i].kind->system && json_is_true(json_object_get(d->v[i].doc, "demo")))
                tenant = str_z(d->v[i].name);
        if (e == ERR_OK && tenant.p) {
            config_fault(&new->faults, "", "",
                         "demo objects are for loopback alone, and this server listens on other addresses");
            e = ERR_CONFIG;
        }
        if (e == ERR_OK)
            e = serving_apply(s, new, d, &op);
        op_end(&op);
        db_close(&db);
    }
    arena_free(&arena);
    return e;
}

void serving_reload(struct serving *s)
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
    log_write(s->log, e == ERR_OK ? LOG_INFO : LOG_ERROR, STR_NONE, "config.reload", "%s",
              e == ERR_OK ? "done" : err_text(e));
    desired_free(&d);
    if (new)
        config_free(new);
    free(new);
    malloc_trim(0);
    systemd_notify("READY=1\nSTATUS=serving\n");
}
