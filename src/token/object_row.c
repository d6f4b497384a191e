/* Between rows of table object and struct object; fields as stored JSON. */
#include "token/object_row.h"
#include "token/life.h"
#include "base/limits.h"

static const char *const managers[] = {[MANAGED_API] = "api", [MANAGED_FILE] = "file", [MANAGED_REGISTRATION] = "registration"};

const char *managed_name(enum managed m)
{
    return managers[m];
}

static enum managed managed_from(struct str name)
{
    for (enum managed m = MANAGED_FILE; m <= MANAGED_REGISTRATION; m++)
        if (str_is(name, managers[m]))
            return m;
    return MANAGED_API;
}

/* A row may have been written by the version after this one: what it alone knows is passed over. */
static void drop_unknown(const struct object_kind *k, json_t *doc)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(doc, next, key, value)
    {
        const struct field *f = fields_find(&k->fields, str_z(key));
        if (!f || (f->flags & FIELD_READ_ONLY))
            json_object_del(doc, key);
    }
}

err_t object_spec_load(const struct object_kind *k, struct arena *a, struct str text, void **ret_spec)
{
    json_t *doc = NULL;
    struct fault f = {.code = ERR_OK};
    void *spec = arena_alloc(a, k->fields.size);
    if (!spec)
        return ERR_MEMORY;
    TRY(json_load(text, &doc));
    drop_unknown(k, doc);
    err_t e = fields_init(&k->fields, a, spec);
    if (e == ERR_OK)
        e = fields_from_json(&k->fields, a, doc, "", spec, &f);
    json_decref(doc);
    if (e == ERR_OK)
        *ret_spec = spec;
    return e;
}

void object_fill_public_id(struct op *op, struct object *o)
{
    struct str id = id_text(op->core, op->arena, o->id);
    if (id.n < sizeof(o->public_id))
        memcpy(o->public_id, id.p ? id.p : "", id.n);
}

err_t object_from_row(struct op *op, const struct object_kind *k, const struct rows *r, struct arena *a,
                      struct object *ret)
{
    struct object o = {
        .id = db_int(r, 0),
        .tenant_id = db_int(r, 1),
        .kind = k,
        .name = arena_str(a, db_text(r, 2)),
        .secret = arena_str(a, db_text(r, 4)),
        .managed_by = managed_from(db_text(r, 5)),
        .disabled = db_int(r, 6) != 0,
        .cutoff_id = db_int(r, 7),
        .version = db_int(r, 8),
        .created_s = db_int(r, 9),
        .updated_s = db_int(r, 10),
    };
    store_id_seen(op->core->store, o.cutoff_id); /* what is issued from now on is above it */
    err_t e = object_spec_load(k, a, db_text(r, 3), &o.spec);
    if (e == ERR_MEMORY || !o.name.p || (!o.secret.p && !db_null(r, 4)))
        return op_fail(op, ERR_MEMORY, "", "%s \"%.*s\" is too large", k->name, STR_ARG(db_text(r, 2)));
    if (e != ERR_OK)
        return op_fail(op, ERR_STORE_CORRUPT, "", "the stored %s \"%.*s\" can't be read", k->name,
                       STR_ARG(o.name));
    object_fill_public_id(op, &o);
    *ret = o;
    return ERR_OK;
}

err_t object_spec_text(struct op *op, const struct object_kind *k, const void *spec, struct str *ret)
{
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, LIMIT_OBJECT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    fields_to_json(&k->fields, spec, &w);
    jw_close(&w, '}');
    if (!buf_ok(&b))
        return op_fail(op, ERR_TOO_LARGE, "", "this %s is larger than %d bytes", k->name, LIMIT_OBJECT);
    *ret = buf_view(&b);
    return ERR_OK;
}

static struct val managed_val(enum managed m)
{
    return vtext(str_z(managed_name(m)));
}

err_t object_row_insert(struct db *db, const struct object *o, struct str spec)
{
    return db_run(db, Q_OBJECT_INSERT,
                  BIND(vint(o->tenant_id), vint(o->id), vtext(str_z(o->kind->name)), vtext(o->name),
                       vtext(spec), vtext(o->secret), managed_val(o->managed_by), vint(o->disabled),
                       vint(o->cutoff_id), vint(o->version), vint(o->created_s)),
                  NULL);
}

err_t object_row_update(struct db *db, const struct object *o, struct str spec, int64_t if_version)
{
    int64_t changed = 0;
    TRY(db_run(db, Q_OBJECT_UPDATE,
               BIND(vint(o->tenant_id), vint(o->id), vint(if_version), vtext(spec), vtext(o->secret),
                    managed_val(o->managed_by), vint(o->disabled), vint(o->cutoff_id), vint(o->version),
                    vint(o->updated_s)),
               &changed));
    return changed == 1 ? ERR_OK : ERR_PRECONDITION;
}
