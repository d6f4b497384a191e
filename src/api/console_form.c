/* The console: a form from a table of fields, and JSON from what the form sends back. */
#include "api/console.h"
#include "base/limits.h"

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

void console_field(struct call *c, json_t *rows, const struct field *f, const json_t *object, bool is_new)
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

json_t *console_form_json(struct call *c, const struct object_kind *k, bool is_new)
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
