/* The authorization code grant (RFC 6749 section 4.1.3, RFC 7636, RFC 9700 section 2.1.1): a code is consumed
 * in the transaction that inserts what it buys. A code that comes from the wrong client, with the wrong
 * redirect URI or verifier is burnt; one that comes twice kills what it bought (A26 to A31). */
#include "oauth/code.h"
#include "oauth/signout.h"

struct redeem {
    const struct token_params *p;
    struct object *client;
    struct ticket ticket;
    struct code code;
    struct account account;
    struct grant grant;
    struct issue_ids ids;
};

/* --- refusals that leave a mark
 * ----------------------------------------------------------------------------------- */

static err_t burn_tx(struct db *db, void *ctx)
{
    const struct ticket *t = ctx;
    bool won;
    return ticket_consume(db, t->tenant_id, t->id, t->created_s, 0, &won);
}

static err_t burn(struct op *op, const struct redeem *x, const char *param, const char *detail)
{
    struct ticket t = x->ticket;
    t.created_s = op->now_s; /* the time of consumption, for burn_tx */
    TRY(store_tx(op->core->store, burn_tx, &t));
    return op_fail(op, ERR_GRANT_INVALID, param, "%s", detail);
}

static err_t reused(struct op *op, const struct redeem *x)
{
    struct ticket t;
    TRY(ticket_find(op, op->db, TOKEN_CODE, x->p->code, &t));
    if (t.result_id) {
        TRY(node_revoke(op, NODE_GRANT, t.result_id, "code reuse"));
        TRY(audit_now(op, AUDIT_CODE_REUSE, audit_object(op, "grant", t.result_id), STR_NONE));
    }
    return op_fail(op, ERR_GRANT_INVALID, "code", "the code has been used");
}

/* --- checks
 * ------------------------------------------------------------------------------------------------------- */

static err_t check_pkce(struct op *op, const struct redeem *x)
{
    if (!x->code.challenge.n && x->p->code_verifier.p)
        return burn(op, x, "code_verifier", "code_verifier was sent, but the request had no code_challenge");
    if (!x->code.challenge.n)
        return ERR_OK;
    if (!x->p->code_verifier.p)
        return burn(op, x, "code_verifier", "code_verifier is missing");
    if (!pkce_matches(op->core->crypto, x->code.challenge, x->p->code_verifier))
        return burn(op, x, "code_verifier", "code_verifier does not fit the code_challenge");
    return ERR_OK;
}

/* The same as in the request; absent only if it was absent there. */
static bool redirect_fits(const struct redeem *x)
{
    struct str sent = x->p->redirect_uri, asked = x->code.redirect_uri;
    if (!asked.p)
        return !sent.p || (client_of(x->client)->redirect_uris.n == 1 &&
                           str_eq(sent, client_of(x->client)->redirect_uris.v[0]));
    return sent.p && str_eq(sent, asked);
}

/* The code's own ancestors, by the judge of all tokens: account, session, client, tenant. */
static err_t check_life(struct op *op, const struct redeem *x)
{
    struct token as_token = {
        .kind = TOKEN_CODE,
        .id = x->ticket.id,
        .tenant_id = tenant_id_of(op),
        .client_id = x->ticket.client_id,
        .account_id = x->ticket.account_id,
        .session_id = x->ticket.session_id,
        .issued_s = x->ticket.created_s,
        .expires_s = x->ticket.expires_s,
    };
    err_t e = life_check(op, &as_token);
    if (e != ERR_TOKEN_INVALID)
        return e;
    op->fault = (struct fault){0};
    return burn(op, x, "code", "the code has expired, or the sign-in behind it is over");
}

static err_t find_code(struct op *op, struct redeem *x)
{
    if (!x->p->code.p)
        return op_fail(op, ERR_PARAM_MISSING, "code", "code is missing");
    if (x->p->code_verifier.p && !pkce_verifier_valid(x->p->code_verifier))
        return op_fail(op, ERR_PARAM_BAD, "code_verifier",
                       "code_verifier must be 43 to 128 unreserved characters");
    err_t e = ticket_find(op, op->db, TOKEN_CODE, x->p->code, &x->ticket);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && !str_is(x->ticket.kind, CODE_KIND))) {
        op->fault = (struct fault){0};
        return op_fail(op, ERR_GRANT_INVALID, "code", "the code is unknown");
    }
    TRY(e);
    if (x->ticket.consumed_s)
        return reused(op, x);
    return code_parse(op, x->ticket.spec, &x->code);
}

