/* Walking the audit trail: every row against its digest, every seal against its rows and the seal before, every checkpoint
 * against its signature and the seals it names; and retention, which empties rows and leaves all of that whole. */
#include "token/audit_state.h"
#include "token/life.h"
#include <stdlib.h>

#define SEAL_PAGE 256
#define ROW_PAGE  1000

struct walk {
    struct op *op;
    void (*progress)(void *ctx, int64_t done, int64_t total);
    void *progress_ctx;
    int64_t done, total, end_id; /* what was written after the start is not looked at */
    /* one tenant */
    int64_t tenant_id, seal, last_id;
    uint8_t chain[SHA256_SIZE];
    int64_t emptied_to, retained_to; /* newest row without content; the newest id retention owns up to */
    uint8_t *buf;                    /* AUDIT_CHAIN_HEAD and the digests of one seal */
    size_t cap;
};

static err_t broken(struct walk *w, int64_t id, const char *what)
{
    return op_fail(w->op, ERR_STORE_CORRUPT, "", "the audit trail of tenant %.*s is not whole at %.*s: %s",
                   STR_ARG(id_text(w->op->core, w->op->arena, w->tenant_id)), STR_ARG(id_text(w->op->core, w->op->arena, id)), what);
}

/* --- rows of one seal ------------------------------------------------------------------------------------------------ */

struct seal_row {
    int64_t seal, first_id, last_id, count;
    uint8_t chain[SHA256_SIZE];
};

static err_t retained_member(void *ctx, const struct json_member *m)
{
    struct walk *w = ctx;
    int64_t id;
    if (str_is(m->key, "before_id") && m->type == JSON_T_STRING && str_to_int(m->text, &id) && id > w->retained_to)
        w->retained_to = id;
    return ERR_OK;
}

static err_t check_row(struct walk *w, const struct rows *r, uint8_t ret_digest[static SHA256_SIZE])
{
    struct audit_content c = {.id = db_int(r, 0),
                              .tenant_id = w->tenant_id,
                              .at_s = db_int(r, 1),
                              .event = db_text(r, 2),
                              .actor = db_text(r, 3),
                              .object = db_text(r, 4),
                              .payload = db_text(r, 5),
                              .salt = db_text(r, 6)};
    struct str digest = db_text(r, 7);
    uint8_t want[SHA256_SIZE];
    if (digest.n != SHA256_SIZE)
        return broken(w, c.id, "a row has no digest");
    memcpy(ret_digest, digest.p, SHA256_SIZE);
    if (!c.salt.p) { /* emptied: its digest speaks for it, if retention owns up to it */
        w->emptied_to = c.id;
        return c.actor.p || c.object.p || c.payload.p ? broken(w, c.id, "a row has lost its salt") : ERR_OK;
    }
    audit_digest(w->op->core->crypto, &c, want);
    if (memcmp(want, digest.p, SHA256_SIZE) != 0)
        return broken(w, c.id, "a row was changed");
    if (str_is(c.event, audit_name(AUDIT_RETENTION)) && c.payload.n)
        return json_scan(w->op->arena, c.payload, retained_member, w);
    return ERR_OK;
}

static err_t room_for(struct walk *w, size_t n)
{
    if (n <= w->cap)
        return ERR_OK;
    uint8_t *p = realloc(w->buf, AUDIT_CHAIN_HEAD + n * SHA256_SIZE);
    if (!p)
        return ERR_MEMORY;
    w->buf = p;
    w->cap = n;
    return ERR_OK;
}

/* A page of the rows after w->last_id; *ret_n counts on. */
static err_t check_rows(struct walk *w, const struct seal_row *s, size_t *ret_n, bool *ret_more)
{
    struct rows r;
    err_t e = ERR_OK;
    size_t page = 0;
    TRY(db_rows(w->op->db, Q_AUDIT_ROWS, BIND(vint(w->tenant_id), vint(w->last_id), vint(s->last_id), vint(ROW_PAGE)), &r));
    while (e == ERR_OK && db_next(&r)) {
        w->last_id = db_int(&r, 0);
        if (*ret_n == (size_t)s->count || (*ret_n == 0 && w->last_id != s->first_id))
            e = broken(w, w->last_id, "a row was added");
        else
            e = check_row(w, &r, w->buf + AUDIT_CHAIN_HEAD + (*ret_n)++ * SHA256_SIZE);
        page++;
    }
    err_t end = db_end(&r);
    *ret_more = page == ROW_PAGE;
    return e != ERR_OK ? e : end;
}

