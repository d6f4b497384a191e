/* Tokens: their form, what they are worth, and their end. */
#include "oauth/oauth.h"
#include "cli/commands.h"
#include "token/tenant.h"

struct str cli_token_argument(const struct cli_call *c)
{
    if (strcmp(c->argv[0], "-"))
        return str_z(c->argv[0]);
    return str_trim((struct str){c->input.p, str_find(c->input, '\n')});
}

static const struct {
    char letter;
    const char *name;
} letters[] = {
    {TOKEN_ACCESS, "access token"},
    {TOKEN_REFRESH, "refresh token"},
    {TOKEN_PERSONAL, "personal API key"},
    {TOKEN_SERVICE, "service API key"},
    {TOKEN_CLIENT_SECRET, "client secret"},
    {TOKEN_CARD, "card token"},
    {TOKEN_SESSION, "session"},
    {TOKEN_REGISTRATION, "registration token"},
    {TOKEN_CODE, "authorization code"},
    {TOKEN_LINK, "one-use link"},
};

static const char *letter_name(char letter)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].letter == letter)
            return letters[i].name;
    return "token";
}

int cli_token_check(struct cli_call *c)
{
    char letter = 0;
    bool ok = token_text_check(cli_token_argument(c), &letter);
    if (c->json)
        buf_fmt(c->out, "{\"well_formed\":%s%s%s%s}\n", ok ? "true" : "false", ok ? ",\"kind\":\"" : "",
                ok ? letter_name(letter) : "", ok ? "\"" : "");
    else if (ok)
        buf_fmt(c->out,
                "%s of mereau: form and checksum are right (whether it lives, only its server knows)\n",
                letter_name(letter));
    else
        buf_z(c->out, "no token of mereau: form or checksum is wrong\n");
    return !ok;
}

int cli_token_introspect(struct cli_call *c)
{
    struct introspect_params p = {.token = cli_token_argument(c)};
    struct buf b;
    struct jw w;
    buf_init(&b, c->arena, LIMIT_REQUEST_ARENA);
    jw_init(&w, &b);
    int64_t max_age_s;
    err_t e = introspect(c->op, &p, NULL, &w, &max_age_s);
    if (e != ERR_OK)
        return cli_fail(c, e);
    json_t *v = cli_parsed_json(&b);
    bool active = json_is_true(json_object_get(v, "active"));
    if (c->json)
        cli_print_json(c, v);
    else
        cli_print_members(c->out, v);
    json_decref(v);
    return active ? 0 : 1;
}

int cli_token_simulate(struct cli_call *c)
{
    struct simulate_params p = {.user = cli_option(c, "user"),
                                .client = cli_option(c, "client"),
                                .scope = cli_option(c, "scope"),
                                .audience = cli_option(c, "audience")};
    struct buf b;
    struct jw w;
    if (!p.client.p)
        return cli_refuse(c, 2, "name a client with --client, and a person with --user unless it asks for itself");
    buf_init(&b, c->arena, LIMIT_REQUEST_ARENA);
    jw_init(&w, &b);
    err_t e = token_simulate(c->op, &p, &w);
    if (e != ERR_OK)
        return cli_fail(c, e);
    json_t *v = cli_parsed_json(&b), *part;
    const char *key;
    if (c->json)
        cli_print_json(c, v);
    json_object_foreach(v, key, part)
    {
        if (c->json)
            break;
        buf_fmt(c->out, "%s%s\n", c->out->n ? "\n" : "", key);
        cli_print_members(c->out, part);
    }
    json_decref(v);
    return 0;
}

/* What ends: a refresh token stands for its grant, everything else for itself. */
static err_t node_of(struct cli_call *c, enum node_kind *ret_kind, int64_t *ret_id)
{
    struct token t;
    struct str text = cli_token_argument(c);
    static const enum node_kind named[] = {NODE_SESSION, NODE_GRANT, NODE_IDENTITY};
    *ret_kind = NODE_TOKEN;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (cli_option(c, node_name(named[i])).p)
            *ret_kind = named[i];
    if (*ret_kind != NODE_TOKEN || text.n < TOKEN_TEXT_SIZE)
        return id_parse(c->op->core, text, ret_id) ? ERR_OK : ERR_NOT_FOUND;
    TRY(token_find(c->op, text, &t));
    bool family = t.kind == TOKEN_REFRESH && t.grant_id;
    *ret_kind = family ? NODE_GRANT : NODE_TOKEN;
    *ret_id = family ? t.grant_id : t.id;
    return ERR_OK;
}

int cli_token_revoke(struct cli_call *c)
{
    enum node_kind kind;
    int64_t id;
    err_t e = node_of(c, &kind, &id);
    if (e == ERR_NOT_FOUND || e == ERR_TOKEN_INVALID)
        return cli_refuse(
            c, 1,
            "this tenant's store has no such token (an unstored JWT ends with its client, grant or session)");
    if (e == ERR_OK)
        e = node_revoke(c->op, kind, id, "administrator");
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? cli_refuse(c, 1, "there is no such %s", node_name(kind)) : cli_fail(c, e);
    if (c->json)
        buf_fmt(c->out, "{\"revoked\":\"%s\"}\n", node_name(kind));
    else
        buf_fmt(c->out, "the %s and all below it is revoked\n", node_name(kind));
    return 0;
}
