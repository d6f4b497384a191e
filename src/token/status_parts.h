/* What the files of status lists share: status.c (places), status_kept.c (lists ready to send), status_build.c (making them). */
#pragma once
#include "token/core.h"
#include "token/status.h"

#define STATUS_INDEX_BITS 16 /* of a place: the rest names the list */
_Static_assert(LIMIT_STATUS_SIZE == 1 << STATUS_INDEX_BITS, "a place is a list and an index");

/* A row of table status_list. */
struct status_row {
    int64_t list;
    int64_t opened_id; /* no token in it is older */
    bool restored;     /* from a backup: tokens in it may be missing in the store */
};
struct status_kept;
struct status_kept *status_kept_new(void);
void status_kept_free(struct status_kept **k);
struct status_kept *status_kept_of(struct status *s);

struct str status_uri(struct op *op, int64_t list);
/* ERR_NOT_FOUND: the tenant has none such, or its tokens have all expired. */
err_t status_row_read(struct op *op, int64_t list, struct status_row *ret);
err_t status_build(struct op *op, int64_t list, struct str *ret);
