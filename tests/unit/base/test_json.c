/* Strict JSON: both readers over the same rows (case A74), limits at and one above, the writer. */
#include "unit.h"

#include "base/json.h"
#include "base/limits.h"

static struct arena *arena;

static err_t ignore(void *ctx, const struct json_member *m)
{
    (void)m;
    ++*(int *)ctx;
    return ERR_OK;
}

static const struct {
    const char *text;
    bool ok;
} objects[] = {
    {"{}", true},
    {" \t\r\n{ } ", true},
    {"{\"a\":1}", true},
    {"{\"a\":1,\"b\":[1,2,{\"c\":null}]}", true},
    {"{\"a\":1,\"a\":2}", false},
    {"{\"a\":1,\"\\u0061\":2}", false},
    {"{\"a\":{\"b\":1,\"b\":2}}", false},
    {"{\"a\":[{\"b\":1},{\"b\":2}]}", true},
    {"{\"\":1}", true},
    {"{\"\":1,\"\":1}", false},
    {"{\"a\":1,}", false},
    {"{,}", false},
    {"{\"a\"}", false},
    {"{\"a\":}", false},
    {"{\"a\" 1}", false},
    {"{a:1}", false},
    {"{'a':1}", false},
    {"{\"a\":1", false},
    {"{\"a\":1}}", false},
    {"{\"a\":1}x", false},
    {"{\"a\":1} {}", false},
    {"{\"a\":1}//c", false},
    {"\xEF\xBB\xBF{}", false},
    {"", false},
    {" ", false},
    {"{", false},
    {"{\"a\":[}", false},
    {"{\"a\":[1,]}", false},
    {"{\"a\":[1 2]}", false},
    {"{\"a\":[1]]", false},
    {"{\"a\":{]}", false},
    /* numbers */
    {"{\"a\":0}", true},
    {"{\"a\":-0}", true},
    {"{\"a\":01}", false},
    {"{\"a\":-01}", false},
    {"{\"a\":+1}", false},
    {"{\"a\":-}", false},
    {"{\"a\":1.}", false},
    {"{\"a\":.5}", false},
    {"{\"a\":1.5e}", false},
    {"{\"a\":1e+}", false},
    {"{\"a\":1E-2}", true},
    {"{\"a\":0x10}", false},
    {"{\"a\":NaN}", false},
    {"{\"a\":Infinity}", false},
    {"{\"a\":-Infinity}", false},
    {"{\"a\":1e308}", true},
    {"{\"a\":1e309}", false},
    {"{\"a\":-1e999}", false},
    {"{\"a\":1e-999}", true},
    {"{\"a\":9223372036854775807}", true},
    {"{\"a\":9223372036854775808}", false},
    {"{\"a\":-9223372036854775808}", true},
    {"{\"a\":-9223372036854775809}", false},
    {"{\"a\":1 1}", false},
    /* words */
    {"{\"a\":true,\"b\":false,\"c\":null}", true},
    {"{\"a\":True}", false},
    {"{\"a\":tru}", false},
    {"{\"a\":nul", false},
    {"{\"a\":truefalse}", false},
    {"{\"a\":undefined}", false},
    /* strings */
    {"{\"a\":\"\"}", true},
    {"{\"a\":\"x", false},
    {"{\"a\":\"x\\", false},
    {"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}", true},
    {"{\"a\":\"\\x\"}", false},
    {"{\"a\":\"\\'\"}", false},
    {"{\"a\":\"\\u00e\"}", false},
    {"{\"a\":\"\\u00eg\"}", false},
    {"{\"a\":\"\\u0000\"}", false},
    {"{\"\\u0000\":1}", false},
    {"{\"a\":\"\\ud83d\\ude00\"}", true},
    {"{\"a\":\"\\ud83d\"}", false},
    {"{\"a\":\"\\ud83dx\"}", false},
    {"{\"a\":\"\\ud83d\\u0041\"}", false},
    {"{\"a\":\"\\ude00\"}", false},
    {"{\"a\":\"\\uD83D\\uDE0\"}", false},
    {"{\"a\":\"a\nb\"}", false},
    {"{\"a\":\"a\tb\"}", false},
    {"{\"a\":\"\x1f\"}", false},
    {"{\"a\":\"\x7f\"}", true},
    {"{\"a\":\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"}", true},
    {"{\"a\":\"\xC3\"}", false},
    {"{\"a\":\"\xC0\xAF\"}", false},
    {"{\"a\":\"\xED\xA0\x80\"}", false},
    {"{\"a\":\"\xF5\x80\x80\x80\"}", false},
    {"{\"\xFF\":1}", false},
    {"{\"a\":\"long enough for several steps of eight \\n and more of them behind\"}", true},
};

