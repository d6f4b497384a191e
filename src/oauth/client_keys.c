/* Keys between a tenant and a client: what the tenant signs with for it, what it is encrypted to. */
#include "oauth/client.h"
#include "jose/jwe.h"
#include "token/remote_keys.h"

err_t tenant_jwks(struct op *op, struct jwks *ret)
{
    size_t n = op->tenant->nkeys;
    struct jwk *v = arena_array(op->arena, struct jwk, n + 1);
    if (!v)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        v[i] = op->tenant->keys[i].jwk;
    *ret = (struct jwks){v, n};
    return ERR_OK;
}

err_t client_signing_key(struct op *op, struct str alg, const struct signing_key **ret)
{
    enum alg a;
    if (!alg_find_in(alg.n ? alg : op->tenant->spec->signing_alg, ALGS_ISSUED, &a))
        return op_fail(op, ERR_INTERNAL, "", "the signing algorithm is unknown");
    return tenant_signing_key(op, a, ret);
}

/* Libraries fetch the key set once and are slow to fetch it again: a key that is made only when it first signs surprises them. */
err_t client_written(struct op *op, const struct object *o)
{
    const struct client *c = client_of(o);
    const struct str algs[] = {c->id_token_signed_response_alg, c->userinfo_signed_response_alg,
                               str_is(c->access_token_format, "jwt") ? c->access_token_signing_alg : STR_NONE};
    const bool needed[] = {true, c->userinfo_signed_response_alg.n > 0, str_is(c->access_token_format, "jwt")};
    if (op->core->dry || o->disabled || !str_has_word(c->scope, ' ', STR(SCOPE_OPENID)))
        return ERR_OK;
    for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        const struct signing_key *key;
        if (needed[i])
            TRY(client_signing_key(op, algs[i], &key));
    }
    return ERR_OK;
}

err_t client_encrypt(struct op *op, const struct client *c, struct str alg, struct str enc, struct str text, struct str *ret)
{
    const struct jwks *all;
    struct jwks fit;
    enum alg a;
    enum enc e;
    if (!alg_find_in(alg, ALGS_MANAGE_PUBLIC, &a) || !enc_find(enc, &e))
        return op_fail(op, ERR_INTERNAL, "", "the client's encryption algorithms are unknown");
    TRY(remote_keys_of(op, c->jwks, c->jwks_uri, STR_NONE, &all));
    TRY(jwks_bind(all, a, op->arena, &fit));
    if (!fit.n)
        return op_fail(op, ERR_CLIENT_METADATA, "jwks", "the client's key set has no key for %s", alg_row(a)->name);
    if (str_starts(text, STR("{")))
        return jwe_encrypt(op->core->crypto, &fit.v[0], e, NULL, text, op->arena, ret);
    return jwt_encrypt(op->core->crypto, &fit.v[0], e, text, op->arena, ret);
}
