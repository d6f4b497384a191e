/* What would differ if an object were applied: the object as it is beside the object as the file would make
 * it. */
#include "app/desired_parts.h"

/* What the document would make of the object, by the same steps as object_put, but nothing is written. */
err_t desired_would_be(struct op *op, const struct desired_object *o, const struct object *old, bool pending,
                       struct object *ret)
{
    const struct object_kind *k = o->kind;
    json_t *fields = json_copy(o->doc), *disabled = json_incref(json_object_get(fields, "disabled"));
    json_object_del(fields, "disabled");
    *ret = old ? *old : (struct object){.kind = k, .name = str_z(o->name)};
    ret->spec = arena_alloc(op->arena, k->fields.size);
    ret->managed_by = MANAGED_FILE;
    if (disabled)
        ret->disabled = json_is_true(disabled);
    json_decref(disabled);
    err_t e = ret->spec ? fields_init(&k->fields, op->arena, ret->spec) : ERR_MEMORY;
    if (e == ERR_OK)
        e = fields_from_json(&k->fields, op->arena, fields, o->path, ret->spec, &op->fault);
    json_decref(fields);
    if (e == ERR_OK && k->check) {
        e = k->check(op, ret->spec, !old);
        if (e != ERR_OK && pending) { /* it may refer to what would be created before it */
            op->fault = (struct fault){0};
            e = ERR_OK;
        }
    }
    if (e == ERR_OK && k->seal && old)
        e = k->seal(op, ret->spec, old->secret, &ret->secret);
    return e;
}

static err_t spec_json(struct op *op, const struct object *o, json_t **ret)
{
    struct str text;
    TRY(object_spec_text(op, o->kind, o->spec, &text));
    return json_load(text, ret);
}

/* The names of the fields that differ, with commas; "" when none does. */
static err_t differences(struct op *op, const struct object *was, const struct object *is, struct buf *out)
{
    json_t *a = NULL, *b = NULL;
    err_t e = spec_json(op, was, &a);
    if (e == ERR_OK)
        e = spec_json(op, is, &b);
    for (size_t i = 0; e == ERR_OK && i < was->kind->fields.n; i++) {
        const char *name = was->kind->fields.v[i].name;
        json_t *x = json_object_get(a, name), *y = json_object_get(b, name);
        if (x != y && !(x && y && json_equal(x, y)))
            buf_fmt(out, "%s%s", out->n ? ", " : "", name);
    }
    json_decref(a);
    json_decref(b);
    const struct {
        bool differs;
        const char *name;
    } rest[] = {{!str_eq(was->secret, is->secret), "secret"},
                {was->disabled != is->disabled, "disabled"},
                {was->managed_by != is->managed_by, "managed_by"}};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (rest[i].differs)
            buf_fmt(out, "%s%s", out->n ? ", " : "", rest[i].name);
    buf_char(out, '\0');
    return e == ERR_OK && !buf_ok(out) ? ERR_MEMORY : e;
}

err_t desired_diff_one(struct round *r, const struct desired_object *o, struct op *op, bool tenant_there)
{
    struct object *old = NULL, new;
    bool pending = json_object_get(r->created, o->tenant) != NULL;
    err_t e = tenant_there ? object_read(op, o->kind, str_z(o->name), &old) : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND) {
        op->fault = (struct fault){0};
        json_object_set_new(r->created, o->tenant, json_true());
        if (tenant_there)
            TRY(desired_would_be(op, o, NULL, pending, &new));
        desired_tell(r->report, DESIRED_CREATE, o->tenant, o->kind->name, o->name, "");
        return ERR_OK;
    }
    struct buf fields;
    buf_init(&fields, op->arena, LIMIT_BODY);
    TRY(e);
    TRY(desired_would_be(op, o, old, pending, &new));
    TRY(differences(op, old, &new, &fields));
    bool same = !fields.p[0];
    desired_tell(r->report, same ? DESIRED_SAME : DESIRED_CHANGE, o->tenant, o->kind->name, o->name,
                 same ? "" : fields.p);
    return ERR_OK;
}
