/* The store beside the desired state: what differs, and making it so. Every object is looked at in an op of
 * its own, so that a file with a hundred thousand objects holds no more than one in memory. */
#include "app/desired_parts.h"
#include "token/core.h"
#include "token/tenant.h"
#include <stdio.h>
#include <stdlib.h>

enum mode { MODE_DIFF, MODE_APPLY, MODE_TRY /* apply, but without the slow hashes of people's passwords */ };

err_t desired_begin(struct round *r, const char *tenant, struct op *ret)
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
    return desired_begin(r, o->kind->system ? TENANT_DEFAULT : o->tenant, ret);
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

void desired_tell(struct desired_report *rep, enum desired_change change, const char *tenant,
                  const char *kind, const char *name, const char *fields)
{
    static const char *const words[] = {"same", "create", "change", "remove"};
    rep->count[change]++;
    if (!rep->out || change == DESIRED_SAME)
        return;
    if (!rep->json) {
        buf_fmt(rep->out, "%-7s %s %s%s%s%s%s\n", words[change], kind, strcmp(kind, "tenant") ? tenant : "",
                strcmp(kind, "tenant") ? "/" : "", name, *fields ? ": " : "", fields);
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

static err_t try_one(const struct desired_object *o, struct op *op)
{
    struct object new;
    TRY(desired_would_be(op, o, NULL, false, &new));
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
    desired_tell(r->report,
                 !changed ? DESIRED_SAME
                 : is_new ? DESIRED_CREATE
                          : DESIRED_CHANGE,
                 o->tenant, o->kind->name, o->name, "");
    return ERR_OK;
}

/* --- the rounds
 * -------------------------------------------------------------------------------------------------- */

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
        e = mode == MODE_APPLY ? apply_one(r, o, &op)
            : mode == MODE_TRY ? try_one(o, &op)
                               : desired_diff_one(r, o, &op, there);
    if (e != ERR_OK)
        refuse(r, o, &op, e);
    op_end(&op);
    return e;
}

static err_t run(struct op *op, const struct desired *d, bool with_prune, enum mode mode,
                 struct desired_report *rep)
{
    struct round r = {.op = op,
                      .desired = d,
                      .report = rep,
                      .scratch = arena_new(8 * LIMIT_REQUEST_ARENA),
                      .names = json_object(),
                      .created = json_object()};
    err_t e = r.scratch && r.names && r.created ? ERR_OK : ERR_MEMORY;
    if (e == ERR_OK)
        note_names(&r);
    for (size_t i = 0;
         (e == ERR_OK || (mode == MODE_TRY && rep->faults->n < LIMIT_CONFIG_FAULTS)) && i < d->n; i++)
        e = one(&r, &d->v[i], mode);
    if (e == ERR_OK && with_prune && d->n)
        e = desired_prune(&r, mode == MODE_APPLY);
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
        desired_tell(r, DESIRED_CREATE, d->v[i].tenant, d->v[i].kind->name, d->v[i].name, "");
}
