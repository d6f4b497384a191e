/* Tokens as rows: reading, inserting, and the one judge of whether a token lives. The request paths of
 * introspection and forward authentication end here: one point read, one hash, the cached client, a look into
 * the dead set. */
#include "token/life.h"
#include "token/core.h"

/* --- rows
 * -------------------------------------------------------------------------------------------------------- */

static err_t unknown(struct op *op)
{
    return op_fail(op, ERR_TOKEN_INVALID, "", "the token is unknown");
}

static struct str keep(struct arena *a, struct str s, bool *ok)
{
    struct str copy = arena_str(a, s);
    *ok = *ok && (copy.p || !s.p);
    return copy;
}

static err_t from_row(struct arena *a, const struct rows *r, struct token *t)
{
    struct str kind = db_text(r, 0), hash = db_text(r, 1);
    bool ok = true;
    if (kind.n != 1 || hash.n != sizeof(t->hash))
        return ERR_STORE_CORRUPT;
    t->kind = kind.p[0];
    memcpy(t->hash, hash.p, hash.n);
    int64_t *ancestors[] = {&t->client_id, &t->account_id, &t->session_id,
                            &t->grant_id,  &t->parent_id,  &t->actor_id};
    for (int i = 0; i < 6; i++)
        *ancestors[i] = db_int(r, 2 + i);
    t->scope = keep(a, db_text(r, 8), &ok);
    t->audience = keep(a, db_text(r, 9), &ok);
    t->spec = keep(a, db_text(r, 10), &ok);
    int64_t *numbers[] = {&t->issued_s,     &t->expires_s,  &t->revoked_s,  &t->consumed_s,
                          &t->successor_id, &t->generation, &t->grace_uses, &t->used_s};
    for (int i = 0; i < 8; i++)
        *numbers[i] = db_int(r, 11 + i);
    t->used_ip = keep(a, db_text(r, 19), &ok);
    return ok ? ERR_OK : ERR_MEMORY;
}

err_t token_read(struct op *op, struct db *db, int64_t id, struct token *ret)
{
    struct rows r;
    struct token t = {.id = id, .tenant_id = op->tenant->object.id};
    TRY(db_rows(db, Q_TOKEN_GET, BIND(vint(t.tenant_id), vint(id)), &r));
    bool found = db_next(&r);
    err_t e = found ? from_row(op->arena, &r, &t) : ERR_OK;
    err_t end = db_end(&r);
    if (end != ERR_OK || e != ERR_OK)
        return end != ERR_OK ? end : e;
    if (!found)
        return unknown(op);
    store_id_seen(op->core->store, id); /* what this server gives out or cuts off from now on is above it */
    *ret = t;
    return ERR_OK;
}

/* The row a text names: an opaque token carries its id, a stored JWT has it in jti. */
static bool text_row_id(struct op *op, struct str text, int64_t *ret)
{
    char letter;
    struct jwt jwt;
    if (token_text_id(op->core, text, &letter, ret))
        return true;
    return text.n != TOKEN_TEXT_SIZE && jwt_peek(text, op->arena, &jwt) == ERR_OK &&
           id_parse(op->core, jwt.jti, ret);
}

err_t token_find(struct op *op, struct str text, struct token *ret)
{
    int64_t id;
    struct token t;
    uint8_t hash[SHA256_SIZE];
    if (!text_row_id(op, text, &id))
        return unknown(op);
    TRY(token_read(op, op->db, id, &t));
    sha256(op->core->crypto, text, hash);
    if (!secret_eq(hash, t.hash, sizeof(hash)))
        return unknown(op);
    *ret = t;
    return ERR_OK;
}

