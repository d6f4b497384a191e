/* Names that may be presented once: the jti of assertions. Kept, as hashes, until what bore them has expired by itself, so the
 * table is bounded by what may be presented in that time. */
#pragma once
#include "token/op.h"

/* True for exactly one caller: (who, name) has not been here before. expires_s: when it may be forgotten. A transaction of its own. */
err_t seen_once(struct op *op, struct str who, struct str name, int64_t expires_s, bool *ret_first);
