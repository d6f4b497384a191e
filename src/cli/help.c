/* --help and shell completion, printed from the tables of commands, kinds and settings. */
#include "cli/cli.h"
#include "token/object.h"

static const char *const type_words[] = {
    [F_STR] = "text",  [F_BOOL] = "true|false", [F_INT] = "number", [F_SECONDS] = "duration",
    [F_STRS] = "list", [F_WORDS] = "words",     [F_ENUM] = "",      [F_SECRET] = "-",
    [F_JSON] = "json",
};

static void pad(struct buf *out, size_t from, size_t to)
{
    size_t used = out->n - from;
    do
        buf_char(out, ' ');
    while (++used < to);
}

void cli_fields_help(const struct fields *t, struct buf *out)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct field *f = &t->v[i];
        if (f->flags & FIELD_READ_ONLY)
            continue;
        size_t from = out->n;
        buf_fmt(out, "  %s=%s", f->name, f->type == F_ENUM ? f->choices : type_words[f->type]);
        pad(out, from, 38);
        buf_z(out, f->doc);
        if (f->initial && *f->initial)
            buf_fmt(out, " (default %s)", f->initial);
        buf_char(out, '\n');
    }
}

static void options_help(const char *list, struct buf *out)
{
    struct str rest = str_z(list), line;
    while (list && str_word(&rest, '\n', &line)) {
        size_t a = str_find(line, '|'), from = out->n;
        struct str tail = {line.p + a + 1, line.n - a - 1};
        size_t b = str_find(tail, '|');
        const char *arg = b && tail.p[0] == '@' ? tail.p + 1 : tail.p;
        buf_fmt(out, "  --%.*s%s%.*s", (int)a, line.p, b ? " " : "", (int)(b - (size_t)(arg - tail.p)), arg);
        pad(out, from, 30);
        buf_fmt(out, "%.*s\n", (int)(tail.n - b - 1), tail.p + b + 1);
    }
}

/* The fields a command takes as FIELD=VALUE; NULL: none. */
static const struct fields *fields_of(const struct cli_program *p, const struct cli_command *c)
{
    if (!strstr(c->args, "FIELD=VALUE"))
        return NULL;
    struct str words = str_z(c->words), first = {words.p, str_find(words, ' ')};
    const struct object_kind *k = object_kind_find(p->kinds, first);
    return k ? &k->fields : NULL;
}

static void one_help(const struct cli_program *p, const struct cli_command *c, struct buf *out)
{
    buf_fmt(out, "usage: mereau %s%s%s [options]\n\n%s\n", c->words, *c->args ? " " : "", c->args, c->doc);
    const struct fields *t = fields_of(p, c);
    if (t) {
        buf_z(out, "\nFields (lists: values separated by commas, or the field repeated; FIELD=- reads a "
                   "secret from standard input):\n");
        cli_fields_help(t, out);
    }
    buf_z(out, "\nOptions:\n");
    options_help(c->options, out);
    if (!(c->flags & CLI_NO_STORE))
        options_help("config|FILE|configuration file, or a folder of them; may be repeated\n"
                     "data|DIR|the data directory",
                     out);
    if (!(c->flags & (CLI_NO_STORE | CLI_LOCAL)))
        options_help("tenant|NAME|the tenant to work in (default: default)", out);
    if (!(c->flags & CLI_ARGS_OPEN))
        buf_z(out, "  -o json                     print JSON\n");
    buf_z(out, "  -h, --help                  print this\n");
    if (!(c->flags & CLI_ARGS_OPEN))
        return;
    buf_z(out, "\nSettings (as in the file under `server:`; a flag is stronger than the environment, that "
               "than the file):\n");
    for (size_t i = 0; i < p->settings->n; i++) {
        char name[64];
        size_t from = out->n;
        cli_flag_name(p->settings->v[i].name, name, sizeof name);
        buf_fmt(out, "  --%s", name);
        pad(out, from, 34);
        buf_fmt(out, "%s\n", p->settings->v[i].doc);
    }
}

static bool in_group(const struct cli_command *c, const char *group)
{
    size_t n = group ? strlen(group) : 0;
    return !group || (!strncmp(c->words, group, n) && (c->words[n] == ' ' || !c->words[n]));
}

