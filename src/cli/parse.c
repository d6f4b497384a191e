/* A command line: its words name a command of the tables, the rest are arguments and options. What only the
 * caller's process can read (files, standard input) is named here and read by main. */
#include "cli/cli.h"
#include <stdarg.h>
#include <stdio.h>

/* Global options: name|ARG|doc, as commands have them. */
static const char global_options[] = "config|FILE|configuration file, or a folder of them; may be repeated\n"
                                     "tenant|NAME|the tenant to work in (default: default)";

struct str cli_option(const struct cli_call *c, const char *name)
{
    for (size_t i = 0; i < c->noptions; i++)
        if (!strcmp(c->options[i].name, name))
            return c->options[i].value;
    return STR_NONE;
}

const struct cli_command *cli_find(const struct cli_program *p, const char *words)
{
    for (size_t t = 0; t < p->ntables; t++)
        for (const struct cli_command *c = p->tables[t]; c->words; c++)
            if (!strcmp(c->words, words))
                return c;
    return NULL;
}

/* The command whose words open argv; *ret_used of them. Leaves what was tried in `tried`. */
static const struct cli_command *match(const struct cli_program *p, int argc, char **argv, char *tried,
                                       size_t n, int *ret_used)
{
    const struct cli_command *best = NULL;
    size_t at = 0;
    tried[0] = '\0';
    for (int i = 0; i < argc && i < 3 && argv[i][0] != '-'; i++) {
        int w = snprintf(tried + at, n - at, "%s%s", i ? " " : "", argv[i]);
        if (w < 0 || (size_t)w >= n - at)
            break;
        at += (size_t)w;
        const struct cli_command *c = cli_find(p, tried);
        if (c) {
            best = c;
            *ret_used = i + 1;
        }
    }
    return best;
}

static bool is_group(const struct cli_program *p, const char *word)
{
    size_t n = strlen(word);
    for (size_t t = 0; t < p->ntables; t++)
        for (const struct cli_command *c = p->tables[t]; c->words; c++)
            if (!strncmp(c->words, word, n) && c->words[n] == ' ')
                return true;
    return false;
}

/* Finds `name` in a list of options; *ret_arg is its ARG (zero for a switch). */
static bool option_in(const char *list, struct str name, struct str *ret_name, struct str *ret_arg)
{
    struct str rest = str_z(list), line;
    while (list && str_word(&rest, '\n', &line)) {
        size_t end = str_find(line, '|');
        struct str this = {line.p, end}, tail = {line.p + end + 1, line.n - end - 1};
        if (!str_eq(this, name))
            continue;
        *ret_name = this;
        *ret_arg = (struct str){tail.p, str_find(tail, '|')};
        return true;
    }
    return false;
}

static const struct field *setting_of(const struct cli_program *p, const struct cli_command *c,
                                      struct str flag)
{
    if (c->flags & CLI_NO_STORE)
        return NULL;
    for (size_t i = 0; i < p->settings->n; i++) {
        char name[64];
        cli_flag_name(p->settings->v[i].name, name, sizeof name);
        if (str_is(flag, name))
            return &p->settings->v[i];
    }
    return NULL;
}

struct state {
    const struct cli_program *program;
    struct arena *arena;
    struct cli_line *line;
    struct buf *err;
    int argc, at;
    char **argv;
};

__attribute__((format(printf, 2, 3))) static bool complain(struct state *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_z(s->err, "mereau: ");
    buf_vfmt(s->err, fmt, args);
    buf_char(s->err, '\n');
    va_end(args);
    return false;
}

/* The option's value: what stands behind '=', or the next word. */
static bool take_value(struct state *s, struct str given, bool has, const char *name, const char **ret)
{
    if (has) {
        *ret = given.p;
        return true;
    }
    if (s->at + 1 >= s->argc)
        return complain(s, "--%s needs a value", name);
    *ret = s->argv[++s->at];
    return true;
}

static bool add_option(struct state *s, struct cli_option_value *v, size_t *n, const char *name,
                       const char *value)
{
    if (*n == LIMIT_CLI_ARGS)
        return complain(s, "%s", "too many options");
    v[(*n)++] = (struct cli_option_value){name, str_z(value)};
    return true;
}

static bool add_config(struct state *s, const char *path)
{
    if (s->line->nconfigs == LIMIT_CONFIG_FILES)
        return complain(s, "%s", "too many configuration files");
    s->line->configs[s->line->nconfigs++] = path;
    return true;
}

static bool set_output(struct state *s, const char *value)
{
    if (strcmp(value, "json") && strcmp(value, "text"))
        return complain(s, "-o takes json or text, not %s", value);
    s->line->json = !strcmp(value, "json");
    return true;
}

