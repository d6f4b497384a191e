/* A client's own questions, and what is kept of its secret. */
#include "oauth/client.h"
#include "oauth/client_auth.h"
#include "oauth/register.h"
#include "token/keyring.h"

bool client_has_grant(const struct client *c, const char *grant_type)
{
    return strs_has(c->grant_types, str_z(grant_type));
}

bool client_is_public(const struct client *c)
{
    return str_is(c->token_endpoint_auth_method, "none");
}

bool client_has_secret(const struct client *c)
{
    return !client_is_public(c) && !str_is(c->token_endpoint_auth_method, "private_key_jwt");
}

/* --- secrets: a JSON array of one or two hex HMACs, the newest first. Behind the HMAC of a secret that signs assertions stand a
 * dot and the secret itself, sealed. --- */

static bool client_signs_with_secret(const struct client *c)
{
    return str_is(c->token_endpoint_auth_method, "client_secret_jwt");
}

static const char *seal_purpose(struct op *op, const struct client *c)
{
    return arena_fmt(op->arena, "client_secret:%.*s", STR_ARG(c->client_id)).p;
}

err_t client_secret_seal(struct op *op, const struct client *c, struct str *ret_b64url)
{
    const char *purpose = seal_purpose(op, c);
    struct str sealed;
    struct buf b;
    if (!purpose)
        return ERR_MEMORY;
    TRY(keyring_seal(op, tenant_id_of(op), purpose, c->client_secret, &sealed));
    buf_init(&b, op->arena, 4 * LIMIT_TEXT);
    enc_b64url(&b, sealed.p, sealed.n);
    *ret_b64url = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

struct str client_secret_open(struct op *op, const struct client *c, struct str sealed_b64url)
{
    const char *purpose = seal_purpose(op, c);
    struct str sealed, secret;
    if (!purpose || !dec_b64url(op->arena, sealed_b64url, &sealed) ||
        keyring_open_sealed(op, tenant_id_of(op), purpose, sealed, &secret) != ERR_OK)
        return STR_NONE;
    return secret;
}

/* One secret as it is kept. */
struct kept {
    struct str mac, sealed; /* sealed STR_NONE: not known in the clear, or not needed */
};

static struct kept kept_nth(const struct client *c, struct str stored, size_t n)
{
    return (struct kept){client_secret_nth(stored, n), client_signs_with_secret(c) ? client_sealed_nth(stored, n) : STR_NONE};
}

static err_t keep_new(struct op *op, const struct client *c, struct str old, struct kept list[static 2])
{
    char mac[CLIENT_SECRET_MAC];
    client_secret_mac(op, c->client_secret, mac);
    struct kept fresh = {.mac = arena_str(op->arena, (struct str){mac, sizeof(mac)})};
    if (!fresh.mac.p)
        return ERR_MEMORY;
    if (str_eq_secret(fresh.mac, list[0].mac) && (list[0].sealed.p || !client_signs_with_secret(c)))
        return ERR_OK;
    if (client_signs_with_secret(c))
        TRY(client_secret_seal(op, c, &fresh.sealed));
    if (!str_eq_secret(fresh.mac, list[0].mac))
        list[1] = c->keep_previous_secret ? kept_nth(c, old, 0) : (struct kept){STR_NONE, STR_NONE};
    list[0] = fresh;
    return ERR_OK;
}

static err_t print_kept(struct op *op, const struct kept list[static 2], struct str *ret)
{
    struct buf b;
    buf_init(&b, op->arena, LIMIT_OBJECT);
    for (size_t i = 0; i < 2 && list[i].mac.p; i++)
        buf_fmt(&b, "%s%.*s%s%.*s\"", i ? ",\"" : "[\"", STR_ARG(list[i].mac), list[i].sealed.p ? "." : "", STR_ARG(list[i].sealed));
    if (b.n)
        buf_char(&b, ']');
    *ret = b.n ? buf_view(&b) : STR_NONE;
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

err_t client_seal(struct op *op, const void *spec, struct str old, struct str *ret)
{
    const struct client *c = spec;
    struct kept list[2] = {kept_nth(c, old, 0), {STR_NONE, STR_NONE}};
    *ret = STR_NONE;
    if (!client_has_secret(c))
        return ERR_OK;
    if (c->keep_previous_secret)
        list[1] = kept_nth(c, old, 1);
    if (c->client_secret.n)
        TRY(keep_new(op, c, old, list));
    if (client_signs_with_secret(c) && list[0].mac.p && !list[0].sealed.p)
        return op_fail(op, ERR_CLIENT_METADATA, "client_secret",
                       "client_secret_jwt needs the secret once more: of the one before only a hash was kept");
    return print_kept(op, list, ret);
}

/* More bits than a token has, for the longest digest an assertion is made with (RFC 7518 section 3.2). */
static err_t signing_secret(struct op *op, struct str token, struct str *ret)
{
    uint8_t bits[32];
    char more[43];
    TRY(random_bytes(bits, sizeof(bits)));
    enc_base62(more, sizeof(more), bits, sizeof(bits));
    *ret = arena_fmt(op->arena, "%.*s%.*s", STR_ARG(token), (int)sizeof(more), more);
    secret_zero(bits, sizeof(bits));
    secret_zero(more, sizeof(more));
    return ret->p ? ERR_OK : ERR_MEMORY;
}

err_t client_secret_generate(struct op *op, json_t *doc, struct str *ret_secret)
{
    struct token_text t;
    *ret_secret = STR_NONE;
    struct str method = json_str(json_object_get(doc, "token_endpoint_auth_method"));
    if (json_object_get(doc, "client_secret") || str_is(method, "none") || str_is(method, "private_key_jwt"))
        return ERR_OK;
    TRY(token_text_make(op->core, TOKEN_CLIENT_SECRET, store_new_id(op->core->store), &t));
    struct str text = arena_str(op->arena, (struct str){t.p, sizeof(t.p)});
    secret_zero(&t, sizeof(t));
    if (text.p && str_is(method, "client_secret_jwt"))
        TRY(signing_secret(op, text, &text));
    if (!text.p || json_object_set_new(doc, "client_secret", json_stringn(text.p, text.n)) != 0)
        return ERR_MEMORY;
    *ret_secret = text;
    return ERR_OK;
}

/* Whatever may have been issued before a cut-off is dead: status lists must come to say so. */
err_t client_beside(struct db *db, const struct object *o, bool removed)
{
    if (o->cutoff_id)
        TRY(node_mark_client_tx(db, o->tenant_id, o->id, o->cutoff_id, o->updated_s));
    return registration_beside(db, o, removed);
}
