/* jansson made strict: what it would let through is refused before it sees the text. See json.h. */
#include "base/json.h"

#include "base/limits.h"

/* Brackets outside strings. Counts in text that is not JSON may be wrong: jansson refuses that anyway. */
static bool depth_is_fine(struct str text)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (in_string)
            continue;
        else if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && depth > 0)
            depth--;
        if (depth > LIMIT_JSON_DEPTH)
            return false;
    }
    return true;
}

err_t json_load(struct str text, json_t **ret)
{
    /* jansson passes over a NUL that stands behind a number. */
    if (!text.p || str_find(text, 0) < text.n || !depth_is_fine(text))
        return ERR_JSON;
    json_error_t error;
    json_t *v = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!v)
        return json_error_code(&error) == json_error_out_of_memory ? ERR_MEMORY : ERR_JSON;
    *ret = v;
    return ERR_OK;
}

struct str json_str(const json_t *v)
{
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : STR_NONE;
}

static void release(void *doc)
{
    json_decref(doc);
}

err_t json_keep(struct arena *a, json_t *doc)
{
    if (arena_defer(a, release, doc))
        return ERR_OK;
    json_decref(doc);
    return ERR_MEMORY;
}

err_t json_or_text(struct str text, json_t **ret)
{
    if (json_load(text, ret) == ERR_OK)
        return ERR_OK;
    json_t *v = json_stringn(text.p ? text.p : "", text.n);
    if (!v) /* not UTF-8, or memory is out */
        return ERR_JSON;
    *ret = v;
    return ERR_OK;
}
