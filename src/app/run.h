/* A command line, from its words to its exit status (main.c's whole work, apart from it so that tests can
 * call it). */
#pragma once
#include "app/app.h"

int app_run(int argc, char **argv, char *const *env);
extern const struct cli_program app_program;