static bool both(struct str text)
{
    json_t *v = NULL;
    int n = 0;
    bool loaded = json_load(text, &v) == ERR_OK, object = loaded && json_is_object(v);
    bool scanned = json_scan(arena, text, ignore, &n) == ERR_OK;
    if (object != scanned)
        fprintf(stderr, "readers differ on %.*s\n", STR_ARG(text));
    CHECK(object == scanned);
    CHECK(!scanned || (size_t)n == json_object_size(v));
    json_decref(v);
    return object;
}

static void test_objects(void)
{
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
        CHECK_ROW(both(str_z(objects[i].text)) == objects[i].ok, objects[i].text);
    CHECK(!both((struct str){"{\"a\":\"\0\"}", 9}));
    CHECK(!both((struct str){"{\"a\":1\0}", 8})); /* jansson alone passes over it */
    CHECK(!both((struct str){"{\"a\":1}\0", 8}));
    CHECK(!both(STR_NONE));
}

static struct str nested(size_t depth, const char *open, const char *close)
{
    struct buf b;
    buf_init(&b, arena, 1 << 20);
    buf_z(&b, "{\"a\":"); /* the first level */
    for (size_t i = 1; i < depth; i++)
        buf_z(&b, open);
    buf_z(&b, "1");
    for (size_t i = 1; i < depth; i++)
        buf_z(&b, close);
    buf_z(&b, "}");
    return buf_view(&b);
}

