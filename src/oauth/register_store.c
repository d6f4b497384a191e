/* The row beside a registered client: made, renewed and deleted in the transaction that writes the client; and the housekeeper's
 * round that removes clients whose time is up. */
#include "oauth/register_parts.h"

#define SWEEP_AT_ONCE 32
#define LATER_S       86400

/* --- inside transactions --- */

static struct val when(int64_t at_s)
{
    return vid(at_s); /* 0: NULL, never */
}

err_t register_insert(struct db *db, const struct object *client, void *ctx)
{
    struct register_row *row = ctx;
    struct rows r;
    TRY(db_claim(db, row->tenant_id, false));
    TRY(db_rows(db, Q_REGISTRATION_COUNT, BIND(vint(row->tenant_id), vint(row->owner_id)), &r));
    int64_t n = db_next(&r) ? db_int(&r, 0) : 0;
    TRY(db_end(&r));
    row->full = row->quota && n >= row->quota;
    if (row->full)
        return ERR_FORBIDDEN;
    return db_run(db, Q_REGISTRATION_INSERT,
                  BIND(vint(row->tenant_id), vint(client->id), vint(row->owner_id), vint(row->token_id),
                       vblob(row->hash, sizeof(row->hash)), vint(row->life_s), when(row->expires_s)),
                  NULL);
}

err_t register_renew(struct db *db, const struct object *client, void *ctx)
{
    const struct register_row *row = ctx;
    int64_t changed = 0;
    TRY(db_run(db, Q_REGISTRATION_RENEW,
               BIND(vint(row->tenant_id), vint(client->id), vblob(row->old_hash, sizeof(row->old_hash)), vint(row->token_id),
                    vblob(row->hash, sizeof(row->hash)), vint(row->life_s), when(row->expires_s)),
               &changed));
    return changed ? ERR_OK : ERR_TOKEN_INVALID;
}

err_t register_give_up(struct db *db, const struct object *client, void *ctx)
{
    const struct register_row *row = ctx;
    int64_t changed = 0;
    TRY(db_run(db, Q_REGISTRATION_GIVE_UP,
               BIND(vint(row->tenant_id), vint(client->id), vblob(row->old_hash, sizeof(row->old_hash))), &changed));
    return changed ? ERR_OK : ERR_TOKEN_INVALID;
}

err_t registration_beside(struct db *db, const struct object *client, bool removed)
{
    if (!removed && client->managed_by == MANAGED_REGISTRATION)
        return ERR_OK;
    return db_run(db, Q_REGISTRATION_FORGET, BIND(vint(client->tenant_id), vint(client->id)), NULL);
}

/* --- reading --- */

err_t register_read(struct op *op, int64_t client_id, struct register_row *ret)
{
    struct rows r;
    struct register_row row = {.tenant_id = tenant_id_of(op)};
    TRY(db_rows(op->db, Q_REGISTRATION_GET, BIND(vint(row.tenant_id), vint(client_id)), &r));
    bool found = db_next(&r) && db_text(&r, 2).n == sizeof(row.old_hash);
    if (found) {
        row.owner_id = db_int(&r, 0);
        row.token_id = db_int(&r, 1);
        memcpy(row.old_hash, db_text(&r, 2).p, sizeof(row.old_hash));
        row.life_s = db_int(&r, 3);
        row.expires_s = db_int(&r, 4);
    }
    TRY(db_end(&r));
    *ret = row;
    return found ? ERR_OK : ERR_NOT_FOUND;
}

/* --- time --- */

void registration_used(struct op *op, const struct object *client)
{
    if (client->managed_by == MANAGED_REGISTRATION)
        usage_touch(op->core->usage, NODE_CLIENT, client->tenant_id, client->id, op->now_s, STR_NONE);
}

struct due {
    int64_t tenant_id, client_id, now_s;
};

static err_t read_due(struct op *op, int64_t now_s, struct due v[static SWEEP_AT_ONCE], size_t *ret_n)
{
    struct rows r;
    size_t n = 0;
    TRY(db_rows(op->db, Q_REGISTRATION_DUE, BIND(vint(now_s), vint(SWEEP_AT_ONCE)), &r));
    while (n < SWEEP_AT_ONCE && db_next(&r))
        v[n++] = (struct due){db_int(&r, 0), db_int(&r, 1), now_s};
    *ret_n = n;
    return db_end(&r);
}

/* Used or renewed meanwhile: it stays. */
static err_t end_in_tx(struct db *db, const struct object *client, void *ctx)
{
    const struct due *d = ctx;
    int64_t changed = 0;
    TRY(db_run(db, Q_REGISTRATION_END, BIND(vint(d->tenant_id), vint(client->id), vint(d->now_s)), &changed));
    return changed ? ERR_OK : ERR_PRECONDITION;
}

static err_t forget_in_tx(struct db *db, void *ctx)
{
    const struct due *d = ctx;
    return db_run(db, Q_REGISTRATION_FORGET, BIND(vint(d->tenant_id), vint(d->client_id)), NULL);
}

static err_t later_in_tx(struct db *db, void *ctx)
{
    const struct due *d = ctx;
    return db_run(db, Q_REGISTRATION_LATER, BIND(vint(d->tenant_id), vint(d->client_id), vint(d->now_s + LATER_S)), NULL);
}

static err_t remove_due(struct op *op, struct due *d)
{
    struct object *client;
    struct object_with with = {end_in_tx, d};
    err_t e = tenant_use_id(op, d->tenant_id);
    if (e == ERR_NOT_FOUND) /* disabled: nobody could use it there */
        return store_tx(op->core->store, later_in_tx, d);
    TRY(e);
    e = object_get_id(op, &kind_client, d->client_id, &client);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && client->managed_by != MANAGED_REGISTRATION))
        return store_tx(op->core->store, forget_in_tx, d);
    TRY(e);
    e = object_remove_with(op, &kind_client, client->name, &with);
    return e == ERR_PRECONDITION || e == ERR_NOT_FOUND ? ERR_OK : e;
}

err_t registration_sweep(struct op *op, bool *ret_more)
{
    struct due due[SWEEP_AT_ONCE];
    int64_t now_s;
    size_t n;
    TRY(expiry_now_s(op, &now_s));
    TRY(read_due(op, now_s, due, &n));
    *ret_more = n == SWEEP_AT_ONCE;
    for (size_t i = 0; i < n; i++) {
        struct op own;
        op_begin(&own, op->core, op->db, op->arena);
        own.actor = (struct actor){.kind = ACTOR_SYSTEM};
        err_t e = remove_due(&own, &due[i]);
        if (e != ERR_OK)
            op->fault = own.fault;
        op_end(&own);
        TRY(e);
    }
    return ERR_OK;
}
