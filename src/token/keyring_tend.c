/* The housekeeper's look at all signing keys: those due are replaced, those whose last token has died are
 * removed. */
#include "token/keyring_parts.h"
#include "token/cache.h"
#include "token/news.h"
#include "base/limits.h"
#include "base/metrics.h"

/* An op of the system in a tenant; a removed or disabled one is stood for by its id. */
static void begin_for(struct op *own, struct op *op, int64_t tenant_id, struct tenant *stub)
{
    op_begin(own, op->core, op->db, op->arena);
    own->actor.kind = ACTOR_SYSTEM;
    if (tenant_use_id(own, tenant_id) == ERR_OK)
        return;
    own->fault.code = ERR_OK;
    *stub = (struct tenant){.object = {.id = tenant_id}};
    own->tenant = stub;
}

/* --- removing --- */

struct due_key {
    struct store *store;
    int64_t tenant_id, id, now_s;
    struct str kid;
    struct audit audit;
};

static err_t remove_in_tx(struct db *db, void *ctx)
{
    struct due_key *k = ctx;
    int64_t changed = 0;
    TRY(db_run(db, Q_TENANT_KEY_DELETE, BIND(vint(k->tenant_id), vint(k->id), vint(k->now_s)), &changed));
    if (changed == 0)
        return ERR_OK;
    TRY(news_tenant_tx(db, k->tenant_id));
    return audit_write(db, k->store, &k->audit);
}

static err_t remove_key(struct op *op, struct due_key *k)
{
    struct op own;
    struct tenant stub;
    begin_for(&own, op, k->tenant_id, &stub);
    audit_make(&own, AUDIT_KEY_REMOVED, arena_fmt(op->arena, "key:%.*s", STR_ARG(k->kid)), STR_NONE,
               &k->audit);
    err_t e = store_tx(op->core->store, remove_in_tx, k);
    op_end(&own);
    cache_drop_tenant(op->core->cache, k->tenant_id);
    return e;
}

static err_t remove_due(struct op *op)
{
    struct due_key due[LIMIT_ROTATIONS];
    size_t n = 0;
    struct rows r;
    TRY(db_rows(op->db, Q_TENANT_KEY_DUE, BIND(vint(op->now_s), vint(LIMIT_ROTATIONS)), &r));
    while (n < LIMIT_ROTATIONS && db_next(&r)) {
        due[n++] = (struct due_key){.store = op->core->store,
                                    .tenant_id = db_int(&r, 0),
                                    .id = db_int(&r, 1),
                                    .now_s = op->now_s,
                                    .kid = arena_str(op->arena, db_text(&r, 2))};
    }
    TRY(db_end(&r));
    for (size_t i = 0; i < n; i++)
        TRY(remove_key(op, &due[i]));
    return ERR_OK;
}

/* --- replacing --- */

struct due_rotation {
    int64_t tenant_id;
    enum alg alg;
};

struct ages {
    int64_t oldest[ALG_COUNT]; /* seconds, over all tenants, of the newest active key; -1: no key */
    struct due_rotation due[LIMIT_ROTATIONS];
    size_t ndue;
    struct arena *a; /* of one row */
};

static err_t take_key_life(void *ctx, const struct json_member *m)
{
    if (str_is(m->key, "key_life") && m->type == JSON_T_INT)
        *(int64_t *)ctx = m->num;
    return ERR_OK;
}

/* Out of the tenant's row: loading ten thousand snapshots to ask each for one number would be a waste. 0:
 * never. */
static int64_t key_life(struct ages *ages, struct str spec)
{
    int64_t life = 0;
    arena_reset(ages->a);
    return json_scan(ages->a, spec, take_key_life, &life) == ERR_OK ? life : 0;
}

static void note_age(struct op *op, const struct rows *r, struct ages *ages)
{
    enum alg alg;
    int64_t newest_s = db_int(r, 2), active_s = db_int(r, 3);
    if (!alg_find_in(db_text(r, 1), ALGS_ISSUED, &alg))
        return;
    int64_t age = db_null(r, 3) ? 0 : op->now_s - active_s;
    if (age > ages->oldest[alg])
        ages->oldest[alg] = age;
    if (op->now_s - newest_s < KEY_LIFE_MIN || ages->ndue == LIMIT_ROTATIONS)
        return;
    int64_t life = key_life(ages, db_text(r, 4));
    if (life > 0 && op->now_s - newest_s >= life)
        ages->due[ages->ndue++] = (struct due_rotation){db_int(r, 0), alg};
}

static err_t read_ages(struct op *op, struct ages *ages)
{
    struct rows r;
    for (int i = 0; i < ALG_COUNT; i++)
        ages->oldest[i] = -1;
    TRY(db_rows(op->db, Q_TENANT_KEY_AGES, BIND(vint(op->now_s)), &r));
    while (db_next(&r))
        note_age(op, &r, ages);
    return db_end(&r);
}

static err_t rotate_one(struct op *op, const struct due_rotation *d)
{
    struct op own;
    op_begin(&own, op->core, op->db, op->arena);
    own.actor.kind = ACTOR_SYSTEM;
    err_t e = tenant_use_id(&own, d->tenant_id);
    if (e == ERR_OK)
        e = keyring_rotate(&own, d->alg);
    op_end(&own);
    return e == ERR_NOT_FOUND || e == ERR_CONFLICT ? ERR_OK : e; /* disabled, or somebody has just done it */
}

err_t keyring_housekeeping(struct op *op)
{
    struct ages ages = {.a = arena_new(LIMIT_OBJECT_ARENA)};
    if (!ages.a)
        return ERR_MEMORY;
    err_t e = remove_due(op);
    if (e == ERR_OK)
        e = read_ages(op, &ages);
    arena_free(&ages.a);
    TRY(e);
    for (int i = 0; i < ALG_COUNT; i++) {
        if (ages.oldest[i] >= 0)
            metrics_set(op->core->metrics, METRIC_KEY_AGE, alg_row((enum alg)i)->name, ages.oldest[i]);
    }
    for (size_t i = 0; i < ages.ndue; i++)
        TRY(rotate_one(op, &ages.due[i]));
    return ERR_OK;
}
