/* Counters, gauges and histograms: an open-addressed table a metric, filled by compare-and-swap, never
 * emptied. */
#include "base/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"

enum type { COUNTER, GAUGE, HISTOGRAM };
static const struct {
    enum type type;
    const char *name, *labels, *help;
} rows[METRIC_COUNT] = {
#define M(id, type, name, labels, help) {type, "mereau_" name, labels, help},
#include "base/metrics.def"
#undef M
};

/* Upper bounds in microseconds, and as Prometheus writes them. */
static const struct {
    int64_t micros;
    const char *le;
} bounds[] = {
    {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},
    {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"},
    {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
    {1000000, "1.0"}, {2500000, "2.5"}, {5000000, "5.0"}, {10000000, "10.0"},
};
enum { BUCKETS = sizeof(bounds) / sizeof(bounds[0]), SLOTS = LIMIT_METRIC_SETS * 2 };

/* One label set. Counted by all threads; on a cache line of its own so that two sets do not share one. */
struct series {
    _Alignas(64) _Atomic int64_t value; /* of a histogram: the sum */
    uint32_t hash;
    char labels[LIMIT_METRIC_LABELS + 1];
    _Atomic int64_t buckets[]; /* histograms: BUCKETS + 1, not cumulated */
};

struct family {
    _Atomic uint32_t used;
    struct series *_Atomic slots[SLOTS];
};

struct metrics {
    struct family families[METRIC_COUNT];
};

static uint32_t hash_of(const char *z)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *z; z++)
        h = (h ^ (unsigned char)*z) * 16777619u;
    return h;
}

static struct series *series_new(enum metric id, const char *labels, uint32_t hash)
{
    size_t buckets = rows[id].type == HISTOGRAM ? (BUCKETS + 1) * sizeof(_Atomic int64_t) : 0;
    size_t size = (sizeof(struct series) + buckets + 63) & ~(size_t)63;
    struct series *s = aligned_alloc(64, size);
    if (!s)
        return NULL;
    memset(s, 0, size);
    s->hash = hash;
    memcpy(s->labels, labels, strlen(labels));
    return s;
}

/* The slot where these labels are or would be. The table is never more than half full: the walk ends. */
static struct series *find(struct family *f, const char *labels, uint32_t hash,
                           struct series *_Atomic **ret_slot)
{
    for (uint32_t i = 0;; i++) {
        struct series *_Atomic *slot = &f->slots[(hash + i) % SLOTS];
        struct series *s = atomic_load_explicit(slot, memory_order_acquire);
        *ret_slot = slot;
        if (!s || (s->hash == hash && strcmp(s->labels, labels) == 0))
            return s;
    }
}

static struct series *insert(struct metrics *m, enum metric id, const char *labels, uint32_t hash)
{
    struct family *f = &m->families[id];
    struct series *fresh = series_new(id, labels, hash);
    struct series *_Atomic *slot;
    struct series *s = NULL;
    while (fresh && !(s = find(f, labels, hash, &slot))) {
        struct series *none = NULL;
        if (!atomic_compare_exchange_strong(slot, &none, fresh))
            continue; /* somebody took the slot: perhaps for these very labels */
        f->used++;
        return fresh;
    }
    free(fresh);
    return s;
}

/* NULL only if memory is out. */
static struct series *series_of(struct metrics *m, enum metric id, const char *labels)
{
    if (!m || (unsigned)id >= METRIC_COUNT)
        return NULL;
    if (!labels)
        labels = "";
    struct series *_Atomic *slot;
    uint32_t hash = hash_of(labels);
    struct series *s = find(&m->families[id], labels, hash, &slot);
    if (s)
        return s;
    if (strlen(labels) > LIMIT_METRIC_LABELS || m->families[id].used >= LIMIT_METRIC_SETS - 1) {
        labels = "other";
        hash = hash_of(labels);
    }
    return insert(m, id, labels, hash);
}

struct metrics *metrics_new(void)
{
    struct metrics *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    for (int id = 0; id < METRIC_COUNT; id++)
        if (!rows[id].labels[0] && !series_of(m, (enum metric)id, NULL))
            metrics_free(&m);
    return m;
}

