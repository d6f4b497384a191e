/* The store beside the desired state: what differs, and making it so. Every object is looked at in an op of its own, so that a
 * file with a hundred thousand objects holds no more than one in memory. */
#include "app/desired.h"
#include "token/core.h"
#include "token/tenant.h"
#include <stdio.h>
#include <stdlib.h>

enum mode { MODE_DIFF, MODE_APPLY, MODE_TRY /* apply, but without the slow hashes of people's passwords */ };

struct round {
    struct op *op; /* whose core, db and actor are used */
    const struct desired *desired;
    struct desired_report *report;
    struct arena *scratch;
    json_t *names;   /* "tenant\nkind\nname" of all desired objects */
    json_t *created; /* tenants in which something would be created: what refers to it cannot be judged yet */
};

static err_t begin(struct round *r, const char *tenant, struct op *ret)
{
    arena_reset(r->scratch);
    op_begin(ret, r->op->core, r->op->db, r->scratch);
    ret->actor = (struct actor){.kind = ACTOR_FILE};
    err_t e = tenant_use(ret, str_z(tenant));
    if (e == ERR_NOT_FOUND) { /* new, or disabled: then by the default one, whose actor may do everything */
        ret->fault = (struct fault){0};
        return ERR_NOT_FOUND;
    }
    return e;
}

static err_t begin_for(struct round *r, const struct desired_object *o, struct op *ret)
{
    return begin(r, o->kind->system ? TENANT_DEFAULT : o->tenant, ret);
}

/* "mereau.yaml:14: tenants.default.clients[0].scope: ...", the line of the field where it is known. */
static void refuse(struct round *r, const struct desired_object *o, const struct op *op, err_t e)
{
    const struct fault *f = &op->fault;
    size_t n = strlen(o->path);
    const char *field = f->param;
    if (!strncmp(field, o->path, n < sizeof f->param - 1 ? n : sizeof f->param - 1))
        field = strlen(field) > n && field[n] == '.' ? field + n + 1 : "";
    char place[1100], path[1100];
    const char *colon = strrchr(o->place, ':');
    json_int_t line = json_integer_value(json_object_get(o->lines, field));
    if (line && colon)
        snprintf(place, sizeof place, "%.*s:%d", (int)(colon - o->place), o->place, (int)line);
    else
        snprintf(place, sizeof place, "%s", o->place);
    snprintf(path, sizeof path, "%s%s%s", o->path, *field ? "." : "", field);
    config_fault(r->report->faults, place, path, "%s", f->detail[0] ? f->detail : err_text(e));
}

static void tell(struct desired_report *rep, enum desired_change change, const char *tenant, const char *kind, const char *name, const char *fields)
{
    static const char *const words[] = {"same", "create", "change", "remove"};
    rep->count[change]++;
    if (!rep->out || change == DESIRED_SAME)
        return;
    if (!rep->json) {
        buf_fmt(rep->out, "%-7s %s %s%s%s%s%s\n", words[change], kind, strcmp(kind, "tenant") ? tenant : "", strcmp(kind, "tenant") ? "/" : "", name,
                *fields ? ": " : "", fields);
        return;
    }
    struct jw w;
    if (rep->out->n && rep->out->p[rep->out->n - 1] == '}')
        buf_z(rep->out, ",\n");
    jw_init(&w, rep->out);
    jw_open(&w, '{');
    jw_m_str(&w, "change", str_z(words[change]));
    jw_m_str(&w, "kind", str_z(kind));
    jw_m_str(&w, "tenant", str_z(tenant));
    jw_m_str(&w, "name", str_z(name));
    if (*fields)
        jw_m_str(&w, "fields", str_z(fields));
    jw_close(&w, '}');
}

/* --- comparing --------------------------------------------------------------------------------------------------- */

/* What the document would make of the object, by the same steps as object_put, but nothing is written. */
static err_t would_be(struct op *op, const struct desired_object *o, const struct object *old, bool pending, struct object *ret)
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
    } rest[] = {{!str_eq(was->secret, is->secret), "secret"}, {was->disabled != is->disabled, "disabled"}, {was->managed_by != is->managed_by, "managed_by"}};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (rest[i].differs)
            buf_fmt(out, "%s%s", out->n ? ", " : "", rest[i].name);
    buf_char(out, '\0');
    return e == ERR_OK && !buf_ok(out) ? ERR_MEMORY : e;
}

