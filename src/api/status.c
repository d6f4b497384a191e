/* Status lists: read by everyone who verifies JWTs by himself, kept as long as they say. */
#include "api/guard.h"
#include "api/status.h"
#include "token/status.h"

struct status_list_params {
    struct str time;
};
static const struct field status_list_rows[] = {
    {"time", F_STR, 0, LIMIT_NAME, offsetof(struct status_list_params, time), NULL, NULL,
     "a moment of the past: not told here, answered with 501"},
};
const struct fields status_list_fields = FIELDS(status_list_rows, struct status_list_params);

static void cache_for_ttl(struct call *c)
{
    http_resp_header(c->resp, "Cache-Control",
                     arena_fmt(c->op.arena, "public, max-age=%lld", (long long)c->op.tenant->spec->status_list_ttl_s));
}

err_t api_status_list(struct call *c, void *params)
{
    const struct status_list_params *p = params;
    struct str token;
    if (p->time.p)
        return ERR_STATUS_TIME;
    TRY(status_list_token(&c->op, c->args[0], &token));
    TRY(answer_text(c, 200, token));
    c->resp->content_type = "application/statuslist+jwt";
    cache_for_ttl(c);
    return ERR_OK;
}

err_t api_status_lists(struct call *c, void *params)
{
    struct buf b;
    struct jw w;
    (void)params;
    buf_init(&b, c->op.arena, LIMIT_REQUEST_ARENA / 2);
    jw_init(&w, &b);
    TRY(status_list_all(&c->op, &w));
    if (!buf_ok(&b))
        return ERR_MEMORY;
    cache_for_ttl(c);
    return answer_json(c, 200, buf_view(&b));
}
