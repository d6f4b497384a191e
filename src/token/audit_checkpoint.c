/* Writing the chain heads down: into table audit_end every some seconds, so that a start need not read many
 * seals; and signed, into checkpoints, so that nobody who writes the store can make another history of it. */
#include "token/audit_state.h"
#include <stdlib.h>

struct moved {
    int64_t tenant_id;
    struct audit_head head;
};
/* The heads of one moment, taken on the writer's thread and copied to the heap. */
struct snapshot {
    struct audit_state *st;
    bool for_signing;       /* else for saving */
    const int64_t *tenants; /* whose heads count as unsigned, beside those known to be */
    size_t ntenants;
    int64_t id; /* every seal before it is in the snapshot, none after it */
    struct moved *v;
    size_t n, cap;
};

static bool wanted(const struct snapshot *s, const struct audit_head *h)
{
    return h->seal > 0 && (s->for_signing ? h->unsigned_ : h->unsaved);
}

static err_t room_for(struct snapshot *s, size_t n)
{
    if (n <= s->cap)
        return ERR_OK;
    struct moved *v = realloc(s->v, n * sizeof(*v));
    if (!v)
        return ERR_MEMORY;
    s->v = v;
    s->cap = n;
    return ERR_OK;
}

static err_t take_in_tx(struct db *db, void *ctx)
{
    struct snapshot *s = ctx;
    struct audit_head *h;
    int64_t tenant_id;
    size_t at = 0;
    TRY(audit_heads_check(db, s->st));
    for (size_t i = 0; i < s->ntenants; i++) {
        TRY(audit_head_of(db, s->st, s->tenants[i], &h));
        h->unsigned_ = true;
    }
    TRY(room_for(s, s->st->heads.n));
    s->n = 0;
    s->id = store_new_id(s->st->core->store);
    while ((h = idmap_next(&s->st->heads, &at, &tenant_id)))
        if (wanted(s, h))
            s->v[s->n++] = (struct moved){tenant_id, *h};
    return ERR_OK;
}

/* Memory keeps the heads of the tenants in use; of a great many, those that are safe in the table go. */
static void settle_one(struct audit_state *st, bool signed_, const struct moved *m)
{
    struct audit_head *h = idmap_get(&st->heads, m->tenant_id);
    if (!h || h->seal_id != m->head.seal_id) /* it has moved since */
        return;
    if (signed_)
        h->unsigned_ = false;
    else
        h->unsaved = false;
    if (h->unsaved || st->heads.n <= LIMIT_AUDIT_HEADS_KEPT)
        return;
    if (h->unsigned_)
        st->rescan = true;
    idmap_remove(&st->heads, m->tenant_id);
}

/* After the commit, on the writer's thread. */
static err_t settle_in_tx(struct db *db, void *ctx)
{
    struct snapshot *s = ctx;
    (void)db;
    for (size_t i = 0; i < s->n; i++)
        settle_one(s->st, s->for_signing, &s->v[i]);
    return ERR_OK;
}

/* --- saving
 * ----------------------------------------------------------------------------------------------------------
 */

static err_t save_in_tx(struct db *db, void *ctx)
{
    const struct snapshot *s = ctx;
    int writer = store_slot(s->st->core->store);
    for (size_t i = 0; i < s->n; i++) {
        const struct audit_head *h = &s->v[i].head;
        TRY(db_run(
            db, Q_AUDIT_HEAD_PUT,
            BIND(vint(s->v[i].tenant_id), vint(writer), vint(h->seal_id), vint(h->seal), vblob(h->chain, sizeof(h->chain))),
            NULL));
    }
    return audit_writer_save(db, writer, s->id);
}

err_t audit_save_heads(struct op *op)
{
    struct snapshot s = {.st = op->core->audit};
    err_t e = store_tx(op->core->store, take_in_tx, &s);
    if (e == ERR_OK && s.n > 0)
        e = store_tx(op->core->store, save_in_tx, &s);
    if (e == ERR_OK && s.n > 0)
        e = store_tx(op->core->store, settle_in_tx, &s);
    free(s.v);
    return e;
}

/* --- signing
 * ---------------------------------------------------------------------------------------------------------
 */

