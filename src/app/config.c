/* See config.h. The rows of config.def are read through base/fields, one at a time, so that each fault names
 * its own place and several are told at once. */
#include "app/config.h"
#include "app/config_parts.h"
#include "cli/cli.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const struct field rows[] = {
#define S(member, type, path, max, initial, choices, flags, reload, doc)                                     \
    {path, F_##type, flags, max, offsetof(struct settings, member), choices, initial, doc},
#include "app/config.def"
#undef S
};
const struct fields config_fields = FIELDS(rows, struct settings);

bool config_reloads(enum setting s)
{
    static const bool reloads[] = {
#define S(member, type, path, max, initial, choices, flags, reload, doc) reload,
#include "app/config.def"
#undef S
    };
    return reloads[s];
}

/* Sets one row; `value` is borrowed. */
static void set_row(struct config *c, const struct field *row, json_t *value, const char *origin)
{
    struct fault f = {0};
    json_t *one = json_object();
    json_t *list =
        row->type == F_STRS && json_is_string(value) ? json_pack("[O]", value) : json_incref(value);
    err_t e = !one || json_object_set(one, row->name, list)
                  ? ERR_MEMORY
                  : fields_from_json(&config_fields, c->kept, one, "", &c->settings, &f);
    json_decref(one);
    json_decref(list);
    struct str path = arena_fmt(c->arena, "server.%s", row->name);
    if (e != ERR_OK)
        config_fault(&c->faults, origin, path.p ? path.p : row->name, "%s",
                     f.detail[0] ? f.detail : err_text(e));
    c->origin[row - rows] = origin;
}

/* --- files --- */
static const char *const *row_names(struct arena *a)
{
    const char **v = arena_array(a, const char *, SETTING_COUNT);
    for (size_t i = 0; v && i < SETTING_COUNT; i++)
        v[i] = rows[i].name;
    return v;
}

static bool is_section(const char *path)
{
    size_t n = strlen(path);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (!strncmp(rows[i].name, path, n) && rows[i].name[n] == '.')
            return true;
    return false;
}

static void read_section(struct config *c, const struct config_file *f, const json_t *map, const char *head,
                         unsigned depth)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)map, key, v)
    {
        const char *name = arena_fmt(c->arena, "%s%s%s", head, *head ? "." : "", key).p;
        const char *path = arena_fmt(c->arena, "server.%s", name ? name : key).p;
        if (!name || !path)
            return;
        const char *place = config_place(c->arena, &f->doc, path);
        const struct field *row = fields_find(&config_fields, str_z(name));
        if (row && strncmp(c->origin[row - rows], "default", 7)) {
            config_fault(&c->faults, place, path, "given twice; first at %s", c->origin[row - rows]);
        } else if (row) {
            json_t *value = row->type == F_SECRET ? config_secret(c, f, path, v) : json_incref(v);
            if (value)
                set_row(c, row, value, place);
            json_decref(value);
        } else if (depth == 0 && is_section(name)) {
            if (json_is_object(v))
                read_section(c, f, v, name, depth + 1);
            else if (!json_is_null(v)) /* all its lines are comments */
                config_fault(&c->faults, place, path, "expected keys and values");
        } else {
            const char *const *known = row_names(c->arena);
            config_fault(&c->faults, place, path, "unknown key%s",
                         known ? config_nearest(c->arena, name, known, SETTING_COUNT) : "");
        }
    }
}

static void read_file(struct config *c, const struct config_file *f)
{
    static const char *const known[] = {"server", "tenants"};
    const char *key;
    json_t *v;
    json_object_foreach(f->doc.root, key, v)
    {
        const char *place = config_place(c->arena, &f->doc, key);
        if (strcmp(key, "server") && strcmp(key, "tenants"))
            config_fault(&c->faults, place, key, "unknown key%s", config_nearest(c->arena, key, known, 2));
        else if (json_is_null(v))
            continue;
        else if (!json_is_object(v))
            config_fault(&c->faults, place, key, "expected keys and values");
        else if (!strcmp(key, "server"))
            read_section(c, f, v, "", 0);
    }
}