static void test_depth(void)
{
    CHECK(both(nested(LIMIT_JSON_DEPTH, "[", "]")));
    CHECK(!both(nested(LIMIT_JSON_DEPTH + 1, "[", "]")));
    CHECK(both(nested(LIMIT_JSON_DEPTH, "{\"b\":", "}")));
    CHECK(!both(nested(LIMIT_JSON_DEPTH + 1, "{\"b\":", "}")));
    CHECK(!both(nested(100000, "[", "]")));
    CHECK(both(STR("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"}"))); /* brackets in strings do not count */
    CHECK(both(STR("{\"a\":[[]],\"b\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}")));
}

/* Around the step from pairwise comparison to sorting, and past the keys on the stack. */
static void test_many_members(void)
{
    static const size_t counts[] = {1, 11, 12, 13, 63, 64, 65, 200, 6000};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (int twice = 0; twice < 2; twice++) {
            struct buf b;
            buf_init(&b, arena, 1 << 18);
            buf_char(&b, '{');
            for (size_t k = 0; k < counts[i]; k++)
                buf_fmt(&b, "\"k%zu\":%zu,", k, k);
            buf_fmt(&b, "\"%s\":0}", twice ? "k0" : "last");
            CHECK(both(buf_view(&b)) == !twice);
            arena_reset(arena);
        }
    }
}

static void test_any_value(void)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {{"1", true}, {"\"x\"", true}, {"[1]", true}, {"null", true}, {"1 2", false}, {"[", false}, {"x", false}, {"", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *v = NULL;
        CHECK_ROW((json_load(str_z(rows[i].text), &v) == ERR_OK) == rows[i].ok, rows[i].text);
        json_decref(v);
    }
    json_t *s = json_string("x"), *n = json_integer(1);
    CHECK(str_is(json_str(s), "x") && !json_str(n).p && !json_str(NULL).p);
    json_decref(s);
    json_decref(n);
}

struct wanted {
    const char *key, *raw, *text;
    enum json_type type;
    int64_t num;
};
static const struct wanted members[] = {
    {"a", "-12", NULL, JSON_T_INT, -12},
    {"b", "1.5", NULL, JSON_T_REAL, 0},
    {"c", "\"x\\ny\\ud83d\\ude00\"", "x\ny\xF0\x9F\x98\x80", JSON_T_STRING, 0},
    {"d", "\"plain\"", "plain", JSON_T_STRING, 0},
    {"\xC3\xA9", "true", NULL, JSON_T_TRUE, 0},
    {"e", "false", NULL, JSON_T_FALSE, 0},
    {"f", "null", NULL, JSON_T_NULL, 0},
    {"g", "[1, {\"x\": [] }]", NULL, JSON_T_ARRAY, 0},
    {"h", "{ }", NULL, JSON_T_OBJECT, 0},
    {"i", "\"\"", "", JSON_T_STRING, 0},
};

static err_t compare(void *ctx, const struct json_member *m)
{
    size_t *at = ctx;
    const struct wanted *w = &members[(*at)++];
    CHECK_ROW(str_is(m->key, w->key) && m->type == w->type && str_is(m->raw, w->raw) && m->num == w->num, w->key);
    CHECK_ROW(w->text ? m->text.p && str_is(m->text, w->text) : m->text.p == NULL, w->key);
    return ERR_OK;
}

static err_t stop(void *ctx, const struct json_member *m)
{
    (void)m;
    return ++*(int *)ctx == 2 ? ERR_CLAIM : ERR_OK;
}

static void test_scan_members(void)
{
    size_t at = 0;
    struct str text = STR("{\"a\":-12 , \"b\":1.5,\"c\":\"x\\ny\\ud83d\\ude00\",\"d\":\"plain\",\"\\u00e9\":true,\"e\":false,"
                          "\"f\":null,\"g\":[1, {\"x\": [] }] ,\"h\":{ },\"i\":\"\"}");
    CHECK(json_scan(arena, text, compare, &at) == ERR_OK);
    CHECK(at == sizeof(members) / sizeof(members[0]));
    int n = 0;
    CHECK(json_scan(arena, STR("{\"a\":1,\"b\":2,\"c\":3}"), stop, &n) == ERR_CLAIM && n == 2);
    struct arena *small = arena_new(16);
    CHECK(json_scan(small, STR("{\"a\":\"0123456789\\n0123456789\"}"), ignore, &n) == ERR_MEMORY);
    arena_free(&small);
}

static void test_writer(void)
{
    struct buf b;
    struct jw w;
    buf_init(&b, arena, 4096);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "s", STR("q\"\\\b\f\n\r\t\x01\x7f/\xC3\xA4\xFFz"));
    jw_m_str(&w, "absent", STR_NONE);
    jw_m_str(&w, "empty", STR(""));
    jw_m_int(&w, "i", -5);
    jw_m_bool(&w, "b", true);
    jw_m_raw(&w, "r", STR("[1]"));
    jw_m_raw(&w, "no", STR_NONE);
    jw_m_strs(&w, "l", (struct strs){(struct str[]){STR("x"), STR("y")}, 2});
    jw_m_strs(&w, "none", (struct strs){NULL, 0});
    jw_key_str(&w, STR("k\""));
    jw_open(&w, '[');
    jw_raw(&w, STR("null"));
    jw_open(&w, '{');
    jw_close(&w, '}');
    jw_bool(&w, false);
    jw_str(&w, (struct str){"a\0b", 3});
    jw_close(&w, ']');
    jw_close(&w, '}');
    CHECK(buf_ok(&b));
    CHECK(str_is(buf_view(&b), "{\"s\":\"q\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f/\xC3\xA4\\ufffdz\",\"empty\":\"\",\"i\":-5,\"b\":true,"
                               "\"r\":[1],\"l\":[\"x\",\"y\"],\"none\":[],\"k\\\"\":[null,{},false,\"a\\u0000b\"]}"));
}

static void test_writer_depth(void)
{
    struct buf b;
    struct jw w;
    buf_init(&b, arena, 4096);
    jw_init(&w, &b);
    for (int i = 0; i < 63; i++)
        jw_open(&w, '[');
    CHECK(buf_ok(&b));
    jw_open(&w, '[');
    CHECK(!buf_ok(&b));
    buf_init(&b, arena, 4096);
    jw_init(&w, &b);
    jw_close(&w, ']');
    CHECK(!buf_ok(&b));
}

int main(void)
{
    arena = arena_new(16 << 20);
    test_objects();
    test_depth();
    test_many_members();
    test_any_value();
    test_scan_members();
    test_writer();
    test_writer_depth();
    arena_free(&arena);
    return unit_end("base json");
}
