/* The command line over the same domain functions as the API. A command runs in the server (through its control socket)
 * or, when none runs, in this process under the store's lock: the code is the same. */
#pragma once
#include "oauth/oauth.h"

struct cli_call {
    struct op *op;            /* ACTOR_OPERATOR; tenant from --tenant (default "default"); NULL for commands without a store */
    int argc;
    char **argv;              /* after the command's words, options taken out */
    bool json;                /* -o json */
    struct buf *out, *err;    /* what to print; sent to the terminal as it is */
    const struct cli_option_value *options;
    size_t noptions;
};
struct cli_option_value {
    const char *name;
    struct str value;
};
struct str cli_option(const struct cli_call *c, const char *name);

enum cli_flag {
    CLI_NO_STORE = 1,  /* token check, version, config check, completion */
    CLI_LOCAL = 2,     /* always in this process: serve, restore, doctor */
    CLI_READS_FILE = 4 /* its FILE argument (or "-") is read by the caller's process; the command gets the text */
};
struct cli_command {
    const char *words;      /* "client add", "key master rotate" */
    const char *args;       /* "CLIENT_ID [FIELD=VALUE ...]" */
    const char *doc;        /* one line */
    unsigned flags;
    const char *options;    /* "--tenant NAME", ... one a line: "name|ARG|doc" */
    int (*run)(struct cli_call *c); /* exit status: 0 done, 1 refused or failed, 2 wrong usage */
};
extern const struct cli_command cli_commands[]; /* ends with NULL words */
int cli_fail(struct cli_call *c, err_t e); /* prints the op's fault, returns 1 */
