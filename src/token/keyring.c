/* The envelope: sealing and opening, and the keys of a new tenant. */
#include "token/keyring_parts.h"
#include "base/enc.h"
#include "base/limits.h"

#define ENVELOPE_FORM 1
#define ENVELOPE_MORE (1 + AEAD_OVERHEAD)

/* --- sealing --- */

static struct str aad_of(struct arena *a, const char *what, int64_t whose)
{
    return arena_fmt(a, "mereau:%s:%lld", what, (long long)whose);
}

err_t envelope_seal(const struct crypto *c, const uint8_t *key, const char *what, int64_t whose,
                    struct str data, struct arena *a, struct str *ret)
{
    struct str aad = aad_of(a, what, whose);
    uint8_t *p = arena_alloc(a, data.n + ENVELOPE_MORE);
    if (!aad.p || !p)
        return ERR_MEMORY;
    p[0] = ENVELOPE_FORM;
    TRY(aead_seal(c, key, aad, data, p + 1));
    *ret = (struct str){(const char *)p, data.n + ENVELOPE_MORE};
    return ERR_OK;
}

err_t envelope_open(const struct crypto *c, const uint8_t *key, const char *what, int64_t whose,
                    struct str sealed, struct arena *a, struct str *ret)
{
    if (sealed.n < ENVELOPE_MORE || sealed.p[0] != ENVELOPE_FORM)
        return ERR_DECRYPT;
    struct str aad = aad_of(a, what, whose);
    size_t n = sealed.n - ENVELOPE_MORE;
    uint8_t *p = arena_alloc(a, n);
    if (!aad.p || !p)
        return ERR_MEMORY;
    TRY(aead_open(c, key, aad, (struct str){sealed.p + 1, sealed.n - 1}, p));
    *ret = (struct str){(const char *)p, n};
    return ERR_OK;
}

err_t meta_read(struct db *db, const char *name, struct arena *a, struct str *ret)
{
    struct rows r;
    struct str value = STR_NONE;
    TRY(db_rows(db, Q_META_GET, BIND(vtext(str_z(name))), &r));
    bool found = db_next(&r);
    if (found)
        value = arena_str(a, db_text(&r, 0));
    TRY(db_end(&r));
    *ret = value;
    return found && !value.p ? ERR_MEMORY : ERR_OK;
}

err_t meta_write(struct db *db, enum query q, const char *name, struct str value)
{
    return db_run(db, q, BIND(vtext(str_z(name)), vblob(value.p, value.n)), NULL);
}

err_t master_check_make(const struct crypto *c, const uint8_t *key, struct arena *a, struct str *ret)
{
    return envelope_seal(c, key, SEALED_CHECK, 0, STR("mereau"), a, ret);
}

bool master_check_fits(const struct crypto *c, const uint8_t *key, struct str check, struct arena *a)
{
    struct str opened;
    return envelope_open(c, key, SEALED_CHECK, 0, check, a, &opened) == ERR_OK &&
           str_eq(opened, STR("mereau"));
}

/* --- under the master key --- */

err_t master_open_tenant(struct op *op, int64_t tenant_id, struct str sealed, uint8_t ret[static 32])
{
    struct keyring *k = op->core->keyring;
    struct str key;
    pthread_rwlock_rdlock(&k->lock);
    err_t e = envelope_open(op->core->crypto, k->master, SEALED_TENANT, tenant_id, sealed, op->arena, &key);
    pthread_rwlock_unlock(&k->lock);
    if (e != ERR_OK)
        return e;
    if (key.n != 32)
        return ERR_DECRYPT;
    memcpy(ret, key.p, 32);
    return ERR_OK;
}

/* Of a tenant that the op does not stand in. */
static err_t fetch_tenant_key(struct op *op, int64_t tenant_id, uint8_t ret[static 32])
{
    struct rows r;
    TRY(db_rows(op->db, Q_TENANT_KEY_SEALED, BIND(vint(tenant_id), vtext(STR("tenant"))), &r));
    err_t e = db_next(&r) ? master_open_tenant(op, tenant_id, db_text(&r, 0), ret) : ERR_NOT_FOUND;
    err_t end = db_end(&r);
    return end == ERR_OK ? e : end;
}

static err_t tenant_key(struct op *op, int64_t tenant_id, uint8_t ret[static 32])
{
    if (!op->tenant || op->tenant->object.id != tenant_id)
        return fetch_tenant_key(op, tenant_id, ret);
    memcpy(ret, op->tenant->key, 32);
    return ERR_OK;
}

/* --- under a tenant's key --- */

/* envelope_seal or envelope_open */
typedef err_t (*envelope_fn)(const struct crypto *c, const uint8_t *key, const char *what, int64_t whose, struct str data,
                             struct arena *a, struct str *ret);

static const char *record_purpose(struct arena *a, const char *purpose)
{
    return arena_fmt(a, "record:%s", purpose).p;
}