/* --- environment and flags --- */
static void set_text(struct config *c, const struct field *row, struct str text, const char *origin)
{
    struct fault f = {0};
    json_t *v = NULL;
    if (cli_value(row, text, &v, &f) != ERR_OK) {
        config_fault(&c->faults, origin, "", "%s", f.detail);
        return;
    }
    set_row(c, row, v, origin);
    json_decref(v);
}

/* MEREAU_SERVER__TLS__KEY for tls.key. */
static void env_name(const char *path, char *ret, size_t n)
{
    size_t at = (size_t)snprintf(ret, n, "MEREAU_SERVER__");
    for (; *path && at + 2 < n; path++) {
        if (*path == '.')
            ret[at++] = '_';
        ret[at++] = *path == '.' ? '_' : (char)toupper((unsigned char)*path);
    }
    ret[at] = '\0';
}

static const struct field *row_of_env(struct str name)
{
    char env[128];
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        env_name(rows[i].name, env, sizeof env);
        if (str_is(name, env))
            return &rows[i];
    }
    return NULL;
}

static void read_env(struct config *c, char *const *env)
{
    for (; env && *env; env++) {
        struct str all = str_z(*env), name = {all.p, str_find(all, '=')};
        if (!str_starts(name, STR("MEREAU_")) || name.n == all.n || !memmem(name.p, name.n, "__", 2))
            continue;
        struct str value = {all.p + name.n + 1, all.n - name.n - 1};
        const char *origin = arena_cstr(c->arena, name);
        const struct field *row = row_of_env(name);
        bool in_file = !row && name.n > 5 && !memcmp(name.p + name.n - 5, "_FILE", 5);
        if (in_file)
            row = row_of_env((struct str){name.p, name.n - 5});
        if (!origin || !row) {
            config_fault(&c->faults, origin ? origin : "", "",
                         "the environment names a setting that does not exist");
            continue;
        }
        if (in_file) {
            const char *path = arena_cstr(c->arena, value);
            if (!path || config_read_file(c->arena, path, LIMIT_PARAM, &value, NULL) != ERR_OK) {
                config_fault(&c->faults, origin, "", "%s cannot be read", path ? path : "the file");
                continue;
            }
            while (value.n && isspace((unsigned char)value.p[value.n - 1]))
                value.n--;
        }
        set_text(c, row, value, origin);
    }
}

static void read_flags(struct config *c, const struct config_flag *flags, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char name[64];
        cli_flag_name(flags[i].name, name, sizeof name);
        const char *origin = arena_fmt(c->arena, "--%s", name).p;
        const struct field *row = fields_find(&config_fields, str_z(flags[i].name));
        if (row && origin)
            set_text(c, row, flags[i].value, origin);
    }
}

err_t config_load(const struct config_input *in, struct config *ret)
{
    *ret = (struct config){.arena = arena_new(LIMIT_CONFIG_ARENA), .kept = arena_new(LIMIT_REQUEST_ARENA)};
    buf_init(&ret->faults.text, NULL, LIMIT_BODY);
    if (!ret->arena || !ret->kept)
        return ERR_MEMORY;
    for (size_t i = 0; i < SETTING_COUNT; i++)
        ret->origin[i] = "default";
    TRY(fields_init(&config_fields, ret->kept, &ret->settings));
    config_load_files(ret, in->files, in->nfiles);
    for (size_t i = 0; i < ret->nfiles; i++)
        read_file(ret, &ret->files[i]);
    read_env(ret, in->env);
    read_flags(ret, in->flags, in->nflags);
    config_check(ret); /* whatever else is wrong: faults are told together */
    return ret->faults.n ? ERR_CONFIG : ERR_OK;
}

void config_drop_files(struct config *c)
{
    for (size_t i = 0; i < c->nfiles; i++)
        json_decref(c->files[i].doc.root);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        c->origin[i] = "";
    c->nfiles = 0;
    arena_free(&c->arena);
}

void config_free(struct config *c)
{
    config_drop_files(c);
    buf_free(&c->faults.text);
    arena_free(&c->kept);
}
