/* The authorization endpoint (RFC 6749 section 4.1.1, RFC 9700): from a request and a browser's session to a
 * code, an error the client may hear, or a question to the person. */
#include "oauth/authorize.h"
#include "oauth/register.h"
#include "oauth/signout.h"

/* --- the code
 * ----------------------------------------------------------------------------------------------------- */

/* What is written when somebody is let through. */
struct code_row {
    struct store *store;
    struct ticket ticket; /* id 0: no code is asked for */
    struct token_text text;
    bool id_token;            /* one is handed out here, to a client that hears of sign-outs */
    bool consent;             /* the person has just said yes */
    struct str consent_scope; /* with what was consented to before */
    int64_t session_end_s;
    struct audit audit;
};

static err_t code_row_tx(struct db *db, void *ctx)
{
    const struct code_row *x = ctx;
    const struct ticket *t = &x->ticket;
    if (t->id)
        TRY(ticket_insert(db, t, &x->text));
    if (x->id_token)
        TRY(sign_out_listen_tx(db, t->tenant_id, t->session_id, t->client_id, x->session_end_s));
    if (!x->consent)
        return ERR_OK;
    TRY(consent_put_tx(db, t->tenant_id, t->account_id, t->client_id, x->consent_scope, t->created_s));
    return audit_write(db, x->store, &x->audit);
}

static err_t consent_given(struct op *op, const struct request *r, struct code_row *x)
{
    struct str before;
    struct buf b;
    struct jw w;
    TRY(consent_scope(op, r, &before));
    x->consent = true;
    x->consent_scope = scope_or(op->arena, consent_asked(op, r), before);
    buf_init(&b, op->arena, 2 * LIMIT_SCOPE + LIMIT_TEXT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "client", r->client->name);
    jw_m_str(&w, "scope", consent_asked(op, r));
    jw_close(&w, '}');
    audit_make(op, AUDIT_CONSENT_GIVEN, audit_object(op, "user", r->account.id), buf_view(&b), &x->audit);
    return ERR_OK;
}

static struct signin_info signin_of(const struct request *r, const struct session *s)
{
    return (struct signin_info){s->auth_s, s->amr, s->id, r->claims.id_token, r->claims.userinfo};
}

static struct str spec_of(struct op *op, const struct request *r, const struct session *s)
{
    struct code code = {
        .redirect_uri = r->p->redirect_uri,
        .challenge = r->p->code_challenge,
        .scope = r->scope,
        .audience = r->audience,
        .nonce = r->p->nonce,
        .signin = signin_of(r, s),
        .session_end_s = s->expires_s,
        .offline = str_has_word(r->scope, ' ', STR(SCOPE_OFFLINE)),
    };
    return code_spec(op, &code);
}

/* With no access token to ask UserInfo with, what the scope covers stands in the token itself (Core section 5.4). */
static err_t add_id_token(struct op *op, const struct request *r, const struct session *s, struct str code, struct answer *a)
{
    struct signin_info signin = signin_of(r, s);
    const struct client *c = client_of(r->client);
    struct str token;
    struct id_token id = {
        .client = r->client,
        .account = &r->account,
        .signin = &signin,
        .scope = r->wants_code ? STR_NONE : r->scope,
        .granted = r->scope,
        .nonce = r->p->nonce,
        .code = code,
        .expires_s = op->now_s + life_or_default(c->access_token_life_s, op->tenant->spec->access_token_life_s),
    };
    TRY(id_token_make(op, &id, &token));
    answer_add(a, "id_token", token);
    return ERR_OK;
}

