/* /v1/admin: configured objects of every kind by one set of handlers, and what belongs to accounts: links, API keys, tokens.
 * The domain functions check permissions; these adapters only translate. */
#include "api/admin.h"
#include "account/apikey.h"
#include "token/core.h"
#include "token/keyring.h"
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

/* --- small pieces --- */
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

/* The kind and the name that the address holds. */
static err_t target_of(struct call *c, const struct object_kind **ret_kind, struct str *ret_name)
{
    TRY(admin_kind(c, ret_kind));
    return name_of(c, *ret_kind, ret_name);
}

static void json_begin(struct call *c, struct buf *b, struct jw *w)
{
    buf_init(b, c->op.arena, ANSWER_MAX);
    jw_init(w, b);
}

static err_t json_send(struct call *c, int status, const struct buf *b)
{
    return buf_ok(b) ? answer_json(c, status, buf_view(b)) : op_fail(&c->op, ERR_MEMORY, "", "the answer is too large; ask for fewer");
}

/* The request's JSON object; the op keeps it. */
static err_t body_object(struct call *c, json_t **ret)
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

/* If-Match: "7" -> 7; absent or * -> 0. */
static err_t if_match(struct call *c, int64_t *ret)
{
    struct str v = http_req_header(c->req, "If-Match");
    *ret = 0;
    if (!v.p || str_is(v, "*"))
        return ERR_OK;
    if (v.n < 3 || v.p[0] != '"' || v.p[v.n - 1] != '"' || !str_to_int((struct str){v.p + 1, v.n - 2}, ret) || *ret < 1)
        return op_fail(&c->op, ERR_PRECONDITION, "If-Match", "must be the ETag of an earlier answer");
    return ERR_OK;
}

/* secret: one that has just been made, told this once; STR_NONE otherwise. */
static err_t send_object(struct call *c, int status, const struct object *o, struct str secret)
{
    struct buf b;
    struct jw w;
    json_begin(c, &b, &w);
    object_print_with(o, "client_secret", secret, &w);
    http_resp_header(c->resp, "ETag", arena_fmt(c->op.arena, "\"%lld\"", (long long)o->version));
    return json_send(c, status, &b);
}

/* --- objects --- */
err_t admin_list(struct call *c, void *params)
{
    struct admin_list_params *p = params;
    const struct object_kind *k;
    struct object_page page;
    struct buf b;
    struct jw w;
    TRY(admin_kind(c, &k));
    struct object_query q = {.search = p->search, .after = p->after, .limit = p->limit < 1 ? 1 : p->limit};
    TRY(object_list(&c->op, k, &q, &page));
    json_begin(c, &b, &w);
    jw_open(&w, '{');
    jw_key(&w, "items");
    jw_open(&w, '[');
    for (size_t i = 0; i < page.n; i++)
        object_print(page.v[i], &w);
    jw_close(&w, ']');
    if (page.more && page.n)
        jw_m_str(&w, "next", page.v[page.n - 1]->name);
    jw_close(&w, '}');
    return json_send(c, 200, &b);
}

err_t admin_show(struct call *c, void *params)
{
    (void)params;
    const struct object_kind *k;
    struct object *o;
    struct str name;
    TRY(target_of(c, &k, &name));
    TRY(object_read(&c->op, k, name, &o));
    return send_object(c, 200, o, STR_NONE);
}

err_t admin_create(struct call *c, void *params)
{
    (void)params;
    const struct object_kind *k;
    struct object *o;
    struct str secret = STR_NONE;
    json_t *doc;
    bool changed;
    TRY(admin_kind(c, &k));
    TRY(body_object(c, &doc));
    if (k == &kind_client)
        TRY(client_secret_generate(&c->op, doc, &secret));
    TRY(object_put(&c->op, k, doc, OBJECT_CREATE, MANAGED_API, 0, "", &o, &changed));
    http_resp_header(c->resp, "Location", arena_fmt(c->op.arena, "%.*s/v1/admin/%s/%.*s", STR_ARG(c->op.tenant->path), k->plural, STR_ARG(o->name)));
    return send_object(c, 201, o, secret);
}

