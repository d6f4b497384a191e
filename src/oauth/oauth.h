/* OAuth 2 as an authorization server, RFC 6749 narrowed by RFC 9700, and OpenID Connect on it. Shared types; one header for the
 * domain, one file a thing: the names of the files say which. */
#pragma once
#include "account/session.h"

/* Names are RFC 7591's where it has one. */
struct client {
    struct str client_id, client_name, client_secret /* F_SECRET */;
    bool keep_previous_secret; /* rotation: a new secret leaves the one before valid until this is false again
                                */
    struct str token_endpoint_auth_method; /* client_secret_basic (default with a secret; _post is accepted as
                                              well), client_secret_post, client_secret_jwt, private_key_jwt, none */
    struct str token_endpoint_auth_signing_alg; /* "": any that fits the method */
    struct str assertion_aud;                   /* "issuer", or "token_endpoint": that address as well */
    int64_t assertion_life_s;
    json_t *jwks; /* a JWK Set, or NULL; at most one of both */
    struct str jwks_uri;
    struct strs redirect_uris, grant_types, response_types;
    struct str scope;
    struct strs resources;          /* what it may ask for as resource; empty: the default resource only */
    struct str access_token_format; /* "opaque" | "jwt" */
    struct str access_token_signing_alg; /* "" : the tenant's */
    int64_t access_token_life_s, refresh_token_life_s, refresh_token_idle_s,
        refresh_grace_s;      /* -1: the tenant's */
    bool require_pkce;        /* default true; false only for a confidential client */
    bool store_access_tokens; /* default true */
    bool first_party;         /* no consent page */
    struct strs permissions;  /* "token.introspect", "account.read": what it may do here as itself */
    /* OpenID Connect Registration 1.0 section 2. Algorithms: "" is none. */
    struct str application_type, subject_type /* "public" | "pairwise" */, sector_identifier_uri;
    struct str id_token_signed_response_alg, id_token_encrypted_response_alg, id_token_encrypted_response_enc;
    struct str userinfo_signed_response_alg, userinfo_encrypted_response_alg, userinfo_encrypted_response_enc;
    struct str request_object_signing_alg;
    bool require_signed_request_object; /* RFC 9101 section 10.5 */
    int64_t default_max_age_s;          /* -1: none */
    bool require_auth_time;
    struct strs default_acr_values;
    struct str initiate_login_uri;
    /* RP-Initiated, Back-Channel and Front-Channel Logout 1.0 */
    struct strs post_logout_redirect_uris;
    struct str backchannel_logout_uri, frontchannel_logout_uri;
    bool backchannel_logout_session_required, frontchannel_logout_session_required;
    bool status_list; /* its JWT access tokens have an index in the tenant's status list */
    struct str client_uri, logo_uri, policy_uri, tos_uri, software_id, software_version;
    struct strs contacts;
    json_t *attributes; /* an object, or NULL: for custom claims, {client.attributes.NAME} */
};
extern const struct object_kind kind_client;
/* For interactive creation (API, CLI), before object_put: if doc describes a confidential client and names no
 * secret, makes one and puts it into doc. *ret_secret is to be shown once; STR_NONE when none was made. */
err_t client_secret_generate(struct op *op, json_t *doc, struct str *ret_secret);

/* --- client authentication (token, introspection, revocation endpoints) --- */
struct client_credentials {               /* what the request carried */
    struct str basic;                     /* the Authorization header's value after "Basic ", or zero */
    struct str client_id, client_secret;  /* from the form */
    struct str assertion, assertion_type; /* private_key_jwt, client_secret_jwt (RFC 7523) */
    size_t authorization_headers;         /* how many there were */
};
/* ERR_CLIENT_INVALID with the same text and time for an unknown client and a wrong secret (A38). *ret_client
 * is held by the op. public_ok: method none is enough here. */
err_t client_authenticate(struct op *op, const struct client_credentials *c, bool public_ok,
                          struct object **ret_client);
/* Exact match, but the port of http://127.0.0.1 and http://[::1] may differ (RFC 8252 section 7.3). */
bool client_redirect_matches(const struct client *c, struct str uri);

/* --- authorization endpoint --- */
struct authorize_params {
    struct str client_id, redirect_uri, response_type, response_mode, scope, state, code_challenge,
        code_challenge_method, prompt, nonce, login_hint, id_token_hint, ui_locales, display, claims, acr_values, request,
        request_uri;
    struct str
        after; /* ours: signed proof of when re-authentication was asked for, so that it is asked once */
    struct strs resource;
    int64_t max_age_s; /* -1 */
};
extern const struct fields authorize_fields;
enum authorize_verdict {
    AUTHORIZE_REDIRECT, /* 303 to `location`: success or an error the client may hear */
    AUTHORIZE_POST,     /* the same as a form that sends `post` to `location` (response_mode form_post) */
    AUTHORIZE_SIGN_IN,  /* show the sign-in page */
    AUTHORIZE_CONSENT,  /* show the consent page for `client`, `scope` */
    AUTHORIZE_ERROR     /* error page on our origin, 400, no Location (rule E); op->fault has the text */
};
struct authorize_result {
    enum authorize_verdict verdict;
    struct str location;
    struct pairs post;
    struct object *client;
    struct str scope;           /* what would be granted, after narrowing, with the scopes of claims asked for by name */
    struct str redirect_origin; /* scheme and host of the validated redirect URI: for form-action */
    struct str
        query; /* SIGN_IN, CONSENT: the request again, encoded, to come back with ("authorize?" + query) */
};
/* session may be NULL. decision: zero, "allow" or "deny" (from the consent form, already CSRF-checked). */
err_t authorize(struct op *op, const struct authorize_params *p, const struct session *session,
                struct str decision, struct authorize_result *ret);

