/* Command lines: words, options, settings, arguments, and what is wrong usage. */
#include "cli/cli.h"
#include "unit.h"

#include <stdlib.h>

static int nothing(struct cli_call *c)
{
    (void)c;
    return 0;
}

static const struct cli_command commands[] = {
    {"key list", "", "List", 0, 0, 0, NULL, nothing},
    {"key master rotate", "", "Rotate", 0, 0, 0, NULL, nothing},
    {"user add", "NAME [FIELD=VALUE ...]", "Add", 0, 1, -1, "search|TEXT|what\nall||switch\nfile|@FILE|text",
     nothing},
    {"version", "", "Version", CLI_NO_STORE, 0, 0, NULL, nothing},
    {"serve", "", "Serve", CLI_LOCAL | CLI_ARGS_OPEN, 0, 0, NULL, nothing},
    {0},
};
static const struct cli_command *const tables[] = {commands};
static const struct field settings[] = {
    {"data", F_STR, 0, 0, 0, NULL, NULL, "the data directory"},
    {"log.level", F_STR, 0, 0, 0, NULL, NULL, "level"},
    {"proxy_protocol", F_BOOL, 0, 0, 0, NULL, NULL, "proxy"},
};
static const struct fields table = FIELDS(settings, struct str);
static const struct object_kinds kinds = {NULL, 0};
static const struct cli_program program = {tables, 1, &kinds, &table};

static const struct {
    const char *line;
    enum cli_parsed want;
    const char *words; /* of the command */
    int argc;
    size_t options, settings, configs;
    bool json;
} rows[] = {
    {"key list", CLI_RUN, "key list", 0, 0, 0, 0, false},
    {"key master rotate", CLI_RUN, "key master rotate", 0, 0, 0, 0, false},
    {"key list -o json", CLI_RUN, "key list", 0, 0, 0, 0, true},
    {"key list -ojson", CLI_RUN, "key list", 0, 0, 0, 0, true},
    {"key list --output=json", CLI_RUN, "key list", 0, 0, 0, 0, true},
    {"key list -o xml", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"key list -o", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"key list extra", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"key list --help", CLI_DONE, NULL, 0, 0, 0, 0, false},
    {"help key list", CLI_DONE, NULL, 0, 0, 0, 0, false},
    {"help key", CLI_DONE, NULL, 0, 0, 0, 0, false},
    {"key", CLI_DONE, NULL, 0, 0, 0, 0, false},
    {"key --help", CLI_DONE, NULL, 0, 0, 0, 0, false},
    {"key nope", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"key master", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"", CLI_DONE, NULL, 0, 0, 0, 0, false},
    {"--help", CLI_DONE, NULL, 0, 0, 0, 0, false},
    {"nope", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"--version", CLI_RUN, "version", 0, 0, 0, 0, false},
    {"user add", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"user add ann a=b c=d", CLI_RUN, "user add", 3, 0, 0, 0, false},
    {"user add ann --search x --all", CLI_RUN, "user add", 1, 2, 0, 0, false},
    {"user add ann --search=x --all=y", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"user add ann --search", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"user add ann --nope", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"user add -- --search", CLI_RUN, "user add", 1, 0, 0, 0, false},
    {"user add - password=-", CLI_RUN, "user add", 2, 0, 0, 0, false},
    {"user add ann --tenant acme --config a -c b --config=c", CLI_RUN, "user add", 1, 1, 0, 3, false},
    {"user add ann --data x --log-level=debug", CLI_RUN, "user add", 1, 0, 2, 0, false},
    {"version --data x", CLI_USAGE, NULL, 0, 0, 0, 0, false},
    {"serve --proxy-protocol --data x", CLI_RUN, "serve", 0, 0, 2, 0, false},
    {"serve --proxy-protocol=false", CLI_RUN, "serve", 0, 0, 1, 0, false},
    {"serve -x", CLI_USAGE, NULL, 0, 0, 0, 0, false},
};

static int split(char *line, char **argv)
{
    int n = 0;
    for (char *w = strtok(line, " "); w; w = strtok(NULL, " "))
        argv[n++] = w;
    return n;
}

static void test_rows(void)
{
    struct cli_line *l = malloc(sizeof *l);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *a = arena_new(1 << 16);
        struct buf out, err;
        char text[256], *argv[64];
        snprintf(text, sizeof text, "%s", rows[i].line);
        buf_init(&out, a, 1 << 15);
        buf_init(&err, a, 1 << 15);
        enum cli_parsed got = cli_parse(&program, a, split(text, argv), argv, l, &out, &err);
        CHECK_ROW(got == rows[i].want, rows[i].line);
        CHECK_ROW((err.n > 0) == (got == CLI_USAGE) && (out.n > 0) == (got == CLI_DONE), rows[i].line);
        if (got == CLI_RUN && rows[i].words)
            CHECK_ROW(!strcmp(l->command->words, rows[i].words) && l->argc == rows[i].argc &&
                          l->noptions == rows[i].options && l->nsettings == rows[i].settings &&
                          l->nconfigs == rows[i].configs && l->json == rows[i].json,
                      rows[i].line);
        arena_free(&a);
    }
    free(l);
}

static void test_bounds(void)
{
    static char *argv[LIMIT_CLI_ARGS + 8];
    struct cli_line *l = malloc(sizeof *l);
    char user[] = "user", add[] = "add", word[] = "a=b";
    argv[0] = user;
    argv[1] = add;
    for (int extra = 0; extra < 2; extra++) {
        struct arena *a = arena_new(1 << 16);
        struct buf out, err;
        buf_init(&out, a, 1 << 15);
        buf_init(&err, a, 1 << 15);
        for (int i = 0; i < LIMIT_CLI_ARGS + extra; i++)
            argv[2 + i] = word;
        CHECK((cli_parse(&program, a, 2 + LIMIT_CLI_ARGS + extra, argv, l, &out, &err) == CLI_RUN) == !extra);
        arena_free(&a);
    }
    free(l);
}

/* What the client writes the server reads. */
static void test_request(void)
{
    struct cli_line *l = calloc(1, sizeof *l);
    struct cli_request *back = malloc(sizeof *back);
    struct arena *a = arena_new(1 << 20);
    struct buf b;
    char arg[] = "na\"me\xc3\xa4";
    const struct cli_place place = {.cwd = "/home/ann"};
    l->command = &commands[2];
    l->argv[l->argc++] = arg;
    l->options[l->noptions++] = (struct cli_option_value){"search", STR("x\ny")};
    l->json = true;
    buf_init(&b, a, 1 << 16);
    CHECK(cli_request_write(l, &place, STR("input\n"), &b) == ERR_OK);
    CHECK(cli_request_read(a, buf_view(&b), back) == ERR_OK);
    CHECK(!strcmp(back->words, "user add") && back->line.argc == 1 && !strcmp(back->line.argv[0], arg) &&
          back->line.json);
    CHECK(!strcmp(back->place.cwd, "/home/ann") && str_is(back->input, "input\n"));
    CHECK(back->line.noptions == 1 && str_is(back->line.options[0].value, "x\ny"));
    static const char *const bad[] = {"",
                                      "{}",
                                      "[]",
                                      "{\"words\":7}",
                                      "{\"words\":\"a\",\"args\":[7]}",
                                      "{\"words\":\"a\",\"options\":{\"a\":7}}",
                                      "{\"words\":\"a\"}x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ROW(cli_request_read(a, str_z(bad[i]), back) != ERR_OK, bad[i]);
    arena_free(&a);
    free(back);
    free(l);
}

int main(void)
{
    test_rows();
    test_bounds();
    test_request();
    return unit_end("cli-parse");
}
