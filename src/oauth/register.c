/* Registering, reading, replacing and removing a client by itself (RFC 7591, RFC 7592). Each write goes through object_put with no
 * more permissions than writing a client takes, and with the row beside the client in the same transaction. */
#include "oauth/register_parts.h"

#define CLIENT_ID_BYTES 16

/* --- who --- */

/* The policy's part of it: nobody, or somebody whom an administrator has given the permission. */
static err_t check_may_register(struct op *op)
{
    struct fault before = op->fault;
    if (register_is_open(op->tenant, "off"))
        return op_fail(op, ERR_NOT_FOUND, "", "clients do not register themselves here");
    if (op->actor.kind == ACTOR_NONE)
        return register_is_open(op->tenant, "open")
                   ? register_rate(op)
                   : op_fail(op, ERR_TOKEN_MISSING, "", "registering needs an access token or API key with " PERMISSION_REGISTER);
    if (op_may(op, PERMISSION_REGISTER) || op_may(op, kind_client.write))
        return ERR_OK;
    op->fault = before;
    return op_fail(op, ERR_SCOPE_INSUFFICIENT, "", "this needs the permission " PERMISSION_REGISTER);
}

/* Whoever registers writes a client here, and nothing of what he may do besides. A stranger's client acts in its own name. */
static void act_as_writer(struct op *op, const struct object *client, struct str client_id)
{
    static const struct str write = {"client.write", 12};
    if (op->actor.kind == ACTOR_NONE)
        op->actor = (struct actor){.kind = ACTOR_CLIENT, .id = client ? client->id : 0, .name = client_id};
    op->actor.tenant_id = tenant_id_of(op);
    op->actor.permissions = (struct strs){&write, 1};
}

/* --- errors in the words of RFC 7591 section 3.2.2 --- */

static err_t told(struct op *op, err_t e)
{
    switch (e) {
    case ERR_PARAM_MISSING:
    case ERR_PARAM_BAD:
    case ERR_PARAM_LONG:
    case ERR_PARAM_TWICE:
    case ERR_JSON:
    case ERR_TOO_LARGE:
        break;
    default:
        return e;
    }
    e = str_starts(str_z(op->fault.param), STR("redirect_uris")) ? ERR_REDIRECT_URI : ERR_CLIENT_METADATA;
    if (op->fault.code)
        op->fault.code = e;
    return e;
}

/* A scope or permission beyond the actor's: for one's own client that is a wrong value. */
static err_t told_new(struct op *op, err_t e)
{
    if (e == ERR_FORBIDDEN && op->fault.param[0])
        e = op->fault.code = ERR_CLIENT_METADATA;
    return told(op, e);
}

/* --- tokens --- */

static err_t make_token(struct op *op, struct register_row *row, struct registration *r)
{
    struct token_text t;
    row->token_id = store_new_id(op->core->store);
    TRY(token_text_make(op->core, TOKEN_REGISTRATION, row->token_id, &t));
    memcpy(row->hash, t.hash, sizeof(row->hash));
    r->token = arena_str(op->arena, (struct str){t.p, sizeof(t.p)});
    secret_zero(&t, sizeof(t));
    return r->token.p ? ERR_OK : ERR_MEMORY;
}

static void set_life(struct op *op, struct register_row *row)
{
    row->tenant_id = tenant_id_of(op);
    row->life_s = op->tenant->spec->registration_life_s;
    row->expires_s = row->life_s ? op->now_s + row->life_s : 0;
}

/* --- registering --- */

