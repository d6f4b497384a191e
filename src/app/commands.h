/* The run functions of app's commands. */
#pragma once
#include "app/app.h"

int app_config_check(struct cli_call *c); /* config_commands.c */
int app_config_show(struct cli_call *c);
int app_config_diff(struct cli_call *c);
int app_config_apply(struct cli_call *c);
int app_config_export(struct cli_call *c);
int app_doctor(struct cli_call *c);  /* doctor.c */
int app_restore(struct cli_call *c); /* restore.c */
int app_migrate(struct cli_call *c); /* migrate.c */
int app_store_copy(struct cli_call *c); /* copy.c */
void app_man_yaml(struct buf *out);  /* man.c: mereau.yaml(5) */
