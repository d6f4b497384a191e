/* The storage of the kinds "user" and "service-account": table account. Whoever is disabled or removed loses
 * all that was issued to him, in the same transaction. */
#include "account/account_row.h"
#include "token/core.h"

static err_t get(struct op *op, const struct object_kind *k, struct str name, struct object **ret)
{
    struct rows r;
    struct account a;
    struct object *o = arena_new_of(op->arena, struct object);
    struct str folded = account_fold(op->arena, name);
    if (!o || !folded.p)
        return ERR_MEMORY;
    TRY(db_rows(op->db, Q_ACCOUNT_BY_NAME, BIND(vint(account_tenant(op)), vtext(folded)), &r));
    err_t e = db_next(&r) ? account_from_row(op, &r, &a, o) : ERR_NOT_FOUND;
    err_t end = db_end(&r);
    if (end != ERR_OK)
        return end;
    if (e == ERR_NOT_FOUND || (e == ERR_OK && o->kind != k))
        return op_fail(op, ERR_NOT_FOUND, "", "there is no %s \"%.*s\"", k->name, STR_ARG(name));
    if (e == ERR_OK)
        *ret = o;
    return e;
}

static err_t list(struct op *op, const struct object_kind *k, const struct object_query *q,
                  struct object_page *ret)
{
    struct rows r;
    struct account a;
    err_t e = ERR_OK;
    struct str search = account_fold(op->arena, q->search), after = account_fold(op->arena, q->after);
    struct object_page page = {.v = arena_array(op->arena, struct object *, q->limit)};
    if (!page.v || !search.p || !after.p)
        return ERR_MEMORY;
    TRY(db_rows(op->db, Q_ACCOUNT_LIST,
                BIND(vint(account_tenant(op)), vtext(str_z(k->name)), vtext(after), vtext(search),
                     vint(q->limit + 1)),
                &r));
    while (e == ERR_OK && db_next(&r)) {
        page.more = page.n == (size_t)q->limit;
        if (page.more)
            break;
        struct object *o = arena_new_of(op->arena, struct object);
        e = o ? account_from_row(op, &r, &a, o) : ERR_MEMORY;
        if (e == ERR_OK)
            page.v[page.n++] = o;
    }
    err_t end = db_end(&r);
    if (e == ERR_OK && end == ERR_OK)
        *ret = page;
    return e != ERR_OK ? e : end;
}

/* A changed account, in a transaction. */
struct account_tx {
    struct store *store;
    const struct object *o;
    struct str username, email, spec;
    int64_t if_version; /* 0: new */
    int64_t now_s;
    bool email_taken;
    struct node_kill kill; /* quiet: the audit row says what happened */
    struct audit audit;
};

static err_t insert(struct db *db, const struct account_tx *t)
{
    const struct object *o = t->o;
    return db_run(db, Q_ACCOUNT_INSERT,
                  BIND(vint(o->tenant_id), vint(o->id), vtext(str_z(o->kind->name)), vtext(t->username),
                       vtext(t->email), vtext(t->spec), vtext(o->secret), vid(o->secret.n ? t->now_s : 0),
                       vtext(o->managed_by == MANAGED_FILE ? STR("file") : STR("api")), vint(o->disabled),
                       vint(o->cutoff_id), vint(o->version), vint(o->created_s)),
                  NULL);
}

static err_t update(struct db *db, const struct account_tx *t)
{
    const struct object *o = t->o;
    int64_t changed = 0;
    TRY(db_run(db, Q_ACCOUNT_UPDATE,
               BIND(vint(o->tenant_id), vint(o->id), vint(t->if_version), vtext(t->email), vtext(t->spec),
                    vtext(o->secret), vid(o->secret.n ? t->now_s : 0),
                    vtext(o->managed_by == MANAGED_FILE ? STR("file") : STR("api")), vint(o->disabled),
                    vint(o->version), vint(o->updated_s)),
               &changed));
    return changed == 1 ? ERR_OK : ERR_PRECONDITION;
}

static err_t stored_cutoff(struct db *db, const struct object *o, int64_t *ret)
{
    struct rows r;
    int64_t id = 0;
    TRY(db_rows(db, Q_LIFE_ACCOUNT, BIND(vint(o->tenant_id), vint(o->id)), &r));
    if (db_next(&r))
        id = db_int(&r, 1);
    *ret = id;
    return db_end(&r);
}

