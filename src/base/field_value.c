/* One value into one field: what each type takes, and the sentence that says so when it is not that. */
#include "base/field_value.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"

err_t field_fault(const struct fill *c, err_t code, const char *fmt, ...)
{
    char path[sizeof(c->fault->param)], index[16] = "", text[200];
    if (c->at >= 0)
        snprintf(index, sizeof(index), "[%d]", c->at);
    snprintf(path, sizeof(path), "%s%s%s%s", c->where, c->where[0] ? "." : "", c->field->name, index);
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return fault_set(c->fault, code, path, "%s%s %s", c->field->name, index, text);
}

static size_t text_max(const struct field *f)
{
    return f->max ? f->max : LIMIT_TEXT;
}

/* --- texts --- */

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
            return true;
    return false;
}

err_t field_check_text(const struct fill *c, struct str s, struct str *ret)
{
    bool exact = c->field->flags & FIELD_EXACT;
    if (!exact)
        s = str_trim(s);
    if (s.n > text_max(c->field))
        return field_fault(c, ERR_PARAM_LONG, "must be at most %zu bytes long", text_max(c->field));
    if (!str_is_utf8(s))
        return field_fault(c, ERR_PARAM_BAD, "must be UTF-8 text");
    if (!exact && has_control(s))
        return field_fault(c, ERR_PARAM_BAD, "must be text without control characters");
    *ret = c->copy ? arena_str(c->arena, s) : s;
    return ret->p ? ERR_OK : ERR_MEMORY;
}

static err_t set_str(const struct fill *c, struct str s)
{
    struct str v;
    TRY(field_check_text(c, s, &v));
    *(struct str *)field_place(c) = v;
    return ERR_OK;
}

static err_t set_secret(const struct fill *c, struct str s)
{
    if (s.n == 0)
        return field_fault(c, ERR_PARAM_BAD, "must not be empty");
    return set_str(c, s);
}

static bool is_default(const struct fill *c, struct str s)
{
    return c->field->initial && str_is(s, c->field->initial);
}

/* "a|b|c" as "a, b, c". */
static void list_choices(const char *choices, char *ret, size_t max)
{
    struct str rest = str_z(choices), w;
    size_t n = 0;
    ret[0] = 0;
    while (str_word(&rest, '|', &w) && n + w.n + 3 < max)
        n += (size_t)snprintf(ret + n, max - n, "%s%.*s", n ? ", " : "", STR_ARG(w));
}

/* Empty means the default, where that is allowed. */
static err_t set_enum(const struct fill *c, struct str s)
{
    char all[160];
    s = str_trim(s);
    if (s.n == 0 && !(c->field->flags & FIELD_REQUIRED))
        s = str_z(c->field->initial);
    else if (!is_default(c, s) && !str_has_word(str_z(c->field->choices), '|', s)) {
        list_choices(c->field->choices, all, sizeof(all));
        return field_fault(c, ERR_PARAM_BAD, "must be one of %s", all);
    }
    struct str v = c->copy ? arena_str(c->arena, s) : s;
    if (s.p && !v.p)
        return ERR_MEMORY;
    *(struct str *)field_place(c) = v;
    return ERR_OK;
}

/* --- words --- */

/* scope-token of RFC 6749 section 3.3. */
static bool is_scope_word(struct str w)
{
    for (size_t i = 0; i < w.n; i++)
        if (w.p[i] < 0x21 || w.p[i] > 0x7E || w.p[i] == '"' || w.p[i] == '\\')
            return false;
    return true;
}

static err_t set_words(const struct fill *c, struct str s)
{
    if (s.n > text_max(c->field))
        return field_fault(c, ERR_PARAM_LONG, "must be at most %zu bytes long", text_max(c->field));
    char *p = arena_alloc(c->arena, s.n + 1);
    if (!p)
        return ERR_MEMORY;
    struct str w;
    size_t n = 0, count = 0;
    while (str_word(&s, ' ', &w)) {
        if (!is_scope_word(w))
            return field_fault(c, ERR_PARAM_BAD,
                               "must be words of printable ASCII without quotes and backslashes");
        if (++count > LIMIT_SCOPE_WORDS)
            return field_fault(c, ERR_PARAM_LONG, "must be at most %d words", LIMIT_SCOPE_WORDS);
        if (n > 0)
            p[n++] = ' ';
        memcpy(p + n, w.p, w.n);
        n += w.n;
    }
    *(struct str *)field_place(c) = (struct str){p, n};
    return ERR_OK;
}

/* The next word between any white space: a text area sends lines. */
static bool next_word(struct str *rest, struct str *ret)
{
    size_t start = 0;
    while (start < rest->n && strchr(" \t\r\n", rest->p[start]))
        start++;
    size_t end = start;
    while (end < rest->n && !strchr(" \t\r\n", rest->p[end]))
        end++;
    *ret = (struct str){rest->p + start, end - start};
    *rest = (struct str){rest->p + end, rest->n - end};
    return ret->n > 0;
}

