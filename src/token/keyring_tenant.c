/* A tenant's keys out of their rows into its snapshot, and the key set that others fetch. */
#include "token/keyring_parts.h"
#include "base/limits.h"

struct key_row {
    struct str purpose, kid, alg, sealed, public_jwk;
    struct signing_key times;
};
#define KEY_ROWS_MAX (TENANT_KEYS + LIMIT_JWKS_KEYS)

static err_t read_key_rows(struct op *op, int64_t tenant_id, struct key_row *rows, size_t *ret_n)
{
    struct rows r;
    size_t n = 0;
    TRY(db_rows(op->db, Q_TENANT_KEY_LIST, BIND(vint(tenant_id)), &r));
    while (db_next(&r) && n < KEY_ROWS_MAX) {
        struct key_row *k = &rows[n++];
        k->purpose = arena_str(op->arena, db_text(&r, 1));
        k->kid = arena_str(op->arena, db_text(&r, 2));
        k->alg = arena_str(op->arena, db_text(&r, 3));
        k->sealed = arena_str(op->arena, db_text(&r, 4));
        k->public_jwk = arena_str(op->arena, db_text(&r, 5));
        k->times = (struct signing_key){.created_s = db_int(&r, 6),
                                        .active_s = db_int(&r, 7),
                                        .retired_s = db_int(&r, 8),
                                        .remove_s = db_int(&r, 9)};
    }
    *ret_n = n;
    return db_end(&r);
}

static const struct key_row *row_of(const struct key_row *rows, size_t n, const char *purpose)
{
    for (size_t i = 0; i < n; i++) {
        if (str_is(rows[i].purpose, purpose))
            return &rows[i];
    }
    return NULL;
}

static err_t open_own_key(struct op *op, const struct tenant *t, const struct key_row *row,
                          uint8_t ret[static 32])
{
    struct str key;
    TRY(keyring_open_with(op, t, row->purpose.p, row->sealed, &key));
    if (key.n != 32)
        return ERR_DECRYPT;
    memcpy(ret, key.p, 32);
    return ERR_OK;
}

static void free_key(void *key)
{
    struct key *k = key;
    key_free(&k);
}

static err_t open_signing_key(struct op *op, struct arena *a, const struct tenant *t,
                              const struct key_row *row, struct signing_key *ret)
{
    struct str der;
    const char *purpose = arena_fmt(op->arena, "signing:%.*s", STR_ARG(row->kid)).p;
    struct signing_key k = row->times;
    if (!purpose)
        return ERR_MEMORY;
    if (!alg_find_in(row->alg, ALGS_ISSUED, &k.jwk.alg))
        return ERR_ALG; /* of a later version */
    TRY(keyring_open_with(op, t, purpose, row->sealed, &der));
    TRY(key_from_der(der, &k.jwk.key));
    if (!arena_defer(a, free_key, k.jwk.key)) {
        key_free(&k.jwk.key);
        return ERR_MEMORY;
    }
    k.jwk.kid = arena_str(a, row->kid);
    *ret = k;
    return k.jwk.kid.p ? ERR_OK : ERR_MEMORY;
}

/* Published: the one in use, the next, and those that may have signed something that still lives. */
static err_t fill_signing_keys(struct op *op, struct arena *a, struct tenant *t, const struct key_row *rows,
                               size_t n)
{
    struct signing_key *keys = arena_array(a, struct signing_key, n);
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, LIMIT_OBJECT_ARENA);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_key(&w, "keys");
    jw_open(&w, '[');
    if (!keys)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        bool gone = rows[i].times.remove_s != 0 && rows[i].times.remove_s <= op->now_s;
        if (!str_is(rows[i].purpose, "signing") || gone)
            continue;
        err_t e = open_signing_key(op, a, t, &rows[i], &keys[t->nkeys]);
        if (e == ERR_ALG)
            continue;
        if (e != ERR_OK)
            return e;
        jw_raw(&w, rows[i].public_jwk);
        t->nkeys++;
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    t->keys = keys;
    t->jwks = arena_str(a, buf_view(&b));
    return buf_ok(&b) && t->jwks.p ? ERR_OK : ERR_MEMORY;
}

static err_t load_tenant_keys(struct op *op, struct arena *a, struct tenant *t, const struct key_row *rows,
                              size_t n)
{
    const struct key_row *root = row_of(rows, n, "tenant"), *refresh = row_of(rows, n, "refresh"),
                         *secret = row_of(rows, n, "secret");
    if (!root || !refresh || !secret)
        return ERR_DECRYPT;
    TRY(master_open_tenant(op, t->object.id, root->sealed, t->key));
    TRY(open_own_key(op, t, refresh, t->refresh_key));
    TRY(open_own_key(op, t, secret, t->secret_key));
    return fill_signing_keys(op, a, t, rows, n);
}

err_t keyring_load_tenant(struct op *op, struct arena *a, struct tenant *t)
{
    size_t n = 0;
    struct key_row *rows = arena_array(op->arena, struct key_row, KEY_ROWS_MAX);
    if (!rows)
        return ERR_MEMORY;
    TRY(read_key_rows(op, t->object.id, rows, &n));
    err_t e = load_tenant_keys(op, a, t, rows, n);
    if (e == ERR_DECRYPT || e == ERR_KEY)
        return op_fail(op, ERR_STORE_CORRUPT, "", "the keys of the tenant \"%.*s\" can't be opened",
                       STR_ARG(t->name));
    return e;
}
