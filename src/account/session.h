/* Browser sessions and the sign-in steps. Durable: a restart signs nobody out. */
#pragma once
#include "account/account.h"

struct session {
    int64_t id, account_id, auth_s, created_s, used_s, expires_s, revoked_s;
    struct str amr, ip, agent;
};
/* The factor interface: what a sign-in step must offer. Password is the one row now; later kinds add theirs
 * (src/factor). */
struct signin {
    struct str username, password;
    struct str device; /* the browser's device cookie: known browsers have their own failure counter (R19) */
};
struct factor {
    const char *name; /* "password" */
    const char *amr;  /* RFC 8176: "pwd" */
    /* ERR_OK and the account; ERR_PASSWORD_WRONG; ERR_LIMITED (op->fault says how long). */
    err_t (*verify)(struct op *op, const struct signin *s, struct account *ret);
};
extern const struct factor factor_password; /* runs Argon2: on that worker class only */

struct signed_in {
    struct session session;
    struct token_text cookie; /* the session's bearer text: always a new one (A16) */
    struct str device;        /* new value of the device cookie */
};
/* Verifies, opens a session, writes the audit row. */
err_t signin_password(struct op *op, const struct signin *s, struct signed_in *ret);
err_t session_open(struct op *op, const struct account *a, const char *amr,
                   struct signed_in *ret); /* after a link */
/* The live session a cookie names; ERR_UNAUTHENTICATED. Point reads only: fit for inline routes. Marks it
 * used. */
err_t session_find(struct op *op, struct str cookie, struct session *ret);
err_t session_end(struct op *op,
                  int64_t session_id); /* sign-out: the session and its grants without offline access */

/* CSRF: HMAC over (purpose, browser secret), 32 characters. The browser secret is the session's text or,
 * before sign-in, the pre-session cookie. */
struct str csrf_make(struct op *op, const char *purpose, struct str browser_secret);
err_t csrf_check(struct op *op, const char *purpose, struct str browser_secret, struct str given);
