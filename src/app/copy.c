/* mereau store copy: a whole store into an empty one, of either engine. */
#include "app/commands.h"
#include <stdio.h>
#include <unistd.h>

#define BAR 30

struct showing {
    struct cli_call *call;
    bool terminal;
    int64_t told_s;
};

/* A bar that is drawn over itself; where nobody looks at a terminal, a line every ten seconds. */
static void show(void *ctx, struct str table, int64_t done, int64_t total, bool verifying)
{
    struct showing *s = ctx;
    struct cli_call *c = s->call;
    int64_t now = clock_wall_s(&clock_system);
    if (c->json || !c->flush || (now < s->told_s + (s->terminal ? 1 : 10) && done < total))
        return;
    s->told_s = now;
    const char *doing = verifying ? "comparing" : "copying";
    int filled = total ? (int)(done * BAR / total) : BAR;
    if (s->terminal)
        buf_fmt(c->err, "\r%-9s [%.*s%*s] %lld of %lld rows, %.*s\033[K", doing, filled, "##############################", BAR - filled, "", (long long)done,
                (long long)total, STR_ARG(table));
    else
        buf_fmt(c->err, "%s: %lld of %lld rows, %.*s\n", doing, (long long)done, (long long)total, STR_ARG(table));
    c->flush(c->flush_ctx);
}

static const char *place(struct cli_call *c, const char *where)
{
    return str_starts(str_z(where), STR("postgres")) ? where : cli_path(c, where);
}

int app_store_copy(struct cli_call *c)
{
    struct fault f = {0};
    struct showing s = {c, isatty(STDERR_FILENO), 0};
    struct store_copy copy = {.from = place(c, c->argv[0]), .to = place(c, c->argv[1]), .verify_only = cli_option(c, "verify-only").p, .progress = show, .ctx = &s};
    err_t e = store_copy(&copy, &f);
    if (s.terminal && s.told_s)
        buf_char(c->err, '\n');
    if (e != ERR_OK) {
        buf_z(c->err, "mereau: ");
        cli_fault_text(&f, e, c->err);
        buf_char(c->err, '\n');
        return 1;
    }
    if (c->json) {
        buf_fmt(c->out, "{\"copied\":%s,\"verified\":true,\"resumed\":%s,\"tables\":%lld,\"rows\":%lld}\n", copy.verify_only ? "false" : "true",
                copy.resumed ? "true" : "false", (long long)copy.tables, (long long)copy.rows);
        return 0;
    }
    buf_fmt(c->out, "%s%lld rows of %lld tables, each compared with its source\n", copy.verify_only ? "the same: " : copy.resumed ? "copied (the rest): " : "copied: ",
            (long long)copy.rows, (long long)copy.tables);
    if (!copy.verify_only)
        buf_z(c->out, "the master key is not in the store: give the new server the same file (server.master_key_file, or master.key in its data directory)\n");
    return 0;
}
