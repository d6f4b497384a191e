/* The refresh token grant with rotation (RFC 6749 section 6, RFC 9700 section 4.14.2; USERS R1, R2).
 *
 * A refresh token is consumed, and its successor and a new access token are inserted, in one transaction. The
 * successor is derived from what was presented (DESIGN section 7) and never stored: who presents the same
 * token again within the grace window, another tab or a client that never got the answer, gets the same
 * successor and a fresh access token under the same grant. After the window a consumed token is stolen goods:
 * the grant and all below it die. */
#include "oauth/parts.h"

struct refresh {
    const struct token_params *p;
    struct object *client;
    struct issue_ids ids;
    struct token token; /* the one presented */
    struct grant grant;
    struct account account;
    int64_t grace_s;
};

static void count(struct op *op, const char *result)
{
    metrics_add(op->core->metrics, METRIC_TOKEN_REFRESH, result, 1);
}

static err_t invalid(struct op *op, const char *detail)
{
    op->fault = (struct fault){0};
    return op_fail(op, ERR_GRANT_INVALID, "refresh_token", "%s", detail);
}

static err_t invalid_if(struct op *op, err_t e, err_t refusal, const char *detail)
{
    return e == refusal ? invalid(op, detail) : e;
}

/* --- reuse
 * -------------------------------------------------------------------------------------------------------- */

static bool past_grace(const struct op *op, const struct refresh *x)
{
    return x->token.consumed_s && (x->grace_s == 0 || op->now_s > x->token.consumed_s + x->grace_s);
}

static err_t reused(struct op *op, const struct refresh *x)
{
    TRY(node_revoke(op, NODE_GRANT, x->token.grant_id, "refresh token reuse"));
    TRY(audit_now(op, AUDIT_REFRESH_REUSE, audit_object(op, "grant", x->token.grant_id), STR_NONE));
    count(op, "reuse");
    return invalid(op, "the refresh token has been used before; what it belongs to is revoked");
}

/* --- checks
 * ------------------------------------------------------------------------------------------------------- */

static err_t find_token(struct op *op, struct refresh *x)
{
    if (!x->p->refresh_token.p)
        return op_fail(op, ERR_PARAM_MISSING, "refresh_token", "refresh_token is missing");
    TRY(invalid_if(op, token_find(op, x->p->refresh_token, &x->token), ERR_TOKEN_INVALID,
                   "the refresh token is unknown"));
    if (x->token.kind != TOKEN_REFRESH)
        return invalid(op, "this is not a refresh token");
    if (x->token.client_id != x->client->id)
        return invalid(op, "the refresh token was issued to another client");
    return ERR_OK;
}

/* A consumed token lives on as far as its ancestors and its own row go; its consumption is judged apart. */
static err_t check_life(struct op *op, const struct refresh *x)
{
    struct token t = x->token;
    t.consumed_s = 0;
    return invalid_if(op, life_check(op, &t), ERR_TOKEN_INVALID,
                      "the refresh token has expired or was revoked");
}

