/* The outbox's rows: written in the transaction they tell of, and made due again. */
#include "event/internal.h"
#include "base/enc.h"
#include "crypto/crypto.h"
#include <stdlib.h>

struct event *event_new(const struct event_config *cfg)
{
    uint8_t id[8];
    struct buf b;
    struct event *e = calloc(1, sizeof(*e));
    if (!e || random_bytes(id, sizeof(id)) != ERR_OK) {
        free(e);
        return NULL;
    }
    e->cfg = *cfg;
    pthread_mutex_init(&e->lock, NULL);
    buf_init(&b, NULL, sizeof(e->owner) - 1);
    enc_hex(&b, id, sizeof(id));
    memcpy(e->owner, buf_view(&b).p, buf_view(&b).n);
    buf_free(&b);
    return e;
}

void event_free(struct event **e)
{
    if (*e)
        pthread_mutex_destroy(&(*e)->lock);
    free(*e);
    *e = NULL;
}

err_t event_emit(struct db *db, struct store *s, int64_t tenant_id, const char *sink, struct str target,
                 const char *event, struct str object, struct str payload, int64_t now_s)
{
    if (payload.n > LIMIT_EVENT_PAYLOAD)
        return ERR_TOO_LARGE;
    return db_run(db, Q_OUTBOX_ADD,
                  BIND(vint(store_new_id(s)), vint(tenant_id), vtext(str_z(sink)), vtext(target),
                       vtext(str_z(event)), vtext(object), vtext(payload), vint(now_s)),
                  NULL);
}

struct replay {
    int64_t tenant_id, id, now_s;
};

static err_t replay_tx(struct db *db, void *ctx)
{
    const struct replay *r = ctx;
    int64_t changed = 0;
    TRY(db_run(db, Q_OUTBOX_REPLAY, BIND(vint(r->tenant_id), vint(r->id), vint(r->now_s)), &changed));
    return changed == 1 ? ERR_OK : ERR_NOT_FOUND;
}

err_t event_replay(struct store *s, int64_t tenant_id, int64_t id, int64_t now_s)
{
    struct replay r = {tenant_id, id, now_s};
    return store_tx(s, replay_tx, &r);
}
