/* The commands that know of configuration files and of the process: serve, config, doctor, restore. The
 * others are in cli/. */
#include "app/commands.h"

static int run_man(struct cli_call *c)
{
    if (c->argc && !strcmp(c->argv[0], "5"))
        app_man_yaml(c->out);
    else
        cli_man(c->program, c->out);
    return 0;
}

const struct cli_command app_commands[] = {
    {"serve", "", "Start the server", CLI_LOCAL | CLI_ARGS_OPEN, 0, 0, NULL, app_serve},
    {"config check", "[FILE ...]", "Check configuration files without touching the store", CLI_LOCAL, 0,
     LIMIT_CONFIG_FILES,
     "fields-only||check keys and types alone, without trying the objects in an empty store",
     app_config_check},
    {"config show", "", "Print the settings in force and where each comes from", CLI_LOCAL, 0, 0,
     "sample||print a commented sample file instead", app_config_show},
    {"config diff", "[FILE ...]", "Print what applying the files would change", CLI_DESIRED | CLI_MAYBE_STORE,
     0, LIMIT_CONFIG_FILES, "prune||with what --prune would remove", app_config_diff},
    {"config apply", "[FILE ...]", "Make the store as the files say", CLI_DESIRED | CLI_CREATES, 0,
     LIMIT_CONFIG_FILES,
     "prune||preview what left the files; with --yes, remove it\nyes||remove without asking",
     app_config_apply},
    {"config export", "", "Print the store's objects as a configuration file, without secrets", 0, 0, 0,
     "all||every tenant", app_config_export},
    {"doctor", "", "Look for what is wrong or risky in this installation", CLI_MAYBE_STORE, 0, 0, NULL,
     app_doctor},
    {"restore", "BACKUP", "Put a backup in place; no server may run", CLI_LOCAL, 1, 1,
     "force||replace the store that is there (it is kept as mereau.db.before-restore)\n"
     "revoked-log|FILE|revocations made since the backup (default: revoked.log in the data directory)",
     app_restore},
    {"migrate", "", "Bring the store up to this version, as serve does", CLI_LOCAL, 0, 0,
     "plan||print what would be done, without doing it", app_migrate},
    {"store copy", "FROM TO", "Copy a whole store into an empty one and compare each row; a place is a data directory or postgresql://...; goes on if it was cut off",
     CLI_LOCAL, 2, 2, "verify-only||compare two stores, copy nothing", app_store_copy},
    {"man", "[8|5]", "Print a manual page", CLI_NO_STORE | CLI_HIDDEN, 0, 1, NULL, run_man},
    {0},
};
