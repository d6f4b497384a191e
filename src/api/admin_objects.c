/* /v1/admin: configured objects of every kind by one set of handlers. */
#include "api/admin.h"

/* If-Match: "7" -> 7; absent or * -> 0. */
static err_t if_match(struct call *c, int64_t *ret)
{
    struct str v = http_req_header(c->req, "If-Match");
    *ret = 0;
    if (!v.p || str_is(v, "*"))
        return ERR_OK;
    if (v.n < 3 || v.p[0] != '"' || v.p[v.n - 1] != '"' || !str_to_int((struct str){v.p + 1, v.n - 2}, ret) || *ret < 1)
        return op_fail(&c->op, ERR_PRECONDITION, "If-Match", "must be the ETag of an earlier answer");
    return ERR_OK;
}

err_t admin_list(struct call *c, void *params)
{
    struct admin_list_params *p = params;
    const struct object_kind *k;
    struct object_page page;
    struct buf b;
    struct jw w;
    TRY(admin_kind(c, &k));
    struct object_query q = {.search = p->search, .after = p->after, .limit = p->limit < 1 ? 1 : p->limit};
    TRY(object_list(&c->op, k, &q, &page));
    admin_begin(c, &b, &w);
    jw_open(&w, '{');
    jw_key(&w, "items");
    jw_open(&w, '[');
    for (size_t i = 0; i < page.n; i++)
        object_print(page.v[i], &w);
    jw_close(&w, ']');
    if (page.more && page.n)
        jw_m_str(&w, "next", page.v[page.n - 1]->name);
    jw_close(&w, '}');
    return admin_send(c, 200, &b);
}

err_t admin_show(struct call *c, void *params)
{
    (void)params;
    const struct object_kind *k;
    struct object *o;
    struct str name;
    TRY(admin_target(c, &k, &name));
    TRY(object_read(&c->op, k, name, &o));
    return admin_send_object(c, 200, o, STR_NONE);
}

err_t admin_create(struct call *c, void *params)
{
    (void)params;
    const struct object_kind *k;
    struct object *o;
    struct str secret = STR_NONE;
    json_t *doc;
    bool changed;
    TRY(admin_kind(c, &k));
    TRY(admin_body(c, &doc));
    if (k == &kind_client)
        TRY(client_secret_generate(&c->op, doc, &secret));
    TRY(object_put(&c->op, k, doc, OBJECT_CREATE, MANAGED_API, 0, "", &o, &changed));
    http_resp_header(c->resp, "Location", arena_fmt(c->op.arena, "%.*s/v1/admin/%s/%.*s", STR_ARG(c->op.tenant->path), k->plural, STR_ARG(o->name)));
    return admin_send_object(c, 201, o, secret);
}

/* PATCH keeps what the document leaves out, PUT puts it back to its default. */
static err_t admin_write(struct call *c, enum object_mode mode)
{
    const struct object_kind *k;
    struct object *o;
    json_t *doc;
    int64_t version;
    struct str name;
    bool changed;
    TRY(admin_target(c, &k, &name));
    TRY(admin_body(c, &doc));
    TRY(if_match(c, &version));
    if (!json_object_get(doc, k->name_field))
        json_object_set_new(doc, k->name_field, json_stringn(name.p, name.n));
    if (!str_eq(json_str(json_object_get(doc, k->name_field)), name))
        return op_fail(&c->op, ERR_PARAM_BAD, k->name_field, "does not agree with the address");
    TRY(object_put(&c->op, k, doc, mode, MANAGED_API, version, "", &o, &changed));
    return admin_send_object(c, 200, o, STR_NONE);
}

err_t admin_patch(struct call *c, void *params)
{
    (void)params;
    return admin_write(c, OBJECT_UPDATE);
}

err_t admin_put(struct call *c, void *params)
{
    (void)params;
    return admin_write(c, OBJECT_UPSERT);
}

err_t admin_remove(struct call *c, void *params)
{
    (void)params;
    const struct object_kind *k;
    struct str name;
    TRY(admin_target(c, &k, &name));
    TRY(object_remove(&c->op, k, name));
    return answer_empty(c, 204);
}
