/* Clients that register themselves: RFC 7591, RFC 7592 and OpenID Connect Dynamic Client Registration 1.0, as far as the tenant's
 * policy goes (its fields registration*). Such a client is an object like any other, written by object_put and managed by
 * MANAGED_REGISTRATION until an administrator releases it; a row of table `registration` beside it keeps the hash of its
 * registration access token, whose token let it in, and when it ends. */
#pragma once
#include "oauth/oauth.h"

/* What the caller is told. */
struct registration {
    struct object *client;
    struct str client_secret; /* shown this once; STR_NONE */
    struct str token;         /* the registration access token that is good now */
    int64_t expires_s;        /* the client is removed then; 0: never */
    int64_t owner_id;         /* account or client whose token let it in; 0: a stranger */
    uint8_t hash[32];         /* of the token that was presented */
};

/* body: the client's metadata as JSON. op->actor is whoever showed an initial access token, or nobody. ERR_NOT_FOUND: the tenant takes no registrations. ERR_TOKEN_MISSING,
 * ERR_SCOPE_INSUFFICIENT, ERR_LIMITED, ERR_FORBIDDEN (quota), ERR_REDIRECT_URI, ERR_CLIENT_METADATA, ERR_SOFTWARE_STATEMENT. May
 * call the sector_identifier_uri. */
err_t registration_create(struct op *op, struct str body, struct registration *ret);
/* The registered client of this name, for the holder of its registration access token. ERR_TOKEN_INVALID, whatever was wrong. */
err_t registration_open(struct op *op, struct str client_id, struct str token, struct registration *ret);
/* The body is the client's whole metadata from now on; there is a new token. *r is from registration_open. */
err_t registration_replace(struct op *op, struct registration *r, struct str body);
err_t registration_remove(struct op *op, const struct registration *r);
/* The client information response (RFC 7591 section 3.2.1). */
err_t registration_print(struct op *op, const struct registration *r, struct jw *w);

/* The client has just been used: it lives on. Costs nothing for others. */
void registration_used(struct op *op, const struct object *client);
/* Removes clients whose time is up; for the housekeeper. */
err_t registration_sweep(struct op *op, bool *ret_more);
/* kind_client.beside: the row goes with the client, or when somebody else takes it over. */
err_t registration_beside(struct db *db, const struct object *client, bool removed);
