/* What left the file: objects that are managed by it and that it names no more. */
#include "app/desired_parts.h"
#include <stdio.h>

static bool is_desired(const struct round *r, const char *tenant, const struct object_kind *k,
                       struct str name)
{
    char id[3 * LIMIT_TEXT];
    snprintf(id, sizeof id, "%s\n%s\n%.*s", k->system ? "" : tenant, k->name, STR_ARG(name));
    return json_object_get(r->names, id) != NULL;
}

static err_t collect_left(struct round *r, struct op *op, const char *tenant, const struct object_kind *k,
                          json_t *left)
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
        TRY(desired_begin(r, k->system ? TENANT_DEFAULT : tenant, op));
        q.after = str_z(after);
    } while (true);
    return ERR_OK;
}

static err_t prune_kind(struct round *r, const char *tenant, const struct object_kind *k, bool apply)
{
    struct op op;
    json_t *left = json_array(), *name;
    size_t i;
    err_t e = desired_begin(r, k->system ? TENANT_DEFAULT : tenant, &op);
    if (e == ERR_NOT_FOUND) { /* a tenant that is not there yet has nothing to remove */
        json_decref(left);
        op_end(&op);
        return ERR_OK;
    }
    if (e == ERR_OK)
        e = collect_left(r, &op, tenant, k, left);
    op_end(&op);
    json_array_foreach(left, i, name)
    {
        if (e != ERR_OK)
            break;
        e = apply ? desired_begin(r, k->system ? TENANT_DEFAULT : tenant, &op) : ERR_OK;
        if (apply && e == ERR_OK)
            e = object_remove(&op, k, json_str(name));
        if (e == ERR_OK)
            desired_tell(r->report, DESIRED_REMOVE, k->system ? json_string_value(name) : tenant, k->name,
                         json_string_value(name), "");
        else
            config_fault(r->report->faults, "", json_string_value(name), "%s",
                         op.fault.detail[0] ? op.fault.detail : err_text(e));
        if (apply)
            op_end(&op);
    }
    json_decref(left);
    return e;
}

/* Kinds in the opposite order: who refers goes before what is referred to. */
err_t desired_prune(struct round *r, bool apply)
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
