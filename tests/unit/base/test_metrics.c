/* Metrics: values, buckets at and one above their bound, the bound on label sets, threads, the text format. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/metrics.h"

static struct buf out;

static bool printed(const struct metrics *m, const char *line)
{
    out.n = 0;
    metrics_print(m, &out);
    buf_char(&out, 0);
    CHECK(buf_ok(&out));
    return strstr(out.p, line) != NULL;
}

static void test_values(void)
{
    struct metrics *m = metrics_new();
    CHECK(printed(m, "\n# TYPE mereau_connections gauge\nmereau_connections 0\n"));
    metrics_add(m, METRIC_TOKEN_ISSUED, "refresh_token,jwt", 2);
    metrics_add(m, METRIC_TOKEN_ISSUED, "refresh_token,jwt", 3);
    CHECK(printed(m, "\nmereau_token_issued_total{grant=\"refresh_token\",format=\"jwt\"} 5\n"));
    metrics_set(m, METRIC_CONNECTIONS, NULL, 7);
    metrics_set(m, METRIC_CONNECTIONS, NULL, 6);
    CHECK(printed(m, "\nmereau_connections 6\n"));
    metrics_add(m, METRIC_CONNECTIONS, NULL, -2);
    CHECK(printed(m, "\nmereau_connections 4\n"));
    metrics_add(m, METRIC_AUTHN, "a\"b\\c\nd,x,y", 1);
    CHECK(printed(m, "{factor=\"a\\\"b\\\\c\\nd\",result=\"x,y\"} 1\n"));
    metrics_add(m, METRIC_AUTHN, "lonely", 1);
    CHECK(printed(m, "{factor=\"lonely\",result=\"\"} 1\n"));
    metrics_free(&m);
    metrics_add(NULL, METRIC_AUTHN, "x", 1);
    metrics_observe(NULL, METRIC_HTTP_DURATION, "x", 1);
    metrics_set(NULL, METRIC_CONNECTIONS, NULL, 1);
    CHECK(m == NULL);
}

static void test_histogram(void)
{
    struct metrics *m = metrics_new();
    static const int64_t micros[] = {0, 100, 101, 10000000, 10000001};
    for (size_t i = 0; i < sizeof(micros) / sizeof(micros[0]); i++)
        metrics_observe(m, METRIC_HTTP_DURATION, "t,200", micros[i]);
    CHECK(printed(m, "_bucket{route=\"t\",code=\"200\",le=\"0.0001\"} 2\n"));
    CHECK(printed(m, "_bucket{route=\"t\",code=\"200\",le=\"0.00025\"} 3\n"));
    CHECK(printed(m, "_bucket{route=\"t\",code=\"200\",le=\"5.0\"} 3\n"));
    CHECK(printed(m, "_bucket{route=\"t\",code=\"200\",le=\"10.0\"} 4\n"));
    CHECK(printed(m, "_bucket{route=\"t\",code=\"200\",le=\"+Inf\"} 5\n"));
    CHECK(printed(m, "_sum{route=\"t\",code=\"200\"} 20.000202\n"));
    CHECK(printed(m, "_count{route=\"t\",code=\"200\"} 5\n"));
    metrics_observe(m, METRIC_CONNECTIONS, NULL, 5); /* no histogram: nothing happens */
    CHECK(printed(m, "\nmereau_connections 0\n"));
    metrics_free(&m);
}

static void test_bounds(void)
{
    struct metrics *m = metrics_new();
    char label[LIMIT_METRIC_LABELS + 2];
    for (int i = 0; i < LIMIT_METRIC_SETS * 3; i++) {
        snprintf(label, sizeof(label), "kind%d,ok", i);
        metrics_add(m, METRIC_OUTBOUND, label, 1);
    }
    CHECK(printed(m, "{kind=\"kind0\",result=\"ok\"} 1\n"));
    CHECK(printed(m, "{kind=\"kind254\",result=\"ok\"} 1\n") && !printed(m, "{kind=\"kind255\",result=\"ok\"} 1\n"));
    CHECK(printed(m, "{kind=\"other\",result=\"\"} 513\n"));
    memset(label, 'x', sizeof(label));
    label[LIMIT_METRIC_LABELS] = 0;
    metrics_add(m, METRIC_AUTHN, label, 1);
    CHECK(!printed(m, "{factor=\"other\""));
    label[LIMIT_METRIC_LABELS] = 'x';
    label[LIMIT_METRIC_LABELS + 1] = 0;
    metrics_add(m, METRIC_AUTHN, label, 1);
    CHECK(printed(m, "{factor=\"other\",result=\"\"} 1\n"));
    metrics_free(&m);
}

static void *add_many(void *ctx)
{
    char label[16];
    for (int i = 0; i < 20000; i++) {
        snprintf(label, sizeof(label), "t%d", i % 50);
        metrics_add(ctx, METRIC_TOKEN_REVOKED, label, 1);
        metrics_observe(ctx, METRIC_HTTP_DURATION, label, i % 300);
    }
    return NULL;
}

static void test_threads(void)
{
    struct metrics *m = metrics_new();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, add_many, m) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 50; i++) { /* each set once, with everybody's additions */
        char line[64];
        snprintf(line, sizeof(line), "\nmereau_token_revoked_total{node=\"t%d\"} 1600\n", i);
        CHECK_ROW(printed(m, line), line);
        const char *first = strstr(out.p, line);
        CHECK_ROW(first && strstr(first + 1, line) == NULL, line);
    }
    metrics_free(&m);
}

int main(void)
{
    buf_init(&out, NULL, 1 << 20);
    test_values();
    test_histogram();
    test_bounds();
    test_threads();
    buf_free(&out);
    return unit_end("base metrics");
}
