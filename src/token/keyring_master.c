/* The master key: found or made at start, held against the store's key-check value, replaced on demand.
 *
 * The order of things keeps a key for the store at every moment: a new key is on disk, synced, before
 * anything is sealed under it; the file of the old one goes only after the commit that needs the new one. If
 * a crash comes between that commit and the rename, master.key.new is the one that fits and start finishes
 * the rename. A store whose key is missing never gets another. */
#include "token/keyring_parts.h"
#include "base/limits.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CREDENTIAL_NAME "mereau-master-key"

struct opening {
    struct core *core;
    struct keyring *k;
    struct db *db;
    struct arena *a;
    struct fault *f;
    struct str check; /* of the store; STR_NONE: a new one */
};

/* --- which file --- */

static char *join(const char *dir, const char *name)
{
    char *p = NULL;
    return asprintf(&p, "%s/%s", dir, name) < 0 ? NULL : p;
}

static char *credential_path(void)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    char *p = dir && dir[0] ? join(dir, CREDENTIAL_NAME) : NULL;
    if (p && access(p, F_OK) != 0) {
        free(p);
        p = NULL;
    }
    return p;
}

static err_t choose_file(struct keyring *k, const char *data_dir, const char *key_file_or_null)
{
    k->source = KEY_FROM_FILE;
    if (key_file_or_null) {
        k->path = strdup(key_file_or_null);
    } else {
        k->source = KEY_FROM_CREDENTIAL;
        k->path = credential_path();
    }
    if (!k->path && !key_file_or_null) {
        k->source = KEY_FROM_DATA_DIR;
        k->path = join(data_dir, "master.key");
    }
    return k->path ? ERR_OK : ERR_MEMORY;
}

/* --- fitting it to the store --- */

static bool fits(const struct opening *o, const uint8_t *key)
{
    return master_check_fits(o->core->crypto, key, o->check, o->a);
}

/* A rotation that committed but did not get to its rename. */
static err_t finish_rotation(struct opening *o, err_t otherwise)
{
    struct fault quiet = {.code = ERR_OK};
    uint8_t key[MASTER_KEY_SIZE];
    char *new = key_file_beside(o->k->path, ".new");
    err_t e = otherwise;
    if (new && o->check.p && key_file_read(new, true, key, &quiet) == ERR_OK &&fits(o, key)) {
        e = key_file_replace(o->k->path, o->f);
        memcpy(o->k->master, key, sizeof(key));
    }
    secret_zero(key, sizeof(key));
    free(new);
    return e;
}

static err_t missing(struct opening *o)
{
    if (o->check.p)
        return fault_set(o->f, ERR_MASTER_KEY, "",
                         "this store was made with a master key that is missing: put it back at %s",
                         o->k->path);
    return fault_set(o->f, ERR_MASTER_KEY, "",
                     "the master key %s does not exist; make one with: openssl rand -hex 32", o->k->path);
}

static err_t make_first(struct opening *o)
{
    TRY(random_bytes(o->k->master, MASTER_KEY_SIZE));
    return key_file_make(o->k->path, o->k->master, o->f);
}

static err_t find_key(struct opening *o)
{
    struct fault f = {.code = ERR_OK};
    err_t e = key_file_read(o->k->path, o->k->source != KEY_FROM_CREDENTIAL, o->k->master, &f);
    if (e == ERR_NOT_FOUND) {
        if (finish_rotation(o, ERR_NOT_FOUND) == ERR_OK)
            return ERR_OK;
        return o->k->source == KEY_FROM_DATA_DIR && !o->check.p ? make_first(o) : missing(o);
    }
    if (e != ERR_OK) {
        *o->f = f;
        return e;
    }
    if (!o->check.p || fits(o, o->k->master))
        return ERR_OK;
    if (finish_rotation(o, ERR_MASTER_KEY) == ERR_OK)
        return ERR_OK;
    return fault_set(o->f, ERR_MASTER_KEY, "",
                     "%s is not the master key this store was made with; nothing was changed", o->k->path);
}

