/* A client's own questions, and what is kept of its secret. */
#include "oauth/client.h"

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

/* --- secrets: a JSON array of one or two hex HMACs, the newest first
 * ---------------------------------------------- */

err_t client_seal(struct op *op, const void *spec, struct str old, struct str *ret)
{
    const struct client *c = spec;
    struct str list[2] = {STR_NONE, STR_NONE}, first = client_secret_nth(old, 0),
               second = client_secret_nth(old, 1);
    char mac[CLIENT_SECRET_MAC];
    if (!client_has_secret(c)) {
        *ret = STR_NONE;
        return ERR_OK;
    }
    list[0] = first;
    list[1] = c->keep_previous_secret ? second : STR_NONE;
    if (c->client_secret.n) {
        client_secret_mac(op, c->client_secret, mac);
        struct str fresh = arena_str(op->arena, (struct str){mac, sizeof(mac)});
        if (!fresh.p)
            return ERR_MEMORY;
        if (!str_eq_secret(fresh, first)) {
            list[1] = c->keep_previous_secret ? first : STR_NONE;
            list[0] = fresh;
        }
    }
    *ret = !list[0].p  ? STR_NONE
           : list[1].p ? arena_fmt(op->arena, "[\"%.*s\",\"%.*s\"]", STR_ARG(list[0]), STR_ARG(list[1]))
                       : arena_fmt(op->arena, "[\"%.*s\"]", STR_ARG(list[0]));
    return ERR_OK;
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
    if (!text.p || json_object_set_new(doc, "client_secret", json_stringn(text.p, text.n)) != 0)
        return ERR_MEMORY;
    *ret_secret = text;
    return ERR_OK;
}
