/* What the files of outside*.c share. */
#pragma once
#include "account/account_row.h"
#include "account/outside.h"
#include "account/signin.h"
#include "base/enc.h"
#include "token/core.h"

/* What a ticket remembers, of a sign-in under way ("outside") or of somebody who is to be linked ("identity"). */
struct outside_spec {
    struct str provider, browser /* csrf_make's */, next, subject, label;
};
#define OUTSIDE_WAY  "outside"
#define OUTSIDE_WAIT "identity"
/* A ticket of this browser's for the provider as it is now. ERR_OUTSIDE whatever is wrong. */
struct outside_ticket {
    struct ticket ticket;
    struct outside_spec spec;
    const struct provider *provider;
};
err_t outside_ticket_make(struct op *op, const char *kind, const struct outside_spec *s, struct str *ret_text);
err_t outside_ticket_find(struct op *op, const char *kind, struct str text, struct str browser, struct outside_ticket *ret);

/* Counts it, notes it, and says so to the person. */
err_t outside_refuse(struct op *op, const char *reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
struct str outside_redirect_uri(struct op *op, const struct provider *p);

/* --- outside_metadata.c --- */
struct outside_metadata {
    struct str authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint; /* userinfo_endpoint may be zero */
    bool answers_iss; /* authorization_response_iss_parameter_supported */
};
/* outside_document.c: NULL, or what is wrong with it. The texts are doc's. */
struct net;
const char *outside_metadata_read(const struct net *net, struct str issuer, const json_t *doc, struct outside_metadata *ret);
/* From memory or fetched (OpenID Connect Discovery section 4); in the op's arena. */
err_t outside_metadata(struct op *op, const struct provider *p, struct outside_metadata *ret);
/* A GET or POST of JSON there: status 200 and an object that the op's arena keeps, or ERR_NET, ERR_NET_ANSWER. ret_max_age_s may
 * be NULL. */
struct net_request;
err_t outside_fetch(struct op *op, const struct provider *p, struct net_request *q, json_t **ret, int64_t *ret_max_age_s);

/* --- outside_exchange.c --- */
/* Who somebody is there. Texts may be zero but subject. */
struct outside_identity {
    struct str subject, name, email, username;
    bool email_verified;
};
struct outside_exchange {
    const struct provider *provider;
    struct str code, verifier, nonce;
};
err_t outside_exchange(struct op *op, const struct outside_exchange *x, const struct outside_metadata *m, struct outside_identity *ret,
                       struct str *ret_access_token);
/* The claims that the ID token left out (OpenID Connect Core section 5.3). */
err_t outside_userinfo(struct op *op, const struct provider *p, const struct outside_metadata *m, struct str access_token,
                       struct outside_identity *io);

/* --- outside_account.c --- */
/* id 0: nobody here. */
struct outside_known {
    int64_t id, account_id;
};
err_t outside_find(struct op *op, const struct provider *p, struct str subject, struct outside_known *ret);
/* before_id: an id taken before anything was read, so that a cut-off meanwhile wins. */
err_t outside_sign_in(struct op *op, const struct provider *p, const struct outside_known *k, int64_t before_id, struct signed_in *ret);
/* A new account, linked and signed in; ERR_CONFLICT: another one was faster, look again. */
err_t outside_create(struct op *op, const struct provider *p, const struct outside_identity *i, struct signed_in *ret);
