/* What comparing, applying and pruning share. */
#pragma once
#include "app/desired.h"
#include "token/core.h"
#include "token/tenant.h"

struct round {
    struct op *op; /* whose core, db and actor are used */
    const struct desired *desired;
    struct desired_report *report;
    struct arena *scratch;
    json_t *names;   /* "tenant\nkind\nname" of all desired objects */
    json_t *created; /* tenants in which something would be created: what refers to it cannot be judged yet */
};

/* An op of its own in a tenant, by ACTOR_FILE, on the round's scratch memory. ERR_NOT_FOUND: new, or
 * disabled. */
err_t desired_begin(struct round *r, const char *tenant, struct op *ret);
void desired_tell(struct desired_report *rep, enum desired_change change, const char *tenant,
                  const char *kind, const char *name, const char *fields);
/* desired_diff.c. What the document would make of the object, by the same steps as object_put, but nothing is
 * written. pending: it may refer to what is not there yet. */
err_t desired_would_be(struct op *op, const struct desired_object *o, const struct object *old, bool pending,
                       struct object *ret);
err_t desired_diff_one(struct round *r, const struct desired_object *o, struct op *op, bool tenant_there);
/* desired_prune.c. What the file managed and names no more. */
err_t desired_prune(struct round *r, bool apply);
