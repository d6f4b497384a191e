/* The webhook sink: a signed POST. */
#include "event/event.h"
#include "base/enc.h"
#include "crypto/crypto.h"
#include <inttypes.h>

#define ID_BYTES 12

/* What the receiver may know a delivery by: the same at each attempt, and telling nothing about how many
 * there are. */
static struct str public_id(const struct webhook_sink *w, const struct delivery *d, struct str secret,
                            struct arena *a)
{
    uint8_t mac[SHA256_SIZE];
    struct buf b;
    hmac_sha256(w->crypto, secret, arena_fmt(a, "id:%" PRId64, d->id), mac);
    buf_init(&b, a, 64);
    buf_z(&b, "evt_");
    enc_hex(&b, mac, ID_BYTES);
    return buf_view(&b);
}

static struct str signature(const struct webhook_sink *w, struct str secret, struct str id, int64_t at_s,
                            struct str body, struct arena *a)
{
    uint8_t mac[SHA256_SIZE];
    struct buf text, b;
    buf_init(&text, a, body.n + 128);
    buf_fmt(&text, "%.*s.%" PRId64 ".", STR_ARG(id), at_s);
    buf_str(&text, body);
    hmac_sha256(w->crypto, secret, buf_view(&text), mac);
    buf_init(&b, a, 128);
    buf_z(&b, "X-Mereau-Signature: v1=");
    enc_hex(&b, mac, sizeof(mac));
    return buf_ok(&text) && buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

err_t webhook_deliver(void *ctx, const struct delivery *d, struct arena *a, struct fault *f)
{
    const struct webhook_sink *w = ctx;
    struct str url, secret;
    TRY(w->secret_of(w->ctx, d->tenant_id, d->target, a, &url, &secret));
    int64_t now_s = clock_wall_s(w->clock);
    struct str id = public_id(w, d, secret, a);
    const struct str headers[] = {
        STR("Content-Type: application/json"),
        arena_fmt(a, "X-Mereau-Event: %.*s", STR_ARG(d->event)),
        arena_fmt(a, "X-Mereau-Id: %.*s", STR_ARG(id)),
        arena_fmt(a, "X-Mereau-Timestamp: %" PRId64, now_s),
        signature(w, secret, id, now_s, d->payload, a),
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        if (!headers[i].p)
            return fault_set(f, ERR_MEMORY, "", "out of memory");
    const struct net_request r = {
        .kind = "webhook",
        .method = "POST",
        .url = url,
        .headers = {headers, sizeof(headers) / sizeof(headers[0])},
        .body = d->payload,
        .response_max = 64 * 1024,
    };
    struct net_response answer;
    TRY(net_fetch(w->net, &r, a, &answer, f));
    if (answer.status >= 200 && answer.status < 300)
        return ERR_OK;
    return fault_set(f, ERR_NET_ANSWER, "", "the other server answered with status %d", answer.status);
}
