/* Test vectors lie as JSON under tests/vectors/: {"source": ..., "vectors": [{...}]}. Tests run in the
 * project's root. */
#pragma once
#include "base/enc.h"
#include "base/json.h"
#include "unit.h"

/* The "vectors" of a file; the caller json_decref()s *ret_doc. */
static inline json_t *vectors_load(const char *path, json_t **ret_doc)
{
    json_error_t e;
    *ret_doc = json_load_file(path, 0, &e);
    if (!*ret_doc)
        fprintf(stderr, "%s: %s\n", path, e.text);
    CHECK_ROW(json_array_size(json_object_get(*ret_doc, "vectors")) > 0, path);
    return json_object_get(*ret_doc, "vectors");
}

static inline const char *vector_name(const json_t *v)
{
    return json_string_value(json_object_get(v, "name"));
}

static inline struct str vector_text(const json_t *v, const char *member)
{
    return json_str(json_object_get(v, member));
}

static inline struct str vector_hex(struct arena *a, const json_t *v, const char *member)
{
    struct str hex = vector_text(v, member);
    uint8_t *p = arena_alloc(a, hex.n / 2 + 1);
    CHECK_ROW(p && dec_hex(hex, p, hex.n / 2), vector_name(v));
    return (struct str){(char *)p, hex.n / 2};
}
