/* json_load and json_scan must agree: which objects they accept, the members they see, their types and
 * values. What was accepted must survive the writer. */
#include "base/json.h"

#include <stdlib.h>

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    const json_t *doc;
    size_t members;
};

static enum json_type type_of(const json_t *v)
{
    static const enum json_type types[] = {
        [JSON_OBJECT] = JSON_T_OBJECT, [JSON_ARRAY] = JSON_T_ARRAY, [JSON_STRING] = JSON_T_STRING,
        [JSON_INTEGER] = JSON_T_INT,   [JSON_REAL] = JSON_T_REAL,   [JSON_TRUE] = JSON_T_TRUE,
        [JSON_FALSE] = JSON_T_FALSE,   [JSON_NULL] = JSON_T_NULL,
    };
    return types[json_typeof(v)];
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static err_t compare(void *ctx, const struct json_member *m)
{
    struct seen *s = ctx;
    s->members++;
    if (!s->doc)
        return ERR_OK;
    const json_t *v = json_object_getn(s->doc, m->key.p, m->key.n);
    require(v && type_of(v) == m->type);
    if (m->type == JSON_T_STRING)
        require(str_eq(m->text, json_str(v)));
    if (m->type == JSON_T_INT)
        require(m->num == json_integer_value(v));
    json_t *again = NULL;
    require(json_load(m->raw, &again) == ERR_OK && json_equal(v, again));
    json_decref(again);
    return ERR_OK;
}

static void write_back(struct arena *a, const json_t *doc)
{
    struct buf b;
    struct jw w;
    const char *key;
    size_t key_n;
    json_t *v, *again = NULL;
    buf_init(&b, a, 4 * LIMIT_BODY);
    jw_init(&w, &b);
    jw_open(&w, '{');
    json_object_keylen_foreach((json_t *)(uintptr_t)doc, key, key_n, v)
    {
        jw_key_str(&w, (struct str){key, key_n});
        if (json_is_string(v))
            jw_str(&w, json_str(v));
        else
            jw_json(&w, v);
    }
    jw_close(&w, '}');
    require(buf_ok(&b) && json_load(buf_view(&b), &again) == ERR_OK && json_equal(doc, again));
    json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LIMIT_BODY / 4)
        return 0;
    struct str text = {(const char *)data, size};
    struct arena *a = arena_new(4 * LIMIT_REQUEST_ARENA);
    json_t *doc = NULL;
    bool loaded = json_load(text, &doc) == ERR_OK && json_is_object(doc);
    struct seen s = {loaded ? doc : NULL, 0};
    bool scanned = json_scan(a, text, compare, &s) == ERR_OK;
    require(loaded == scanned);
    if (loaded) {
        require(s.members == json_object_size(doc));
        write_back(a, doc);
    }
    json_decref(doc);
    arena_free(&a);
    return 0;
}