static err_t check_code(struct op *op, struct redeem *x)
{
    TRY(find_code(op, x));
    if (x->ticket.client_id != x->client->id)
        return burn(op, x, "code", "the code was issued to another client");
    if (x->ticket.expires_s <= op->now_s)
        return op_fail(op, ERR_GRANT_INVALID, "code", "the code has expired");
    if (!redirect_fits(x))
        return burn(op, x, "redirect_uri", "redirect_uri differs from the authorization request's");
    TRY(check_pkce(op, x));
    TRY(check_life(op, x));
    err_t e = account_by_id(op, x->ticket.account_id, &x->account);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && x->account.disabled)) {
        op->fault = (struct fault){0};
        return burn(op, x, "code", "the account is gone or disabled");
    }
    return e;
}

/* --- what it buys
 * ------------------------------------------------------------------------------------------------- */

/* The grant lives as long as its refresh tokens may, but not past the session it hangs from; without refresh
 * tokens as long as the access token. */
static void make_grant(struct op *op, struct redeem *x)
{
    const struct client *c = client_of(x->client);
    const struct tenant_spec *t = op->tenant->spec;
    bool refresh = client_has_grant(c, "refresh_token");
    int64_t life_s = refresh ? life_or_default(c->refresh_token_life_s, t->refresh_token_life_s)
                             : life_or_default(c->access_token_life_s, t->access_token_life_s);
    x->grant = (struct grant){
        .id = x->ids.grant,
        .tenant_id = tenant_id_of(op),
        .account_id = x->ticket.account_id,
        .client_id = x->client->id,
        .session_id = x->code.offline ? 0 : x->ticket.session_id,
        .scope = x->code.scope,
        .audience = x->code.audience,
        .created_s = op->now_s,
        .expires_s = op->now_s + life_s,
        .ip = op->peer,
        .spec = signin_info_text(op, &x->code.signin),
    };
    if (x->grant.session_id && x->code.session_end_s < x->grant.expires_s)
        x->grant.expires_s = x->code.session_end_s;
}

struct code_tx {
    struct store *store;
    const struct redeem *redeem;
    const struct issued *issued;
    const struct audit *audit;
    bool won; /* verdict */
};

static bool tells_sign_out(const struct redeem *x)
{
    return x->ticket.session_id && client_hears_sign_out(client_of(x->client)) &&
           str_has_word(x->code.scope, ' ', STR(SCOPE_OPENID));
}

static err_t code_tx(struct db *db, void *ctx)
{
    struct code_tx *x = ctx;
    const struct redeem *r = x->redeem;
    bool won = false;
    TRY(ticket_consume(db, r->ticket.tenant_id, r->ticket.id, r->grant.created_s, r->grant.id, &won));
    if (won) {
        TRY(grant_insert(db, &r->grant, r->ticket.id));
        TRY(issue_insert(db, x->issued));
        if (tells_sign_out(r))
            TRY(sign_out_listen_tx(db, r->ticket.tenant_id, r->ticket.session_id, r->client->id, r->code.session_end_s));
        TRY(audit_write(db, x->store, x->audit));
    }
    x->won = won;
    return ERR_OK;
}

static err_t commit(struct op *op, const struct redeem *x, const struct issued *t, const struct audit *audit)
{
    struct code_tx tx = {.store = op->core->store, .redeem = x, .issued = t, .audit = audit};
    err_t e = store_tx(op->core->store, code_tx, &tx);
    if (e == ERR_GRANT_INVALID)
        return op_fail(op, e, "code", "the sign-in behind the code is over");
    TRY(e);
    return tx.won ? ERR_OK : reused(op, x);
}

err_t grant_code(struct op *op, const struct token_params *p, struct object *client, struct token_answer *ret)
{
    struct redeem x = {.p = p, .client = client, .ids = issue_take_ids(op)};
    struct issue i = {
        .grant_type = "authorization_code", .client = client, .account = &x.account, .grant = &x.grant};
    struct issued t = {0};
    struct audit audit;
    TRY(check_code(op, &x));
    make_grant(op, &x);
    i.signin = x.code.signin;
    i.nonce = x.code.nonce;
    TRY(audience_narrow(op, x.grant.audience, p->resource, &i.audience));
    i.scope = scope_for_audience(op, x.grant.scope, i.audience);
    TRY(issue_access(op, &i, x.ids, &t));
    if (client_has_grant(client_of(client), "refresh_token"))
        TRY(issue_refresh(op, &i, x.ids, NULL, &t));
    TRY(issue_id_token(op, &i, &t));
    issue_audit(op, AUDIT_TOKEN_ISSUED, &i, &t, &audit);
    TRY(commit(op, &x, &t, &audit));
    issue_answer(op, &i, &t, ret);
    return ERR_OK;
}
