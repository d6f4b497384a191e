/* The console: lists with search, one object, edit, revoke, for every kind of object alike. Pages over the same domain
 * functions as the administration API, so the permissions are the same; works without JavaScript. */
#include "api/console.h"
#include "api/admin.h"
#include "api/page.h"
#include "token/core.h"
#include "token/keyring.h"
#include "base/limits.h"

static const struct field object_rows[] = {
    {"_name", F_STR, 0, 512, offsetof(struct console_object_params, name), NULL, NULL, "which object; absent: a new one"},
    {"_csrf", F_STR, 0, 128, offsetof(struct console_object_params, csrf), NULL, NULL, "the form's own token"},
    {"_version", F_INT, 0, INT64_MAX, offsetof(struct console_object_params, version), NULL, "0", "the version the form was made from"},
};
const struct fields console_object_fields = FIELDS(object_rows, struct console_object_params);

static const struct field action_rows[] = {
    {"name", F_STR, 0, 512, offsetof(struct console_action_params, name), NULL, NULL, "which object"},
    {"action", F_ENUM, FIELD_REQUIRED, 16, offsetof(struct console_action_params, action), "disable|enable|remove|link|revoke|rotate", NULL, "what to do"},
    {"csrf", F_STR, 0, 128, offsetof(struct console_action_params, csrf), NULL, NULL, "the form's own token"},
    {"node", F_STR, 0, 16, offsetof(struct console_action_params, node), NULL, NULL, "what to revoke: token, grant, session; which algorithm to rotate"},
    {"id", F_STR, 0, 16, offsetof(struct console_action_params, id), NULL, NULL, "its id"},
};
const struct fields console_action_fields = FIELDS(action_rows, struct console_action_params);

/* --- small pieces --- */
static struct str kind_title(struct call *c, const struct object_kind *k, bool plural)
{
    struct str s = arena_str(c->op.arena, str_z(plural ? k->plural : k->name));
    char *p = (char *)(uintptr_t)s.p;
    for (size_t i = 0; i < s.n; i++)
        p[i] = p[i] == '-' ? ' ' : p[i];
    if (s.n && p[0] >= 'a' && p[0] <= 'z')
        p[0] = (char)(p[0] - 'a' + 'A');
    return s;
}

/* Data with the places of the console beside the page's own. */
static json_t *console_data(struct call *c, struct str title, struct str here)
{
    json_t *data = page_data(c, "Console");
    json_t *places = page_list(data, "places");
    page_set(data, "title", title);
    page_set(data, "csrf", csrf_make(&c->op, "console", c->session_text));
    const struct object_kinds *kinds = c->op.core->kinds;
    for (size_t i = 0; i < kinds->n + 2; i++) {
        static const char *const extra[2][3] = {{"keys", "Signing keys", "key.read"}, {"audit", "Audit trail", "audit.read"}};
        const struct object_kind *k = i < kinds->n ? kinds->v[i] : NULL;
        const char *segment = k ? k->plural : extra[i - kinds->n][0];
        if (!op_may(&c->op, k ? k->read : extra[i - kinds->n][2]))
            continue;
        json_t *place = page_item(places);
        page_set(place, "segment", str_z(segment));
        page_set(place, "text", k ? kind_title(c, k, true) : str_z(extra[i - kinds->n][1]));
        page_set(place, "doc", str_z(k ? k->doc : i == kinds->n ? "the keys that sign this tenant's tokens" : "who did what, when, from where"));
        if (str_is(here, segment) && place)
            json_object_set_new(place, "current", json_true());
    }
    return data;
}

/* An object as JSON, the way the API shows it. */
static err_t object_json(struct call *c, const struct object *o, json_t **ret)
{
    struct buf b;
    struct jw w;
    buf_init(&b, c->op.arena, LIMIT_OBJECT_ARENA);
    jw_init(&w, &b);
    object_print(o, &w);
    if (!buf_ok(&b))
        return op_fail(&c->op, ERR_MEMORY, "", "the object is too large to show");
    TRY(json_load(buf_view(&b), ret));
    return json_keep(c->op.arena, *ret);
}

/* --- lists --- */
err_t console_home(struct call *c, void *params)
{
    (void)params;
    return page_send(c, 200, "console_home.html", console_data(c, STR("Console"), STR_NONE));
}

