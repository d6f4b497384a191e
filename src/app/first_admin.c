/* The first administrator: while nobody holds "admin" in the default tenant, each start prints a link that
 * makes one. */
#include "app/first_admin.h"
#include "account/account.h"
#include "token/core.h"
#include "token/tenant.h"

/* A row mentions the role; its permissions decide. */
static err_t holds_admin(struct op *op, struct str username, bool *ret)
{
    struct account a;
    TRY(account_by_name(op, username, &a));
    struct strs p = account_permissions(op, &a);
    *ret = strs_has(p, STR("admin")) || strs_has(p, STR("operator"));
    return ERR_OK;
}

static err_t role_has_admin(struct op *op, struct str role, bool *ret)
{
    struct rows r;
    struct str names[50];
    size_t n = 0;
    struct str quoted = arena_fmt(op->arena, "\"%.*s\"", STR_ARG(role));
    TRY(db_rows(op->db, Q_ACCOUNT_WITH_ROLE, BIND(vint(op->tenant->object.id), vtext(quoted)), &r));
    while (n < 50 && db_next(&r))
        names[n++] = arena_str(op->arena, db_text(&r, 0));
    TRY(db_end(&r));
    for (size_t i = 0; i < n && !*ret; i++)
        TRY(holds_admin(op, names[i], ret));
    return ERR_OK;
}

err_t first_admin_exists(struct op *op, bool *ret)
{
    bool there = false;
    TRY(role_has_admin(op, STR("admin"), &there));
    if (!there)
        TRY(role_has_admin(op, STR("operator"), &there));
    for (size_t i = 0; i < op->tenant->nroles && !there; i++)
        if (strs_has(op->tenant->roles[i].permissions, STR("admin")) ||
            strs_has(op->tenant->roles[i].permissions, STR("operator")))
            TRY(role_has_admin(op, op->tenant->roles[i].name, &there));
    *ret = there;
    return ERR_OK;
}

err_t first_admin_link(struct op *op, struct str *ret_url)
{
    bool there = false;
    *ret_url = STR_NONE;
    TRY(first_admin_exists(op, &there));
    return there ? ERR_OK : link_make(op, "first_admin", 0, ret_url);
}
