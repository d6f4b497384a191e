/* list, show, add, set, remove, disable, enable: one implementation for every kind of configured object, over
 * the kind's field table. */
#include "cli/commands.h"
#include "oauth/oauth.h"
#include "token/object.h"
#include "token/tenant.h"
#include <stdlib.h>

static const struct object_kind *kind_of(const struct cli_call *c)
{
    struct str words = str_z(c->command->words);
    return object_kind_find(c->program->kinds, (struct str){words.p, str_find(words, ' ')});
}

json_t *cli_parsed_json(struct buf *b)
{
    json_t *doc = NULL;
    return buf_ok(b) && json_load(buf_view(b), &doc) == ERR_OK ? doc : NULL;
}

void cli_print_json(struct cli_call *c, const json_t *v)
{
    char *text = json_dumps(v, JSON_INDENT(2) | JSON_ENCODE_ANY);
    buf_z(c->out, text ? text : "null");
    buf_char(c->out, '\n');
    free(text);
}

static json_t *as_json(struct cli_call *c, const struct object *o)
{
    struct buf b;
    struct jw w;
    buf_init(&b, c->arena, LIMIT_REQUEST_ARENA);
    jw_init(&w, &b);
    object_print(o, &w);
    return cli_parsed_json(&b);
}

/* -1 stands for the tenant's own setting of the same name: people are told what that is. */
static void say_inherited(struct cli_call *c, const struct object *o, json_t *v)
{
    if (str_is(str_z(o->kind->name), "tenant"))
        return;
    const char *key;
    json_t *mine, *tenant = as_json(c, &c->op->tenant->object);
    json_object_foreach(tenant, key, mine)
    {
        if (json_is_integer(mine) && json_integer_value(json_object_get(v, key)) == -1)
            json_object_set_new(v, key, json_sprintf("%lld (the tenant's)", (long long)json_integer_value(mine)));
    }
    json_decref(tenant);
}

static void print_object(struct cli_call *c, const struct object *o)
{
    json_t *v = as_json(c, o);
    if (!c->json)
        say_inherited(c, o, v);
    if (c->json)
        cli_print_json(c, v);
    else
        cli_print_members(c->out, v);
    json_decref(v);
}

/* --- list --- */
#define LIST_COLUMNS 4

struct listing {
    struct cli_call *call;
    const struct object_kind *kind;
    struct str *cells;
    size_t rows, cap, limit;
    json_t *array;
};

static void add_row(struct listing *l, const struct object *o)
{
    struct arena *a = l->call->arena;
    if (l->rows == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct str *v = arena_array(a, struct str, cap * LIST_COLUMNS);
        if (!v)
            return;
        if (l->rows)
            memcpy(v, l->cells, l->rows * LIST_COLUMNS * sizeof *v);
        l->cells = v;
        l->cap = cap;
    }
    struct str *row = l->cells + l->rows++ * LIST_COLUMNS;
    row[0] = arena_str(a, o->name);
    row[1] = o->disabled ? STR("disabled") : STR("enabled");
    row[2] = str_z(managed_name(o->managed_by));
    row[3] = cli_time(l->call, o->updated_s);
}

/* One page in an op of its own: what a long list holds is released page by page. */
static err_t one_page(struct listing *l, struct str *after, bool *ret_more)
{
    struct op op, *mine = l->call->op;
    struct object_page page = {0};
    size_t left = l->limit - l->rows;
    struct object_query q = {.search = cli_option(l->call, "search"),
                             .after = *after,
                             .limit = left < LIMIT_PAGE ? (int64_t)left : LIMIT_PAGE};
    op_begin(&op, mine->core, mine->db, l->call->arena);
    op.actor = mine->actor;
    op.tenant = mine->tenant;
    err_t e = object_list(&op, l->kind, &q, &page);
    for (size_t i = 0; e == ERR_OK && i < page.n; i++) {
        if (l->array)
            json_array_append_new(l->array, as_json(l->call, page.v[i]));
        add_row(l, page.v[i]);
    }
    if (e == ERR_OK && page.n)
        *after = arena_str(l->call->arena, page.v[page.n - 1]->name);
    *ret_more = e == ERR_OK && page.more && page.n && l->rows < l->limit;
    if (e != ERR_OK)
        mine->fault = op.fault;
    op_end(&op);
    return e;
}

