/* The tenants' objects that the configuration files name: desired state. Read and checked without a store;
 * then compared with it, applied to it, or, the other way round, exported from it. */
#pragma once
#include "app/config.h"
#include "token/object.h"

struct desired_object {
    const struct object_kind *kind;
    const char *tenant, *name;
    json_t *doc;       /* owned; secrets resolved */
    const char *path;  /* "tenants.default.clients[0]" */
    const char *place; /* "mereau.yaml:12" */
    json_t *lines;     /* owned: {"scope": 14}, for faults of one field */
};
struct desired {
    struct arena *arena;
    struct desired_object
        *v; /* tenants in the file's order, each before what is in it, kinds in the kinds' order */
    size_t n, cap;
};
/* From the loaded files; faults go to c->faults. ret in c's arena; always desired_free. */
err_t desired_read(struct config *c, const struct object_kinds *kinds, struct desired *ret);
void desired_free(struct desired *d);
/* To and from text, for the control socket. */
err_t desired_write(const struct desired *d, struct buf *out);
err_t desired_parse(struct arena *a, const struct object_kinds *kinds, struct str text, struct desired *ret);

/* --- with a store; `op` gives core, db and who asks; each object is looked at in an op of its own --- */
enum desired_change { DESIRED_SAME, DESIRED_CREATE, DESIRED_CHANGE, DESIRED_REMOVE, DESIRED_CHANGES };
struct desired_report {
    struct buf *out; /* one line a change, or JSON objects; may be NULL */
    bool json;
    size_t count[DESIRED_CHANGES];
    struct config_faults *faults;
};
/* What applying would change. prune: with what would be removed. ERR_CONFIG if an object is refused. */
err_t desired_diff(struct op *op, const struct desired *d, bool prune, struct desired_report *r);
void desired_all_new(const struct desired *d,
                     struct desired_report *r); /* the diff with a store that is not there */
err_t desired_apply(struct op *op, const struct desired *d, bool prune, struct desired_report *r);
/* Into an empty store that is thrown away: every fault an apply would meet, at once. */
err_t desired_try(struct op *op, const struct desired *d, struct desired_report *r);
err_t desired_export(struct op *op, struct str only_tenant, struct buf *out);
/* Any tenant with demo: true: its name, or STR_NONE. */
err_t desired_demo_tenant(struct op *op, struct str *ret);
