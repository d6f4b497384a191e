/* The administration API's parameters, and the pieces the console shares with it. */
#pragma once
#include "api/api.h"

struct admin_list_params {
    struct str search, after;
    int64_t limit;
};
struct admin_audit_params {
    struct str event, object, actor, before;
    int64_t limit;
};
struct admin_account_params {
    struct str account;
};
extern const struct fields admin_list_fields, admin_audit_fields, admin_account_fields;

/* The kind that the first segment of the address names; ERR_NOT_FOUND. */
err_t admin_kind(struct call *c, const struct object_kind **ret);
/* A link by which the person sets a password: enrolment before the first, reset afterwards. */
err_t admin_link(struct op *op, const struct object_kind *k, struct str name, struct str *ret_url);
/* What administrators revoke one at a time: "token", "grant", "session". False: node names something else. */
bool admin_revocable(struct str node, enum node_kind *ret);
void admin_print_held(struct op *op, const struct held_item *h, struct jw *w);
