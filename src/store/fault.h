/* Faults on purpose, for tests (built with -DMEREAU_FAULTS only): MEREAU_FAULT_STORE=n makes the n-th
 * statement of the process's store fail with ERR_STORE, n-m all from the n-th to the m-th. */
#pragma once
#include "store/engine.h"
#ifdef MEREAU_FAULTS
#include <stdlib.h>

static inline void fault_arm(struct store *s)
{
    const char *want = getenv("MEREAU_FAULT_STORE");
    char *end = NULL;
    s->fault_from = want ? strtoll(want, &end, 10) : 0;
    s->fault_to = want && *end == '-' ? strtoll(end + 1, NULL, 10) : s->fault_from;
}

static inline bool fault_now(struct store *s)
{
    int64_t n = atomic_fetch_add_explicit(&s->calls, 1, memory_order_relaxed) + 1;
    return s->fault_from > 0 && n >= s->fault_from && n <= s->fault_to;
}
#else
static inline void fault_arm(struct store *s)
{
    (void)s;
}

static inline bool fault_now(struct store *s)
{
    (void)s;
    return false;
}
#endif
