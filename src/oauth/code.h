/* The authorization code between the endpoint that makes it (authorize.c) and the grant that redeems it
 * (grant_code.c). */
#pragma once
#include "oauth/parts.h"
#include "token/ticket.h"

#define CODE_KIND "code"
/* What a code stands for; in the ticket's spec as JSON. */
struct code {
    struct str redirect_uri; /* as the request had it; zero: it had none */
    struct str challenge;    /* PKCE; zero: none */
    struct str scope, audience, nonce;
    struct signin_info signin;
    int64_t session_end_s; /* when the session ends by itself */
    bool offline;          /* the grant outlives it */
};
struct str code_spec(struct op *op, const struct code *c);
err_t code_parse(struct op *op, struct str spec, struct code *ret);
