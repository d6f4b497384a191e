/* A form into a struct with a field of every type: whatever comes, each value keeps what its row promises,
 * and what the writer prints is read back as the same. */
#include "base/fields.h"

#include <stdlib.h>

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct all {
    struct str text, exact, words, choice, secret;
    struct strs list, multi;
    int64_t number, seconds;
    json_t *json;
    bool flag;
};
static const struct field rows[] = {
    {"text", F_STR, 0, 20, offsetof(struct all, text), NULL, NULL, ""},
    {"exact", F_STR, FIELD_EXACT, 20, offsetof(struct all, exact), NULL, NULL, ""},
    {"words", F_WORDS, 0, 40, offsetof(struct all, words), NULL, NULL, ""},
    {"choice", F_ENUM, 0, 0, offsetof(struct all, choice), "red|green", "red", ""},
    {"secret", F_SECRET, FIELD_EXACT, 20, offsetof(struct all, secret), NULL, NULL, ""},
    {"list", F_STRS, 0, 10, offsetof(struct all, list), NULL, NULL, ""},
    {"multi", F_STRS, FIELD_MULTI, 10, offsetof(struct all, multi), NULL, NULL, ""},
    {"number", F_INT, 0, 1000, offsetof(struct all, number), NULL, "-1", ""},
    {"seconds", F_SECONDS, 0, 86400, offsetof(struct all, seconds), NULL, "15m", ""},
    {"json", F_JSON, 0, 0, offsetof(struct all, json), NULL, NULL, ""},
    {"flag", F_BOOL, 0, 0, offsetof(struct all, flag), NULL, "true", ""},
};
static const struct fields table = FIELDS(rows, struct all);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct all *o)
{
    require(o->text.n <= 20 && o->exact.n <= 20 && o->words.n <= 40 && o->secret.n <= 20);
    require(str_is_utf8(o->text) && str_is_utf8(o->exact) && str_is_utf8(o->secret));
    require(!o->choice.p || str_has_word(STR("red|green"), '|', o->choice));
    require(o->number >= -1 && o->number <= 1000 && o->seconds >= 0 && o->seconds <= 86400);
    require(o->list.n <= LIMIT_LIST && o->multi.n <= LIMIT_PARAMS);
    for (size_t i = 0; i < o->list.n; i++)
        require(o->list.v[i].n > 0 && o->list.v[i].n <= 10);
}

static struct str print(struct arena *a, const struct all *o)
{
    struct buf b;
    struct jw w;
    buf_init(&b, a, LIMIT_REQUEST_ARENA);
    jw_init(&w, &b);
    jw_open(&w, '{');
    fields_to_json(&table, o, &w);
    jw_close(&w, '}');
    require(buf_ok(&b));
    return buf_view(&b);
}

static void read_back(struct arena *a, const struct all *o)
{
    struct all again;
    struct fault f = {.code = ERR_OK};
    struct str text = print(a, o);
    json_t *doc = NULL;
    require(fields_init(&table, a, &again) == ERR_OK);
    require(json_load(text, &doc) == ERR_OK);
    require(fields_from_json(&table, a, doc, "", &again, &f) == ERR_OK);
    require(str_eq(text, print(a, &again)));
    json_decref(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LIMIT_BODY)
        return 0;
    struct arena *a = arena_new(8 * LIMIT_REQUEST_ARENA);
    struct all o;
    struct pairs p;
    struct fault f = {.code = ERR_OK};
    require(fields_init(&table, a, &o) == ERR_OK);
    err_t e = pairs_parse(a, (struct str){(const char *)data, size}, &p, &f);
    if (e == ERR_OK)
        e = fields_from_pairs(&table, a, p, &o, &f);
    if (e == ERR_OK) {
        check(&o);
        read_back(a, &o);
    }
    require(e == f.code && str_is_utf8(str_z(f.detail)));
    arena_free(&a);
    return 0;
}
