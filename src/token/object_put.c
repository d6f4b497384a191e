/* Creating and changing configured objects: the one path of the API, the CLI, the console and the file. A
 * round is: read what is there, lay the document over it, check, seal secrets, compare, write with the
 * version that was read. A round that met another writer starts again, unless the caller asked for a version.
 */
#include "token/object_row.h"
#include "base/limits.h"

/* What one round works with. */
struct put {
    struct op *op;
    const struct object_kind *k;
    const json_t *doc;
    enum object_mode mode;
    enum managed by;
    const char *where;
    const struct object_with *with;
    struct str name;
    int64_t if_version; /* asked for by the caller; 0: none */
    json_t *fields;     /* the document without what object_print adds */
    int disabled;       /* asked for: 0, 1; -1: not */
    bool release;       /* "managed_by": "api" */
    struct object *old; /* NULL: there is none */
    struct object *new;
};

/* The fault's path to a member: "tenants.default.clients[0].scope". */
static const char *at(const struct put *p, const char *member)
{
    if (!p->where || !p->where[0])
        return member;
    const char *path = arena_fmt(p->op->arena, "%s.%s", p->where, member).p;
    return path ? path : member;
}

/* A kind's own checks know the member, not the document around it. */
static err_t placed(struct put *p, err_t e)
{
    struct fault *f = &p->op->fault;
    if (e == ERR_OK || !p->where || !p->where[0] || str_starts(str_z(f->param), str_z(p->where)))
        return e;
    struct str path = str_z(f->param[0] ? at(p, f->param) : p->where);
    size_t n = path.n < sizeof(f->param) ? path.n : sizeof(f->param) - 1;
    memmove(f->param, path.p, n);
    f->param[n] = 0;
    return e;
}

/* --- the document --- */

static err_t take_name(struct put *p)
{
    const char *field = p->k->name_field;
    p->name = json_str(json_object_get(p->doc, field));
    if (!p->name.p)
        return op_fail(p->op, ERR_PARAM_MISSING, at(p, field), "the name of the %s is expected here",
                       p->k->name);
    if (!object_name_ok(p->name))
        return op_fail(p->op, ERR_PARAM_BAD, at(p, field),
                       "1 to %d letters, digits and . _ ~ : / @ + - are expected", LIMIT_NAME);
    return ERR_OK;
}

/* Takes one of the members that object_print adds out of the document; NULL if a field of the kind has that
 * name. */
static const json_t *take_meta(struct put *p, const char *name)
{
    if (fields_find(&p->k->fields, str_z(name)))
        return NULL;
    const json_t *v = json_object_get(p->doc, name);
    if (v)
        json_object_del(p->fields, name);
    return v;
}

static err_t take_members(struct put *p)
{
    const json_t *disabled = take_meta(p, "disabled"), *version = take_meta(p, "version"),
                 *managed = take_meta(p, "managed_by");
    take_meta(p, "id");
    take_meta(p, "created_at");
    take_meta(p, "updated_at");
    if (disabled && !json_is_boolean(disabled))
        return op_fail(p->op, ERR_PARAM_BAD, at(p, "disabled"), "true or false is expected");
    if (version && (!json_is_integer(version) || json_integer_value(version) < 1))
        return op_fail(p->op, ERR_PARAM_BAD, at(p, "version"), "the number that was read is expected");
    if (managed && !str_is(json_str(managed), "api") && !str_is(json_str(managed), "file") &&
        !str_is(json_str(managed), "registration"))
        return op_fail(p->op, ERR_PARAM_BAD, at(p, "managed_by"), "\"api\", or what was read, is expected");
    p->disabled = disabled ? json_is_true(disabled) : -1;
    p->release = p->by == MANAGED_API && managed && str_is(json_str(managed), "api");
    if (version && p->if_version == 0)
        p->if_version = json_integer_value(version);
    return ERR_OK;
}

/* --- a round --- */

/* Reading what is there is no failure of this call: the fault keeps its silence. */
static err_t find_old(struct put *p)
{
    struct fault before = p->op->fault;
    p->old = NULL;
    err_t e = object_fetch(p->op, p->k, p->name, &p->old);
    if (e == ERR_NOT_FOUND && p->mode != OBJECT_UPDATE) {
        p->op->fault = before;
        e = ERR_OK;
    }
    return e;
}

