/* Outgoing requests behind one interface, with the one guard against calls into private networks (A21): names
 * are resolved once, every address is checked, the connection goes to the checked address only, redirects are
 * off, size and time capped. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/metrics.h"

struct net;
struct net_config {
    struct strs allow;   /* "127.0.0.1", "10.1.0.0/16": private destinations that are allowed all the same */
    const char *ca_file; /* NULL: the system's */
    struct metrics *metrics;
};
/* NULL if memory is out or an entry of allow is no address. */
struct net *net_new(const struct net_config *cfg);
void net_free(struct net **n);

struct net_request {
    const char *kind;    /* metric label: "webhook", "jwks" */
    const char *method;  /* "GET", "POST" */
    struct str url;      /* https; http only to allowed private destinations */
    struct strs headers; /* "Name: value" */
    struct str body;
    int64_t timeout_ms;  /* whole; 0: 10,000 */
    size_t response_max; /* 0: 256 KiB */
};
struct net_response {
    int status;
    struct str body;
    int64_t max_age_s; /* from Cache-Control; -1: not said */
};
/* ERR_NET_FORBIDDEN for an address that may not be called, ERR_PARAM_BAD for a URL that is none, ERR_NET for
 * the rest; texts are generic. A name that leads to a forbidden address is ERR_NET as well: the answer must
 * not tell strangers what names mean in here (A22); the metric's result says "forbidden". */
err_t net_fetch(struct net *n, const struct net_request *r, struct arena *a, struct net_response *ret,
                struct fault *f);
struct net_mail {
    const char *smtp_url, *username, *password;
    struct str from, to, subject, text;
};
/* The relay is the operator's word, so it may be anywhere. Over smtp:// STARTTLS is required unless the host
 * is this one. */
err_t net_send_mail(struct net *n, const struct net_mail *m, struct arena *a, struct fault *f);
/* Is this address one we may call? Also used to check URLs at registration. text of an address, any notation.
 */
bool net_address_allowed(const struct net *n, const char *ip);
/* Could net_fetch be asked for this URL? For registration: scheme, form, no user name in it, and no forbidden
 * address for a host (in any notation; "localhost" counts as one). What a name means is looked at when it is
 * called. ERR_NET_FORBIDDEN or ERR_PARAM_BAD. */
err_t net_url_check(const struct net *n, struct str url, struct fault *f);
