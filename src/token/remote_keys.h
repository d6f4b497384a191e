/* Public keys of others: clients, outside providers. A set behind an address is fetched through src/net and cached by
 * Cache-Control; an unknown kid fetches once more, but not more often than once a minute; while the network is away the old set
 * serves; never two fetches of one address at once. */
#pragma once
#include "token/op.h"

struct remote_keys;
/* core->remote_keys; NULL if memory is out. waiting: how many threads may stand here at once, fetching or waiting for who does, so
 * that slow addresses leave some for everybody else; at most LIMIT_REMOTE_WAITING. */
struct remote_keys *remote_keys_new(size_t waiting);
void remote_keys_free(struct remote_keys **r);

/* The set of an address, one key of it with this kid if it has one (STR_NONE: whatever there is). Valid as long as the op's arena. May block
 * for a fetch: LIMIT_REMOTE_MS. ERR_NET, ERR_NET_FORBIDDEN, ERR_KEY: there is none; ERR_BUSY: too many wait. */
err_t remote_keys_get(struct op *op, struct str jwks_uri, struct str kid, const struct jwks **ret);
/* Keys by value (jwks, a JWK Set as JSON), or else by address. Of no use without either: ERR_KEY. */
err_t remote_keys_of(struct op *op, const json_t *jwks, struct str jwks_uri, struct str kid, const struct jwks **ret);
