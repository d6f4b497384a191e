/* Name-value pairs of queries and forms, and fields from them. */
#include "base/enc.h"
#include "base/field_value.h"
#include "base/limits.h"

/* --- parsing --- */

/* Without an escape the text itself is the value. */
static bool decode(struct arena *a, struct str s, struct str *ret)
{
    if (str_find(s, '%') < s.n || str_find(s, '+') < s.n)
        return dec_percent(a, s, true, ret);
    *ret = s;
    return str_find(s, 0) == s.n;
}

static err_t parse_pair(struct arena *a, struct str part, struct pair *ret, struct fault *f)
{
    size_t cut = str_find(part, '=');
    struct str value = cut < part.n ? (struct str){part.p + cut + 1, part.n - cut - 1} : STR("");
    if (!decode(a, (struct str){part.p, cut}, &ret->name) || !decode(a, value, &ret->value))
        return fault_set(f, ERR_REQUEST, "", "a parameter is not properly percent-encoded");
    if (ret->name.n > LIMIT_PARAM || ret->value.n > LIMIT_PARAM)
        return fault_set(f, ERR_PARAM_LONG, "", "a parameter is longer than %d bytes", LIMIT_PARAM);
    return ERR_OK;
}

err_t pairs_parse(struct arena *a, struct str text, struct pairs *ret, struct fault *f)
{
    struct str part, rest = text;
    size_t count = 0, n = 0;
    while (str_word(&rest, '&', &part))
        if (++count > LIMIT_PARAMS)
            return fault_set(f, ERR_REQUEST, "", "there are more than %d parameters", LIMIT_PARAMS);
    struct pair *v = count ? arena_array(a, struct pair, count) : NULL;
    if (count && !v)
        return ERR_MEMORY;
    while (str_word(&text, '&', &part))
        TRY(parse_pair(a, part, &v[n++], f));
    *ret = (struct pairs){v, n};
    return ERR_OK;
}

struct str pairs_get(struct pairs p, struct str name)
{
    for (size_t i = 0; i < p.n; i++)
        if (str_eq(p.v[i].name, name))
            return p.v[i].value;
    return STR_NONE;
}

/* --- fields --- */

static bool counts(const struct field *f, struct str value)
{
    return value.n > 0 || ((f->flags & FIELD_EXACT) && f->type == F_STR);
}

/* One repetition of a list: a member, or a text of words. */
static err_t list_part(const struct fill *c, const struct str *value, struct str *room, struct strs *ret)
{
    if (c->field->flags & FIELD_MULTI) {
        *ret = (struct strs){room, 1};
        return field_check_text(c, *value, room);
    }
    TRY(field_set_text(c, *value));
    *ret = *(struct strs *)field_place(c);
    return ERR_OK;
}

static err_t set_list(const struct fill *c, struct pairs p)
{
    struct str *v = arena_array(c->arena, struct str, c->field->flags & FIELD_MULTI ? p.n : LIMIT_LIST);
    struct strs more = {NULL, 0};
    struct str one;
    size_t n = 0;
    if (!v)
        return ERR_MEMORY;
    for (size_t i = 0; i < p.n; i++) {
        if (!str_is(p.v[i].name, c->field->name) || !counts(c->field, p.v[i].value))
            continue;
        TRY(list_part(c, &p.v[i].value, &one, &more));
        if (n + more.n > LIMIT_LIST)
            return field_fault(c, ERR_PARAM_LONG, "must have at most %d members", LIMIT_LIST);
        memcpy(v + n, more.v, more.n * sizeof(*v));
        n += more.n;
    }
    if (n > 0)
        *(struct strs *)field_place(c) = (struct strs){v, n};
    return ERR_OK;
}

static err_t set_single(const struct fill *c, size_t n, struct str value)
{
    if (n > 1)
        return field_fault(c, ERR_PARAM_TWICE, "is given twice");
    return counts(c->field, value) ? field_set_text(c, value) : ERR_OK;
}

/* A number has no value that means "absent", a secret is not in what was loaded: they must be among the
 * parameters. */
static err_t check_required(const struct fill *c, struct str value)
{
    enum field_type t = c->field->type;
    if (!(c->field->flags & FIELD_REQUIRED))
        return ERR_OK;
    if ((t == F_INT || t == F_SECONDS || t == F_BOOL || t == F_SECRET) && value.n == 0)
        return field_fault(c, ERR_PARAM_MISSING, "is required");
    return field_check_present(c);
}

static err_t set_field(const struct fill *c, struct pairs p)
{
    size_t n = 0;
    struct str value = STR_NONE, name = str_z(c->field->name);
    for (size_t i = 0; i < p.n; i++) {
        if (!str_eq(p.v[i].name, name))
            continue;
        value = p.v[i].value;
        n++;
    }
    if (n > 0 && (c->field->flags & FIELD_READ_ONLY))
        return field_fault(c, ERR_PARAM_BAD, "is set by the server alone");
    if (n > 0)
        TRY(c->field->type == F_STRS ? set_list(c, p) : set_single(c, n, value));
    return check_required(c, value);
}

err_t fields_from_pairs(const struct fields *t, struct arena *a, struct pairs p, void *obj, struct fault *f)
{
    struct fill c = {.arena = a, .obj = obj, .where = "", .at = -1, .fault = f};
    for (size_t i = 0; i < t->n; i++) {
        c.field = &t->v[i];
        TRY(set_field(&c, p));
    }
    return ERR_OK;
}
