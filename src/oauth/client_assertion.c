/* Client authentication by a JWT (RFC 7523 section 3, OpenID Connect Core section 9): private_key_jwt and client_secret_jwt. What
 * stands in the assertion is judged first, for anybody; then its signature, which takes one verification for a known client as for
 * an unknown one (A38); what only this client is told comes after that, and last its jti is used up (A40). Keys may have to be
 * fetched and the jti is written, so no event thread comes here: api_may_inline hands such requests to a worker. */
#include "oauth/client_auth.h"
#include "base/limits.h"
#include "token/remote_keys.h"
#include "token/seen.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define SECRETS        2 /* the one in use, and the one before */
#define FAILED         "client authentication failed"

/* Public keys whose private halves nobody has: what is verified with for clients that are not there. */
static const char nobody[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"n9PhKLpfnJSdj-mq_B_hYv7SR3XrUKKgjOc2V4_LtoOByU_nY67jcuUPLFQ5ymMrzjfHObl70SYKeDqGjI"
    "GspFVw6WR5EtdtLTxQlS0cPB2bYaAUm5b8EvyzwzpDtXyCgf6X7BayrkH1a2FLlAfqpkaTmjWu1qu_v1Ue_mZr5QurdFaozr_-zRt5klHOUwyjh86dTJG6"
    "lWk1kM3k6r99SR5sRAy78MclV2wxy9h7OkEN_c-0-UdUMER3Ses3SRxmX2pjVmf5O-diUk383Hh4h_m9XvuuXiCWF31E0Sk76Sg0laoUG8oLF9D9WtoApf"
    "FTSzdCs5yHG0vc-b-CjNxs7Q\",\"e\":\"AQAB\"},"
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"EeDRRZrhTSW4VwKMYofYogZ2Co8DHRMgoOgAyPV44Mk\",\"y\":\"07tsuQFR6MprQg6EyRKNj0"
    "J48NDiZdFRUnZnmCXkOrM\"},"
    "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"mj52c9rwRzkTtPnK3zIe0FIrNwT_nX1-ijoPv_JLd2Qb-_3yeSdKVSFOCHEk5L20\",\"y\":\"s"
    "wRGxAvw_m9hqXkBmS03j2F-eQ3Y75ZUmWECpOhNH0fjqdyHj-xTeYivYtOO6_DR\"},"
    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"APC1XxvRMnp9IkEspNQj-m3gfgDzGvbVcZOmKG7EwOT3Y9qq69EtWPV63t2lmI84S_NRhohcB3T9"
    "NpXXNwXiPKtL\",\"y\":\"ADmtVdX1mA6Q_v9j-VBVW5iAXVhACCsYtH3LXGfKuFmBIM-IrAldbqcDPK8jaO7jHoMzTm5VtxUTlTb8gdWa5pXP\"},"
    "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"D25A1ZII5zfIL1i7T_IffZLOhsG-HzKEeDg1a6URyOo\",\"y\":\"yRfyVbv_nmMIzPFpA2"
    "aYeVxFxP6F0hngB6KcZottCNU\"},"
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"aoeHgSDnanCSR1NmF8KUwKrthx13EK5PYVO4vtMFBHs\"},"
    "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"U7-syLh-bB2oBxW_ehL53EAEoHJ_NOQsFuuM918sK1BP6V-t8rrzHoPK3fUg8WmUXrzE5eHEfVu"
    "A\"}]}";

/* What may have signed: a copy of each key under the assertion's own kid, which is chosen by already. */
struct candidates {
    struct jwk v[LIMIT_ASSERTION_KEYS];
    size_t n;
    bool own; /* the client's; else nobody's, and nothing they verify counts */
    bool secrets; /* made here: to be freed */
};

static void add(struct candidates *c, struct jwk k, const struct jwt *t)
{
    k.kid = t->kid;
    if (c->n < LIMIT_ASSERTION_KEYS)
        c->v[c->n++] = k;
}

/* --- keys --- */

static err_t pick(struct op *op, const struct jwks *set, const struct jwt *t, struct candidates *ret)
{
    struct jwks fit;
    for (int alg = 0; alg < ALG_COUNT; alg++) {
        if (!(algs_named(t->alg) & ALG_BIT(alg)))
            continue;
        TRY(jwks_bind(set, (enum alg)alg, op->arena, &fit));
        for (size_t i = 0; i < fit.n; i++)
            if (!t->kid.p || str_eq(fit.v[i].kid, t->kid))
                add(ret, fit.v[i], t);
    }
    return ERR_OK;
}

static err_t add_secret(struct str secret, const struct jwt *t, struct candidates *ret)
{
    struct jwk k = {.alg = t->alg};
    err_t e = secret.n ? key_from_secret(secret, &k.key) : ERR_KEY;
    if (e == ERR_OK && alg_fits(k.alg, k.key) && ret->n < LIMIT_ASSERTION_KEYS)
        add(ret, k, t);
    else
        key_free(&k.key);
    return e == ERR_MEMORY ? e : ERR_OK;
}

static err_t secrets_of(struct op *op, const struct object *o, const struct jwt *t, struct candidates *ret)
{
    ret->secrets = true;
    for (size_t i = 0; i < SECRETS; i++) {
        struct str sealed = client_sealed_nth(o->secret, i);
        if (sealed.p)
            TRY(add_secret(client_secret_open(op, client_of(o), sealed), t, ret));
    }
    return ERR_OK;
}

static err_t keys_of(struct op *op, const struct object *o, const struct jwt *t, struct candidates *ret)
{
    const struct client *c = client_of(o);
    const struct jwks *set;
    struct fault before = op->fault;
    err_t e = remote_keys_of(op, c->jwks, c->jwks_uri, t->kid, &set);
    if (e == ERR_OK)
        return pick(op, set, t, ret);
    op->fault = before; /* why there are none is in the log: not everybody's business */
    return e == ERR_BUSY || e == ERR_MEMORY ? e : ERR_OK;
}

static err_t nobodys(struct op *op, const struct jwt *t, struct candidates *ret)
{
    static const char secret[LIMIT_KEY_SECRET] = "nobody";
    struct jwt any = *t;
    const struct jwks *set;
    json_t *doc = NULL;
    any.kid = STR_NONE;
    *ret = (struct candidates){0};
    if (ALGS_HMAC & ALG_BIT(t->alg)) {
        ret->secrets = true;
        return add_secret((struct str){secret, 64}, t, ret);
    }
    TRY(json_load(str_z(nobody), &doc));
    TRY(json_keep(op->arena, doc));
    TRY(remote_keys_of(op, doc, STR_NONE, STR_NONE, &set));
    TRY(pick(op, set, &any, ret));
    ret->n = ret->n ? 1 : 0;
    ret->v[0].kid = t->kid;
    return ERR_OK;
}

/* The algorithms that the client's method and registration leave (A39). */
static uint64_t algs_of(const struct client *c)
{
    uint64_t algs = str_is(c->token_endpoint_auth_method, "private_key_jwt")     ? ALGS_ASYMMETRIC
                    : str_is(c->token_endpoint_auth_method, "client_secret_jwt") ? ALGS_HMAC
                                                                                 : 0;
    enum alg alg;
    if (!c->token_endpoint_auth_signing_alg.n)
        return algs;
    return alg_find_in(c->token_endpoint_auth_signing_alg, algs, &alg) ? algs_named(alg) : 0;
}

/* o may be NULL. There is always something to verify with. */
static err_t candidates_of(struct op *op, const struct object *o, const struct jwt *t, struct candidates *ret)
{
    *ret = (struct candidates){.own = true};
    if (o && !o->disabled && (algs_of(client_of(o)) & ALG_BIT(t->alg)))
        TRY((ALGS_HMAC & ALG_BIT(t->alg)) ? secrets_of(op, o, t, ret) : keys_of(op, o, t, ret));
    return ret->n ? ERR_OK : nobodys(op, t, ret);
}

static void candidates_free(struct candidates *c)
{
    for (size_t i = 0; c->secrets && i < c->n; i++)
        key_free(&c->v[i].key);
}

/* --- the assertion --- */

/* What anybody's assertion has to look like here. aud is one string (A41). */
static struct jwt_profile widest(struct op *op, const struct jwt *t)
{
    struct jwt_profile p = jwt_profile_of(JWT_CLIENT_ASSERTION);
    struct str *aud = arena_array(op->arena, struct str, 2);
    p.iss = t->sub;
    p.aud_alone = true;
    p.max_life_s = LIMIT_ASSERTION_LIFE;
    if (aud) {
        aud[0] = op->tenant->issuer;
        aud[1] = arena_fmt(op->arena, "%.*s/token", STR_ARG(op->tenant->issuer));
        p.aud = (struct strs){aud, 2};
    }
    return p;
}

static void narrow(const struct client *c, struct jwt_profile *p)
{
    p->max_life_s = c->assertion_life_s;
    if (!str_is(c->assertion_aud, "token_endpoint"))
        p->aud.n = 1;
}

static err_t verify(struct op *op, const struct object *o, const struct client_credentials *c, const struct jwt *t,
                    const struct jwt_profile *p, bool *ret_right)
{
    struct candidates k;
    struct jwt_profile mine = *p;
    struct jwt verified;
    err_t e = candidates_of(op, o, t, &k);
    *ret_right = false;
    mine.algs = algs_named(t->alg);
    for (size_t i = 0; e == ERR_OK && i < k.n && !*ret_right; i++) {
        struct jwks one = {&k.v[i], 1};
        e = jwt_verify(op->core->crypto, c->assertion, &one, &mine, op->now_s, op->arena, &verified, NULL);
        *ret_right = e == ERR_OK && k.own;
        if (e == ERR_TOKEN_INVALID)
            e = ERR_OK;
    }
    candidates_free(&k);
    return e;
}

/* Kept a while longer than the assertion lives, should a clock be put back. */
static err_t use_up(struct op *op, const struct object *o, const struct jwt *t)
{
    struct str who = arena_fmt(op->arena, "client:%lld:", (long long)o->id);
    bool first = false;
    TRY(seen_once(op, who, t->jti, t->exp_s + LIMIT_CLOCK_SKEW, &first));
    return first ? ERR_OK : client_refuse(op, o->name, "client_assertion was used before");
}

static err_t prove(struct op *op, const struct object *o, const struct client_credentials *c, const struct jwt *t,
                   struct jwt_profile *p)
{
    bool right;
    TRY(verify(op, o, c, t, p, &right));
    if (!right) {
        if (o)
            client_look_up_nothing(op, t->sub);
        return client_refuse(op, t->sub, FAILED);
    }
    narrow(client_of(o), p);
    const char *why = jwt_fault(t, p, op->now_s, op->arena);
    return why ? client_refuse(op, o->name, arena_fmt(op->arena, "client_assertion: %s", why).p) : use_up(op, o, t);
}

/* Says what is wrong in words that hold for every client, there or not. */
static const char *malformed(struct op *op, const struct client_credentials *c, const struct jwt *t, const struct jwt_profile *p)
{
    if (!t->sub.n || t->sub.n > LIMIT_NAME || !t->jti.n)
        return "sub or jti is missing or too long";
    if (c->client_id.p && !str_eq(c->client_id, t->sub))
        return "client_id is another than sub";
    return jwt_fault(t, p, op->now_s, op->arena);
}

err_t client_assert(struct op *op, const struct client_credentials *c, struct object **ret_client)
{
    struct jwt t;
    struct object *o = NULL;
    if (!str_is(c->assertion_type, ASSERTION_TYPE))
        return client_refuse(op, c->client_id, "client_assertion_type is not " ASSERTION_TYPE);
    err_t e = jwt_peek(c->assertion, op->arena, &t);
    if (e == ERR_TOKEN_INVALID)
        return client_refuse(op, c->client_id, "client_assertion is not a signed JWT");
    TRY(e);
    struct jwt_profile p = widest(op, &t);
    const char *why = malformed(op, c, &t, &p);
    if (!p.aud.n)
        return ERR_MEMORY;
    if (why)
        return client_refuse(op, t.sub, arena_fmt(op->arena, "client_assertion: %s", why).p);
    e = object_get(op, &kind_client, t.sub, &o);
    if (e == ERR_NOT_FOUND)
        op->fault = (struct fault){0};
    else
        TRY(e);
    TRY(prove(op, o, c, &t, &p));
    *ret_client = o;
    return ERR_OK;
}
