/* A configuration file: whatever comes, faults have their texts and lines, what was read can be printed and
 * read again, and nothing leaks. The kinds here stand for the real ones: a name, every type of field, a
 * secret. */
// clang-format off
// layers: base
// files: src/app/yaml.c src/app/yaml_print.c src/app/config.c src/app/config_file.c src/app/config_fault.c src/app/config_check.c src/app/desired.c src/cli/value.c
// libs: yaml
// clang-format on
#include "app/desired.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct thing {
    struct str name, text, words, choice, secret;
    struct strs list;
    int64_t number, seconds;
    bool flag;
};
static const struct field rows[] = {
    {"name", F_STR, FIELD_REQUIRED | FIELD_FIXED, 63, offsetof(struct thing, name), NULL, NULL, ""},
    {"text", F_STR, 0, 20, offsetof(struct thing, text), NULL, NULL, ""},
    {"words", F_WORDS, 0, 40, offsetof(struct thing, words), NULL, NULL, ""},
    {"choice", F_ENUM, 0, 0, offsetof(struct thing, choice), "red|green", "red", ""},
    {"secret", F_SECRET, FIELD_EXACT, 20, offsetof(struct thing, secret), NULL, NULL, ""},
    {"list", F_STRS, 0, 10, offsetof(struct thing, list), NULL, NULL, ""},
    {"number", F_INT, 0, 1000, offsetof(struct thing, number), NULL, "-1", ""},
    {"life", F_SECONDS, 0, 86400, offsetof(struct thing, seconds), NULL, "15m", ""},
    {"demo", F_BOOL, 0, 0, offsetof(struct thing, flag), NULL, "false", ""},
};
#define KIND(kind_name, kind_plural, is_system)                                                              \
    {                                                                                                        \
        .name = kind_name, .plural = kind_plural, .name_field = "name",                                      \
        .fields = FIELDS(rows, struct thing), .system = is_system                                            \
    }
static const struct object_kind tenant = KIND("tenant", "tenants", true), role = KIND("role", "roles", false),
                                user = KIND("service-account", "service-accounts", false);
static const struct object_kind *const all[] = {&tenant, &role, &user};
static const struct object_kinds kinds = {all, 3};

/* token/object.c is not linked here. */
const struct object_kind *object_kind_find(const struct object_kinds *t, struct str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_is(name, t->v[i]->name))
            return t->v[i];
    return NULL;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Printed and parsed, a tree is the same. */
static void round_trip(struct arena *a, const json_t *root)
{
    struct buf b;
    struct fault f = {0};
    struct yaml_doc again;
    buf_init(&b, NULL, LIMIT_CONFIG_FILE / 2);
    if (yaml_print(root, "a comment\nof two lines", &b) == ERR_OK) {
        require(yaml_parse(a, "again", buf_view(&b), &again, &f) == ERR_OK);
        require(json_equal((json_t *)(uintptr_t)root, again.root));
        json_decref(again.root);
    }
    buf_free(&b);
}

static void wire(struct arena *a, const struct desired *d)
{
    struct buf b;
    struct desired again;
    buf_init(&b, NULL, LIMIT_CONTROL_REQUEST);
    require(desired_write(d, &b) == ERR_OK);
    require(desired_parse(a, &kinds, buf_view(&b), &again) == ERR_OK && again.n == d->n);
    desired_free(&again);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const char *files[] = {path};
    struct config *c = malloc(sizeof *c);
    struct desired d = {0};
    require(c != NULL);
    err_t e = config_load(&(struct config_input){.files = files, .nfiles = 1}, c);
    require((e == ERR_OK) == (c->faults.n == 0));
    if (e == ERR_OK)
        e = desired_read(c, &kinds, &d);
    require((e == ERR_OK) == (c->faults.n == 0) && (c->faults.n == 0) == (c->faults.text.n == 0));
    if (c->nfiles)
        round_trip(c->arena, c->files[0].doc.root);
    if (e == ERR_OK)
        wire(c->arena, &d);
    desired_free(&d);
    config_free(c);
    free(c);
    close(fd);
    return 0;
}
