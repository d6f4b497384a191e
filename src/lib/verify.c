/* Verifying a token: what is needed for it is held, the token judged, and only when a key or a list is missing is anything waited for. */
#include "lib/parts.h"

#define USED_STEP_MS (60 * 1000) /* a list's last use is noted no more often, so that threads do not fight for it */

struct task {
    struct mereau_verifier *v;
    struct mereau_result *r;
    struct jwt_profile profile;
    struct str token; /* the signed one */
};

static enum mereau_status refuse(struct task *t, enum mereau_status s, const char *why)
{
    (void)fault_set(&t->r->why, ERR_TOKEN_INVALID, "", "%s", why);
    return s;
}

/* --- telling refusals apart --- */

static bool kid_known(const struct jwks *keys, struct str kid)
{
    for (size_t i = 0; i < keys->n; i++)
        if (!kid.p || (keys->v[i].kid.p && str_eq(keys->v[i].kid, kid)))
            return true;
    return false;
}

/* Of a token that was refused. Without a right signature its claims are nobody's word: they are compared only if it was they that
 * were refused, which jwt_verify looks at last. */
static enum mereau_status classify(const struct task *t, const struct jwks *keys, int64_t now_s)
{
    struct jwt seen;
    struct jwt_profile p = t->profile;
    struct arena *a = t->r->arena;
    if (jwt_peek(t->token, a, &seen) != ERR_OK)
        return MEREAU_INVALID;
    if ((p.algs & algs_named(seen.alg)) && !kid_known(keys, seen.kid))
        return MEREAU_UNKNOWN_KEY;
    const char *why = jwt_fault(&seen, &p, now_s, a);
    if (!why || strcmp(why, t->r->why.detail) != 0)
        return MEREAU_INVALID;
    p.aud = (struct strs){NULL, 0};
    if (!jwt_fault(&seen, &p, now_s, a))
        return MEREAU_AUDIENCE;
    p = t->profile;
    p.skew_s = LIMIT_TIME_S;
    p.max_life_s = 0;
    return jwt_fault(&seen, &p, now_s, a) ? MEREAU_INVALID : MEREAU_EXPIRED;
}

/* --- signature and claims --- */

static enum mereau_status judge(struct task *t, const struct snapshot *s)
{
    struct mereau_result *r = t->r;
    int64_t now_s = clock_wall_s(&clock_system);
    r->why = (struct fault){0};
    if (!s || !s->keys || steady_ms() >= s->keys->stale_until_ms)
        return refuse(t, MEREAU_UNAVAILABLE, "there are no keys of the issuer, or only too old ones");
    err_t e = jwt_verify(t->v->crypto, t->token, &s->keys->keys, &t->profile, now_s, r->arena, &r->jwt, &r->why);
    if (e == ERR_OK)
        return MEREAU_OK;
    if (e == ERR_MEMORY || e == ERR_CRYPTO)
        return refuse(t, status_of(e), err_text(e));
    return classify(t, &s->keys->keys, now_s);
}

static enum mereau_status check_token(struct task *t)
{
    enum mereau_status s = judge(t, snapshot_hold(t->v, t->r));
    if (s != MEREAU_UNKNOWN_KEY && s != MEREAU_UNAVAILABLE)
        return s;
    if (refresh_for_keys(t->v, s == MEREAU_UNKNOWN_KEY))
        return MEREAU_TRY_AGAIN;
    return judge(t, snapshot_hold(t->v, t->r));
}

/* --- the status list --- */

static struct status_list *list_find(const struct snapshot *s, struct str uri, int64_t now)
{
    for (size_t i = 0; i < s->lists_n; i++)
        if (str_is(uri, s->lists[i]->uri))
            return now < s->lists[i]->stale_until_ms ? s->lists[i] : NULL;
    return NULL;
}

