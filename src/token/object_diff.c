/* What differs between two states of a configured object: by field, as JSON, so that what a version of mereau
 * printed differently in the past is no change; and what FIELD_FIXED forbids. */
#include "token/object.h"
#include "base/limits.h"

struct diff {
    const struct object_kind *k;
    const json_t *was, *is;
    struct object_change change;
    struct str *names;
};

static void add_name(struct diff *d, struct str name)
{
    d->names[d->change.names.n++] = name;
}

static void compare_fields(struct diff *d)
{
    for (size_t i = 0; i < d->k->fields.n; i++) {
        const struct field *f = &d->k->fields.v[i];
        const json_t *x = json_object_get(d->was, f->name), *y = json_object_get(d->is, f->name);
        if (x == y || (x && y && json_equal(x, y)))
            continue;
        d->change.fields = true;
        if ((f->flags & FIELD_FIXED) && !d->change.fixed)
            d->change.fixed = f->name;
        add_name(d, str_z(f->name));
    }
}

static err_t spec_json(struct op *op, const struct object *o, json_t **ret)
{
    struct str text;
    TRY(object_spec_text(op, o->kind, o->spec, &text));
    return json_load(text, ret);
}

err_t object_compare(struct op *op, const struct object *was, const struct object *is,
                     struct object_change *ret)
{
    enum { BESIDE = 3 }; /* secret, managed_by, disabled */
    json_t *a = NULL, *b = NULL;
    struct diff d = {.k = was->kind,
                     .names = arena_array(op->arena, struct str, was->kind->fields.n + BESIDE)};
    err_t e = d.names ? spec_json(op, was, &a) : ERR_MEMORY;
    if (e == ERR_OK)
        e = spec_json(op, is, &b);
    if (e == ERR_OK) {
        d.was = a;
        d.is = b;
        compare_fields(&d);
    }
    json_decref(a);
    json_decref(b);
    if (e != ERR_OK)
        return e;
    if (!str_eq(was->secret, is->secret)) {
        d.change.fields = true;
        add_name(&d, STR("secret"));
    }
    if (was->managed_by != is->managed_by)
        add_name(&d, STR("managed_by"));
    if (was->disabled != is->disabled)
        add_name(&d, STR("disabled"));
    d.change.names.v = d.names;
    *ret = d.change;
    return ERR_OK;
}
