/* Backup, and the commands that need no store. */
#include "cli/commands.h"

int cli_backup(struct cli_call *c)
{
    const char *path = cli_path(c, c->argv[0]);
    err_t e = store_backup(c->op->core->store, path, &c->op->fault);
    if (e != ERR_OK)
        return cli_fail(c, e);
    if (c->json)
        buf_z(c->out, "{\"ok\":true}\n");
    else
        buf_fmt(c->out,
                "%s holds the store as it is now. The master key is not in it: keep that apart, a restore "
                "needs both\n",
                path);
    return 0;
}

int cli_completion(struct cli_call *c)
{
    cli_completion_bash(c->program, c->out);
    return 0;
}

int cli_version(struct cli_call *c)
{
    if (c->json)
        buf_z(c->out, "{\"version\":\"" MEREAU_VERSION "\"}\n");
    else
        buf_z(c->out, "mereau " MEREAU_VERSION "\n");
    return 0;
}
