/* The issuer's metadata, keys and status lists over the network. Its word counts for its own issuer alone: metadata of another one
 * is refused (RFC 8414 section 3.3). */
#include "lib/parts.h"
#include <stdio.h>

#define DISCOVER_MS (24 * 3600 * 1000LL)

static err_t get(struct mereau_verifier *v, const char *kind, struct str url, struct str accept, size_t max, struct net_response *ret, struct fault *f)
{
    struct net_request q = {.kind = kind, .method = "GET", .url = url, .headers = {&accept, 1}, .timeout_ms = v->timeout_ms, .response_max = max};
    *ret = (struct net_response){.max_age_s = -1};
    struct fault why = {0};
    err_t e = net_fetch(v->net, &q, v->scratch, ret, &why);
    if (e != ERR_OK)
        return fault_set(f, e, "", "%.*s: %s", (int)(url.n < 160 ? url.n : 160), url.p, why.detail[0] ? why.detail : err_text(e));
    if (ret->status != 200)
        return fault_set(f, ERR_NET_ANSWER, "", "%.*s answered with status %d", (int)(url.n < 160 ? url.n : 160), url.p, ret->status);
    return ERR_OK;
}

/* --- metadata --- */

struct metadata {
    struct str issuer, jwks_uri;
};

static err_t metadata_member(void *ctx, const struct json_member *m)
{
    struct metadata *d = ctx;
    struct str *to = str_is(m->key, "issuer") ? &d->issuer : str_is(m->key, "jwks_uri") ? &d->jwks_uri : NULL;
    if (to && m->type != JSON_T_STRING)
        return ERR_JSON;
    if (to)
        *to = m->text;
    return ERR_OK;
}

static err_t take_metadata(struct mereau_verifier *v, struct str text, struct fault *f)
{
    struct metadata d = {.issuer = STR_NONE};
    if (json_scan(v->scratch, text, metadata_member, &d) != ERR_OK)
        return fault_set(f, ERR_NET_ANSWER, "", "the issuer's metadata is not strict JSON");
    if (!d.issuer.p || !str_eq(d.issuer, v->issuer))
        return fault_set(f, ERR_NET_ANSWER, "", "the metadata is of another issuer: %.*s", (int)(d.issuer.n < 160 ? d.issuer.n : 160), d.issuer.p ? d.issuer.p : "");
    if (!d.jwks_uri.n || d.jwks_uri.n >= sizeof(v->jwks_uri))
        return fault_set(f, ERR_NET_ANSWER, "", "the metadata has no jwks_uri");
    TRY(net_url_check(v->net, d.jwks_uri, f));
    snprintf(v->jwks_uri, sizeof(v->jwks_uri), "%.*s", STR_ARG(d.jwks_uri));
    v->discover_ms = steady_ms() + DISCOVER_MS;
    return ERR_OK;
}

/* OpenID Connect Discovery appends to the issuer, RFC 8414 section 3.1 puts it between host and path. */
static err_t discover(struct mereau_verifier *v, struct fault *f)
{
    struct str path = {v->issuer.p + v->origin.n, v->issuer.n - v->origin.n};
    struct str accept = STR("Accept: application/json");
    struct net_response a;
    while (path.n && path.p[path.n - 1] == '/')
        path.n--;
    struct str urls[] = {
        arena_fmt(v->scratch, "%.*s%.*s/.well-known/openid-configuration", STR_ARG(v->origin), STR_ARG(path)),
        arena_fmt(v->scratch, "%.*s/.well-known/oauth-authorization-server%.*s", STR_ARG(v->origin), STR_ARG(path)),
    };
    err_t e = ERR_MEMORY;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]) && urls[i].p; i++) {
        struct fault why = {0};
        e = get(v, "metadata", urls[i], accept, LIMIT_PROVIDER_BYTES, &a, &why);
        if (e == ERR_OK)
            return take_metadata(v, a.body, f);
        if (i == 0 || e != ERR_NET_ANSWER) /* the first address's fault says more than that the second is not there either */
            *f = why;
        if (e != ERR_NET_ANSWER)
            return e;
    }
    return e;
}

err_t fetch_keys(struct mereau_verifier *v, struct key_set **ret, int64_t *ret_fresh_s, struct fault *f)
{
    struct net_response a;
    arena_reset(v->scratch);
    if (!v->jwks_uri[0] || steady_ms() >= v->discover_ms)
        TRY(discover(v, f));
    err_t e = get(v, "jwks", str_z(v->jwks_uri), STR("Accept: application/jwk-set+json, application/json"), LIMIT_REMOTE_BYTES, &a, f);
    if (e == ERR_OK) {
        e = key_set_parse(a.body, ret);
        if (e != ERR_OK && e != ERR_MEMORY)
            e = fault_set(f, ERR_NET_ANSWER, "", "%s holds no sound set of keys", v->jwks_uri);
    }
    if (e != ERR_OK)
        v->discover_ms = 0; /* they may have moved */
    *ret_fresh_s = a.max_age_s;
    return e;
}

err_t fetch_list(struct mereau_verifier *v, const struct key_set *keys, struct str uri, struct status_list **ret, int64_t *ret_fresh_s,
                 struct fault *f)
{
    struct net_response a;
    arena_reset(v->scratch);
    TRY(get(v, "status", uri, STR("Accept: application/statuslist+jwt"), LIMIT_JWS, &a, f));
    struct str token = str_trim(a.body);
    TRY(status_list_read(v->crypto, keys, &v->access, uri, token, clock_wall_s(&clock_system), v->scratch, ret, ret_fresh_s, f));
    if (*ret_fresh_s < 0)
        *ret_fresh_s = a.max_age_s;
    return ERR_OK;
}
