/* The object kind "provider": another OpenID provider whose people may sign in here (outside sign-in). Part of the tenant's
 * snapshot, so that the sign-in page knows its buttons. What is done with it: account/outside.h. */
#pragma once
#include "token/object.h"

struct tenant;

struct provider {
    struct str name, display_name;
    struct str issuer;                     /* exactly as its tokens say */
    struct str client_id, client_secret;   /* F_SECRET; in the snapshot: in the clear, since it must be sent */
    struct str scope;
    struct str token_endpoint_auth_method; /* client_secret_basic, client_secret_post */
    struct str link;                       /* "ask" | "create": what becomes of somebody who is not known here */
    bool trust_email;                      /* an address that it calls verified is verified here, too: new accounts only */
    int64_t id, cutoff_id;                 /* of its row: what began before is over. No fields */
};
extern const struct object_kind kind_provider;

/* NULL: there is none of that name or issuer, or it is disabled. */
const struct provider *provider_named(const struct tenant *t, struct str name);
const struct provider *provider_of_issuer(const struct tenant *t, struct str issuer);
struct str provider_title(const struct provider *p); /* what people read */
