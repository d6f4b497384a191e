/* A tenant: a row, not a process. The snapshot here is what requests work with: the tenant's own fields, its roles and
 * resources, its keys. Immutable, cached, replaced as a whole when any part changes. */
#pragma once
#include "token/claim.h"
#include "token/provider.h"

struct role {
    struct str name, description;
    struct strs permissions;
};
struct resource {
    struct str identifier; /* the audience: an absolute URI or a plain name */
    struct str description;
    struct strs scopes;    /* empty: any scope its clients list */
    struct strs introspect_clients; /* client_ids that may introspect tokens for it */
    bool is_default;
};
struct webhook {
    struct str name, url;
    struct str secret;   /* F_SECRET: HMAC-SHA-256 key of the signature header */
    struct strs events;  /* "token.revoked", "refresh.reuse", "*" */
};
struct tenant_spec {
    struct str name, display_name;
    struct str signing_alg;     /* default of its clients: ES256 */
    int64_t access_token_life_s, refresh_token_life_s, refresh_token_idle_s, refresh_grace_s, code_life_s;
    int64_t session_life_s, session_idle_s;
    int64_t key_life_s;         /* a signing key is rotated after this long; 0: never by itself */
    int64_t jwks_max_age_s;
    int64_t status_list_ttl_s, introspect_max_age_s;
    struct strs forward_auth_hosts; /* hosts whose proxies ask GET /verify: sign-in may lead back to them */
    /* Clients that register themselves (oauth/register.h); counts and times of 0: no limit */
    struct str registration;    /* "off", "token", "open" */
    struct str registration_scope;
    struct strs registration_grant_types, registration_hosts;
    int64_t registration_quota, registration_rate, registration_life_s;
    bool demo;                  /* holds demo objects: the server refuses addresses other than loopback */
};
extern const struct object_kind kind_tenant, kind_role, kind_resource, kind_webhook;

struct signing_key {
    struct jwk jwk;
    int64_t created_s, active_s, retired_s, remove_s; /* 0: not yet */
};
struct tenant {
    struct object object;      /* kind_tenant; spec below */
    const struct tenant_spec *spec;
    struct str name;           /* "default" */
    struct str issuer;         /* "https://host" or "https://host/t/<name>" */
    struct str path;           /* "" or "/t/<name>": before every path of it */
    const struct role *roles;
    size_t nroles;
    const struct resource *resources;
    size_t nresources;
    const struct webhook *webhooks;
    size_t nwebhooks;
    const struct provider *providers; /* those that are not disabled */
    size_t nproviders;
    const struct claim *claims; /* oauth/claim_template.c */
    size_t nclaims;
    unsigned claim_tokens;      /* where any of them stands: enum claim_token */
    const struct signing_key *keys;
    size_t nkeys;
    struct str jwks, metadata; /* ready to send */
    struct resource implied;   /* the issuer as a resource: see tenant_resource */
    struct strs permissions;   /* every word that a role or a kind of object here knows */
    uint8_t key[32];           /* the envelope's tenant key */
    uint8_t refresh_key[32];   /* derives refresh successors */
    uint8_t secret_key[32];    /* HMAC of client secrets, CSRF tokens, device cookies */
};
#define TENANT_DEFAULT "default"

/* Puts the tenant into the op. ERR_NOT_FOUND for an unknown name; disabled ones: ERR_NOT_FOUND too. */
err_t tenant_use(struct op *op, struct str name);
err_t tenant_use_id(struct op *op, int64_t id);
/* Takes the snapshot as it is now, in place of the one held (which is released): for long operations between their steps. */
err_t tenant_refresh(struct op *op);
/* Makes the default tenant if the store has none (first start). */
err_t tenant_ensure_default(struct op *op);
/* The key that signs now with alg; made at first use (and used at once). */
err_t tenant_signing_key(struct op *op, enum alg alg, const struct signing_key **ret);
/* The resource for an audience, or the default one for STR_NONE. NULL if unknown. A tenant without resources has one
 * implied: its issuer. With several and none marked as default, the issuer is the default. */
const struct resource *tenant_resource(const struct tenant *t, struct str identifier_or_none);
/* The permissions that a list of role names adds up to (arena). Built-in roles: admin (everything in its tenant),
 * operator (everything in every tenant; default tenant only), auditor (every *.read). */
struct strs tenant_permissions(struct op *op, struct strs roles);
/* True if some role of the tenant grants this word: then a scope of that name is only for people who hold it. */
bool tenant_knows_permission(const struct tenant *t, struct str permission);
/* True if the word opens something of this server itself, in every tenant: "admin", "user.write". */
bool permission_is_own(const struct core *core, struct str permission);
/* Built in: needs no row, may not be defined anew. */
bool role_is_built_in(struct str name);
/* Deletes what removed tenants have left behind, in bounded batches; for the housekeeper. */
err_t tenant_sweep(struct op *op, bool *ret_more);
