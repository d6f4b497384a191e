/* Preview: the claims that a sign-in would yield now, by the very functions that issue. Nothing is signed, stored or audited. */
#include "oauth/parts.h"

static const struct field simulate_rows[] = {
    {"user", F_STR, 0, LIMIT_NAME, offsetof(struct simulate_params, user), NULL, NULL,
     "user name of the person or service account; none: the client for itself"},
    {"client", F_STR, FIELD_REQUIRED, LIMIT_NAME, offsetof(struct simulate_params, client), NULL, NULL, "the client"},
    {"scope", F_WORDS, 0, LIMIT_SCOPE, offsetof(struct simulate_params, scope), NULL, NULL, "what it asks for; none: all it has"},
    {"audience", F_STR, 0, LIMIT_TEXT, offsetof(struct simulate_params, audience), NULL, NULL,
     "the resource it asks for; none: the default one"},
};
const struct fields simulate_fields = FIELDS(simulate_rows, struct simulate_params);

static err_t prepare(struct op *op, const struct simulate_params *p, struct account *a, struct issue *i)
{
    TRY(op_permit(op, "client.read"));
    TRY(op_permit(op, "user.read"));
    if (object_get(op, &kind_client, p->client, &i->client) != ERR_OK)
        return op_fail(op, ERR_NOT_FOUND, "client", "there is no such client");
    if (p->user.n && account_by_name(op, p->user, a) != ERR_OK)
        return op_fail(op, ERR_NOT_FOUND, "user", "there is no such person or service account");
    i->account = p->user.n ? a : NULL;
    i->grant_type = "simulate";
    if (i->account)
        i->signin = (struct signin_info){.auth_s = op->now_s, .amr = STR("pwd")};
    struct strs asked = {&p->audience, p->audience.n > 0};
    TRY(audience_choose(op, client_of(i->client), asked, &i->audience));
    struct scope_request r = {client_of(i->client), i->account, p->scope.n ? p->scope : STR_NONE, i->audience};
    return scope_narrow(op, &r, &i->scope);
}

/* What the client learns of the person beside it. */
static err_t preview_identity(struct op *op, const struct issue *i, struct jw *w)
{
    struct id_token id = {.client = i->client, .account = i->account, .signin = &i->signin, .granted = i->scope};
    struct userinfo u = {.client = i->client, .account = i->account, .scope = i->scope};
    id.expires_s = op->now_s + life_or_default(client_of(i->client)->access_token_life_s, op->tenant->spec->access_token_life_s);
    jw_key(w, "id_token");
    TRY(id_token_preview(op, &id, w));
    jw_key(w, "userinfo");
    return userinfo_write(op, &u, false, w);
}

err_t token_simulate(struct op *op, const struct simulate_params *p, struct jw *w)
{
    struct account a;
    struct issue i = {.grant_type = NULL};
    TRY(prepare(op, p, &a, &i));
    jw_open(w, '{');
    jw_key(w, "access_token");
    TRY(issue_preview(op, &i, w));
    if (i.account && str_has_word(i.scope, ' ', STR(SCOPE_OPENID)))
        TRY(preview_identity(op, &i, w));
    jw_close(w, '}');
    return buf_ok(w->b) ? ERR_OK : ERR_MEMORY;
}
