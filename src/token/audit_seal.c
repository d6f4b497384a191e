/* The sealer: before each COMMIT it chains the digests of the commit's rows, one seal a tenant. All of it
 * runs on the writer's thread; its memory of the chain heads is a copy of what the store says, checked by one
 * point read a commit. */
#include "token/audit_state.h"
#include <stdlib.h>

/* --- heads
 * -----------------------------------------------------------------------------------------------------------
 */

static void forget(struct audit_state *st)
{
    idmap_free(&st->heads);
    st->last_seal_id = 0;
    st->loaded = false;
    st->rescan = true;
}

/* The seals since the heads were written down. */
static err_t load(struct db *db, struct audit_state *st)
{
    struct rows r;
    int64_t mark;
    err_t e = ERR_OK;
    int writer = store_slot(st->core->store);
    TRY(audit_writer_mark(db, writer, &mark));
    if (mark == 0) /* its first seal: from now on it is among the writers */
        TRY(audit_writer_save(db, writer, 1));
    TRY(db_rows(db, Q_AUDIT_SEALS_SINCE, BIND(vint(mark), vint(writer)), &r));
    while (e == ERR_OK && db_next(&r)) {
        struct audit_head *h = idmap_put(&st->heads, db_int(&r, 0));
        if (!h || db_text(&r, 3).n != SHA256_SIZE) {
            e = h ? ERR_STORE_CORRUPT : ERR_MEMORY;
            break;
        }
        *h = (struct audit_head){
            .seal_id = db_int(&r, 1), .seal = db_int(&r, 2), .unsaved = true, .unsigned_ = true};
        memcpy(h->chain, db_text(&r, 3).p, SHA256_SIZE);
    }
    err_t end = db_end(&r);
    st->loaded = e == ERR_OK && end == ERR_OK;
    if (!st->loaded)
        forget(st);
    return e != ERR_OK ? e : end;
}

err_t audit_heads_check(struct db *db, struct audit_state *st)
{
    struct rows r;
    int64_t tenure = store_tenure(st->core->store);
    if (st->tenure != tenure) /* another server may have had the number */
        forget(st);
    st->tenure = tenure;
    if (st->last_seal_id) {
        TRY(db_rows(db, Q_AUDIT_SEAL_THERE, BIND(vint(st->last_tenant_id), vint(st->last_seal_id)), &r));
        bool there = db_next(&r);
        TRY(db_end(&r));
        if (!there)
            forget(st);
    }
    return st->loaded ? ERR_OK : load(db, st);
}

static err_t read_head(struct db *db, struct audit_state *st, int64_t tenant_id, struct audit_head *ret)
{
    struct rows r;
    memset(ret, 0, sizeof(*ret));
    audit_chain_start(st->core->crypto, tenant_id, ret->chain);
    TRY(db_rows(db, Q_AUDIT_HEAD_GET, BIND(vint(tenant_id), vint(store_slot(st->core->store))), &r));
    if (db_next(&r) && db_text(&r, 2).n == SHA256_SIZE) {
        ret->seal_id = db_int(&r, 0);
        ret->seal = db_int(&r, 1);
        memcpy(ret->chain, db_text(&r, 2).p, SHA256_SIZE);
    }
    return db_end(&r);
}

err_t audit_head_of(struct db *db, struct audit_state *st, int64_t tenant_id, struct audit_head **ret)
{
    struct audit_head fresh, *h = idmap_get(&st->heads, tenant_id);
    if (!h) {
        TRY(read_head(db, st, tenant_id, &fresh));
        h = idmap_put(&st->heads, tenant_id);
        if (!h)
            return ERR_MEMORY;
        *h = fresh;
    }
    *ret = h;
    return ERR_OK;
}

/* --- sealing
 * ---------------------------------------------------------------------------------------------------------
 */

static err_t room_for(struct audit_state *st, size_t n)
{
    if (n <= st->cap)
        return ERR_OK;
    size_t cap = n * 2;
    struct tx_note *note = realloc(st->note, cap * sizeof(*note));
    if (!note)
        return ERR_MEMORY;
    st->note = note;
    uint8_t *chained = realloc(st->chained, AUDIT_CHAIN_HEAD + cap * SHA256_SIZE);
    if (!chained)
        return ERR_MEMORY;
    st->chained = chained;
    st->cap = cap;
    return ERR_OK;
}

/* By tenant, then by id. */
static int compare_notes(const void *a, const void *b)
{
    const struct tx_note *x = a, *y = b;
    if (x->tenant_id != y->tenant_id)
        return x->tenant_id < y->tenant_id ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Notes [0, n) of one tenant. */
static err_t seal(struct db *db, struct audit_state *st, const struct tx_note *note, size_t n)
{
    struct audit_head *h;
    TRY(audit_head_of(db, st, note->tenant_id, &h));
    struct audit_head next = {
        .seal_id = store_new_id(st->core->store), .seal = h->seal + 1, .unsaved = true, .unsigned_ = true};
    memcpy(next.chain, h->chain, sizeof(next.chain));
    for (size_t i = 0; i < n; i++)
        memcpy(st->chained + AUDIT_CHAIN_HEAD + i * SHA256_SIZE, note[i].digest, SHA256_SIZE);
    audit_chain_next(st->core->crypto, st->chained, next.seal, n, next.chain);
    TRY(db_run(db, Q_AUDIT_SEAL_INSERT,
               BIND(vint(note->tenant_id), vint(next.seal_id), vint(next.seal), vid(h->seal_id),
                    vint(note[0].id), vint(note[n - 1].id), vint((int64_t)n),
                    vblob(next.chain, sizeof(next.chain)), vint(clock_wall_s(st->core->clock)),
                    vint(store_slot(st->core->store))),
               NULL));
    *h = next;
    st->last_tenant_id = note->tenant_id;
    st->last_seal_id = next.seal_id;
    return ERR_OK;
}

static err_t seal_all(struct db *db, struct audit_state *st, size_t n)
{
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && st->note[to].tenant_id == st->note[from].tenant_id;)
            to++;
        TRY(seal(db, st, st->note + from, to - from));
    }
    return ERR_OK;
}

err_t audit_seal_batch(struct db *db, void *state)
{
    struct audit_state *st = state;
    size_t n;
    const struct tx_note *notes = db_notes(db, &n);
    if (n == 0)
        return ERR_OK;
    TRY(audit_heads_check(db, st));
    TRY(room_for(st, n));
    memcpy(st->note, notes, n * sizeof(*notes));
    qsort(st->note, n, sizeof(*st->note), compare_notes);
    err_t e = seal_all(db, st, n);
    if (e != ERR_OK) /* this batch will not commit: what memory says is wrong */
        forget(st);
    return e;
}