static err_t record_with(struct op *op, envelope_fn fn, const uint8_t *key, int64_t tenant_id, const char *purpose,
                         struct str data, struct str *ret)
{
    const char *what = record_purpose(op->arena, purpose);
    return what ? fn(op->core->crypto, key, what, tenant_id, data, op->arena, ret) : ERR_MEMORY;
}

static err_t record_of(struct op *op, envelope_fn fn, int64_t tenant_id, const char *purpose, struct str data,
                       struct str *ret)
{
    uint8_t key[32];
    TRY(tenant_key(op, tenant_id, key));
    err_t e = record_with(op, fn, key, tenant_id, purpose, data, ret);
    secret_zero(key, sizeof(key));
    return e;
}

err_t keyring_seal(struct op *op, int64_t tenant_id, const char *purpose, struct str data, struct str *ret)
{
    return record_of(op, envelope_seal, tenant_id, purpose, data, ret);
}

err_t keyring_open_sealed(struct op *op, int64_t tenant_id, const char *purpose, struct str sealed,
                          struct str *ret)
{
    return record_of(op, envelope_open, tenant_id, purpose, sealed, ret);
}

err_t keyring_open_with(struct op *op, const struct tenant *t, const char *purpose, struct str sealed,
                        struct str *ret)
{
    return record_with(op, envelope_open, t->key, t->object.id, purpose, sealed, ret);
}

err_t keyring_fingerprint(struct op *op, struct str purpose, struct str secret, struct str *ret)
{
    uint8_t mac[SHA256_SIZE];
    struct buf text, b;
    buf_init(&text, op->arena, 4 * LIMIT_PARAM);
    buf_z(&text, "fingerprint:");
    buf_str(&text, purpose);
    buf_char(&text, 0);
    buf_str(&text, secret);
    buf_init(&b, op->arena, 64);
    if (!buf_ok(&text))
        return ERR_MEMORY;
    hmac_sha256(op->core->crypto, (struct str){(const char *)op->tenant->secret_key, 32}, buf_view(&text),
                mac);
    enc_b64url(&b, mac, sizeof(mac));
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

/* --- a new tenant --- */

static err_t seal_tenant_key(struct op *op, int64_t tenant_id, struct str key, struct tenant_keys *keys)
{
    struct keyring *k = op->core->keyring;
    pthread_rwlock_rdlock(&k->lock);
    err_t e = envelope_seal(op->core->crypto, k->master, SEALED_TENANT, tenant_id, key, op->arena,
                            &keys->v[0].sealed);
    keys->check = arena_str(op->arena, k->check);
    pthread_rwlock_unlock(&k->lock);
    return e == ERR_OK && !keys->check.p ? ERR_MEMORY : e;
}

err_t keyring_make_tenant(struct op *op, int64_t tenant_id, struct tenant_keys *ret)
{
    static const char *const purposes[TENANT_KEYS] = {"tenant", "refresh", "secret"};
    uint8_t key[TENANT_KEYS][32];
    struct tenant_keys keys = {.tenant_id = tenant_id, .now_s = op->now_s};
    TRY(random_bytes(key, sizeof(key)));
    err_t e = seal_tenant_key(op, tenant_id, (struct str){(const char *)key[0], 32}, &keys);
    for (size_t i = 0; i < TENANT_KEYS && e == ERR_OK; i++) {
        const char *what = record_purpose(op->arena, purposes[i]);
        keys.v[i].id = store_new_id(op->core->store);
        keys.v[i].purpose = str_z(purposes[i]);
        if (!what)
            e = ERR_MEMORY;
        else if (i > 0)
            e = envelope_seal(op->core->crypto, key[0], what, tenant_id,
                              (struct str){(const char *)key[i], 32}, op->arena, &keys.v[i].sealed);
    }
    secret_zero(key, sizeof(key));
    if (e == ERR_OK)
        *ret = keys;
    return e;
}

/* Has the master key been replaced since these were sealed? */
static err_t check_still(struct db *db, struct str check)
{
    struct rows r;
    TRY(db_rows(db, Q_META_GET, BIND(vtext(STR(META_KEY_CHECK))), &r));
    bool same = db_next(&r) && str_eq(db_text(&r, 0), check);
    TRY(db_end(&r));
    return same ? ERR_OK : ERR_BUSY;
}

err_t keyring_insert_tenant(struct db *db, void *tenant_keys)
{
    const struct tenant_keys *k = tenant_keys;
    TRY(check_still(db, k->check));
    for (size_t i = 0; i < TENANT_KEYS; i++) {
        TRY(db_run(db, Q_TENANT_KEY_INSERT,
                   BIND(vint(k->tenant_id), vint(k->v[i].id), vtext(k->v[i].purpose), vtext(STR_NONE),
                        vtext(STR_NONE), vblob(k->v[i].sealed.p, k->v[i].sealed.n), vtext(STR_NONE),
                        vint(k->now_s), vint(k->now_s)),
                   NULL));
    }
    return ERR_OK;
}
