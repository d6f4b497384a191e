/* A tenant's signing keys: made at first use, replaced in time, removed when nothing they signed can live any
 * more. */
#include "token/keyring_parts.h"
#include "token/news.h"
#include "token/cache.h"
#include "base/limits.h"

struct new_key {
    struct store *store;
    int64_t tenant_id, id, now_s, active_s;
    bool rotate; /* false: only if there is none of this algorithm yet */
    struct str kid, alg, sealed, public_jwk;
    struct audit made, retired;
    /* out */
    bool won;
    bool full;
    int64_t pending_s; /* when the next key becomes active, if there is one already */
};

/* --- making --- */

static err_t describe(struct op *op, const struct jwk *k, struct new_key *n)
{
    struct str der;
    struct buf b;
    struct jw w;
    const char *purpose = arena_fmt(op->arena, "signing:%.*s", STR_ARG(k->kid)).p;
    if (!purpose)
        return ERR_MEMORY;
    buf_init(&b, op->arena, LIMIT_PARAM);
    jw_init(&w, &b);
    TRY(jwk_print_public(k, op->arena, &w));
    TRY(key_to_der(k->key, op->arena, &der));
    TRY(keyring_seal(op, op->tenant->object.id, purpose, der, &n->sealed));
    n->kid = k->kid;
    n->public_jwk = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

static struct str key_payload(struct op *op, struct str alg, struct str kid)
{
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, 512);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "alg", alg);
    jw_m_str(&w, "kid", kid);
    jw_close(&w, '}');
    return buf_view(&b);
}

static err_t generate(struct op *op, enum alg alg, struct new_key *n)
{
    const struct alg_row *row = alg_row(alg);
    struct jwk k = {.alg = alg};
    TRY(key_generate(row->kind, row->rsa_bits, &k.key));
    err_t e = jwk_thumbprint(op->core->crypto, k.key, op->arena, &k.kid);
    if (e == ERR_OK)
        e = describe(op, &k, n);
    key_free(&k.key);
    if (e != ERR_OK)
        return e;
    n->store = op->core->store;
    n->tenant_id = op->tenant->object.id;
    n->id = store_new_id(n->store);
    n->now_s = op->now_s;
    n->alg = str_z(row->name);
    audit_make(op, AUDIT_KEY_MADE, arena_fmt(op->arena, "key:%.*s", STR_ARG(n->kid)),
               key_payload(op, n->alg, n->kid), &n->made);
    audit_make(op, AUDIT_KEY_RETIRED, arena_fmt(op->arena, "alg:%.*s", STR_ARG(n->alg)),
               key_payload(op, n->alg, STR_NONE), &n->retired);
    return ERR_OK;
}

/* --- writing --- */

struct same_alg {
    int64_t active[LIMIT_JWKS_KEYS]; /* rows that have not been told to retire yet */
    size_t nactive;
    int64_t n, pending_s;
};

static err_t read_same_alg(struct db *db, const struct new_key *k, struct same_alg *ret)
{
    struct rows r;
    TRY(db_rows(db, Q_TENANT_KEY_SIGNING, BIND(vint(k->tenant_id), vtext(k->alg)), &r));
    while (db_next(&r)) {
        ret->n++;
        if (db_int(&r, 2) > k->now_s)
            ret->pending_s = db_int(&r, 2);
        if (db_null(&r, 3) && ret->nactive < LIMIT_JWKS_KEYS)
            ret->active[ret->nactive++] = db_int(&r, 0);
    }
    return db_end(&r);
}

