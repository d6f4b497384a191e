/* The chain of the audit trail: digests, the sealer that runs before each COMMIT, signed checkpoints. audit_state.h says what
 * is hashed. */
#include "token/audit_state.h"
#include <stdlib.h>

void audit_be64(uint8_t *ret, int64_t v)
{
    for (int i = 0; i < 8; i++)
        ret[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
}

/* --- what is hashed -------------------------------------------------------------------------------------------------- */

struct hashed {
    const struct crypto *crypto;
    size_t n;
    uint8_t p[16 + 64 + 5 * (8 + AUDIT_FIELD_MAX)];
};

static void put_int(struct hashed *h, int64_t v)
{
    audit_be64(h->p + h->n, v);
    h->n += 8;
}

/* A missing text differs from an empty one. */
static void put_text(struct hashed *h, struct str s)
{
    put_int(h, s.p ? (int64_t)s.n : -1);
    if (s.n > AUDIT_FIELD_MAX) {
        sha256(h->crypto, s, h->p + h->n);
        h->n += SHA256_SIZE;
    } else if (s.n) {
        memcpy(h->p + h->n, s.p, s.n);
        h->n += s.n;
    }
}

void audit_digest(const struct crypto *c, const struct audit_content *r, uint8_t ret[static SHA256_SIZE])
{
    static const char label[14] = "mereau audit 1";
    struct hashed h;
    h.crypto = c;
    h.n = sizeof(label);
    memcpy(h.p, label, sizeof(label));
    put_int(&h, r->id);
    put_int(&h, r->tenant_id);
    put_int(&h, r->at_s);
    const struct str texts[] = {r->salt, r->event, r->actor, r->object, r->payload};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        put_text(&h, texts[i]);
    sha256(c, (struct str){(const char *)h.p, h.n}, ret);
}

void audit_chain_start(const struct crypto *c, int64_t tenant_id, uint8_t ret[static SHA256_SIZE])
{
    uint8_t b[20] = "mereau audit";
    audit_be64(b + 12, tenant_id);
    sha256(c, (struct str){(const char *)b, sizeof(b)}, ret);
}

void audit_chain_next(const struct crypto *c, uint8_t *buf, int64_t seal, size_t n, uint8_t chain[static SHA256_SIZE])
{
    memcpy(buf, chain, SHA256_SIZE);
    audit_be64(buf + SHA256_SIZE, seal);
    audit_be64(buf + SHA256_SIZE + 8, (int64_t)n);
    sha256(c, (struct str){(const char *)buf, AUDIT_CHAIN_HEAD + n * SHA256_SIZE}, chain);
}

/* --- the sealer ------------------------------------------------------------------------------------------------------ */

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

/* By tenant, then by id. Ids are taken on this very thread, so their order is that of writing. */
static int compare_notes(const void *a, const void *b)
{
    const struct tx_note *x = a, *y = b;
    if (x->tenant_id != y->tenant_id)
        return x->tenant_id < y->tenant_id ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The heads in memory ran ahead if the last COMMIT failed; one look at one row tells. */
static err_t check_heads(struct db *db, struct audit_state *st)
{
    struct rows r;
    if (!st->last_seal)
        return ERR_OK;
    TRY(db_rows(db, Q_AUDIT_SEAL_CHAIN, BIND(vint(st->last_tenant_id), vint(st->last_seal)), &r));
    bool there = db_next(&r);
    TRY(db_end(&r));
    if (there)
        return ERR_OK;
    idmap_free(&st->heads);
    st->last_seal = 0;
    st->rescan = true;
    return ERR_OK;
}

static err_t read_head(struct db *db, struct audit_state *st, int64_t tenant_id, struct audit_head *ret)
{
    struct rows r;
    ret->seal = 0;
    audit_chain_start(st->core->crypto, tenant_id, ret->chain);
    TRY(db_rows(db, Q_AUDIT_HEAD, BIND(vint(tenant_id)), &r));
    if (db_next(&r) && db_text(&r, 1).n == SHA256_SIZE) {
        ret->seal = db_int(&r, 0);
        memcpy(ret->chain, db_text(&r, 1).p, SHA256_SIZE);
    }
    return db_end(&r);
}

static err_t head_of(struct db *db, struct audit_state *st, int64_t tenant_id, struct audit_head **ret)
{
    struct audit_head *h = idmap_get(&st->heads, tenant_id);
    if (!h) {
        struct audit_head fresh = {0};
        TRY(read_head(db, st, tenant_id, &fresh));
        if (st->heads.n == st->heads.max) { /* more tenants than are kept: begin anew */
            idmap_free(&st->heads);
            st->rescan = true;
        }
        h = idmap_put(&st->heads, tenant_id);
        if (!h)
            return ERR_MEMORY;
        *h = fresh;
    }
    *ret = h;
    return ERR_OK;
}

/* Notes [0, n) of one tenant. */
static err_t seal(struct db *db, struct audit_state *st, const struct tx_note *note, size_t n)
{
    struct audit_head *h;
    TRY(head_of(db, st, note->tenant_id, &h));
    struct audit_head next = {.seal = h->seal + 1, .moved = true};
    memcpy(next.chain, h->chain, sizeof(next.chain));
    for (size_t i = 0; i < n; i++)
        memcpy(st->chained + AUDIT_CHAIN_HEAD + i * SHA256_SIZE, note[i].digest, SHA256_SIZE);
    audit_chain_next(st->core->crypto, st->chained, next.seal, n, next.chain);
    TRY(db_run(db, Q_AUDIT_SEAL_INSERT,
               BIND(vint(note->tenant_id), vint(next.seal), vint(note[0].id), vint(note[n - 1].id), vint((int64_t)n),
                    vblob(next.chain, sizeof(next.chain)), vint(clock_wall_s(st->core->clock))),
               NULL));
    *h = next;
    st->last_tenant_id = note->tenant_id;
    st->last_seal = next.seal;
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
    TRY(check_heads(db, st));
    TRY(room_for(st, n));
    memcpy(st->note, notes, n * sizeof(*notes));
    qsort(st->note, n, sizeof(*st->note), compare_notes);
    err_t e = seal_all(db, st, n);
    if (e != ERR_OK) { /* this batch will not commit: what memory says is wrong */
        idmap_free(&st->heads);
        st->last_seal = 0;
        st->rescan = true;
    }
    return e;
}

/* --- checkpoints ----------------------------------------------------------------------------------------------------- */

err_t audit_checkpoint_sign(struct op *op, const struct audit_checkpoint_row *c, uint8_t ret[static SHA256_SIZE])
{
    uint8_t key[32], text[23 + 24 + 2 * SHA256_SIZE] = "mereau audit checkpoint";
    const struct core *core = op->core;
    TRY(hkdf_sha256(core->crypto, (struct str){(const char *)core->store_key, sizeof(core->store_key)}, STR_NONE,
                    STR("audit checkpoint"), key, sizeof(key)));
    audit_be64(text + 23, c->id);
    audit_be64(text + 31, c->at_s);
    audit_be64(text + 39, c->tenants);
    sha256(core->crypto, c->heads, text + 47);
    if (c->before.n == SHA256_SIZE)
        memcpy(text + 47 + SHA256_SIZE, c->before.p, SHA256_SIZE);
    hmac_sha256(core->crypto, (struct str){(const char *)key, sizeof(key)}, (struct str){(const char *)text, sizeof(text)}, ret);
    secret_zero(key, sizeof(key));
    return ERR_OK;
}

struct checkpoint {
    struct audit_state *st;
    const int64_t *tenants; /* whose heads must be looked at, beside those known to have moved */
    size_t ntenants;
    struct audit_checkpoint_row row;
    struct buf heads; /* on the heap: filled by the writer */
    uint8_t before[SHA256_SIZE], signature[SHA256_SIZE];
};

static void put_head(struct buf *b, int64_t tenant_id, const struct audit_head *h)
{
    uint8_t be[16];
    audit_be64(be, tenant_id);
    audit_be64(be + 8, h->seal);
    buf_add(b, be, sizeof(be));
    buf_add(b, h->chain, sizeof(h->chain));
}

/* On the writer's thread, where the heads are. Writes nothing. */
static err_t collect_in_tx(struct db *db, void *ctx)
{
    struct checkpoint *c = ctx;
    struct audit_state *st = c->st;
    struct audit_head *h;
    int64_t tenant_id;
    size_t at = 0;
    TRY(check_heads(db, st));
    for (size_t i = 0; i < c->ntenants; i++) {
        TRY(head_of(db, st, c->tenants[i], &h));
        h->moved = true;
    }
    c->heads.n = 0;
    c->row.id = store_new_id(st->core->store);
    c->row.tenants = 0;
    while ((h = idmap_next(&st->heads, &at, &tenant_id))) {
        if (!h->moved || h->seal == 0)
            continue;
        put_head(&c->heads, tenant_id, h);
        c->row.tenants++;
    }
    return buf_ok(&c->heads) ? ERR_OK : ERR_MEMORY;
}

static err_t insert_in_tx(struct db *db, void *ctx)
{
    const struct checkpoint *c = ctx;
    return db_run(db, Q_AUDIT_CHECKPOINT_INSERT,
                  BIND(vint(c->row.id), vint(c->row.at_s), vblob(c->row.heads.p, c->row.heads.n), vint(c->row.tenants),
                       vblob(c->signature, sizeof(c->signature))),
                  NULL);
}

/* The heads that were written down have not moved since, unless they have. */
static err_t settle_in_tx(struct db *db, void *ctx)
{
    const struct checkpoint *c = ctx;
    (void)db;
    for (int64_t i = 0; i < c->row.tenants; i++) {
        const char *p = c->row.heads.p + i * AUDIT_HEAD_SIZE;
        uint64_t tenant_id = 0;
        for (int k = 0; k < 8; k++)
            tenant_id = tenant_id << 8 | (uint8_t)p[k];
        struct audit_head *h = idmap_get(&c->st->heads, (int64_t)tenant_id);
        if (h && memcmp(h->chain, p + 16, SHA256_SIZE) == 0)
            h->moved = false;
    }
    return ERR_OK;
}

static err_t last_checkpoint(struct op *op, struct checkpoint *c, int64_t *ret_id)
{
    struct rows r;
    *ret_id = 0;
    TRY(db_rows(op->db, Q_AUDIT_CHECKPOINT_LAST, BIND_NONE, &r));
    if (db_next(&r) && db_text(&r, 1).n == SHA256_SIZE) {
        *ret_id = db_int(&r, 0);
        memcpy(c->before, db_text(&r, 1).p, SHA256_SIZE);
        c->row.before = (struct str){(const char *)c->before, SHA256_SIZE};
    }
    return db_end(&r);
}

/* Which tenants have rows since the last checkpoint: after a start, or when memory was given up. */
static err_t tenants_since(struct op *op, int64_t id, int64_t **ret, size_t *ret_n)
{
    struct rows r;
    int64_t *v = malloc(LIMIT_AUDIT_HEADS * sizeof(*v));
    size_t n = 0;
    if (!v)
        return ERR_MEMORY;
    err_t e = db_rows(op->db, Q_AUDIT_TENANTS_SINCE, BIND(vint(id)), &r);
    if (e == ERR_OK) {
        while (n < LIMIT_AUDIT_HEADS - 1 && db_next(&r))
            v[n++] = db_int(&r, 0);
        e = db_end(&r);
    }
    if (e != ERR_OK) {
        free(v);
        return e;
    }
    *ret = v;
    *ret_n = n;
    return ERR_OK;
}

static err_t write_checkpoint(struct op *op, struct checkpoint *c)
{
    struct store *s = op->core->store;
    TRY(store_tx(s, collect_in_tx, c));
    if (c->row.tenants == 0)
        return ERR_OK;
    c->row.at_s = op->now_s;
    c->row.heads = buf_view(&c->heads);
    TRY(audit_checkpoint_sign(op, &c->row, c->signature));
    TRY(store_tx(s, insert_in_tx, c));
    return store_tx(s, settle_in_tx, c);
}

err_t audit_checkpoint(struct op *op)
{
    struct checkpoint c = {.st = op->core->audit};
    int64_t *tenants = NULL, last_id;
    TRY(last_checkpoint(op, &c, &last_id));
    bool rescan = atomic_exchange(&c.st->rescan, false);
    err_t e = rescan ? tenants_since(op, last_id, &tenants, &c.ntenants) : ERR_OK;
    c.tenants = tenants;
    buf_init(&c.heads, NULL, (LIMIT_AUDIT_HEADS + 1) * (size_t)AUDIT_HEAD_SIZE);
    if (e == ERR_OK)
        e = write_checkpoint(op, &c);
    if (e != ERR_OK && rescan)
        c.st->rescan = true;
    buf_free(&c.heads);
    free(tenants);
    return e;
}
