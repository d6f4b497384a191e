/* What servers on one store tell each other about what they have in memory (store.h, db_tell): which cached objects are no longer what
 * they were, and which nodes are dead. Said inside the transaction that makes it true. */
#pragma once
#include "token/core.h"
struct object;

err_t news_object_tx(struct db *db, const struct object *o);         /* it was changed or removed */
err_t news_named_tx(struct db *db, int64_t tenant_id, const char *kind, struct str name);
err_t news_tenant_tx(struct db *db, int64_t tenant_id);              /* its snapshot: roles, resources, keys */
err_t news_dead_tx(struct db *db, int64_t node_id, int64_t cutoff_id);
void news_start(struct core *core); /* hears; before anything is read */