/* A verified address is one account's: the second to claim it would take the first one's sign-in by it away. */
static err_t email_is_free(struct db *db, struct account_tx *t)
{
    const struct account_spec *s = t->o->spec;
    struct rows r;
    t->email_taken = false;
    if (!s->email_verified || !s->email.n)
        return ERR_OK;
    TRY(db_claim(db, t->o->tenant_id, false));
    TRY(db_rows(db, Q_EMAIL_VERIFIED_ELSEWHERE, BIND(vint(t->o->tenant_id), vtext(t->email), vint(t->o->id)), &r));
    t->email_taken = db_next(&r);
    TRY(db_end(&r));
    return t->email_taken ? ERR_CONFLICT : ERR_OK;
}

static err_t put_in_tx(struct db *db, void *ctx)
{
    struct account_tx *t = ctx;
    int64_t cutoff_id = 0;
    if (t->if_version == 0) {
        TRY(insert(db, t)); /* before the address is looked at: the same person, made twice at once, is no stranger */
        TRY(email_is_free(db, t));
    } else {
        TRY(email_is_free(db, t));
        TRY(db_claim(db, t->o->id, false));
        TRY(stored_cutoff(db, t->o, &cutoff_id));
        TRY(update(db, t));
        t->kill.cutoff_id = 0;
        if (t->o->cutoff_id >
            cutoff_id) /* it is being disabled, or enabled again: all that was issued is over */
            TRY(node_kill_tx(db, &t->kill));
    }
    return audit_write(db, t->store, &t->audit);
}

/* Who may change an account must hold what it has now, not only what it shall have. */
static err_t permit_change(struct op *op, const struct object *o)
{
    struct account a;
    TRY(account_by_id(op, o->id, &a));
    return op_permit_grant(op, account_permissions(op, &a), "");
}

static err_t put(struct op *op, const struct object_kind *k, const struct object *o, bool is_new,
                 int64_t if_version)
{
    const struct account_spec *s = o->spec;
    struct account_tx t = {.store = op->core->store,
                           .o = o,
                           .email = s->email,
                           .if_version = is_new ? 0 : if_version,
                           .now_s = op->now_s};
    if (!is_new)
        TRY(permit_change(op, o));
    t.username = account_fold(op->arena, o->name);
    if (!t.username.p)
        return ERR_MEMORY;
    TRY(object_spec_text(op, k, s, &t.spec));
    node_kill_make(op, NODE_ACCOUNT, o->id, NULL, &t.kill);
    object_audit(op, o, is_new ? AUDIT_OBJECT_CREATED : AUDIT_OBJECT_CHANGED, &t.audit);
    err_t e = store_tx(t.store, put_in_tx, &t);
    if (e != ERR_OK)
        return t.email_taken ? op_fail(op, e, "email", "is the verified address of another account") : e;
    node_killed(&t.kill);
    return ERR_OK;
}

static err_t remove_in_tx(struct db *db, void *ctx)
{
    struct account_tx *t = ctx;
    const struct object *o = t->o;
    int64_t changed = 0;
    TRY(node_kill_tx(db, &t->kill));
    TRY(db_run(db, Q_ACCOUNT_DELETE, BIND(vint(o->tenant_id), vint(o->id), vint(o->version)), &changed));
    if (changed == 0)
        return ERR_PRECONDITION;
    TRY(db_run(db, Q_CONSENT_FORGET, BIND(vint(o->tenant_id), vint(o->id)), NULL));
    TRY(db_run(db, Q_IDENTITY_FORGET, BIND(vint(o->tenant_id), vint(o->id)), NULL));
    return audit_write(db, t->store, &t->audit);
}

static err_t remove_account(struct op *op, const struct object *o)
{
    struct account_tx t = {.store = op->core->store, .o = o};
    TRY(permit_change(op, o));
    node_kill_make(op, NODE_ACCOUNT, o->id, NULL, &t.kill);
    object_audit(op, o, AUDIT_OBJECT_REMOVED, &t.audit);
    TRY(store_tx(t.store, remove_in_tx, &t));
    node_killed(&t.kill);
    return ERR_OK;
}

const struct object_store account_store = {.get = get, .list = list, .put = put, .remove = remove_account};
