/* A verifier: its options read, checked and copied; its end. */
#include "lib/parts.h"
#include <stdlib.h>

#define OPTION_LIST     64 /* members of audiences and of allow */
#define VERIFIER_ARENA  (256 * 1024)
#define SKEW_DEFAULT_S  60
#define STATUS_STALE_S  300
#define WAIT_DEFAULT_MS 2000

const char *mereau_version(void)
{
    return MEREAU_VERSION;
}

const char *mereau_strerror(enum mereau_status status)
{
    static const char *const texts[] = {
        [MEREAU_OK] = "fine",
        [MEREAU_MISSING] = "there is no bearer token",
        [MEREAU_INVALID] = "the token is not valid",
        [MEREAU_DECRYPT] = "the token cannot be decrypted",
        [MEREAU_UNKNOWN_KEY] = "the token is signed with a key that its issuer does not name",
        [MEREAU_EXPIRED] = "the token has expired, or is not valid yet",
        [MEREAU_AUDIENCE] = "the token is for another audience",
        [MEREAU_REVOKED] = "the token has been revoked",
        [MEREAU_TRY_AGAIN] = "keys or a status list have to be fetched first",
        [MEREAU_UNAVAILABLE] = "there are no keys, or no status list, recent enough to judge by",
        [MEREAU_NETWORK] = "the issuer could not be reached, or gave no sound answer",
        [MEREAU_OPTIONS] = "an option is missing or wrong",
        [MEREAU_MEMORY] = "out of memory",
        [MEREAU_CRYPTO] = "a cryptographic operation failed",
    };
    return (size_t)status < sizeof(texts) / sizeof(texts[0]) ? texts[status] : "unknown status";
}

enum mereau_status status_of(err_t e)
{
    return e == ERR_OK ? MEREAU_OK : e == ERR_MEMORY ? MEREAU_MEMORY : e == ERR_CRYPTO ? MEREAU_CRYPTO : MEREAU_OPTIONS;
}

/* --- options --- */

/* Copies a list; ERR_PARAM_BAD when it is too long. */
static err_t copy_list(struct arena *a, const char *const *from, struct strs *ret)
{
    size_t n = 0;
    while (from && from[n])
        if (++n > OPTION_LIST)
            return ERR_PARAM_BAD;
    struct str *v = arena_array(a, struct str, n);
    if (!v)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        v[i] = arena_str(a, str_z(from[i]));
        if (!v[i].p)
            return ERR_MEMORY;
        if (!v[i].n)
            return ERR_PARAM_BAD;
    }
    *ret = (struct strs){v, n};
    return ERR_OK;
}

static err_t read_algorithms(const char *names, uint64_t *ret)
{
    struct str rest = str_z(names), word;
    uint64_t algs = 0;
    while (str_word(&rest, ' ', &word)) {
        enum alg alg;
        if (!alg_find_in(word, ALGS_ASYMMETRIC, &alg))
            return ERR_ALG;
        algs |= algs_named(alg) & ALGS_ASYMMETRIC;
    }
    *ret = names ? algs : ALGS_ASYMMETRIC;
    return *ret ? ERR_OK : ERR_ALG;
}

/* 0 is the default, negative is none; false if it is not between 1 and most. */
static bool amount(int64_t given, int64_t usual, int64_t most, int64_t *ret)
{
    *ret = given == 0 ? usual : given < 0 ? 0 : given;
    return *ret <= most;
}

static err_t read_amounts(struct mereau_verifier *v, const struct mereau_options *o)
{
    int64_t skew_s;
    bool ok = amount(o->clock_skew_s, SKEW_DEFAULT_S, LIMIT_CLOCK_SKEW, &skew_s) &&
              amount(o->stale_s, LIMIT_REMOTE_STALE_S, LIMIT_SECONDS, &v->stale_s) &&
              amount(o->status_stale_s, STATUS_STALE_S, LIMIT_SECONDS, &v->status_stale_s) &&
              amount(o->timeout_ms, LIMIT_REMOTE_MS, LIMIT_LIB_WAIT_MS, &v->timeout_ms) &&
              amount(o->wait_ms, WAIT_DEFAULT_MS, LIMIT_LIB_WAIT_MS, &v->wait_ms) && v->timeout_ms > 0;
    v->refresh_s = o->refresh_s;
    if (!ok || (v->refresh_s && (v->refresh_s < LIMIT_REMOTE_FRESH_MIN_S || v->refresh_s > LIMIT_REMOTE_FRESH_MAX_S)))
        return ERR_PARAM_BAD;
    v->access.skew_s = v->id.skew_s = skew_s;
    return ERR_OK;
}

