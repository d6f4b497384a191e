/* Outside sign-in, from the button to the session: the ticket of a sign-in under way, the request, the answer's checks. The
 * nonce and the PKCE verifier are derived from the state's text, of which the store has the hash alone: whoever reads the store
 * learns nothing to answer with. */
#include "account/outside_parts.h"
#include <stdio.h>

/* --- tickets --- */

#define AT(member) offsetof(struct outside_spec, member)
static const struct field spec_rows[] = {
    {"provider", F_STR, FIELD_EXACT, LIMIT_NAME, AT(provider), NULL, NULL, "the provider's name"},
    {"browser", F_STR, FIELD_EXACT, 64, AT(browser), NULL, NULL, "which browser began it"},
    {"continue", F_STR, FIELD_EXACT, LIMIT_PARAM, AT(next), NULL, NULL, "where to go afterwards"},
    {"subject", F_STR, FIELD_EXACT, LIMIT_SUBJECT, AT(subject), NULL, NULL, "who came"},
    {"label", F_STR, FIELD_EXACT, LIMIT_TEXT, AT(label), NULL, NULL, "the same for reading"},
};
#undef AT
static const struct fields spec_fields = FIELDS(spec_rows, struct outside_spec);

static const char bound[] = "outside sign-in"; /* csrf_make's purpose */

struct making {
    struct ticket ticket;
    struct token_text text;
};

static err_t make_in_tx(struct db *db, void *ctx)
{
    const struct making *m = ctx;
    return ticket_insert(db, &m->ticket, &m->text);
}

static err_t spec_text(struct op *op, const struct outside_spec *s, struct str *ret)
{
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, LIMIT_EVENT_PAYLOAD);
    jw_init(&w, &b);
    jw_open(&w, '{');
    fields_to_json(&spec_fields, s, &w);
    jw_close(&w, '}');
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

err_t outside_ticket_make(struct op *op, const char *kind, const struct outside_spec *s, struct str *ret_text)
{
    struct outside_spec spec = *s;
    struct making m = {.ticket = {.kind = str_z(kind),
                                  .id = store_new_id(op->core->store),
                                  .tenant_id = account_tenant(op),
                                  .created_s = op->now_s,
                                  .expires_s = op->now_s + LIMIT_OUTSIDE_S}};
    spec.browser = csrf_make(op, bound, s->browser);
    if (!spec.browser.n)
        return ERR_MEMORY;
    TRY(spec_text(op, &spec, &m.ticket.spec));
    TRY(token_text_make(op->core, TOKEN_LINK, m.ticket.id, &m.text));
    TRY(store_tx(op->core->store, make_in_tx, &m));
    *ret_text = arena_str(op->arena, (struct str){m.text.p, TOKEN_TEXT_SIZE});
    secret_zero(&m.text, sizeof(m.text));
    return ret_text->p ? ERR_OK : ERR_MEMORY;
}

static err_t spec_read(struct op *op, struct str text, struct outside_spec *ret)
{
    json_t *doc;
    struct fault f = {0};
    TRY(json_load(text, &doc));
    err_t e = fields_init(&spec_fields, op->arena, ret);
    if (e == ERR_OK)
        e = fields_from_json(&spec_fields, op->arena, doc, "", ret, &f);
    json_decref(doc);
    return e;
}

static err_t dead(struct op *op)
{
    return op_fail(op, ERR_OUTSIDE, "", "this sign-in has been used or took too long; begin again");
}

/* A provider that was disabled, removed or made anew meanwhile is not the one that was asked (A82). */
static bool provider_stands(const struct provider *p, int64_t ticket_id)
{
    return p && p->id < ticket_id && p->cutoff_id < ticket_id;
}

err_t outside_ticket_find(struct op *op, const char *kind, struct str text, struct str browser, struct outside_ticket *ret)
{
    struct outside_ticket t;
    struct ticket *k = &t.ticket;
    err_t e = ticket_find(op, op->db, TOKEN_LINK, text, k);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && (!str_is(k->kind, kind) || k->consumed_s || k->expires_s <= op->now_s)))
        return dead(op);
    TRY(e);
    TRY(spec_read(op, k->spec, &t.spec));
    struct str want = csrf_make(op, bound, browser);
    if (!want.n || !str_eq_secret(want, t.spec.browser))
        return op_fail(op, ERR_OUTSIDE, "", "this sign-in was begun in another browser; begin again in this one");
    t.provider = provider_named(op->tenant, t.spec.provider);
    if (!provider_stands(t.provider, k->id))
        return dead(op);
    *ret = t;
    return ERR_OK;
}

