/* Revoking. A node (token, grant, session, account, client) dies by one row; what hangs below dies with it at
 * once, because the dead set (or, for clients and tenants, the cut-off in the cached object) is looked at by
 * every check. A cut-off is a new row id: everything issued so far is older. */
#include "token/life.h"
#include "token/cache.h"
#include "token/core.h"
#include "token/news.h"
#include "token/sign_out.h"
#include "base/limits.h"

struct node_row {
    const char *name;
    enum query kill; /* $1 tenant, $2 id, $3 now, $4 cut-off */
    bool below;      /* descendants are found by the dead set */
    bool marked;     /* they are not, but those in status lists are marked */
    enum audit_event event;
};
static const struct node_row nodes[] = {
    [NODE_TOKEN] = {"token", Q_KILL_TOKEN, false, false, AUDIT_TOKEN_REVOKED},
    [NODE_GRANT] = {"grant", Q_KILL_GRANT, true, false, AUDIT_TOKEN_REVOKED},
    [NODE_SESSION] = {"session", Q_KILL_SESSION, true, false, AUDIT_TOKEN_REVOKED},
    [NODE_ACCOUNT] = {"account", Q_KILL_ACCOUNT, true, false, AUDIT_TOKEN_REVOKED},
    [NODE_CLIENT] = {"client", Q_KILL_CLIENT, false, true, AUDIT_TOKEN_REVOKED},
    [NODE_IDENTITY] = {"identity", Q_KILL_IDENTITY, false, false, AUDIT_IDENTITY_UNLINKED},
};
/* In revoked.log alone: object_put.c cuts tenants off. */
static const struct node_row tenant_row = {"tenant", Q_KILL_TENANT, false, false, AUDIT_TOKEN_REVOKED};

const char *node_name(enum node_kind k)
{
    return nodes[k].name;
}

void node_kill_make(struct op *op, enum node_kind kind, int64_t id, const char *reason, struct node_kill *ret)
{
    *ret = (struct node_kill){
        .core = op->core, .kind = kind, .tenant_id = op->tenant->object.id, .id = id, .now_s = op->now_s};
    if (reason)
        audit_make(op, nodes[kind].event, audit_object(op, node_name(kind), id),
                   arena_fmt(op->arena, "{\"reason\":\"%s\"}", reason), &ret->audit);
}

static err_t put_dead(struct db *db, const struct node_row *row, const struct node_kill *k, int64_t cutoff_id)
{
    if (row->below)
        TRY(news_dead_tx(db, k->id, cutoff_id));
    return db_run(db, Q_DEAD_NODE_PUT,
                  BIND(vint(k->tenant_id), vint(k->id), vtext(str_z(row->name)), vint(cutoff_id), vint(k->now_s)), NULL);
}

err_t node_mark_client_tx(struct db *db, int64_t tenant_id, int64_t client_id, int64_t cutoff_id, int64_t now_s)
{
    return put_dead(db, &nodes[NODE_CLIENT], &(struct node_kill){.tenant_id = tenant_id, .id = client_id, .now_s = now_s}, cutoff_id);
}

/* *ret_changed false: it was dead already, or never there. */
static err_t kill_row(struct db *db, const struct node_row *row, const struct node_kill *k, int64_t cutoff_id,
                      bool *ret_changed)
{
    int64_t changed = 0;
    TRY(db_run(db, row->kill, BIND(vint(k->tenant_id), vint(k->id), vint(k->now_s), vint(cutoff_id)),
               &changed));
    if (changed > 0 && (row->below || row->marked))
        TRY(put_dead(db, row, k, cutoff_id));
    *ret_changed = changed > 0;
    return ERR_OK;
}

err_t node_kill_tx(struct db *db, struct node_kill *k)
{
    bool changed;
    if (nodes[k->kind].below) /* nothing is born under it meanwhile */
        TRY(db_claim(db, k->id, false));
    store_id_seen(k->core->store, k->id); /* whatever server gave it out: the cut-off is above it */
    int64_t cutoff_id = store_cutoff_id(k->core->store);
    k->cutoff_id = 0;
    TRY(kill_row(db, &nodes[k->kind], k, cutoff_id, &changed));
    if (!changed)
        return ERR_OK;
    TRY(db_log_revoked(db, node_name(k->kind), k->tenant_id, k->id, cutoff_id));
    if (k->kind == NODE_SESSION)
        TRY(sign_out_tell_tx(db, k->core->store, k->tenant_id, k->id, k->now_s));
    if (k->audit.tenant_id)
        TRY(audit_write(db, k->core->store, &k->audit));
    k->cutoff_id = cutoff_id;
    return ERR_OK;
}

void node_killed(const struct node_kill *k)
{
    if (k->cutoff_id == 0)
        return;
    if (nodes[k->kind].below)
        dead_set_add(k->core->dead, k->id, k->cutoff_id);
    metrics_add(k->core->metrics, METRIC_TOKEN_REVOKED, node_name(k->kind), 1);
}

struct revoking {
    struct node_kill kill;
    struct str client; /* whose cut-off is looked up in the cache, under its name */
};