/* --- what a new store gets --- */

struct first {
    struct str check, store_key;
};

static err_t first_in_tx(struct db *db, void *ctx)
{
    const struct first *m = ctx;
    TRY(meta_write(db, Q_META_ADD, META_KEY_CHECK, m->check));
    return meta_write(db, Q_META_ADD, META_STORE_KEY, m->store_key);
}

static err_t begin_store(struct opening *o)
{
    struct first m;
    uint8_t key[32];
    TRY(random_bytes(key, sizeof(key)));
    TRY(master_check_make(o->core->crypto, o->k->master, o->a, &m.check));
    err_t e = envelope_seal(o->core->crypto, o->k->master, SEALED_STORE, 0,
                            (struct str){(const char *)key, 32}, o->a, &m.store_key);
    secret_zero(key, sizeof(key));
    TRY(e);
    TRY(store_tx(o->core->store, first_in_tx, &m));
    /* Another server on this database may have been first. */
    TRY(meta_read(o->db, META_KEY_CHECK, o->a, &o->check));
    return find_key(o);
}

/* --- opening --- */

static err_t load_store_key(struct opening *o)
{
    struct str sealed, key;
    TRY(meta_read(o->db, META_STORE_KEY, o->a, &sealed));
    err_t e = envelope_open(o->core->crypto, o->k->master, SEALED_STORE, 0, sealed, o->a, &key);
    if (e != ERR_OK || key.n != sizeof(o->core->store_key))
        return fault_set(o->f, ERR_STORE_CORRUPT, "", "the store's own key can't be opened");
    memcpy(o->core->store_key, key.p, key.n);
    return hkdf_sha256(o->core->crypto, key, STR_NONE, STR("id_key"), o->core->id_key,
                       sizeof(o->core->id_key));
}

/* What a finished or an abandoned rotation left: the key in place is known to fit. */
static void tidy_files(const struct keyring *k)
{
    char *new = key_file_beside(k->path, ".new"), *old = key_file_beside(k->path, ".old");
    if (k->source != KEY_FROM_CREDENTIAL && new &&old) {
        unlink(new);
        unlink(old);
    }
    free(new);
    free(old);
}

static err_t open_with(struct opening *o)
{
    TRY(meta_read(o->db, META_KEY_CHECK, o->a, &o->check));
    TRY(find_key(o));
    if (!o->check.p)
        TRY(begin_store(o));
    TRY(load_store_key(o));
    char *check = malloc(o->check.n);
    if (!check)
        return ERR_MEMORY;
    memcpy(check, o->check.p, o->check.n);
    o->k->check = (struct str){check, o->check.n};
    tidy_files(o->k);
    return ERR_OK;
}

err_t keyring_open(struct core *core, const char *data_dir, const char *key_file_or_null,
                   bool *ret_in_data_dir, struct fault *f)
{
    struct opening o = {
        .core = core, .f = f, .k = calloc(1, sizeof(*o.k)), .a = arena_new(LIMIT_OBJECT_ARENA)};
    err_t e = ERR_MEMORY;
    if (!o.k || !o.a)
        goto out;
    pthread_rwlock_init(&o.k->lock, NULL);
    core->keyring = o.k;
    e = choose_file(o.k, data_dir, key_file_or_null);
    if (e == ERR_OK)
        e = db_open(core->store, 64, &o.db);
    if (e == ERR_OK)
        e = open_with(&o);
    if (e == ERR_OK)
        *ret_in_data_dir = o.k->source == KEY_FROM_DATA_DIR;
    else
        keyring_close(core);
out:
    db_close(&o.db);
    arena_free(&o.a);
    return e;
}

void keyring_close(struct core *core)
{
    struct keyring *k = core->keyring;
    if (!k)
        return;
    pthread_rwlock_destroy(&k->lock);
    secret_zero(k->master, sizeof(k->master));
    free((void *)k->check.p);
    free(k->path);
    free(k);
    core->keyring = NULL;
    secret_zero(core->store_key, sizeof(core->store_key));
}
