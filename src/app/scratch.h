/* An empty store in a temporary folder, thrown away afterwards: `config check` tries there what an apply
 * would do. */
#pragma once
#include "app/app.h"

/* Faults go to c->faults. */
err_t scratch_try(struct config *c, const struct desired *d);