void metrics_free(struct metrics **m)
{
    if (!*m)
        return;
    for (int id = 0; id < METRIC_COUNT; id++)
        for (int i = 0; i < SLOTS; i++)
            free((*m)->families[id].slots[i]);
    free(*m);
    *m = NULL;
}

void metrics_add(struct metrics *m, enum metric id, const char *labels, int64_t by)
{
    struct series *s = series_of(m, id, labels);
    if (s)
        atomic_fetch_add_explicit(&s->value, by, memory_order_relaxed);
}

void metrics_set(struct metrics *m, enum metric id, const char *labels, int64_t value)
{
    struct series *s = series_of(m, id, labels);
    if (s)
        atomic_store_explicit(&s->value, value, memory_order_relaxed);
}

void metrics_observe(struct metrics *m, enum metric id, const char *labels, int64_t micros)
{
    struct series *s = series_of(m, id, labels);
    if (!s || rows[id].type != HISTOGRAM)
        return;
    int i = 0;
    while (i < BUCKETS && micros > bounds[i].micros)
        i++;
    atomic_fetch_add_explicit(&s->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->value, micros, memory_order_relaxed);
}

static void put_value(struct buf *b, struct str v)
{
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '\\' || v.p[i] == '"')
            buf_char(b, '\\');
        if (v.p[i] == '\n')
            buf_z(b, "\\n");
        else
            buf_char(b, v.p[i]);
    }
}

/* {route="token",code="200"}; more: one label beside the table's. The last label takes what is left, commas
 * and all. */
static void put_labels(struct buf *b, const char *names, const char *values, const char *more)
{
    struct str n = str_z(names), v = str_z(values), name;
    if (n.n == 0 && !more)
        return;
    buf_char(b, '{');
    const char *between = "";
    while (str_word(&n, ',', &name)) {
        size_t cut = n.n > 0 ? str_find(v, ',') : v.n;
        buf_fmt(b, "%s%.*s=\"", between, STR_ARG(name));
        put_value(b, (struct str){v.p, cut});
        buf_char(b, '"');
        v = cut < v.n ? (struct str){v.p + cut + 1, v.n - cut - 1} : (struct str){v.p + cut, 0};
        between = ",";
    }
    if (more)
        buf_fmt(b, "%sle=\"%s\"", between, more);
    buf_char(b, '}');
}

static void put_histogram(struct buf *b, size_t id, struct series *s)
{
    int64_t count = 0;
    for (int i = 0; i <= BUCKETS; i++) {
        count += s->buckets[i];
        buf_fmt(b, "%s_bucket", rows[id].name);
        put_labels(b, rows[id].labels, s->labels, i < BUCKETS ? bounds[i].le : "+Inf");
        buf_fmt(b, " %lld\n", (long long)count);
    }
    buf_fmt(b, "%s_sum", rows[id].name);
    put_labels(b, rows[id].labels, s->labels, NULL);
    int64_t sum = s->value;
    buf_fmt(b, " %lld.%06lld\n", (long long)(sum / 1000000), (long long)(sum % 1000000));
    buf_fmt(b, "%s_count", rows[id].name);
    put_labels(b, rows[id].labels, s->labels, NULL);
    buf_fmt(b, " %lld\n", (long long)count);
}

static void put_series(struct buf *b, size_t id, struct series *s)
{
    if (rows[id].type == HISTOGRAM) {
        put_histogram(b, id, s);
        return;
    }
    buf_z(b, rows[id].name);
    put_labels(b, rows[id].labels, s->labels, NULL);
    buf_fmt(b, " %lld\n", (long long)s->value);
}

void metrics_print(const struct metrics *m, struct buf *b)
{
    static const char *const types[] = {[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    for (size_t id = 0; id < METRIC_COUNT; id++) {
        buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", rows[id].name, rows[id].help, rows[id].name,
                types[rows[id].type]);
        for (size_t i = 0; i < SLOTS; i++) {
            struct series *s = atomic_load_explicit(&m->families[id].slots[i], memory_order_acquire);
            if (s)
                put_series(b, id, s);
        }
    }
}
