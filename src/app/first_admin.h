/* See first_admin.c. */
#pragma once
#include "token/op.h"

err_t first_admin_exists(struct op *op, bool *ret);
/* A link for 15 minutes, or STR_NONE when there is an administrator. op: the default tenant. */
err_t first_admin_link(struct op *op, struct str *ret_url);
