/* Request targets and paths: what is taken apart, what is refused. */
#include "base/limits.h"
#include "http/router.h"
#include "unit.h"

static void test_decode(void)
{
    static const struct {
        const char *raw, *want; /* NULL: refused */
    } rows[] = {
        {"/", "/"},
        {"/a", "/a"},
        {"/a/", "/a/"},
        {"/a%20b", "/a b"},
        {"/%41%62", "/Ab"},
        {"/a+b", "/a+b"},
        {"/%c3%a9", "/\xc3\xa9"},
        {"/a%252e", "/a%2e"}, /* once, not twice */
        {"/.well-known/x", "/.well-known/x"},
        {"/...", "/..."},
        {"/a;b=1", "/a;b=1"},
        {"", NULL},
        {"a", NULL},
        {"*", NULL},
        {"//", NULL},
        {"//a", NULL},
        {"/a//b", NULL},
        {"/.", NULL},
        {"/..", NULL},
        {"/a/../b", NULL},
        {"/a/./b", NULL},
        {"/a/..", NULL},
        {"/%2e%2e/b", NULL},
        {"/%2E.", NULL},
        {"/a%2fb", NULL},
        {"/a%2Fb", NULL},
        {"/a\\b", NULL},
        {"/a%5cb", NULL},
        {"/a%00", NULL},
        {"/a%0a", NULL},
        {"/a%0d%0ab", NULL},
        {"/a%7f", NULL},
        {"/a b", NULL},
        {"/a%", NULL},
        {"/a%4", NULL},
        {"/a%zz", NULL},
        {"/%c3", NULL},       /* half a character */
        {"/%c0%af", NULL},    /* overlong slash */
        {"/\xc3\xa9", NULL},  /* raw */
    };
    char room[64];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str path;
        bool ok = path_decode(str_z(rows[i].raw), room, &path);
        CHECK_ROW(ok == (rows[i].want != NULL), rows[i].raw);
        if (ok && rows[i].want)
            CHECK_ROW(str_is(path, rows[i].want), rows[i].raw);
    }
}

static void test_segment_limit(void)
{
    char raw[2 * (LIMIT_PATH_SEGMENTS + 1) + 1], room[sizeof raw];
    struct str path;

    for (size_t i = 0; i < LIMIT_PATH_SEGMENTS + 1; i++)
        memcpy(raw + 2 * i, "/a", 2);
    CHECK(path_decode((struct str){raw, 2 * LIMIT_PATH_SEGMENTS}, room, &path));
    CHECK(!path_decode((struct str){raw, 2 * (LIMIT_PATH_SEGMENTS + 1)}, room, &path));
}

static void test_split(void)
{
    static const struct {
        const char *target, *path, *query, *authority;
        bool ok;
    } rows[] = {
        {"/a?b=c", "/a", "b=c", NULL, true},
        {"/a", "/a", NULL, NULL, true},
        {"/a?", "/a", "", NULL, true},
        {"/a?b?c", "/a", "b?c", NULL, true},
        {"http://h/a?b", "/a", "b", "h", true},
        {"HTTPS://h:1/a", "/a", NULL, "h:1", true},
        {"http://h", "/", NULL, "h", true},
        {"http://h?q", "/", "q", "h", true},
        {"http://h?q=/x", "/", "q=/x", "h", true},
        {"*", "*", NULL, NULL, false},
        {"h:443", "h:443", NULL, NULL, false},
        {"ftp://h/a", "ftp://h/a", NULL, NULL, false},
        {"", "", NULL, NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str path, query, authority;
        bool ok = target_split(str_z(rows[i].target), &path, &query, &authority);
        CHECK_ROW(ok == rows[i].ok, rows[i].target);
        CHECK_ROW(str_is(path, rows[i].path), rows[i].target);
        CHECK_ROW((query.p != NULL) == (rows[i].query != NULL) && str_eq(query, str_z(rows[i].query)), rows[i].target);
        CHECK_ROW((authority.p != NULL) == (rows[i].authority != NULL) && str_eq(authority, str_z(rows[i].authority)),
                  rows[i].target);
    }
}

int main(void)
{
    test_decode();
    test_segment_limit();
    test_split();
    return unit_end("http/path");
}
