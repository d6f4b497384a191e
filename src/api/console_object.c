/* The console: the page of one object and saving it. */
#include "api/console.h"
#include "api/admin.h"
#include "base/limits.h"
#include "token/core.h"

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

struct shown {
    const struct object_kind *kind;
    const struct object *object; /* NULL: a new one */
    const json_t *values;        /* what the form shows; NULL: defaults */
    const char *note;            /* "error", "done", "secret" */
    struct str note_text;
    int status;
};

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
        page_set(item, "what", held.v[i].kind == NODE_SESSION ? page_browser_name(c, held.v[i].agent) : held.v[i].what);
        page_set(item, "agent", held.v[i].agent);
        page_set(item, "scope", held.v[i].scope);
        page_set_time(item, "created", held.v[i].created_s);
        page_set_time(item, "used", held.v[i].used_s);
    }
    return ERR_OK;
}

static err_t show_object(struct call *c, const struct shown *s)
{
    const struct object_kind *k = s->kind;
    json_t *data = console_data(c, s->object ? s->object->name : arena_fmt(c->op.arena, "New %s", k->name), str_z(k->plural));
    page_set(data, "kind", str_z(k->plural));
    page_set(data, "kind_text", console_kind_title(c, k, true));
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
        console_field(c, rows, &k->fields.v[i], s->values, !s->object);
    err_t e = s->object ? add_held(c, data, s->object) : ERR_OK;
    if (e != ERR_OK) {
        json_decref(data);
        return e;
    }
    return page_send(c, s->status, "console_object.html", data);
}

err_t console_show_stored(struct call *c, const struct object_kind *k, struct str name, const char *note, struct str note_text)
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
        return console_show_stored(c, k, p->name, NULL, STR_NONE);
    TRY(op_permit(&c->op, k->write));
    return show_object(c, &(struct shown){.kind = k, .status = 200});
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
    json_t *doc = console_form_json(c, k, p->name.n == 0);
    TRY(json_keep(c->op.arena, doc));
    if (p->name.n)
        json_object_set_new(doc, k->name_field, json_stringn(p->name.p, p->name.n));
    else if (k == &kind_client)
        TRY(client_secret_generate(&c->op, doc, &secret));
    err_t e = object_put(&c->op, k, doc, p->name.n ? OBJECT_UPDATE : OBJECT_CREATE, MANAGED_API, p->version, "", &o, &changed);
    if (e == ERR_OK && secret.p)
        return console_show_stored(c, k, o->name, "secret", secret);
    if (e == ERR_OK)
        return console_show_stored(c, k, o->name, "done", changed ? STR("Saved.") : STR("Nothing has changed."));
    if (err_http(e) >= 500 || e == ERR_FORBIDDEN || e == ERR_NOT_FOUND)
        return e;
    struct str why = arena_fmt(c->op.arena, "%s%s%s", c->op.fault.param, c->op.fault.param[0] ? ": " : "",
                               c->op.fault.detail[0] ? c->op.fault.detail : err_text(e));
    memset(&c->op.fault, 0, sizeof(c->op.fault));
    if (p->name.n)
        TRY(object_read(&c->op, k, p->name, &old));
    return show_object(c, &(struct shown){k, old, doc, "error", page_sentence(c, why), err_http(e)});
}
