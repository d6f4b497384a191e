/* What a tenant lets registered clients be. It judges the client as it would be after the write, so that no order of changes gets
 * around it (A88); what makes a client valid at all is client_check's business. */
#include "net/net.h"
#include "oauth/register_parts.h"
#include "token/peer.h"
#include <stdio.h>

#define RATE_WINDOW_S 3600

bool register_is_open(const struct tenant *t, const char *how)
{
    return str_is(t->spec->registration, how);
}

/* --- the client --- */

static err_t check_grants(struct op *op, const struct client *c)
{
    const struct tenant_spec *t = op->tenant->spec;
    for (size_t i = 0; i < c->grant_types.n; i++)
        if (!strs_has(t->registration_grant_types, c->grant_types.v[i]))
            return op_fail(op, ERR_CLIENT_METADATA, "grant_types", "grant_types[%zu] is not open to registered clients", i);
    if (!scope_within(c->scope, t->registration_scope))
        return op_fail(op, ERR_CLIENT_METADATA, "scope", "registered clients may have no more than \"%.*s\"",
                       STR_ARG(t->registration_scope));
    return ERR_OK;
}

static bool host_allowed(const struct tenant_spec *t, struct str uri)
{
    struct str host;
    if (!url_host(uri, &host))
        return false;
    for (size_t i = 0; i < t->registration_hosts.n; i++)
        if (str_eq_nocase(t->registration_hosts.v[i], host))
            return true;
    return false;
}

static err_t check_hosts(struct op *op, const char *name, struct strs uris, err_t e)
{
    const struct tenant_spec *t = op->tenant->spec;
    for (size_t i = 0; t->registration_hosts.n && i < uris.n; i++)
        if (!host_allowed(t, uris.v[i]))
            return op_fail(op, e, name, "%s[%zu] leads to a host that is not open to registered clients", name, i);
    return ERR_OK;
}

static bool is_localhost(struct str uri)
{
    struct str host;
    return url_host(uri, &host) &&
           (str_eq_nocase(host, STR("localhost")) || str_is(host, "127.0.0.1") || str_is(host, "[::1]"));
}

/* OpenID Connect Registration section 2, application_type: what comes in a fragment goes to a web client over TLS. */
static err_t check_web(struct op *op, const struct client *c)
{
    if (!str_is(c->application_type, "web") || !client_has_grant(c, "implicit"))
        return ERR_OK;
    for (size_t i = 0; i < c->redirect_uris.n; i++)
        if (redirect_is_native(c->redirect_uris.v[i]) || is_localhost(c->redirect_uris.v[i]))
            return op_fail(op, ERR_REDIRECT_URI, "redirect_uris",
                           "redirect_uris[%zu]: a web client with grant type implicit needs https and a host other than localhost", i);
    return ERR_OK;
}

/* Addresses that people are shown. A stranger's must not make anybody's browser call into his own network (A21). */
static err_t check_shown(struct op *op, const struct client *c)
{
    const struct {
        const char *name;
        struct str url;
    } v[] = {{"client_uri", c->client_uri}, {"logo_uri", c->logo_uri}, {"policy_uri", c->policy_uri}, {"tos_uri", c->tos_uri},
             {"initiate_login_uri", c->initiate_login_uri}};
    for (size_t i = 0; op->core->net && i < sizeof(v) / sizeof(v[0]); i++) {
        struct fault f = {.code = ERR_OK};
        if (v[i].url.n && net_url_check(op->core->net, v[i].url, &f) != ERR_OK)
            return op_fail(op, ERR_CLIENT_METADATA, v[i].name, "%s must be an https address on a public host", v[i].name);
    }
    return ERR_OK;
}

err_t register_policy(struct op *op, const json_t *doc)
{
    struct client *c = arena_new_of(op->arena, struct client);
    if (!c)
        return ERR_MEMORY;
    TRY(fields_init(&kind_client.fields, op->arena, c));
    TRY(fields_from_json(&kind_client.fields, op->arena, doc, "", c, &op->fault));
    TRY(check_grants(op, c));
    TRY(check_hosts(op, "redirect_uris", c->redirect_uris, ERR_REDIRECT_URI));
    TRY(check_hosts(op, "post_logout_redirect_uris", c->post_logout_redirect_uris, ERR_CLIENT_METADATA));
    TRY(check_web(op, c));
    return check_shown(op, c);
}

/* --- how often --- */

struct rate {
    int64_t tenant_id, now_s, most;
    char name[PEER_NETWORK_SIZE + 16];
    int64_t wait_s; /* verdict: 0, go on */
};

static err_t rate_in_tx(struct db *db, void *ctx)
{
    struct rate *r = ctx;
    struct rows rows;
    int64_t n = 0, first_s = r->now_s;
    TRY(db_claim(db, -r->tenant_id, false));
    TRY(db_rows(db, Q_LIMITER_GET, BIND(vint(r->tenant_id), vtext(str_z(r->name))), &rows));
    bool old = db_next(&rows) && db_int(&rows, 1) <= r->now_s && db_int(&rows, 1) + RATE_WINDOW_S > r->now_s;
    if (old) {
        n = db_int(&rows, 0);
        first_s = db_int(&rows, 1);
    }
    TRY(db_end(&rows));
    r->wait_s = n < r->most ? 0 : first_s + RATE_WINDOW_S - r->now_s;
    if (r->wait_s)
        return ERR_OK;
    return db_run(db, Q_LIMITER_PUT, BIND(vint(r->tenant_id), vtext(str_z(r->name)), vint(n + 1), vint(first_s), vint(r->now_s)), NULL);
}

err_t register_rate(struct op *op)
{
    char network[PEER_NETWORK_SIZE];
    struct rate r = {.tenant_id = tenant_id_of(op), .now_s = op->now_s, .most = op->tenant->spec->registration_rate};
    if (r.most == 0)
        return ERR_OK;
    peer_network(op->peer, 24, 48, network);
    snprintf(r.name, sizeof(r.name), "register:%s", network);
    TRY(store_tx(op->core->store, rate_in_tx, &r));
    if (r.wait_s == 0)
        return ERR_OK;
    audit_refused(op, "registration.limited", STR_NONE);
    err_t e = op_fail(op, ERR_LIMITED, "", "too many registrations from this network; try again in %lld seconds", (long long)r.wait_s);
    op->fault.retry_s = r.wait_s;
    return e;
}
