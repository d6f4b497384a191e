/* What client authentication shares among its files: client_auth.c (secrets, and who may come without), client_assertion.c (JWTs),
 * client.c (what is kept of a secret). */
#pragma once
#include "oauth/parts.h"

/* invalid_client, counted in the audit trail. detail: nothing that tells whether the client exists, unless it has proved that
 * it is the client (A38). */
err_t client_refuse(struct op *op, struct str client_id, const char *detail);
/* The look-up that an unknown name costs, for one that is known: else the cache tells them apart. */
void client_look_up_nothing(struct op *op, struct str client_id);

/* client_assertion.c: private_key_jwt and client_secret_jwt. ERR_CLIENT_INVALID; ERR_BUSY. */
err_t client_assert(struct op *op, const struct client_credentials *c, struct object **ret_client);

/* The sealed secret behind the nth MAC of kind_client.seal's text, base64url; STR_NONE without one. */
struct str client_sealed_nth(struct str stored, size_t n);
err_t client_secret_seal(struct op *op, const struct client *c, struct str *ret_b64url);
/* In the op's arena; STR_NONE if it does not open. */
struct str client_secret_open(struct op *op, const struct client *c, struct str sealed_b64url);