static err_t revoke_in_tx(struct db *db, void *ctx)
{
    struct revoking *v = ctx;
    TRY(node_kill_tx(db, &v->kill));
    return v->client.p ? news_named_tx(db, v->kill.tenant_id, node_name(NODE_CLIENT), v->client) : ERR_OK;
}

static err_t client_name(struct op *op, int64_t id, struct str *ret)
{
    const struct object_kind *kind = object_kind_find(op->core->kinds, STR("client"));
    struct object *client;
    if (!kind)
        return ERR_INTERNAL;
    TRY(object_get_id(op, kind, id, &client));
    *ret = client->name;
    return ERR_OK;
}

err_t node_revoke(struct op *op, enum node_kind kind, int64_t id, const char *reason)
{
    struct revoking v = {.client = STR_NONE};
    if (kind == NODE_CLIENT)
        TRY(client_name(op, id, &v.client));
    node_kill_make(op, kind, id, reason, &v.kill);
    TRY(store_tx(op->core->store, revoke_in_tx, &v));
    if (v.client.p)
        cache_drop(op->core->cache, v.kill.tenant_id, node_name(kind), v.client);
    node_killed(&v.kill);
    return ERR_OK;
}

/* --- all that a person has open
 * ------------------------------------------------------------------------------------ */

void online_kill_make(struct op *op, int64_t account_id, int64_t keep_session_id, struct online_kill *ret)
{
    *ret = (struct online_kill){.core = op->core,
                                .tenant_id = op->tenant->object.id,
                                .account_id = account_id,
                                .keep_session_id = keep_session_id,
                                .now_s = op->now_s};
}

/* Collected first: a table is not changed while it is read. */
static err_t collect(struct db *db, enum query q, enum node_kind kind, struct online_kill *k)
{
    struct rows r;
    size_t room = LIMIT_ONLINE_KILL - k->n;
    TRY(db_rows(db, q,
                BIND(vint(k->tenant_id), vint(k->account_id), vint(k->keep_session_id), vint(k->now_s),
                     vint((int64_t)room)),
                &r));
    while (k->n < LIMIT_ONLINE_KILL && db_next(&r))
        k->node[k->n++] = (struct online_node){.kind = kind, .id = db_int(&r, 0)};
    return db_end(&r);
}

err_t online_kill_tx(struct db *db, struct online_kill *k)
{
    k->n = 0;
    TRY(db_claim(db, k->account_id, false));
    TRY(collect(db, Q_ONLINE_SESSIONS, NODE_SESSION, k));
    TRY(collect(db, Q_ONLINE_GRANTS, NODE_GRANT, k));
    for (size_t i = 0; i < k->n; i++) {
        struct node_kill one = {.core = k->core,
                                .kind = k->node[i].kind,
                                .tenant_id = k->tenant_id,
                                .id = k->node[i].id,
                                .now_s = k->now_s};
        TRY(node_kill_tx(db, &one));
        k->node[i].cutoff_id = one.cutoff_id;
    }
    return ERR_OK;
}

static err_t online_in_tx(struct db *db, void *ctx)
{
    return online_kill_tx(db, ctx);
}

static void online_note(const struct online_kill *k)
{
    for (size_t i = 0; i < k->n; i++) {
        struct node_kill one = {
            .core = k->core, .kind = k->node[i].kind, .id = k->node[i].id, .cutoff_id = k->node[i].cutoff_id};
        node_killed(&one);
    }
}

err_t online_killed(struct online_kill *k)
{
    online_note(k);
    while (k->n == LIMIT_ONLINE_KILL) {
        TRY(store_tx(k->core->store, online_in_tx, k));
        online_note(k);
    }
    return ERR_OK;
}

/* --- after a restore
 * ----------------------------------------------------------------------------------------------- */

static const struct node_row *row_named(struct str name, enum node_kind *ret_kind)
{
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        if (str_is(name, nodes[i].name)) {
            *ret_kind = (enum node_kind)i;
            return &nodes[i];
        }
    return str_is(name, tenant_row.name) ? &tenant_row : NULL;
}

struct replay {
    struct node_kill kill;
    const struct node_row *row;
    bool changed;
};

static err_t replay_in_tx(struct db *db, void *ctx)
{
    struct replay *p = ctx;
    return kill_row(db, p->row, &p->kill, p->kill.cutoff_id, &p->changed);
}

err_t node_replay(struct op *op, struct str kind, int64_t tenant_id, int64_t id, int64_t cutoff_id)
{
    struct replay p = {
        .kill = {
            .core = op->core, .tenant_id = tenant_id, .id = id, .now_s = op->now_s, .cutoff_id = cutoff_id}};
    p.row = row_named(kind, &p.kill.kind);
    if (!p.row)
        return op_fail(op, ERR_STORE_CORRUPT, "", "revoked.log names an unknown kind \"%.*s\"",
                       STR_ARG(kind));
    TRY(store_tx(op->core->store, replay_in_tx, &p));
    if (p.changed && p.row->below)
        dead_set_add(op->core->dead, id, cutoff_id);
    return ERR_OK;
}
