/* Reading the tenants' objects out of the loaded files: flattened to one list, keys and types checked,
 * secrets resolved; and the list as text, because the process that reads the files need not be the one that
 * owns the store. */
#include "app/desired.h"
#include <stdio.h>
#include <stdlib.h>

struct reader {
    struct config *config;
    const struct config_file *file;
    const struct object_kinds *kinds;
    struct desired *out;
    json_t *seen;          /* "tenant\nkind\nname" -> place */
    struct arena *scratch; /* for trying an object's types */
};

/* The key of a kind in the file: "service_accounts". */
static const char *file_key(const struct object_kind *k, char *ret, size_t n)
{
    snprintf(ret, n, "%s", k->plural);
    for (char *p = ret; *p; p++)
        if (*p == '-')
            *p = '_';
    return ret;
}

static const struct object_kind *kind_of_key(const struct reader *r, const char *key)
{
    char name[64];
    for (size_t i = 0; i < r->kinds->n; i++)
        if (!r->kinds->v[i]->system && !strcmp(file_key(r->kinds->v[i], name, sizeof name), key))
            return r->kinds->v[i];
    return NULL;
}

static const struct object_kind *kind_tenants(const struct object_kinds *kinds)
{
    for (size_t i = 0; i < kinds->n; i++)
        if (kinds->v[i]->system)
            return kinds->v[i];
    return NULL;
}

static const char *place_of(struct reader *r, const char *path)
{
    return config_place(r->config->arena, &r->file->doc, path);
}

static const char *join(struct reader *r, const char *path, const char *name)
{
    const char *p = arena_fmt(r->config->arena, "%s.%s", path, name).p;
    return p ? p : path;
}

static void unknown_key(struct reader *r, const struct object_kind *k, const char *path, const char *key)
{
    const char *known[128];
    char keys[32][64];
    size_t n = 0;
    for (size_t i = 0; i < k->fields.n && n < 64; i++)
        known[n++] = k->fields.v[i].name;
    for (size_t i = 0; k->system && i < r->kinds->n && i < 32; i++)
        if (!r->kinds->v[i]->system)
            known[n++] = file_key(r->kinds->v[i], keys[i], sizeof keys[i]);
    config_fault(&r->config->faults, place_of(r, path), path, "unknown key%s",
                 config_nearest(r->config->arena, key, known, n));
}

/* "tenants.default.clients[0]", "tenants.default.clients[0].scope[2]" -> "scope" */
static struct str field_of(const char *path, const char *param)
{
    size_t n = strlen(path);
    if (strncmp(param, path, n) || param[n] != '.')
        return STR_NONE;
    return (struct str){param + n + 1, strcspn(param + n + 1, ".[")};
}

/* What was complained of is put aside, so that the next look finds what else is wrong. False: nothing is left to put aside. */
static bool put_aside(struct field *v, size_t n, json_t *fields, struct str name)
{
    bool aside = json_object_deln(fields, name.p ? name.p : "", name.n) == 0;
    for (size_t i = 0; i < n; i++) {
        if (str_is(name, v[i].name)) {
            aside = aside || (v[i].flags & FIELD_REQUIRED);
            v[i].flags &= ~(unsigned)FIELD_REQUIRED;
        }
    }
    return aside;
}

/* Types, by the kind's own table. What the whole object must satisfy is checked when it is applied. */
static void try_types(struct reader *r, const struct object_kind *k, const json_t *doc, const char *path)
{
    arena_reset(r->scratch);
    void *spec = arena_alloc(r->scratch, k->fields.size);
    struct field *v = arena_array(r->scratch, struct field, k->fields.n);
    json_t *fields = json_copy((json_t *)(uintptr_t)doc);
    json_object_del(fields, "disabled");
    err_t e = spec && v ? fields_init(&k->fields, r->scratch, spec) : ERR_MEMORY;
    if (e == ERR_OK)
        memcpy(v, k->fields.v, k->fields.n * sizeof *v);
    const struct fields table = {v, k->fields.n, k->fields.size};
    for (bool more = e == ERR_OK; more;) {
        struct fault f = {0};
        e = fields_from_json(&table, r->scratch, fields, path, spec, &f);
        if (e == ERR_OK)
            break;
        const char *at = f.param[0] ? f.param : path;
        config_fault(&r->config->faults, place_of(r, at), at, "%s", f.detail[0] ? f.detail : err_text(e));
        more = put_aside(v, k->fields.n, fields, field_of(path, f.param));
    }
    json_decref(fields);
    if (e == ERR_MEMORY)
        config_fault(&r->config->faults, "", "", "%s", err_text(e));
}

