/* The store as a configuration file: what has its default is left out, secrets are never in it. */
#include "app/desired.h"
#include "token/core.h"
#include "token/tenant.h"
#include <stdio.h>
#include <stdlib.h>

struct export
{
    struct op *op;
    struct arena *scratch;
    json_t *tenants;
};
typedef err_t (*each_fn)(void *ctx, const struct object *o);

static err_t begin(struct export *x, struct str tenant, struct op *ret)
{
    arena_reset(x->scratch);
    op_begin(ret, x->op->core, x->op->db, x->scratch);
    ret->actor = x->op->actor;
    return tenant_use(ret, tenant);
}

/* Calls fn for every object of a kind; one page at a time, each in an op of its own. */
static err_t each(struct export *x, struct str tenant, const struct object_kind *k, each_fn fn, void *ctx)
{
    char after[LIMIT_TEXT] = "";
    for (bool more = true; more;) {
        struct op op;
        struct object_page page = {0};
        struct object_query q = {.limit = LIMIT_PAGE, .after = *after ? str_z(after) : STR_NONE};
        err_t e = begin(x, tenant, &op);
        if (e == ERR_OK)
            e = object_list(&op, k, &q, &page);
        for (size_t i = 0; e == ERR_OK && i < page.n; i++)
            e = fn(ctx, page.v[i]);
        more = e == ERR_OK && page.more && page.n;
        if (more)
            snprintf(after, sizeof after, "%.*s", STR_ARG(page.v[page.n - 1]->name));
        if (e != ERR_OK)
            x->op->fault = op.fault;
        op_end(&op);
        TRY(e);
    }
    return ERR_OK;
}

static json_t *printed(const struct object_kind *k, const void *spec)
{
    struct buf b;
    struct jw w;
    json_t *doc = NULL;
    buf_init(&b, NULL, LIMIT_REQUEST_ARENA);
    jw_init(&w, &b);
    jw_open(&w, '{');
    fields_to_json(&k->fields, spec, &w);
    jw_close(&w, '}');
    if (!buf_ok(&b) || json_load(buf_view(&b), &doc) != ERR_OK)
        doc = NULL;
    buf_free(&b);
    return doc;
}

static err_t fields_of(struct arena *a, const struct object *o, json_t **ret)
{
    void *initial = arena_alloc(a, o->kind->fields.size);
    if (!initial)
        return ERR_MEMORY;
    TRY(fields_init(&o->kind->fields, a, initial));
    json_t *doc = printed(o->kind, o->spec), *plain = printed(o->kind, initial), *out = json_object();
    for (size_t i = 0; i < o->kind->fields.n; i++) {
        const struct field *f = &o->kind->fields.v[i];
        json_t *v = json_object_get(doc, f->name), *d = json_object_get(plain, f->name);
        if (v && !(f->flags & FIELD_READ_ONLY) && !json_is_null(v) && (!d || !json_equal(v, d)))
            json_object_set(out, f->name, v);
    }
    if (o->disabled)
        json_object_set_new(out, "disabled", json_true());
    bool ok = doc && plain && out;
    json_decref(doc);
    json_decref(plain);
    *ret = out;
    return ok ? ERR_OK : ERR_MEMORY;
}

struct into {
    struct export *x;
    json_t *list;
};

static err_t add_object(void *ctx, const struct object *o)
{
    struct into *to = ctx;
    json_t *fields;
    if (o->managed_by == MANAGED_REGISTRATION) /* of its own making, not of any administrator's */
        return ERR_OK;
    TRY(fields_of(to->x->scratch, o, &fields));
    return json_array_append_new(to->list, fields) ? ERR_MEMORY : ERR_OK;
}

static err_t add_tenant(void *ctx, const struct object *o)
{
    struct export *x = ctx;
    json_t *fields;
    char name[LIMIT_TEXT];
    snprintf(name, sizeof name, "%.*s", STR_ARG(o->name));
    TRY(fields_of(x->scratch, o, &fields));
    json_object_del(fields, o->kind->name_field);
    return json_object_set_new(x->tenants, name, fields) ? ERR_MEMORY : ERR_OK;
}

static err_t fill_tenant(struct export *x, const char *name, json_t *fields)
{
    const struct object_kinds *kinds = x->op->core->kinds;
    if (json_is_true(json_object_get(fields, "disabled"))) /* nobody works in it, the CLI neither */
        return ERR_OK;
    for (size_t i = 0; i < kinds->n; i++) {
        if (kinds->v[i]->system)
            continue;
        struct into to = {x, json_array()};
        err_t e = each(x, str_z(name), kinds->v[i], add_object, &to);
        char key[64];
        snprintf(key, sizeof key, "%s", kinds->v[i]->plural);
        for (char *p = key; *p; p++)
            *p = *p == '-' ? '_' : *p;
        if (e == ERR_OK && json_array_size(to.list))
            json_object_set(fields, key, to.list);
        json_decref(to.list);
        TRY(e);
    }
    return ERR_OK;
}

err_t desired_export(struct op *op, struct str only_tenant, struct buf *out)
{
    struct export x = {.op = op, .scratch = arena_new(8 * LIMIT_REQUEST_ARENA), .tenants = json_object()};
    const char *name;
    json_t *fields;
    void *next;
    err_t e = x.scratch && x.tenants ? each(&x, STR(TENANT_DEFAULT), op->core->kinds->v[0], add_tenant, &x)
                                     : ERR_MEMORY;
    json_object_foreach_safe(x.tenants, next, name, fields)
    {
        if (only_tenant.p && !str_is(only_tenant, name))
            json_object_del(x.tenants, name);
        else if (e == ERR_OK)
            e = fill_tenant(&x, name, fields);
    }
    json_t *root = json_pack("{sO}", "tenants", x.tenants);
    if (e == ERR_OK)
        e = yaml_print(root,
                       "Exported by mereau. Secrets are never exported: add client_secret, password and "
                       "secret as {env: NAME} or {file: PATH}.",
                       out);
    json_decref(root);
    json_decref(x.tenants);
    arena_free(&x.scratch);
    return e;
}

static err_t look_for_demo(void *ctx, const struct object *o)
{
    char *name = ctx;
    if (((const struct tenant_spec *)o->spec)->demo && !*name)
        snprintf(name, LIMIT_NAME, "%.*s", STR_ARG(o->name));
    return ERR_OK;
}

err_t desired_demo_tenant(struct op *op, struct str *ret)
{
    struct export x = {.op = op, .scratch = arena_new(8 * LIMIT_REQUEST_ARENA)};
    char name[LIMIT_NAME] = "";
    err_t e =
        x.scratch ? each(&x, STR(TENANT_DEFAULT), op->core->kinds->v[0], look_for_demo, name) : ERR_MEMORY;
    arena_free(&x.scratch);
    *ret = *name ? arena_str(op->arena, str_z(name)) : STR_NONE;
    return e;
}
