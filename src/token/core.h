/* The services a domain uses, built once by app/ and read-only afterwards. Effects come only through here: clock, random,
 * store, network, log. */
#pragma once
#include "token/op.h"

struct net;
struct event;
struct cache;
struct dead_set;
struct usage;
struct object_kinds;
struct audit_state;
struct expiry;
struct keyring;
struct remote_keys;
struct outside;
struct status;

struct core {
    struct store *store;
    struct crypto *crypto;
    struct log *log;
    struct metrics *metrics;
    const struct clock *clock;
    struct net *net;
    struct event *event;
    struct cache *cache;       /* token/cache.h: tenants and configured objects */
    struct dead_set *dead;     /* token/life.h */
    struct usage *usage;       /* token/usage.h: last-used times, flushed once a minute */
    struct audit_state *audit; /* token/audit.h: chain heads, counted refusals */
    struct expiry *expiry;     /* token/life.h: the clock that deletion trusts */
    uint8_t id_key[16];        /* permute64: how row ids look outside */
    struct keyring *keyring;   /* token/keyring.h: the master key */
    struct remote_keys *remote_keys; /* token/remote_keys.h: public keys of clients and outside providers */
    struct outside *outside;   /* account/outside.h: metadata of outside providers */
    struct status *status;     /* token/status.h: open lists, and lists ready to send */
    uint8_t store_key[32];     /* derives store-wide secrets (HKDF with a purpose as info); survives a rotation of the master key */
    struct str issuer;         /* configured, without a trailing slash */
    bool https;                /* the issuer is https: cookies get Secure and __Host- */
    const struct object_kinds *kinds; /* put together by app/ */
    /* Writes what the tenant says of itself (oauth/discovery.c); kept in its snapshot. NULL in tests of lower layers. */
    err_t (*describe)(const struct tenant *t, struct arena *a, struct str *ret);
    const char *data_dir;
    bool dry;                  /* a store to try things in: nothing outside is asked */
    bool mail;                 /* a mail sink is configured */
};