struct checkpoint {
    struct audit_checkpoint_row row;
    uint8_t before[SHA256_SIZE], signature[SHA256_SIZE];
    int writer;
};

static err_t insert_in_tx(struct db *db, void *ctx)
{
    const struct checkpoint *c = ctx;
    return db_run(db, Q_AUDIT_CHECKPOINT_INSERT,
                  BIND(vint(c->row.id), vint(c->row.at_s), vblob(c->row.heads.p, c->row.heads.n),
                       vint(c->row.tenants), vblob(c->signature, sizeof(c->signature)), vint(c->writer)),
                  NULL);
}

static err_t last_checkpoint(struct op *op, struct checkpoint *c, int64_t *ret_id)
{
    struct rows r;
    *ret_id = 0;
    TRY(db_rows(op->db, Q_AUDIT_CHECKPOINT_LAST, BIND(vint(c->writer)), &r));
    if (db_next(&r) && db_text(&r, 1).n == SHA256_SIZE) {
        *ret_id = db_int(&r, 0);
        memcpy(c->before, db_text(&r, 1).p, SHA256_SIZE);
        c->row.before = (struct str){(const char *)c->before, SHA256_SIZE};
    }
    return db_end(&r);
}

/* Which tenants have seals since the last checkpoint: after a start, or when memory was given up. */
static err_t tenants_since(struct op *op, int64_t id, int64_t **ret, size_t *ret_n)
{
    struct rows r;
    int64_t *v = NULL;
    size_t n = 0, cap = 0;
    err_t e = ERR_OK;
    TRY(db_rows(op->db, Q_AUDIT_TENANTS_SINCE, BIND(vint(id), vint(store_slot(op->core->store))), &r));
    while (e == ERR_OK && n < LIMIT_AUDIT_HEADS && db_next(&r)) {
        if (n == cap) {
            cap = cap ? cap * 2 : 256;
            int64_t *grown = realloc(v, cap * sizeof(*v));
            e = grown ? ERR_OK : ERR_MEMORY;
            v = grown ? grown : v;
        }
        if (e == ERR_OK)
            v[n++] = db_int(&r, 0);
    }
    err_t end = db_end(&r);
    *ret = v;
    *ret_n = n;
    return e != ERR_OK ? e : end;
}

static err_t sign_and_insert(struct op *op, struct checkpoint *c, const struct snapshot *s)
{
    uint8_t *heads = malloc(s->n * AUDIT_HEAD_SIZE);
    if (!heads)
        return ERR_MEMORY;
    for (size_t i = 0; i < s->n; i++) {
        uint8_t *p = heads + i * AUDIT_HEAD_SIZE;
        audit_be64(p, s->v[i].tenant_id);
        audit_be64(p + 8, s->v[i].head.seal);
        memcpy(p + 16, s->v[i].head.chain, SHA256_SIZE);
    }
    c->row.id = s->id;
    c->row.at_s = op->now_s;
    c->row.tenants = (int64_t)s->n;
    c->row.heads = (struct str){(const char *)heads, s->n * AUDIT_HEAD_SIZE};
    err_t e = audit_checkpoint_sign(op, &c->row, c->signature);
    if (e == ERR_OK)
        e = store_tx(op->core->store, insert_in_tx, c);
    free(heads);
    return e;
}

err_t audit_checkpoint(struct op *op)
{
    struct snapshot s = {.st = op->core->audit, .for_signing = true};
    struct checkpoint c = {.row = {.id = 0}, .writer = store_slot(op->core->store)};
    int64_t *tenants = NULL, last_id;
    TRY(audit_save_heads(op));
    TRY(last_checkpoint(op, &c, &last_id));
    bool rescan = atomic_exchange(&s.st->rescan, false);
    err_t e = rescan ? tenants_since(op, last_id, &tenants, &s.ntenants) : ERR_OK;
    s.tenants = tenants;
    if (e == ERR_OK)
        e = store_tx(op->core->store, take_in_tx, &s);
    if (e == ERR_OK && s.n > 0)
        e = sign_and_insert(op, &c, &s);
    if (e == ERR_OK && s.n > 0)
        e = store_tx(op->core->store, settle_in_tx, &s);
    if (e != ERR_OK && rescan)
        s.st->rescan = true;
    free(tenants);
    free(s.v);
    return e;
}