static err_t check_seal(struct walk *w, const struct seal_row *s)
{
    size_t n = 0;
    bool more = true;
    if (s->seal != w->seal + 1)
        return broken(w, s->first_id, "a seal is missing");
    if (s->count < 1 || s->count > LIMIT_TX_NOTES || s->first_id <= w->last_id || s->last_id < s->first_id)
        return broken(w, s->first_id, "a seal was changed");
    TRY(room_for(w, (size_t)s->count));
    while (more)
        TRY(check_rows(w, s, &n, &more));
    if (n != (size_t)s->count || w->last_id != s->last_id)
        return broken(w, s->last_id, "a row is missing");
    audit_chain_next(w->op->core->crypto, w->buf, s->seal, n, w->chain);
    if (memcmp(w->chain, s->chain, SHA256_SIZE) != 0)
        return broken(w, s->last_id, "a row or a seal was changed");
    w->seal = s->seal;
    w->done += (int64_t)n;
    return ERR_OK;
}

/* --- one tenant ------------------------------------------------------------------------------------------------------ */

static err_t read_seals(struct walk *w, struct seal_row *page, size_t *ret_n)
{
    struct rows r;
    size_t n = 0;
    TRY(db_rows(w->op->db, Q_AUDIT_SEALS, BIND(vint(w->tenant_id), vint(w->seal), vint(SEAL_PAGE)), &r));
    while (n < SEAL_PAGE && db_next(&r)) {
        struct seal_row *s = &page[n++];
        *s = (struct seal_row){db_int(&r, 0), db_int(&r, 1), db_int(&r, 2), db_int(&r, 3), {0}};
        if (db_text(&r, 4).n == SHA256_SIZE)
            memcpy(s->chain, db_text(&r, 4).p, SHA256_SIZE);
    }
    *ret_n = n;
    return db_end(&r);
}

/* Behind the last seal there may be nothing that was there when the walk began. */
static err_t check_tail(struct walk *w)
{
    struct rows r;
    if (w->last_id < w->end_id) {
        TRY(db_rows(w->op->db, Q_AUDIT_ROWS, BIND(vint(w->tenant_id), vint(w->last_id), vint(w->end_id), vint(1)), &r));
        int64_t id = db_next(&r) ? db_int(&r, 0) : 0;
        TRY(db_end(&r));
        if (id)
            return broken(w, id, "a row has no seal");
    }
    if (w->emptied_to >= w->retained_to && w->emptied_to != 0)
        return broken(w, w->emptied_to, "a row was emptied, and not by retention");
    return ERR_OK;
}

static err_t check_tenant(struct walk *w, int64_t tenant_id)
{
    struct seal_row page[SEAL_PAGE];
    size_t n = SEAL_PAGE;
    w->tenant_id = tenant_id;
    w->seal = w->last_id = w->emptied_to = w->retained_to = 0;
    audit_chain_start(w->op->core->crypto, tenant_id, w->chain);
    while (n == SEAL_PAGE) {
        TRY(read_seals(w, page, &n));
        for (size_t i = 0; i < n; i++)
            TRY(check_seal(w, &page[i]));
        if (w->progress)
            w->progress(w->progress_ctx, w->done, w->total);
    }
    return check_tail(w);
}

/* --- checkpoints ----------------------------------------------------------------------------------------------------- */

static int64_t be64_at(const char *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | (uint8_t)p[i];
    return (int64_t)v;
}

/* The chain values of the seals are proven already; the checkpoint says that they were the same then, and were there. */
static err_t check_head(struct walk *w, const char *p)
{
    struct rows r;
    bool same = false;
    w->tenant_id = be64_at(p);
    TRY(db_rows(w->op->db, Q_AUDIT_SEAL_CHAIN, BIND(vint(w->tenant_id), vint(be64_at(p + 8))), &r));
    if (db_next(&r))
        same = str_eq(db_text(&r, 0), (struct str){p + 16, SHA256_SIZE});
    TRY(db_end(&r));
    return same ? ERR_OK : op_fail(w->op, ERR_STORE_CORRUPT, "", "the audit trail of tenant %.*s is not the one that a checkpoint has signed",
                                   STR_ARG(id_text(w->op->core, w->op->arena, w->tenant_id)));
}

static err_t check_signature(struct walk *w, const struct audit_checkpoint_row *c, struct str signature)
{
    uint8_t want[SHA256_SIZE];
    TRY(audit_checkpoint_sign(w->op, c, want));
    if (signature.n != sizeof(want) || !secret_eq(signature.p, want, sizeof(want)) ||
        c->heads.n != (size_t)c->tenants * AUDIT_HEAD_SIZE)
        return op_fail(w->op, ERR_STORE_CORRUPT, "", "a checkpoint of the audit trail has a wrong signature, or one before it is missing");
    return ERR_OK;
}