err_t console_list(struct call *c, void *params)
{
    struct admin_list_params *p = params;
    const struct object_kind *k;
    struct object_page page;
    TRY(admin_kind(c, &k));
    struct object_query q = {.search = p->search, .after = p->after, .limit = 50};
    TRY(object_list(&c->op, k, &q, &page));
    json_t *data = console_data(c, kind_title(c, k, true), str_z(k->plural));
    page_set(data, "kind", str_z(k->plural));
    page_set(data, "kind_text", kind_title(c, k, false));
    page_set(data, "doc", str_z(k->doc));
    struct buf search_url;
    buf_init(&search_url, c->op.arena, 2048);
    buf_url(&search_url, p->search);
    page_set(data, "search", p->search.p ? p->search : STR(""));
    page_set(data, "search_url", buf_view(&search_url));
    if (op_may(&c->op, k->write) && data)
        json_object_set_new(data, "may_write", json_true());
    json_t *items = page_list(data, "items");
    for (size_t i = 0; i < page.n; i++) {
        const struct object *o = page.v[i];
        json_t *item = page_item(items);
        page_set(item, "name", o->name);
        struct buf url;
        buf_init(&url, c->op.arena, 2048);
        buf_url(&url, o->name);
        page_set(item, "name_url", buf_view(&url));
        page_set_time(item, "changed", o->updated_s);
        page_set(item, "managed", o->managed_by == MANAGED_FILE ? STR("configuration file") : STR("console or API"));
        if (o->disabled && item)
            json_object_set_new(item, "disabled", json_true());
        if (i + 1 == page.n && page.more)
            page_set(data, "next", buf_view(&url));
    }
    return page_send(c, 200, "console_list.html", data);
}

/* --- one object --- */
/* Text of a value for an input: lists one a line. */
static struct str field_text(struct call *c, const json_t *v)
{
    struct buf b;
    buf_init(&b, c->op.arena, 64 * 1024);
    if (json_is_string(v))
        return json_str(v);
    if (json_is_integer(v))
        return arena_fmt(c->op.arena, "%lld", (long long)json_integer_value(v));
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        buf_str(&b, json_str(json_array_get(v, i)));
        buf_char(&b, '\n');
    }
    return buf_view(&b);
}

/* The text that json_or_text reads back as v. */
static struct str json_field_text(struct call *c, const json_t *v)
{
    struct buf b;
    struct jw w;
    json_t *back = NULL;
    bool plain = json_is_string(v) && json_load(json_str(v), &back) != ERR_OK;
    json_decref(back);
    if (plain)
        return json_str(v);
    buf_init(&b, c->op.arena, LIMIT_OBJECT);
    jw_init(&w, &b);
    jw_json(&w, v);
    return buf_view(&b);
}

static void add_choices(json_t *row, const struct field *f, struct str value)
{
    struct str rest = str_z(f->choices), word;
    json_t *choices = page_list(row, "choices");
    while (str_word(&rest, '|', &word)) {
        json_t *choice = page_item(choices);
        page_set(choice, "value", word);
        if (str_eq(word, value) && choice)
            json_object_set_new(choice, "selected", json_true());
    }
}

/* A form has room for JSON where plain text is the usual value. */
static bool in_form(const struct field *f)
{
    return !(f->flags & FIELD_READ_ONLY) && (f->type != F_JSON || (f->flags & FIELD_TEXT));
}

static void add_field(struct call *c, json_t *rows, const struct field *f, const json_t *object, bool is_new)
{
    static const char *const inputs[] = {[F_STR] = "is_text", [F_BOOL] = "is_bool", [F_INT] = "is_text", [F_SECONDS] = "is_text",
                                         [F_STRS] = "is_list", [F_WORDS] = "is_text", [F_ENUM] = "is_choice", [F_SECRET] = "is_secret", [F_JSON] = "is_text"};
    if (!in_form(f))
        return;
    json_t *row = page_item(rows);
    const json_t *v = object ? json_object_get(object, f->name) : NULL;
    struct str text = v && f->type == F_JSON ? json_field_text(c, v) : v ? field_text(c, v) : object ? STR("") : str_z(f->initial);
    page_set(row, "name", str_z(f->name));
    page_set(row, "doc", str_z(f->doc));
    page_set(row, "value", text.p ? text : STR(""));
    if (!row)
        return;
    json_object_set_new(row, inputs[f->type], json_true());
    if (f->type == F_ENUM)
        add_choices(row, f, text);
    if (f->flags & FIELD_REQUIRED)
        json_object_set_new(row, "required", json_true());
    if ((f->flags & FIELD_FIXED) && !is_new)
        json_object_set_new(row, "fixed", json_true());
    if (json_is_true(v) || (!object && str_is(text, "true")))
        json_object_set_new(row, "checked", json_true());
}

