/* Builds the services in their order and takes them down in the opposite one. */
#include "app/app.h"
#include "account/outside.h"
#include "net/net.h"
#include "oauth/signout.h"
#include "token/audit.h"
#include "token/cache.h"
#include "token/keyring.h"
#include "token/life.h"
#include "token/news.h"
#include "token/remote_keys.h"
#include "token/status.h"
#include "token/tenant.h"
#include "token/usage.h"
#include <stdio.h>
#include <unistd.h>

#define CACHE_OBJECTS   32768 /* 10,000 tenants with a client or two each */
#define START_CACHE_KIB 256

const char *app_dsn(const struct settings *s, struct arena *a)
{
    return str_starts(s->store, STR("postgres")) ? arena_cstr(a, s->store) : NULL;
}

bool app_has_store(const char *data_dir, const char *dsn)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/mereau.db", data_dir);
    return dsn || access(path, F_OK) == 0;
}

struct log *app_log(const struct settings *s)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"}, *const formats[] = {
                                                                                "auto", "json", "text"};
    int level = LOG_INFO, format = LOG_AUTO;
    for (int i = 0; i < 4; i++)
        level = str_is(s->log_level, levels[i]) ? i : level;
    for (int i = 0; i < 3; i++)
        format = str_is(s->log_format, formats[i]) ? i : format;
    return log_new(STDERR_FILENO, (enum log_level)level, (enum log_format)format);
}

err_t app_op(struct app *a, struct db *db, struct arena *arena, struct op *ret)
{
    op_begin(ret, &a->core, db, arena);
    ret->actor = (struct actor){.kind = ACTOR_SYSTEM};
    return tenant_use(ret, STR(TENANT_DEFAULT));
}

/* The webhook sink asks for the secret at the time of the delivery: a changed one is used at once. */
static err_t webhook_secret(void *ctx, int64_t tenant_id, struct str target, struct arena *arena,
                            struct str *ret_url, struct str *ret_secret)
{
    struct app *a = ctx;
    struct db *db;
    struct op op;
    TRY(db_open(a->core.store, START_CACHE_KIB, &db));
    op_begin(&op, &a->core, db, arena);
    op.actor = (struct actor){.kind = ACTOR_SYSTEM};
    err_t e = tenant_use_id(&op, tenant_id);
    const struct webhook *hit = NULL;
    for (size_t i = 0; e == ERR_OK && i < op.tenant->nwebhooks; i++)
        if (str_eq(op.tenant->webhooks[i].name, target))
            hit = &op.tenant->webhooks[i];
    if (e == ERR_OK && !hit)
        e = ERR_NOT_FOUND;
    if (e == ERR_OK) {
        *ret_url = arena_str(arena, hit->url);
        *ret_secret = arena_str(arena, hit->secret);
    }
    op_end(&op);
    db_close(&db);
    return e;
}

/* Settings as C strings, from the app's arena; NULL for an empty one. */
static const char *text(struct app *a, struct str s)
{
    return s.n ? arena_cstr(a->arena, s) : NULL;
}

static err_t open_outbox(struct app *a)
{
    const struct settings *s = &a->config->settings;
    struct core *c = &a->core;
    c->net = net_new(&(struct net_config){
        .allow = s->net_allow, .ca_file = text(a, s->net_ca_file), .metrics = c->metrics});
    a->webhook = (struct webhook_sink){
        .net = c->net, .crypto = c->crypto, .clock = c->clock, .secret_of = webhook_secret, .ctx = a};
    a->mail = (struct mail_sink){.net = c->net,
                                 .smtp_url = text(a, s->mail_smtp_url),
                                 .from = text(a, s->mail_from),
                                 .username = text(a, s->mail_username),
                                 .password = text(a, s->mail_password)};
    size_t n = 0;
    a->sinks[n++] = (struct event_sink){.name = "webhook", .deliver = webhook_deliver, .ctx = &a->webhook};
    a->sinks[n++] = (struct event_sink){.name = SINK_LOGOUT, .deliver = logout_deliver, .ctx = c};
    c->mail = s->mail_smtp_url.n > 0;
    if (c->mail)
        a->sinks[n++] =
            (struct event_sink){.name = "mail", .erase = true, .deliver = mail_deliver, .ctx = &a->mail};
    c->event = event_new(&(struct event_config){c->store, c->log, c->metrics, c->clock, a->sinks, n});
    return c->net && c->event ? ERR_OK : ERR_MEMORY;
}

