/* What the files of src/oauth share among themselves: scope arithmetic, redirect URIs, PKCE, grants in the
 * store, and the building of tokens. Not for other folders. */
#pragma once
#include "base/enc.h"
#include "oauth/oauth.h"
#include "token/core.h"

static inline const struct client *client_of(const struct object *o)
{
    return o->spec;
}

static inline int64_t tenant_id_of(const struct op *op)
{
    return op->tenant->object.id;
}

/* --- scope.c: RFC 6749 section 3.3. Scopes are space-separated words without order. --- */
bool scope_valid(struct str scope);                                /* form, LIMIT_SCOPE, LIMIT_SCOPE_WORDS */
bool scope_within(struct str narrow, struct str wide);             /* every word of narrow stands in wide */
struct str scope_or(struct arena *a, struct str x, struct str y); /* words of either, each once */
#define SCOPE_OFFLINE "offline_access"
/* What `client` gets of `asked` (zero: all it has registered, without offline access) for `audience`. person
 * NULL: for itself. ERR_SCOPE_INVALID: malformed, or more than registered. ERR_ACCESS_DENIED: the person
 * holds none of it. */
struct scope_request {
    const struct client *client;
    const struct account *person;
    struct str asked, audience;
};
err_t scope_check(struct op *op, const struct scope_request *r); /* the client's part of it */
err_t scope_narrow(struct op *op, const struct scope_request *r, struct str *ret);
bool permission_held(struct strs held, struct str permission);
/* Without the words that are permissions the person does not hold (any more). */
struct str scope_still_held(struct op *op, const struct account *person, struct str scope);
/* The words that the resources of `audience` know; a resource without a list knows all. */
struct str scope_for_audience(struct op *op, struct str scope, struct str audience);
/* RFC 8707: the audience (words) for the resources asked; none asked: the tenant's default.
 * ERR_TARGET_INVALID. */
err_t audience_choose(struct op *op, const struct client *client, struct strs asked, struct str *ret);
/* At the token endpoint: a subset of what the grant has; none asked: all of it. ERR_TARGET_INVALID. */
err_t audience_narrow(struct op *op, struct str granted, struct strs asked, struct str *ret);

/* --- redirect.c --- */
/* What may be registered (RFC 9700 section 2.1, RFC 8252 section 7): NULL, or what is wrong with it. */
const char *redirect_uri_fault(struct str uri, bool public_client);
bool redirect_is_native(
    struct str uri); /* loopback or private-use scheme: any program on the device may claim it */
struct str redirect_origin(struct str uri); /* as form-action takes it: "https://host:port", "scheme:" */
/* The host of an absolute http or https URL without user name, backslash or the like; as it stands, without
 * port. */
bool url_host(struct str url, struct str *ret_host);
bool redirect_same(struct str registered, struct str sent);

/* --- pkce.c: RFC 7636 --- */
bool pkce_challenge_valid(struct str challenge); /* S256: 43 base64url characters */
bool pkce_verifier_valid(struct str verifier);
bool pkce_matches(const struct crypto *c, struct str challenge, struct str verifier);

/* --- signin_info.c: what a grant remembers of the sign-in and the request behind it --- */
struct signin_info {
    int64_t auth_s; /* 0: unknown */
    struct str amr; /* words (RFC 8176) */
    int64_t session_id;                /* for sid, even if the grant outlives the session; 0: unknown */
    struct str id_claims, user_claims; /* words: claims asked for one by one, for the ID token and for UserInfo */
};
struct str acr_of(struct str amr); /* "1": one factor, "2": more than one kind */
struct str signin_info_text(struct op *op, const struct signin_info *s);
err_t signin_info_parse(struct op *op, struct str spec, struct signin_info *ret);

/* --- grant.c: the node between session and tokens --- */
struct grant {
    int64_t id, tenant_id;
    int64_t account_id, client_id;
    int64_t session_id;         /* 0: offline access, outlives the session */
    struct str scope, audience; /* words */
    int64_t created_s, expires_s, revoked_s;
    struct str ip, spec; /* spec: signin_info_text */
};
err_t grant_read(struct op *op, int64_t id, struct grant *ret); /* ERR_GRANT_INVALID if there is none */
/* Inside a transaction. older_id: the code it comes from; if the account was cut off or disabled, or the
 * session ended, after that: ERR_GRANT_INVALID, which rolls back. */
