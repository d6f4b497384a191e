/* mereau(8), printed from the tables of commands (`mereau man 8`); a test holds docs/man against it. */
#include "cli/cli.h"

void cli_roff(struct buf *b, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\\')
            buf_z(b, "\\e");
        else if (*p == '-')
            buf_z(b, "\\-");
        else if ((*p == '.' || *p == '\'') && (p == text || p[-1] == '\n'))
            buf_fmt(b, "\\&%c", *p);
        else
            buf_char(b, *p);
    }
}

static void options(struct buf *b, const char *list)
{
    struct str rest = str_z(list), line;
    while (list && str_word(&rest, '\n', &line)) {
        size_t n = str_find(line, '|');
        struct str tail = {line.p + n + 1, line.n - n - 1};
        size_t m = str_find(tail, '|');
        char text[512];
        snprintf(text, sizeof text, "--%.*s%s%.*s", (int)n, line.p, m ? " " : "", (int)m, tail.p);
        if (m && tail.p[0] == '@')
            snprintf(text, sizeof text, "--%.*s %.*s", (int)n, line.p, (int)(m - 1), tail.p + 1);
        buf_z(b, ".RS\n.TP\n.B ");
        cli_roff(b, text);
        buf_char(b, '\n');
        snprintf(text, sizeof text, "%.*s", (int)(tail.n - m - 1), tail.p + m + 1);
        cli_roff(b, text);
        buf_z(b, "\n.RE\n");
    }
}

static void command(struct buf *b, const struct cli_command *c)
{
    buf_z(b, ".TP\n.B mereau ");
    cli_roff(b, c->words);
    if (*c->args) {
        buf_z(b, " \\fI");
        cli_roff(b, c->args);
        buf_z(b, "\\fR");
    }
    buf_char(b, '\n');
    cli_roff(b, c->doc);
    buf_z(b, ".\n");
    options(b, c->options);
}

void cli_man(const struct cli_program *p, struct buf *out)
{
    buf_z(out, ".TH MEREAU 8 \"\" \"mereau " MEREAU_VERSION "\"\n"
               ".SH NAME\nmereau \\- issues, checks and revokes tokens\n"
               ".SH SYNOPSIS\n.B mereau\n.I command\n.RI [ arguments ]\n.RI [ options ]\n"
               ".SH DESCRIPTION\n"
               "\\fBmereau serve\\fR is the server: an OAuth 2 authorization server with its store in one "
               "directory. It needs nothing before its first\n"
               "start; it prints the address and, while nobody is an administrator, a link that makes one.\n"
               "The other commands work through the running server (its control socket lies in the data "
               "directory; the server's own user and root are\n"
               "heard) or, when none runs, on the data directory itself.\n"
               ".SH OPTIONS\nOf every command:\n"
               ".TP\n.B \\-c, \\-\\-config \\fIFILE\nconfiguration file, or a folder of them; may be "
               "repeated. See\n.BR mereau.yaml (5).\n"
               ".TP\n.B \\-\\-data \\fIDIR\nthe data directory\n"
               ".TP\n.B \\-\\-tenant \\fINAME\nthe tenant to work in; default: default\n"
               ".TP\n.B \\-o json\nprint JSON\n"
               ".TP\n.B \\-h, \\-\\-help\nsay more about a command\n"
               ".SH COMMANDS\n");
    for (size_t t = 0; t < p->ntables; t++)
        for (const struct cli_command *c = p->tables[t]; c->words; c++)
            if (!(c->flags & CLI_HIDDEN))
                command(out, c);
    buf_z(out, ".SH SIGNALS\nThe server ends on SIGTERM and SIGINT after the requests under way (at most "
               "server.limits.drain), and reads its\n"
               "configuration and certificate again on SIGHUP; a faulty one changes nothing.\n"
               ".SH EXIT STATUS\n0: done. 1: refused or failed. 2: wrong usage.\n"
               ".SH FILES\nIn the data directory: mereau.db (the store), lock, control.sock, revoked.log "
               "(what was revoked, for a restore), and master.key\n"
               "while no other place is named for it.\n"
               ".SH SEE ALSO\n.BR mereau.yaml (5)\n");
}