static err_t count_keys(struct db *db, int64_t tenant_id, int64_t *ret)
{
    struct rows r;
    TRY(db_rows(db, Q_TENANT_KEY_COUNT, BIND(vint(tenant_id)), &r));
    *ret = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

static err_t retire(struct db *db, const struct new_key *k, const struct same_alg *same)
{
    int64_t remove_s = k->active_s + LIMIT_ACCESS_TOKEN_LIFE + LIMIT_CLOCK_SKEW;
    for (size_t i = 0; i < same->nactive; i++)
        TRY(db_run(db, Q_TENANT_KEY_RETIRE,
                   BIND(vint(k->tenant_id), vint(same->active[i]), vint(k->active_s), vint(remove_s)), NULL));
    return same->nactive > 0 ? audit_write(db, k->store, &k->retired) : ERR_OK;
}

static err_t key_in_tx(struct db *db, void *ctx)
{
    struct new_key *k = ctx;
    struct same_alg same = {.n = 0};
    int64_t count = 0;
    TRY(db_claim(db, k->tenant_id, false));
    TRY(read_same_alg(db, k, &same));
    TRY(count_keys(db, k->tenant_id, &count));
    bool wanted = same.n == 0 || (k->rotate && same.pending_s == 0);
    bool won = wanted && count < LIMIT_JWKS_KEYS;
    /* The first of its algorithm is used at once: nobody has cached a key set without it and relied on that.
     */
    int64_t active_s = same.n == 0 ? k->now_s : k->active_s;
    if (won) {
        TRY(news_tenant_tx(db, k->tenant_id));
        TRY(db_run(db, Q_TENANT_KEY_INSERT,
                   BIND(vint(k->tenant_id), vint(k->id), vtext(STR("signing")), vtext(k->kid), vtext(k->alg),
                        vblob(k->sealed.p, k->sealed.n), vtext(k->public_jwk), vint(k->now_s),
                        vint(active_s)),
                   NULL));
        TRY(retire(db, k, &same));
        TRY(audit_write(db, k->store, &k->made));
    }
    k->won = won;
    k->full = wanted && !won;
    k->pending_s = same.pending_s;
    return ERR_OK;
}

static err_t add_key(struct op *op, enum alg alg, bool rotate, struct new_key *k)
{
    *k = (struct new_key){.rotate = rotate, .active_s = op->now_s + 2 * op->tenant->spec->jwks_max_age_s};
    TRY(generate(op, alg, k));
    TRY(store_tx(op->core->store, key_in_tx, k));
    cache_drop_tenant(op->core->cache, k->tenant_id);
    if (k->full)
        return op_fail(op, ERR_CONFLICT, "", "the tenant has %d signing keys already", LIMIT_JWKS_KEYS);
    return ERR_OK;
}

/* --- using --- */

/* The newest that is active. When the clock has been set back and none is, the oldest: better than one nobody
 * knows. */
static const struct signing_key *pick(const struct tenant *t, enum alg alg, int64_t now_s)
{
    const struct signing_key *newest = NULL, *oldest = NULL;
    for (size_t i = 0; i < t->nkeys; i++) {
        const struct signing_key *k = &t->keys[i];
        if (k->jwk.alg != alg)
            continue;
        if (k->active_s <= now_s && (!newest || k->active_s > newest->active_s))
            newest = k;
        if (!oldest || k->active_s < oldest->active_s)
            oldest = k;
    }
    return newest ? newest : oldest;
}

err_t tenant_signing_key(struct op *op, enum alg alg, const struct signing_key **ret)
{
    const struct signing_key *k = pick(op->tenant, alg, op->now_s);
    if (!k) {
        struct new_key made;
        TRY(add_key(op, alg, false, &made));
        /* The old snapshot stays held: the caller may be using it. */
        TRY(tenant_use_id(op, op->tenant->object.id));
        k = pick(op->tenant, alg, op->now_s);
    }
    if (!k)
        return op_fail(op, ERR_INTERNAL, "", "there is no signing key");
    *ret = k;
    return ERR_OK;
}

err_t keyring_rotate(struct op *op, enum alg alg)
{
    struct new_key k;
    TRY(op_permit(op, "key.write"));
    TRY(add_key(op, alg, true, &k));
    if (k.won)
        return ERR_OK;
    char when[32];
    time_rfc3339(k.pending_s, when);
    return op_fail(op, ERR_CONFLICT, "", "a new %s key is published already and signs from %s on",
                   alg_row(alg)->name, when);
}
