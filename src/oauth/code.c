/* An authorization code's content, to and from the ticket's JSON. */
#include "oauth/code.h"

#define CODE_SPEC_MAX (2 * (LIMIT_SCOPE + LIMIT_REDIRECT_URI + LIMIT_RESOURCES * LIMIT_TEXT + 4096))

static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    {"redirect_uri", offsetof(struct code, redirect_uri)},
    {"challenge", offsetof(struct code, challenge)},
    {"scope", offsetof(struct code, scope)},
    {"audience", offsetof(struct code, audience)},
    {"nonce", offsetof(struct code, nonce)},
    {"amr", offsetof(struct code, signin.amr)},
    {"id_claims", offsetof(struct code, signin.id_claims)},
    {"user_claims", offsetof(struct code, signin.user_claims)},
};
#define NTEXTS (sizeof(texts) / sizeof(texts[0]))
static const struct {
    const char *name;
    size_t offset;
} times[] = {
    {"auth_time", offsetof(struct code, signin.auth_s)},
    {"session", offsetof(struct code, signin.session_id)},
    {"session_end", offsetof(struct code, session_end_s)},
};
#define NTIMES (sizeof(times) / sizeof(times[0]))

struct str code_spec(struct op *op, const struct code *c)
{
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, CODE_SPEC_MAX);
    jw_init(&w, &b);
    jw_open(&w, '{');
    for (size_t i = 0; i < NTEXTS; i++)
        jw_m_str(&w, texts[i].name, *(const struct str *)((const char *)c + texts[i].offset));
    for (size_t i = 0; i < NTIMES; i++)
        jw_m_int(&w, times[i].name, *(const int64_t *)((const char *)c + times[i].offset));
    jw_m_bool(&w, "offline", c->offline);
    jw_close(&w, '}');
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

static err_t code_member(void *ctx, const struct json_member *m)
{
    struct code *c = ctx;
    for (size_t i = 0; i < NTEXTS; i++)
        if (m->type == JSON_T_STRING && str_is(m->key, texts[i].name))
            *(struct str *)((char *)c + texts[i].offset) = m->text;
    for (size_t i = 0; i < NTIMES; i++)
        if (m->type == JSON_T_INT && str_is(m->key, times[i].name))
            *(int64_t *)((char *)c + times[i].offset) = m->num;
    if (m->type == JSON_T_TRUE && str_is(m->key, "offline"))
        c->offline = true;
    return ERR_OK;
}

err_t code_parse(struct op *op, struct str spec, struct code *ret)
{
    struct code c = {0};
    TRY(json_scan(op->arena, spec, code_member, &c));
    *ret = c;
    return ERR_OK;
}
