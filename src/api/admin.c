/* /v1/admin: the parameters of its endpoints and what its files share. The domain functions check permissions; these
 * adapters only translate. */
#include "api/admin.h"
#include "token/core.h"
#include "base/limits.h"

#define ANSWER_MAX (4 * 1024 * 1024)

static const struct field list_rows[] = {
    {"search", F_STR, 0, LIMIT_NAME, offsetof(struct admin_list_params, search), NULL, NULL, "part of the name"},
    {"after", F_STR, 0, LIMIT_NAME, offsetof(struct admin_list_params, after), NULL, NULL, "the last name of the page before"},
    {"limit", F_INT, 0, LIMIT_PAGE, offsetof(struct admin_list_params, limit), NULL, "50", "how many at most"},
};
const struct fields admin_list_fields = FIELDS(list_rows, struct admin_list_params);

static const struct field audit_rows[] = {
    {"event", F_STR, 0, 64, offsetof(struct admin_audit_params, event), NULL, NULL, "only this event"},
    {"object", F_STR, 0, 256, offsetof(struct admin_audit_params, object), NULL, NULL, "only about this object (\"client:web\")"},
    {"actor", F_STR, 0, 256, offsetof(struct admin_audit_params, actor), NULL, NULL, "only by this actor (\"person:demo\")"},
    {"before", F_STR, 0, 16, offsetof(struct admin_audit_params, before), NULL, NULL, "cursor: what \"next\" of the page before said"},
    {"limit", F_INT, 0, LIMIT_PAGE, offsetof(struct admin_audit_params, limit), NULL, "50", "how many at most"},
};
const struct fields admin_audit_fields = FIELDS(audit_rows, struct admin_audit_params);

static const struct field account_rows[] = {
    {"account", F_STR, FIELD_REQUIRED, LIMIT_NAME, offsetof(struct admin_account_params, account), NULL, NULL, "user name of the person or service account"},
};
const struct fields admin_account_fields = FIELDS(account_rows, struct admin_account_params);

/* --- what the files share --- */
err_t admin_kind(struct call *c, const struct object_kind **ret)
{
    *ret = object_kind_find(c->op.core->kinds, c->args[0]);
    return *ret ? ERR_OK : op_fail(&c->op, ERR_NOT_FOUND, "", "there is no kind of object with this name");
}

/* How an address names an object: its name, or "id:" and its id for names that do not fit into a path (URIs). */
static err_t name_of(struct call *c, const struct object_kind *k, struct str *ret)
{
    struct object *o;
    int64_t id;
    *ret = c->args[1];
    if (!str_starts(c->args[1], STR("id:")))
        return ERR_OK;
    if (!id_parse(c->op.core, (struct str){c->args[1].p + 3, c->args[1].n - 3}, &id))
        return op_fail(&c->op, ERR_NOT_FOUND, "", "this is not an id of this server");
    TRY(op_permit(&c->op, k->read));
    TRY(object_get_id(&c->op, k, id, &o));
    *ret = o->name;
    return ERR_OK;
}

err_t admin_target(struct call *c, const struct object_kind **ret_kind, struct str *ret_name)
{
    TRY(admin_kind(c, ret_kind));
    return name_of(c, *ret_kind, ret_name);
}

void admin_begin(struct call *c, struct buf *b, struct jw *w)
{
    buf_init(b, c->op.arena, ANSWER_MAX);
    jw_init(w, b);
}

err_t admin_send(struct call *c, int status, const struct buf *b)
{
    return buf_ok(b) ? answer_json(c, status, buf_view(b)) : op_fail(&c->op, ERR_MEMORY, "", "the answer is too large; ask for fewer");
}

err_t admin_body(struct call *c, json_t **ret)
{
    struct str type = http_req_header(c->req, "Content-Type");
    struct str plain = {type.p, str_find(type, ';')};
    json_t *doc;
    if (!str_eq_nocase(plain, STR("application/json")) && !str_eq_nocase(plain, STR("application/merge-patch+json")))
        return op_fail(&c->op, ERR_MEDIA_TYPE, "", "send application/json");
    if (json_load(c->req->body, &doc) != ERR_OK)
        return op_fail(&c->op, ERR_JSON, "", "the body is not strict JSON (duplicate members count as wrong)");
    TRY(json_keep(c->op.arena, doc));
    if (!json_is_object(doc))
        return op_fail(&c->op, ERR_JSON, "", "the body must be a JSON object");
    *ret = doc;
    return ERR_OK;
}

err_t admin_send_object(struct call *c, int status, const struct object *o, struct str secret)
{
    struct buf b;
    struct jw w;
    admin_begin(c, &b, &w);
    object_print_with(o, "client_secret", secret, &w);
    http_resp_header(c->resp, "ETag", arena_fmt(c->op.arena, "\"%lld\"", (long long)o->version));
    return admin_send(c, status, &b);
}
