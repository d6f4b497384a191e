/* The outbox: one durable queue for everything that leaves the process because of a change. A row is written
 * in the transaction it tells of; the housekeeper delivers, leased, in order per object, with back-off, and
 * it can be replayed. */
#pragma once
#include "store/store.h"
#include "net/net.h"

struct event;
/* One delivery under way. */
struct delivery {
    int64_t id, tenant_id, created_s, attempts;
    struct str sink, target, event, object, payload; /* payload: JSON */
};
/* A way out. deliver blocks (it runs on an outgoing worker); an error means: again later, in 10 s to an hour,
 * for three days. ERR_NET: its target cannot be reached, so all that waits for the target waits with it;
 * ERR_NOT_FOUND (the target is gone), ERR_JSON and ERR_PARAM_BAD: never again; anything else holds up the
 * same object alone. May happen twice after a crash. */
struct event_sink {
    const char *name; /* "webhook", "mail" */
    bool erase;       /* the payload holds a secret (a mail with a link): gone once delivered, no replay */
    err_t (*deliver)(void *ctx, const struct delivery *d, struct arena *a, struct fault *f);
    void *ctx;
};
struct event_config {
    struct store *store;
    struct log *log;
    struct metrics *metrics;
    const struct clock *clock;
    const struct event_sink *sinks;
    size_t nsinks;
};
struct event *event_new(const struct event_config *cfg); /* NULL if memory is out */
void event_free(struct event **e);
/* Inside a transaction. object orders deliveries ("grant:4711"); target is the sink's business (webhook name,
 * address). */
err_t event_emit(struct db *db, struct store *s, int64_t tenant_id, const char *sink, struct str target,
                 const char *event, struct str object, struct str payload, int64_t now_s);
/* Delivers what is due, at most max, from the calling thread; several threads may. *ret_more: more is due
 * now. What fails is put off, not an error; an error is the store's. Sweeps rows done with a week ago as it
 * goes. */
err_t event_deliver_some(struct event *e, struct db *db, int max, bool *ret_more);
/* Due again, attempts 0. ERR_NOT_FOUND. */
err_t event_replay(struct store *s, int64_t tenant_id, int64_t id, int64_t now_s);

/* The webhook sink: POST of the payload with X-Mereau-Event, -Id (the same at each attempt), -Timestamp (of
 * this attempt) and -Signature: "v1=" + hex HMAC-SHA-256 of "id.timestamp.body". Target is the webhook's
 * name; URL and secret come from `secret_of`, which says ERR_NOT_FOUND when the webhook is gone. */
struct webhook_sink {
    struct net *net;
    const struct crypto *crypto;
    const struct clock *clock;
    err_t (*secret_of)(void *ctx, int64_t tenant_id, struct str target, struct arena *a, struct str *ret_url,
                       struct str *ret_secret);
    void *ctx;
};
err_t webhook_deliver(void *ctx, const struct delivery *d, struct arena *a, struct fault *f);
/* The mail sink: payload {"to","subject","text"}; by SMTP through net. */
struct mail_sink {
    struct net *net;
    const char *smtp_url, *from, *username,
        *password; /* "smtp://host:587" (STARTTLS required unless loopback), "smtps://" */
};
err_t mail_deliver(void *ctx, const struct delivery *d, struct arena *a, struct fault *f);
