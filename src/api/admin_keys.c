/* /v1/admin: the audit trail and the signing keys. */
#include "api/admin.h"
#include "token/core.h"
#include "token/keyring.h"

err_t admin_audit(struct call *c, void *params)
{
    struct admin_audit_params *p = params;
    struct audit_query q = {.event = p->event, .object = p->object, .actor = p->actor, .limit = p->limit};
    struct buf b;
    struct jw w;
    int64_t next = 0;
    if (p->before.n && !id_parse(c->op.core, p->before, &q.before_id))
        return op_fail(&c->op, ERR_PARAM_BAD, "before", "must be the \"next\" of an earlier answer");
    admin_begin(c, &b, &w);
    jw_open(&w, '{');
    jw_key(&w, "items");
    TRY(audit_list(&c->op, &q, &w, &next));
    if (next)
        jw_m_str(&w, "next", id_text(c->op.core, c->op.arena, next));
    jw_close(&w, '}');
    return admin_send(c, 200, &b);
}

err_t admin_keys(struct call *c, void *params)
{
    (void)params;
    struct buf b;
    struct jw w;
    admin_begin(c, &b, &w);
    jw_open(&w, '{');
    jw_key(&w, "items");
    jw_open(&w, '[');
    for (size_t i = 0; i < c->op.tenant->nkeys; i++) {
        const struct signing_key *k = &c->op.tenant->keys[i];
        jw_open(&w, '{');
        jw_m_str(&w, "kid", k->jwk.kid);
        jw_m_str(&w, "alg", str_z(alg_row(k->jwk.alg)->name));
        jw_m_int(&w, "created_at", k->created_s);
        jw_m_int(&w, "active_at", k->active_s);
        if (k->retired_s)
            jw_m_int(&w, "retired_at", k->retired_s);
        if (k->remove_s)
            jw_m_int(&w, "removed_at", k->remove_s);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    return admin_send(c, 200, &b);
}

err_t admin_key_rotate(struct call *c, void *params)
{
    enum alg alg;
    if (!alg_find_in(c->args[0], ALGS_ISSUED, &alg))
        return op_fail(&c->op, ERR_NOT_FOUND, "", "there is no such algorithm");
    TRY(keyring_rotate(&c->op, alg));
    TRY(tenant_refresh(&c->op));
    return admin_keys(c, params);
}