static enum mereau_status look_up(struct task *t, const struct status_place *p)
{
    const struct snapshot *s = snapshot_hold(t->v, t->r);
    int64_t now = steady_ms();
    unsigned value;
    struct status_list *l = s ? list_find(s, p->uri, now) : NULL;
    if (!l)
        return refuse(t, MEREAU_UNAVAILABLE, "its status list is not here, or too old");
    if (now - atomic_load_explicit(&l->used_ms, memory_order_relaxed) > USED_STEP_MS)
        atomic_store_explicit(&l->used_ms, now, memory_order_relaxed);
    if (!status_at(l, p->idx, &value))
        return refuse(t, MEREAU_INVALID, "its place in the status list does not exist");
    return value == 0 ? MEREAU_OK : refuse(t, MEREAU_REVOKED, "its status list says that it is not valid any more");
}

/* Nobody but the issuer may say what its tokens are worth, and no token may lead us to call elsewhere. */
static bool of_issuer(const struct mereau_verifier *v, struct str uri)
{
    return str_starts(uri, v->origin) && uri.n > v->origin.n && uri.p[v->origin.n] == '/';
}

static enum mereau_status check_status(struct task *t)
{
    struct status_place p;
    err_t e = status_place(t->r->jwt.payload, t->r->arena, &p);
    if (e == ERR_NOT_FOUND)
        return MEREAU_OK;
    if (e == ERR_MEMORY)
        return refuse(t, MEREAU_MEMORY, err_text(e));
    if (e != ERR_OK || !of_issuer(t->v, p.uri))
        return refuse(t, MEREAU_INVALID, "status is malformed, or names a list that is not the issuer's");
    enum mereau_status s = look_up(t, &p);
    if (s != MEREAU_UNAVAILABLE)
        return s;
    if (refresh_for_list(t->v, p.uri))
        return MEREAU_TRY_AGAIN;
    t->r->why = (struct fault){0};
    return look_up(t, &p);
}

/* --- the whole --- */

static enum mereau_status unwrap(struct task *t)
{
    static const struct jwe_accept accept = {ALGS_MANAGE_SERVER, ENCS_ALL};
    struct mereau_verifier *v = t->v;
    if (!jwt_is_encrypted(t->token))
        return MEREAU_OK;
    err_t e = v->own ? jwt_decrypt(v->crypto, &v->own->keys, &accept, t->token, t->r->arena, &t->token) : ERR_DECRYPT;
    if (e == ERR_OK)
        return MEREAU_OK;
    return refuse(t, e == ERR_MEMORY ? MEREAU_MEMORY : MEREAU_DECRYPT, v->own ? err_text(e) : "it is encrypted, and there is no key for that");
}

static enum mereau_status verify(struct task *t, const char *token, size_t n)
{
    struct mereau_result *r = t->r;
    arena_reset(r->arena);
    r->members = NULL;
    r->why = (struct fault){0};
    r->sound = false;
    t->token = (struct str){token, n};
    enum mereau_status s = token && n ? unwrap(t) : refuse(t, MEREAU_MISSING, "there is no token");
    if (s == MEREAU_OK)
        s = check_token(t);
    if (s == MEREAU_OK && t->v->status_list)
        s = check_status(t);
    r->sound = s == MEREAU_OK;
    return s;
}

enum mereau_status mereau_verify(struct mereau_verifier *v, const char *token, size_t n, struct mereau_result *r)
{
    struct task t = {.v = v, .r = r, .profile = v->access};
    return verify(&t, token, n);
}

enum mereau_status mereau_verify_id_token(struct mereau_verifier *v, const char *token, size_t n, const char *nonce, struct mereau_result *r)
{
    struct task t = {.v = v, .r = r, .profile = v->id};
    t.profile.nonce = str_z(nonce);
    return verify(&t, token, n);
}

enum mereau_status mereau_verify_header(struct mereau_verifier *v, const char *value, struct mereau_result *r)
{
    struct str s = str_trim(str_z(value)), scheme = {s.p, str_find(s, ' ')};
    struct str token = str_trim((struct str){s.p + scheme.n, s.n - scheme.n});
    return mereau_verify(v, token.p, str_eq_nocase(scheme, STR("Bearer")) ? token.n : 0, r);
}