struct using
{
    int64_t tenant_id, id, now_s;
    bool won;
};

static err_t use_in_tx(struct db *db, void *ctx)
{
    struct using *u = ctx;
    bool won;
    TRY(ticket_consume(db, u->tenant_id, u->id, u->now_s, 0, &won));
    u->won = won;
    return ERR_OK;
}

/* --- what both ways need --- */

err_t outside_refuse(struct op *op, const char *reason, const char *fmt, ...)
{
    char text[sizeof(op->fault.detail)];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    audit_refused(op, reason, STR_NONE);
    metrics_add(op->core->metrics, METRIC_AUTHN, "outside,wrong", 1);
    return op_fail(op, ERR_OUTSIDE, "", "%s", text);
}

struct str outside_redirect_uri(struct op *op, const struct provider *p)
{
    return arena_fmt(op->arena, "%.*s/signin/back/%.*s", STR_ARG(op->tenant->issuer), STR_ARG(p->name));
}

/* 43 characters: what a verifier has at least (RFC 7636 section 4.1). */
static err_t derive(struct op *op, const char *what, struct str state, struct str *ret)
{
    uint8_t mac[SHA256_SIZE];
    struct buf b;
    struct str text = arena_fmt(op->arena, "outside %s %.*s", what, STR_ARG(state));
    if (!text.p)
        return ERR_MEMORY;
    hmac_sha256(op->core->crypto, (struct str){(const char *)op->tenant->secret_key, sizeof(op->tenant->secret_key)}, text, mac);
    buf_init(&b, op->arena, 64);
    enc_b64url(&b, mac, sizeof(mac));
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

static err_t challenge_of(struct op *op, struct str verifier, struct str *ret)
{
    uint8_t hash[SHA256_SIZE];
    struct buf b;
    sha256(op->core->crypto, verifier, hash);
    buf_init(&b, op->arena, 64);
    enc_b64url(&b, hash, sizeof(hash));
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

/* --- beginning --- */

static err_t request_url(struct op *op, const struct provider *p, struct str endpoint, struct str state, bool again, struct str *ret)
{
    struct str nonce, verifier, challenge;
    struct buf b;
    TRY(derive(op, "nonce", state, &nonce));
    TRY(derive(op, "verifier", state, &verifier));
    TRY(challenge_of(op, verifier, &challenge));
    const struct {
        const char *name;
        struct str value;
    } params[] = {
        {"client_id", p->client_id},   {"redirect_uri", outside_redirect_uri(op, p)}, {"scope", p->scope}, {"state", state},
        {"nonce", nonce},              {"code_challenge", challenge},                 {"prompt", again ? STR("login") : STR_NONE},
    };
    buf_init(&b, op->arena, 8 * LIMIT_REDIRECT_URI);
    buf_str(&b, endpoint);
    buf_z(&b, str_find(endpoint, '?') < endpoint.n ? "&" : "?");
    buf_z(&b, "response_type=code&code_challenge_method=S256");
    for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        if (!params[i].value.n)
            continue;
        buf_fmt(&b, "&%s=", params[i].name);
        buf_url(&b, params[i].value);
    }
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

err_t outside_begin(struct op *op, const struct outside_begin *b, struct str *ret_location)
{
    struct outside_metadata m;
    struct str state;
    const struct provider *p = provider_named(op->tenant, b->provider);
    if (!p)
        return op_fail(op, ERR_NOT_FOUND, "", "there is no such provider");
    TRY(outside_metadata(op, p, &m));
    struct outside_spec spec = {.provider = p->name, .browser = b->browser, .next = b->next};
    TRY(outside_ticket_make(op, OUTSIDE_WAY, &spec, &state));
    return request_url(op, p, m.authorization_endpoint, state, b->again, ret_location);
}

/* --- coming back --- */

/* Whoever answers must be who was asked (RFC 9207 section 2.4); an error is an answer like any other. */
static err_t check_answer(struct op *op, const struct outside_answer *a, const struct provider *p, const struct outside_metadata *m)
{
    struct str title = provider_title(p);
    if ((a->iss.p || m->answers_iss) && !str_eq(a->iss, p->issuer))
        return outside_refuse(op, "outside sign-in: iss", "the answer is not from %.*s; you are not signed in", STR_ARG(title));
    if (str_is(a->error, "access_denied"))
        return outside_refuse(op, "outside sign-in: denied", "the sign-in at %.*s was cancelled", STR_ARG(title));
    if (a->error.n || !a->code.n)
        return outside_refuse(op, "outside sign-in: error", "%.*s did not sign you in; try again later", STR_ARG(title));
    return ERR_OK;
}

/* The ticket is used up before anything is done with the answer: what failed is begun again. */
static err_t use_state(struct op *op, const struct outside_ticket *t, struct str provider)
{
    struct using u = {.tenant_id = account_tenant(op), .id = t->ticket.id, .now_s = op->now_s};
    if (!str_eq(t->provider->name, provider))
        return dead(op);
    TRY(store_tx(op->core->store, use_in_tx, &u));
    return u.won ? ERR_OK : dead(op);
}

static err_t take_state(struct op *op, const struct outside_answer *a, struct outside_ticket *ret)
{
    if (!a->state.n) /* nobody here asked */
        return outside_refuse(op, "outside sign-in: unsolicited", "this answer belongs to no sign-in that was begun here; begin again");
    err_t e = outside_ticket_find(op, OUTSIDE_WAY, a->state, a->browser, ret);
    if (e == ERR_OK)
        e = use_state(op, ret, a->provider);
    if (e == ERR_OUTSIDE)
        audit_refused(op, "outside sign-in: state", STR_NONE);
    return e;
}

static err_t ask(struct op *op, const struct outside_answer *a, const struct provider *p, const struct outside_identity *i, struct str *ret)
{
    struct outside_spec spec = {.provider = p->name, .browser = a->browser, .subject = i->subject};
    spec.label = i->email.n ? i->email : i->username.n ? i->username : i->name;
    if (spec.label.n > LIMIT_EMAIL)
        spec.label = STR_NONE;
    return outside_ticket_make(op, OUTSIDE_WAIT, &spec, ret);
}

/* Known by issuer and subject, or not at all (A79). */
static err_t enter(struct op *op, const struct outside_answer *a, const struct provider *p, const struct outside_identity *i,
                   int64_t before_id, struct outside_result *ret)
{
    struct outside_known known;
    err_t e = ERR_CONFLICT;
    for (int tries = 0; e == ERR_CONFLICT && tries < LIMIT_PUT_TRIES; tries++) {
        TRY(outside_find(op, p, i->subject, &known));
        if (known.id)
            return outside_sign_in(op, p, &known, before_id, &ret->in);
        ret->ask = str_is(p->link, "ask");
        e = ret->ask ? ask(op, a, p, i, &ret->pending) : outside_create(op, p, i, &ret->in);
    }
    return e == ERR_CONFLICT ? ERR_BUSY : e;
}

err_t outside_finish(struct op *op, const struct outside_answer *a, struct outside_result *ret)
{
    struct outside_ticket t;
    struct outside_metadata m;
    struct outside_identity i;
    struct outside_known known;
    struct str access_token;
    int64_t before_id = store_new_id(op->core->store);
    *ret = (struct outside_result){.ask = false};
    TRY(take_state(op, a, &t));
    ret->next = t.spec.next;
    TRY(outside_metadata(op, t.provider, &m));
    TRY(check_answer(op, a, t.provider, &m));
    struct outside_exchange x = {.provider = t.provider, .code = a->code};
    TRY(derive(op, "nonce", a->state, &x.nonce));
    TRY(derive(op, "verifier", a->state, &x.verifier));
    TRY(outside_exchange(op, &x, &m, &i, &access_token));
    TRY(outside_find(op, t.provider, i.subject, &known));
    if (!known.id)
        TRY(outside_userinfo(op, t.provider, &m, access_token, &i));
    return enter(op, a, t.provider, &i, before_id, ret);
}
