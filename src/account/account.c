/* Accounts as rows: reading them by id, user name or e-mail address. */
#include "token/core.h"
#include "account/account_row.h"

const struct object_kind *account_kind_of(enum account_type t)
{
    return t == ACCOUNT_PERSON ? &kind_user : &kind_service_account;
}

struct str account_fold(struct arena *a, struct str name)
{
    char *p = arena_alloc(a, name.n + 1);
    if (!p)
        return STR_NONE;
    for (size_t i = 0; i < name.n; i++)
        p[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] - 'A' + 'a') : name.p[i];
    return (struct str){p, name.n};
}

err_t account_from_row(struct op *op, const struct rows *r, struct account *ret, struct object *ret_object)
{
    struct arena *a = op->arena;
    void *spec;
    struct account acc = {
        .id = db_int(r, 0),
        .type = str_is(db_text(r, 1), kind_user.name) ? ACCOUNT_PERSON : ACCOUNT_SERVICE,
        .username = arena_str(a, db_text(r, 2)),
        .email = arena_str(a, db_text(r, 3)),
        .password_hash = arena_str(a, db_text(r, 5)),
        .password_s = db_int(r, 6),
        .disabled = db_int(r, 8) != 0,
        .cutoff_id = db_int(r, 9),
        .version = db_int(r, 10),
        .updated_s = db_int(r, 12),
    };
    store_id_seen(op->core->store, acc.cutoff_id); /* what is issued from now on is above it */
    const struct object_kind *k = account_kind_of(acc.type);
    err_t e = object_spec_load(k, a, db_text(r, 4), &spec);
    if (e == ERR_MEMORY || !acc.username.p)
        return ERR_MEMORY;
    if (e != ERR_OK)
        return op_fail(op, ERR_STORE_CORRUPT, "", "the stored account \"%.*s\" can't be read",
                       STR_ARG(acc.username));
    memcpy(&acc.spec, spec, sizeof(acc.spec));
    *ret = acc;
    if (ret_object) {
        memset(ret_object, 0, sizeof(*ret_object));
        ret_object->id = acc.id;
        ret_object->tenant_id = account_tenant(op);
        ret_object->kind = k;
        ret_object->name = acc.username;
        ret_object->managed_by = str_is(db_text(r, 7), "file") ? MANAGED_FILE : MANAGED_API;
        ret_object->disabled = acc.disabled;
        ret_object->cutoff_id = acc.cutoff_id;
        ret_object->version = acc.version;
        ret_object->created_s = db_int(r, 11);
        ret_object->updated_s = acc.updated_s;
        ret_object->secret = acc.password_hash;
        ret_object->spec = spec;
    }
    return ERR_OK;
}

/* Exactly one row, or ERR_NOT_FOUND: of an address that two accounts share, neither is meant. */
static err_t read_only_one(struct op *op, enum query q, struct val key, struct account *ret)
{
    struct rows r;
    struct account a;
    int found = 0;
    err_t e = ERR_OK;
    TRY(db_rows(op->db, q, BIND(vint(account_tenant(op)), key), &r));
    while (e == ERR_OK && db_next(&r) && ++found == 1)
        e = account_from_row(op, &r, &a, NULL);
    err_t end = db_end(&r);
    if (e != ERR_OK || end != ERR_OK)
        return e != ERR_OK ? e : end;
    if (found != 1)
        return ERR_NOT_FOUND;
    *ret = a;
    return ERR_OK;
}

err_t account_by_id(struct op *op, int64_t id, struct account *ret)
{
    err_t e = read_only_one(op, Q_ACCOUNT_BY_ID, vint(id), ret);
    return e == ERR_NOT_FOUND ? op_fail(op, e, "", "there is no such account") : e;
}

err_t account_by_name(struct op *op, struct str username_or_email, struct account *ret)
{
    struct str name = account_fold(op->arena, username_or_email);
    err_t e = ERR_NOT_FOUND;
    if (name.n && name.n <= LIMIT_EMAIL)
        e = read_only_one(op, Q_ACCOUNT_BY_NAME, vtext(name), ret);
    /* Whose address is verified is meant, whoever else wrote it down. */
    static const enum query by_email[] = {Q_ACCOUNT_BY_EMAIL_VERIFIED, Q_ACCOUNT_BY_EMAIL};
    bool address = name.n <= LIMIT_EMAIL && str_find(name, '@') < name.n;
    for (size_t i = 0; e == ERR_NOT_FOUND && address && i < sizeof(by_email) / sizeof(by_email[0]); i++)
        e = read_only_one(op, by_email[i], vtext(name), ret);
    return e == ERR_NOT_FOUND ? op_fail(op, e, "", "there is no such account") : e;
}

struct strs account_permissions(struct op *op, const struct account *a)
{
    return tenant_permissions(op, a->spec.roles);
}

err_t account_permit_for(struct op *op, const struct account *a)
{
    TRY(op_permit(op, account_kind_of(a->type)->write));
    return op_permit_grant(op, account_permissions(op, a), "");
}

static err_t node_owner(struct op *op, int64_t node_id, int64_t *ret)
{
    struct rows r;
    int64_t id = 0;
    TRY(db_rows(op->db, Q_NODE_OWNER, BIND(vint(account_tenant(op)), vint(node_id)), &r));
    if (db_next(&r))
        id = db_int(&r, 0);
    *ret = id;
    return db_end(&r);
}

err_t account_permit_revoke(struct op *op, int64_t node_id)
{
    struct account a;
    struct fault before = op->fault;
    int64_t owner = 0;
    TRY(op_permit(op, "token.revoke"));
    TRY(node_owner(op, node_id, &owner));
    bool own = op->actor.id == owner && op->actor.tenant_id == account_tenant(op);
    if (!owner || own)
        return ERR_OK;
    err_t e = account_by_id(op, owner, &a);
    if (e == ERR_NOT_FOUND) {
        op->fault = before;
        return ERR_OK; /* removed: nothing of it lives */
    }
    return e == ERR_OK ? op_permit_grant(op, account_permissions(op, &a), "") : e;
}
