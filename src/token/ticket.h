/* One-time things: authorization codes, reset, enrolment and first-administrator links. Stored by hash,
 * consumed by one conditional UPDATE in the transaction that uses them. */
#pragma once
#include "token/life.h"

struct ticket {
    struct str kind; /* "code", "reset", "enrol", "first_admin" */
    int64_t id, tenant_id, account_id, client_id, session_id;
    struct str spec; /* JSON */
    int64_t created_s, expires_s, consumed_s, result_id;
};
err_t ticket_insert(struct db *db, const struct ticket *t, const struct token_text *text);
/* Reads by text (form, id, hash); expired and consumed ones too. ERR_NOT_FOUND. */
err_t ticket_find(struct op *op, struct db *db, enum token_letter letter, struct str text,
                  struct ticket *ret);
/* True for exactly one caller; whether it has expired is the caller's to ask first. result_id (the grant it
 * bought) may be 0. Inside a transaction. */
err_t ticket_consume(struct db *db, int64_t tenant_id, int64_t id, int64_t now_s, int64_t result_id,
                     bool *ret_won);