static err_t let_through(struct op *op, const struct request *r, const struct session *s, bool consent,
                         struct authorize_result *ret)
{
    struct answer answer = {.n = 0};
    struct code_row x = {
        .store = op->core->store,
        .id_token = r->wants_id_token && client_hears_sign_out(client_of(r->client)),
        .session_end_s = s->expires_s,
        .ticket = {.kind = STR(CODE_KIND),
                   .id = r->wants_code ? store_new_id(op->core->store) : 0,
                   .tenant_id = tenant_id_of(op),
                   .account_id = s->account_id,
                   .client_id = r->client->id,
                   .session_id = s->id,
                   .spec = spec_of(op, r, s),
                   .created_s = op->now_s,
                   .expires_s = op->now_s + op->tenant->spec->code_life_s},
    };
    struct str code = STR_NONE;
    if (!x.ticket.spec.p)
        return ERR_MEMORY;
    if (consent)
        TRY(consent_given(op, r, &x));
    if (r->wants_code) {
        TRY(token_text_make(op->core, TOKEN_CODE, x.ticket.id, &x.text));
        code = arena_str(op->arena, (struct str){x.text.p, sizeof(x.text.p)});
        answer_add(&answer, "code", code);
    }
    err_t e = r->wants_id_token ? add_id_token(op, r, s, code, &answer) : ERR_OK;
    if (e == ERR_OK)
        e = store_tx(op->core->store, code_row_tx, &x);
    if (e == ERR_OK)
        e = answer_send(op, r, &answer, ret);
    secret_zero(&x.text, sizeof(x.text));
    return e;
}

/* --- the person
 * --------------------------------------------------------------------------------------------------- */

/* ERR_LOGIN_REQUIRED: the person has to sign in, again or at all. */
static err_t check_signed_in(struct op *op, const struct request *r, const struct session *s)
{
    if (!s)
        return op_fail(op, ERR_LOGIN_REQUIRED, "", "nobody is signed in");
    int64_t age_s = op->now_s - s->auth_s, max_s = r->max_age_s;
    bool fresh = !(r->prompt & PROMPT_LOGIN) && (max_s < 0 || (max_s > 0 && age_s <= max_s));
    if (!fresh && !reauth_done(op, r->sent, s))
        return op_fail(op, ERR_LOGIN_REQUIRED, "", "the sign-in is not recent enough");
    return ERR_OK;
}

static bool is_expected(struct op *op, const struct request *r, int64_t account_id)
{
    struct str sub = subject_for(op, client_of(r->client), account_id);
    return (!r->hint.client || r->hint.account_id == account_id) && (!r->claims.sub.n || str_eq(r->claims.sub, sub));
}

/* Another person than the client expects may sign in anew, once: who comes back the same is an answer (Core section 3.1.2.2). */
static err_t check_identity(struct op *op, const struct request *r, const struct session *s)
{
    if (is_expected(op, r, s->account_id))
        return ERR_OK;
    return reauth_done(op, r->sent, s)
               ? op_fail(op, ERR_OTHER_PERSON, "", "another person is signed in than the client expects")
               : op_fail(op, ERR_LOGIN_REQUIRED, "", "another person is signed in than the client expects");
}

static err_t check_acr(struct op *op, const struct request *r, const struct session *s)
{
    if (!r->claims.acr.n || str_has_word(r->claims.acr, ' ', acr_of(s->amr)))
        return ERR_OK;
    return op_fail(op, ERR_ACR_UNMET, "claims", "the sign-in is not of a kind that the client insists on");
}

/* Whether the person must be asked. A public client on a loopback address or with its own scheme may be any
 * program of that device: what was once allowed to it is asked again, and without asking nothing goes (RFC
 * 8252 section 8.6, A17). */
static err_t check_consent(struct op *op, const struct request *r, struct str decision)
{
    const struct client *c = client_of(r->client);
    bool anyone = str_is(c->token_endpoint_auth_method, "none") && redirect_is_native(r->redirect_uri);
    bool covered = c->first_party;
    if (str_is(decision, "deny"))
        return op_fail(op, ERR_ACCESS_DENIED, "", "the person denied the request");
    if (str_is(decision, "allow"))
        return ERR_OK;
    if (anyone && (r->prompt & PROMPT_NONE))
        return op_fail(op, ERR_INTERACTION_REQUIRED, "prompt",
                       "a public client of this kind is not answered without asking");
    if (!covered && !anyone)
        TRY(consent_covers(op, r, &covered));
    if (!covered || (r->prompt & PROMPT_CONSENT))
        return op_fail(op, ERR_CONSENT_REQUIRED, "", "the person has to consent");
    return ERR_OK;
}