/* --- token endpoint --- */
struct token_params {
    struct str grant_type, code, redirect_uri, code_verifier, refresh_token, scope, client_id, client_secret,
        client_assertion, client_assertion_type;
    struct strs resource;
};
extern const struct fields token_fields;
struct token_answer {
    struct str access_token, token_type, refresh_token, id_token, scope;
    int64_t expires_in_s;
};
struct grant_row {
    const char *grant_type;
    err_t (*run)(struct op *op, const struct token_params *p, struct object *client,
                 struct token_answer *ret);
};
extern const struct grant_row grants[]; /* ends with a NULL name */
err_t grant_code(struct op *op, const struct token_params *p, struct object *client,
                 struct token_answer *ret);
err_t grant_client(struct op *op, const struct token_params *p, struct object *client,
                   struct token_answer *ret);
err_t grant_refresh(struct op *op, const struct token_params *p, struct object *client,
                    struct token_answer *ret);
err_t token_endpoint(struct op *op, const struct token_params *p, const struct client_credentials *c,
                     struct token_answer *ret);

/* --- introspection (RFC 7662), revocation (RFC 7009) --- */
struct introspect_params {
    struct str token, token_type_hint, client_id, client_secret, client_assertion, client_assertion_type;
};
extern const struct fields introspect_fields;
/* Writes the whole JSON answer. The caller (op->actor) is already authenticated: a client, an API key, or an
 * access token with token.introspect. Inactive tokens and tokens the caller may not see: {"active":false}
 * (A60). *ret_max_age_s: how long the caller may keep it (RFC 7662 section 4); 0: not at all. */
err_t introspect(struct op *op, const struct introspect_params *p, struct object *client_or_null,
                 struct jw *w, int64_t *ret_max_age_s);
err_t token_revoke(struct op *op, const struct introspect_params *p, struct object *client);

/* --- preview: what a sign-in now would yield, issuing nothing --- */
struct simulate_params {
    struct str user; /* STR_NONE: the client for itself */
    struct str client, scope, audience;
};
extern const struct fields simulate_fields;
/* {"access_token": {claims}}: each kind of token by its name. Needs user.read and client.read. */
err_t token_simulate(struct op *op, const struct simulate_params *p, struct jw *w);

/* Who and what a bearer token stands for, judged: for /verify, the admin API, resource endpoints. Opaque,
 * stored and unstored JWT, API keys. ERR_TOKEN_INVALID. */
struct bearer {
    struct token token;
    struct actor actor;
    struct str scope;       /* words; for API keys their permissions */
    bool stored;            /* it has a row; else it is a JWT judged by its claims */
    struct account account; /* id 0: a client's own token */
};
err_t bearer_check(struct op *op, struct str text, struct bearer *ret);
/* UserInfo for a bearer (OpenID Connect Core section 5.3): *ret is JSON, or a JWT if the client has registered that. May fetch
 * the client's keys. ERR_SCOPE_INSUFFICIENT: no openid. */
err_t userinfo(struct op *op, const struct bearer *b, bool *ret_jwt, struct str *ret);

/* --- forward authentication (USERS.md section 7): a proxy asks whether to let a request through --- */
struct verify_params {
    struct str scope;    /* words the caller must hold, or 403 */
    struct str audience; /* a token must be for it; zero: any of the tenant */
};
extern const struct fields verify_fields;
/* Who asks, as the proxy passes it on to the application. Members are never zero, "" at the least. */
struct verified {
    struct str user, groups /* comma-separated */, email, name, scope;
};
err_t verify_bearer(struct op *op, const struct verify_params *p, struct str text, struct verified *ret);
err_t verify_session(struct op *op, const struct verify_params *p, const struct session *s,
                     struct verified *ret);
/* True if `url` is absolute and its host is one of the tenant's forward_auth_hosts: sign-in may lead back to
 * it (A85). */
bool verify_url_allowed(struct op *op, struct str url);
struct str verify_url_origin(struct str url); /* "https://host:port" of an allowed one */

/* The request as a query, for GET /authorize: what came by POST goes on so, with the cookies that a browser sends then. */
err_t authorize_query(struct op *op, const struct authorize_params *p, struct str *ret);

/* Metadata (RFC 8414) as JSON in the arena: core->describe. It is served from the tenant's snapshot. */
err_t discovery_describe(const struct tenant *t, struct arena *a, struct str *ret);
