/* Open addressing with linear probing, at most half full; removal shifts back, so there are no tombstones. */
#include "token/idmap.h"
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

void idmap_init(struct idmap *m, size_t value_size, size_t max)
{
    *m = (struct idmap){.slot = sizeof(int64_t) + ((value_size + 7) & ~(size_t)7), .max = max};
}

void idmap_free(struct idmap *m)
{
    free(m->slots);
    m->slots = NULL;
    m->cap = m->n = 0;
}

static unsigned char *slot_at(const struct idmap *m, size_t i)
{
    return m->slots + i * m->slot;
}

static int64_t id_at(const struct idmap *m, size_t i)
{
    int64_t id;
    memcpy(&id, slot_at(m, i), sizeof(id));
    return id;
}

static size_t home_of(const struct idmap *m, int64_t id)
{
    return (size_t)(((uint64_t)id * 0x9E3779B97F4A7C15u) >> 32) & (m->cap - 1);
}

/* The slot that holds id, or the free one where it would stand. */
static size_t seek(const struct idmap *m, int64_t id)
{
    size_t i = home_of(m, id);
    while (id_at(m, i) != 0 && id_at(m, i) != id)
        i = (i + 1) & (m->cap - 1);
    return i;
}

void *idmap_get(const struct idmap *m, int64_t id)
{
    if (m->n == 0 || id == 0)
        return NULL;
    size_t i = seek(m, id);
    return id_at(m, i) == id ? slot_at(m, i) + sizeof(id) : NULL;
}

static bool grow(struct idmap *m)
{
    struct idmap bigger = *m;
    bigger.cap = m->cap ? m->cap * 2 : FIRST_CAP;
    bigger.slots = calloc(bigger.cap, m->slot);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < m->cap; i++)
        if (id_at(m, i) != 0)
            memcpy(slot_at(&bigger, seek(&bigger, id_at(m, i))), slot_at(m, i), m->slot);
    free(m->slots);
    *m = bigger;
    return true;
}

void *idmap_put(struct idmap *m, int64_t id)
{
    void *there = idmap_get(m, id);
    if (there)
        return there;
    if (id == 0 || m->n >= m->max || (m->n * 2 >= m->cap && !grow(m)))
        return NULL;
    unsigned char *s = slot_at(m, seek(m, id));
    memcpy(s, &id, sizeof(id));
    memset(s + sizeof(id), 0, m->slot - sizeof(id));
    m->n++;
    return s + sizeof(id);
}

void idmap_remove(struct idmap *m, int64_t id)
{
    if (!idmap_get(m, id))
        return;
    size_t hole = seek(m, id), mask = m->cap - 1;
    for (size_t i = (hole + 1) & mask; id_at(m, i) != 0; i = (i + 1) & mask) {
        size_t home = home_of(m, id_at(m, i));
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* it would move before its home */
        memcpy(slot_at(m, hole), slot_at(m, i), m->slot);
        hole = i;
    }
    memset(slot_at(m, hole), 0, m->slot);
    m->n--;
}

void *idmap_next(const struct idmap *m, size_t *at, int64_t *ret_id)
{
    while (*at < m->cap) {
        size_t i = (*at)++;
        if (id_at(m, i) != 0) {
            *ret_id = id_at(m, i);
            return slot_at(m, i) + sizeof(int64_t);
        }
    }
    return NULL;
}
