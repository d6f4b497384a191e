/* The audit trail: its rows, and whether it is whole. */
#include "cli/commands.h"
#include "token/audit.h"
#include "token/tenant.h"

#define COLUMNS 5

static struct str member(const json_t *row, const char *name)
{
    struct str s = json_str(json_object_get(row, name));
    return s.p ? s : STR("");
}

static void print_rows(struct cli_call *c, const json_t *rows)
{
    size_t n = json_array_size(rows), i;
    json_t *row;
    struct str *cells = arena_array(c->arena, struct str, (n + 1) * COLUMNS);
    if (!cells)
        return;
    const struct str heading[COLUMNS] = {STR("TIME"), STR("EVENT"), STR("ACTOR"), STR("OBJECT"),
                                         STR("DETAILS")};
    memcpy(cells, heading, sizeof heading);
    json_array_foreach(rows, i, row)
    {
        const json_t *at = json_object_get(row, "at"), *details = json_object_get(row, "data");
        char *text =
            details && !json_is_null(details) ? json_dumps(details, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        const struct str line[COLUMNS] = {json_is_integer(at) ? cli_time(c, json_integer_value(at))
                                                              : member(row, "at"),
                                          member(row, "event"), member(row, "actor"), member(row, "object"),
                                          text ? arena_str(c->arena, str_z(text)) : STR("")};
        memcpy(cells + (i + 1) * COLUMNS, line, sizeof line);
        free(text);
    }
    cli_table(c->out, cells, COLUMNS, n + 1);
}

int cli_audit_list(struct cli_call *c)
{
    struct audit_query q = {.event = cli_option(c, "event"),
                            .object = cli_option(c, "object"),
                            .actor = cli_option(c, "actor"),
                            .limit = 50};
    struct str limit = cli_option(c, "limit"), before = cli_option(c, "before");
    struct buf b;
    struct jw w;
    int64_t next = 0;
    if (limit.p && (!str_to_int(limit, &q.limit) || q.limit < 1 || q.limit > LIMIT_PAGE))
        return cli_refuse(c, 2, "--limit takes a number from 1 to %d", LIMIT_PAGE);
    if (before.p && !id_parse(c->op->core, before, &q.before_id))
        return cli_refuse(c, 2, "--before takes the id of a row");
    buf_init(&b, c->arena, LIMIT_CLI_OUT);
    jw_init(&w, &b);
    err_t e = audit_list(c->op, &q, &w, &next);
    if (e != ERR_OK)
        return cli_fail(c, e);
    json_t *rows = cli_parsed_json(&b);
    if (c->json)
        cli_print_json(c, rows);
    else
        print_rows(c, rows);
    json_decref(rows);
    if (next && !c->json)
        buf_fmt(c->err, "older rows: --before %.*s\n", STR_ARG(id_text(c->op->core, c->arena, next)));
    return 0;
}

struct progress {
    struct cli_call *call;
    int64_t told_s;
};

static void tell(void *ctx, int64_t done, int64_t total)
{
    struct progress *p = ctx;
    int64_t now = clock_wall_s(p->call->op->core->clock);
    if (now == p->told_s || p->call->json || !p->call->flush)
        return;
    if (p->told_s)
        buf_fmt(p->call->err, "%lld of %lld rows\n", (long long)done, (long long)total);
    p->told_s = now;
    p->call->flush(p->call->flush_ctx);
}

int cli_audit_verify(struct cli_call *c)
{
    struct progress p = {c, 0};
    int64_t rows = 0;
    err_t e = audit_verify(c->op, tell, &p, &rows);
    if (e != ERR_OK)
        return cli_fail(c, e);
    if (c->json)
        buf_fmt(c->out, "{\"ok\":true,\"rows\":%lld}\n", (long long)rows);
    else
        buf_fmt(c->out, "the audit trail is whole: %lld rows\n", (long long)rows);
    return 0;
}