/* The next one after *id; its heads are copied to the heap (*heads) because each is looked up while it is read. */
static err_t next_checkpoint(struct walk *w, struct audit_checkpoint_row *c, struct buf *heads, uint8_t before[static SHA256_SIZE], bool *ret_found)
{
    struct rows r;
    err_t e = ERR_OK;
    TRY(db_rows(w->op->db, Q_AUDIT_CHECKPOINT_NEXT, BIND(vint(c->id)), &r));
    *ret_found = db_next(&r);
    if (*ret_found) {
        *c = (struct audit_checkpoint_row){
            .id = db_int(&r, 0), .at_s = db_int(&r, 1), .heads = db_text(&r, 2), .tenants = db_int(&r, 3), .before = c->before};
        struct str signature = db_text(&r, 4);
        e = check_signature(w, c, signature);
        heads->n = 0;
        buf_str(heads, c->heads);
        if (e == ERR_OK) {
            memcpy(before, signature.p, SHA256_SIZE);
            c->before = (struct str){(const char *)before, SHA256_SIZE};
        }
    }
    err_t end = db_end(&r);
    if (e == ERR_OK && !buf_ok(heads))
        e = ERR_MEMORY;
    return e != ERR_OK ? e : end;
}

static err_t check_checkpoints(struct walk *w)
{
    struct audit_checkpoint_row c = {0};
    uint8_t before[SHA256_SIZE];
    struct buf heads;
    bool found = true;
    err_t e = ERR_OK;
    buf_init(&heads, NULL, (LIMIT_AUDIT_HEADS + 1) * (size_t)AUDIT_HEAD_SIZE);
    while (e == ERR_OK && found) {
        e = next_checkpoint(w, &c, &heads, before, &found);
        for (size_t at = 0; e == ERR_OK && found && at < heads.n; at += AUDIT_HEAD_SIZE)
            e = check_head(w, heads.p + at);
    }
    buf_free(&heads);
    return e;
}

/* --- all ------------------------------------------------------------------------------------------------------------- */

static err_t one_number(struct op *op, enum query q, const struct val *v, size_t n, int64_t *ret)
{
    struct rows r;
    TRY(db_rows(op->db, q, v, n, &r));
    *ret = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

static err_t check_all(struct walk *w)
{
    int64_t tenant_id = 0;
    TRY(one_number(w->op, Q_AUDIT_END, BIND_NONE, &w->end_id));
    if (w->progress)
        TRY(one_number(w->op, Q_AUDIT_COUNT, BIND_NONE, &w->total));
    for (;;) {
        TRY(one_number(w->op, Q_AUDIT_NEXT_TENANT, BIND(vint(tenant_id)), &tenant_id));
        if (tenant_id == 0)
            break;
        TRY(check_tenant(w, tenant_id));
    }
    return check_checkpoints(w);
}

err_t audit_verify(struct op *op, void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx, int64_t *ret_rows)
{
    struct walk w = {.op = op, .progress = progress, .progress_ctx = ctx};
    err_t e = check_all(&w);
    free(w.buf);
    if (e == ERR_OK)
        *ret_rows = w.done;
    return e;
}

/* --- retention ------------------------------------------------------------------------------------------------------- */

struct retain {
    struct store *store;
    int64_t tenant_id, after_id, upto_id, emptied;
    bool announce; /* the first transaction owns up to all of it */
    struct audit audit;
};

static err_t retain_in_tx(struct db *db, void *ctx)
{
    struct retain *t = ctx;
    int64_t emptied = 0;
    TRY(db_run(db, Q_AUDIT_RETAIN, BIND(vint(t->tenant_id), vint(t->after_id), vint(t->upto_id)), &emptied));
    if (t->announce && emptied > 0)
        TRY(audit_write(db, t->store, &t->audit));
    t->emptied = emptied;
    return ERR_OK;
}

static err_t retain_tenant(struct op *op, int64_t tenant_id, int64_t before_id, int64_t *rows)
{
    struct retain t = {.store = op->core->store, .tenant_id = tenant_id, .announce = true};
    /* As text: JSON numbers this large do not survive every reader. */
    audit_make(op, AUDIT_RETENTION, STR("audit"), arena_fmt(op->arena, "{\"before_id\":\"%lld\"}", (long long)before_id), &t.audit);
    t.audit.tenant_id = tenant_id;
    t.audit.webhooks = (struct strs){NULL, 0}; /* they are of the op's tenant */
    for (;;) {
        TRY(one_number(op, Q_AUDIT_RETAIN_PAGE, BIND(vint(tenant_id), vint(t.after_id), vint(before_id), vint(LIMIT_SWEEP)), &t.upto_id));
        if (t.upto_id == 0)
            return ERR_OK;
        TRY(store_tx(t.store, retain_in_tx, &t));
        t.announce = t.announce && t.emptied == 0;
        *rows += t.emptied;
        t.after_id = t.upto_id;
    }
}

err_t audit_retain(struct op *op, int64_t before_s, int64_t *ret_rows)
{
    int64_t rows = 0, tenant_id = 0;
    for (;;) {
        TRY(one_number(op, Q_AUDIT_NEXT_TENANT, BIND(vint(tenant_id)), &tenant_id));
        if (tenant_id == 0)
            break;
        TRY(retain_tenant(op, tenant_id, store_id_at(before_s * 1000), &rows));
    }
    *ret_rows = rows;
    return ERR_OK;
}
