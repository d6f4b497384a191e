/* /v1/admin: what can act for an account, revoking it, and the preview of what a sign-in would yield. */
#include "api/admin.h"
#include "token/core.h"

void admin_print_held(struct op *op, const struct held_item *h, struct jw *w)
{
    char letter[2] = {h->letter, 0};
    jw_open(w, '{');
    jw_m_str(w, "kind", str_z(node_name(h->kind)));
    jw_m_str(w, "id", id_text(op->core, op->arena, h->id));
    if (h->letter)
        jw_m_str(w, "letter", str_z(letter));
    jw_m_str(w, "what", h->what);
    jw_m_str(w, "scope", h->scope);
    jw_m_int(w, "created_at", h->created_s);
    jw_m_int(w, "last_used_at", h->used_s);
    jw_m_int(w, "expires_at", h->expires_s);
    jw_m_str(w, "ip", h->ip);
    jw_m_str(w, "agent", h->agent);
    jw_close(w, '}');
}

err_t admin_tokens(struct call *c, void *params)
{
    struct admin_account_params *p = params;
    struct account a;
    struct held_list held;
    struct buf b;
    struct jw w;
    TRY(account_by_name(&c->op, p->account, &a));
    TRY(life_list(&c->op, a.id, &held));
    admin_begin(c, &b, &w);
    jw_open(&w, '{');
    jw_key(&w, "items");
    jw_open(&w, '[');
    for (size_t i = 0; i < held.n; i++)
        admin_print_held(&c->op, &held.v[i], &w);
    jw_close(&w, ']');
    jw_close(&w, '}');
    return admin_send(c, 200, &b);
}

err_t admin_simulate(struct call *c, void *params)
{
    struct buf b;
    struct jw w;
    admin_begin(c, &b, &w);
    TRY(token_simulate(&c->op, params, &w));
    return admin_send(c, 200, &b);
}

bool admin_revocable(struct str node, enum node_kind *ret)
{
    static const enum node_kind revocable[] = {NODE_TOKEN, NODE_GRANT, NODE_SESSION, NODE_IDENTITY};
    for (size_t i = 0; i < sizeof(revocable) / sizeof(revocable[0]); i++) {
        if (str_is(node, node_name(revocable[i]))) {
            *ret = revocable[i];
            return true;
        }
    }
    return false;
}

err_t admin_token_revoke(struct call *c, void *params)
{
    (void)params;
    enum node_kind kind;
    int64_t id;
    if (!id_parse(c->op.core, c->args[1], &id))
        return op_fail(&c->op, ERR_NOT_FOUND, "", "this is not an id of this server");
    if (!admin_revocable(c->args[0], &kind))
        return op_fail(&c->op, ERR_NOT_FOUND, "", "what is revoked is a token, a grant, a session or an identity");
    TRY(account_permit_revoke(&c->op, id));
    TRY(node_revoke(&c->op, kind, id, "administrator"));
    return answer_empty(c, 204);
}
