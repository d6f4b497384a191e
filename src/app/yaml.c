/* See yaml.h. The event parser walks the text once; the path of the node at hand is kept in one buffer that
 * grows and shrinks. */
#include "app/yaml.h"
#include "base/limits.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <yaml.h>

struct anchor {
    char name[64];
    json_t *value; /* owned */
    size_t nodes;
};
struct loader {
    yaml_parser_t parser;
    struct arena *arena;
    const char *file;
    struct fault *fault;
    struct buf path; /* NUL-terminated while used */
    struct yaml_line *lines;
    size_t nlines, cap;
    struct anchor anchors[LIMIT_CONFIG_ALIASES];
    size_t nanchors, nodes;
    unsigned depth;
};

static int line_of(const yaml_event_t *ev)
{
    return (int)ev->start_mark.line + 1;
}

static json_t *refuse(struct loader *l, int line, const char *what)
{
    const char *path = l->path.n ? l->path.p : "";
    err_t e =
        fault_set(l->fault, ERR_CONFIG, path, "%s:%d: %s%s%s", l->file, line, path, *path ? ": " : "", what);
    (void)e;
    return NULL;
}

static bool next(struct loader *l, yaml_event_t *ev)
{
    if (yaml_parser_parse(&l->parser, ev))
        return true;
    char what[160];
    snprintf(what, sizeof what, "not YAML: %s", l->parser.problem ? l->parser.problem : "it cannot be read");
    l->path.n = 0;
    refuse(l, (int)l->parser.problem_mark.line + 1, what);
    return false;
}

/* --- the path --- */
/* name NULL: a member of a list. */
static size_t path_push(struct loader *l, const char *name, size_t index)
{
    size_t old = l->path.n;
    if (name)
        buf_fmt(&l->path, "%s%s", old ? "." : "", name);
    else
        buf_fmt(&l->path, "[%zu]", index);
    buf_char(&l->path, '\0');
    if (buf_ok(&l->path))
        l->path.n--;
    return old;
}

static void path_pop(struct loader *l, size_t old)
{
    l->path.n = old;
    if (l->path.p)
        l->path.p[old] = '\0';
}

static bool note_line(struct loader *l, int line)
{
    if (l->nlines == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct yaml_line *v = arena_array(l->arena, struct yaml_line, cap);
        if (!v)
            return false;
        if (l->nlines)
            memcpy(v, l->lines, l->nlines * sizeof *v);
        l->lines = v;
        l->cap = cap;
    }
    const char *path = buf_ok(&l->path) ? arena_cstr(l->arena, buf_view(&l->path)) : NULL;
    if (!path)
        return false;
    l->lines[l->nlines++] = (struct yaml_line){path, line};
    return true;
}

/* --- nodes --- */
bool yaml_is_number(const char *s, bool *ret_real)
{
    const char *p = s + (*s == '-' || *s == '+');
    size_t digits = strspn(p, "0123456789");
    *ret_real = false;
    if (!digits || (digits > 1 && *p == '0'))
        return false;
    p += digits;
    if (!*p)
        return true;
    *ret_real = true;
    if (*p == '.') {
        p++;
        if (!strspn(p, "0123456789"))
            return false;
        p += strspn(p, "0123456789");
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '-' || *p == '+';
        if (!strspn(p, "0123456789"))
            return false;
        p += strspn(p, "0123456789");
    }
    return !*p;
}

static json_t *plain(struct loader *l, const char *s, int line)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const trues[] = {"true", "True", "TRUE"}, *const falses[] = {"false", "False",
                                                                                    "FALSE"};
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (!strcmp(s, nulls[i]))
            return json_null();
    for (size_t i = 0; i < 3; i++) {
        if (!strcmp(s, trues[i]))
            return json_true();
        if (!strcmp(s, falses[i]))
            return json_false();
    }
    bool real;
    if (!yaml_is_number(s, &real))
        return json_string(s);
    errno = 0;
    if (real) {
        double d = strtod(s, NULL);
        return isfinite(d) ? json_real(d) : refuse(l, line, "the number is too large");
    }
    long long i = strtoll(s, NULL, 10);
    return errno ? refuse(l, line, "the number is too large; quote it if it is text") : json_integer(i);
}

