/* Settings: the order of flag, environment, file, default; names of the environment; what no single row can
 * say; near names. */
#include "app/config.h"
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/mereau-unit-config-XXXXXX";

static err_t load(const char *text, const struct config_flag *flags, size_t n, char *const *env,
                  struct config *ret)
{
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    const char *files[] = {path};
    return config_load(&(struct config_input){files, 1, flags, n, env}, ret);
}

static void test_order(void)
{
    char e1[] = "MEREAU_SERVER__DATA=env", e2[] = "MEREAU_SERVER__TRUSTED_PROXIES=10.0.0.1 10.0.0.2,::1",
         e3[] = "OTHER__THING=x", e4[] = "MEREAU_BIN=x";
    char *env[] = {e1, e2, e3, e4, NULL}, *none[] = {NULL};
    const struct config_flag flag = {"data", {"flag", 4}};
    struct config c;
    CHECK(load("", NULL, 0, none, &c) == ERR_OK && str_is(c.settings.data, "./var") &&
          !strcmp(c.origin[SETTING_data], "default"));
    CHECK(c.settings.drain_s == 10 && c.settings.listen.n == 1 && c.settings.trusted_proxies.n == 0);
    config_free(&c);
    CHECK(load("server: {data: file}\n", NULL, 0, none, &c) == ERR_OK && str_is(c.settings.data, "file"));
    config_free(&c);
    CHECK(load("server: {data: file}\n", NULL, 0, env, &c) == ERR_OK && str_is(c.settings.data, "env") &&
          c.settings.trusted_proxies.n == 3);
    CHECK(!strcmp(c.origin[SETTING_data], "MEREAU_SERVER__DATA"));
    config_free(&c);
    CHECK(load("server: {data: file}\n", &flag, 1, env, &c) == ERR_OK && str_is(c.settings.data, "flag"));
    config_drop_files(&c);
    CHECK(str_is(c.settings.data, "flag") && c.settings.trusted_proxies.n == 3 &&
          str_is(c.settings.trusted_proxies.v[2], "::1"));
    config_free(&c);
}

static void test_environment_names(void)
{
    static const struct {
        const char *env;
        bool ok;
    } rows[] = {
        {"MEREAU_SERVER__LOG__LEVEL=debug", true},
        {"MEREAU_SERVER__LOG__LEVEL=loud", false},
        {"MEREAU_SERVER__LOG_LEVEL=debug", false},
        {"MEREAU_SERVER__MASTER_KEY_FILE=/x", true},
        {"MEREAU_SERVER__NOPE=1", false},
        {"MEREAU_LOG__LEVEL=debug", false},
        {"MEREAU_SERVER__DATA_FILE=/nonexistent", false},
        {"MEREAU_SERVER__DATA_FILE=/etc/hostname", true},
        {"MEREAU_X=1", true},
        {"MEREAU_SERVER__WORKERS__STORE=4", true},
        {"MEREAU_SERVER__WORKERS__STORE=four", false},
        {"MEREAU_SERVER__PROXY_PROTOCOL=true", true},
        {"MEREAU_SERVER__PROXY_PROTOCOL=1", false},
        {"MEREAU_SERVER__LIMITS__DRAIN=1m", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[96], *env[] = {text, NULL};
        struct config c;
        snprintf(text, sizeof text, "%s", rows[i].env);
        CHECK_ROW((load("", NULL, 0, env, &c) == ERR_OK) == rows[i].ok, rows[i].env);
        CHECK_ROW((c.faults.n == 0) == rows[i].ok, rows[i].env);
        config_free(&c);
    }
}

static void test_checks(void)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"issuer: https://id.example", true},
        {"issuer: https://id.example:8443", true},
        {"issuer: https://id.example/", false},
        {"issuer: https://id.example/x", false},
        {"issuer: http://id.example", false},
        {"issuer: http://localhost:1", true},
        {"issuer: http://localhost.evil:1", false},
        {"issuer: 'http://[::1]:1'", true},
        {"issuer: http://127.0.0.1.evil", false},
        {"issuer: https://user@id.example", false},
        {"issuer: 'https://'", false},
        {"issuer: 'https://a b'", false},
        {"listen: [\"127.0.0.1:0\", \"[::1]:65535\", \"unix:/run/x\"]", true},
        {"listen: 127.0.0.1", false},
        {"listen: ':80'", false},
        {"listen: '::1:80'", false},
        {"listen: 'a:65536'", false},
        {"listen: 'a:-1'", false},
        {"listen: []", true},
        {"store: sqlite", true},
        {"store: postgres://x", true},
        {"store: mysql", false},
        {"tls: {certificate: a, key: b}", true},
        {"tls: {key: b}", false},
        {"mail: {smtp_url: 'smtps://m', from: a@b}", true},
        {"mail: {smtp_url: 'smtps://m'}", false},
    };
    char *none[] = {NULL};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct config c;
        snprintf(text, sizeof text, "server:\n  %s\n", rows[i].text);
        CHECK_ROW((load(text, NULL, 0, none, &c) == ERR_OK) == rows[i].ok, rows[i].text);
        config_free(&c);
    }
}

static void test_loopback(void)
{
    static const struct {
        const char *address;
        bool is;
    } rows[] = {{"127.0.0.1:1", true},   {"127.0.0.2:1", true}, {"[::1]:1", true},
                {"localhost:1", true},   {"unix:/x", true},     {"0.0.0.0:1", false},
                {"[::]:1", false},       {"10.0.0.1:1", false}, {"127.0.0.1.x:1", false},
                {"localhost2:1", false}, {"127.x:1", false},    {"1.2.3.4:127", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_ROW(config_is_loopback(str_z(rows[i].address)) == rows[i].is, rows[i].address);
}

static void test_nearest(void)
{
    static const char *const known[] = {"issuer", "listen", "redirect_uris"};
    struct arena *a = arena_new(4096);
    CHECK(strstr(config_nearest(a, "isuer", known, 3), "issuer"));
    CHECK(strstr(config_nearest(a, "redirect_uri", known, 3), "redirect_uris"));
    CHECK(!*config_nearest(a, "colour", known, 3));
    char longest[200];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK(!*config_nearest(a, longest, known, 3));
    arena_free(&a);
}

static void test_fault_count(void)
{
    struct config_faults f = {0};
    buf_init(&f.text, NULL, LIMIT_BODY);
    for (int i = 0; i < LIMIT_CONFIG_FAULTS + 1; i++)
        config_fault(&f, "p", "q", "%d", i);
    size_t lines = 0;
    for (size_t i = 0; i < f.text.n; i++)
        lines += f.text.p[i] == '\n';
    CHECK(f.n == LIMIT_CONFIG_FAULTS + 1 && lines == LIMIT_CONFIG_FAULTS);
    buf_free(&f.text);
}

int main(void)
{
    int fd = mkstemp(path);
    fchmod(fd, 0600);
    close(fd);
    test_order();
    test_environment_names();
    test_checks();
    test_loopback();
    test_nearest();
    test_fault_count();
    unlink(path);
    return unit_end("app-config");
}
