/* The last step of every write to a configured object: the row and its audit row in one transaction, then the
 * cache; and the two changes that need no document, removing and disabling. */
#include "token/object_row.h"
#include "token/life.h"
#include "token/news.h"
#include "base/limits.h"

err_t object_permit_write(struct op *op, const struct object_kind *k)
{
    return k->system ? op_permit_system(op) : op_permit(op, k->write);
}

err_t object_permit_file(struct op *op, const struct object *o, const char *doing)
{
    if (o->managed_by != MANAGED_FILE || op->actor.kind == ACTOR_FILE)
        return ERR_OK;
    return op_fail(op, ERR_CONFLICT, "",
                   "the %s \"%.*s\" is managed by the configuration file and must be %s there; or disable "
                   "it, or release it "
                   "with \"managed_by\": \"api\"",
                   o->kind->name, STR_ARG(o->name), doing);
}

void object_audit(struct op *op, const struct object *o, int event, struct audit *ret)
{
    struct str what = arena_fmt(op->arena, "%s:%.*s", o->kind->name, STR_ARG(o->name));
    audit_make(op, (enum audit_event)event, what, o->change, ret);
}

void object_uncache(struct core *core, const struct object *o)
{
    cache_drop(core->cache, o->tenant_id, o->kind->name, o->name);
    if (o->kind->in_snapshot)
        cache_drop_tenant(core->cache, o->tenant_id);
}

/* --- transactions --- */

struct write_tx {
    struct store *store;
    const struct object *o;
    struct str spec;
    int64_t if_version; /* 0: new */
    bool cuts_off;      /* what was issued under it is dead */
    struct audit audit;
    store_tx_fn more; /* further rows of the same transaction, or NULL */
    void *more_ctx;
    const struct object_with *with; /* the caller's, or NULL */
};

static err_t rows_beside(struct db *db, const struct write_tx *t, bool removed)
{
    if (t->with)
        TRY(t->with->fn(db, t->o, t->with->ctx));
    return t->o->kind->beside ? t->o->kind->beside(db, t->o, removed) : ERR_OK;
}

/* Roles and the like have nothing below them; a restore must not bring back what hung below a client or a
 * tenant. */
err_t object_log_cut_off(struct db *db, const struct object *o)
{
    bool is_node = o->kind->system || str_is(str_z(o->kind->name), node_name(NODE_CLIENT));
    return is_node ? db_log_revoked(db, o->kind->name, o->tenant_id, o->id, o->cutoff_id) : ERR_OK;
}

static err_t write_in_tx(struct db *db, void *ctx)
{
    struct write_tx *t = ctx;
    if (t->if_version == 0)
        TRY(object_row_insert(db, t->o, t->spec));
    else
        TRY(object_row_update(db, t->o, t->spec, t->if_version));
    if (t->if_version || t->o->kind->in_snapshot) /* nobody remembers what was not there */
        TRY(news_object_tx(db, t->o));
    if (t->cuts_off)
        TRY(object_log_cut_off(db, t->o));
    if (t->more)
        TRY(t->more(db, t->more_ctx));
    TRY(rows_beside(db, t, false));
    return audit_write(db, t->store, &t->audit);
}

static err_t write_row(struct op *op, struct write_tx *t, bool is_new)
{
    const struct object *o = t->o;
    t->store = op->core->store;
    TRY(object_spec_text(op, o->kind, o->spec, &t->spec));
    t->cuts_off = !is_new && o->disabled;
    object_audit(op, o, is_new ? AUDIT_OBJECT_CREATED : AUDIT_OBJECT_CHANGED, &t->audit);
    if (t->audit.tenant_id == 0) /* the default tenant itself is being made: its trail begins with that */
        t->audit.tenant_id = o->id;
    return store_tx(t->store, write_in_tx, t);
}

err_t object_write_row(struct op *op, const struct object *o, bool is_new, int64_t if_version,
                       store_tx_fn more, void *more_ctx)
{
    struct write_tx t = {.o = o, .if_version = is_new ? 0 : if_version, .more = more, .more_ctx = more_ctx};
    return write_row(op, &t, is_new);
}

/* A tenant's snapshot holds all its parts: what can't be loaded must not be written. Writers at the same
 * moment may pass a little beyond; loading leaves room for that. */
