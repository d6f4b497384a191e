/* Authorization responses: the redirect URI with code or error, state, and always iss (RFC 9207), and the
 * request itself put back into a query for the pages between. */
#include "oauth/authorize.h"

#define LOCATION_MAX (LIMIT_REDIRECT_URI + 3 * (LIMIT_STATE + 4 * LIMIT_TEXT))
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

static err_t location(struct op *op, const struct request *r, struct buf *params, struct str *ret)
{
    struct buf b;
    buf_init(&b, op->arena, LOCATION_MAX + LIMIT_REDIRECT_URI);
    add_param(params, "state", r->p->state);
    add_param(params, "iss", op->tenant->issuer);
    buf_str(&b, r->redirect_uri);
    buf_char(&b, str_find(r->redirect_uri, '?') < r->redirect_uri.n ? '&' : '?');
    buf_str(&b, buf_view(params));
    if (!buf_ok(params) || !buf_ok(&b))
        return ERR_MEMORY;
    *ret = buf_view(&b);
    return ERR_OK;
}

err_t answer_code(struct op *op, const struct request *r, struct str code, struct str *ret_location)
{
    struct buf b;
    buf_init(&b, op->arena, LOCATION_MAX);
    add_param(&b, "code", code);
    return location(op, r, &b, ret_location);
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

err_t answer_error(struct op *op, const struct request *r, err_t e, struct str *ret_location)
{
    struct buf b;
    buf_init(&b, op->arena, LOCATION_MAX);
    add_param(&b, "error", str_z(err_oauth(e)));
    add_param(&b, "error_description", describe(op, e));
    return location(op, r, &b, ret_location);
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
