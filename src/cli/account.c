/* Links for people, and API keys. */
#include "account/apikey.h"
#include "cli/commands.h"
#include "token/tenant.h"

static int find_account(struct cli_call *c, const char *name, struct account *ret)
{
    err_t e = account_by_name(c->op, str_z(name), ret);
    if (e == ERR_NOT_FOUND)
        return cli_refuse(c, 1, "there is no account \"%s\" in this tenant", name);
    return e == ERR_OK ? 0 : cli_fail(c, e);
}

static int print_link(struct cli_call *c, err_t e, struct str url, const char *what)
{
    if (e != ERR_OK)
        return cli_fail(c, e);
    if (c->json)
        buf_fmt(c->out, "{\"url\":\"%.*s\"}\n", STR_ARG(url));
    else
        buf_fmt(c->out, "%s\n%.*s\n", what, STR_ARG(url));
    return 0;
}

int cli_user_link(struct cli_call *c)
{
    struct account a;
    struct str url = STR_NONE, purpose = cli_option(c, "purpose");
    if (!purpose.p)
        purpose = STR("reset");
    if (!str_is(purpose, "reset") && !str_is(purpose, "enrol"))
        return cli_refuse(c, 2, "--purpose takes reset or enrol");
    int status = find_account(c, c->argv[0], &a);
    if (status)
        return status;
    err_t e = link_make(c->op, arena_cstr(c->arena, purpose), a.id, &url);
    return print_link(c, e, url, "works once, within 24 hours:");
}

int cli_user_first_admin(struct cli_call *c)
{
    struct str url = STR_NONE;
    if (!str_is(c->op->tenant->name, TENANT_DEFAULT))
        return cli_refuse(c, 1, "the first administrator is of the tenant \"" TENANT_DEFAULT "\"");
    err_t e = link_make(c->op, "first_admin", 0, &url);
    return print_link(c, e, url, "makes one administrator, once, within 15 minutes:");
}

static const struct field key_fields[] = {
    {"name", F_STR, 0, LIMIT_NAME, offsetof(struct apikey_request, name), NULL, NULL, ""},
    {"permissions", F_STRS, 0, LIMIT_NAME, offsetof(struct apikey_request, permissions), NULL, NULL, ""},
    {"life", F_SECONDS, 0, 366 * 86400L, offsetof(struct apikey_request, life_s), NULL, NULL, ""},
};
static const struct fields key_table = FIELDS(key_fields, struct apikey_request);

/* The options of the same names, through the parser that everything else uses. */
static err_t read_request(struct cli_call *c, struct apikey_request *ret)
{
    json_t *doc = json_pack("{ss}", "name", c->argv[1]);
    err_t e = fields_init(&key_table, c->arena, ret);
    for (size_t i = 1; e == ERR_OK && i < key_table.n; i++) {
        struct str text = cli_option(c, key_fields[i].name);
        json_t *v = NULL;
        if (!text.p)
            continue;
        e = cli_value(&key_fields[i], text, &v, &c->op->fault);
        if (e == ERR_OK)
            json_object_set_new(doc, key_fields[i].name, v);
    }
    if (e == ERR_OK)
        e = fields_from_json(&key_table, c->arena, doc, "", ret, &c->op->fault);
    json_decref(doc);
    return e;
}

int cli_apikey_add(struct cli_call *c)
{
    struct account a;
    struct apikey_request r;
    struct token_text text;
    int64_t id, expires_s;
    err_t e = read_request(c, &r);
    if (e != ERR_OK)
        return cli_fail(c, e), 2;
    int status = find_account(c, c->argv[0], &a);
    if (status)
        return status;
    e = apikey_issue(c->op, a.id, &r, &text, &id, &expires_s);
    if (e != ERR_OK)
        return cli_fail(c, e);
    struct str public_id = id_text(c->op->core, c->arena, id);
    if (c->json)
        buf_fmt(c->out, "{\"id\":\"%.*s\",\"key\":\"%.*s\",\"expires_at\":%lld}\n", STR_ARG(public_id),
                TOKEN_TEXT_SIZE, text.p, (long long)expires_s);
    else
        buf_fmt(c->out, "key %.*s, until %.*s, shown this once:\n%.*s\n", STR_ARG(public_id),
                STR_ARG(cli_time(c, expires_s)), TOKEN_TEXT_SIZE, text.p);
    secret_zero(&text, sizeof text);
    return 0;
}

#define HELD_COLUMNS 6

/* Sessions, grants and keys, or the keys alone. */
static int list_held(struct cli_call *c, bool keys_only)
{
    struct account a;
    struct held_list held;
    int status = find_account(c, c->argv[0], &a);
    if (status)
        return status;
    err_t e = life_list(c->op, a.id, &held);
    if (e != ERR_OK)
        return cli_fail(c, e);
    struct str *cells = arena_array(c->arena, struct str, (held.n + 1) * HELD_COLUMNS);
    json_t *array = json_array();
    if (!cells)
        return cli_fail(c, ERR_MEMORY);
    const struct str heading[HELD_COLUMNS] = {STR("ID"),    STR("KIND"),      STR("WHAT"),
                                              STR("SCOPE"), STR("LAST USED"), STR("EXPIRES")};
    memcpy(cells, heading, sizeof heading);
    size_t rows = 1;
    for (size_t i = 0; i < held.n; i++) {
        const struct held_item *h = &held.v[i];
        if (keys_only && h->kind != NODE_TOKEN)
            continue;
        struct str id = id_text(c->op->core, c->arena, h->id),
                   kind = str_z(h->kind == NODE_TOKEN ? "api key" : node_name(h->kind));
        const struct str row[HELD_COLUMNS] = {
            id, kind, h->what, h->scope, cli_time(c, h->used_s), cli_time(c, h->expires_s)};
        memcpy(cells + rows++ * HELD_COLUMNS, row, sizeof row);
        json_array_append_new(
            array, json_pack("{ss%ss%ss%ss%sIsIsI}", "id", id.p, id.n, "kind", kind.p, kind.n, "name",
                             h->what.p ? h->what.p : "", h->what.n, "scope", h->scope.p ? h->scope.p : "",
                             h->scope.n, "created_at", (json_int_t)h->created_s, "last_used_at",
                             (json_int_t)h->used_s, "expires_at", (json_int_t)h->expires_s));
    }
    if (c->json)
        cli_print_json(c, array);
    else
        cli_table(c->out, cells, HELD_COLUMNS, rows);
    json_decref(array);
    return 0;
}

int cli_apikey_list(struct cli_call *c)
{
    return list_held(c, true);
}

int cli_token_list(struct cli_call *c)
{
    return list_held(c, false);
}

int cli_apikey_revoke(struct cli_call *c)
{
    int64_t id;
    struct token t;
    if (!id_parse(c->op->core, str_z(c->argv[0]), &id) || token_read(c->op, c->op->db, id, &t) != ERR_OK ||
        (t.kind != TOKEN_PERSONAL && t.kind != TOKEN_SERVICE))
        return cli_refuse(c, 1, "there is no API key with the id \"%s\"; apikey list shows them", c->argv[0]);
    err_t e = node_revoke(c->op, NODE_TOKEN, id, "administrator");
    if (e != ERR_OK)
        return cli_fail(c, e);
    buf_z(c->out, c->json ? "{\"ok\":true}\n" : "revoked\n");
    return 0;
}