static err_t diff_one(struct round *r, const struct desired_object *o, struct op *op, bool tenant_there)
{
    struct object *old = NULL, new;
    bool pending = json_object_get(r->created, o->tenant) != NULL;
    err_t e = tenant_there ? object_read(op, o->kind, str_z(o->name), &old) : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND) {
        op->fault = (struct fault){0};
        json_object_set_new(r->created, o->tenant, json_true());
        if (tenant_there)
            TRY(would_be(op, o, NULL, pending, &new));
        tell(r->report, DESIRED_CREATE, o->tenant, o->kind->name, o->name, "");
        return ERR_OK;
    }
    struct buf fields;
    buf_init(&fields, op->arena, LIMIT_BODY);
    TRY(e);
    TRY(would_be(op, o, old, pending, &new));
    TRY(differences(op, old, &new, &fields));
    bool same = !fields.p[0];
    tell(r->report, same ? DESIRED_SAME : DESIRED_CHANGE, o->tenant, o->kind->name, o->name, same ? "" : fields.p);
    return ERR_OK;
}

static err_t try_one(const struct desired_object *o, struct op *op)
{
    struct object new;
    TRY(would_be(op, o, NULL, false, &new));
    json_t *doc = json_copy(o->doc);
    for (size_t i = 0; i < o->kind->fields.n && o->kind->store && !o->kind->system; i++)
        if (o->kind->fields.v[i].type == F_SECRET)
            json_object_del(doc, o->kind->fields.v[i].name);
    err_t e = object_put(op, o->kind, doc, OBJECT_UPSERT, MANAGED_FILE, 0, o->path, NULL, NULL);
    json_decref(doc);
    return e;
}

static err_t apply_one(struct round *r, const struct desired_object *o, struct op *op)
{
    struct object *old = NULL;
    bool changed = false;
    bool is_new = object_read(op, o->kind, str_z(o->name), &old) == ERR_NOT_FOUND;
    op->fault = (struct fault){0};
    TRY(object_put(op, o->kind, o->doc, OBJECT_UPSERT, MANAGED_FILE, 0, o->path, NULL, &changed));
    tell(r->report, !changed ? DESIRED_SAME : is_new ? DESIRED_CREATE : DESIRED_CHANGE, o->tenant, o->kind->name, o->name, "");
    return ERR_OK;
}

/* --- what left the file ------------------------------------------------------------------------------------------ */

static bool is_desired(const struct round *r, const char *tenant, const struct object_kind *k, struct str name)
{
    char id[3 * LIMIT_TEXT];
    snprintf(id, sizeof id, "%s\n%s\n%.*s", k->system ? "" : tenant, k->name, STR_ARG(name));
    return json_object_get(r->names, id) != NULL;
}

static err_t collect_left(struct round *r, struct op *op, const char *tenant, const struct object_kind *k, json_t *left)
{
    struct object_query q = {.limit = LIMIT_PAGE};
    struct object_page page = {0};
    char after[LIMIT_TEXT];
    do {
        TRY(object_list(op, k, &q, &page));
        for (size_t i = 0; i < page.n; i++)
            if (page.v[i]->managed_by == MANAGED_FILE && !is_desired(r, tenant, k, page.v[i]->name))
                json_array_append_new(left, json_stringn(page.v[i]->name.p, page.v[i]->name.n));
        if (!page.more || !page.n)
            break;
        snprintf(after, sizeof after, "%.*s", STR_ARG(page.v[page.n - 1]->name));
        op_end(op);
        TRY(begin(r, k->system ? TENANT_DEFAULT : tenant, op));
        q.after = str_z(after);
    } while (true);
    return ERR_OK;
}