static bool long_option(struct state *s, const char *word)
{
    struct str all = str_z(word), name = {word, str_find(all, '=')}, own, arg;
    bool has = name.n < all.n;
    struct str given = {word + name.n + 1, has ? all.n - name.n - 1 : 0};
    const char *value = NULL, *id = arena_cstr(s->arena, name);
    struct cli_line *l = s->line;
    if (!id)
        return complain(s, "%s", "out of memory");
    if (option_in(l->command->options, name, &own, &arg)) {
        if (!arg.n)
            return has ? complain(s, "--%s takes no value", id)
                       : add_option(s, l->options, &l->noptions, id, "");
        return take_value(s, given, has, id, &value) && add_option(s, l->options, &l->noptions, id, value);
    }
    if (option_in(global_options, name, &own, &arg)) {
        if (!take_value(s, given, has, id, &value))
            return false;
        return !strcmp(id, "config") ? add_config(s, value)
                                     : add_option(s, l->options, &l->noptions, id, value);
    }
    const struct field *f = setting_of(s->program, l->command, name);
    if (!f)
        return complain(s, "there is no option --%s here; --help lists them", id);
    if (f->type == F_BOOL && !has)
        return add_option(s, l->settings, &l->nsettings, f->name, "true");
    return take_value(s, given, has, id, &value) && add_option(s, l->settings, &l->nsettings, f->name, value);
}

static bool one_word(struct state *s, bool *only_args)
{
    char *w = s->argv[s->at];
    const char *value = NULL;
    if (*only_args || w[0] != '-' || !w[1]) {
        if (s->line->argc == LIMIT_CLI_ARGS)
            return complain(s, "%s", "too many arguments");
        s->line->argv[s->line->argc++] = w;
        return true;
    }
    if (!strcmp(w, "--")) {
        *only_args = true;
        return true;
    }
    if (!strcmp(w, "-h") || !strcmp(w, "--help")) {
        s->line->help = true;
        return true;
    }
    if (!strcmp(w, "-o") || !strcmp(w, "--output"))
        return take_value(s, STR_NONE, false, "output", &value) && set_output(s, value);
    if (!strncmp(w, "-o", 2))
        return set_output(s, w + 2 + (w[2] == '='));
    if (!strncmp(w, "--output=", 9))
        return set_output(s, w + 9);
    if (!strcmp(w, "-c"))
        return take_value(s, STR_NONE, false, "config", &value) && add_config(s, value);
    if (w[1] != '-')
        return complain(s, "there is no option %s here; --help lists them", w);
    return long_option(s, w + 2);
}

static enum cli_parsed no_command(const struct cli_program *p, int argc, char **argv, const char *tried,
                                  struct buf *out, struct buf *err)
{
    bool help = argc == 0;
    for (int i = 0; i < argc; i++)
        help |= !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h");
    if (argc && argv[0][0] != '-' && is_group(p, argv[0])) {
        if (!help && argc > 1)
            buf_fmt(err, "mereau: there is no command \"%s\"\n", tried);
        cli_help(p, NULL, argv[0], help || argc == 1 ? out : err);
        return help || argc == 1 ? CLI_DONE : CLI_USAGE;
    }
    if (help && (argc == 0 || argv[0][0] == '-')) {
        cli_help(p, NULL, NULL, out);
        return CLI_DONE;
    }
    buf_fmt(err, "mereau: there is no command \"%s\"; mereau --help lists them\n", argc ? argv[0] : "");
    return CLI_USAGE;
}

enum cli_parsed cli_parse(const struct cli_program *p, struct arena *a, int argc, char **argv,
                          struct cli_line *ret, struct buf *out, struct buf *err)
{
    *ret = (struct cli_line){0};
    char tried[128];
    int used = 0;
    if (argc && !strcmp(argv[0], "help")) { /* help client add: as client add --help */
        ret->help = true;
        argc--;
        argv++;
    } else if (argc && (!strcmp(argv[0], "--version") || !strcmp(argv[0], "-V"))) {
        char *words[] = {(char *)(uintptr_t) "version"};
        return cli_parse(p, a, 1, words, ret, out, err);
    }
    bool help = ret->help;
    ret->command = match(p, argc, argv, tried, sizeof tried, &used);
    if (!ret->command) {
        if (help && argc && is_group(p, argv[0]))
            argc = 1;
        return no_command(p, argc, argv, tried, out, err);
    }
    struct state s = {.program = p, .arena = a, .line = ret, .err = err, .argc = argc, .argv = argv};
    bool only_args = false;
    for (s.at = used; s.at < argc; s.at++)
        if (!one_word(&s, &only_args))
            return CLI_USAGE;
    if (ret->help) {
        cli_help(p, ret->command, NULL, out);
        return CLI_DONE;
    }
    const struct cli_command *c = ret->command;
    if (ret->argc < c->args_min || (c->args_max >= 0 && ret->argc > c->args_max)) {
        buf_fmt(err, "usage: mereau %s %s\n", c->words, c->args);
        return CLI_USAGE;
    }
    return CLI_RUN;
}
