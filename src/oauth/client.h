/* What the files of the client kind share: client_kind.c (its fields), client_check.c and client_oidc.c (what a valid one looks
 * like), client.c (its secret). */
#pragma once
#include "oauth/parts.h"

bool client_has_secret(const struct client *c);
err_t client_check(struct op *op, void *spec, bool is_new);
err_t client_permit(struct op *op, const void *old_spec);
err_t client_beside(struct db *db, const struct object *o, bool removed);
/* The keys its people's sign-ins will be signed with are there, and published, before the first one (client_keys.c). */
err_t client_written(struct op *op, const struct object *o);
err_t client_seal(struct op *op, const void *spec, struct str old, struct str *ret);

/* client_oidc.c: the members of OpenID Connect, keys among them. */
err_t client_check_oidc(struct op *op, struct client *c);

/* sector.c: the list behind sector_identifier_uri holds every redirect URI. Fetched when either has changed; the last of the checks. */
err_t client_check_sector(struct op *op, const struct client *c, bool is_new);
