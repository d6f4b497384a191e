/* YAML as JSON: what scalars become, what is refused and on which line, the bounds at and one above,
 * printing. */
#include "app/yaml.h"
#include "base/limits.h"
#include "unit.h"

#include <stdlib.h>

static const struct {
    const char *text, *json; /* json NULL: refused */
    int line;
    const char *says;
} rows[] = {
    {"", "{}", 0, NULL},
    {"# nothing\n", "{}", 0, NULL},
    {"a: 1\nb: -7\nc: +3\n", "{\"a\":1,\"b\":-7,\"c\":3}", 0, NULL},
    {"a: 1.5\nb: 1e3\nc: 1.\n", "{\"a\":1.5,\"b\":1000.0,\"c\":\"1.\"}", 0, NULL},
    {"a: 007\nb: 0x10\nc: 1_000\nd: 0\n", "{\"a\":\"007\",\"b\":\"0x10\",\"c\":\"1_000\",\"d\":0}", 0, NULL},
    {"a: true\nb: False\nc: yes\nd: 'true'\n", "{\"a\":true,\"b\":false,\"c\":\"yes\",\"d\":\"true\"}", 0,
     NULL},
    {"a: ~\nb:\nc: null\nd: ''\n", "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"\"}", 0, NULL},
    {"a: [1, [x]]\nb: {c: d}\n", "{\"a\":[1,[\"x\"]],\"b\":{\"c\":\"d\"}}", 0, NULL},
    {"a: |\n  two\n  lines\n", "{\"a\":\"two\\nlines\\n\"}", 0, NULL},
    {"a: &x [1]\nb: *x\n", "{\"a\":[1],\"b\":[1]}", 0, NULL},
    {"a: 9223372036854775807\n", "{\"a\":9223372036854775807}", 0, NULL},
    {"a: 9223372036854775808\n", NULL, 1, "too large"},
    {"a: 1e999\n", NULL, 1, "too large"},
    {"a: 1\na: 2\n", NULL, 2, "twice"},
    {"a:\n  b: 1\n  b: 2\n", NULL, 3, "a.b: this key is given twice"},
    {"a: *x\n", NULL, 1, "no anchor"},
    {"a: &x [*x]\n", NULL, 1, "no anchor"},
    {"- 1\n", NULL, 1, "keys and values"},
    {"just text\n", NULL, 1, "keys and values"},
    {"a: 1\n---\nb: 2\n", NULL, 2, "second document"},
    {"a: !x 1\n", NULL, 1, "tags"},
    {"a: !!map {}\n", NULL, 1, "tags"},
    {"a: !!seq []\n", NULL, 1, "tags"},
    {"a: \"\\0\"\n", NULL, 1, "NUL"},
    {"[a]: 1\n", NULL, 1, "key"},
    {"'': 1\n", NULL, 1, "key"},
    {"<<: {a: 1}\n", NULL, 1, "merge"},
    {"a: [\n", NULL, 2, "not YAML"},
    {"a: \xff\n", NULL, 1, "not YAML"},
    {"\ta: 1\n", NULL, 1, "not YAML"},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *a = arena_new(1 << 20);
        struct fault f = {0};
        struct yaml_doc d;
        char place[32];
        err_t e = yaml_parse(a, "f", str_z(rows[i].text), &d, &f);
        CHECK_ROW((e == ERR_OK) == (rows[i].json != NULL), rows[i].text);
        if (e == ERR_OK && rows[i].json) {
            json_t *want = json_loads(rows[i].json, 0, NULL);
            CHECK_ROW(json_equal(want, d.root), rows[i].text);
            json_decref(want);
        } else if (e != ERR_OK && !rows[i].json) {
            snprintf(place, sizeof place, "f:%d: ", rows[i].line);
            CHECK_ROW(e == ERR_CONFIG && !strncmp(f.detail, place, strlen(place)) &&
                          strstr(f.detail, rows[i].says),
                      f.detail);
        }
        if (e == ERR_OK)
            json_decref(d.root);
        arena_free(&a);
    }
}