static json_t *scalar(struct loader *l, const yaml_event_t *ev)
{
    const char *s = (const char *)ev->data.scalar.value;
    size_t n = ev->data.scalar.length;
    if (strlen(s) != n)
        return refuse(l, line_of(ev), "text may not hold a NUL character");
    if (ev->data.scalar.tag)
        return refuse(l, line_of(ev), "tags (\"!\") are not used here");
    json_t *v =
        ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain(l, s, line_of(ev)) : json_stringn(s, n);
    return v ? v : refuse(l, line_of(ev), "this is not UTF-8 text");
}

static json_t *node(struct loader *l, const yaml_event_t *ev);

static json_t *sequence(struct loader *l)
{
    json_t *list = json_array();
    for (;;) {
        yaml_event_t ev;
        if (!next(l, &ev))
            break;
        if (ev.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&ev);
            return list;
        }
        size_t old = path_push(l, NULL, json_array_size(list));
        json_t *v = note_line(l, line_of(&ev)) ? node(l, &ev) : NULL;
        yaml_event_delete(&ev);
        path_pop(l, old);
        if (!v || json_array_append_new(list, v))
            break;
    }
    json_decref(list);
    return NULL;
}

/* A mapping's key and its value; false on any fault. */
static bool member(struct loader *l, json_t *map, const yaml_event_t *key)
{
    if (key->type != YAML_SCALAR_EVENT)
        return refuse(l, line_of(key), "a key must be plain text");
    const char *name = (const char *)key->data.scalar.value;
    if (strlen(name) != key->data.scalar.length || !*name)
        return refuse(l, line_of(key), "a key may not be empty or hold a NUL character");
    if (key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp(name, "<<"))
        return refuse(l, line_of(key), "merge keys (\"<<\") are not used here");
    size_t old = path_push(l, name, 0);
    bool ok = note_line(l, line_of(key));
    if (ok && json_object_get(map, name))
        ok = refuse(l, line_of(key), "this key is given twice");
    yaml_event_t ev;
    if (ok && (ok = next(l, &ev))) {
        json_t *v = node(l, &ev);
        ok = v && !json_object_set_new(map, name, v);
        yaml_event_delete(&ev);
    }
    path_pop(l, old);
    return ok;
}

static json_t *mapping(struct loader *l)
{
    json_t *map = json_object();
    for (;;) {
        yaml_event_t key;
        if (!next(l, &key))
            break;
        bool end = key.type == YAML_MAPPING_END_EVENT, ok = end || member(l, map, &key);
        yaml_event_delete(&key);
        if (end)
            return map;
        if (!ok)
            break;
    }
    json_decref(map);
    return NULL;
}

static json_t *alias(struct loader *l, const yaml_event_t *ev)
{
    for (size_t i = l->nanchors; i-- > 0;) {
        const struct anchor *a = &l->anchors[i];
        if (strcmp(a->name, (const char *)ev->data.alias.anchor))
            continue;
        l->nodes += a->nodes;
        if (l->nodes > LIMIT_CONFIG_NODES)
            return refuse(l, line_of(ev), "the aliases expand to too much");
        return json_incref(a->value);
    }
    return refuse(l, line_of(ev), "this alias names no anchor before it");
}

static bool anchor_keep(struct loader *l, const yaml_event_t *ev, const char *name, json_t *v, size_t nodes)
{
    if (l->nanchors == LIMIT_CONFIG_ALIASES)
        return refuse(l, line_of(ev), "there are too many anchors");
    struct anchor *a = &l->anchors[l->nanchors];
    if (snprintf(a->name, sizeof a->name, "%s", name) >= (int)sizeof a->name)
        return refuse(l, line_of(ev), "the anchor's name is too long");
    a->value = json_incref(v);
    a->nodes = nodes;
    l->nanchors++;
    return true;
}

static json_t *collection(struct loader *l, const yaml_event_t *ev)
{
    bool map = ev->type == YAML_MAPPING_START_EVENT;
    if (map ? ev->data.mapping_start.tag : ev->data.sequence_start.tag)
        return refuse(l, line_of(ev), "tags (\"!\") are not used here");
    if (l->depth == LIMIT_JSON_DEPTH)
        return refuse(l, line_of(ev), "this is nested too deeply");
    l->depth++;
    json_t *v = map ? mapping(l) : sequence(l);
    l->depth--;
    return v;
}

