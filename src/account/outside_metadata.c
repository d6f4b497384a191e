/* Metadata of outside providers (OpenID Connect Discovery section 4, RFC 8414), kept in memory as Cache-Control says. Few and
 * small: a table with one lock that nobody holds while fetching, and copies for those who ask. While a provider can't be reached
 * what it said before serves; one that is dead is asked again some seconds later, not by every request. */
#include "account/outside_parts.h"
#include "net/net.h"
#include <pthread.h>
#include <stdlib.h>

#define FRESH_DEFAULT_S 3600
#define RETRY_MS        (10 * 1000)
#define ENTRY_ARENA     (16 * 1024)

/* Times are of the steady clock. */
struct entry {
    uint8_t name[SHA256_SIZE]; /* of the issuer */
    struct arena *arena;       /* NULL: nothing is there */
    struct outside_metadata m;
    int64_t fresh_until_ms, stale_until_ms, retry_ms, used_ms;
};

struct outside {
    pthread_mutex_t lock;
    struct entry v[LIMIT_PROVIDERS_KEPT];
};

struct outside *outside_new(void)
{
    struct outside *o = calloc(1, sizeof(*o));
    if (o)
        pthread_mutex_init(&o->lock, NULL);
    return o;
}

void outside_free(struct outside **o)
{
    for (size_t i = 0; i < LIMIT_PROVIDERS_KEPT; i++)
        if ((*o)->v[i].arena)
            arena_free(&(*o)->v[i].arena);
    pthread_mutex_destroy(&(*o)->lock);
    free(*o);
    *o = NULL;
}

/* --- fetching --- */

/* Why is for the log, where whoever configured it looks; the person learns that it does not work. */
static err_t unreachable(struct op *op, const struct provider *p, err_t e, struct str url, const char *why)
{
    struct str title = provider_title(p);
    log_write(op->core->log, LOG_WARN, op->request_id, "outside", "provider %.*s: %.*s: %s", STR_ARG(p->name),
              (int)str_find(url, '?'), url.p, why);
    return op_fail(op, e, "", "%.*s can't be asked now; try again later", STR_ARG(title));
}

err_t outside_fetch(struct op *op, const struct provider *p, struct net_request *q, json_t **ret, int64_t *ret_max_age_s)
{
    struct net_response a = {.max_age_s = -1};
    struct fault why = {0};
    json_t *doc = NULL;
    q->kind = "provider";
    q->timeout_ms = LIMIT_REMOTE_MS;
    q->response_max = LIMIT_PROVIDER_BYTES;
    err_t e = net_fetch(op->core->net, q, op->arena, &a, &why);
    if (e != ERR_OK)
        return e == ERR_MEMORY ? e : unreachable(op, p, ERR_NET, q->url, err_text(e));
    if (json_load(a.body, &doc) != ERR_OK || a.status != 200 || !json_is_object(doc)) {
        struct str said = json_str(json_object_get(doc, "error"));
        struct str text = arena_fmt(op->arena, "answered %d %.*s", a.status, (int)(said.n > 64 ? 0 : said.n), said.p ? said.p : "");
        json_decref(doc);
        return unreachable(op, p, ERR_NET_ANSWER, q->url, text.p ? text.p : "answered otherwise");
    }
    TRY(json_keep(op->arena, doc));
    if (ret_max_age_s)
        *ret_max_age_s = a.max_age_s;
    *ret = doc;
    return ERR_OK;
}

static err_t fetch(struct op *op, const struct provider *p, struct outside_metadata *ret, int64_t *ret_fresh_s)
{
    json_t *doc;
    int64_t s;
    bool slash = p->issuer.p[p->issuer.n - 1] == '/';
    struct str accept = STR("Accept: application/json");
    struct net_request q = {.method = "GET", .headers = {&accept, 1}};
    q.url = arena_fmt(op->arena, "%.*s/.well-known/openid-configuration", (int)(p->issuer.n - slash), p->issuer.p);
    if (!q.url.p)
        return ERR_MEMORY;
    TRY(outside_fetch(op, p, &q, &doc, &s));
    const char *wrong = outside_metadata_read(op->core->net, p->issuer, doc, ret);
    if (wrong)
        return unreachable(op, p, ERR_NET_ANSWER, q.url, wrong);
    s = s < 0 ? FRESH_DEFAULT_S : s;
    *ret_fresh_s = s < LIMIT_REMOTE_FRESH_MIN_S ? LIMIT_REMOTE_FRESH_MIN_S : s > LIMIT_REMOTE_FRESH_MAX_S ? LIMIT_REMOTE_FRESH_MAX_S : s;
    return ERR_OK;
}