static void test_lines(void)
{
    struct arena *a = arena_new(1 << 20);
    struct fault f = {0};
    struct yaml_doc d;
    CHECK(yaml_parse(a, "f", STR("a:\n  - x: 1\n  - x: 2\n    y:\n      z: 3\nab: 4\n"), &d, &f) == ERR_OK);
    CHECK(yaml_line(&d, "a") == 1);
    CHECK(yaml_line(&d, "a[0].x") == 2);
    CHECK(yaml_line(&d, "a[1]") == 3);
    CHECK(yaml_line(&d, "a[1].y.z") == 5);
    CHECK(yaml_line(&d, "a[1].y.nothing.here") == 4);
    CHECK(yaml_line(&d, "a[7].x") == 1);
    CHECK(yaml_line(&d, "ab") == 6);
    CHECK(yaml_line(&d, "nothing") == 1);
    json_decref(d.root);
    arena_free(&a);
}

static err_t parse(const char *text)
{
    struct arena *a = arena_new(512 << 20);
    struct fault f = {0};
    struct yaml_doc d;
    err_t e = yaml_parse(a, "f", str_z(text), &d, &f);
    if (e == ERR_OK)
        json_decref(d.root);
    arena_free(&a);
    return e;
}

static void repeat(char *to, const char *what, int n)
{
    *to = '\0';
    for (char *p = to; n--; p += strlen(what))
        strcpy(p, what);
}

static void test_bounds(void)
{
    static char text[200000], part[100000];
    /* depth: the root mapping is the first level */
    for (int extra = 0; extra < 2; extra++) {
        repeat(part, "[", LIMIT_JSON_DEPTH - 1 + extra);
        snprintf(text, sizeof text, "a: %s", part);
        repeat(part, "]", LIMIT_JSON_DEPTH - 1 + extra);
        strcat(text, part);
        CHECK((parse(text) == ERR_OK) == !extra);
    }
    for (int extra = 0; extra < 2; extra++) {
        text[0] = '\0';
        for (int i = 0; i < LIMIT_CONFIG_ALIASES + extra; i++)
            snprintf(text + strlen(text), 64, "k%d: &a%d 1\n", i, i);
        CHECK((parse(text) == ERR_OK) == !extra);
    }
    /* 10^7 nodes out of a few lines */
    repeat(part, "x,", 10);
    snprintf(text, sizeof text, "a0: &a0 [%s]\n", part);
    for (int i = 1; i < 8; i++) {
        char alias[16];
        snprintf(alias, sizeof alias, "*a%d,", i - 1);
        repeat(part, alias, 10);
        snprintf(text + strlen(text), 256, "a%d: &a%d [%s]\n", i, i, part);
    }
    CHECK(parse(text) == ERR_CONFIG);
    char *big = malloc(LIMIT_CONFIG_FILE + 2);
    memset(big, '#', LIMIT_CONFIG_FILE + 1);
    big[LIMIT_CONFIG_FILE + 1] = '\0';
    CHECK(parse(big) == ERR_CONFIG);
    big[LIMIT_CONFIG_FILE] = '\0';
    CHECK(parse(big) == ERR_OK);
    free(big);
}

static void test_print(void)
{
    static const char json[] = "{\"a\":[1,-2,\"x y\",\"true\",\"007\",\"\",\"it's: {so}\",\"#\",\" "
                               "lead\",\"trail \",\"yes\",null,true,2.5],"
                               "\"b\":{\"c\":[],\"d\":{},\"12\":\"1.5\"},\"list\":[{\"a\":\"\\u00e4\"},{"
                               "\"b\":\"line\\nbreak\"}],\"~\":\"~\",\"w\":\"12h\"}";
    struct arena *a = arena_new(1 << 20);
    struct fault f = {0};
    struct buf b;
    struct yaml_doc d;
    json_t *v = json_loads(json, 0, NULL);
    buf_init(&b, a, 1 << 16);
    CHECK(yaml_print(v, "first\nsecond", &b) == ERR_OK);
    CHECK(b.n > 20 && !strncmp(b.p, "# first\n# second\n", 17));
    CHECK(yaml_parse(a, "f", buf_view(&b), &d, &f) == ERR_OK);
    CHECK(json_equal(v, d.root));
    json_decref(d.root);
    json_decref(v);
    arena_free(&a);
}

int main(void)
{
    test_rows();
    test_lines();
    test_bounds();
    test_print();
    return unit_end("app-yaml");
}
