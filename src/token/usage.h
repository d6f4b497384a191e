/* Last-used times: kept in memory and flushed at most once a minute a row; losing a minute of them is
 * allowed. */
#pragma once
#include "token/life.h"
struct usage *usage_new(void);
void usage_free(struct usage **u);
void usage_touch(struct usage *u, enum node_kind kind, int64_t tenant_id, int64_t id, int64_t now_s,
                 struct str ip);
err_t usage_flush(struct op *op);
int64_t usage_last(const struct usage *u, int64_t id); /* 0 if unknown here */