/* The object's document with secrets in place and its fields' lines; keys that are no fields are faults,
 * unless `skip` says that they are collections. */
static void read_fields(struct reader *r, const struct object_kind *k, const json_t *map, const char *path,
                        json_t *doc, json_t *lines)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)map, key, v)
    {
        const char *at = join(r, path, key);
        const struct field *f = fields_find(&k->fields, str_z(key));
        if (k->system && kind_of_key(r, key))
            continue;
        json_object_set_new(lines, key, json_integer(yaml_line(&r->file->doc, at)));
        if (!f && strcmp(key, "disabled")) {
            unknown_key(r, k, at, key);
        } else if (f && (f->flags & FIELD_READ_ONLY)) {
            config_fault(&r->config->faults, place_of(r, at), at, "this is not set, the server makes it");
        } else if (f && f->type == F_SECRET && !json_is_null(v)) {
            json_t *secret = config_secret(r->config, r->file, at, v);
            if (secret)
                json_object_set_new(doc, key, secret);
        } else if (!json_is_null(v)) {
            json_object_set(doc, key, v);
        }
    }
}

static struct desired_object *add_slot(struct desired *d)
{
    if (d->n == d->cap) {
        size_t cap = d->cap ? 2 * d->cap : 64;
        struct desired_object *v = arena_array(d->arena, struct desired_object, cap);
        if (!v)
            return NULL;
        if (d->n)
            memcpy(v, d->v, d->n * sizeof *v);
        d->v = v;
        d->cap = cap;
    }
    d->v[d->n] = (struct desired_object){0};
    return &d->v[d->n];
}

/* True if this name was not there before; a tenant may be spread over several files. */
static bool first_time(struct reader *r, const struct object_kind *k, const char *tenant, const char *name,
                       const char *place, const char *path)
{
    const char *id = arena_fmt(r->config->arena, "%s\n%s\n%s", k->system ? "" : tenant, k->name, name).p;
    const char *before = id ? json_string_value(json_object_get(r->seen, id)) : NULL;
    if (before && !k->system)
        config_fault(&r->config->faults, place, path, "the %s \"%s\" is given twice; first at %s", k->name,
                     name, before);
    if (id && !before)
        json_object_set_new(r->seen, id, json_string(place));
    return !before;
}

static void add_object(struct reader *r, const struct object_kind *k, const char *tenant, const char *name,
                       json_t *doc, json_t *lines, const char *path)
{
    const char *place = place_of(r, path);
    struct desired_object *o = first_time(r, k, tenant, name, place, path) ? add_slot(r->out) : NULL;
    if (!o) {
        json_decref(doc);
        json_decref(lines);
        return;
    }
    *o = (struct desired_object){k, tenant, name, doc, path, place, lines};
    r->out->n++;
}

/* One object of a collection. name: the map's key, or NULL in a list. */
static void read_object(struct reader *r, const struct object_kind *k, const char *tenant, const char *name,
                        const json_t *map, const char *path)
{
    if (!json_is_object(map) && !(name && json_is_null(map))) {
        config_fault(&r->config->faults, place_of(r, path), path, "expected the fields of a %s", k->name);
        return;
    }
    json_t *doc = json_object(), *lines = json_object();
    read_fields(r, k, map, path, doc, lines);
    if (name && !json_object_get(doc, k->name_field))
        json_object_set_new(doc, k->name_field, json_string(name));
    const char *given = json_string_value(json_object_get(doc, k->name_field));
    if (!given || (name && strcmp(name, given))) {
        const char *at = join(r, path, k->name_field);
        config_fault(&r->config->faults, place_of(r, at), at,
                     given ? "this differs from the key above it" : "expected the name of the %s", k->name);
        json_decref(doc);
        json_decref(lines);
        return;
    }
    try_types(r, k, doc, path);
    const char *kept = arena_cstr(r->config->arena, str_z(given));
    add_object(r, k, tenant, kept ? kept : "", doc, lines, path);
}

static void read_collection(struct reader *r, const struct object_kind *k, const char *tenant,
                            const json_t *v, const char *path)
{
    size_t i;
    const char *key;
    json_t *item;
    if (json_is_array(v)) {
        json_array_foreach(v, i, item)
        {
            const char *at = arena_fmt(r->config->arena, "%s[%zu]", path, i).p;
            read_object(r, k, tenant, NULL, item, at ? at : path);
        }
    } else if (json_is_object(v)) {
        json_object_foreach((json_t *)(uintptr_t)v, key, item)
            read_object(r, k, tenant, key, item, join(r, path, key));
    } else if (!json_is_null(v)) {
        config_fault(&r->config->faults, place_of(r, path), path,
                     "expected a list, or names with their fields");
    }
}

