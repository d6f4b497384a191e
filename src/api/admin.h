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

void admin_print_held(struct op *op, const struct held_item *h, struct jw *w);
