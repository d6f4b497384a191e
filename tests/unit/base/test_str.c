/* Slices. */
#include "unit.h"

#include "base/str.h"

static void test_equal(void)
{
    static const struct {
        const char *a, *b;
        bool same, nocase;
    } rows[] = {
        {"", "", true, true},        {"a", "a", true, true},     {"a", "A", false, true},  {"a", "b", false, false},
        {"ab", "a", false, false},   {"a", "ab", false, false},  {"@", "`", false, false}, {"[", "{", false, false},
        {"Bearer", "bEARER", false, true}, {"\xC4", "\xE4", false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str a = str_z(rows[i].a), b = str_z(rows[i].b);
        CHECK_ROW(str_eq(a, b) == rows[i].same, rows[i].a);
        CHECK_ROW(str_eq_secret(a, b) == rows[i].same, rows[i].a);
        CHECK_ROW(str_eq_nocase(a, b) == rows[i].nocase, rows[i].a);
    }
    CHECK(str_eq(STR_NONE, STR("")));
    CHECK(str_eq_secret(STR_NONE, STR("")));
    CHECK(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")) && str_starts(STR("a"), STR_NONE));
}

static void test_words(void)
{
    struct str rest = STR("  a bc  d "), w;
    CHECK(str_word(&rest, ' ', &w) && str_is(w, "a"));
    CHECK(str_word(&rest, ' ', &w) && str_is(w, "bc"));
    CHECK(str_word(&rest, ' ', &w) && str_is(w, "d"));
    CHECK(!str_word(&rest, ' ', &w));
    rest = STR_NONE;
    CHECK(!str_word(&rest, ' ', &w));
    CHECK(str_has_word(STR("read write"), ' ', STR("write")));
    CHECK(!str_has_word(STR("read write"), ' ', STR("writ")));
    CHECK(!str_has_word(STR(""), ' ', STR("")));
    CHECK(str_find(STR("abc"), 'c') == 2 && str_find(STR("abc"), 'x') == 3 && str_find(STR_NONE, 'x') == 0);
    CHECK(str_is(str_trim(STR("  a b ")), "a b") && str_trim(STR("   ")).n == 0);
    struct strs list = {(struct str[]){STR("x"), STR("y")}, 2};
    CHECK(strs_has(list, STR("y")) && !strs_has(list, STR("z")));
}

static void test_int(void)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t v;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1e3", false, 0},
        {"0x1", false, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t v = 42;
        CHECK_ROW(str_to_int(str_z(rows[i].text), &v) == rows[i].ok, rows[i].text);
        CHECK_ROW(v == (rows[i].ok ? rows[i].v : 42), rows[i].text);
    }
}

static void test_utf8(void)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"plain", true},           {"\xC2\x80", true},         {"\xC1\xBF", false},         {"\xC0\xAF", false},
        {"\xDF\xBF", true},        {"\xE0\xA0\x80", true},     {"\xE0\x9F\xBF", false},     {"\xED\x9F\xBF", true},
        {"\xED\xA0\x80", false},   {"\xEF\xBF\xBF", true},     {"\xF0\x90\x80\x80", true},  {"\xF0\x8F\xBF\xBF", false},
        {"\xF4\x8F\xBF\xBF", true}, {"\xF4\x90\x80\x80", false}, {"\xF5\x80\x80\x80", false}, {"\x80", false},
        {"\xC3", false},           {"\xE2\x82", false},        {"\xF0\x9F\x98", false},     {"a\xC3\xA4z", true},
        {"\xC3(", false},          {"\xFF", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(str_is_utf8(str_z(rows[i].text)) == rows[i].ok, rows[i].text);
    CHECK(!str_is_utf8((struct str){"a\0b", 3}));
    CHECK(str_is_utf8(STR_NONE));
    CHECK(str_utf8_len(STR("\xE2\x82\xAC!")) == 3 && str_utf8_len(STR("\xE2\x82")) == 0 && str_utf8_len(STR("")) == 0);
}

int main(void)
{
    test_equal();
    test_words();
    test_int();
    test_utf8();
    return unit_end("base str");
}
