/* The configuration: files (YAML), environment and flags made one set of settings (config.def), and the
 * tenants' objects the files name (desired.h). Flag is stronger than environment, that than file, that than
 * the default. Every fault names the place, the path, what was expected, and for an unknown key the nearest
 * known one. */
#pragma once
#include "app/yaml.h"
#include "base/fields.h"
#include "base/limits.h"

typedef struct str ctype_STR, ctype_ENUM, ctype_SECRET;
typedef struct strs ctype_STRS;
typedef bool ctype_BOOL;
typedef int64_t ctype_INT, ctype_SECONDS;

struct settings {
#define S(member, type, path, max, initial, choices, flags, reload, doc) ctype_##type member;
#include "app/config.def"
#undef S
};
enum setting {
#define S(member, type, path, max, initial, choices, flags, reload, doc) SETTING_##member,
#include "app/config.def"
#undef S
    SETTING_COUNT
};
extern const struct fields config_fields;
bool config_reloads(enum setting s);

/* Faults found so far, one line each. */
struct config_faults {
    struct buf text;
    unsigned n;
};
void config_fault(struct config_faults *f, const char *place, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* "; did you mean X?" for a known name near to this one, or "". */
const char *config_nearest(struct arena *a, const char *name, const char *const *known, size_t n);
/* "FILE:LINE" of a path. */
const char *config_place(struct arena *a, const struct yaml_doc *d, const char *path);

struct config_flag {
    const char *name; /* a setting's: "tls.key" */
    struct str value;
};
struct config_input {
    const char *const *files; /* files or folders (their *.yaml and *.yml, in name order) */
    size_t nfiles;
    const struct config_flag *flags;
    size_t nflags;
    char *const *env;
};
struct config_file {
    struct yaml_doc doc;
    bool open; /* others than its owner may read it: no plain secrets */
};
struct config {
    struct arena *kept;  /* settings; small */
    struct arena *arena; /* files, lines, desired objects; gone after config_drop_files */
    struct settings settings;
    const char *origin[SETTING_COUNT]; /* "mereau.yaml:3", "MEREAU_SERVER__DATA", "--data", "default" */
    struct config_file files[LIMIT_CONFIG_FILES];
    size_t nfiles;
    struct config_faults faults;
};
/* Reads and checks everything but the tenants. ERR_CONFIG with the lines in ret->faults; always config_free.
 */
err_t config_load(const struct config_input *in, struct config *ret);
/* Passwords and tokens in plain text stay on the machine, or between it and a proxy that was named. For
 * `serve` and `config check`. */
void config_check_plain(struct config *c);
void config_free(struct config *c);
/* The files have been applied: only the settings stay (origins are gone, too). */
void config_drop_files(struct config *c);
/* The value of a F_SECRET as the file has it: text (refused when others may read the file), {env: NAME} or
 * {file: PATH}. NULL after a fault; else a new reference. */
json_t *config_secret(struct config *c, const struct config_file *f, const char *path, json_t *v);

/* A whole file into the arena; "-" is standard input. */
err_t config_read_file(struct arena *a, const char *path, size_t max, struct str *ret, bool *ret_open);
/* What `mereau config show` prints, and the commented sample. */
void config_show(const struct config *c, bool json, struct buf *out);
void config_sample(struct buf *out);
/* http://127.0.0.1, http://[::1], http://localhost */
bool config_is_loopback(struct str host_port);
