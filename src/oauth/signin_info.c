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
    else if (str_is(m->key, "session") && m->type == JSON_T_INT)
        s->session_id = m->num;
    else if (str_is(m->key, "id_claims") && m->type == JSON_T_STRING)
        s->id_claims = m->text;
    else if (str_is(m->key, "user_claims") && m->type == JSON_T_STRING)
        s->user_claims = m->text;
    return ERR_OK;
}

struct str acr_of(struct str amr)
{
    return str_find(amr, ' ') < amr.n ? STR("2") : STR("1");
}

struct str signin_info_text(struct op *op, const struct signin_info *s)
{
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, 4 * LIMIT_TEXT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_int(&w, "auth_time", s->auth_s);
    jw_m_str(&w, "amr", s->amr);
    if (s->session_id)
        jw_m_int(&w, "session", s->session_id);
    jw_m_str(&w, "id_claims", s->id_claims);
    jw_m_str(&w, "user_claims", s->user_claims);
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
