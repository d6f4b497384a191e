/* Roles and the permissions they add up to. */
#include "token/object_row.h"
#include "token/tenant_parts.h"

static const char *const built_in[] = {"admin", "operator", "auditor"};
/* Permissions that belong to no kind of object. */
static const char *const own_permissions[] = {"admin",      "operator",         "audit.read",   "client.register", "key.read", "key.write",
                                              "token.read", "token.introspect", "token.revoke"};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool role_is_built_in(struct str name)
{
    for (size_t i = 0; i < COUNT(built_in); i++) {
        if (str_is(name, built_in[i]))
            return true;
    }
    return false;
}

/* --- a set of words --- */

struct words {
    struct str *v;
    size_t n, cap;
    struct arena *a;
    bool failed;
};

static void words_add(struct words *w, struct str word)
{
    if (strs_has((struct strs){w->v, w->n}, word))
        return;
    if (w->n == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 32;
        struct str *v = arena_array(w->a, struct str, cap);
        if (!v) {
            w->failed = true;
            return;
        }
        if (w->n > 0)
            memcpy(v, w->v, w->n * sizeof(*v));
        w->v = v;
        w->cap = cap;
    }
    w->v[w->n++] = word;
}

static void words_add_all(struct words *w, struct strs list)
{
    for (size_t i = 0; i < list.n; i++)
        words_add(w, list.v[i]);
}

/* --- what a tenant knows --- */

err_t tenant_fill_permissions(const struct core *core, struct arena *a, struct tenant *t)
{
    struct words w = {.a = a};
    for (size_t i = 0; i < COUNT(own_permissions); i++)
        words_add(&w, str_z(own_permissions[i]));
    for (size_t i = 0; core->kinds && i < core->kinds->n; i++) {
        words_add(&w, str_z(core->kinds->v[i]->read));
        words_add(&w, str_z(core->kinds->v[i]->write));
    }
    for (size_t i = 0; i < t->nroles; i++)
        words_add_all(&w, t->roles[i].permissions);
    t->permissions = (struct strs){w.v, w.n};
    return w.failed ? ERR_MEMORY : ERR_OK;
}

bool permission_is_own(const struct core *core, struct str permission)
{
    for (size_t i = 0; i < COUNT(own_permissions); i++)
        if (str_is(permission, own_permissions[i]))
            return true;
    for (size_t i = 0; core->kinds && i < core->kinds->n; i++)
        if (str_is(permission, core->kinds->v[i]->read) || str_is(permission, core->kinds->v[i]->write))
            return true;
    return false;
}

bool tenant_knows_permission(const struct tenant *t, struct str permission)
{
    return strs_has(t->permissions, permission);
}

/* --- what roles add up to --- */

static bool ends_with(struct str s, struct str tail)
{
    return s.n >= tail.n && memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0;
}

/* Everything but what makes an operator. */
static void add_admin(struct words *w, const struct tenant *t)
{
    for (size_t i = 0; i < t->permissions.n; i++) {
        if (!str_is(t->permissions.v[i], "operator"))
            words_add(w, t->permissions.v[i]);
    }
}

static void add_auditor(struct words *w, const struct tenant *t)
{
    for (size_t i = 0; i < t->permissions.n; i++) {
        if (ends_with(t->permissions.v[i], STR(".read")))
            words_add(w, t->permissions.v[i]);
    }
}

static void add_role(struct words *w, const struct op *op, struct str name)
{
    const struct tenant *t = op->tenant;
    if (str_is(name, "admin"))
        add_admin(w, t);
    if (str_is(name, "auditor"))
        add_auditor(w, t);
    if (str_is(name, "operator") && op_is_default_tenant(op)) {
        add_admin(w, t);
        words_add(w, STR("operator"));
    }
    for (size_t i = 0; i < t->nroles; i++) {
        if (str_eq(t->roles[i].name, name))
            words_add_all(w, t->roles[i].permissions);
    }
}

struct strs tenant_permissions(struct op *op, struct strs roles)
{
    struct words w = {.a = op->arena};
    for (size_t i = 0; i < roles.n; i++)
        add_role(&w, op, roles.v[i]);
    /* Whoever has less than he is due is refused something; nobody gets more. */
    return (struct strs){w.v, w.n};
}