static err_t make_client_id(struct op *op, struct str *ret)
{
    uint8_t random[CLIENT_ID_BYTES];
    struct buf b;
    TRY(random_bytes(random, sizeof(random)));
    buf_init(&b, op->arena, 2 * CLIENT_ID_BYTES);
    enc_hex(&b, random, sizeof(random));
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

static err_t read_document(struct op *op, struct str body, json_t **ret)
{
    if (json_load(body, ret) != ERR_OK)
        return op_fail(op, ERR_CLIENT_METADATA, "", "the body is not strict JSON (duplicate members count as wrong)");
    return json_keep(op->arena, *ret);
}

static err_t prepare(struct op *op, const json_t *doc, struct str client_id, json_t **ret)
{
    TRY(register_take(op, doc, client_id, ret));
    return told(op, register_policy(op, *ret));
}

err_t registration_create(struct op *op, struct str body, struct registration *ret)
{
    struct registration r = {.owner_id = op->actor.id};
    struct register_row row = {.owner_id = op->actor.id, .quota = op->tenant->spec->registration_quota};
    struct object_with with = {register_insert, &row};
    struct str client_id;
    json_t *doc, *fields;
    bool changed;
    TRY(check_may_register(op));
    TRY(read_document(op, body, &doc));
    TRY(make_client_id(op, &client_id));
    TRY(prepare(op, doc, client_id, &fields));
    TRY(client_secret_generate(op, fields, &r.client_secret));
    TRY(make_token(op, &row, &r));
    set_life(op, &row);
    act_as_writer(op, NULL, client_id);
    err_t e = object_put_with(op, &kind_client, fields, OBJECT_CREATE, MANAGED_REGISTRATION, 0, "", &with, &r.client, &changed);
    if (row.full)
        return op_fail(op, ERR_FORBIDDEN, "", "there are as many registered clients as may be");
    TRY(told_new(op, e));
    r.expires_s = row.expires_s;
    *ret = r;
    return ERR_OK;
}

/* --- by its registration access token --- */

static err_t not_valid(struct op *op, struct str client_id)
{
    op->fault = (struct fault){.code = ERR_OK};
    audit_refused(op, "invalid_token", client_id);
    return op_fail(op, ERR_TOKEN_INVALID, "", "the registration access token is not one of this client");
}

/* The client behind the name and its row, if they are a registered client's. */
static err_t find(struct op *op, struct str client_id, struct object **ret_client, struct register_row *ret)
{
    struct object *client;
    TRY(object_get(op, &kind_client, client_id, &client));
    if (client->managed_by != MANAGED_REGISTRATION || client->disabled)
        return ERR_NOT_FOUND;
    TRY(register_read(op, client->id, ret));
    bool over = ret->expires_s && ret->expires_s <= op->now_s;
    if (over || ret->token_id < client->cutoff_id || ret->token_id < op->tenant->object.cutoff_id)
        return ERR_NOT_FOUND;
    *ret_client = client;
    return ERR_OK;
}

err_t registration_open(struct op *op, struct str client_id, struct str token, struct registration *ret)
{
    char letter;
    struct register_row row;
    struct registration r = {.token = token};
    if (!token_text_check(token, &letter) || letter != TOKEN_REGISTRATION)
        return not_valid(op, STR_NONE);
    err_t e = find(op, client_id, &r.client, &row);
    if (e == ERR_NOT_FOUND)
        return not_valid(op, STR_NONE);
    TRY(e);
    sha256(op->core->crypto, token, r.hash);
    if (!secret_eq(r.hash, row.old_hash, sizeof(r.hash)))
        return not_valid(op, client_id);
    r.expires_s = row.expires_s;
    r.owner_id = row.owner_id;
    *ret = r;
    return ERR_OK;
}

/* RFC 7592 section 2.2: whose the document is, and that the secret in it, if any, is the one there is. */
static err_t check_own(struct op *op, const struct registration *r, const json_t *doc)
{
    const json_t *given = json_object_get(doc, "client_secret");
    char mac[CLIENT_SECRET_MAC];
    bool same = !given || json_is_null(given);
    if (!str_eq(json_str(json_object_get(doc, "client_id")), r->client->name))
        return op_fail(op, ERR_CLIENT_METADATA, "client_id", "client_id must be this client's");
    if (json_is_string(given))
        client_secret_mac(op, json_str(given), mac);
    for (size_t i = 0; json_is_string(given) && i < 2; i++) {
        struct str stored = client_secret_nth(r->client->secret, i);
        same = same || (stored.p && str_eq_secret((struct str){mac, sizeof(mac)}, stored));
    }
    return same ? ERR_OK : op_fail(op, ERR_CLIENT_METADATA, "client_secret", "client_secret is made by this server: leave it out");
}

/* A client with a secret may come without PKCE unless an administrator has said otherwise since: that stays. */
static void keep_pkce(const struct object *client, json_t *fields)
{
    if (!client_is_public(client_of(client)) && !str_is(json_str(json_object_get(fields, "token_endpoint_auth_method")), "none"))
        json_object_del(fields, "require_pkce");
}

/* What an administrator has made his own application is not sent elsewhere by whoever holds its old token. (Permissions given to it
 * are client_permit's business.) */
static err_t check_still_own(struct op *op, const struct object *client)
{
    if (client_of(client)->first_party)
        return op_fail(op, ERR_FORBIDDEN, "", "an administrator has made this client a first-party one: it is changed by administrators");
    return ERR_OK;
}

/* A secret for a client that has none yet, or none of the kind that its new method needs. */
static err_t secret_if_needed(struct op *op, const struct object *client, json_t *fields, struct str *ret)
{
    struct str method = json_str(json_object_get(fields, "token_endpoint_auth_method"));
    bool to_jwt = str_is(method, "client_secret_jwt") && !str_eq(client_of(client)->token_endpoint_auth_method, method);
    if (client_has_secret(client_of(client)) && !to_jwt)
        return ERR_OK;
    return client_secret_generate(op, fields, ret);
}

struct renewal {
    const struct object *client;
    struct register_row *row;
};

static err_t renew_in_tx(struct db *db, void *ctx)
{
    struct renewal *n = ctx;
    return register_renew(db, n->client, n->row);
}

/* The client and its row, or its row alone when nothing is new. */
static err_t write_new_state(struct op *op, struct registration *r, const json_t *fields, struct register_row *row)
{
    struct object_with with = {register_renew, row};
    bool changed = false;
    struct object *client;
    TRY(object_put_with(op, &kind_client, fields, OBJECT_UPDATE, MANAGED_REGISTRATION, 0, "", &with, &client, &changed));
    struct renewal n = {client, row};
    if (!changed)
        TRY(store_tx(op->core->store, renew_in_tx, &n));
    r->client = client;
    return ERR_OK;
}

err_t registration_replace(struct op *op, struct registration *r, struct str body)
{
    struct register_row row = {.owner_id = r->owner_id};
    struct registration new = *r;
    json_t *doc, *fields;
    memcpy(row.old_hash, r->hash, sizeof(row.old_hash));
    if (register_is_open(op->tenant, "off"))
        return op_fail(op, ERR_FORBIDDEN, "", "clients do not register themselves here any more");
    TRY(check_still_own(op, r->client));
    if (r->owner_id == 0)
        TRY(register_rate(op));
    TRY(read_document(op, body, &doc));
    TRY(check_own(op, r, doc));
    TRY(prepare(op, doc, r->client->name, &fields));
    keep_pkce(r->client, fields);
    TRY(secret_if_needed(op, r->client, fields, &new.client_secret));
    TRY(make_token(op, &row, &new));
    set_life(op, &row);
    act_as_writer(op, r->client, r->client->name);
    err_t e = write_new_state(op, &new, fields, &row);
    if (e == ERR_TOKEN_INVALID || e == ERR_NOT_FOUND) /* renewed or removed at the same moment */
        return not_valid(op, r->client->name);
    TRY(told(op, e));
    new.expires_s = row.expires_s;
    *r = new;
    return ERR_OK;
}

err_t registration_remove(struct op *op, const struct registration *r)
{
    struct register_row row = {.tenant_id = tenant_id_of(op)};
    struct object_with with = {register_give_up, &row};
    memcpy(row.old_hash, r->hash, sizeof(row.old_hash));
    act_as_writer(op, r->client, r->client->name);
    err_t e = object_remove_with(op, &kind_client, r->client->name, &with);
    return e == ERR_TOKEN_INVALID || e == ERR_NOT_FOUND ? not_valid(op, r->client->name) : e;
}
