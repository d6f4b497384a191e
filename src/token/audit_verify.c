/* Walking the audit trail in the order it was written, a writer after the other, all its tenants in one pass: every row against its digest,
 * every seal against its rows and the seal before, every checkpoint against its signature and the heads of
 * that moment. */
#include "token/audit_state.h"
#include <stdlib.h>

#define PAGE 1000

/* Where one tenant's chain stands. */
struct trail {
    int64_t seal_id, seal;
    uint8_t chain[SHA256_SIZE];
};
struct walk {
    struct op *op;
    int writer;
    void (*progress)(void *ctx, int64_t done, int64_t total);
    void *progress_ctx;
    int64_t done, total, end_id; /* what is written after the start is not looked at */
    int64_t row_id;              /* the last row read */
    struct idmap trails;         /* tenant -> struct trail */
    struct tx_note *open;        /* rows of a commit whose seals have not come yet */
    size_t nopen, cap;
    bool sealing;                    /* a seal has come since the last row */
    uint8_t *digests;                /* AUDIT_CHAIN_HEAD and the digests of one seal */
    int64_t emptied_to, retained_to; /* the newest row without content; up to where retention owns up to it */
};

static err_t broken(struct walk *w, int64_t id, const char *what)
{
    return op_fail(w->op, ERR_STORE_CORRUPT, "", "the audit trail is not whole at %.*s: %s",
                   STR_ARG(id_text(w->op->core, w->op->arena, id)), what);
}

static err_t trail_of(struct walk *w, int64_t tenant_id, struct trail **ret)
{
    struct trail *t = idmap_get(&w->trails, tenant_id);
    if (!t) {
        t = idmap_put(&w->trails, tenant_id);
        if (!t)
            return ERR_MEMORY;
        audit_chain_start(w->op->core->crypto, tenant_id, t->chain);
    }
    *ret = t;
    return ERR_OK;
}

/* --- rows
 * ------------------------------------------------------------------------------------------------------------
 */

static err_t retained_member(void *ctx, const struct json_member *m)
{
    struct walk *w = ctx;
    int64_t id;
    if (str_is(m->key, "before_id") && m->type == JSON_T_STRING && str_to_int(m->text, &id) &&
        id > w->retained_to)
        w->retained_to = id;
    return ERR_OK;
}

/* An emptied row has its digest to speak for it, if retention owns up to having emptied it. */
static err_t check_content(struct walk *w, const struct audit_content *c, struct str digest)
{
    uint8_t want[SHA256_SIZE];
    if (!c->salt.p) {
        w->emptied_to = c->id > w->emptied_to ? c->id : w->emptied_to;
        return c->actor.p || c->object.p || c->payload.p ? broken(w, c->id, "a row has lost its salt")
                                                         : ERR_OK;
    }
    audit_digest(w->op->core->crypto, c, want);
    if (memcmp(want, digest.p, SHA256_SIZE) != 0)
        return broken(w, c->id, "a row was changed");
    if (str_is(c->event, audit_name(AUDIT_RETENTION)) && c->payload.n)
        return json_scan(w->op->arena, c->payload, retained_member, w);
    return ERR_OK;
}

static err_t room_for_one(struct walk *w)
{
    if (w->nopen < w->cap)
        return ERR_OK;
    size_t cap = w->cap ? w->cap * 2 : 256;
    if (cap > 2 * LIMIT_TX_NOTES)
        return broken(w, w->row_id, "rows have no seal");
    struct tx_note *open = realloc(w->open, cap * sizeof(*open));
    if (open)
        w->open = open;
    uint8_t *digests = realloc(w->digests, AUDIT_CHAIN_HEAD + cap * SHA256_SIZE);
    if (digests)
        w->digests = digests;
    if (!open || !digests)
        return ERR_MEMORY;
    w->cap = cap;
    return ERR_OK;
}

static err_t take_row(struct walk *w, const struct rows *r)
{
    struct audit_content c = {.tenant_id = db_int(r, 0),
                              .id = db_int(r, 1),
                              .at_s = db_int(r, 2),
                              .event = db_text(r, 3),
                              .actor = db_text(r, 4),
                              .object = db_text(r, 5),
                              .payload = db_text(r, 6),
                              .salt = db_text(r, 7)};
    struct str digest = db_text(r, 8);
    w->row_id = c.id;
    if (w->sealing && w->nopen)
        return broken(w, w->open[0].id, "a row has no seal");
    w->sealing = false;
    if (digest.n != SHA256_SIZE)
        return broken(w, c.id, "a row has no digest");
    TRY(check_content(w, &c, digest));
    TRY(room_for_one(w));
    struct tx_note *n = &w->open[w->nopen++];
    *n = (struct tx_note){.tenant_id = c.tenant_id, .id = c.id};
    memcpy(n->digest, digest.p, SHA256_SIZE);
    w->done++;
    return ERR_OK;
}

