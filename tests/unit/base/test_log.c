/* The log's lines, its masks and levels; errors; times. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

static char line[1 << 16];

/* What one call writes, from a pipe. */
#define LOGGED(format, ...)                                                                                          \
    do {                                                                                                             \
        int ends[2];                                                                                                 \
        CHECK(pipe(ends) == 0);                                                                                      \
        struct log *l = log_new(ends[1], LOG_INFO, (format));                                                        \
        log_write(l, __VA_ARGS__);                                                                                   \
        close(ends[1]);                                                                                              \
        ssize_t n_ = read(ends[0], line, sizeof(line) - 1);                                                          \
        line[n_ < 0 ? 0 : n_] = 0;                                                                                   \
        close(ends[0]);                                                                                              \
        log_free(&l);                                                                                                \
    } while (0)

static const char *message(json_t **doc)
{
    CHECK(json_load(str_z(line), doc) == ERR_OK);
    return json_string_value(json_object_get(*doc, "message"));
}

static void test_json_line(void)
{
    json_t *doc = NULL;
    LOGGED(LOG_AUTO, LOG_WARN, STR("01ABC"), "server.start", "port %d \"x\"\n\xFF", 80);
    CHECK(strcmp(message(&doc), "port 80 \"x\"\n\xEF\xBF\xBD") == 0);
    CHECK(strchr(line, '\n') == line + strlen(line) - 1); /* one line, whatever the message holds */
    CHECK(str_is(json_str(json_object_get(doc, "level")), "warn") && str_is(json_str(json_object_get(doc, "request_id")), "01ABC"));
    CHECK(str_is(json_str(json_object_get(doc, "event")), "server.start") && json_str(json_object_get(doc, "time")).n == 24);
    json_decref(doc);
    LOGGED(LOG_JSON, LOG_INFO, STR_NONE, "x", "%s", "");
    CHECK(!strstr(line, "request_id"));
}

static void test_text_line(void)
{
    LOGGED(LOG_TEXT, LOG_ERROR, STR("R1"), "store.open", "no\x1b[31m such\nfile");
    CHECK(strcmp(line + 8, " error store.open  no [31m such file  [R1]\n") == 0);
    LOGGED(LOG_TEXT, LOG_DEBUG, STR_NONE, "x", "hidden");
    CHECK(line[0] == 0);
}

static void test_masks(void)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"token mera_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM end", "token mera_*** end"},
        {"merpa_01234567", "merpa_***"},
        {"mera_0123456", "mera_0123456"}, /* one short of the least that is masked */
        {"xmera_01234567&b=merr_01234567", "xmera_***&b=merr_***"},
        {"mer_01234567", "mer_01234567"},
        {"merabcde_01234567", "merabcde_01234567"},
        {"mera_mera_01234567", "mera_mera_***"},
        {"a mereau_ready message", "a mereau_ready message"},
        {"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_def.", "Bearer eyJ***"},
        {"eyJhbGciOiJIUzI1NiJ9", "eyJ***"},
        {"eyJ short", "eyJ short"},
        {"{\"t\":\"mera_01234567\"}", "{\"t\":\"mera_***\"}"},
        {"mermermera_01234567", "mermermera_***"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *doc = NULL;
        LOGGED(LOG_JSON, LOG_INFO, STR_NONE, "x", "%s", rows[i].in);
        CHECK_ROW(strcmp(message(&doc), rows[i].out) == 0, line);
        json_decref(doc);
    }
}

static void test_length(void)
{
    for (size_t n = LIMIT_LOG_TEXT - 2; n <= LIMIT_LOG_TEXT + 1; n++) {
        json_t *doc = NULL;
        char *text = malloc(n + 1);
        memset(text, '\x01', n); /* six bytes each in JSON */
        text[n] = 0;
        LOGGED(LOG_JSON, LOG_INFO, STR_NONE, "x", "%s", text);
        CHECK(strlen(message(&doc)) == (n < LIMIT_LOG_TEXT ? n : LIMIT_LOG_TEXT - 1));
        json_decref(doc);
        free(text);
    }
}

static void test_levels(void)
{
    struct log *l = log_new(2, LOG_WARN, LOG_JSON);
    CHECK(log_wants(l, LOG_WARN) && !log_wants(l, LOG_INFO));
    log_set_level(l, LOG_DEBUG);
    CHECK(log_wants(l, LOG_DEBUG));
    log_free(&l);
    CHECK(!l && !log_wants(NULL, LOG_ERROR));
    log_write(NULL, LOG_ERROR, STR_NONE, "x", "nobody listens");
    log_free(&l);
}

static void test_err(void)
{
    CHECK(err_http(ERR_GRANT_INVALID) == 400 && strcmp(err_oauth(ERR_GRANT_INVALID), "invalid_grant") == 0);
    CHECK(strcmp(err_name(ERR_STORE_FULL), "STORE_FULL") == 0 && err_level(ERR_STORE_FULL) == LOG_ERROR);
    CHECK(err_http((err_t)9999) == 500 && err_http((err_t)-1) == 500);
    for (int e = 0; e < ERR_COUNT; e++) { /* safe in an error_description (RFC 6749 section 5.2), no full stop */
        const char *text = err_text((err_t)e);
        CHECK_ROW(strpbrk(text, "\"\\") == NULL && text[0] && text[strlen(text) - 1] != '.', text);
        CHECK_ROW(err_http((err_t)e) >= 200 && err_http((err_t)e) < 600, text);
    }
    struct fault f = {.code = ERR_OK};
    CHECK(fault_set(&f, ERR_PARAM_BAD, "scope", "%s", "first") == ERR_PARAM_BAD);
    CHECK(fault_set(&f, ERR_INTERNAL, "other", "second") == ERR_INTERNAL);
    CHECK(f.code == ERR_PARAM_BAD && strcmp(f.param, "scope") == 0 && strcmp(f.detail, "first") == 0);
    CHECK(fault_set(NULL, ERR_CONFLICT, NULL, "nobody") == ERR_CONFLICT);
    struct fault g = {.code = ERR_OK};
    CHECK(fault_set(&g, ERR_CONFLICT, NULL, "%0300d", 1) == ERR_CONFLICT && strlen(g.detail) == sizeof(g.detail) - 1 && g.param[0] == 0);
}

static void test_time(void)
{
    static const struct {
        int64_t t;
        const char *rfc3339, *http;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
        {4102444799, "2099-12-31T23:59:59Z", "Thu, 31 Dec 2099 23:59:59 GMT"},
        {253402300799, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
        {253402300800, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
        {-1, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char a[21], b[30];
        time_rfc3339(rows[i].t, a);
        time_http_date(rows[i].t, b);
        CHECK_ROW(strcmp(a, rows[i].rfc3339) == 0, a);
        CHECK_ROW(strcmp(b, rows[i].http) == 0, b);
    }
    int64_t before = clock_system.steady_ms(NULL);
    CHECK(clock_wall_s(&clock_system) > 1700000000 && clock_system.steady_ms(NULL) >= before);
}

int main(void)
{
    test_json_line();
    test_text_line();
    test_masks();
    test_length();
    test_levels();
    test_err();
    test_time();
    return unit_end("base log");
}