static err_t check_mode(struct put *p)
{
    if (p->old && p->mode == OBJECT_CREATE)
        return op_fail(p->op, ERR_CONFLICT, at(p, p->k->name_field), "there is a %s \"%.*s\" already",
                       p->k->name, STR_ARG(p->name));
    int64_t is = p->old ? p->old->version : 0;
    if (p->if_version != 0 && p->if_version != is)
        return op_fail(p->op, ERR_PRECONDITION, "", "version %lld was expected, it is %lld now",
                       (long long)p->if_version, (long long)is);
    return ERR_OK;
}

static bool value_missing(const struct field *f, const void *spec)
{
    const char *p = (const char *)spec + f->offset;
    if (f->type == F_STRS)
        return ((const struct strs *)(const void *)p)->n == 0;
    bool is_text = f->type == F_STR || f->type == F_WORDS || f->type == F_ENUM;
    return is_text && ((const struct str *)(const void *)p)->n == 0;
}

static err_t check_required(struct put *p, const void *spec)
{
    for (size_t i = 0; i < p->k->fields.n; i++) {
        const struct field *f = &p->k->fields.v[i];
        if ((f->flags & FIELD_REQUIRED) && value_missing(f, spec))
            return op_fail(p->op, ERR_PARAM_MISSING, at(p, f->name), "a value is expected");
    }
    return ERR_OK;
}

/* The document over what is there (UPDATE) or over the defaults. */
static err_t overlay(struct put *p)
{
    struct arena *a = p->op->arena;
    void *spec = arena_alloc(a, p->k->fields.size);
    if (!spec)
        return ERR_MEMORY;
    if (p->old && p->mode == OBJECT_UPDATE)
        memcpy(spec, p->old->spec, p->k->fields.size);
    else
        TRY(fields_init(&p->k->fields, a, spec));
    TRY(fields_from_json(&p->k->fields, a, p->fields, p->where ? p->where : "", spec, &p->op->fault));
    p->new->spec = spec;
    return ERR_OK;
}

/* A kind may write names in one way (user names in lower case): what its check made of it is the name. */
static struct str name_in(const struct put *p, const void *spec)
{
    const struct field *f = fields_find(&p->k->fields, str_z(p->k->name_field));
    return f ? *(const struct str *)(const void *)((const char *)spec + f->offset) : p->name;
}

static err_t check_and_seal(struct put *p)
{
    struct object *o = p->new;
    TRY(check_required(p, o->spec));
    err_t e = p->k->check ? p->k->check(p->op, o->spec, p->old == NULL) : ERR_OK;
    o->name = name_in(p, o->spec);
    if (e == ERR_OK && p->k->seal)
        e = p->k->seal(p->op, o->spec, p->old ? p->old->secret : STR_NONE, &o->secret);
    return placed(p, e);
}

static err_t build(struct put *p)
{
    struct object *o = arena_new_of(p->op->arena, struct object);
    if (!o)
        return ERR_MEMORY;
    p->new = o;
    if (p->old) {
        *o = *p->old;
    } else {
        o->id = store_new_id(p->op->core->store);
        o->tenant_id = object_tenant_id(p->op, p->k);
        o->kind = p->k;
        o->created_s = p->op->now_s;
        o->managed_by = p->by;
    }
    o->arena = NULL; /* it lies in the op's */
    o->refs = 0;
    o->version++;
    o->updated_s = p->op->now_s;
    o->managed_by = p->by == MANAGED_FILE ? MANAGED_FILE : p->release ? MANAGED_API : o->managed_by;
    if (p->disabled >= 0)
        o->disabled = p->disabled == 1;
    if (p->old &&
        o->disabled != p->old->disabled) /* at both ends: what slipped in between stays dead as well */
        o->cutoff_id = store_cutoff_id(p->op->core->store);
    object_fill_public_id(p->op, o);
    TRY(overlay(p));
    return check_and_seal(p);
}

