/* The application: builds and owns everything. A server (serve.c) and a command without a server (main.c)
 * open the same services (app_open); the server adds listeners, the control socket and the housekeeper. */
#pragma once
#include "app/config.h"
#include "app/desired.h"
#include "cli/cli.h"
#include "event/event.h"
#include "token/core.h"
#include <pthread.h>
#include <stdatomic.h>

struct app {
    struct core core;
    struct config *config; /* the caller's */
    const char *data_dir, *master_key_file;
    bool master_in_data; /* warn until it is moved */
    struct event_sink sinks[3];
    struct webhook_sink webhook;
    struct mail_sink mail;
    struct arena *arena;               /* lives as long as the app */
    _Atomic int64_t audit_retention_s; /* SIGHUP may change it */
};
extern const struct object_kinds app_kinds;

/* Opens the store (under its lock), the key ring, caches, audit, outbox. `log` is borrowed. On error: a
 * sentence in f, and nothing is left open. */
err_t app_open(struct config *cfg, struct log *log, struct app *ret, struct fault *f);
void app_close(struct app *a);
/* An op of the process itself (ACTOR_SYSTEM) for the default tenant, on a connection and arena of the
 * caller's. */
err_t app_op(struct app *a, struct db *db, struct arena *arena, struct op *ret);
bool app_has_store(const char *data_dir, const char *dsn_or_null);
/* "postgresql://..." of the setting store; NULL: SQLite. In the arena. */
const char *app_dsn(const struct settings *s, struct arena *a);
struct log *app_log(const struct settings *s);

/* --- commands.c, main.c --- */
extern const struct cli_command app_commands[];
/* What a command of app's table finds in cli_call.host. */
struct app_host {
    struct config *config; /* loaded; NULL if loading failed or was not wanted */
    struct app *app;       /* open, or NULL */
    const struct cli_line *line;
    char *const *env;
};
/* Runs one command on open services: in the server for the control socket, or in the CLI's own process. */
int app_run_command(struct app *a, struct cli_call *call, struct app_host *host);
/* The configuration that a command line, its files and the environment add up to. Always config_free. */
const struct cli_command *app_find_command(const char *words);
err_t app_load_config(const struct cli_line *l, char *const *env, struct config *ret);

/* --- serve.c --- */
int app_serve(struct cli_call *c);

/* --- front.c --- */
struct http_server;
struct http_listener;
err_t app_listen(struct app *app, const struct http_listener *listeners, size_t n, struct http_server **ret,
                 struct fault *f);

/* --- control.c: the server's side of the control socket --- */
struct control;
err_t control_start(struct app *a, struct control **ret, struct fault *f);
void control_stop(struct control **c);

/* --- housekeeper.c --- */
struct housekeeper;
err_t housekeeper_start(struct app *a, struct housekeeper **ret);
void housekeeper_stop(struct housekeeper **h);       /* runs the flushing rounds a last time */
bool housekeeper_alive(const struct housekeeper *h); /* for the watchdog: it went round lately */

/* --- systemd.c: the documented datagrams and variables, no library --- */
void systemd_notify(const char *text); /* "READY=1\nSTATUS=..."; nothing without NOTIFY_SOCKET */
int64_t systemd_watchdog_ms(void);     /* how often to say WATCHDOG=1; 0: never */
#define SYSTEMD_FDS_MAX 16
struct systemd_fds {
    int n;
    struct {
        int fd;
        char name[64]; /* FileDescriptorName= of the socket unit */
    } v[SYSTEMD_FDS_MAX];
};
bool systemd_fd_is_loopback(int fd);              /* Unix sockets, too */
void systemd_listen_fds(struct systemd_fds *ret); /* takes LISTEN_FDS out of the environment */
