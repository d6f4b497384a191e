/* Counters for /metrics. Adding is lock-free; label sets are made on first use and bounded in number (LIMIT_METRIC_SETS a
 * metric; what comes later, or is too long, counts as "other"). m may be NULL: then nothing is counted. */
#pragma once
#include "base/buf.h"

enum metric {
#define M(id, type, name, labels, help) METRIC_##id,
#include "base/metrics.def"
#undef M
    METRIC_COUNT
};

struct metrics;
struct metrics *metrics_new(void);
void metrics_free(struct metrics **m);
/* labels: the values in the table's order, separated by ','; NULL when the metric has none. */
void metrics_add(struct metrics *m, enum metric id, const char *labels, int64_t by);
void metrics_set(struct metrics *m, enum metric id, const char *labels, int64_t value);
void metrics_observe(struct metrics *m, enum metric id, const char *labels, int64_t micros);
void metrics_print(const struct metrics *m, struct buf *b); /* Prometheus text format 0.0.4 */