/* --- the table --- */

static err_t copy(struct arena *a, const struct outside_metadata *m, struct outside_metadata *ret)
{
    *ret = (struct outside_metadata){
        .authorization_endpoint = arena_str(a, m->authorization_endpoint),
        .token_endpoint = arena_str(a, m->token_endpoint),
        .jwks_uri = arena_str(a, m->jwks_uri),
        .userinfo_endpoint = arena_str(a, m->userinfo_endpoint),
        .answers_iss = m->answers_iss,
    };
    bool whole = ret->authorization_endpoint.p && ret->token_endpoint.p && ret->jwks_uri.p &&
                 (ret->userinfo_endpoint.p || !m->userinfo_endpoint.p);
    return whole ? ERR_OK : ERR_MEMORY;
}

/* With the lock held: its own, or the one whose last use is longest ago. */
static struct entry *entry_of(struct outside *o, const uint8_t *name)
{
    struct entry *oldest = &o->v[0];
    for (size_t i = 0; i < LIMIT_PROVIDERS_KEPT; i++) {
        if (memcmp(o->v[i].name, name, SHA256_SIZE) == 0)
            return &o->v[i];
        if (o->v[i].used_ms < oldest->used_ms)
            oldest = &o->v[i];
    }
    if (oldest->arena)
        arena_free(&oldest->arena);
    *oldest = (struct entry){.arena = NULL};
    memcpy(oldest->name, name, SHA256_SIZE);
    return oldest;
}

/* With the lock held. */
static void keep(struct entry *e, const struct outside_metadata *m, int64_t now_ms, int64_t fresh_s)
{
    struct arena *a = arena_new(ENTRY_ARENA);
    struct outside_metadata own;
    if (!a || copy(a, m, &own) != ERR_OK) {
        if (a)
            arena_free(&a);
        return;
    }
    if (e->arena)
        arena_free(&e->arena);
    e->arena = a;
    e->m = own;
    e->fresh_until_ms = now_ms + fresh_s * 1000;
    e->stale_until_ms = e->fresh_until_ms + (int64_t)LIMIT_REMOTE_STALE_S * 1000;
}

static int64_t now_ms(const struct op *op)
{
    return op->core->clock->steady_ms(op->core->clock->ctx);
}

enum found { FOUND, STALE, MISSING, FAILED };

/* With the lock held. An old entry is fetched anew by one while the others are served; what is not there at all, by all who ask. */
static enum found look(struct entry *e, int64_t now, struct arena *a, struct outside_metadata *ret)
{
    bool retry = now >= e->retry_ms;
    e->used_ms = now;
    if (!e->arena || now >= e->stale_until_ms || copy(a, &e->m, ret) != ERR_OK)
        return retry ? MISSING : FAILED;
    if (now < e->fresh_until_ms || !retry)
        return FOUND;
    e->retry_ms = now + RETRY_MS;
    return STALE;
}

static err_t fetch_and_keep(struct op *op, const struct provider *p, const uint8_t *name, struct outside_metadata *ret)
{
    struct outside *o = op->core->outside;
    struct outside_metadata m = {.answers_iss = false};
    int64_t fresh_s = 0;
    err_t e = fetch(op, p, &m, &fresh_s);
    pthread_mutex_lock(&o->lock);
    struct entry *entry = entry_of(o, name);
    entry->retry_ms = e == ERR_OK ? 0 : now_ms(op) + RETRY_MS;
    if (e == ERR_OK)
        keep(entry, &m, now_ms(op), fresh_s);
    pthread_mutex_unlock(&o->lock);
    if (e == ERR_OK)
        *ret = m;
    return e;
}

err_t outside_metadata(struct op *op, const struct provider *p, struct outside_metadata *ret)
{
    struct outside *o = op->core->outside;
    uint8_t name[SHA256_SIZE];
    sha256(op->core->crypto, p->issuer, name);
    pthread_mutex_lock(&o->lock);
    enum found found = look(entry_of(o, name), now_ms(op), op->arena, ret);
    pthread_mutex_unlock(&o->lock);
    if (found == FOUND)
        return ERR_OK;
    if (found == FAILED)
        return unreachable(op, p, ERR_NET, p->issuer, "could not be asked a moment ago");
    struct fault before = op->fault;
    err_t e = fetch_and_keep(op, p, name, ret);
    if (e == ERR_OK || found == MISSING)
        return e;
    op->fault = before; /* the old one serves */
    return ERR_OK;
}