err_t grant_insert(struct db *db, const struct grant *g, int64_t older_id);
/* Inside the transaction that adds tokens to it: the same check, for the grant itself too. */
err_t grant_stands(struct db *db, const struct grant *g, int64_t older_id);
/* Inside a transaction: true for exactly one caller, and only while its grant stands (else ERR_GRANT_INVALID). */
err_t refresh_consume(struct db *db, const struct grant *g, int64_t id, int64_t now_s, int64_t successor_id, bool *ret_won);
/* Inside a transaction: one more answer with the same successor; false when LIMIT_REFRESH_GRACE_USES were
 * given. */
err_t refresh_grace(struct db *db, int64_t tenant_id, int64_t id, bool *ret_allowed);

/* --- issue.c: what a grant buys --- */
#define JTI_UNSTORED 'u' /* before the id in the jti of a JWT without a row */
struct issue {
    const char *grant_type; /* for metrics and the audit trail */
    struct object *client;
    const struct account *account; /* NULL: the client itself */
    const struct grant *grant;     /* NULL: none (client credentials) */
    struct signin_info signin;
    struct str scope, audience;
    struct str nonce; /* for the ID token */
};
struct issued {
    bool stored, refreshable;
    struct token access, refresh; /* refresh.id 0: none, or one that has its row already */
    struct str access_text, refresh_text, id_token;
    int64_t life_s;
};
/* Token ids, taken before anything is checked: whoever revokes after the check has a later cut-off
 * (ARCHITECTURE, dead nodes), so that nothing issued meanwhile survives. */
struct issue_ids {
    int64_t access, refresh, grant;
};
struct issue_ids issue_take_ids(struct op *op);
/* Builds and signs. No effect on the store. */
err_t issue_access(struct op *op, const struct issue *i, struct issue_ids ids, struct issued *t);
/* parent NULL: the first of its family, random. Otherwise the successor, derived from the parent's text. */
struct refresh_parent {
    struct str text;
    int64_t generation;
};
/* The claims that the access token would have, as one JSON object. */
err_t issue_preview(struct op *op, const struct issue *i, struct jw *w);
err_t issue_refresh(struct op *op, const struct issue *i, struct issue_ids ids,
                    const struct refresh_parent *parent, struct issued *t);
/* A member that lists words; one_is_plain: a single one as a string, as "aud" has it. */
void write_words(struct jw *w, const char *name, struct str words, bool one_is_plain);
err_t issue_insert(struct db *db, const struct issued *t); /* inside the transaction */
/* After the commit: metrics and the answer. */
void issue_answer(struct op *op, const struct issue *i, const struct issued *t, struct token_answer *ret);
/* The audit row of it. */
void issue_audit(struct op *op, enum audit_event e, const struct issue *i, const struct issued *t,
                 struct audit *ret);
/* Whether this grant may have refresh tokens, and how long it lives. */
bool client_has_grant(const struct client *c, const char *grant_type);
bool client_is_public(const struct client *c);
int64_t life_or_default(int64_t of_client, int64_t of_tenant);
/* The text of the refresh token with this row id whose parent was presented as `text` (DESIGN section 7). */
void refresh_derive(struct op *op, struct str text, int64_t grant_id, int64_t parent_generation, int64_t id,
                    struct token_text *ret);

/* --- claim_template.c --- */
/* The tenant's custom claims that stand in this kind of token, as members of the open object. account NULL: the client's own
 * token; client may be NULL. ERR_MEMORY when the buffer is full: leave LIMIT_CLAIMS for them. */
err_t claims_write_custom(struct op *op, const struct tenant *t, enum claim_token which, const struct account *account,
                          const struct object *client, struct str scope, struct jw *w);

/* --- bearer.c --- */
/* What an API key may do now, as words. */
err_t key_scope(struct op *op, const struct token *t, struct str *ret);
/* A live token by its text: opaque, stored JWT, unstored JWT (its signature checked). ERR_TOKEN_INVALID.
 * ret_stored may be NULL. */
err_t token_judge(struct op *op, struct str text, struct token *ret, bool *ret_stored);
/* An unstored JWT alone: its claims as a token, signature checked, liveness not. */
err_t jwt_claims(struct op *op, struct str text, struct token *ret);

