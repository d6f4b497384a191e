/* The management listener: is the process alive, can it serve, and its metrics. */
#include "api/api.h"
#include "token/core.h"

#define METRICS_MAX (4 * 1024 * 1024)

err_t ops_livez(struct call *c, void *params)
{
    (void)params;
    return answer_text(c, 200, STR("alive\n"));
}

/* Ready: the store answers, and its schema is ours (or the server had not started). */
err_t ops_readyz(struct call *c, void *params)
{
    (void)params;
    struct rows r;
    err_t e = db_rows(c->op.db, Q_META_GET, BIND(vtext(STR("key_check"))), &r);
    if (e == ERR_OK) {
        while (db_next(&r))
            ;
        e = db_end(&r);
    }
    return e == ERR_OK ? answer_text(c, 200, STR("ready\n")) : answer_text(c, 503, STR("the store does not answer\n"));
}

err_t ops_metrics(struct call *c, void *params)
{
    (void)params;
    struct buf b;
    buf_init(&b, c->op.arena, METRICS_MAX);
    metrics_print(c->op.core->metrics, &b);
    if (!buf_ok(&b))
        return op_fail(&c->op, ERR_MEMORY, "", "the metrics do not fit");
    TRY(answer_text(c, 200, buf_view(&b)));
    c->resp->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return ERR_OK;
}
