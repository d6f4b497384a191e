/* Begin and end of an operation, what it holds meanwhile, and the one guard of permissions. */
#include "token/op.h"
#include "token/cache.h"
#include "token/core.h"
#include "token/tenant.h"

void op_begin(struct op *op, struct core *core, struct db *db, struct arena *arena)
{
    memset(op, 0, sizeof(*op));
    op->core = core;
    op->db = db;
    op->arena = arena;
    op->now_s = clock_wall_s(core->clock);
}

void op_end(struct op *op)
{
    for (size_t i = 0; i < op->nheld; i++)
        object_release(op->held[i]);
    op->nheld = 0;
    op->tenant = NULL;
}

err_t op_hold(struct op *op, struct object *o)
{
    for (size_t i = 0; i < op->nheld; i++) {
        if (op->held[i] == o) {
            object_release(o);
            return ERR_OK;
        }
    }
    if (op->nheld == OP_HELD_MAX) {
        object_release(o);
        return op_fail(op, ERR_BUSY, "", "this operation uses more than %d objects at once", OP_HELD_MAX);
    }
    op->held[op->nheld++] = o;
    return ERR_OK;
}

/* --- permissions --- */

bool permissions_allow(struct strs held, struct str permission)
{
    return strs_has(held, permission) || (strs_has(held, STR("admin")) && !str_is(permission, "operator"));
}

bool op_is_default_tenant(const struct op *op)
{
    return op->tenant && str_is(op->tenant->name, TENANT_DEFAULT);
}

static bool actor_is_local(const struct actor *a)
{
    return a->kind == ACTOR_OPERATOR || a->kind == ACTOR_SYSTEM || a->kind == ACTOR_FILE;
}

/* Does the actor's own tenant hold the operators? Asked only when somebody claims to be one. */
static bool actor_in_default_tenant(struct op *op)
{
    if (op->tenant && op->tenant->object.id == op->actor.tenant_id)
        return op_is_default_tenant(op);
    struct object *o = cache_get_id(op->core->cache, op->actor.tenant_id);
    if (o) {
        bool is = o->kind == &kind_tenant && !o->disabled && str_is(o->name, TENANT_DEFAULT);
        object_release(o);
        return is;
    }
    struct op look;
    op_begin(&look, op->core, op->db, op->arena);
    bool is =
        tenant_use(&look, STR(TENANT_DEFAULT)) == ERR_OK && look.tenant->object.id == op->actor.tenant_id;
    op_end(&look);
    return is;
}

static bool actor_is_operator(struct op *op)
{
    if (actor_is_local(&op->actor))
        return true;
    return op->actor.kind != ACTOR_NONE && strs_has(op->actor.permissions, STR("operator")) &&
           actor_in_default_tenant(op);
}

static bool actor_holds(const struct op *op, struct str permission)
{
    return op->actor.kind != ACTOR_NONE && op->tenant && op->actor.tenant_id == op->tenant->object.id &&
           permissions_allow(op->actor.permissions, permission);
}

bool op_may(struct op *op, const char *permission)
{
    return actor_holds(op, str_z(permission)) || actor_is_operator(op);
}

err_t op_permit(struct op *op, const char *permission)
{
    if (op_may(op, permission))
        return ERR_OK;
    return op_fail(op, ERR_FORBIDDEN, "", "this needs the permission \"%s\"", permission);
}

err_t op_permit_system(struct op *op)
{
    if (actor_is_operator(op))
        return ERR_OK;
    return op_fail(op, ERR_FORBIDDEN, "",
                   "this needs the permission \"operator\" in the tenant \"" TENANT_DEFAULT "\"");
}

err_t op_permit_grant(struct op *op, struct strs permissions, const char *param)
{
    if (actor_is_operator(op))
        return ERR_OK;
    for (size_t i = 0; i < permissions.n; i++) {
        struct str p = permissions.v[i];
        bool held = str_is(p, "operator") ? false : actor_holds(op, p); /* who is one has passed above */
        if (!held)
            return op_fail(op, ERR_FORBIDDEN, param, "you do not hold \"%.*s\" yourself", STR_ARG(p));
    }
    return ERR_OK;
}
