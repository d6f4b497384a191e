/* Field tables: finding, defaults, printing. See fields.h; values are field_value.c's. */
#include "base/field_value.h"

const struct field *fields_find(const struct fields *t, struct str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_is(name, t->v[i].name))
            return &t->v[i];
    return NULL;
}

err_t fields_init(const struct fields *t, struct arena *a, void *ret_obj)
{
    memset(ret_obj, 0, t->size);
    for (size_t i = 0; i < t->n; i++) {
        struct fill c = {.field = &t->v[i], .arena = a, .obj = ret_obj, .where = "", .at = -1};
        if (c.field->initial)
            TRY(field_set_default(&c));
    }
    return ERR_OK;
}

static void print_json(struct jw *w, const char *name, const json_t *v)
{
    if (!v)
        return;
    jw_key(w, name);
    jw_json(w, v);
}

static void print_field(const struct field *f, const void *p, struct jw *w)
{
    switch (f->type) {
    case F_STR:
    case F_WORDS:
    case F_ENUM:
        jw_m_str(w, f->name, *(const struct str *)p);
        break;
    case F_BOOL:
        jw_m_bool(w, f->name, *(const bool *)p);
        break;
    case F_INT:
    case F_SECONDS:
        jw_m_int(w, f->name, *(const int64_t *)p);
        break;
    case F_STRS:
        jw_m_strs(w, f->name, *(const struct strs *)p);
        break;
    case F_JSON:
        print_json(w, f->name, *(json_t *const *)p);
        break;
    case F_SECRET:
        break;
    }
}

void fields_to_json(const struct fields *t, const void *obj, struct jw *w)
{
    for (size_t i = 0; i < t->n; i++)
        print_field(&t->v[i], (const char *)obj + t->v[i].offset, w);
}