/* What can act for an account, on its page. */
static err_t add_held(struct call *c, json_t *data, const struct object *o)
{
    struct held_list held;
    if (!o->kind->store || !op_may(&c->op, "token.read"))
        return ERR_OK;
    TRY(life_list(&c->op, o->id, &held));
    json_t *items = page_list(data, "held");
    json_object_set_new(data, "has_held", json_true());
    for (size_t i = 0; i < held.n; i++) {
        json_t *item = page_item(items);
        page_set(item, "node", str_z(node_name(held.v[i].kind)));
        page_set(item, "id", id_text(c->op.core, c->op.arena, held.v[i].id));
        page_set(item, "what", held.v[i].what);
        page_set(item, "scope", held.v[i].scope);
        page_set_time(item, "created", held.v[i].created_s);
        page_set_time(item, "used", held.v[i].used_s);
    }
    return ERR_OK;
}

struct shown {
    const struct object_kind *kind;
    const struct object *object; /* NULL: a new one */
    const json_t *values;        /* what the form shows; NULL: defaults */
    const char *note;            /* "error", "done", "secret" */
    struct str note_text;
    int status;
};

static err_t show_object(struct call *c, const struct shown *s)
{
    const struct object_kind *k = s->kind;
    json_t *data = console_data(c, s->object ? s->object->name : arena_fmt(c->op.arena, "New %s", k->name), str_z(k->plural));
    page_set(data, "kind", str_z(k->plural));
    page_set(data, "kind_text", kind_title(c, k, true));
    if (s->note)
        page_set(data, s->note, s->note_text);
    if (data && s->object) {
        page_set(data, "name", s->object->name);
        page_set_int(data, "version", s->object->version);
        page_set_time(data, "created", s->object->created_s);
        page_set_time(data, "changed", s->object->updated_s);
        json_object_set_new(data, "disabled", json_boolean(s->object->disabled));
        json_object_set_new(data, "is_user", json_boolean(k == &kind_user));
    }
    bool file = s->object && s->object->managed_by == MANAGED_FILE;
    if (data) {
        json_object_set_new(data, "from_file", json_boolean(file));
        json_object_set_new(data, "may_write", json_boolean(op_may(&c->op, k->write)));
        json_object_set_new(data, "may_edit", json_boolean(op_may(&c->op, k->write) && !file));
    }
    json_t *rows = page_list(data, "fields");
    for (size_t i = 0; i < k->fields.n; i++)
        add_field(c, rows, &k->fields.v[i], s->values, !s->object);
    err_t e = s->object ? add_held(c, data, s->object) : ERR_OK;
    if (e != ERR_OK) {
        json_decref(data);
        return e;
    }
    return page_send(c, s->status, "console_object.html", data);
}

static err_t show_stored(struct call *c, const struct object_kind *k, struct str name, const char *note, struct str note_text)
{
    struct object *o;
    json_t *values;
    TRY(object_read(&c->op, k, name, &o));
    TRY(object_json(c, o, &values));
    return show_object(c, &(struct shown){k, o, values, note, note_text, 200});
}

err_t console_object(struct call *c, void *params)
{
    struct console_object_params *p = params;
    const struct object_kind *k;
    TRY(admin_kind(c, &k));
    if (p->name.n)
        return show_stored(c, k, p->name, NULL, STR_NONE);
    TRY(op_permit(&c->op, k->write));
    return show_object(c, &(struct shown){.kind = k, .status = 200});
}

/* --- saving --- */
static json_t *lines_json(struct str text)
{
    json_t *list = json_array();
    struct str line;
    while (str_word(&text, '\n', &line)) {
        while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' '))
            line.n--;
        if (line.n)
            json_array_append_new(list, json_stringn(line.p, line.n));
    }
    return list;
}

/* What a field of the form says; NULL: nothing (a secret left empty is kept). */
static json_t *form_value(const struct field *f, struct str v)
{
    int64_t n;
    json_t *json = NULL;
    switch (f->type) {
    case F_JSON:
        return v.n && json_or_text(v, &json) == ERR_OK ? json : NULL;
    case F_BOOL:
        return json_boolean(v.n > 0);
    case F_STRS:
        return lines_json(v);
    case F_INT:
    case F_SECONDS:
        if (v.n == 0)
            return NULL;
        return str_to_int(v, &n) ? json_integer(n) : json_stringn(v.p, v.n);
    case F_SECRET:
    case F_ENUM:
        return v.n ? json_stringn(v.p, v.n) : NULL;
    default:
        return json_stringn(v.p ? v.p : "", v.n);
    }
}