void cli_help(const struct cli_program *p, const struct cli_command *one_or_null, const char *group_or_null,
              struct buf *out)
{
    if (one_or_null) {
        one_help(p, one_or_null, out);
        return;
    }
    buf_fmt(out, "usage: mereau %s%sCOMMAND [arguments] [options]\n\n", group_or_null ? group_or_null : "",
            group_or_null ? " " : "");
    if (!group_or_null)
        buf_z(out, "mereau issues, checks and revokes tokens. `mereau serve` starts the server; the other "
                   "commands work through a running\n"
                   "server, or on its data directory when none runs.\n\n");
    for (size_t t = 0; t < p->ntables; t++)
        for (const struct cli_command *c = p->tables[t]; c->words; c++) {
            if ((c->flags & CLI_HIDDEN) || !in_group(c, group_or_null))
                continue;
            size_t from = out->n;
            buf_fmt(out, "  %s", c->words);
            pad(out, from, 28);
            buf_fmt(out, "%s\n", c->doc);
        }
    buf_z(out,
          "\nmereau COMMAND --help says more. Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n");
}

static void completion_options(const char *list, struct buf *out)
{
    struct str rest = str_z(list), line;
    while (list && str_word(&rest, '\n', &line))
        buf_fmt(out, " --%.*s", (int)str_find(line, '|'), line.p);
}

/* One line a command: its words, and what may follow. */
static void completion_row(const struct cli_program *p, const struct cli_command *c, struct buf *out)
{
    buf_fmt(out, "    \"%s\") echo \"--help -o", c->words);
    completion_options(c->options, out);
    if (!(c->flags & CLI_NO_STORE))
        buf_z(out, " --config --data");
    if (!(c->flags & (CLI_NO_STORE | CLI_LOCAL)))
        buf_z(out, " --tenant");
    for (size_t i = 0; (c->flags & CLI_ARGS_OPEN) && i < p->settings->n; i++) {
        char name[64];
        cli_flag_name(p->settings->v[i].name, name, sizeof name);
        buf_fmt(out, " --%s", name);
    }
    const struct fields *t = fields_of(p, c);
    for (size_t i = 0; t && i < t->n; i++)
        if (!(t->v[i].flags & FIELD_READ_ONLY))
            buf_fmt(out, " %s=", t->v[i].name);
    buf_z(out, "\" ;;\n");
}

void cli_completion_bash(const struct cli_program *p, struct buf *out)
{
    buf_z(out, "# bash completion for mereau: eval \"$(mereau completion bash)\"\n_mereau_commands='");
    for (size_t t = 0; t < p->ntables; t++)
        for (const struct cli_command *c = p->tables[t]; c->words; c++)
            if (!(c->flags & CLI_HIDDEN))
                buf_fmt(out, "%s\n", c->words);
    buf_z(out, "'\n_mereau_after() {\n    case \"$1\" in\n");
    for (size_t t = 0; t < p->ntables; t++)
        for (const struct cli_command *c = p->tables[t]; c->words; c++)
            if (!(c->flags & CLI_HIDDEN))
                completion_row(p, c, out);
    buf_z(
        out,
        "    esac\n}\n"
        "_mereau() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} words= before= after= w line next\n"
        "    case ${COMP_WORDS[COMP_CWORD-1]} in\n"
        "        --config|-c|--data) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
        "        -o) COMPREPLY=($(compgen -W 'json text' -- \"$cur\")); return ;;\n"
        "    esac\n"
        "    for ((w = 1; w < COMP_CWORD; w++)); do\n"
        "        [[ ${COMP_WORDS[w]} == -* ]] && break\n"
        "        words=\"${words:+$words }${COMP_WORDS[w]}\"\n"
        "        before=$(_mereau_after \"$words\")\n"
        "        [[ -n $before ]] && after=$before\n"
        "    done\n"
        "    next=\n"
        "    if [[ -z $after || -z $words ]]; then\n"
        "        while read -r line; do\n"
        "            if [[ -z $words ]]; then next+=\" ${line%% *}\"\n"
        "            elif [[ $line == \"$words \"* ]]; then line=${line#\"$words \"}; next+=\" ${line%% "
        "*}\"; fi\n"
        "        done <<<\"$_mereau_commands\"\n"
        "    fi\n"
        "    COMPREPLY=($(compgen -W \"$next $after\" -- \"$cur\"))\n"
        "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
        "}\n"
        "complete -F _mereau mereau\n");
}
