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

/* --- admin.c: from the request, to the answer --- */
/* The kind that the first segment of the address names; ERR_NOT_FOUND. */
err_t admin_kind(struct call *c, const struct object_kind **ret);
/* The kind and the name that the address holds; "id:" and an id stand for names that do not fit into a path. */
err_t admin_target(struct call *c, const struct object_kind **ret_kind, struct str *ret_name);
/* The request's JSON object; the op keeps it. */
err_t admin_body(struct call *c, json_t **ret);
void admin_begin(struct call *c, struct buf *b, struct jw *w);
err_t admin_send(struct call *c, int status, const struct buf *b);
/* secret: one that has just been made, told this once; STR_NONE otherwise. */
err_t admin_send_object(struct call *c, int status, const struct object *o, struct str secret);

/* --- admin_actions.c, admin_tokens.c --- */
/* A link by which the person sets a password: enrolment before the first, reset afterwards. */
err_t admin_link(struct op *op, const struct object_kind *k, struct str name, struct str *ret_url);
/* What administrators revoke one at a time: "token", "grant", "session". False: node names something else. */
bool admin_revocable(struct str node, enum node_kind *ret);
void admin_print_held(struct op *op, const struct held_item *h, struct jw *w);
