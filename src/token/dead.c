/* The dead set: revoked nodes whose descendants are not all marked yet, in memory and in table dead_node, and
 * the marking. It is empty nearly always, and then a look into it is one atomic load. */
#include "token/life.h"
#include "token/core.h"
#include "token/idmap.h"
#include "token/sign_out.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct dead_set {
    pthread_rwlock_t lock;
    _Atomic size_t n;
    _Atomic uint64_t missed, loaded; /* something was missed so often; it was read anew after so many of them */
    struct idmap map; /* node id -> struct dead_entry */
    unsigned round;   /* of marking: see drop_lost */
};
struct dead_entry {
    int64_t cutoff_id;
    unsigned seen; /* the round that last met it in the table, or that was on when it came */
};

/* --- in memory
 * ----------------------------------------------------------------------------------------------------- */

struct dead_set *dead_set_new(void)
{
    struct dead_set *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    pthread_rwlock_init(&d->lock, NULL);
    idmap_init(&d->map, sizeof(struct dead_entry), LIMIT_DEAD_NODES);
    return d;
}

void dead_set_free(struct dead_set **d)
{
    if (!*d)
        return;
    idmap_free(&(*d)->map);
    pthread_rwlock_destroy(&(*d)->lock);
    free(*d);
    *d = NULL;
}

static void locked_add(struct dead_set *d, int64_t node_id, int64_t cutoff_id)
{
    struct dead_entry *e = idmap_put(&d->map, node_id);
    if (!e)
        return;
    if (cutoff_id > e->cutoff_id)
        e->cutoff_id = cutoff_id;
    e->seen = d->round;
    atomic_store(&d->n, d->map.n);
}

void dead_set_add(struct dead_set *d, int64_t node_id, int64_t cutoff_id)
{
    pthread_rwlock_wrlock(&d->lock);
    locked_add(d, node_id, cutoff_id);
    pthread_rwlock_unlock(&d->lock);
}

bool dead_set_kills(const struct dead_set *d, int64_t node_id, int64_t child_id)
{
    if (atomic_load_explicit(&d->n, memory_order_acquire) == 0)
        return false;
    struct dead_set *lockable = (struct dead_set *)d;
    pthread_rwlock_rdlock(&lockable->lock);
    const struct dead_entry *e = idmap_get(&d->map, node_id);
    bool kills = e && child_id < e->cutoff_id;
    pthread_rwlock_unlock(&lockable->lock);
    return kills;
}

void dead_set_stale(struct dead_set *d)
{
    atomic_fetch_add(&d->missed, 1);
}

/* Unless it was killed again meanwhile. */
static void dead_set_drop(struct dead_set *d, int64_t node_id, int64_t cutoff_id)
{
    pthread_rwlock_wrlock(&d->lock);
    const struct dead_entry *e = idmap_get(&d->map, node_id);
    if (e && e->cutoff_id <= cutoff_id)
        idmap_remove(&d->map, node_id);
    atomic_store(&d->n, d->map.n);
    pthread_rwlock_unlock(&d->lock);
}

/* --- marking
 * ------------------------------------------------------------------------------------------------------- */

#define PAGE 64

struct dead_node {
    int64_t tenant_id, node_id, cutoff_id;
    int64_t marked_to; /* grants up to this id are done */
    enum node_kind kind;
    bool done;
};
/* How the descendants of a kind of node are found. Queries of `direct` mark rows of their own; `grants` lists
 * the grants below. */
struct descent {
    enum query direct[2], grants;
    size_t ndirect;
    bool has_grants;
};
static const struct descent descents[] = {
    [NODE_GRANT] = {{Q_MARK_GRANT_TOKENS}, .ndirect = 1},
    [NODE_SESSION] = {.grants = Q_GRANTS_OF_SESSION, .has_grants = true},
    [NODE_ACCOUNT] = {{Q_MARK_ACCOUNT_SESSIONS, Q_MARK_ACCOUNT_TOKENS}, Q_GRANTS_OF_ACCOUNT, 2, true},
    [NODE_CLIENT] = {{Q_MARK_CLIENT_STATUS}, .ndirect = 1},
};

struct marking {
    struct store *store;
    int64_t now_s, left;         /* rows that this transaction may still mark */
    struct dead_node page[PAGE]; /* as read */
    struct dead_node node[PAGE]; /* as it left them */
    size_t n;
};

static err_t mark_direct(struct db *db, struct marking *m, const struct dead_node *d, enum query q,
                         int64_t node_id)
{
    int64_t changed = 0;
    TRY(db_run(db, q,
               BIND(vint(d->tenant_id), vint(node_id), vint(m->now_s), vint(d->cutoff_id), vint(m->left)),
               &changed));
    m->left -= changed;
    return ERR_OK;
}

static err_t next_grants(struct db *db, const struct dead_node *d, int64_t ids[static PAGE], size_t *ret_n)
{
    struct rows r;
    size_t n = 0;
    TRY(db_rows(
        db, descents[d->kind].grants,
        BIND(vint(d->tenant_id), vint(d->node_id), vint(d->marked_to), vint(d->cutoff_id), vint(PAGE)), &r));
    while (n < PAGE && db_next(&r))
        ids[n++] = db_int(&r, 0);
    *ret_n = n;
    return db_end(&r);
}

static err_t mark_grants(struct db *db, struct marking *m, struct dead_node *d)
{
    int64_t ids[PAGE];
    size_t n = PAGE;
    while (n == PAGE) {
        TRY(next_grants(db, d, ids, &n));
        for (size_t i = 0; i < n; i++) {
            TRY(mark_direct(db, m, d, Q_MARK_GRANT_TOKENS, ids[i]));
            if (m->left <= 0)
                return ERR_OK; /* there may be more below this one */
            TRY(db_run(db, Q_KILL_GRANT,
                       BIND(vint(d->tenant_id), vint(ids[i]), vint(m->now_s), vint(d->cutoff_id)), NULL));
            d->marked_to = ids[i];
            m->left--;
        }
    }
    return ERR_OK;
}

