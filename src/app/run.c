/* See run.h. */
#include "app/run.h"
#include "app/commands.h"
#include "token/tenant.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define COMMAND_ARENA (256L * 1024 * 1024)

static const struct cli_command *const tables[] = {app_commands, cli_commands};
const struct cli_program app_program = {tables, sizeof tables / sizeof *tables, &app_kinds, &config_fields};

const struct cli_command *app_find_command(const char *words)
{
    return cli_find(&app_program, words);
}

/* What one command line needs while it runs. */
struct running {
    struct cli_line line;
    struct cli_call call;
    struct cli_place place;
    struct app_host host;
    struct config config;
    struct desired desired;
    struct app app;
    struct arena *arena;
    struct buf out, err, input;
    char cwd[4096], user[64];
};

static void put(int fd, struct buf *b)
{
    struct str s = buf_view(b);
    while (s.n) {
        ssize_t w = write(fd, s.p, s.n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            break;
        s = (struct str){s.p + w, s.n - (size_t)w};
    }
    b->n = 0;
}

static void flush(void *ctx)
{
    struct running *r = ctx;
    put(STDOUT_FILENO, &r->out);
    put(STDERR_FILENO, &r->err);
}

/* --- input --- */
/* From a terminal: one line, without echo. */
static err_t ask_secret(struct running *r, const char *what)
{
    struct termios old, quiet;
    char line[LIMIT_PASSWORD + 2];
    if (tcgetattr(STDIN_FILENO, &old) < 0)
        return ERR_IO;
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%.*s: ", (int)strcspn(what, "="), what);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    const char *got = fgets(line, sizeof line, stdin);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
    fputc('\n', stderr);
    if (got)
        buf_z(&r->input, line);
    explicit_bzero(line, sizeof line);
    return got ? ERR_OK : ERR_IO;
}

static err_t read_input(struct running *r)
{
    struct str text;
    for (int i = 0; i < r->line.argc; i++) {
        const char *a = r->line.argv[i];
        size_t n = strlen(a);
        bool secret = n > 2 && !strcmp(a + n - 2, "=-"), whole = !strcmp(a, "-");
        if (secret && isatty(STDIN_FILENO)) {
            TRY(ask_secret(r, a));
        } else if (secret || whole) {
            TRY(config_read_file(r->arena, "-", LIMIT_CONFIG_FILE, &text, NULL));
            buf_str(&r->input, text);
            return buf_ok(&r->input) ? ERR_OK : ERR_MEMORY;
        }
    }
    return ERR_OK;
}

/* An option with the argument @FILE stands for the file's text: the server may not see the caller's files. */
static bool takes_file(const struct cli_command *c, const char *name)
{
    size_t n = strlen(name);
    const char *at = c->options;
    for (; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (!strncmp(at, name, n) && !strncmp(at + n, "|@", 2))
            return true;
    return false;
}

static err_t read_option_files(struct running *r)
{
    for (size_t i = 0; i < r->line.noptions; i++) {
        struct cli_option_value *o = &r->line.options[i];
        if (!takes_file(r->line.command, o->name))
            continue;
        const char *path = arena_cstr(r->arena, o->value);
        if (path && !strcmp(path, "-") && strstr(o->name, "password") && isatty(STDIN_FILENO)) {
            TRY(ask_secret(r, o->name));
            o->value = arena_str(r->arena, buf_view(&r->input));
            continue;
        }
        if (!path || config_read_file(r->arena, path, LIMIT_CONFIG_FILE, &o->value, NULL) != ERR_OK) {
            cli_refuse(&r->call, 1, "%s: %s", path ? path : "", strerror(errno));
            return ERR_IO;
        }
    }
    return ERR_OK;
}

/* --- configuration --- */
err_t app_load_config(const struct cli_line *l, char *const *env, struct config *ret)
{
    struct config_flag flags[LIMIT_CLI_ARGS];
    for (size_t i = 0; i < l->nsettings; i++)
        flags[i] = (struct config_flag){l->settings[i].name, l->settings[i].value};
    return config_load(&(struct config_input){l->configs, l->nconfigs, flags, l->nsettings, env}, ret);
}

static int print_faults(struct running *r)
{
    buf_str(&r->err, buf_view(&r->config.faults.text));
    if (r->config.faults.n > LIMIT_CONFIG_FAULTS)
        buf_fmt(&r->err, "and %u more\n", r->config.faults.n - LIMIT_CONFIG_FAULTS);
    return 1;
}

/* --- where it runs --- */
int app_run_command(struct app *a, struct cli_call *call, struct app_host *host)
{
    struct db *db;
    struct op op;
    struct arena *arena = arena_new(COMMAND_ARENA);
    struct str tenant = cli_option(call, "tenant");
    int status = 1;
    if (!arena || db_open(a->core.store, 1024, &db) != ERR_OK) {
        arena_free(&arena);
        return cli_refuse(call, 1, "out of memory");
    }
    op_begin(&op, &a->core, db, arena);
    op.actor = (struct actor){.kind = ACTOR_OPERATOR, .name = str_z(call->place->user)};
    op.request_id = STR_NONE;
    call->program = &app_program;
    call->op = &op;
    call->arena = arena;
    call->host = host;
    err_t e = tenant_use(&op, tenant.p ? tenant : STR(TENANT_DEFAULT));
    if (e == ERR_NOT_FOUND)
        status = cli_refuse(call, 1, "there is no tenant \"%.*s\", or it is disabled", STR_ARG(tenant));
    else if (e != ERR_OK)
        status = cli_fail(call, e);
    else
        status = call->command->run(call);
    op_end(&op);
    db_close(&db);
    call->op = NULL;
    arena_free(&arena);
    return status;
}

static int run_on_server(struct running *r, int fd)
{
    struct buf request;
    buf_init(&request, NULL, LIMIT_CONTROL_REQUEST);
    int status = 1;
    if (cli_request_write(&r->line, &r->place, buf_view(&r->input), &request) != ERR_OK)
        cli_refuse(&r->call, 1, "the command is too large");
    else
        status = cli_call_server(fd, buf_view(&request), STDOUT_FILENO, STDERR_FILENO);
    buf_free(&request);
    close(fd);
    return status;
}

static int run_on_store(struct running *r)
{
    struct fault f = {0};
    struct log *log = log_new(STDERR_FILENO, LOG_WARN, LOG_AUTO);
    err_t e = log ? app_open(&r->config, log, &r->app, &f) : ERR_MEMORY;
    int status = 1;
    if (e == ERR_OK) {
        r->host.app = &r->app;
        status = app_run_command(&r->app, &r->call, &r->host);
        app_close(&r->app);
    } else {
        buf_z(&r->err, "mereau: ");
        cli_fault_text(&f, e, &r->err);
        buf_char(&r->err, '\n');
        if (r->line.command->flags &
            CLI_MAYBE_STORE) /* says what can be said without a store; it has failed all the same */
            r->line.command->run(&r->call);
    }
    if (log)
        log_free(&log);
    return status;
}

/* `config check FILE` is `config check --config FILE`. */
static void take_file_arguments(struct running *r)
{
    if (strncmp(r->line.command->words, "config ", 7))
        return;
    for (int i = 0; i < r->line.argc && r->line.nconfigs < LIMIT_CONFIG_FILES; i++)
        r->line.configs[r->line.nconfigs++] = r->line.argv[i];
    r->line.argc = r->call.argc = 0;
}

static int run_with_config(struct running *r)
{
    const struct cli_command *c = r->line.command;
    take_file_arguments(r);
    err_t e = app_load_config(&r->line, r->host.env, &r->config);
    r->host.config = &r->config;
    bool tells = e == ERR_CONFIG && c->run == app_config_check; /* of the objects' faults too */
    if (e != ERR_OK && !tells)
        return print_faults(r);
    r->place.data_dir = arena_cstr(r->arena, r->config.settings.data);
    r->place.dsn = app_dsn(&r->config.settings, r->arena);
    r->place.master_key_file = r->config.settings.master_key_file.n
                                   ? arena_cstr(r->arena, r->config.settings.master_key_file)
                                   : NULL;
    if (c->flags & CLI_LOCAL)
        return c->run(&r->call);
    if (c->flags & CLI_DESIRED) {
        e = desired_read(&r->config, &app_kinds, &r->desired);
        if (e == ERR_OK)
            e = desired_write(&r->desired, &r->input);
        desired_free(&r->desired);
        if (e != ERR_OK)
            return print_faults(r);
        r->call.input = buf_view(&r->input);
    }
    int fd = cli_connect(r->place.data_dir);
    if (fd >= 0)
        return run_on_server(r, fd);
    if (app_has_store(r->place.data_dir, r->place.dsn) || (c->flags & CLI_CREATES))
        return run_on_store(r);
    if (access(r->place.data_dir, F_OK) == 0 && access(r->place.data_dir, X_OK) < 0)
        return cli_refuse(&r->call, 1, "you may not look into %s: run this as the server's user, or as root",
                          r->place.data_dir);
    if (c->flags & CLI_MAYBE_STORE)
        return c->run(&r->call);
    return cli_refuse(&r->call, 1,
                      "there is no store in %s: name it with --data or --config, or start `mereau serve`",
                      r->place.data_dir);
}

static int run_line(struct running *r)
{
    const struct cli_command *c = r->line.command;
    struct passwd *pw = getpwuid(geteuid());
    snprintf(r->user, sizeof r->user, "%s", pw ? pw->pw_name : "root");
    if (!getcwd(r->cwd, sizeof r->cwd))
        snprintf(r->cwd, sizeof r->cwd, "/");
    r->place = (struct cli_place){.cwd = r->cwd, .user = r->user};
    r->call = (struct cli_call){.program = &app_program,
                                .command = c,
                                .arena = r->arena,
                                .argc = r->line.argc,
                                .argv = r->line.argv,
                                .json = r->line.json,
                                .out = &r->out,
                                .err = &r->err,
                                .flush = flush,
                                .flush_ctx = r,
                                .place = &r->place,
                                .host = &r->host};
    r->host.line = &r->line;
    if (read_option_files(r) != ERR_OK)
        return 1;
    r->call.options = r->line.options;
    r->call.noptions = r->line.noptions;
    if ((c->flags & CLI_INPUT) && read_input(r) != ERR_OK)
        return cli_refuse(&r->call, 1, "standard input cannot be read, or is too large");
    r->call.input = buf_view(&r->input);
    return c->flags & CLI_NO_STORE ? c->run(&r->call) : run_with_config(r);
}

int app_run(int argc, char **argv, char *const *env)
{
    struct running *r = calloc(1, sizeof *r);
    if (!r || !(r->arena = arena_new(COMMAND_ARENA))) {
        free(r);
        return 1;
    }
    buf_init(&r->out, NULL, LIMIT_CLI_OUT);
    buf_init(&r->err, NULL, LIMIT_CLI_OUT);
    buf_init(&r->input, NULL, LIMIT_CONTROL_REQUEST);
    r->host.env = env;
    enum cli_parsed parsed = cli_parse(&app_program, r->arena, argc, argv, &r->line, &r->out, &r->err);
    int status = parsed == CLI_RUN ? run_line(r) : parsed == CLI_DONE ? 0 : 2;
    flush(r);
    config_free(&r->config);
    buf_free(&r->out);
    buf_free(&r->err);
    buf_free(&r->input);
    arena_free(&r->arena);
    free(r);
    return status;
}
