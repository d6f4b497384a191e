/* The calls of store.h that pass straight to the engine of a connection, the table of SQL texts, and what a
 * transaction collects in memory beside its rows (notes for the hook, lines for revoked.log). */
#include "store/engine.h"
#include <stdlib.h>

static const struct {
    const char *name, *sql;
} queries[] = {
#define Q(id, sql) {#id, sql},
#include "store/queries.def"
#undef Q
    {NULL, NULL}, /* the table may be empty otherwise */
};

const char *query_name(enum query q)
{
    return queries[q].name;
}

const char *query_sql(enum query q)
{
    return queries[q].sql;
}

err_t db_open(struct store *s, size_t cache_kib, struct db **ret)
{
    return s->engine->db_open(s, cache_kib, ret);
}

void db_close(struct db **db)
{
    if (*db)
        (*db)->engine->db_close(*db);
    *db = NULL;
}

err_t db_run(struct db *db, enum query q, const struct val *v, size_t n, int64_t *ret_changed)
{
    return db->engine->run(db, q, v, n, ret_changed);
}

err_t db_rows(struct db *db, enum query q, const struct val *v, size_t n, struct rows *ret)
{
    return db->engine->rows(db, q, v, n, ret);
}

bool db_next(struct rows *r)
{
    return r->stmt && r->db->engine->next(r);
}

err_t db_end(struct rows *r)
{
    return r->stmt ? r->db->engine->end(r) : r->err;
}

int64_t db_int(const struct rows *r, int col)
{
    return r->db->engine->col_int(r, col);
}

struct str db_text(const struct rows *r, int col)
{
    return r->db->engine->col_text(r, col);
}

bool db_null(const struct rows *r, int col)
{
    return r->db->engine->col_null(r, col);
}

err_t db_read_begin(struct db *db)
{
    return db->tx ? ERR_OK : db->engine->read_begin(db);
}

void db_read_end(struct db *db)
{
    if (!db->tx)
        db->engine->read_end(db);
}

err_t store_tx(struct store *s, store_tx_fn fn, void *ctx)
{
    return s->engine->tx(s, fn, ctx);
}

void tx_init(struct tx *t)
{
    *t = (struct tx){.broken = ERR_OK};
    buf_init(&t->revoked, NULL, LIMIT_REVOKED_BATCH);
    buf_init(&t->news, NULL, LIMIT_REVOKED_BATCH);
}

void tx_free(struct tx *t)
{
    free(t->note);
    buf_free(&t->revoked);
    buf_free(&t->news);
}

struct tx_mark tx_mark(const struct tx *t)
{
    return (struct tx_mark){t->nnote, t->revoked.n, t->news.n};
}

void tx_back_to(struct tx *t, struct tx_mark m)
{
    t->nnote = m.nnote;
    t->revoked.n = m.revoked_n;
    t->revoked.failed = false;
    t->news.n = m.news_n;
    t->news.failed = false;
    t->broken = ERR_OK;
}

err_t db_note(struct db *db, const struct tx_note *n)
{
    struct tx *t = db->tx;
    if (!t)
        return ERR_INTERNAL;
    if (t->nnote == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 256;
        struct tx_note *grown = t->cap < LIMIT_TX_NOTES ? realloc(t->note, cap * sizeof(*grown)) : NULL;
        if (!grown)
            return ERR_MEMORY;
        t->note = grown;
        t->cap = cap;
    }
    t->note[t->nnote++] = *n;
    return ERR_OK;
}

const struct tx_note *db_notes(const struct db *db, size_t *ret_n)
{
    *ret_n = db->tx ? db->tx->nnote : 0;
    return db->tx ? db->tx->note : NULL;
}

err_t db_tell(struct db *db, struct str line)
{
    if (!db->tx)
        return ERR_INTERNAL;
    if (!db->engine->sharing)
        return ERR_OK;
    buf_str(&db->tx->news, line);
    buf_char(&db->tx->news, '\n');
    return buf_ok(&db->tx->news) ? ERR_OK : ERR_MEMORY;
}

err_t db_claim(struct db *db, int64_t id, bool shared)
{
    if (!db->tx)
        return ERR_INTERNAL;
    return db->engine->sharing && id ? db->engine->sharing->claim(db, id, shared) : ERR_OK;
}
