/* Row ids: time in the upper bits, then order, then the number of the server, never twice, never back.
 * After a crash with a clock set back, the rows alone do not tell which ids were given out (a token need not
 * be stored, a row may have been deleted), so the store holds a ceiling above all of them, raised ahead of
 * time; each server has its own.
 *
 * Servers on one database go by its clock, which they know to within a round trip: new ids by the earliest it may be, cut-offs by
 * the latest, so that a cut-off is above all that was given out before, wherever. */
#include "store/engine.h"
#include <stdio.h>

#define ID_EPOCH_MS  1704067200000 /* 2024-01-01T00:00:00Z */
#define ID_ORDER     21            /* bits below the milliseconds */
#define SLOT_BITS    5
#define CEILING_MS   20000         /* so far ahead it is written */
#define CEILING_NEAR 10000         /* so near it is raised */
_Static_assert(1 << SLOT_BITS == LIMIT_SERVERS, "a server's number fits its bits");

int64_t store_id_at(int64_t wall_ms)
{
    return wall_ms <= ID_EPOCH_MS ? 1 : (int64_t)((uint64_t)(wall_ms - ID_EPOCH_MS) << ID_ORDER);
}

static int64_t now_ms(const struct store *s, bool latest)
{
    const struct clock *c = s->cfg.clock;
    if (!s->by_base)
        return c->wall_ms(c->ctx);
    return c->steady_ms(c->ctx) + atomic_load_explicit(latest ? &s->base_high : &s->base_low, memory_order_relaxed);
}

int64_t store_wall_ms(const struct store *s)
{
    return now_ms(s, false);
}

static int64_t after(const struct store *s, int64_t id)
{
    return ((id >> SLOT_BITS) + 1) << SLOT_BITS | s->slot;
}

static int64_t take(struct store *s, bool latest)
{
    int64_t now = store_id_at(now_ms(s, latest)) | s->slot;
    int64_t last = atomic_load_explicit(&s->last_id, memory_order_relaxed), next;
    do
        next = now > last ? now : after(s, last);
    while (!atomic_compare_exchange_weak_explicit(&s->last_id, &last, next, memory_order_relaxed,
                                                  memory_order_relaxed));
    return next;
}

int64_t store_new_id(struct store *s)
{
    return take(s, false);
}

int64_t store_cutoff_id(struct store *s)
{
    return take(s, true);
}

void store_id_seen(struct store *s, int64_t id)
{
    int64_t last = atomic_load_explicit(&s->last_id, memory_order_relaxed);
    while (last < id && !atomic_compare_exchange_weak_explicit(&s->last_id, &last, id, memory_order_relaxed, memory_order_relaxed))
        ;
}

/* --- the ceiling --- */

void id_start(struct store *s, int64_t highest)
{
    store_id_seen(s, highest);
    atomic_store(&s->id_ceiling, highest);
}

bool id_ceiling_due(struct store *s)
{
    return atomic_load(&s->last_id) + ((int64_t)CEILING_NEAR << ID_ORDER) > atomic_load(&s->id_ceiling);
}

void id_ceiling_name(const struct store *s, char ret[static 24])
{
    if (s->slot == 0)
        snprintf(ret, 24, "id_ceiling");
    else
        snprintf(ret, 24, "id_ceiling/%d", s->slot);
}

int64_t id_ceiling_read(struct str be)
{
    uint64_t v = 0;
    for (size_t i = 0; i < be.n && i < 8; i++)
        v = v << 8 | (uint8_t)be.p[i];
    return (int64_t)v;
}

struct ceiling {
    int64_t id;
    char name[24];
};

static err_t ceiling_tx(struct db *db, void *ctx)
{
    const struct ceiling *c = ctx;
    uint8_t be[8];
    for (int i = 0; i < 8; i++)
        be[i] = (uint8_t)((uint64_t)c->id >> (56 - 8 * i));
    return db_run(db, Q_META_PUT, BIND(vtext(str_z(c->name)), vblob(be, sizeof(be))), NULL);
}

int64_t id_ceiling_next(int64_t id)
{
    return id + ((int64_t)CEILING_MS << ID_ORDER);
}

err_t id_ceiling_raise(struct store *s, bool closing)
{
    int64_t last = atomic_load(&s->last_id), now = store_id_at(now_ms(s, false));
    struct ceiling c = {.id = closing ? last : id_ceiling_next(now > last ? now : last)};
    id_ceiling_name(s, c.name);
    TRY(store_tx(s, ceiling_tx, &c));
    atomic_store(&s->id_ceiling, c.id);
    return ERR_OK;
}
