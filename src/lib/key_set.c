/* Key sets and snapshots: made, counted, handed out. */
#include "lib/parts.h"
#include <stdlib.h>

/* --- sets --- */

void key_set_release(struct key_set *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
        return;
    jwks_free(&s->owned);
    if (s->arena)
        arena_free(&s->arena);
    free(s);
}

static bool fits(const struct jwk *k, enum alg alg)
{
    return k->alg == alg || (k->alg_open && alg_fits(alg, k->key));
}

/* A key that names no algorithm stands for each of `algs` that it can do: the token's header chooses among those, and no key does
 * both signatures and encryption. */
static err_t spread(struct key_set *s, uint64_t algs)
{
    s->keys = (struct jwks){.v = arena_array(s->arena, struct jwk, s->owned.n * ALG_COUNT + 1)};
    if (!s->keys.v)
        return ERR_MEMORY;
    for (size_t i = 0; i < s->owned.n; i++) {
        for (enum alg alg = 0; alg < ALG_COUNT; alg++) {
            if (!(algs & ALG_BIT(alg)) || !fits(&s->owned.v[i], alg))
                continue;
            s->keys.v[s->keys.n] = s->owned.v[i];
            s->keys.v[s->keys.n++].alg = alg;
        }
    }
    return s->keys.n || !s->owned.n ? ERR_OK : ERR_KEY;
}

static err_t one_jwk(const json_t *doc, unsigned want, struct key_set *s)
{
    s->owned = (struct jwks){.v = arena_new_of(s->arena, struct jwk)};
    if (!s->owned.v)
        return ERR_MEMORY;
    TRY(jwk_parse(doc, want, s->arena, s->owned.v));
    s->owned.n = 1;
    return ERR_OK;
}

static err_t one_pem(struct str pem, struct key_set *s)
{
    s->owned = (struct jwks){.v = arena_new_of(s->arena, struct jwk)};
    if (!s->owned.v)
        return ERR_MEMORY;
    TRY(key_from_pem(pem, &s->owned.v->key));
    s->owned.n = 1;
    s->owned.v->alg = ALG_COUNT;
    s->owned.v->alg_open = true;
    return key_is_private(s->owned.v->key) ? ERR_OK : ERR_KEY;
}

static err_t parse(struct str text, unsigned want, struct key_set *s)
{
    json_t *doc = NULL;
    if (memmem(text.p, text.n, "-----BEGIN", 10) && (want & JWK_PRIVATE))
        return one_pem(text, s);
    TRY(json_load(text, &doc));
    err_t e = json_object_get(doc, "keys") || !(want & JWK_PRIVATE) ? jwks_from(doc, want, s->arena, &s->owned) : one_jwk(doc, want, s);
    json_decref(doc);
    return e;
}

static err_t make(struct str text, unsigned want, uint64_t algs, struct key_set **ret)
{
    struct key_set *s = calloc(1, sizeof(*s));
    if (!s)
        return ERR_MEMORY;
    s->refs = 1;
    s->stale_until_ms = INT64_MAX;
    s->arena = arena_new(LIMIT_REMOTE_ARENA);
    err_t e = s->arena ? parse(text, want, s) : ERR_MEMORY;
    if (e == ERR_OK)
        e = spread(s, algs);
    if (e != ERR_OK) {
        key_set_release(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

err_t key_set_parse(struct str text, struct key_set **ret)
{
    struct key_set *s;
    TRY(make(text, JWK_PUBLIC | JWK_SIG | JWK_LENIENT, ALGS_ASYMMETRIC, &s));
    s->text = arena_str(s->arena, text); /* too long to keep: compared with nothing */
    *ret = s;
    return ERR_OK;
}

err_t key_set_private(struct str text, struct key_set **ret)
{
    return make(text, JWK_PRIVATE | JWK_SECRET | JWK_ENC | JWK_LENIENT, ALGS_MANAGE_SERVER, ret);
}

void status_list_release(struct status_list *l)
{
    if (!l || atomic_fetch_sub(&l->refs, 1) > 1)
        return;
    free(l->bytes);
    free(l);
}

/* --- snapshots --- */

void snapshot_release(struct snapshot *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
        return;
    key_set_release(s->keys);
    for (size_t i = 0; i < s->lists_n; i++)
        status_list_release(s->lists[i]);
    free(s);
}

err_t snapshot_publish(struct mereau_verifier *v)
{
    struct snapshot *s = calloc(1, sizeof(*s) + v->wanted_n * sizeof(s->lists[0])), *old = v->now;
    if (!s)
        return ERR_MEMORY;
    s->refs = 1;
    s->keys = v->keys;
    if (s->keys)
        s->keys->refs++;
    for (size_t i = 0; i < v->wanted_n; i++) {
        if (!v->wanted[i].list)
            continue;
        s->lists[s->lists_n++] = v->wanted[i].list;
        v->wanted[i].list->refs++;
    }
    v->now = s;
    snapshot_release(old);
    return ERR_OK;
}

/* What a result holds cannot be freed, so an equal address is the same snapshot. */
const struct snapshot *snapshot_hold(struct mereau_verifier *v, struct mereau_result *r)
{
    if (r->snapshot && r->snapshot == atomic_load_explicit(&v->now, memory_order_acquire))
        return r->snapshot;
    snapshot_release(r->snapshot);
    pthread_mutex_lock(&v->lock);
    r->snapshot = v->now;
    if (r->snapshot)
        r->snapshot->refs++;
    pthread_mutex_unlock(&v->lock);
    return r->snapshot;
}
