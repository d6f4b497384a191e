/* What the files of the configuration share among themselves. */
#pragma once
#include "app/config.h"

void config_load_files(struct config *c, const char *const *files, size_t n); /* config_file.c */
void config_check(struct config *c); /* config_check.c: what no single row can say */
