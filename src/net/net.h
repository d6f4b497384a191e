/* Outgoing requests behind one interface, with the one guard against calls into private networks (A21): names are resolved
 * once, every address is checked, the connection goes to the checked address only, redirects are off, size and time capped. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/metrics.h"

struct net;
struct net_config {
    struct strs allow;      /* "127.0.0.1", "10.1.0.0/16": private destinations that are allowed all the same */
    const char *ca_file;    /* NULL: the system's */
    struct metrics *metrics;
};
struct net *net_new(const struct net_config *cfg);
void net_free(struct net **n);

struct net_request {
    const char *kind;        /* metric label: "webhook", "jwks" */
    const char *method;      /* "GET", "POST" */
    struct str url;          /* https; http only to allowed private destinations */
    struct strs headers;     /* "Name: value" */
    struct str body;
    int64_t timeout_ms;      /* whole; 0: 10,000 */
    size_t response_max;     /* 0: 256 KiB */
};
struct net_response {
    int status;
    struct str body;
    int64_t max_age_s;       /* from Cache-Control; -1: not said */
};
/* ERR_NET_FORBIDDEN for a forbidden destination, ERR_NET for everything else; texts are generic (A22). */
err_t net_fetch(struct net *n, const struct net_request *r, struct arena *a, struct net_response *ret, struct fault *f);
struct net_mail {
    const char *smtp_url, *username, *password;
    struct str from, to, subject, text;
};
err_t net_send_mail(struct net *n, const struct net_mail *m, struct arena *a, struct fault *f);
/* Is this address one we may call? Also used to check URLs at registration. text of an address, any notation. */
bool net_address_allowed(const struct net *n, const char *ip);