int cli_object_list(struct cli_call *c)
{
    static const struct str heading[LIST_COLUMNS] = {
        {"NAME", 4}, {"STATE", 5}, {"MANAGED BY", 10}, {"CHANGED", 7}};
    int64_t limit = 100000;
    struct str given = cli_option(c, "limit"), after = STR_NONE;
    if (given.p && (!str_to_int(given, &limit) || limit < 1))
        return cli_refuse(c, 2, "--limit takes a number from 1");
    struct listing l = {
        .call = c, .kind = kind_of(c), .limit = (size_t)limit + 1, .array = c->json ? json_array() : NULL};
    l.cells = arena_array(c->arena, struct str, 64 * LIST_COLUMNS);
    if (!l.cells)
        return cli_fail(c, ERR_MEMORY);
    memcpy(l.cells, heading, sizeof heading);
    l.cap = 64;
    l.rows = 1;
    err_t e = ERR_OK;
    for (bool more = true; more && e == ERR_OK;)
        e = one_page(&l, &after, &more);
    if (e == ERR_OK && c->json)
        cli_print_json(c, l.array);
    else if (e == ERR_OK)
        cli_table(c->out, l.cells, LIST_COLUMNS, l.rows);
    json_decref(l.array);
    return e == ERR_OK ? 0 : cli_fail(c, e);
}

/* --- one object --- */
int cli_object_show(struct cli_call *c)
{
    struct object *o;
    err_t e = object_read(c->op, kind_of(c), str_z(c->argv[0]), &o);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? cli_refuse(c, 1, "there is no %s \"%s\"", kind_of(c)->name, c->argv[0])
                                  : cli_fail(c, e);
    print_object(c, o);
    return 0;
}

/* secret: made here, shown this once; or STR_NONE. */
static int put(struct cli_call *c, json_t *doc, enum object_mode mode, struct str secret)
{
    const struct object_kind *k = kind_of(c);
    struct object *o = NULL;
    bool changed = false;
    json_object_set_new(doc, k->name_field, json_string(c->argv[0]));
    err_t e = object_put(c->op, k, doc, mode, MANAGED_API, 0, "", &o, &changed);
    json_decref(doc);
    if (e != ERR_OK)
        return cli_fail(c, e);
    json_t *v = as_json(c, o);
    if (secret.p)
        json_object_set_new(v, "client_secret", json_stringn(secret.p, secret.n));
    if (c->json)
        cli_print_json(c, v);
    else if (secret.p)
        buf_fmt(c->out, "%s \"%s\" was added; its secret, shown this once:\n%.*s\n", k->name, c->argv[0],
                STR_ARG(secret));
    else
        buf_fmt(c->out, "%s \"%s\" %s\n", k->name, c->argv[0],
                mode == OBJECT_CREATE ? "was added"
                : changed             ? "was changed"
                                      : "is as it was");
    json_decref(v);
    return 0;
}

static int read_fields(struct cli_call *c, json_t **ret)
{
    struct str input = c->input;
    err_t e = cli_values(&kind_of(c)->fields, c->argc - 1, c->argv + 1, &input, ret, &c->op->fault);
    if (e == ERR_OK)
        return 0;
    cli_fail(c, e);
    return 2;
}

int cli_object_add(struct cli_call *c)
{
    json_t *doc;
    struct str secret = STR_NONE;
    int status = read_fields(c, &doc);
    if (status)
        return status;
    err_t e = kind_of(c) == &kind_client ? client_secret_generate(c->op, doc, &secret) : ERR_OK;
    if (e != ERR_OK) {
        json_decref(doc);
        return cli_fail(c, e);
    }
    return put(c, doc, OBJECT_CREATE, secret);
}

int cli_object_set(struct cli_call *c)
{
    json_t *doc;
    int status = read_fields(c, &doc);
    return status ? status : put(c, doc, OBJECT_UPDATE, STR_NONE);
}

static int told(struct cli_call *c, err_t e, const char *what)
{
    const struct object_kind *k = kind_of(c);
    if (e == ERR_NOT_FOUND)
        return cli_refuse(c, 1, "there is no %s \"%s\"", k->name, c->argv[0]);
    if (e != ERR_OK)
        return cli_fail(c, e);
    if (c->json)
        buf_z(c->out, "{\"ok\":true}\n");
    else
        buf_fmt(c->out, "%s \"%s\" was %s\n", k->name, c->argv[0], what);
    return 0;
}

int cli_object_remove(struct cli_call *c)
{
    return told(c, object_remove(c->op, kind_of(c), str_z(c->argv[0])), "removed");
}

int cli_object_disable(struct cli_call *c)
{
    return told(c, object_set_disabled(c->op, kind_of(c), str_z(c->argv[0]), true), "disabled");
}

int cli_object_enable(struct cli_call *c)
{
    return told(c, object_set_disabled(c->op, kind_of(c), str_z(c->argv[0]), false), "enabled");
}
