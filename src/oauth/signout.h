/* Signing out as OpenID Connect has it: asked for by a client (RP-Initiated Logout 1.0), told to clients by their browsers
 * (Front-Channel Logout 1.0) and by the server (Back-Channel Logout 1.0). */
#pragma once
#include "oauth/parts.h"
#include "token/sign_out.h"

struct delivery;

/* The client wants to be told of the end of sessions. */
static inline bool client_hears_sign_out(const struct client *c)
{
    return c->backchannel_logout_uri.n || c->frontchannel_logout_uri.n;
}

struct signout_params {
    struct str id_token_hint, logout_hint, client_id, post_logout_redirect_uri, state, ui_locales;
    struct str confirm; /* ours: the person has said yes on our page; a csrf_make() text. Not named csrf: the guard would refuse clients' forms */
};
extern const struct fields signout_fields;
struct signout {
    struct object *client; /* who asks; NULL: nobody, or it does not say */
    struct str location;   /* where to go afterwards; STR_NONE: stay */
    bool sure;             /* the hint names this very session: no question needed */
};
/* session NULL: nobody is signed in. What is wrong is shown on our own page, never sent anywhere (A86): ERR_PARAM_BAD,
 * ERR_REDIRECT_URI, ERR_CLIENT_ID. */
err_t signout_check(struct op *op, const struct signout_params *p, const struct session *session, struct signout *ret);
/* The request as a query, for GET: a form of another site comes without our cookie. */
err_t signout_query(struct op *op, const struct signout_params *p, struct str *ret);
/* The addresses that the page loads in frames for a session that is about to end. */
err_t signout_frames(struct op *op, int64_t session_id, struct strs *ret);

/* The sink "logout"; ctx is the core. */
err_t logout_deliver(void *ctx, const struct delivery *d, struct arena *a, struct fault *f);
