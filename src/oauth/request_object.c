/* Request objects by value (RFC 9101, OpenID Connect Core section 6.1): authorization parameters as a JWT signed by the client.
 * What stands inside counts; what stands beside it must say the same, and counts alone only if the client need not sign. */
#include "oauth/parts.h"
#include "token/remote_keys.h"

static err_t refuse(struct op *op, const char *detail)
{
    op->fault = (struct fault){0};
    return op_fail(op, ERR_REQUEST_OBJECT, "request", "%s", detail);
}

/* --- whose it is --- */

static err_t verify(struct op *op, const struct client *c, struct str text, int64_t now_s, struct jwt *ret)
{
    struct jwt_profile profile = jwt_profile_of(JWT_REQUEST_OBJECT);
    const struct jwks *all;
    struct jwks keys;
    struct jwt j;
    profile.algs = ALGS_ASYMMETRIC;
    profile.iss = c->client_id;
    profile.aud = (struct strs){&op->tenant->issuer, 1};
    if (jwt_peek(text, op->arena, &j) != ERR_OK)
        return refuse(op, "the request object is not a signed JWT in compact form");
    if (c->request_object_signing_alg.n && !str_is(c->request_object_signing_alg, alg_row(j.alg)->name))
        return refuse(op, "the request object is signed with another algorithm than the client has registered");
    if (!c->jwks && !c->jwks_uri.n)
        return refuse(op, "this client has registered no keys (jwks or jwks_uri)");
    err_t e = remote_keys_of(op, c->jwks, c->jwks_uri, j.kid, &all);
    if (e == ERR_MEMORY)
        return e;
    if (e != ERR_OK)
        return refuse(op, "the client's keys could not be had");
    TRY(jwks_bind(all, j.alg, op->arena, &keys));
    e = jwt_verify(op->core->crypto, text, &keys, &profile, now_s, op->arena, ret, &op->fault);
    return e == ERR_TOKEN_INVALID ? refuse(op, "the request object's signature, issuer, audience or lifetime is wrong") : e;
}

/* --- its parameters --- */

/* A member as a form would have it. */
static struct str text_of(struct op *op, const json_t *v)
{
    struct buf b;
    struct jw w;
    if (json_is_string(v))
        return arena_str(op->arena, json_str(v));
    buf_init(&b, op->arena, LIMIT_PARAM);
    jw_init(&w, &b);
    jw_json(&w, v);
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

static bool is_param(const struct field *f)
{
    return strcmp(f->name, "request") != 0 && strcmp(f->name, "request_uri") != 0 && strcmp(f->name, "after") != 0;
}

static err_t pairs_of(struct op *op, const json_t *doc, struct pairs *ret)
{
    struct pair *v = arena_array(op->arena, struct pair, LIMIT_PARAMS + LIMIT_RESOURCES);
    size_t n = 0;
    if (!v)
        return ERR_MEMORY;
    for (size_t i = 0; i < authorize_fields.n; i++) {
        const struct field *f = &authorize_fields.v[i];
        const json_t *m = json_object_get(doc, f->name);
        bool list = m && f->type == F_STRS && json_is_array(m);
        size_t count = list ? json_array_size(m) : m != NULL;
        if (m && str_starts(str_z(f->name), STR("request")))
            return refuse(op, "a request object holds no other one");
        if (!is_param(f))
            continue;
        if (count > LIMIT_RESOURCES)
            return refuse(op, "the request object names too many resources");
        for (size_t k = 0; k < count; k++)
            v[n++] = (struct pair){str_z(f->name), text_of(op, list ? json_array_get(m, k) : m)};
    }
    *ret = (struct pairs){v, n};
    return ERR_OK;
}

static err_t read_params(struct op *op, struct str payload, struct authorize_params *ret)
{
    json_t *doc = NULL;
    struct pairs pairs;
    if (json_load(payload, &doc) != ERR_OK)
        return refuse(op, "the request object is not strict JSON");
    err_t e = pairs_of(op, doc, &pairs);
    json_decref(doc);
    TRY(e);
    TRY(fields_init(&authorize_fields, op->arena, ret));
    e = fields_from_pairs(&authorize_fields, op->arena, pairs, ret, &op->fault);
    return e == ERR_MEMORY || e == ERR_OK ? e : refuse(op, "a parameter in the request object is malformed");
}

/* --- both together --- */

static bool absent(const struct field *f, const void *at)
{
    switch (f->type) {
    case F_INT:
        return *(const int64_t *)at == -1;
    case F_STRS:
        return ((const struct strs *)at)->n == 0;
    default:
        return !((const struct str *)at)->p;
    }
}

static bool same(const struct field *f, const void *a, const void *b)
{
    const struct strs *x = a, *y = b;
    if (f->type == F_INT)
        return *(const int64_t *)a == *(const int64_t *)b;
    if (f->type != F_STRS)
        return str_eq(*(const struct str *)a, *(const struct str *)b);
    for (size_t i = 0; i < x->n && x->n == y->n; i++)
        if (!str_eq(x->v[i], y->v[i]))
            return false;
    return x->n == y->n;
}

static size_t size_of(const struct field *f)
{
    return f->type == F_INT ? sizeof(int64_t) : f->type == F_STRS ? sizeof(struct strs) : sizeof(struct str);
}

static err_t merge(struct op *op, const struct client *c, const struct authorize_params *outside, struct authorize_params *p)
{
    for (size_t i = 0; i < authorize_fields.n; i++) {
        const struct field *f = &authorize_fields.v[i];
        const void *out = (const char *)outside + f->offset;
        void *in = (char *)p + f->offset;
        if (!is_param(f) || absent(f, out))
            continue;
        if (!absent(f, in) && !same(f, in, out))
            return refuse(op, "a parameter beside the request object differs from the one inside");
        if (absent(f, in) && !c->require_signed_request_object)
            memcpy(in, out, size_of(f));
    }
    return ERR_OK;
}

err_t request_object(struct op *op, const struct client *c, const struct authorize_params *p, int64_t seen_s,
                     const struct authorize_params **ret)
{
    struct authorize_params *merged;
    struct jwt j;
    if (!p->request.p && c->require_signed_request_object)
        return refuse(op, "this client's requests must be signed (require_signed_request_object)");
    if (!p->request.p)
        return ERR_OK;
    if (p->request_uri.p)
        return refuse(op, "request and request_uri exclude each other");
    merged = arena_new_of(op->arena, struct authorize_params);
    if (!merged)
        return ERR_MEMORY;
    TRY(verify(op, c, p->request, seen_s ? seen_s : op->now_s, &j));
    TRY(read_params(op, j.payload, merged));
    TRY(merge(op, c, p, merged));
    *ret = merged;
    return ERR_OK;
}
