/* People and service accounts: object kinds "user" and "service-account" with a table of their own,
 * passwords, links. */
#pragma once
#include "token/ticket.h"
#include "token/usage.h"

enum account_type { ACCOUNT_PERSON, ACCOUNT_SERVICE };
/* One struct for both kinds; each has its own field table. */
struct account_spec {
    struct str username, name, email, locale;
    bool email_verified;
    /* The rest of a person's standard claims (OpenID Connect Core section 5.1), under their names. */
    struct str given_name, family_name, middle_name, nickname, profile, picture, website, gender, birthdate, zoneinfo;
    struct str phone_number;
    bool phone_number_verified;
    json_t *address; /* an object of texts (section 5.1.1), or NULL */
    struct strs roles;
    struct str password;      /* F_SECRET: only at creation */
    struct str password_hash; /* F_SECRET: import of an old hash */
    struct str owner;         /* service accounts: the username of the person who answers for it */
    json_t *attributes;       /* an object, or NULL: what custom claims speak of as {user.attributes.NAME} */
};
extern const struct object_kind kind_user, kind_service_account;

/* The account row as the login and the token paths need it. */
struct account {
    int64_t id;
    enum account_type type;
    struct str username, email;
    struct account_spec spec;
    struct str password_hash; /* STR_NONE: no password set */
    int64_t password_s, cutoff_id, version, updated_s;
    bool disabled;
};
err_t account_by_id(struct op *op, int64_t id, struct account *ret);
/* A user name (any case), or an e-mail address: of the account where it is verified (one alone can have it so), else of
 * the only one that has it. ERR_NOT_FOUND. Disabled ones are
 * returned. */
err_t account_by_name(struct op *op, struct str username_or_email, struct account *ret);
struct strs account_permissions(struct op *op, const struct account *a);
/* Who revokes what belongs to another account (a session, grant or token) holds token.revoke and all that the account
 * holds, as whoever changes the account does. ERR_FORBIDDEN. */
err_t account_permit_revoke(struct op *op, int64_t node_id);

/* One's own password, knowing the old one. Ends every other session and every grant without offline access.
 * Runs Argon2. */
err_t password_change(struct op *op, int64_t account_id, struct str old_password, struct str new_password,
                      int64_t keep_session_id);
err_t password_check_new(
    struct op *op, struct str password,
    const char *param); /* length, not the user name, not on the small list of worst ones */

/* One-use links. purpose: "reset", "enrol" (24 h), "first_admin" (15 min). Sent by mail through the outbox
 * when mail is configured and the account has an address, and returned to the administrator either way. URL
 * is under the configured issuer, never from a Host header (A81). */
err_t link_make(struct op *op, const char *purpose, int64_t account_id, struct str *ret_url);
err_t link_open(struct op *op, struct str text,
                struct ticket *ret); /* looks, does not consume; ERR_LINK_DEAD */
/* Consumes and sets the password (for first_admin: creates the administrator `username`). Runs Argon2. */
err_t link_use(struct op *op, struct str text, struct str username, struct str new_password,
               int64_t *ret_account_id);