/* The rows between the last one and this id. */
static err_t take_rows(struct walk *w, int64_t before_id)
{
    struct rows r;
    int n = PAGE;
    while (n == PAGE) {
        err_t e = ERR_OK;
        n = 0;
        TRY(db_rows(w->op->db, Q_AUDIT_ROWS, BIND(vint(w->row_id), vint(before_id), vint(w->writer), vint(PAGE)), &r));
        for (; e == ERR_OK && db_next(&r); n++)
            e = take_row(w, &r);
        err_t end = db_end(&r);
        if (e != ERR_OK || end != ERR_OK)
            return e != ERR_OK ? e : end;
    }
    return ERR_OK;
}

/* --- seals
 * -----------------------------------------------------------------------------------------------------------
 */

struct seal_row {
    int64_t tenant_id, id, seal, before_id, first_id, last_id, count;
    uint8_t chain[SHA256_SIZE];
};

/* Takes the tenant's rows out of those that wait; their digests in order. */
static size_t claim(struct walk *w, const struct seal_row *s, int64_t *ret_first, int64_t *ret_last)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < w->nopen; i++) {
        if (w->open[i].tenant_id != s->tenant_id) {
            w->open[kept++] = w->open[i];
            continue;
        }
        memcpy(w->digests + AUDIT_CHAIN_HEAD + n * SHA256_SIZE, w->open[i].digest, SHA256_SIZE);
        if (n++ == 0)
            *ret_first = w->open[i].id;
        *ret_last = w->open[i].id;
    }
    w->nopen = kept;
    return n;
}

static err_t check_seal(struct walk *w, const struct seal_row *s)
{
    struct trail *t;
    int64_t first_id = 0, last_id = 0;
    TRY(take_rows(w, s->id));
    TRY(trail_of(w, s->tenant_id, &t));
    w->sealing = true;
    if (s->seal != t->seal + 1 || s->before_id != t->seal_id)
        return broken(w, s->id, "a seal before it is missing");
    size_t n = claim(w, s, &first_id, &last_id);
    if (n == 0 || (int64_t)n != s->count || first_id != s->first_id || last_id != s->last_id)
        return broken(w, s->id, "a row was added or is missing");
    audit_chain_next(w->op->core->crypto, w->digests, s->seal, n, t->chain);
    if (memcmp(t->chain, s->chain, SHA256_SIZE) != 0)
        return broken(w, s->id, "a row or a seal was changed");
    t->seal = s->seal;
    t->seal_id = s->id;
    return ERR_OK;
}

static err_t read_seals(struct walk *w, int64_t after_id, struct seal_row page[static PAGE], size_t *ret_n)
{
    struct rows r;
    size_t n = 0;
    TRY(db_rows(w->op->db, Q_AUDIT_SEALS, BIND(vint(after_id), vint(w->writer), vint(PAGE)), &r));
    while (n < PAGE && db_next(&r) && db_int(&r, 1) <= w->end_id) {
        struct seal_row *s = &page[n++];
        *s = (struct seal_row){db_int(&r, 0), db_int(&r, 1), db_int(&r, 2), db_int(&r, 3),
                               db_int(&r, 4), db_int(&r, 5), db_int(&r, 6), {0}};
        if (db_text(&r, 7).n == SHA256_SIZE)
            memcpy(s->chain, db_text(&r, 7).p, SHA256_SIZE);
    }
    *ret_n = n;
    return db_end(&r);
}

/* --- checkpoints
 * ----------------------------------------------------------------------------------------------------- */

struct checkpoints {
    struct audit_checkpoint_row next; /* id 0: there is none */
    struct buf heads;                 /* its heads, on the heap */
    uint8_t before[SHA256_SIZE];
};

static err_t check_signature(struct walk *w, const struct audit_checkpoint_row *c, struct str signature)
{
    uint8_t want[SHA256_SIZE];
    TRY(audit_checkpoint_sign(w->op, c, want));
    if (signature.n != sizeof(want) || !secret_eq(signature.p, want, sizeof(want)) ||
        c->heads.n != (size_t)c->tenants * AUDIT_HEAD_SIZE)
        return broken(w, c->id, "a checkpoint has a wrong signature, or one before it is missing");
    return ERR_OK;
}

