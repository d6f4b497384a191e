/* /v1/admin: what is done to one object beside writing it: disable, enable, a link, an API key. */
#include "api/admin.h"
#include "account/apikey.h"
#include "base/limits.h"
#include "token/core.h"

static err_t set_disabled(struct call *c, const struct object_kind *k, struct str name, bool disabled)
{
    struct object *o;
    TRY(object_set_disabled(&c->op, k, name, disabled));
    TRY(object_read(&c->op, k, name, &o));
    return admin_send_object(c, 200, o, STR_NONE);
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
    admin_begin(c, &b, &w);
    jw_open(&w, '{');
    jw_m_str(&w, "id", id);
    jw_m_str(&w, name, value);
    if (time_name)
        jw_m_int(&w, time_name, t_s);
    jw_close(&w, '}');
    return admin_send(c, status, &b);
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
    TRY(admin_body(c, &doc));
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
    TRY(admin_target(c, &k, &name));
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (str_is(c->args[2], actions[i].name))
            return actions[i].run(c, k, name);
    return op_fail(&c->op, ERR_NOT_FOUND, "", "there is no such action: disable, enable, link or keys");
}
