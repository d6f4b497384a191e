/* Authorization responses: the redirect URI with code or error, state, and always iss (RFC 9207), and the
 * request itself put back into a query for the pages between. */
#include "oauth/authorize.h"

#define LOCATION_MAX (LIMIT_REDIRECT_URI + 3 * (LIMIT_STATE + 4 * LIMIT_TEXT) + LIMIT_JWE)
#define QUERY_MAX    (3 * LIMIT_HEADERS)

static void add_param(struct buf *b, const char *name, struct str value)
{
    if (!value.p)
        return;
    if (b->n > 0)
        buf_char(b, '&');
    buf_z(b, name);
    buf_char(b, '=');
    buf_url(b, value);
}

void answer_add(struct answer *a, const char *name, struct str value)
{
    if (value.p && a->n < sizeof(a->v) / sizeof(a->v[0]))
        a->v[a->n++] = (struct pair){str_z(name), value};
}

static err_t location(struct op *op, const struct request *r, const struct answer *a, struct str *ret)
{
    struct buf params, b;
    bool query = str_find(r->redirect_uri, '?') < r->redirect_uri.n;
    buf_init(&params, op->arena, LOCATION_MAX);
    buf_init(&b, op->arena, LOCATION_MAX + LIMIT_REDIRECT_URI);
    for (size_t i = 0; i < a->n; i++)
        add_param(&params, a->v[i].name.p, a->v[i].value);
    buf_str(&b, r->redirect_uri);
    buf_char(&b, r->mode == MODE_FRAGMENT ? '#' : query ? '&' : '?');
    buf_str(&b, buf_view(&params));
    if (!buf_ok(&params) || !buf_ok(&b))
        return ERR_MEMORY;
    *ret = buf_view(&b);
    return ERR_OK;
}

err_t answer_send(struct op *op, const struct request *r, struct answer *a, struct authorize_result *ret)
{
    answer_add(a, "state", r->p->state);
    answer_add(a, "iss", op->tenant->issuer);
    ret->verdict = r->mode == MODE_FORM_POST ? AUTHORIZE_POST : AUTHORIZE_REDIRECT;
    if (r->mode != MODE_FORM_POST)
        return location(op, r, a, &ret->location);
    struct pair *v = arena_array(op->arena, struct pair, a->n);
    if (!v)
        return ERR_MEMORY;
    memcpy(v, a->v, a->n * sizeof(*v));
    ret->post = (struct pairs){v, a->n};
    ret->location = r->redirect_uri;
    return ERR_OK;
}

/* error_description takes printable ASCII without '"' and '\' (RFC 6749 section 4.1.2.1). */
static struct str describe(struct op *op, err_t e)
{
    const char *text = op->fault.code == e && op->fault.detail[0] ? op->fault.detail : err_text(e);
    struct buf b;
    buf_init(&b, op->arena, LIMIT_TEXT);
    for (; *text; text++)
        buf_char(&b, *text < 0x20 || *text > 0x7e || *text == '"' || *text == '\\' ? '\'' : *text);
    return buf_view(&b);
}

err_t answer_error(struct op *op, const struct request *r, err_t e, struct authorize_result *ret)
{
    struct answer a = {.n = 0};
    answer_add(&a, "error", str_z(err_oauth(e)));
    answer_add(&a, "error_description", describe(op, e));
    return answer_send(op, r, &a, ret);
}

err_t authorize_query(struct op *op, const struct authorize_params *p, struct str *ret)
{
    return request_query(op, p, STR_NONE, ret);
}

err_t request_query(struct op *op, const struct authorize_params *p, struct str after, struct str *ret)
{
    struct buf b;
    buf_init(&b, op->arena, QUERY_MAX);
    for (size_t i = 0; i < authorize_fields.n; i++) {
        const struct field *f = &authorize_fields.v[i];
        const struct str *v = (const struct str *)((const char *)p + f->offset);
        if (f->type == F_STR && !str_is(str_z(f->name), "after"))
            add_param(&b, f->name, *v);
    }
    for (size_t i = 0; i < p->resource.n; i++)
        add_param(&b, "resource", p->resource.v[i]);
    if (p->max_age_s >= 0)
        add_param(&b, "max_age", arena_fmt(op->arena, "%lld", (long long)p->max_age_s));
    add_param(&b, "after", after.p ? after : p->after);
    if (!buf_ok(&b))
        return op_fail(op, ERR_PARAM_LONG, "", "the authorization request is too long");
    *ret = buf_view(&b);
    return ERR_OK;
}