static err_t mark_node(struct db *db, struct marking *m, struct dead_node *d)
{
    const struct descent *below = &descents[d->kind];
    if (d->kind == NODE_ACCOUNT) /* its sessions end with it, and are marked here */
        TRY(sign_out_tell_account_tx(db, m->store, d->tenant_id, d->node_id, d->cutoff_id, m->now_s, &m->left));
    for (size_t i = 0; i < below->ndirect && m->left > 0; i++)
        TRY(mark_direct(db, m, d, below->direct[i], d->node_id));
    if (below->has_grants && m->left > 0)
        TRY(mark_grants(db, m, d));
    d->done = m->left > 0;
    if (d->done)
        return db_run(db, Q_DEAD_NODE_DONE, BIND(vint(d->tenant_id), vint(d->node_id), vint(d->cutoff_id)),
                      NULL);
    return db_run(db, Q_DEAD_NODE_MARKED,
                  BIND(vint(d->tenant_id), vint(d->node_id), vint(d->cutoff_id), vint(d->marked_to)), NULL);
}

static err_t mark_in_tx(struct db *db, void *ctx)
{
    struct marking *m = ctx;
    memcpy(m->node, m->page, sizeof(m->node));
    m->left = LIMIT_MARK;
    for (size_t i = 0; i < m->n && m->left > 0; i++)
        TRY(mark_node(db, m, &m->node[i]));
    return ERR_OK;
}

static bool kind_named(struct str name, enum node_kind *ret)
{
    static const enum node_kind kinds[] = {NODE_GRANT, NODE_SESSION, NODE_ACCOUNT, NODE_CLIENT};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (str_is(name, node_name(kinds[i]))) {
            *ret = kinds[i];
            return true;
        }
    return false;
}

static err_t read_page(struct op *op, struct marking *m)
{
    struct rows r;
    int64_t before = store_id_at(op->core->clock->wall_ms(op->core->clock->ctx) - LIMIT_STATUS_MARK_MS);
    m->n = 0;
    TRY(db_rows(op->db, Q_DEAD_NODE_PAGE, BIND(vint(PAGE), vint(before)), &r));
    while (m->n < PAGE && db_next(&r)) {
        struct dead_node *d = &m->page[m->n];
        *d = (struct dead_node){.tenant_id = db_int(&r, 0),
                                .node_id = db_int(&r, 1),
                                .cutoff_id = db_int(&r, 3),
                                .marked_to = db_int(&r, 4)};
        if (kind_named(db_text(&r, 2), &d->kind))
            m->n++;
    }
    return db_end(&r);
}

/* --- memory and table
 * ------------------------------------------------------------------------------------------------ */

static err_t load_all(struct op *op)
{
    struct rows r;
    struct dead_set *d = op->core->dead;
    TRY(db_rows(op->db, Q_DEAD_NODE_ALL, BIND_NONE, &r));
    while (db_next(&r))
        dead_set_add(d, db_int(&r, 1), db_int(&r, 3));
    return db_end(&r);
}

err_t dead_set_ready(struct op *op)
{
    struct dead_set *d = op->core->dead;
    uint64_t missed = atomic_load_explicit(&d->missed, memory_order_acquire);
    if (missed == atomic_load_explicit(&d->loaded, memory_order_relaxed))
        return ERR_OK;
    TRY(load_all(op));
    atomic_store(&d->loaded, missed);
    return ERR_OK;
}

err_t dead_set_load(struct op *op)
{
    TRY(load_all(op));
    metrics_set(op->core->metrics, METRIC_DEAD_SET, NULL, (int64_t)op->core->dead->map.n);
    return ERR_OK;
}

/* A kill enters memory after its commit, and the marking may be faster than that: what two rounds have not
 * met in the table is such a latecomer. */
static void drop_lost(struct dead_set *d)
{
    int64_t lost[PAGE], id;
    size_t n = 0, at = 0;
    pthread_rwlock_wrlock(&d->lock);
    d->round++;
    for (struct dead_entry *e; n < PAGE && (e = idmap_next(&d->map, &at, &id));)
        if (e->seen + 2 < d->round)
            lost[n++] = id;
    for (size_t i = 0; i < n; i++)
        idmap_remove(&d->map, lost[i]);
    atomic_store(&d->n, d->map.n);
    pthread_rwlock_unlock(&d->lock);
}

static err_t mark_some(struct op *op)
{
    struct dead_set *d = op->core->dead;
    struct marking m = {.store = op->core->store, .now_s = op->now_s, .n = PAGE};
    for (int i = 0; i < LIMIT_MARK_ROUNDS; i++) {
        TRY(read_page(op, &m));
        if (m.n == 0)
            break;
        TRY(store_tx(op->core->store, mark_in_tx, &m));
        for (size_t k = 0; k < m.n; k++)
            if (m.node[k].done)
                dead_set_drop(d, m.node[k].node_id, m.node[k].cutoff_id);
    }
    return ERR_OK;
}

/* One server marks; all forget what has been marked. */
err_t dead_set_mark_some(struct op *op)
{
    struct dead_set *d = op->core->dead;
    if (store_leads(op->core->store))
        TRY(mark_some(op));
    if (atomic_load(&d->n) > 0) {
        TRY(load_all(op)); /* what still waits is seen in this round */
        drop_lost(d);
    }
    metrics_set(op->core->metrics, METRIC_DEAD_SET, NULL, (int64_t)atomic_load(&d->n));
    return ERR_OK;
}