static err_t prune_kind(struct round *r, const char *tenant, const struct object_kind *k, bool apply)
{
    struct op op;
    json_t *left = json_array(), *name;
    size_t i;
    err_t e = begin(r, k->system ? TENANT_DEFAULT : tenant, &op);
    if (e == ERR_NOT_FOUND) { /* a tenant that is not there yet has nothing to remove */
        json_decref(left);
        op_end(&op);
        return ERR_OK;
    }
    if (e == ERR_OK)
        e = collect_left(r, &op, tenant, k, left);
    op_end(&op);
    json_array_foreach(left, i, name) {
        if (e != ERR_OK)
            break;
        e = apply ? begin(r, k->system ? TENANT_DEFAULT : tenant, &op) : ERR_OK;
        if (apply && e == ERR_OK)
            e = object_remove(&op, k, json_str(name));
        if (e == ERR_OK)
            tell(r->report, DESIRED_REMOVE, k->system ? json_string_value(name) : tenant, k->name, json_string_value(name), "");
        else
            config_fault(r->report->faults, "", json_string_value(name), "%s", op.fault.detail[0] ? op.fault.detail : err_text(e));
        if (apply)
            op_end(&op);
    }
    json_decref(left);
    return e;
}

/* Kinds in the opposite order: who refers goes before what is referred to. */
static err_t prune(struct round *r, bool apply)
{
    const struct object_kinds *kinds = r->op->core->kinds;
    for (size_t i = 0; i < r->desired->n; i++) {
        if (!r->desired->v[i].kind->system)
            continue;
        for (size_t k = kinds->n; k-- > 0;)
            if (!kinds->v[k]->system)
                TRY(prune_kind(r, r->desired->v[i].name, kinds->v[k], apply));
    }
    return prune_kind(r, TENANT_DEFAULT, kinds->v[0], apply);
}

/* --- the rounds -------------------------------------------------------------------------------------------------- */

static void note_names(struct round *r)
{
    for (size_t i = 0; i < r->desired->n; i++) {
        const struct desired_object *o = &r->desired->v[i];
        char id[3 * LIMIT_TEXT];
        snprintf(id, sizeof id, "%s\n%s\n%s", o->kind->system ? "" : o->tenant, o->kind->name, o->name);
        json_object_set_new(r->names, id, json_true());
    }
}

static err_t one(struct round *r, const struct desired_object *o, enum mode mode)
{
    struct op op;
    err_t e = begin_for(r, o, &op);
    bool there = e == ERR_OK;
    if (e == ERR_NOT_FOUND && mode != MODE_DIFF)
        e = op_fail(&op, ERR_CONFIG, "", "the tenant \"%s\" is disabled", o->tenant);
    else if (e == ERR_NOT_FOUND)
        e = ERR_OK;
    if (e == ERR_OK)
        e = mode == MODE_APPLY ? apply_one(r, o, &op) : mode == MODE_TRY ? try_one(o, &op) : diff_one(r, o, &op, there);
    if (e != ERR_OK)
        refuse(r, o, &op, e);
    op_end(&op);
    return e;
}

static err_t run(struct op *op, const struct desired *d, bool with_prune, enum mode mode, struct desired_report *rep)
{
    struct round r = {.op = op, .desired = d, .report = rep, .scratch = arena_new(8 * LIMIT_REQUEST_ARENA), .names = json_object(), .created = json_object()};
    err_t e = r.scratch && r.names && r.created ? ERR_OK : ERR_MEMORY;
    if (e == ERR_OK)
        note_names(&r);
    for (size_t i = 0; (e == ERR_OK || (mode == MODE_TRY && rep->faults->n < LIMIT_CONFIG_FAULTS)) && i < d->n; i++)
        e = one(&r, &d->v[i], mode);
    if (e == ERR_OK && with_prune && d->n)
        e = prune(&r, mode == MODE_APPLY);
    json_decref(r.names);
    json_decref(r.created);
    arena_free(&r.scratch);
    return e;
}

err_t desired_diff(struct op *op, const struct desired *d, bool with_prune, struct desired_report *r)
{
    return run(op, d, with_prune, MODE_DIFF, r);
}

err_t desired_apply(struct op *op, const struct desired *d, bool with_prune, struct desired_report *r)
{
    return run(op, d, with_prune, MODE_APPLY, r);
}

err_t desired_try(struct op *op, const struct desired *d, struct desired_report *r)
{
    err_t e = run(op, d, false, MODE_TRY, r);
    return e == ERR_OK && r->faults->n ? ERR_CONFIG : e;
}

void desired_all_new(const struct desired *d, struct desired_report *r)
{
    for (size_t i = 0; i < d->n; i++)
        tell(r, DESIRED_CREATE, d->v[i].tenant, d->v[i].kind->name, d->v[i].name, "");
}