static json_t *node(struct loader *l, const yaml_event_t *ev)
{
    size_t before = l->nodes++;
    if (l->nodes > LIMIT_CONFIG_NODES)
        return refuse(l, line_of(ev), "the file holds too much");
    const yaml_char_t *anchor = NULL;
    json_t *v = NULL;
    switch (ev->type) {
    case YAML_ALIAS_EVENT:
        return alias(l, ev);
    case YAML_SCALAR_EVENT:
        anchor = ev->data.scalar.anchor;
        v = scalar(l, ev);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = ev->data.sequence_start.anchor;
        v = collection(l, ev);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = ev->data.mapping_start.anchor;
        v = collection(l, ev);
        break;
    default:
        return refuse(l, line_of(ev), "a value is missing");
    }
    if (v && anchor && !anchor_keep(l, ev, (const char *)anchor, v, l->nodes - before)) {
        json_decref(v);
        return NULL;
    }
    return v;
}

/* The stream's first document; an error if there is a second. */
static json_t *document(struct loader *l)
{
    json_t *root = NULL;
    for (;;) {
        yaml_event_t ev;
        if (!next(l, &ev))
            break;
        yaml_event_type_t type = ev.type;
        bool ok = true;
        if (type == YAML_DOCUMENT_START_EVENT) {
            ok = !root || refuse(l, line_of(&ev), "a second document begins here; one file holds one");
        } else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_END_EVENT &&
                   type != YAML_STREAM_END_EVENT) {
            root = node(l, &ev);
            ok = root != NULL;
        }
        yaml_event_delete(&ev);
        if (!ok)
            break;
        if (type == YAML_STREAM_END_EVENT)
            return root ? root : json_object();
    }
    json_decref(root);
    return NULL;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct yaml_line *)a)->path, ((const struct yaml_line *)b)->path);
}

err_t yaml_parse(struct arena *a, const char *file, struct str text, struct yaml_doc *ret, struct fault *f)
{
    if (text.n > LIMIT_CONFIG_FILE)
        return fault_set(f, ERR_CONFIG, "", "%s: the file is larger than %d bytes", file, LIMIT_CONFIG_FILE);
    struct loader *l = arena_new_of(a, struct loader);
    if (!l)
        return ERR_MEMORY;
    *l = (struct loader){.arena = a, .file = file, .fault = f};
    buf_init(&l->path, NULL, LIMIT_PARAM);
    if (!yaml_parser_initialize(&l->parser))
        return ERR_MEMORY;
    yaml_parser_set_input_string(&l->parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    json_t *root = document(l);
    if (json_is_null(root)) {
        json_decref(root);
        root = json_object();
    }
    if (root && !json_is_object(root)) {
        refuse(l, 1, "expected keys and values, such as `server:` and `tenants:`");
        json_decref(root);
        root = NULL;
    }
    for (size_t i = 0; i < l->nanchors; i++)
        json_decref(l->anchors[i].value);
    yaml_parser_delete(&l->parser);
    buf_free(&l->path);
    if (!root)
        return f->code != ERR_OK
                   ? f->code
                   : fault_set(f, ERR_CONFIG, "", "%s: the file cannot be read: out of memory", file);
    if (l->nlines)
        qsort(l->lines, l->nlines, sizeof *l->lines, by_path);
    *ret = (struct yaml_doc){file, root, l->lines, l->nlines};
    return ERR_OK;
}

/* Cuts the last component off; false when nothing is left. */
static bool path_up(char *path)
{
    size_t n = strlen(path);
    while (n && path[n - 1] != '.' && path[n - 1] != '[')
        n--;
    path[n ? n - 1 : 0] = '\0';
    return n > 1;
}

int yaml_line(const struct yaml_doc *d, const char *path)
{
    char up[LIMIT_PARAM];
    snprintf(up, sizeof up, "%s", path);
    do {
        struct yaml_line key = {up, 0};
        const struct yaml_line *hit =
            d->nlines ? bsearch(&key, d->lines, d->nlines, sizeof key, by_path) : NULL;
        if (hit)
            return hit->line;
    } while (path_up(up));
    return 1;
}
