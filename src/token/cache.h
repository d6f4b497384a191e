/* Hot configuration in memory: tenant snapshots and configured objects, bounded, versioned. A loader that raced with a
 * change does not get its stale copy in. */
#pragma once
#include "token/object.h"
struct cache *cache_new(size_t capacity);
void cache_free(struct cache **c);
void cache_follow(struct cache *c, const struct store *s); /* nothing is found while the store is not fresh */
/* kind tenant: (0, "tenant", name). Returns a held object or NULL. */
struct object *cache_get(struct cache *c, int64_t tenant_id, const char *kind, struct str name);
struct object *cache_get_id(struct cache *c, int64_t id);
uint64_t cache_version(const struct cache *c);
/* Takes a reference of its own; does nothing if the version has moved since. */
void cache_put(struct cache *c, struct object *o, uint64_t version_before_load);
void cache_drop(struct cache *c, int64_t tenant_id, const char *kind, struct str name); /* and moves the version */
void cache_drop_all(struct cache *c);
void cache_drop_tenant(struct cache *c, int64_t tenant_id); /* the snapshot: roles, resources, keys changed */
void object_release(struct object *o); /* nothing for objects in an op's arena; the reference of a new one is its maker's */