/* In an op of its own, because a resource may name more clients than an op holds objects. */
static err_t client_is_on(struct op *op, struct str name, bool *ret)
{
    struct op look;
    struct object *o;
    op_begin(&look, op->core, op->db, op->arena);
    look.tenant = op->tenant;
    err_t e = object_get(&look, &kind_client, name, &o);
    *ret = e == ERR_OK && !o->disabled;
    op_end(&look);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* A resource is off when clients speak for it and every one of them is disabled (A36). */
static err_t resource_is_off(struct op *op, const struct resource *r, bool *ret)
{
    bool on = r->introspect_clients.n == 0;
    for (size_t i = 0; !on && i < r->introspect_clients.n; i++)
        TRY(client_is_on(op, r->introspect_clients.v[i], &on));
    *ret = !on;
    return ERR_OK;
}

static err_t check_audience(struct op *op, struct str audience)
{
    struct str id;
    while (str_word(&audience, ' ', &id)) {
        const struct resource *r = tenant_resource(op->tenant, id);
        bool off = !r && !str_eq(id, op->tenant->issuer);
        if (r)
            TRY(resource_is_off(op, r, &off));
        if (off)
            return invalid(op, "the resource is gone, or the client that stands for it is disabled");
    }
    return ERR_OK;
}

static err_t check_account(struct op *op, struct refresh *x)
{
    TRY(invalid_if(op, account_by_id(op, x->grant.account_id, &x->account), ERR_NOT_FOUND,
                   "the account is gone"));
    return x->account.disabled ? invalid(op, "the account is disabled") : ERR_OK;
}

/* Narrower is fine, for this access token; wider is not (A35). What the person has lost meanwhile is left
 * out. */
static err_t choose(struct op *op, struct refresh *x, struct issue *i)
{
    struct str asked = x->p->scope.p ? x->p->scope : x->grant.scope;
    TRY(audience_narrow(op, x->grant.audience, x->p->resource, &i->audience));
    TRY(check_audience(op, i->audience));
    if (!scope_valid(asked) || !scope_within(asked, x->grant.scope))
        return op_fail(op, ERR_SCOPE_INVALID, "scope", "scope is wider than what was granted");
    i->scope = scope_still_held(op, &x->account, scope_for_audience(op, asked, i->audience));
    if (asked.n && !i->scope.n)
        return invalid(op, "nothing of what was granted is held any more");
    return ERR_OK;
}

/* --- rotation
 * ----------------------------------------------------------------------------------------------------- */

struct refresh_tx {
    struct store *store;
    const struct refresh *refresh;
    const struct issued *issued;
    const struct audit *audit;
    int64_t now_s;
    struct str ip;
    bool won; /* verdict */
};

static err_t rotate_tx(struct db *db, void *ctx)
{
    struct refresh_tx *x = ctx;
    const struct token *parent = &x->refresh->token;
    bool won = false;
    TRY(refresh_consume(db, &x->refresh->grant, parent->id, x->now_s, x->issued->refresh.id, &won));
    if (won) {
        TRY(issue_insert(db, x->issued));
        TRY(audit_write(db, x->store, x->audit));
    }
    x->won = won;
    return ERR_OK;
}

static err_t grace_tx(struct db *db, void *ctx)
{
    struct refresh_tx *x = ctx;
    const struct token *parent = &x->refresh->token;
    bool allowed = false;
    TRY(refresh_grace(db, parent->tenant_id, parent->id, &allowed));
    if (allowed) {
        TRY(grant_stands(db, &x->refresh->grant, parent->id));
        TRY(issue_insert(db, x->issued));
        TRY(audit_write(db, x->store, x->audit));
    }
    x->won = allowed;
    return ERR_OK;
}

static err_t commit(struct op *op, const struct refresh *x, const struct issue *i, const struct issued *t,
                    store_tx_fn fn, bool *ret_won)
{
    struct audit audit;
    issue_audit(op, AUDIT_TOKEN_REFRESHED, i, t, &audit);
    struct refresh_tx tx = {.store = op->core->store,
                            .refresh = x,
                            .issued = t,
                            .audit = &audit,
                            .now_s = op->now_s,
                            .ip = op->peer};
    TRY(invalid_if(op, store_tx(op->core->store, fn, &tx), ERR_GRANT_INVALID, "the grant was revoked"));
    *ret_won = tx.won;
    return ERR_OK;
}

/* The same answer again, within the window. */
static err_t again(struct op *op, const struct refresh *x, const struct issue *i, struct token_answer *ret)
{
    struct issued t = {0};
    struct token_text text;
    bool allowed;
    refresh_derive(op, x->p->refresh_token, x->grant.id, x->token.generation, x->token.successor_id, &text);
    t.refreshable = true;
    t.refresh_text = arena_str(op->arena, (struct str){text.p, sizeof(text.p)});
    secret_zero(&text, sizeof(text));
    TRY(issue_access(op, i, x->ids, &t));
    TRY(issue_id_token(op, i, &t));
    TRY(commit(op, x, i, &t, grace_tx, &allowed));
    if (!allowed)
        return invalid(op, "the refresh token has been presented too often");
    count(op, "grace");
    issue_answer(op, i, &t, ret);
    return ERR_OK;
}

static err_t rotate(struct op *op, struct refresh *x, const struct issue *i, struct token_answer *ret)
{
    struct refresh_parent parent = {x->p->refresh_token, x->token.generation};
    struct issued t = {0};
    bool won;
    TRY(issue_access(op, i, x->ids, &t));
    TRY(issue_refresh(op, i, x->ids, &parent, &t));
    TRY(issue_id_token(op, i, &t));
    TRY(commit(op, x, i, &t, rotate_tx, &won));
    if (!won) { /* somebody was faster: now it is a consumed token */
        TRY(find_token(op, x));
        TRY(check_life(op, x));
        if (past_grace(op, x))
            return reused(op, x);
        return x->token.consumed_s ? again(op, x, i, ret) : ERR_BUSY;
    }
    count(op, "ok");
    issue_answer(op, i, &t, ret);
    return ERR_OK;
}

err_t grant_refresh(struct op *op, const struct token_params *p, struct object *client,
                    struct token_answer *ret)
{
    struct refresh x = {.p = p, .client = client, .ids = issue_take_ids(op)};
    struct issue i = {
        .grant_type = "refresh_token", .client = client, .account = &x.account, .grant = &x.grant};
    x.grace_s = life_or_default(client_of(client)->refresh_grace_s, op->tenant->spec->refresh_grace_s);
    TRY(find_token(op, &x));
    TRY(check_life(op, &x));
    if (past_grace(op, &x))
        return reused(op, &x);
    TRY(invalid_if(op, grant_read(op, x.token.grant_id, &x.grant), ERR_GRANT_INVALID, "the grant is gone"));
    TRY(check_account(op, &x));
    TRY(signin_info_parse(op, x.grant.spec, &i.signin));
    TRY(choose(op, &x, &i));
    usage_touch(op->core->usage, NODE_GRANT, tenant_id_of(op), x.grant.id, op->now_s, op->peer);
    return x.token.consumed_s ? again(op, &x, &i, ret) : rotate(op, &x, &i, ret);
}
