/* Row ids: time in the upper bits, order in the lower, never twice, never back.
 * After a crash with a clock set back, the rows alone do not tell which ids were given out (a token need not
 * be stored, a row may have been deleted), so the store holds a ceiling above all of them, raised ahead of
 * time. */
#include "store/engine.h"

#define ID_EPOCH_MS  1704067200000 /* 2024-01-01T00:00:00Z */
#define ID_ORDER     21            /* bits */
#define CEILING_MS   20000         /* so far ahead it is written */
#define CEILING_NEAR 10000         /* so near it is raised */

int64_t store_id_at(int64_t wall_ms)
{
    return wall_ms <= ID_EPOCH_MS ? 1 : (int64_t)((uint64_t)(wall_ms - ID_EPOCH_MS) << ID_ORDER);
}

static int64_t id_now(const struct store *s)
{
    return store_id_at(s->cfg.clock->wall_ms(s->cfg.clock->ctx));
}

int64_t store_new_id(struct store *s)
{
    int64_t now = id_now(s);
    int64_t last = atomic_load_explicit(&s->last_id, memory_order_relaxed), next;
    do
        next = now > last ? now : last + 1;
    while (!atomic_compare_exchange_weak_explicit(&s->last_id, &last, next, memory_order_relaxed,
                                                  memory_order_relaxed));
    return next;
}

void id_start(struct store *s, int64_t highest)
{
    atomic_store(&s->last_id, highest);
    atomic_store(&s->id_ceiling, highest);
}

bool id_ceiling_due(struct store *s)
{
    return atomic_load(&s->last_id) + ((int64_t)CEILING_NEAR << ID_ORDER) > atomic_load(&s->id_ceiling);
}

struct ceiling {
    int64_t id;
};

static err_t ceiling_tx(struct db *db, void *ctx)
{
    const struct ceiling *c = ctx;
    uint8_t be[8];
    for (int i = 0; i < 8; i++)
        be[i] = (uint8_t)((uint64_t)c->id >> (56 - 8 * i));
    return db_run(db, Q_META_PUT, BIND(vtext(STR("id_ceiling")), vblob(be, sizeof(be))), NULL);
}

err_t id_ceiling_raise(struct store *s, bool closing)
{
    int64_t last = atomic_load(&s->last_id), now = id_now(s);
    struct ceiling c = {closing ? last : (now > last ? now : last) + ((int64_t)CEILING_MS << ID_ORDER)};
    TRY(store_tx(s, ceiling_tx, &c));
    atomic_store(&s->id_ceiling, c.id);
    return ERR_OK;
}
