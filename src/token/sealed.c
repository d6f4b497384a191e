/* Secrets of configured objects that must come back in the clear (to sign or to send): sealed, not hashed. Beside the sealed
 * text stands a keyed fingerprint that says whether a secret in the file is a new one: {"fingerprint":..., "sealed":...}. */
#include "token/tenant_parts.h"
#include "base/enc.h"
#include "base/limits.h"

struct str sealed_part(struct arena *a, struct str stored, const char *member)
{
    json_t *doc = NULL;
    if (!stored.p || json_load(stored, &doc) != ERR_OK)
        return STR_NONE;
    struct str ret = arena_str(a, json_str(json_object_get(doc, member)));
    json_decref(doc);
    return ret;
}

static struct str purpose_of(struct op *op, const struct object_kind *k, struct str name)
{
    return arena_fmt(op->arena, "%s:%.*s", k->name, STR_ARG(name));
}

err_t sealed_secret_make(struct op *op, const struct object_kind *k, struct str name, struct str secret, struct str old,
                         struct str *ret)
{
    struct str purpose = purpose_of(op, k, name), sealed, print;
    if (secret.n == 0) {
        *ret = old;
        return ERR_OK;
    }
    if (!purpose.p)
        return ERR_MEMORY;
    TRY(keyring_fingerprint(op, purpose, secret, &print));
    if (old.p && str_eq(sealed_part(op->arena, old, "fingerprint"), print)) {
        *ret = old;
        return ERR_OK;
    }
    TRY(keyring_seal(op, op->tenant->object.id, purpose.p, secret, &sealed));
    struct buf b;
    struct jw j;
    struct buf text;
    buf_init(&text, op->arena, 4 * LIMIT_TEXT);
    enc_b64url(&text, sealed.p, sealed.n);
    buf_init(&b, op->arena, 8 * LIMIT_TEXT);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_m_str(&j, "fingerprint", print);
    jw_m_str(&j, "sealed", buf_view(&text));
    jw_close(&j, '}');
    if (!buf_ok(&b) || !buf_ok(&text))
        return ERR_MEMORY;
    *ret = buf_view(&b);
    return ERR_OK;
}

err_t sealed_secret_open(struct op *op, const struct tenant *t, const struct object_kind *k, struct str name, struct str stored,
                         struct str *ret)
{
    struct str sealed, purpose = purpose_of(op, k, name);
    if (!purpose.p)
        return ERR_MEMORY;
    if (!dec_b64url(op->arena, sealed_part(op->arena, stored, "sealed"), &sealed))
        return ERR_DECRYPT;
    return keyring_open_with(op, t, purpose.p, sealed, ret);
}