/* --- subject.c: who somebody is to a client (OpenID Connect Core section 8) --- */
/* "sub" of an account: its public id, or for pairwise clients one that only their sector knows. */
struct str subject_for(struct op *op, const struct client *client, int64_t account_id);
bool subject_parse(struct op *op, const struct client *client, struct str sub, int64_t *ret_account_id);
/* "sub" of what is issued: the client's name, or subject_for its account. client NULL: an API key. */
struct str token_subject(struct op *op, const struct token *t, const struct object *client);

/* --- identity.c: the standard claims of claims.def --- */
#define SCOPE_OPENID "openid"
bool identity_scope(struct str word); /* openid, profile, email, address, phone, offline_access: about the person, not about a resource */
/* Claims that `scope` covers or `asked` (words) names, of what there is to say about the person. Into the open object. */
void identity_write(const struct account *a, struct str scope, struct str asked, struct jw *w);
struct str identity_scopes_of(struct op *op, struct str claims); /* the scopes that cover these claims (words) */
void identity_list(struct jw *w, const char *scopes_name, const char *claims_name); /* for metadata */

/* --- claims_request.c: the parameter claims (OpenID Connect Core section 5.5) --- */
struct claims_request {
    struct str id_token, userinfo; /* words: names of standard claims */
    struct str sub;                /* whom the ID token must be about; STR_NONE: anybody */
    struct str acr;                /* words: one of them is essential; zero: none is */
};
err_t claims_request_parse(struct op *op, struct str text, struct claims_request *ret);

/* --- id_token.c --- */
struct id_token {
    const struct object *client;
    const struct account *account;
    const struct signin_info *signin;
    struct str scope;              /* whose claims stand in the token: only when UserInfo can't be asked */
    struct str granted;            /* what was granted: custom claims look at it */
    struct str nonce, access_text, code; /* zero: none */
    int64_t expires_s;
};
/* Signed with the client's algorithm, encrypted if it wants that. */
err_t id_token_make(struct op *op, const struct id_token *i, struct str *ret);
err_t id_token_preview(struct op *op, const struct id_token *i, struct jw *w); /* its claims as an object */
/* For a grant of scope openid: into t->id_token, else nothing. */
err_t issue_id_token(struct op *op, const struct issue *i, struct issued *t);
/* An ID token of ours that comes back (id_token_hint): the signature is checked, that it may have expired is not (Core section
 * 3.1.2.1). ERR_PARAM_BAD. */
struct id_hint {
    struct object *client;
    int64_t account_id, session_id; /* session 0: unknown */
};
err_t id_token_hint(struct op *op, struct str text, struct id_hint *ret);

/* --- userinfo.c --- */
struct userinfo {
    const struct object *client;
    const struct account *account;
    struct str scope, asked; /* asked: words, claims by name */
};
err_t userinfo_write(struct op *op, const struct userinfo *u, bool as_jwt, struct jw *w);

/* --- client_keys.c --- */
/* A JWT of ours (nested), or claims as a JSON object, encrypted to the client; alg and enc by name. May fetch its keys.
 * ERR_CLIENT_METADATA: it has no such key. */
err_t client_encrypt(struct op *op, const struct client *c, struct str alg, struct str enc, struct str text, struct str *ret);
/* The tenant's current key for an algorithm by name; "" is the tenant's default. */
err_t client_signing_key(struct op *op, struct str alg, const struct signing_key **ret);
/* Every key of the tenant that may have signed something still alive. */
err_t tenant_jwks(struct op *op, struct jwks *ret);

/* --- request_object.c: RFC 9101 --- */
/* The parameters that stand in p->request, over those beside it, which must not differ. *ret is p itself without one.
 * seen_s: when it came first, while it goes round through our pages. ERR_REQUEST_OBJECT. */
err_t request_object(struct op *op, const struct client *c, const struct authorize_params *p, int64_t seen_s,
                     const struct authorize_params **ret);

/* --- client_auth.c --- */
#define CLIENT_SECRET_MAC 64 /* hex HMAC-SHA-256 under the tenant's secret key */
void client_secret_mac(struct op *op, struct str secret, char ret[static CLIENT_SECRET_MAC]);
struct str client_secret_nth(struct str stored,
                             size_t n); /* of kind_client.seal's text; STR_NONE if there is none */
