/* Making and removing tenants. A new one gets its keys in the transaction that makes its row. A removed one
 * is gone at once: its row stands under another kind from then on, its name is free, and the housekeeper
 * deletes what it leaves in batches. Its tokens, codes and events are not looked for: nothing finds them any
 * more, and they expire like all others. */
#include "token/object_row.h"
#include "token/tenant_parts.h"
#include "token/news.h"
#include "base/limits.h"

static err_t make_tenant(struct op *op, const struct object *o)
{
    for (int i = 0; i < LIMIT_PUT_TRIES; i++) {
        struct tenant_keys keys;
        TRY(keyring_make_tenant(op, o->id, &keys));
        err_t e = object_write_row(op, o, true, 0, keyring_insert_tenant, &keys);
        if (e != ERR_BUSY)
            return e;
    }
    return ERR_BUSY;
}

static err_t tenant_put(struct op *op, const struct object_kind *k, const struct object *o, bool is_new,
                        int64_t if_version)
{
    (void)k;
    if (o->disabled && str_is(o->name, TENANT_DEFAULT))
        return op_fail(op, ERR_PARAM_BAD, "disabled", "the tenant \"" TENANT_DEFAULT "\" can't be disabled");
    return is_new ? make_tenant(op, o) : object_write_row(op, o, false, if_version, NULL, NULL);
}

struct removal {
    struct store *store;
    const struct object *o;
    struct str new_name;
    int64_t now_s;
    struct audit audit;
};

static err_t remove_in_tx(struct db *db, void *ctx)
{
    struct removal *r = ctx;
    int64_t changed = 0;
    TRY(db_run(db, Q_TENANT_REMOVE,
               BIND(vint(r->o->id), vint(r->o->version), vtext(r->o->name), vtext(r->new_name),
                    vint(r->o->cutoff_id), vint(r->now_s)),
               &changed));
    if (changed == 0)
        return ERR_PRECONDITION;
    TRY(news_object_tx(db, r->o));
    TRY(object_log_cut_off(db, r->o));
    return audit_write(db, r->store, &r->audit);
}

static err_t tenant_remove(struct op *op, const struct object *o)
{
    struct object gone = *o;
    struct removal r = {.store = op->core->store, .o = &gone, .now_s = op->now_s};
    if (str_is(o->name, TENANT_DEFAULT))
        return op_fail(op, ERR_CONFLICT, "", "the tenant \"" TENANT_DEFAULT "\" can't be removed");
    gone.cutoff_id = store_cutoff_id(op->core->store);
    r.new_name = arena_fmt(op->arena, "%lld", (long long)o->id);
    if (!r.new_name.p)
        return ERR_MEMORY;
    object_audit(op, &gone, AUDIT_OBJECT_REMOVED, &r.audit);
    return store_tx(op->core->store, remove_in_tx, &r);
}

const struct object_store tenant_store = {.put = tenant_put, .remove = tenant_remove};

/* --- the first one --- */

static err_t make_default(struct op *op)
{
    json_t *doc = json_pack("{s:s}", "name", TENANT_DEFAULT);
    struct tenant none = {.name = STR("")}; /* there is no tenant yet to speak for */
    if (!doc)
        return ERR_MEMORY;
    op->actor.kind = ACTOR_SYSTEM;
    op->tenant = &none;
    err_t e = object_put(op, &kind_tenant, doc, OBJECT_CREATE, MANAGED_API, 0, "", NULL, NULL);
    json_decref(doc);
    return e == ERR_CONFLICT ? ERR_OK : e; /* somebody else was faster */
}

err_t tenant_ensure_default(struct op *op)
{
    struct op own;
    op_begin(&own, op->core, op->db, op->arena);
    err_t e = tenant_use(&own, STR(TENANT_DEFAULT));
    if (e == ERR_NOT_FOUND) {
        own.fault.code = ERR_OK;
        e = make_default(&own);
    }
    if (e != ERR_OK)
        op->fault = own.fault;
    op_end(&own);
    return e;
}

/* --- what removed ones leave --- */

static const enum query sweeps[] = {Q_SWEEP_OBJECT,  Q_SWEEP_TENANT_KEY, Q_SWEEP_ACCOUNT,
                                    Q_SWEEP_SESSION, Q_SWEEP_GRANT,      Q_SWEEP_NAMED_TOKEN,
                                    Q_SWEEP_CONSENT, Q_SWEEP_DEAD_NODE,  Q_SWEEP_LIMITER,
                                    Q_SWEEP_SEEN, Q_SWEEP_IDENTITY, Q_SWEEP_REGISTRATION};

struct sweep {
    enum query q;
    int64_t tenant_id, changed;
};

static err_t sweep_in_tx(struct db *db, void *ctx)
{
    struct sweep *s = ctx;
    int64_t changed = 0;
    TRY(db_run(db, s->q, BIND(vint(s->tenant_id), vint(LIMIT_SWEEP)), &changed));
    s->changed = changed;
    return ERR_OK;
}

static err_t forget_in_tx(struct db *db, void *ctx)
{
    struct sweep *s = ctx;
    return db_run(db, Q_TENANT_FORGET, BIND(vint(s->tenant_id)), NULL);
}

#define FUTURE 86400 /* seconds: rows written under a clock that was ahead go as well */

/* Who did what there is forgotten, that something was done is not: the chain still verifies. */
static err_t forget_audit(struct op *op, int64_t tenant_id)
{
    struct op own;
    struct tenant gone = {.object = {.id = tenant_id}, .name = STR("")};
    int64_t rows = 0;
    op_begin(&own, op->core, op->db, op->arena);
    own.actor.kind = ACTOR_SYSTEM;
    own.tenant = &gone;
    err_t e = audit_retain(&own, own.now_s + FUTURE, &rows);
    op_end(&own);
    return e;
}

static err_t removed_tenant(struct op *op, int64_t *ret_id)
{
    struct rows r;
    TRY(db_rows(op->db, Q_TENANT_REMOVED, BIND_NONE, &r));
    *ret_id = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

err_t tenant_sweep(struct op *op, bool *ret_more)
{
    struct sweep s = {.changed = 0};
    *ret_more = false;
    TRY(removed_tenant(op, &s.tenant_id));
    if (s.tenant_id == 0)
        return ERR_OK;
    *ret_more = true;
    for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]); i++) {
        s.q = sweeps[i];
        TRY(store_tx(op->core->store, sweep_in_tx, &s));
        if (s.changed >= LIMIT_SWEEP)
            return ERR_OK;
    }
    TRY(forget_audit(op, s.tenant_id));
    return store_tx(op->core->store, forget_in_tx, &s);
}
