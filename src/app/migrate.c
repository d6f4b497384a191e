/* mereau migrate: what serve does at its start anyway, for those who want to see it first. */
#include "app/commands.h"
#include <stdio.h>
#include <unistd.h>

static int plan(struct cli_call *c)
{
    struct fault f = {0};
    struct str text = STR_NONE;
    err_t e = app_has_store(c->place->data_dir, c->place->dsn) ? store_migrate_plan(c->place->data_dir, c->place->dsn, c->arena, &text, &f)
                                                : ERR_OK;
    if (e != ERR_OK) {
        struct buf b;
        buf_init(&b, c->arena, LIMIT_TEXT);
        cli_fault_text(&f, e, &b);
        return cli_refuse(c, 1, "%.*s", STR_ARG(buf_view(&b)));
    }
    if (!app_has_store(c->place->data_dir, c->place->dsn))
        buf_fmt(c->out, "there is no store in %s; it would be made\n", c->place->data_dir);
    else if (!text.n)
        buf_z(c->out, "the store is up to date\n");
    else
        buf_str(c->out, text);
    return 0;
}

int app_migrate(struct cli_call *c)
{
    struct app_host *host = c->host;
    struct app app;
    struct fault f = {0};
    if (cli_option(c, "plan").p)
        return plan(c);
    int fd = cli_connect(c->place->data_dir);
    if (fd >= 0) {
        close(fd);
        buf_z(c->out, "a server runs on this store and has brought it up to its version at start\n");
        return 0;
    }
    if (!app_has_store(c->place->data_dir, c->place->dsn))
        return cli_refuse(c, 1, "there is no store in %s", c->place->data_dir);
    struct log *log = log_new(STDERR_FILENO, LOG_WARN, LOG_AUTO);
    err_t e = log ? app_open(host->config, log, &app, &f) : ERR_MEMORY;
    if (e == ERR_OK) {
        app_close(&app);
        buf_z(c->out, "the store is up to date\n");
    } else {
        buf_z(c->err, "mereau: ");
        cli_fault_text(&f, e, c->err);
        buf_char(c->err, '\n');
    }
    if (log)
        log_free(&log);
    return e != ERR_OK;
}