/* PATCH keeps what the document leaves out, PUT puts it back to its default. */
static err_t admin_write(struct call *c, enum object_mode mode)
{
    const struct object_kind *k;
    struct object *o;
    json_t *doc;
    int64_t version;
    struct str name;
    bool changed;
    TRY(target_of(c, &k, &name));
    TRY(body_object(c, &doc));
    TRY(if_match(c, &version));
    if (!json_object_get(doc, k->name_field))
        json_object_set_new(doc, k->name_field, json_stringn(name.p, name.n));
    if (!str_eq(json_str(json_object_get(doc, k->name_field)), name))
        return op_fail(&c->op, ERR_PARAM_BAD, k->name_field, "does not agree with the address");
    TRY(object_put(&c->op, k, doc, mode, MANAGED_API, version, "", &o, &changed));
    return send_object(c, 200, o, STR_NONE);
}

err_t admin_patch(struct call *c, void *params)
{
    (void)params;
    return admin_write(c, OBJECT_UPDATE);
}

err_t admin_put(struct call *c, void *params)
{
    (void)params;
    return admin_write(c, OBJECT_UPSERT);
}

err_t admin_remove(struct call *c, void *params)
{
    (void)params;
    const struct object_kind *k;
    struct str name;
    TRY(target_of(c, &k, &name));
    TRY(object_remove(&c->op, k, name));
    return answer_empty(c, 204);
}

/* --- actions on one object --- */
static err_t set_disabled(struct call *c, const struct object_kind *k, struct str name, bool disabled)
{
    struct object *o;
    TRY(object_set_disabled(&c->op, k, name, disabled));
    TRY(object_read(&c->op, k, name, &o));
    return send_object(c, 200, o, STR_NONE);
}

static err_t act_disable(struct call *c, const struct object_kind *k, struct str name)
{
    return set_disabled(c, k, name, true);
}

static err_t act_enable(struct call *c, const struct object_kind *k, struct str name)
{
    return set_disabled(c, k, name, false);
}

static err_t send_pair(struct call *c, int status, const char *name, struct str value, const char *time_name, int64_t t_s, struct str id)
{
    struct buf b;
    struct jw w;
    json_begin(c, &b, &w);
    jw_open(&w, '{');
    jw_m_str(&w, "id", id);
    jw_m_str(&w, name, value);
    if (time_name)
        jw_m_int(&w, time_name, t_s);
    jw_close(&w, '}');
    return json_send(c, status, &b);
}

err_t admin_link(struct op *op, const struct object_kind *k, struct str name, struct str *ret_url)
{
    struct account a;
    TRY(op_permit(op, k->write));
    TRY(account_by_name(op, name, &a));
    return link_make(op, a.password_hash.n ? "reset" : "enrol", a.id, ret_url);
}

static err_t act_link(struct call *c, const struct object_kind *k, struct str name)
{
    struct str url;
    if (k != &kind_user)
        return op_fail(&c->op, ERR_NOT_FOUND, "", "links are made for users");
    TRY(admin_link(&c->op, k, name, &url));
    return send_pair(c, 201, "url", url, NULL, 0, STR_NONE);
}

struct key_body {
    struct str name;
    struct strs permissions;
    int64_t life_s;
};
static const struct field key_rows[] = {
    {"name", F_STR, FIELD_REQUIRED, 100, offsetof(struct key_body, name), NULL, NULL, "what the key is for"},
    {"permissions", F_STRS, 0, LIMIT_NAME, offsetof(struct key_body, permissions), NULL, NULL, "what it may do; empty: all that its account may"},
    {"expires_in", F_SECONDS, 0, 366 * 86400, offsetof(struct key_body, life_s), NULL, "90d", "how long it lives"},
};
static const struct fields key_fields = FIELDS(key_rows, struct key_body);