err_t token_insert(struct db *db, const struct token *t)
{
    return db_run(db, Q_TOKEN_INSERT,
                  BIND(vint(t->tenant_id), vint(t->id), vtext((struct str){&t->kind, 1}),
                       vblob(t->hash, sizeof(t->hash)), vid(t->client_id), vid(t->account_id),
                       vid(t->session_id), vid(t->grant_id), vid(t->parent_id), vid(t->actor_id),
                       vtext(t->scope), vtext(t->audience), vtext(t->spec), vint(t->issued_s),
                       vint(t->expires_s), vid(t->generation), vid(t->status_index)),
                  NULL);
}

/* --- the judge
 * --------------------------------------------------------------------------------------------------- */

static err_t dead(struct op *op, const char *why)
{
    return op_fail(op, ERR_TOKEN_INVALID, "", "%s", why);
}

static err_t check_own(struct op *op, const struct token *t)
{
    if (t->tenant_id != op->tenant->object.id)
        return unknown(op);
    if (t->revoked_s)
        return dead(op, "the token has been revoked");
    if (t->expires_s <= op->now_s)
        return dead(op, "the token has expired");
    if (t->consumed_s)
        return dead(op, "the token has been used already");
    if (t->id < op->tenant->object.cutoff_id)
        return dead(op, "the token has been revoked");
    return ERR_OK;
}

static err_t check_nodes(struct op *op, const struct token *t)
{
    const int64_t nodes[] = {t->account_id, t->session_id, t->grant_id, t->parent_id, t->actor_id};
    TRY(dead_set_ready(op));
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        if (nodes[i] && dead_set_kills(op->core->dead, nodes[i], t->id))
            return dead(op, "the token has been revoked");
    return ERR_OK;
}

static err_t check_client(struct op *op, const struct token *t)
{
    const struct object_kind *kind = object_kind_find(op->core->kinds, STR("client"));
    struct fault before = op->fault;
    struct object *client;
    if (!t->client_id)
        return ERR_OK;
    if (!kind)
        return ERR_INTERNAL;
    err_t e = object_get_id(op, kind, t->client_id, &client);
    if (e == ERR_NOT_FOUND) {
        op->fault = before;
        return dead(op, "the token's client is gone");
    }
    if (e != ERR_OK)
        return e;
    if (client->disabled)
        return dead(op, "the token's client is disabled");
    return t->id < client->cutoff_id ? dead(op, "the token has been revoked") : ERR_OK;
}

err_t life_check(struct op *op, const struct token *t)
{
    TRY(check_own(op, t));
    TRY(check_nodes(op, t));
    return check_client(op, t);
}

/* The ancestors of an unstored JWT stand in no row of its own: the grant's row says them. */
static err_t read_grant(struct op *op, struct token *t)
{
    struct rows r;
    bool live = false;
    TRY(db_rows(op->db, Q_LIFE_GRANT, BIND(vint(t->tenant_id), vint(t->grant_id)), &r));
    if (db_next(&r)) {
        t->account_id = db_int(&r, 0);
        t->session_id = db_int(&r, 1);
        live = db_null(&r, 2) && db_int(&r, 3) > op->now_s && db_null(&r, 4);
    }
    TRY(db_end(&r));
    return live ? ERR_OK : dead(op, "the token has been revoked");
}

static err_t read_account(struct op *op, const struct token *t)
{
    struct rows r;
    bool live = false;
    TRY(db_rows(op->db, Q_LIFE_ACCOUNT, BIND(vint(t->tenant_id), vint(t->account_id)), &r));
    if (db_next(&r))
        live = db_int(&r, 0) == 0 && t->id >= db_int(&r, 1);
    TRY(db_end(&r));
    return live ? ERR_OK : dead(op, "the token has been revoked");
}

err_t life_check_claims(struct op *op, const struct token *claimed)
{
    struct token t = *claimed;
    TRY(check_own(op, &t));
    if (t.grant_id)
        TRY(read_grant(op, &t));
    else if (t.account_id)
        TRY(read_account(op, &t));
    TRY(check_nodes(op, &t));
    return check_client(op, &t);
}