/* scheme://host:port; what a status list's address has to begin with. */
static struct str origin_of(struct str url)
{
    const char *host = memmem(url.p, url.n, "://", 3);
    if (!host)
        return STR_NONE;
    struct str rest = {host + 3, url.n - (size_t)(host + 3 - url.p)};
    return (struct str){url.p, url.n - rest.n + str_find(rest, '/')};
}

static err_t read_parties(struct mereau_verifier *v, const struct mereau_options *o)
{
    v->issuer = arena_str(v->arena, str_z(o->issuer));
    if (!o->issuer || !v->issuer.n || v->issuer.n > LIMIT_TEXT)
        return ERR_PARAM_BAD;
    TRY(net_url_check(v->net, v->issuer, NULL));
    v->origin = origin_of(v->issuer);
    v->access = jwt_profile_of(JWT_ACCESS_TOKEN);
    v->id = jwt_profile_of(JWT_ID_TOKEN);
    v->access.iss = v->id.iss = v->issuer;
    TRY(copy_list(v->arena, o->audiences, &v->access.aud));
    if (!v->origin.n || str_find(v->issuer, '?') < v->issuer.n || str_find(v->issuer, '#') < v->issuer.n || !v->access.aud.n)
        return ERR_PARAM_BAD;
    v->id.aud = v->access.aud;
    v->id.azp = v->access.aud.v[0];
    TRY(read_algorithms(o->algorithms, &v->access.algs));
    v->id.algs = v->access.algs;
    return read_amounts(v, o);
}

static err_t make_net(struct mereau_verifier *v, const struct mereau_options *o)
{
    struct strs allow;
    TRY(copy_list(v->arena, o->allow, &allow));
    v->net = net_new(&(struct net_config){.allow = allow, .ca_file = o->ca_file});
    return v->net ? ERR_OK : ERR_PARAM_BAD;
}

static err_t read_keys(struct mereau_verifier *v, const struct mereau_options *o)
{
    if (o->decryption_keys)
        TRY(key_set_private(str_z(o->decryption_keys), &v->own));
    if (!o->jwks)
        return ERR_OK;
    TRY(key_set_parse(str_z(o->jwks), &v->keys));
    v->keys_due_ms = INT64_MAX;
    return v->keys->keys.n ? ERR_OK : ERR_KEY;
}

static err_t set_up(struct mereau_verifier *v, const struct mereau_options *o)
{
    v->arena = arena_new(VERIFIER_ARENA);
    v->scratch = arena_new(LIMIT_LIB_SCRATCH);
    if (!v->arena || !v->scratch)
        return ERR_MEMORY;
    v->status_list = o->status_list;
    v->background = !o->no_background && (!o->jwks || o->status_list);
    TRY(crypto_new(&v->crypto));
    TRY(make_net(v, o));
    TRY(read_parties(v, o));
    TRY(read_keys(v, o));
    TRY(snapshot_publish(v));
    return refresh_start(v);
}

static void tear_down(struct mereau_verifier *v)
{
    snapshot_release(v->now);
    key_set_release(v->keys);
    key_set_release(v->own);
    for (size_t i = 0; i < v->wanted_n; i++) {
        status_list_release(v->wanted[i].list);
        free(v->wanted[i].uri);
    }
    net_free(&v->net);
    if (v->crypto)
        crypto_free(&v->crypto);
    if (v->scratch)
        arena_free(&v->scratch);
    if (v->arena)
        arena_free(&v->arena);
    free(v);
}

enum mereau_status mereau_verifier_new(const struct mereau_options *options, struct mereau_verifier **ret)
{
    struct mereau_options o = {.size = sizeof(o)};
    if (!options || options->size < offsetof(struct mereau_options, algorithms) || options->size > sizeof(o))
        return MEREAU_OPTIONS;
    memcpy(&o, options, options->size); /* an older caller's is shorter: the rest is default */
    struct mereau_verifier *v = calloc(1, sizeof(*v));
    if (!v)
        return MEREAU_MEMORY;
    err_t e = set_up(v, &o);
    if (e != ERR_OK) {
        tear_down(v);
        return status_of(e);
    }
    *ret = v;
    return MEREAU_OK;
}

void mereau_verifier_free(struct mereau_verifier **v)
{
    if (!v || !*v)
        return;
    refresh_end(*v);
    tear_down(*v);
    *v = NULL;
}