/* {"changed":["scope","secret"],"version":3}: names alone, values never. */
static err_t note_change(struct put *p, const struct object_change *c)
{
    struct buf b;
    struct jw w;
    buf_init(&b, p->op->arena, LIMIT_OBJECT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_strs(&w, "changed", c->names);
    jw_m_int(&w, "version", p->new->version);
    jw_close(&w, '}');
    p->new->change = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

/* What is new? *ret_write false: nothing. */
static err_t compare(struct put *p, bool *ret_write)
{
    struct object_change c;
    TRY(object_compare(p->op, p->old, p->new, &c));
    if (c.fixed)
        return op_fail(p->op, ERR_PARAM_BAD, at(p, c.fixed), "this is set when the %s is created and stays",
                       p->k->name);
    if (c.fields && p->new->managed_by == MANAGED_FILE && p->by != MANAGED_FILE)
        TRY(object_permit_file(p->op, p->old, "changed"));
    *ret_write = c.names.n > 0;
    return note_change(p, &c);
}

/* *ret_again: not ERR_OK if somebody else wrote meanwhile. */
static err_t put_round(struct put *p, err_t *ret_again, bool *ret_changed)
{
    bool write = true;
    TRY(find_old(p));
    TRY(check_mode(p));
    TRY(build(p));
    if (p->old)
        TRY(compare(p, &write));
    else
        p->new->change = STR("{\"version\":1}");
    if (!write) {
        p->new = p->old;
        return ERR_OK;
    }
    if (p->old && p->k->permit)
        TRY(placed(p, p->k->permit(p->op, p->old->spec)));
    struct fault before = p->op->fault;
    err_t e = object_write(p->op, p->new, p->old == NULL, p->old ? p->old->version : 0, p->with);
    if (e == ERR_PRECONDITION || e == ERR_STORE_UNIQUE) {
        p->op->fault = before;
        *ret_again = e; /* what it is now decides */
        return ERR_OK;
    }
    *ret_changed = e == ERR_OK;
    return e;
}

static err_t put_rounds(struct put *p, bool *ret_changed)
{
    err_t again = ERR_OK;
    for (int i = 0; i < LIMIT_PUT_TRIES; i++) {
        again = ERR_OK;
        TRY(put_round(p, &again, ret_changed));
        if (again == ERR_OK)
            return ERR_OK;
    }
    if (again == ERR_STORE_UNIQUE)
        return op_fail(p->op, ERR_CONFLICT, "", "another %s has one of these values already", p->k->name);
    return op_fail(p->op, ERR_BUSY, "", "the %s \"%.*s\" is being changed all the time", p->k->name,
                   STR_ARG(p->name));
}

err_t object_put(struct op *op, const struct object_kind *k, const json_t *doc, enum object_mode mode,
                 enum managed by, int64_t if_version, const char *where, struct object **ret,
                 bool *ret_changed)
{
    return object_put_with(op, k, doc, mode, by, if_version, where, NULL, ret, ret_changed);
}

err_t object_put_with(struct op *op, const struct object_kind *k, const json_t *doc, enum object_mode mode,
                      enum managed by, int64_t if_version, const char *where,
                      const struct object_with *with, struct object **ret, bool *ret_changed)
{
    struct put p = {.op = op,
                    .k = k,
                    .doc = doc,
                    .mode = mode,
                    .by = by,
                    .if_version = if_version,
                    .where = where,
                    .with = with};
    bool changed = false;
    TRY(object_permit_write(op, k));
    if (!json_is_object(doc))
        return op_fail(op, ERR_PARAM_BAD, where ? where : "", "an object with the fields of a %s is expected",
                       k->name);
    TRY(take_name(&p));
    /* Only the top level is copied; fields lie in the op's arena afterwards. */
    p.fields = json_copy((json_t *)doc);
    if (!p.fields)
        return ERR_MEMORY;
    err_t e = take_members(&p);
    if (e == ERR_OK)
        e = put_rounds(&p, &changed);
    json_decref(p.fields);
    if (e != ERR_OK)
        return e;
    if (changed && k->written)
        TRY(k->written(op, p.new));
    if (ret)
        *ret = p.new;
    if (ret_changed)
        *ret_changed = changed;
    return ERR_OK;
}