static err_t open_memory(struct app *a, struct log *log)
{
    const struct settings *s = &a->config->settings;
    struct core *c = &a->core;
    a->arena = arena_new(LIMIT_REQUEST_ARENA);
    if (!a->arena)
        return ERR_MEMORY;
    a->data_dir = text(a, s->data);
    a->master_key_file = text(a, s->master_key_file);
    atomic_store(&a->audit_retention_s, s->audit_retention_s);
    c->log = log;
    c->clock = &clock_system;
    c->issuer = s->issuer;
    c->https = str_starts(s->issuer, STR("https://"));
    c->kinds = &app_kinds;
    c->describe = discovery_describe;
    c->data_dir = a->data_dir;
    c->metrics = metrics_new();
    c->cache = cache_new(CACHE_OBJECTS);
    c->dead = dead_set_new();
    c->usage = usage_new();
    c->expiry = expiry_new();
    c->remote_keys = remote_keys_new(s->workers_store ? (size_t)s->workers_store / 2 : LIMIT_REMOTE_WAITING);
    c->outside = outside_new();
    c->status = status_new();
    TRY(crypto_new(&c->crypto));
    if (c->metrics)
        metrics_set(c->metrics, METRIC_BUILD_INFO, MEREAU_VERSION, 1);
    return c->metrics && c->cache && c->dead && c->usage && c->expiry && c->remote_keys && c->outside && c->status && a->data_dir ? ERR_OK : ERR_MEMORY;
}

/* What reads the store once it is open. */
static err_t load(struct app *a, struct fault *f)
{
    struct db *db;
    struct op op;
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA);
    if (!arena)
        return ERR_MEMORY;
    err_t e = db_open(a->core.store, START_CACHE_KIB, &db);
    if (e == ERR_OK) {
        op_begin(&op, &a->core, db, arena);
        op.actor = (struct actor){.kind = ACTOR_SYSTEM};
        e = tenant_ensure_default(&op);
        if (e == ERR_OK)
            e = tenant_use(&op, STR(TENANT_DEFAULT));
        if (e == ERR_OK)
            e = dead_set_load(&op);
        if (e != ERR_OK)
            *f = op.fault;
        op_end(&op);
        db_close(&db);
    }
    arena_free(&arena);
    return e;
}

static err_t open_all(struct app *a, struct log *log, struct fault *f)
{
    struct core *c = &a->core;
    TRY(open_memory(a, log));
    TRY(store_open(&(struct store_config){a->data_dir, app_dsn(&a->config->settings, a->arena), log, c->metrics, c->clock}, &c->store, f));
    news_start(c);
    TRY(keyring_open(c, a->data_dir, a->master_key_file, &a->master_in_data, f));
    TRY(audit_start(c));
    TRY(open_outbox(a));
    return load(a, f);
}

err_t app_open(struct config *cfg, struct log *log, struct app *ret, struct fault *f)
{
    *ret = (struct app){.config = cfg};
    err_t e = open_all(ret, log, f);
    if (e != ERR_OK)
        app_close(ret);
    return e;
}

void app_close(struct app *a)
{
    struct core *c = &a->core;
    if (c->event)
        event_free(&c->event);
    if (c->store)
        store_close(&c->store);
    if (c->audit)
        audit_stop(c);
    if (c->net)
        net_free(&c->net);
    if (c->cache)
        cache_free(&c->cache);
    if (c->dead)
        dead_set_free(&c->dead);
    if (c->usage)
        usage_free(&c->usage);
    if (c->expiry)
        expiry_free(&c->expiry);
    if (c->remote_keys)
        remote_keys_free(&c->remote_keys);
    if (c->outside)
        outside_free(&c->outside);
    if (c->status)
        status_free(&c->status);
    if (c->keyring)
        keyring_close(c);
    if (c->crypto)
        crypto_free(&c->crypto);
    if (c->metrics)
        metrics_free(&c->metrics);
    if (a->arena)
        arena_free(&a->arena);
}