static err_t act_key(struct call *c, const struct object_kind *k, struct str name)
{
    struct account a;
    struct key_body body;
    struct token_text text;
    json_t *doc;
    int64_t id, expires_s;
    if (!k->store)
        return op_fail(&c->op, ERR_NOT_FOUND, "", "API keys belong to users and service accounts");
    TRY(op_permit(&c->op, k->write));
    TRY(body_object(c, &doc));
    TRY(fields_init(&key_fields, c->op.arena, &body));
    TRY(fields_from_json(&key_fields, c->op.arena, doc, "", &body, &c->op.fault));
    TRY(account_by_name(&c->op, name, &a));
    struct apikey_request r = {.name = body.name, .permissions = body.permissions, .life_s = body.life_s};
    TRY(apikey_issue(&c->op, a.id, &r, &text, &id, &expires_s));
    return send_pair(c, 201, "key", arena_str(c->op.arena, (struct str){text.p, TOKEN_TEXT_SIZE}), "expires_at", expires_s,
                     id_text(c->op.core, c->op.arena, id));
}

static const struct {
    const char *name;
    err_t (*run)(struct call *c, const struct object_kind *k, struct str name);
} actions[] = {{"disable", act_disable}, {"enable", act_enable}, {"link", act_link}, {"keys", act_key}};

err_t admin_action(struct call *c, void *params)
{
    (void)params;
    const struct object_kind *k;
    struct str name;
    TRY(target_of(c, &k, &name));
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (str_is(c->args[2], actions[i].name))
            return actions[i].run(c, k, name);
    return op_fail(&c->op, ERR_NOT_FOUND, "", "there is no such action: disable, enable, link or keys");
}

/* --- tokens --- */
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
    json_begin(c, &b, &w);
    jw_open(&w, '{');
    jw_key(&w, "items");
    jw_open(&w, '[');
    for (size_t i = 0; i < held.n; i++)
        admin_print_held(&c->op, &held.v[i], &w);
    jw_close(&w, ']');
    jw_close(&w, '}');
    return json_send(c, 200, &b);
}

err_t admin_simulate(struct call *c, void *params)
{
    struct buf b;
    struct jw w;
    json_begin(c, &b, &w);
    TRY(token_simulate(&c->op, params, &w));
    return json_send(c, 200, &b);
}

bool admin_revocable(struct str node, enum node_kind *ret)
{
    static const enum node_kind revocable[] = {NODE_TOKEN, NODE_GRANT, NODE_SESSION};
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
        return op_fail(&c->op, ERR_NOT_FOUND, "", "what is revoked is a token, a grant or a session");
    TRY(node_revoke(&c->op, kind, id, "administrator"));
    return answer_empty(c, 204);
}

/* --- audit and keys --- */
err_t admin_audit(struct call *c, void *params)
{
    struct admin_audit_params *p = params;
    struct audit_query q = {.event = p->event, .object = p->object, .actor = p->actor, .limit = p->limit};
    struct buf b;
    struct jw w;
    int64_t next = 0;
    if (p->before.n && !id_parse(c->op.core, p->before, &q.before_id))
        return op_fail(&c->op, ERR_PARAM_BAD, "before", "must be the \"next\" of an earlier answer");
    json_begin(c, &b, &w);
    jw_open(&w, '{');
    jw_key(&w, "items");
    TRY(audit_list(&c->op, &q, &w, &next));
    if (next)
        jw_m_str(&w, "next", id_text(c->op.core, c->op.arena, next));
    jw_close(&w, '}');
    return json_send(c, 200, &b);
}

err_t admin_keys(struct call *c, void *params)
{
    (void)params;
    struct buf b;
    struct jw w;
    json_begin(c, &b, &w);
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
    return json_send(c, 200, &b);
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
