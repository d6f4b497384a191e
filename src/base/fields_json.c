/* Fields from a JSON object: each member to its row, unknown ones refused with the name that was perhaps
 * meant. */
#include <stdio.h>

#include "base/field_value.h"
#include "base/limits.h"

/* --- values --- */

static err_t set_members(const struct fill *c, const json_t *list, struct strs *ret)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list))
        return field_fault(c, ERR_PARAM_BAD, "must be a list of strings");
    if (n > LIMIT_LIST)
        return field_fault(c, ERR_PARAM_LONG, "must have at most %d members", LIMIT_LIST);
    struct str *v = arena_array(c->arena, struct str, n + 1);
    if (!v)
        return ERR_MEMORY;
    struct fill member = *c;
    for (size_t i = 0; i < n; i++) {
        struct str s = json_str(json_array_get(list, i));
        member.at = (int)i;
        if (!s.p)
            return field_fault(&member, ERR_PARAM_BAD, "must be a string");
        TRY(field_check_text(&member, s, &v[i]));
    }
    *ret = (struct strs){v, n};
    return ERR_OK;
}

static err_t set_joined(const struct fill *c, const json_t *list)
{
    struct strs words;
    struct buf b;
    TRY(set_members(c, list, &words));
    buf_init(&b, c->arena, LIMIT_LIST * (LIMIT_SCOPE + 1));
    for (size_t i = 0; i < words.n; i++) {
        if (str_find(words.v[i], ' ') < words.v[i].n)
            return field_fault(c, ERR_PARAM_BAD, "must be a list of words without spaces");
        buf_str(&b, words.v[i]);
        buf_char(&b, ' ');
    }
    if (!buf_ok(&b))
        return ERR_MEMORY;
    return field_set_text(c, str_trim(buf_view(&b)));
}

static err_t set_string(const struct fill *c, const json_t *v)
{
    if (!json_is_string(v))
        return field_fault(c, ERR_PARAM_BAD,
                           c->field->type == F_WORDS ? "must be a string of words" : "must be a string");
    return field_set_text(c, json_str(v));
}

static err_t set_number(const struct fill *c, const json_t *v)
{
    if (json_is_integer(v))
        return field_set_int(c, json_integer_value(v));
    /* A text that is no number is refused with what is expected of the number. */
    bool text_is_fine = c->field->type == F_SECONDS && json_is_string(v);
    return field_set_text(c, text_is_fine ? json_str(v) : STR(""));
}

static err_t set_value(const struct fill *c, const json_t *v)
{
    switch (c->field->type) {
    case F_BOOL:
        if (!json_is_boolean(v))
            return field_fault(c, ERR_PARAM_BAD, "must be true or false");
        field_set_bool(c, json_is_true(v));
        return ERR_OK;
    case F_INT:
    case F_SECONDS:
        return set_number(c, v);
    case F_STRS:
        return set_members(c, v, field_place(c));
    case F_WORDS:
        return json_is_array(v) ? set_joined(c, v) : set_string(c, v);
    case F_SECRET:
        return json_is_object(v) ? field_set_secret_ref(c, v) : set_string(c, v);
    case F_JSON:
        TRY(json_keep(c->arena, json_incref((json_t *)(uintptr_t)v)));
        *(const json_t **)field_place(c) = v;
        return ERR_OK;
    default:
        return set_string(c, v);
    }
}

/* --- unknown members --- */

enum { NAME_SHOWN = 40 };

static size_t least3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* How many letters must be changed, added or left out (Levenshtein). */
static size_t distance(struct str a, struct str b)
{
    size_t row[NAME_SHOWN + 1];
    if (a.n > NAME_SHOWN || b.n > NAME_SHOWN)
        return SIZE_MAX;
    for (size_t k = 0; k <= b.n; k++)
        row[k] = k;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b.n; k++) {
            size_t above = row[k];
            row[k] = least3(row[k] + 1, row[k - 1] + 1, diagonal + (a.p[i - 1] != b.p[k - 1]));
            diagonal = above;
        }
    }
    return row[b.n];
}

