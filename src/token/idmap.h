/* A bounded hash map from a row id to a value of fixed size, held in one block of memory: the dead set, chain
 * heads, last-used times. Ids are ours, never chosen by strangers, so a multiplicative hash is enough. Not
 * thread-safe. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap {
    unsigned char *slots; /* cap slots: the id (0: free), then the value */
    size_t slot;          /* bytes of one */
    size_t cap, n, max;
};
void idmap_init(struct idmap *m, size_t value_size, size_t max);
void idmap_free(struct idmap *m); /* empty again, usable */
void *idmap_get(const struct idmap *m,
                int64_t id); /* the value, until the next put or remove; NULL if there is none */
void *idmap_put(struct idmap *m, int64_t id); /* the value, zeroed if new; NULL when full or out of memory */
void idmap_remove(struct idmap *m, int64_t id);
/* Visits all: *at starts at 0. NULL at the end. Removing while visiting is not allowed. */
void *idmap_next(const struct idmap *m, size_t *at, int64_t *ret_id);
