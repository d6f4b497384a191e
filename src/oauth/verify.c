/* Forward authentication: a proxy (nginx auth_request, Traefik, Caddy) asks for each request whether to let
 * it through, and gets names to pass on. */
#include "oauth/parts.h"

static const struct field verify_fields_v[] = {
    {"scope", F_STR, 0, LIMIT_SCOPE, offsetof(struct verify_params, scope), NULL, NULL,
     "words the caller must hold; else 403"},
    {"audience", F_STR, FIELD_EXACT, LIMIT_TEXT, offsetof(struct verify_params, audience), NULL, NULL,
     "the resource a token must be for"},
};
const struct fields verify_fields = FIELDS(verify_fields_v, struct verify_params);

static struct str never_zero(struct str s)
{
    return s.p ? s : STR("");
}

static struct str comma_list(struct op *op, struct strs list)
{
    struct buf b;
    buf_init(&b, op->arena, LIMIT_SCOPE);
    for (size_t i = 0; i < list.n; i++) {
        if (i)
            buf_char(&b, ',');
        buf_str(&b, list.v[i]);
    }
    return buf_ok(&b) ? buf_view(&b) : STR("");
}

static void name_account(struct op *op, const struct account *a, struct verified *v)
{
    v->user = a->username;
    v->groups = comma_list(op, a->spec.roles);
    v->email = never_zero(a->email);
    v->name = never_zero(a->spec.name);
}

err_t verify_bearer(struct op *op, const struct verify_params *p, struct str text, struct verified *ret)
{
    struct bearer b;
    struct verified v = {.user = STR(""), .groups = STR(""), .email = STR(""), .name = STR("")};
    TRY(bearer_check(op, text, &b));
    if (p->audience.n && !str_has_word(b.token.audience, ' ', p->audience))
        return op_fail(op, ERR_TOKEN_INVALID, "audience", "the token is for another resource");
    if (!scope_within(p->scope, b.scope))
        return op_fail(op, ERR_SCOPE_INSUFFICIENT, "scope", "the token lacks a scope that is needed here");
    if (b.account.id)
        name_account(op, &b.account, &v);
    else /* a client may be named like a person */
        v.user = arena_fmt(op->arena, "client:%.*s", STR_ARG(b.actor.name));
    v.scope = never_zero(b.scope);
    *ret = v;
    return ERR_OK;
}

/* A session stands for the person whole: each word asked for must be a permission held. */
err_t verify_session(struct op *op, const struct verify_params *p, const struct session *s,
                     struct verified *ret)
{
    struct account a;
    struct verified v = {0};
    struct str w, rest = p->scope;
    TRY(account_by_id(op, s->account_id, &a));
    struct strs held = account_permissions(op, &a);
    while (str_word(&rest, ' ', &w))
        if (!permission_held(held, w))
            return op_fail(op, ERR_SCOPE_INSUFFICIENT, "scope", "you are not permitted to do this");
    name_account(op, &a, &v);
    v.scope = never_zero(p->scope);
    *ret = v;
    return ERR_OK;
}

/* Host names compare without case, and a trailing dot means the same host (A85). */
bool verify_url_allowed(struct op *op, struct str url)
{
    struct str host;
    if (url.n > LIMIT_REDIRECT_URI || !url_host(url, &host))
        return false;
    if (op->core->https && !str_starts(url, STR("https://")))
        return false;
    if (host.n > 1 && host.p[host.n - 1] == '.')
        host.n--;
    for (size_t i = 0; i < op->tenant->spec->forward_auth_hosts.n; i++)
        if (str_eq_nocase(op->tenant->spec->forward_auth_hosts.v[i], host))
            return true;
    return false;
}

struct str verify_url_origin(struct str url)
{
    return redirect_origin(url);
}
