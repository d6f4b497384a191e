/* One-time things as rows. */
#include "token/ticket.h"
#include "token/core.h"

err_t ticket_insert(struct db *db, const struct ticket *t, const struct token_text *text)
{
    return db_run(db, Q_TICKET_INSERT,
                  BIND(vint(t->tenant_id), vint(t->id), vtext(t->kind), vblob(text->hash, sizeof(text->hash)),
                       vid(t->account_id), vid(t->client_id), vid(t->session_id),
                       vtext(t->spec.p ? t->spec : STR("{}")), vint(t->created_s), vint(t->expires_s)),
                  NULL);
}

/* *ret_same: the row holds this hash. */
static err_t from_row(struct arena *a, const struct rows *r, const uint8_t hash[static SHA256_SIZE],
                      struct ticket *t, bool *ret_same)
{
    struct str stored = db_text(r, 1);
    *ret_same = stored.n == SHA256_SIZE && secret_eq(stored.p, hash, SHA256_SIZE);
    t->kind = arena_str(a, db_text(r, 0));
    t->account_id = db_int(r, 2);
    t->client_id = db_int(r, 3);
    t->session_id = db_int(r, 4);
    t->spec = arena_str(a, db_text(r, 5));
    t->created_s = db_int(r, 6);
    t->expires_s = db_int(r, 7);
    t->consumed_s = db_int(r, 8);
    t->result_id = db_int(r, 9);
    return t->kind.p && t->spec.p ? ERR_OK : ERR_MEMORY;
}

err_t ticket_find(struct op *op, struct db *db, enum token_letter letter, struct str text, struct ticket *ret)
{
    struct ticket t = {.tenant_id = op->tenant->object.id};
    struct rows r;
    char is;
    uint8_t hash[SHA256_SIZE];
    bool same = false;
    if (!token_text_id(op->core, text, &is, &t.id) || is != (char)letter)
        return ERR_NOT_FOUND;
    sha256(op->core->crypto, text, hash);
    TRY(db_rows(db, Q_TICKET_GET, BIND(vint(t.tenant_id), vint(t.id)), &r));
    err_t e = db_next(&r) ? from_row(op->arena, &r, hash, &t, &same) : ERR_OK;
    err_t end = db_end(&r);
    if (e != ERR_OK || end != ERR_OK)
        return e != ERR_OK ? e : end;
    if (!same)
        return ERR_NOT_FOUND;
    *ret = t;
    return ERR_OK;
}

err_t ticket_consume(struct db *db, int64_t tenant_id, int64_t id, int64_t now_s, int64_t result_id,
                     bool *ret_won)
{
    int64_t changed = 0;
    TRY(db_run(db, Q_TICKET_CONSUME, BIND(vint(tenant_id), vint(id), vint(now_s), vid(result_id)), &changed));
    *ret_won = changed == 1;
    return ERR_OK;
}