static json_t *form_json(struct call *c, const struct object_kind *k, bool is_new)
{
    json_t *doc = json_object();
    for (size_t i = 0; i < k->fields.n; i++) {
        const struct field *f = &k->fields.v[i];
        if (!in_form(f) || ((f->flags & FIELD_FIXED) && !is_new))
            continue;
        json_t *v = form_value(f, pairs_get(c->form, str_z(f->name)));
        if (v && is_new && f->type == F_STR && json_string_length(v) == 0) {
            json_decref(v); /* empty at creation: the default */
            v = NULL;
        }
        if (v)
            json_object_set_new(doc, f->name, v);
    }
    return doc;
}

err_t console_save(struct call *c, void *params)
{
    struct console_object_params *p = params;
    const struct object_kind *k;
    struct object *o;
    struct object *old = NULL;
    struct str secret = STR_NONE;
    bool changed;
    TRY(csrf_check(&c->op, "console", c->session_text, p->csrf));
    TRY(admin_kind(c, &k));
    json_t *doc = form_json(c, k, p->name.n == 0);
    TRY(json_keep(c->op.arena, doc));
    if (p->name.n)
        json_object_set_new(doc, k->name_field, json_stringn(p->name.p, p->name.n));
    else if (k == &kind_client)
        TRY(client_secret_generate(&c->op, doc, &secret));
    err_t e = object_put(&c->op, k, doc, p->name.n ? OBJECT_UPDATE : OBJECT_CREATE, MANAGED_API, p->version, "", &o, &changed);
    if (e == ERR_OK && secret.p)
        return show_stored(c, k, o->name, "secret", secret);
    if (e == ERR_OK)
        return show_stored(c, k, o->name, "done", changed ? STR("Saved.") : STR("Nothing has changed."));
    if (err_http(e) >= 500 || e == ERR_FORBIDDEN || e == ERR_NOT_FOUND)
        return e;
    struct str why = arena_fmt(c->op.arena, "%s%s%s", c->op.fault.param, c->op.fault.param[0] ? ": " : "",
                               c->op.fault.detail[0] ? c->op.fault.detail : err_text(e));
    memset(&c->op.fault, 0, sizeof(c->op.fault));
    if (p->name.n)
        TRY(object_read(&c->op, k, p->name, &old));
    return show_object(c, &(struct shown){k, old, doc, "error", page_sentence(c, why), err_http(e)});
}

/* --- actions --- */
static err_t do_disable(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    TRY(object_set_disabled(&c->op, k, p->name, true));
    return show_stored(c, k, p->name, "done", STR("Disabled. What was issued under it no longer works."));
}

static err_t do_enable(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    TRY(object_set_disabled(&c->op, k, p->name, false));
    return show_stored(c, k, p->name, "done", STR("Enabled. What was issued before stays dead."));
}

static err_t do_remove(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    TRY(object_remove(&c->op, k, p->name));
    return page_go(c, arena_fmt(c->op.arena, "console/%s", k->plural));
}

static err_t do_link(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    struct str url;
    TRY(admin_link(&c->op, k, p->name, &url));
    return show_stored(c, k, p->name, "secret", url);
}

static err_t do_revoke(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    enum node_kind kind;
    int64_t id;
    TRY(op_permit(&c->op, "token.revoke"));
    if (!id_parse(c->op.core, p->id, &id))
        return op_fail(&c->op, ERR_PARAM_BAD, "id", "is not an id of this server");
    if (admin_revocable(p->node, &kind))
        TRY(node_revoke(&c->op, kind, id, "administrator"));
    return show_stored(c, k, p->name, "done", STR("Revoked."));
}

static const struct {
    const char *name;
    err_t (*run)(struct call *c, const struct object_kind *k, const struct console_action_params *p);
} actions[] = {{"disable", do_disable}, {"enable", do_enable}, {"remove", do_remove}, {"link", do_link}, {"revoke", do_revoke}};

err_t console_action(struct call *c, void *params)
{
    struct console_action_params *p = params;
    const struct object_kind *k;
    enum alg alg;
    TRY(csrf_check(&c->op, "console", c->session_text, p->csrf));
    if (str_is(p->action, "rotate") && str_is(c->args[0], "keys")) {
        if (!alg_find_in(p->node, ALGS_ISSUED, &alg))
            return op_fail(&c->op, ERR_PARAM_BAD, "node", "is not an algorithm");
        TRY(op_permit(&c->op, "key.write"));
        TRY(keyring_rotate(&c->op, alg));
        return page_go(c, STR("console/keys"));
    }
    TRY(admin_kind(c, &k));
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (str_is(p->action, actions[i].name))
            return actions[i].run(c, k, p);
    return op_fail(&c->op, ERR_PARAM_BAD, "action", "is not one of this kind's");
}

/* --- audit and keys --- */
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
