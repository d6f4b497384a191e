/* What net's files share. Private to src/net. */
#pragma once
#include "net/net.h"
#include "net/address.h"
#include <curl/curl.h>

struct net {
    struct range *allow;
    size_t nallow;
    char *ca_file;
    struct metrics *metrics;
};

enum verdict { ADDRESS_OPEN, ADDRESS_LISTED, ADDRESS_CLOSED }; /* for all; named in allow; neither */
enum verdict net_judge(const struct net *n, const struct address *a);
bool net_is_localhost(struct str host);

/* One transfer: a handle with what every transfer here has (no proxy, no redirect, time limit, TLS 1.2), and
 * its guard. */
struct transfer {
    const struct net *net;
    CURL *curl;
    bool secure;    /* TLS: may go to open addresses */
    bool anywhere;  /* no guard: the operator's mail relay */
    bool forbidden; /* the guard refused an address */
};
/* ERR_MEMORY; transfer_end always. */
err_t transfer_begin(struct transfer *t, const struct net *n, const char *url, const char *protocols,
                     int64_t timeout_ms);
/* Runs it; ERR_NET for whatever failed. Counts the result. */
err_t transfer_run(struct transfer *t, const char *kind, struct fault *f);
void transfer_end(struct transfer *t);