static void read_tenant(struct reader *r, const char *key, const json_t *map)
{
    const struct object_kind *k = kind_tenants(r->kinds);
    const char *name = arena_cstr(r->config->arena, str_z(key)), *path = join(r, "tenants", key);
    if (!name)
        return;
    if (!json_is_object(map) && !json_is_null(map)) {
        config_fault(&r->config->faults, place_of(r, path), path, "expected the fields of a tenant");
        return;
    }
    json_t *doc = json_object(), *lines = json_object();
    read_fields(r, k, map, path, doc, lines);
    if (!json_object_get(doc, k->name_field))
        json_object_set_new(doc, k->name_field, json_string(name));
    const char *given = json_string_value(json_object_get(doc, k->name_field)),
               *at = join(r, path, k->name_field);
    if (given && strcmp(given, name))
        config_fault(&r->config->faults, place_of(r, at), at, "this differs from the key above it");
    try_types(r, k, doc, path);
    add_object(r, k, name, name, doc, lines, path);
    for (size_t i = 0; i < r->kinds->n; i++) {
        char word[64];
        const json_t *v =
            r->kinds->v[i]->system ? NULL : json_object_get(map, file_key(r->kinds->v[i], word, sizeof word));
        if (v)
            read_collection(r, r->kinds->v[i], name, v, join(r, path, word));
    }
}

err_t desired_read(struct config *c, const struct object_kinds *kinds, struct desired *ret)
{
    *ret = (struct desired){.arena = c->arena};
    struct reader r = {.config = c,
                       .kinds = kinds,
                       .out = ret,
                       .seen = json_object(),
                       .scratch = arena_new(LIMIT_REQUEST_ARENA)};
    if (!r.seen || !r.scratch)
        config_fault(&c->faults, "", "", "out of memory");
    for (size_t i = 0; r.seen && r.scratch && i < c->nfiles; i++) {
        const char *key;
        json_t *v;
        r.file = &c->files[i];
        json_object_foreach(json_object_get(r.file->doc.root, "tenants"), key, v) read_tenant(&r, key, v);
    }
    json_decref(r.seen);
    arena_free(&r.scratch);
    return c->faults.n ? ERR_CONFIG : ERR_OK;
}

void desired_free(struct desired *d)
{
    for (size_t i = 0; i < d->n; i++) {
        json_decref(d->v[i].doc);
        json_decref(d->v[i].lines);
    }
    d->n = 0;
}

/* --- as text
 * ----------------------------------------------------------------------------------------------------- */

err_t desired_write(const struct desired *d, struct buf *out)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->n; i++) {
        const struct desired_object *o = &d->v[i];
        json_array_append_new(list, json_pack("{sssssssOsssssO}", "kind", o->kind->name, "tenant", o->tenant,
                                              "name", o->name, "doc", o->doc, "path", o->path, "place",
                                              o->place, "lines", o->lines));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    bool whole = json_array_size(list) == d->n;
    buf_z(out, text ? text : "");
    free(text);
    json_decref(list);
    return text && whole && buf_ok(out) ? ERR_OK : ERR_MEMORY;
}

static err_t parse_one(struct arena *a, const struct object_kinds *kinds, const json_t *v,
                       struct desired *ret)
{
    struct desired_object *o = add_slot(ret);
    const char *kind = json_string_value(json_object_get(v, "kind"));
    if (!o)
        return ERR_MEMORY;
    o->kind = kind ? object_kind_find(kinds, str_z(kind)) : NULL;
    o->tenant = arena_cstr(a, json_str(json_object_get(v, "tenant")));
    o->name = arena_cstr(a, json_str(json_object_get(v, "name")));
    o->path = arena_cstr(a, json_str(json_object_get(v, "path")));
    o->place = arena_cstr(a, json_str(json_object_get(v, "place")));
    o->doc = json_incref(json_object_get(v, "doc"));
    o->lines = json_incref(json_object_get(v, "lines"));
    ret->n++;
    return o->kind && o->tenant && o->name && o->path && o->place && json_is_object(o->doc) ? ERR_OK
                                                                                            : ERR_JSON;
}

err_t desired_parse(struct arena *a, const struct object_kinds *kinds, struct str text, struct desired *ret)
{
    json_t *list, *v;
    size_t i;
    *ret = (struct desired){.arena = a};
    TRY(json_load(text, &list));
    err_t e = json_is_array(list) ? ERR_OK : ERR_JSON;
    json_array_foreach(list, i, v) if (e == ERR_OK) e = parse_one(a, kinds, v, ret);
    json_decref(list);
    return e;
}
