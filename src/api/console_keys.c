/* The console: the audit trail and the signing keys. */
#include "api/console.h"
#include "api/admin.h"
#include "base/limits.h"
#include "token/core.h"

err_t console_audit(struct call *c, void *params)
{
    struct admin_audit_params *p = params;
    struct audit_query q = {.event = p->event, .object = p->object, .actor = p->actor, .limit = 100};
    struct buf b;
    struct jw w;
    int64_t next = 0;
    json_t *rows;
    if (p->before.n && !id_parse(c->op.core, p->before, &q.before_id))
        return op_fail(&c->op, ERR_PARAM_BAD, "before", "must come from an earlier page");
    buf_init(&b, c->op.arena, LIMIT_REQUEST_ARENA / 2);
    jw_init(&w, &b);
    TRY(audit_list(&c->op, &q, &w, &next));
    TRY(json_load(buf_view(&b), &rows));
    json_t *data = console_data(c, STR("Audit trail"), STR("audit"));
    json_t *items = page_list(data, "items");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        json_t *item = page_item(items);
        struct str at = json_str(json_object_get(row, "at")); /* 2026-11-23T21:22:00Z */
        page_set(item, "at", at.n == 20 ? arena_fmt(c->op.arena, "%.10s %.8s UTC", at.p, at.p + 11) : at);
        page_set(item, "event", json_str(json_object_get(row, "event")));
        page_set(item, "actor", json_str(json_object_get(row, "actor")));
        page_set(item, "object", json_str(json_object_get(row, "object")));
        char *payload = json_dumps(json_object_get(row, "payload"), JSON_COMPACT | JSON_ENCODE_ANY);
        page_set(item, "payload", payload && strcmp(payload, "null") != 0 ? str_z(payload) : STR_NONE);
        free(payload);
    }
    json_decref(rows);
    page_set(data, "event", p->event.p ? p->event : STR(""));
    if (next)
        page_set(data, "next", id_text(c->op.core, c->op.arena, next));
    return page_send(c, 200, "console_audit.html", data);
}

err_t console_keys(struct call *c, void *params)
{
    (void)params;
    json_t *data = console_data(c, STR("Signing keys"), STR("keys"));
    json_t *items = page_list(data, "items");
    for (size_t i = 0; i < c->op.tenant->nkeys; i++) {
        const struct signing_key *k = &c->op.tenant->keys[i];
        json_t *item = page_item(items);
        page_set(item, "kid", k->jwk.kid);
        page_set(item, "alg", str_z(alg_row(k->jwk.alg)->name));
        page_set(item, "state", k->retired_s && k->retired_s <= c->op.now_s ? STR("retired") : k->active_s > c->op.now_s ? STR("next") : STR("active"));
        page_set_time(item, "active", k->active_s);
        page_set_time(item, "removed", k->remove_s);
    }
    json_t *algs = page_list(data, "algs");
    for (enum alg a = 0; a < ALG_COUNT; a++)
        if (ALGS_ISSUED & ALG_BIT(a))
            page_set(page_item(algs), "name", str_z(alg_row(a)->name));
    if (op_may(&c->op, "key.write") && data)
        json_object_set_new(data, "may_write", json_true());
    return page_send(c, 200, "console_keys.html", data);
}