static err_t read_checkpoint(struct walk *w, struct checkpoints *k)
{
    struct rows r;
    err_t e = ERR_OK;
    struct str before = k->next.id ? (struct str){(const char *)k->before, SHA256_SIZE} : STR_NONE;
    TRY(db_rows(w->op->db, Q_AUDIT_CHECKPOINT_NEXT, BIND(vint(k->next.id), vint(w->writer)), &r));
    k->next = (struct audit_checkpoint_row){.id = 0};
    k->heads.n = 0;
    if (db_next(&r)) {
        k->next = (struct audit_checkpoint_row){.id = db_int(&r, 0),
                                                .at_s = db_int(&r, 1),
                                                .heads = db_text(&r, 2),
                                                .tenants = db_int(&r, 3),
                                                .before = before};
        e = check_signature(w, &k->next, db_text(&r, 4));
        buf_str(&k->heads, k->next.heads);
        if (e == ERR_OK)
            memcpy(k->before, db_text(&r, 4).p, SHA256_SIZE);
        if (!buf_ok(&k->heads))
            e = ERR_MEMORY;
    }
    err_t end = db_end(&r);
    return e != ERR_OK ? e : end;
}

/* Checkpoints up to this id: at that moment the chains stood exactly there. */
static err_t check_checkpoints(struct walk *w, struct checkpoints *k, int64_t upto_id)
{
    while (k->next.id && k->next.id < upto_id) {
        for (size_t at = 0; at < k->heads.n; at += AUDIT_HEAD_SIZE) {
            const char *p = k->heads.p + at;
            const struct trail *t = idmap_get(&w->trails, audit_read_be64(p));
            if (!t || t->seal != audit_read_be64(p + 8) || memcmp(t->chain, p + 16, SHA256_SIZE) != 0)
                return broken(w, k->next.id, "it is not what a checkpoint has signed");
        }
        TRY(read_checkpoint(w, k));
    }
    return ERR_OK;
}

/* --- all
 * -------------------------------------------------------------------------------------------------------------
 */

static err_t check_seals(struct walk *w, struct checkpoints *k, struct seal_row page[static PAGE])
{
    int64_t after_id = 0;
    for (size_t n = PAGE; n == PAGE;) {
        TRY(read_seals(w, after_id, page, &n));
        for (size_t i = 0; i < n; i++) {
            TRY(check_checkpoints(w, k, page[i].id));
            TRY(check_seal(w, &page[i]));
            after_id = page[i].id;
        }
        if (w->progress)
            w->progress(w->progress_ctx, w->done, w->total);
    }
    TRY(take_rows(w, w->end_id + 1));
    if (w->nopen)
        return broken(w, w->open[0].id, "a row has no seal");
    return check_checkpoints(w, k, w->end_id + 1);
}

static err_t one_number(struct op *op, enum query q, const struct val *v, size_t n, int64_t *ret)
{
    struct rows r;
    TRY(db_rows(op->db, q, v, n, &r));
    *ret = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

/* One writer's whole trail. */
static err_t check_trail(struct walk *w, struct seal_row page[static PAGE])
{
    struct checkpoints k = {.next = {.id = 0}};
    w->row_id = 0;
    w->sealing = false;
    idmap_init(&w->trails, sizeof(struct trail), LIMIT_AUDIT_HEADS);
    buf_init(&k.heads, NULL, (size_t)LIMIT_AUDIT_HEADS * AUDIT_HEAD_SIZE);
    err_t e = one_number(w->op, Q_AUDIT_END, BIND(vint(w->writer)), &w->end_id);
    if (e == ERR_OK)
        e = read_checkpoint(w, &k);
    if (e == ERR_OK)
        e = check_seals(w, &k, page);
    buf_free(&k.heads);
    idmap_free(&w->trails);
    return e;
}

/* All that may be there, whatever the list of writers says: who takes one off it hides nothing. */
static err_t check_all(struct walk *w)
{
    struct seal_row *page = malloc(PAGE * sizeof(*page));
    err_t e = page ? ERR_OK : ERR_MEMORY;
    if (e == ERR_OK && w->progress)
        e = one_number(w->op, Q_AUDIT_COUNT, BIND_NONE, &w->total);
    for (w->writer = 0; w->writer < LIMIT_SERVERS && e == ERR_OK; w->writer++)
        e = check_trail(w, page);
    free(page);
    if (e == ERR_OK && w->emptied_to && w->emptied_to >= w->retained_to)
        e = broken(w, w->emptied_to, "a row was emptied, and not by retention");
    return e;
}

err_t audit_verify(struct op *op, void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx,
                   int64_t *ret_rows)
{
    struct walk w = {.op = op, .progress = progress, .progress_ctx = ctx};
    err_t e = check_all(&w);
    free(w.open);
    free(w.digests);
    if (e == ERR_OK)
        *ret_rows = w.done;
    return e;
}
