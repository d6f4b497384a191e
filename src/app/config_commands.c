/* mereau config check|show|diff|apply|export. */
#include "app/commands.h"
#include "app/scratch.h"

static int print_faults(struct cli_call *c, const struct config_faults *f)
{
    buf_str(c->err, buf_view(&f->text));
    if (f->n > LIMIT_CONFIG_FAULTS)
        buf_fmt(c->err, "and %u more\n", f->n - LIMIT_CONFIG_FAULTS);
    return 1;
}

int app_config_check(struct cli_call *c)
{
    struct app_host *host = c->host;
    struct config *cfg = host->config;
    struct desired d;
    config_check_plain(cfg);
    err_t e = desired_read(cfg, &app_kinds, &d);
    size_t n = d.n;
    if (e == ERR_OK && n && !cli_option(c, "fields-only").p)
        e = scratch_try(cfg, &d);
    desired_free(&d);
    if (e != ERR_OK && !cfg->faults.n)
        return cli_refuse(c, 1, "the objects could not be tried: %s", err_text(e));
    if (cfg->faults.n)
        return print_faults(c, &cfg->faults);
    if (c->json)
        buf_fmt(c->out, "{\"ok\":true,\"objects\":%zu}\n", n);
    else
        buf_fmt(c->out, "the configuration is right: %zu objects\n", n);
    return 0;
}

int app_config_show(struct cli_call *c)
{
    struct app_host *host = c->host;
    if (cli_option(c, "sample").p)
        config_sample(c->out);
    else
        config_show(host->config, c->json, c->out);
    return 0;
}

/* The objects that the caller's process has read out of its files. */
static err_t take_desired(struct cli_call *c, struct desired *ret)
{
    err_t e = desired_parse(c->arena, c->op->core->kinds, c->input, ret);
    return e == ERR_OK ? ERR_OK : op_fail(c->op, e, "", "the objects that were sent could not be read");
}

static void print_counts(struct cli_call *c, const struct desired_report *r, const char *tense)
{
    const size_t *n = r->count;
    size_t changes = n[DESIRED_CREATE] + n[DESIRED_CHANGE] + n[DESIRED_REMOVE];
    if (c->json)
        buf_fmt(c->out, "],\"create\":%zu,\"change\":%zu,\"remove\":%zu,\"same\":%zu}\n", n[DESIRED_CREATE],
                n[DESIRED_CHANGE], n[DESIRED_REMOVE], n[DESIRED_SAME]);
    else if (!changes)
        buf_z(c->out, "nothing differs\n");
    else
        buf_fmt(c->out, "%s: %zu created, %zu changed, %zu removed; %zu as they are\n", tense,
                n[DESIRED_CREATE], n[DESIRED_CHANGE], n[DESIRED_REMOVE], n[DESIRED_SAME]);
}

typedef err_t (*desired_fn)(struct op *op, const struct desired *d, bool prune, struct desired_report *r);

/* Before the first start: all of it is new. */
static int diff_without_store(struct cli_call *c)
{
    struct desired d;
    struct buf lines;
    if (desired_parse(c->arena, c->program->kinds, c->input, &d) != ERR_OK)
        return cli_refuse(c, 1, "the objects could not be read");
    buf_init(&lines, NULL, LIMIT_CLI_OUT);
    struct desired_report r = {.out = &lines, .json = c->json};
    desired_all_new(&d, &r);
    desired_free(&d);
    buf_z(c->out, c->json ? "{\"changes\":[" : "");
    buf_str(c->out, buf_view(&lines));
    print_counts(c, &r, "to do");
    buf_free(&lines);
    return 0;
}

static int run_desired(struct cli_call *c, desired_fn fn, bool prune, const char *tense)
{
    struct desired d = {0};
    struct config_faults faults = {0};
    struct buf lines;
    buf_init(&faults.text, NULL, LIMIT_BODY);
    buf_init(&lines, NULL, LIMIT_CLI_OUT);
    struct desired_report r = {.out = &lines, .json = c->json, .faults = &faults};
    struct actor who = c->op->actor;
    err_t e = take_desired(c, &d);
    if (e == ERR_OK)
        e = fn(c->op, &d, prune, &r);
    c->op->actor = who;
    desired_free(&d);
    int status = e == ERR_OK ? 0 : faults.n ? print_faults(c, &faults) : cli_fail(c, e);
    if (!status) {
        buf_z(c->out, c->json ? "{\"changes\":[" : "");
        buf_str(c->out, buf_view(&lines));
        print_counts(c, &r, tense);
    }
    buf_free(&faults.text);
    buf_free(&lines);
    return status;
}

int app_config_diff(struct cli_call *c)
{
    return c->op ? run_desired(c, desired_diff, cli_option(c, "prune").p != NULL, "to do")
                 : diff_without_store(c);
}

int app_config_apply(struct cli_call *c)
{
    bool prune = cli_option(c, "prune").p != NULL, yes = cli_option(c, "yes").p != NULL;
    if (prune && !yes) { /* a preview first, always */
        int status = run_desired(c, desired_diff, true, "to do");
        if (!status)
            buf_z(c->err, "nothing was changed; run this again with --yes to do it\n");
        return status;
    }
    return run_desired(c, desired_apply, prune, "done");
}

int app_config_export(struct cli_call *c)
{
    struct str only = cli_option(c, "tenant");
    err_t e = desired_export(c->op, cli_option(c, "all").p ? STR_NONE : only, c->out);
    return e == ERR_OK ? 0 : cli_fail(c, e);
}
