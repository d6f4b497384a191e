/* The guard, and what all transfers share. libcurl resolves the name; the guard sits where it opens the
 * socket, so the address that is checked is the one that is connected to, however often a name changes its
 * mind (DNS rebinding). */
#include "net/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECT_MS 5000

static const char unreachable[] = "the other server could not be reached";
static const char not_callable[] = "that address may not be called from here";

struct net *net_new(const struct net_config *cfg)
{
    struct net *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    n->metrics = cfg->metrics;
    n->nallow = cfg->allow.n;
    n->allow = calloc(cfg->allow.n + 1, sizeof(*n->allow));
    n->ca_file = cfg->ca_file ? strdup(cfg->ca_file) : NULL;
    bool ok = n->allow && (n->ca_file || !cfg->ca_file) && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    for (size_t i = 0; i < cfg->allow.n && ok; i++)
        ok = range_parse(cfg->allow.v[i], &n->allow[i]);
    if (!ok)
        net_free(&n);
    return n;
}

void net_free(struct net **pn)
{
    struct net *n = *pn;
    if (!n)
        return;
    free(n->allow);
    free(n->ca_file);
    free(n);
    *pn = NULL;
}

/* --- the guard
 * ---------------------------------------------------------------------------------------------------- */
enum verdict net_judge(const struct net *n, const struct address *a)
{
    for (size_t i = 0; i < n->nallow; i++)
        if (range_has(&n->allow[i], a))
            return ADDRESS_LISTED;
    return address_public(a) ? ADDRESS_OPEN : ADDRESS_CLOSED;
}

bool net_address_allowed(const struct net *n, const char *ip)
{
    struct address a;
    return address_parse(str_z(ip), &a) && net_judge(n, &a) != ADDRESS_CLOSED;
}

bool net_is_localhost(struct str host)
{
    static const struct str tail = {".localhost", 10};
    if (host.n && host.p[host.n - 1] == '.')
        host.n--;
    return str_eq_nocase(host, STR("localhost")) ||
           (host.n > tail.n && str_eq_nocase((struct str){host.p + host.n - tail.n, tail.n}, tail));
}

/* Without TLS only to what the operator has named: nobody in between, and no token in the clear over the
 * internet. */
static bool may_connect(const struct transfer *t, const struct sockaddr *sa)
{
    struct address a;
    if (!address_of(sa, &a))
        return false;
    enum verdict v = net_judge(t->net, &a);
    return v == ADDRESS_LISTED || (v == ADDRESS_OPEN && t->secure);
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *t = ctx;
    if (purpose != CURLSOCKTYPE_IPCXN || (!t->anywhere && !may_connect(t, &to->addr))) {
        t->forbidden = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static err_t check_host(const struct net *n, struct str host, bool secure, struct fault *f)
{
    struct address a;
    struct str loopback = STR("127.0.0.1");
    bool local = net_is_localhost(host);
    if (!address_parse(local ? loopback : host, &a))
        return ERR_OK;
    enum verdict v = net_judge(n, &a);
    if (v == ADDRESS_LISTED || (v == ADDRESS_OPEN && secure))
        return ERR_OK;
    return fault_set(f, ERR_NET_FORBIDDEN, "", not_callable);
}

static err_t check_parts(const struct net *n, CURLU *u, struct fault *f)
{
    char *scheme = NULL, *host = NULL, *user = NULL;
    err_t e = ERR_OK;
    bool parsed = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                  curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    bool named = curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK;
    bool secure = parsed && strcmp(scheme, "https") == 0;
    if (!parsed || named || (!secure && strcmp(scheme, "http") != 0))
        e = fault_set(f, ERR_PARAM_BAD, "", "an https URL without a user name is needed");
    else
        e = check_host(n, str_z(host), secure, f);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return e;
}

err_t net_url_check(const struct net *n, struct str url, struct fault *f)
{
    char z[2048];
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] == 0x7f || url.p[i] == '\\')
            return fault_set(f, ERR_PARAM_BAD, "", "the URL holds a character that must be escaped");
    if (url.n >= sizeof(z))
        return fault_set(f, ERR_PARAM_BAD, "", "the URL is too long");
    snprintf(z, sizeof(z), "%.*s", STR_ARG(url));
    CURLU *u = curl_url();
    if (!u)
        return fault_set(f, ERR_MEMORY, "", "out of memory");
    err_t e = curl_url_set(u, CURLUPART_URL, z, 0) == CURLUE_OK
                  ? check_parts(n, u, f)
                  : fault_set(f, ERR_PARAM_BAD, "", "that is not an https URL");
    curl_url_cleanup(u);
    return e;
}

/* --- a transfer
 * ---------------------------------------------------------------------------------------------------- */
err_t transfer_begin(struct transfer *t, const struct net *n, const char *url, const char *protocols,
                     int64_t timeout_ms)
{
    t->net = n;
    t->curl = curl_easy_init();
    if (!t->curl)
        return ERR_MEMORY;
    CURL *c = t->curl;
    long ms = timeout_ms > 0 ? (long)timeout_ms : 10000;
    bool ok =
        curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK; /* the environment's proxy would undo the guard */
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : (long)CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    if (ok && n->ca_file)
        ok = curl_easy_setopt(c, CURLOPT_CAINFO, n->ca_file) == CURLE_OK;
    return ok ? ERR_OK : ERR_MEMORY;
}

static err_t outcome(const struct transfer *t, const char *kind, const char *result, err_t e)
{
    char labels[64];
    snprintf(labels, sizeof(labels), "%.32s,%s", kind, result);
    metrics_add(t->net->metrics, METRIC_OUTBOUND, labels, 1);
    return e;
}

err_t transfer_run(struct transfer *t, const char *kind, struct fault *f)
{
    CURLcode rc = curl_easy_perform(t->curl);
    if (rc == CURLE_OK)
        return outcome(t, kind, "ok", ERR_OK);
    (void)fault_set(f, ERR_NET, "", unreachable);
    return outcome(t, kind,
                   t->forbidden                     ? "forbidden"
                   : rc == CURLE_OPERATION_TIMEDOUT ? "timeout"
                                                    : "failed",
                   ERR_NET);
}

void transfer_end(struct transfer *t)
{
    if (t->curl)
        curl_easy_cleanup(t->curl);
    t->curl = NULL;
}
