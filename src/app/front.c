/* The HTTP server of this app: the settings and the table of endpoints made one http_config. */
#include "api/api.h"
#include "app/app.h"

err_t app_listen(struct app *app, const struct http_listener *listeners, size_t n, struct http_server **ret,
                 struct fault *f)
{
    const struct settings *set = &app->config->settings;
    struct core *core = &app->core;
    struct arena *a = app->arena;
    struct http_config cfg = {
        .listeners = listeners,
        .nlisteners = n,
        .handler = api_handle,
        .may_inline = api_may_inline,
        .refuse = api_refuse,
        .app = core,
        .store = core->store,
        .tls_cert = set->tls_certificate.n ? arena_cstr(a, set->tls_certificate) : NULL,
        .tls_key = set->tls_key.n ? arena_cstr(a, set->tls_key) : NULL,
        .trusted_proxies = set->trusted_proxies,
        .event_threads = (unsigned)set->event_threads,
        .workers = {(unsigned)set->workers_store, (unsigned)set->workers_argon2,
                    (unsigned)set->workers_outgoing},
        .connections_max = (unsigned)set->connections,
        .connections_per_address = (unsigned)set->connections_per_address,
        .header_timeout_s = (unsigned)set->header_timeout_s,
        .body_timeout_s = (unsigned)set->body_timeout_s,
        .idle_timeout_s = (unsigned)set->idle_timeout_s,
        .clock = core->clock,
        .log = core->log,
        .metrics = core->metrics,
    };
    cfg.routes = api_routes(a, api_endpoints, api_endpoints_n, true, &cfg.nroutes);
    cfg.management_routes = api_routes(a, api_management, api_management_n, false, &cfg.nmanagement_routes);
    return cfg.routes && cfg.management_routes ? http_start(&cfg, ret, f) : ERR_MEMORY;
}
