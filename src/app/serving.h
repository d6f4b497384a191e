/* The server at work: what serve.c builds and reload.c changes. */
#pragma once
#include "app/app.h"
#include "http/http.h"

struct serving {
    struct cli_call *call;
    struct config *config;
    struct desired desired;
    struct app app;
    struct log *log;
    struct http_server *http;
    struct control *control;
    struct housekeeper *housekeeper;
    struct systemd_fds fds;
    struct http_listener listeners[2 * SYSTEMD_FDS_MAX + 2 * LIMIT_CONFIG_FILES];
    size_t nlisteners;
    struct fault fault;
};

bool serving_is_loopback(const struct serving *s, const struct http_listener *l);
/* The files' objects into the store, by ACTOR_FILE; faults go to cfg. */
err_t serving_apply(struct serving *s, struct config *cfg, const struct desired *d, struct op *op);
void serving_reload(struct serving *s); /* reload.c: on SIGHUP */
