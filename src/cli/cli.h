/* The command line over the same domain functions as the API. A command runs in the server (through its
 * control socket) or, when none runs, in this process under the store's lock: the code is the same.
 * commands.def is the table of the commands of this layer; app/ has a second table (serve, config, doctor,
 * restore). main puts the tables together. */
#pragma once
#include "base/limits.h"
#include "account/session.h"
#include "token/core.h"

/* What a command may know of the place it works in. */
struct cli_place {
    const char *data_dir;
    const char *dsn;             /* "postgresql://...": the store is there; NULL: in data_dir */
    const char *master_key_file; /* NULL: the default place */
    const char *cwd;             /* the caller's: relative paths mean there */
    const char *user;            /* the caller's name on this machine */
};
struct cli_option_value {
    const char *name;
    struct str value;
};
struct cli_program;
struct cli_command;
struct cli_call {
    const struct cli_program *program;
    const struct cli_command *command;
    struct op
        *op; /* ACTOR_OPERATOR; tenant from --tenant (default "default"); NULL for commands without a store */
    struct arena *arena; /* the op's, or the command's own */
    int argc;
    char **argv;              /* after the command's words, options taken out */
    bool json;                /* -o json */
    struct buf *out, *err;    /* what to print; sent to the terminal as it is */
    void (*flush)(void *ctx); /* sends what stands in out and err now (progress); may be NULL */
    void *flush_ctx;
    struct str input; /* standard input or the file that a "-" or @FILE argument named; read by the caller's
                         process */
    const struct cli_option_value *options;
    size_t noptions;
    const struct cli_place *place;
    void *host; /* app's own, for the commands of its table */
};
struct str cli_option(const struct cli_call *c, const char *name); /* STR_NONE if not given; a switch is "" */

enum cli_flag {
    CLI_NO_STORE = 1,    /* token check, version, completion */
    CLI_LOCAL = 2,       /* always in this process, opens what it needs: serve, restore, doctor */
    CLI_MAYBE_STORE = 4, /* op is NULL when there is neither a server nor a store */
    CLI_INPUT =
        8, /* an argument "-" or FIELD=- stands for standard input: read by the caller's process into input */
    CLI_CREATES = 16,   /* may make a store where there is none */
    CLI_ARGS_OPEN = 32, /* unknown --options are settings (serve) */
    CLI_HIDDEN = 64,
    CLI_DESIRED = 128, /* the configuration's objects are read by the caller's process and are the input */
};
struct cli_command {
    const char *words; /* "client add", "key master rotate" */
    const char *args;  /* "CLIENT_ID [FIELD=VALUE ...]" */
    const char *doc;   /* one line */
    unsigned flags;
    int args_min, args_max; /* of argv; -1: no bound */
    const char *options; /* "name|ARG|doc", one a line; "|" alone between: a switch; ARG "@FILE": its text is
                            the value */
    int (*run)(struct cli_call *c); /* exit status: 0 done, 1 refused or failed, 2 wrong usage */
};
extern const struct cli_command cli_commands[]; /* ends with NULL words */

struct cli_program {
    const struct cli_command *const *tables; /* each ends with NULL words */
    size_t ntables;
    const struct object_kinds *kinds; /* for the help of object commands */
    const struct fields *settings;    /* for serve --help and completion */
};

/* --- parse.c: the words of a command line --- */
struct cli_line {
    const struct cli_command *command;
    int argc;
    char *argv[LIMIT_CLI_ARGS + 1];
    struct cli_option_value options[LIMIT_CLI_ARGS];
    size_t noptions;
    const char *configs[LIMIT_CONFIG_FILES];
    size_t nconfigs;
    struct cli_option_value
        settings[LIMIT_CLI_ARGS]; /* --listen and the like: name as in the settings' table */
    size_t nsettings;
    bool json, help;
};
/* 0: run it. Otherwise the exit status, with the text already in out or err (--help, wrong usage). */
enum cli_parsed { CLI_RUN, CLI_DONE, CLI_USAGE };
enum cli_parsed cli_parse(const struct cli_program *p, struct arena *a, int argc, char **argv,
                          struct cli_line *ret, struct buf *out, struct buf *err);
const struct cli_command *cli_find(const struct cli_program *p, const char *words);

/* --- help.c, man.c --- */
void cli_help(const struct cli_program *p, const struct cli_command *one_or_null, const char *group_or_null,
              struct buf *out);
void cli_completion_bash(const struct cli_program *p, struct buf *out);
void cli_man(const struct cli_program *p, struct buf *out); /* mereau(8) */
void cli_fields_help(const struct fields *t, struct buf *out);
void cli_roff(struct buf *b, const char *text); /* escaped for roff */

/* --- value.c: text from a command line or the environment as the JSON a field expects --- */
err_t cli_value(const struct field *f, struct str text, json_t **ret, struct fault *fault);
/* The flag of a setting: "tls.key" is "tls-key". Into ret, which holds n bytes. */
void cli_flag_name(const char *setting, char *ret, size_t n);
/* FIELD=VALUE arguments as one JSON object; a list may be repeated. F_SECRET fields take "-" only: the next
 * line of *input. */
err_t cli_values(const struct fields *t, int argc, char **argv, struct str *input, json_t **ret,
                 struct fault *fault);

/* --- print.c --- */
int cli_fail(struct cli_call *c, err_t e); /* prints the op's fault, returns 1 */
int cli_refuse(struct cli_call *c, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void cli_fault_text(const struct fault *f, err_t e, struct buf *out); /* one line */
struct str cli_ago(struct cli_call *c, int64_t t_s); /* "in 14 minutes", "3 hours ago" */
struct str cli_time(struct cli_call *c, int64_t t_s); /* "2026-11-23 21:22:00Z", "never" for 0 */
/* A table for people: rows of ncols cells, columns aligned; the first row is the heading. */
void cli_table(struct buf *out, const struct str *cells, size_t ncols, size_t nrows);
/* An ordinary path of the caller: relative ones from its working directory. */
const char *cli_path(struct cli_call *c, const char *path);
/* The JSON of one object as lines "name: value". */
void cli_print_members(struct buf *out, const json_t *object);

/* --- control.c: the control socket --- */
/* A request as bytes; and back. Slices and strings of ret live in the arena. */
err_t cli_request_write(const struct cli_line *l, const struct cli_place *place, struct str input,
                        struct buf *out);
struct cli_request {
    const char *words;
    struct cli_line line;
    struct cli_place place;
    struct str input;
};
err_t cli_request_read(struct arena *a, struct str text, struct cli_request *ret);
/* One frame: kind 'o' (standard output), 'e' (standard error), 'x' (end; one byte: the exit status), 'q'
 * (request). */
bool cli_frame_send(int fd, char kind, struct str text);
bool cli_frame_recv(int fd, struct arena *a, size_t max, char *ret_kind, struct str *ret_text);
/* Connects to data_dir/control.sock; -1 if no server listens there. */
int cli_connect(const char *data_dir);
/* Sends the request, copies what comes to out_fd and err_fd. The exit status; 1 if the server went away. */
int cli_call_server(int fd, struct str request, int out_fd, int err_fd);
