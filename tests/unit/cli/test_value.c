/* FIELD=VALUE arguments as JSON, type by type; tables for people; faults as text. */
#include "cli/cli.h"
#include "unit.h"

#include <stdlib.h>

static const struct field v[] = {
    {"text", F_STR, 0, 0, 0, NULL, NULL, ""},
    {"flag", F_BOOL, 0, 0, 0, NULL, NULL, ""},
    {"number", F_INT, 0, 0, 0, NULL, NULL, ""},
    {"life", F_SECONDS, 0, 0, 0, NULL, NULL, ""},
    {"list", F_STRS, 0, 0, 0, NULL, NULL, ""},
    {"uris", F_STRS, FIELD_MULTI, 0, 0, NULL, NULL, ""},
    {"scope", F_WORDS, 0, 0, 0, NULL, NULL, ""},
    {"any", F_JSON, 0, 0, 0, NULL, NULL, ""},
    {"secret", F_SECRET, 0, 0, 0, NULL, NULL, ""},
    {"secret2", F_SECRET, 0, 0, 0, NULL, NULL, ""},
    {"password_hash", F_SECRET, 0, 0, 0, NULL, NULL, ""},
};
static const struct fields table = FIELDS(v, struct str);

static const struct {
    const char *args, *input, *json; /* args separated by '|'; json NULL: refused */
} rows[] = {
    {"", "", "{}"},
    {"text=a=b", "", "{\"text\":\"a=b\"}"},
    {"text=", "", "{\"text\":\"\"}"},
    {"flag=true|number=-5|life=90", "", "{\"flag\":true,\"number\":-5,\"life\":90}"},
    {"life=15m", "", "{\"life\":\"15m\"}"},
    {"list=a,b c", "", "{\"list\":[\"a\",\"b\",\"c\"]}"},
    {"list=a|list=b", "", "{\"list\":[\"a\",\"b\"]}"},
    {"list=", "", "{\"list\":[]}"},
    {"uris=https://a,https://b c", "", "{\"uris\":[\"https://a\",\"https://b c\"]}"},
    {"scope=a b", "", "{\"scope\":\"a b\"}"},
    {"any={\"x\":[1]}", "", "{\"any\":{\"x\":[1]}}"},
    {"secret=-|secret2=-", "one\ntwo\r\n", "{\"secret\":\"one\",\"secret2\":\"two\"}"},
    {"password_hash=$2b$x", "", "{\"password_hash\":\"$2b$x\"}"},
    {"secret=plain", "", NULL},
    {"secret=-", "", NULL},
    {"secret=-|secret2=-", "one\n", NULL},
    {"text=a|text=b", "", NULL},
    {"nope=1", "", NULL},
    {"text", "", NULL},
    {"=x", "", NULL},
    {"flag=yes", "", NULL},
    {"number=1.5", "", NULL},
    {"any={", "", NULL},
    {"text=\xff", "", NULL},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[128], *argv[16];
        int argc = 0;
        struct fault f = {0};
        struct str input = str_z(rows[i].input);
        json_t *got = NULL, *want = rows[i].json ? json_loads(rows[i].json, 0, NULL) : NULL;
        snprintf(text, sizeof text, "%s", rows[i].args);
        for (char *w = strtok(text, "|"); w; w = strtok(NULL, "|"))
            argv[argc++] = w;
        err_t e = cli_values(&table, argc, argv, &input, &got, &f);
        CHECK_ROW((e == ERR_OK) == (want != NULL), rows[i].args);
        if (e == ERR_OK)
            CHECK_ROW(json_equal(got, want), rows[i].args);
        else
            CHECK_ROW(f.detail[0] && !strstr(f.detail, "plain"), rows[i].args);
        json_decref(e == ERR_OK ? got : NULL);
        json_decref(want);
    }
}

static void test_table(void)
{
    const struct str cells[] = {STR("A"), STR("B"), STR("\xc3\xa4\xc3\xa4\xc3\xa4"), STR("x\x1b[31m")};
    struct buf b;
    buf_init(&b, NULL, 1000);
    cli_table(&b, cells, 2, 2);
    CHECK(str_is(buf_view(&b), "A    B\n\xc3\xa4\xc3\xa4\xc3\xa4  x?[31m\n"));
    buf_free(&b);
}

static void test_fault(void)
{
    static const struct {
        err_t code;
        const char *param, *detail, *want;
    } faults[] = {
        {ERR_PARAM_BAD, "scope", "too long", "scope: too long"},
        {ERR_CONFIG, "server.data", "f:1: server.data: bad", "f:1: server.data: bad"},
        {ERR_STORE_CORRUPT, "", "/x/mereau.db", "the store is damaged: /x/mereau.db"},
        {ERR_BUSY, "", "", "the server is busy; try again"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct fault f = {.code = faults[i].code};
        struct buf b;
        snprintf(f.param, sizeof f.param, "%s", faults[i].param);
        snprintf(f.detail, sizeof f.detail, "%s", faults[i].detail);
        buf_init(&b, NULL, 1000);
        cli_fault_text(&f, f.code, &b);
        CHECK_ROW(str_is(buf_view(&b), faults[i].want), faults[i].want);
        buf_free(&b);
    }
}

static void test_flag_name(void)
{
    char name[64];
    cli_flag_name("tls.key", name, sizeof name);
    CHECK(!strcmp(name, "tls-key"));
    cli_flag_name("limits.header_timeout", name, sizeof name);
    CHECK(!strcmp(name, "limits-header-timeout"));
    cli_flag_name("limits.header_timeout", name, 4);
    CHECK(!strcmp(name, "lim"));
}

int main(void)
{
    test_rows();
    test_table();
    test_fault();
    test_flag_name();
    return unit_end("cli-value");
}