static err_t check_person(struct op *op, struct request *r, const struct session *s, struct str decision)
{
    TRY(check_signed_in(op, r, s));
    TRY(check_identity(op, r, s));
    TRY(check_acr(op, r, s));
    err_t e = account_by_id(op, s->account_id, &r->account);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && r->account.disabled)) {
        op->fault = (struct fault){0};
        return op_fail(op, ERR_LOGIN_REQUIRED, "", "the account is gone or disabled");
    }
    TRY(e);
    struct scope_request q = {
        .client = client_of(r->client), .person = &r->account, .asked = r->p->scope, .audience = r->audience};
    TRY(scope_narrow(op, &q, &r->scope));
    return check_consent(op, r, decision);
}

/* --- the answer
 * --------------------------------------------------------------------------------------------------- */

static err_t ask(struct op *op, const struct request *r, enum authorize_verdict verdict,
                 struct authorize_result *ret)
{
    struct str after = STR_NONE;
    bool anew = (r->prompt & PROMPT_LOGIN) || r->max_age_s >= 0 || r->hint.client || r->claims.sub.n;
    /* A request object may run out while the person reads our pages: the proof says when it came. */
    bool object = r->sent->request.p && !reauth_asked_s(op, r->sent);
    if (object || (verdict == AUTHORIZE_SIGN_IN && anew)) {
        after = reauth_ask(op, r->sent);
        if (!after.p)
            return ERR_MEMORY;
    }
    op->fault = (struct fault){0};
    ret->verdict = verdict;
    ret->scope = consent_asked(op, r);
    return request_query(op, r->sent, after, &ret->query);
}

/* A client that registered itself is not one to lead people to who have not even signed in: the refusal is shown here (RFC 9700
 * section 4.11.2, A08). */
static bool leads_strangers_away(const struct request *r, const struct session *s)
{
    return !s && r->client->managed_by == MANAGED_REGISTRATION;
}

static err_t refuse(struct op *op, const struct request *r, const struct session *s, err_t e, struct authorize_result *ret)
{
    audit_refused(op, err_oauth(e), r->client->name);
    if (leads_strangers_away(r, s)) {
        ret->verdict = AUTHORIZE_ERROR;
        return ERR_OK;
    }
    return answer_error(op, r, e, ret);
}

/* Ours to mend: not the client's business. */
static bool is_failure(err_t e)
{
    return err_http(e) >= 500;
}

static err_t refuse_untrusted(struct op *op, const struct request *r, err_t e, struct authorize_result *ret)
{
    if (is_failure(e))
        return e;
    audit_refused(op, err_oauth(e), r->p->client_id);
    ret->verdict = AUTHORIZE_ERROR;
    return ERR_OK;
}

static err_t decide(struct op *op, struct request *r, const struct session *s, struct str decision,
                    struct authorize_result *ret)
{
    err_t e = request_check(op, r);
    if (e == ERR_OK)
        e = check_person(op, r, s, decision);
    bool may_ask = !(r->prompt & PROMPT_NONE);
    if (e == ERR_LOGIN_REQUIRED && may_ask)
        return ask(op, r, AUTHORIZE_SIGN_IN, ret);
    if (e == ERR_CONSENT_REQUIRED && may_ask)
        return ask(op, r, AUTHORIZE_CONSENT, ret);
    if (e == ERR_OK) {
        registration_used(op, r->client);
        return let_through(op, r, s, str_is(decision, "allow"), ret);
    }
    if (is_failure(e))
        return e;
    if (str_is(decision, "deny"))
        TRY(audit_now(op, AUDIT_CONSENT_DENIED, arena_fmt(op->arena, "client:%.*s", STR_ARG(r->client->name)),
                      STR_NONE));
    return refuse(op, r, s, e, ret);
}

err_t authorize(struct op *op, const struct authorize_params *p, const struct session *session,
                struct str decision, struct authorize_result *ret)
{
    struct request r = {.p = p, .sent = p};
    *ret = (struct authorize_result){0};
    err_t e = request_trust(op, &r);
    if (e != ERR_OK)
        return refuse_untrusted(op, &r, e, ret);
    ret->client = r.client;
    ret->redirect_origin = redirect_origin(r.redirect_uri);
    return decide(op, &r, session, decision, ret);
}