static err_t check_room(struct op *op, const struct object *o, bool is_new)
{
    struct rows r;
    int64_t same_kind = 0, bytes = 0;
    struct str spec;
    TRY(object_spec_text(op, o->kind, o->spec, &spec));
    TRY(db_rows(op->db, Q_OBJECT_ROOM, BIND(vint(o->tenant_id), vtext(str_z(o->kind->name)), vint(o->id)),
                &r));
    if (db_next(&r)) {
        same_kind = db_int(&r, 0);
        bytes = db_int(&r, 1);
    }
    TRY(db_end(&r));
    if (is_new && same_kind >= LIMIT_TENANT_PARTS)
        return op_fail(op, ERR_TOO_LARGE, "", "a tenant has at most %d %s", LIMIT_TENANT_PARTS,
                       o->kind->plural);
    if (bytes + (int64_t)spec.n > LIMIT_TENANT_PARTS_BYTES)
        return op_fail(op, ERR_TOO_LARGE, "",
                       "the roles, resources, webhooks, claims and providers of a tenant have at most %d bytes together",
                       LIMIT_TENANT_PARTS_BYTES);
    return ERR_OK;
}

err_t object_write(struct op *op, struct object *o, bool is_new, int64_t if_version,
                   const struct object_with *with)
{
    const struct object_kind *k = o->kind;
    struct write_tx t = {.o = o, .if_version = is_new ? 0 : if_version, .with = with};
    if (k->in_snapshot)
        TRY(check_room(op, o, is_new));
    err_t e = k->store && k->store->put ? k->store->put(op, k, o, is_new, if_version) : write_row(op, &t, is_new);
    if (e == ERR_OK)
        object_uncache(op->core, o);
    return e;
}

static err_t remove_in_tx(struct db *db, void *ctx)
{
    struct write_tx *t = ctx;
    const struct object *o = t->o;
    int64_t changed = 0;
    TRY(db_run(db, Q_OBJECT_DELETE, BIND(vint(o->tenant_id), vint(o->id), vint(o->version)), &changed));
    if (changed == 0)
        return ERR_PRECONDITION;
    TRY(news_object_tx(db, o));
    TRY(object_log_cut_off(db, o));
    TRY(rows_beside(db, t, true));
    return audit_write(db, t->store, &t->audit);
}

static err_t remove_row(struct op *op, struct object *o, const struct object_with *with)
{
    struct write_tx t = {.store = op->core->store, .o = o, .with = with};
    o->cutoff_id = store_cutoff_id(op->core->store);
    object_audit(op, o, AUDIT_OBJECT_REMOVED, &t.audit);
    return store_tx(op->core->store, remove_in_tx, &t);
}

/* --- without a document --- */

err_t object_remove(struct op *op, const struct object_kind *k, struct str name)
{
    return object_remove_with(op, k, name, NULL);
}

err_t object_remove_with(struct op *op, const struct object_kind *k, struct str name, const struct object_with *with)
{
    struct object *o;
    TRY(object_permit_write(op, k));
    TRY(object_fetch(op, k, name, &o));
    TRY(object_permit_file(op, o, "removed"));
    if (k->permit)
        TRY(k->permit(op, o->spec));
    err_t e = k->store && k->store->remove ? k->store->remove(op, o) : remove_row(op, o, with);
    if (e == ERR_PRECONDITION)
        return op_fail(op, e, "", "the %s \"%.*s\" was changed at the same moment", k->name, STR_ARG(name));
    if (e == ERR_OK)
        object_uncache(op->core, o);
    return e;
}

err_t object_set_disabled(struct op *op, const struct object_kind *k, struct str name, bool disabled)
{
    struct object *old;
    TRY(object_permit_write(op, k));
    TRY(object_fetch(op, k, name, &old));
    if (old->disabled == disabled)
        return ERR_OK;
    if (k->permit)
        TRY(k->permit(op, old->spec));
    struct object o = *old;
    o.arena = NULL;
    o.disabled = disabled;
    o.version++;
    o.updated_s = op->now_s;
    o.cutoff_id = store_cutoff_id(op->core->store);
    o.change = disabled ? STR("{\"changed\":[\"disabled\"],\"disabled\":true}")
                        : STR("{\"changed\":[\"disabled\"],\"disabled\":false}");
    err_t e = object_write(op, &o, false, old->version, NULL);
    if (e == ERR_PRECONDITION)
        return op_fail(op, e, "", "the %s \"%.*s\" was changed at the same moment", k->name, STR_ARG(name));
    return e;
}