static err_t set_list(const struct fill *c, struct str s)
{
    struct str w, rest = s;
    size_t n = 0;
    while (next_word(&rest, &w))
        n++;
    if (n > LIMIT_LIST)
        return field_fault(c, ERR_PARAM_LONG, "must have at most %d members", LIMIT_LIST);
    struct str *v = arena_array(c->arena, struct str, n + 1);
    if (!v)
        return ERR_MEMORY;
    struct fill member = *c;
    for (size_t i = 0; next_word(&s, &w); i++) {
        member.at = (int)i;
        TRY(field_check_text(&member, w, &v[i]));
    }
    *(struct strs *)field_place(c) = (struct strs){v, n};
    return ERR_OK;
}

/* --- numbers --- */

void field_set_bool(const struct fill *c, bool v)
{
    *(bool *)field_place(c) = v;
}

static err_t set_bool(const struct fill *c, struct str s)
{
    if (!str_is(s, "true") && !str_is(s, "false"))
        return field_fault(c, ERR_PARAM_BAD, "must be true or false");
    field_set_bool(c, s.n == 4);
    return ERR_OK;
}

/* "90", "90s", "15m", "12h", "30d". */
static bool parse_seconds(struct str s, int64_t *ret)
{
    static const int64_t unit[128] = {['s'] = 1, ['m'] = 60, ['h'] = 3600, ['d'] = 86400};
    int64_t factor = 1;
    if (s.n > 1 && s.p[s.n - 1] > 0 && unit[(unsigned char)s.p[s.n - 1]]) {
        factor = unit[(unsigned char)s.p[s.n - 1]];
        s.n--;
    }
    int64_t v;
    if (!str_to_int(s, &v) || __builtin_mul_overflow(v, factor, &v))
        return false;
    *ret = v;
    return true;
}

static bool parse_number(const struct field *f, struct str s, int64_t *ret)
{
    return f->type == F_SECONDS ? parse_seconds(s, ret) : str_to_int(s, ret);
}

static int64_t default_number(const struct field *f)
{
    int64_t v = 0;
    return f->initial && parse_number(f, str_z(f->initial), &v) ? v : 0;
}

static err_t number_fault(const struct fill *c)
{
    const struct field *f = c->field;
    int64_t most = f->max ? (int64_t)f->max : f->type == F_SECONDS ? LIMIT_SECONDS : LIMIT_INT;
    if (f->type == F_SECONDS)
        return field_fault(c, ERR_PARAM_BAD,
                           "must be a duration of at most %lld seconds, such as 90s, 15m, 12h or 30d",
                           (long long)most);
    return field_fault(c, ERR_PARAM_BAD, "must be a whole number from 0 to %lld", (long long)most);
}

err_t field_set_int(const struct fill *c, int64_t v)
{
    const struct field *f = c->field;
    int64_t most = f->max ? (int64_t)f->max : f->type == F_SECONDS ? LIMIT_SECONDS : LIMIT_INT;
    if ((v < 0 || v > most) && v != default_number(f))
        return number_fault(c);
    *(int64_t *)field_place(c) = v;
    return ERR_OK;
}

static err_t set_number(const struct fill *c, struct str s)
{
    int64_t v;
    return parse_number(c->field, s, &v) ? field_set_int(c, v) : number_fault(c);
}

/* --- all types --- */

static err_t set_json(const struct fill *c, struct str s)
{
    json_t *v;
    if (json_load(s, &v) != ERR_OK)
        return field_fault(c, ERR_PARAM_BAD, "must be JSON");
    TRY(json_keep(c->arena, v));
    *(json_t **)field_place(c) = json_is_null(v) ? NULL : v;
    return ERR_OK;
}

err_t field_set_text(const struct fill *c, struct str s)
{
    static err_t (*const set[])(const struct fill *c, struct str s) = {
        [F_STR] = set_str,        [F_BOOL] = set_bool,     [F_INT] = set_number,
        [F_SECONDS] = set_number, [F_STRS] = set_list,     [F_WORDS] = set_words,
        [F_ENUM] = set_enum,      [F_SECRET] = set_secret, [F_JSON] = set_json,
    };
    return set[c->field->type](c, s);
}

err_t field_set_default(const struct fill *c)
{
    static const size_t sizes[] = {
        [F_STR] = sizeof(struct str),  [F_BOOL] = sizeof(bool),         [F_INT] = sizeof(int64_t),
        [F_SECONDS] = sizeof(int64_t), [F_STRS] = sizeof(struct strs),  [F_WORDS] = sizeof(struct str),
        [F_ENUM] = sizeof(struct str), [F_SECRET] = sizeof(struct str), [F_JSON] = sizeof(json_t *),
    };
    memset(field_place(c), 0, sizes[c->field->type]);
    return c->field->initial ? field_set_text(c, str_z(c->field->initial)) : ERR_OK;
}

err_t field_check_present(const struct fill *c)
{
    bool missing;
    switch (c->field->type) {
    case F_STR:
    case F_WORDS:
    case F_ENUM:
        missing = ((struct str *)field_place(c))->n == 0;
        break;
    case F_STRS:
        missing = ((struct strs *)field_place(c))->n == 0;
        break;
    case F_JSON:
        missing = *(json_t **)field_place(c) == NULL;
        break;
    default:
        missing = false;
    }
    return missing ? field_fault(c, ERR_PARAM_MISSING, "is required") : ERR_OK;
}
