/* How and when the person behind a grant signed in: kept in the grant's spec as JSON, told in JWTs and
 * introspection. */
#include "oauth/parts.h"

static err_t member(void *ctx, const struct json_member *m)
{
    struct signin_info *s = ctx;
    if (str_is(m->key, "auth_time") && m->type == JSON_T_INT)
        s->auth_s = m->num;
    else if (str_is(m->key, "amr") && m->type == JSON_T_STRING)
        s->amr = m->text;
    return ERR_OK;
}

struct str signin_info_text(struct op *op, const struct signin_info *s)
{
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, LIMIT_TEXT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_int(&w, "auth_time", s->auth_s);
    jw_m_str(&w, "amr", s->amr);
    jw_close(&w, '}');
    return buf_ok(&b) ? buf_view(&b) : STR("{}");
}

err_t signin_info_parse(struct op *op, struct str spec, struct signin_info *ret)
{
    struct signin_info s = {0};
    if (spec.n)
        TRY(json_scan(op->arena, spec, member, &s));
    *ret = s;
    return ERR_OK;
}