static const struct field *nearest(const struct fields *t, struct str name)
{
    const struct field *best = NULL;
    size_t least = name.n / 3 + 2; /* one more than may differ */
    for (size_t i = 0; i < t->n; i++) {
        size_t d = t->v[i].flags & FIELD_READ_ONLY ? SIZE_MAX : distance(name, str_z(t->v[i].name));
        if (d < least) {
            least = d;
            best = &t->v[i];
        }
    }
    return best;
}

/* The name comes from outside: only what is plain is repeated. */
static void show_name(struct str name, char ret[NAME_SHOWN + 1])
{
    size_t n = name.n < NAME_SHOWN ? name.n : NAME_SHOWN;
    for (size_t i = 0; i < n; i++) {
        char c = name.p[i], l = (char)(c | 0x20);
        bool plain = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        ret[i] = plain ? c : '?';
    }
    ret[n] = 0;
}

static err_t unknown_member(const struct fields *t, struct str name, const char *where, struct fault *f)
{
    char shown[NAME_SHOWN + 1], path[sizeof(f->param)];
    show_name(name, shown);
    snprintf(path, sizeof(path), "%s%s%s", where, where[0] ? "." : "", shown);
    const struct field *meant = nearest(t, name);
    return fault_set(f, ERR_PARAM_BAD, path, "%s is not known here%s%s%s", shown,
                     meant ? "; did you mean " : "", meant ? meant->name : "", meant ? "?" : "");
}

/* --- the object --- */

/* Two strs or numbers; other types are never FIXED. */
static bool same_value(const struct field *f, const void *a, const void *b)
{
    if (f->type == F_BOOL)
        return *(const bool *)a == *(const bool *)b;
    if (f->type == F_INT || f->type == F_SECONDS)
        return *(const int64_t *)a == *(const int64_t *)b;
    return str_eq(*(const struct str *)a, *(const struct str *)b);
}

static err_t set_fixed(const struct fill *c, const json_t *v)
{
    union {
        struct str s;
        int64_t i;
        bool b;
    } value, initial;
    struct field f = *c->field;
    f.offset = 0;
    struct fill own = *c;
    own.field = &f;
    own.obj = &initial;
    TRY(field_set_default(&own));
    own.obj = &value;
    TRY(set_value(&own, v));
    bool is_set = !same_value(&f, field_place(c), &initial);
    if (is_set && !same_value(&f, field_place(c), &value))
        return field_fault(c, ERR_PARAM_BAD, "cannot be changed once it is set");
    return set_value(c, v);
}

static err_t set_member(const struct fill *c, const json_t *v)
{
    if (c->field->flags & FIELD_READ_ONLY)
        return field_fault(c, ERR_PARAM_BAD, "is set by the server alone");
    bool can_compare = c->field->type != F_STRS && c->field->type != F_JSON;
    if ((c->field->flags & FIELD_FIXED) && can_compare)
        return json_is_null(v) ? field_fault(c, ERR_PARAM_BAD, "cannot be changed once it is set")
                               : set_fixed(c, v);
    return json_is_null(v) ? field_set_default(c) : set_value(c, v);
}

err_t fields_from_json_as(const struct fields *t, struct arena *a, const json_t *doc, const char *where,
                          unsigned options, void *obj, struct fault *f)
{
    const char *key;
    size_t key_n;
    json_t *v;
    if (!json_is_object(doc))
        return fault_set(f, ERR_PARAM_BAD, where, "an object with named members is expected");
    struct fill c = {
        .arena = a, .obj = obj, .where = where, .at = -1, .copy = true, .options = options, .fault = f};
    json_object_keylen_foreach((json_t *)(uintptr_t)doc, key, key_n, v)
    {
        struct str name = {key, key_n};
        c.field = fields_find(t, name);
        if (!c.field)
            return unknown_member(t, name, where, f);
        TRY(set_member(&c, v));
    }
    for (size_t i = 0; i < t->n; i++) {
        c.field = &t->v[i];
        if (c.field->flags & FIELD_REQUIRED)
            TRY(field_check_present(&c));
    }
    return ERR_OK;
}

err_t fields_from_json(const struct fields *t, struct arena *a, const json_t *doc, const char *where,
                       void *obj, struct fault *f)
{
    return fields_from_json_as(t, a, doc, where, 0, obj, f);
}
