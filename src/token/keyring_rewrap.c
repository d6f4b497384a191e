/* The master key replaced: a new file beside the old one, all tenants' keys rewrapped in one transaction,
 * then the rename. keyring_master.c says what a start makes of each state in between. */
#include "token/keyring_parts.h"
#include "base/limits.h"
#include <stdlib.h>
#include <unistd.h>

#define REWRAP_PAGE 256

struct rewrap {
    struct op *op;
    const uint8_t *old, *new;
    struct str check, store_key; /* under the new key */
    struct arena *a;             /* of one page */
    struct audit audit;
};

struct wrapped {
    int64_t tenant_id, id;
    struct str sealed;
};

static err_t read_page(struct db *db, struct rewrap *w, int64_t after, struct wrapped *page, size_t *ret_n)
{
    struct rows r;
    size_t n = 0;
    TRY(db_rows(db, Q_TENANT_KEY_WRAPPED, BIND(vint(after), vint(REWRAP_PAGE)), &r));
    while (n < REWRAP_PAGE && db_next(&r)) {
        page[n] = (struct wrapped){db_int(&r, 0), db_int(&r, 1), arena_str(w->a, db_text(&r, 2))};
        n++;
    }
    *ret_n = n;
    return db_end(&r);
}

static err_t rewrap_one(struct db *db, struct rewrap *w, const struct wrapped *row)
{
    const struct crypto *c = w->op->core->crypto;
    struct str key, sealed;
    TRY(envelope_open(c, w->old, SEALED_TENANT, row->tenant_id, row->sealed, w->a, &key));
    TRY(envelope_seal(c, w->new, SEALED_TENANT, row->tenant_id, key, w->a, &sealed));
    return db_run(db, Q_TENANT_KEY_REWRAP,
                  BIND(vint(row->tenant_id), vint(row->id), vblob(sealed.p, sealed.n)), NULL);
}

static err_t rewrap_in_tx(struct db *db, void *ctx)
{
    struct rewrap *w = ctx;
    struct wrapped page[REWRAP_PAGE];
    int64_t after = 0;
    size_t n = 0;
    do {
        arena_reset(w->a);
        TRY(read_page(db, w, after, page, &n));
        for (size_t i = 0; i < n; i++) {
            TRY(rewrap_one(db, w, &page[i]));
            after = page[i].tenant_id;
        }
    } while (n == REWRAP_PAGE);
    TRY(meta_write(db, Q_META_PUT, META_KEY_CHECK, w->check));
    TRY(meta_write(db, Q_META_PUT, META_STORE_KEY, w->store_key));
    return audit_write(db, w->op->core->store, &w->audit);
}

static err_t prepare(struct rewrap *w, struct op *op)
{
    const struct crypto *c = op->core->crypto;
    w->op = op;
    w->old = op->core->keyring->master;
    TRY(master_check_make(c, w->new, op->arena, &w->check));
    TRY(envelope_seal(c, w->new, SEALED_STORE, 0, (struct str){(const char *)op->core->store_key, 32},
                      op->arena, &w->store_key));
    audit_make(op, AUDIT_MASTER_ROTATED, STR("store"), STR_NONE, &w->audit);
    w->a = arena_new(LIMIT_TENANT_ARENA);
    return w->a ? ERR_OK : ERR_MEMORY;
}

/* A page of memory that already says what is on disk. */
static err_t adopt(struct keyring *k, const struct rewrap *w)
{
    char *check = malloc(w->check.n);
    memcpy(k->master, w->new, MASTER_KEY_SIZE);
    if (!check)
        return ERR_MEMORY;
    memcpy(check, w->check.p, w->check.n);
    free((void *)k->check.p);
    k->check = (struct str){check, w->check.n};
    return ERR_OK;
}

/* If the commit failed for sure the new file goes; if that can't be told it stays, and start decides. */
static void abandon(struct op *op, const struct keyring *k, const char *new_path)
{
    struct str check = STR_NONE;
    if (meta_read(op->db, META_KEY_CHECK, op->arena, &check) == ERR_OK && str_eq(check, k->check))
        unlink(new_path);
}

static err_t rotate_locked(struct op *op, struct keyring *k, const char *new_path)
{
    uint8_t key[MASTER_KEY_SIZE];
    struct rewrap w = {.new = key};
    TRY(random_bytes(key, sizeof(key)));
    err_t e = prepare(&w, op);
    if (e == ERR_OK) {
        unlink(new_path); /* of a rotation that never committed: the one in place fits */
        e = key_file_make(new_path, key, &op->fault);
    }
    if (e == ERR_OK) {
        e = store_tx(op->core->store, rewrap_in_tx, &w);
        if (e == ERR_OK)
            e = adopt(k, &w);
        else
            abandon(op, k, new_path);
    }
    if (e == ERR_OK)
        e = key_file_replace(k->path, &op->fault);
    arena_free(&w.a);
    secret_zero(key, sizeof(key));
    return e;
}

err_t keyring_rotate_master(struct op *op, const char *data_dir, const char *key_file_or_null)
{
    struct keyring *k = op->core->keyring;
    (void)data_dir; /* the file that was opened at start is the one to replace */
    TRY(op_permit_system(op));
    if (store_others(op->core->store) > 0)
        return op_fail(op, ERR_CONFLICT, "",
                       "other servers use this store and have the master key of now: stop them, rotate here, give them the new file, start them");
    if (k->source == KEY_FROM_CREDENTIAL)
        return op_fail(
            op, ERR_CONFLICT, "",
            "the master key comes from a systemd credential, which can't be written from here: stop, "
            "start with the key in a file, rotate, store it as the credential again");
    if (key_file_or_null && strcmp(key_file_or_null, k->path) != 0)
        return op_fail(op, ERR_CONFLICT, "", "the server was started with the master key in %s", k->path);
    char *new_path = key_file_beside(k->path, ".new");
    if (!new_path)
        return ERR_MEMORY;
    pthread_rwlock_wrlock(&k->lock);
    err_t e = rotate_locked(op, k, new_path);
    pthread_rwlock_unlock(&k->lock);
    free(new_path);
    return e;
}
