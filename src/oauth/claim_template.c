/* Custom claims, filled in for one token. A template that is one placeholder keeps its value's type; in longer texts values
 * become text, lists with spaces between. What has no value is left out: the member of a list or an object, or the claim. */
#include "oauth/parts.h"
#include "token/claim.h"

#define VALUE_MAX (64 * 1024)

struct filling {
    struct op *op;
    const struct account *account; /* NULL: the client itself */
    const struct object *client;   /* may be NULL */
};

/* A value that a placeholder stands for. */
struct value {
    enum field_type type; /* F_STR, F_BOOL, F_INT, F_STRS, F_JSON */
    struct str text;
    int64_t number;
    struct strs list;
    const json_t *json;
};

static const json_t *follow(const json_t *v, struct str path)
{
    struct str step;
    while (v && str_word(&path, '.', &step))
        v = json_object_getn(v, step.p, step.n);
    return v;
}

static bool value_of_field(const struct field *f, const void *spec, struct str path, struct value *ret)
{
    const void *at = (const char *)spec + f->offset;
    *ret = (struct value){.type = f->type};
    switch (f->type) {
    case F_BOOL:
        ret->number = *(const bool *)at;
        return true;
    case F_INT:
    case F_SECONDS:
        ret->type = F_INT;
        ret->number = *(const int64_t *)at;
        return true;
    case F_STRS:
        ret->list = *(const struct strs *)at;
        return ret->list.n > 0;
    case F_JSON:
        ret->json = follow(*(json_t *const *)at, path);
        return ret->json && !json_is_null(ret->json);
    case F_SECRET:
        return false;
    default:
        ret->type = F_STR;
        ret->text = *(const struct str *)at;
        return ret->text.n > 0;
    }
}

static bool value_of_extra(const struct filling *f, enum claim_extra extra, struct value *ret)
{
    struct op *op = f->op;
    *ret = (struct value){.type = F_STR};
    switch (extra) {
    case CLAIM_USER_ID:
        ret->text = f->account ? id_text(op->core, op->arena, f->account->id) : STR_NONE;
        break;
    case CLAIM_USER_PERMISSIONS:
        ret->type = F_STRS;
        if (f->account)
            ret->list = account_permissions(op, f->account);
        return ret->list.n > 0;
    case CLAIM_TENANT_NAME:
        ret->text = op->tenant->name;
        break;
    case CLAIM_TENANT_ISSUER:
        ret->text = op->tenant->issuer;
        break;
    case CLAIM_EXTRA_NONE:
        break;
    }
    return ret->text.n > 0;
}

/* False: there is no value. */
static bool value_of(const struct filling *f, const struct claim_piece *p, struct value *ret)
{
    enum claim_extra extra = claim_extra(p);
    if (extra != CLAIM_EXTRA_NONE)
        return value_of_extra(f, extra, ret);
    const struct field *field = claim_field(f->op->core->kinds, p);
    bool user = str_is(p->of, "user");
    const void *spec = user ? (f->account ? &f->account->spec : NULL) : (f->client ? f->client->spec : NULL);
    return field && spec && value_of_field(field, spec, p->path, ret);
}

static void put_typed(const struct value *v, struct jw *w)
{
    switch (v->type) {
    case F_BOOL:
        jw_bool(w, v->number);
        break;
    case F_INT:
        jw_int(w, v->number);
        break;
    case F_STRS:
        jw_open(w, '[');
        for (size_t i = 0; i < v->list.n; i++)
            jw_str(w, v->list.v[i]);
        jw_close(w, ']');
        break;
    case F_JSON:
        jw_json(w, v->json);
        break;
    default:
        jw_str(w, v->text);
    }
}

static void put_json_text(const json_t *v, struct buf *b)
{
    size_t i;
    json_t *item;
    struct jw w;
    if (json_is_string(v)) {
        buf_str(b, json_str(v));
    } else if (json_is_array(v)) {
        json_array_foreach(v, i, item)
        {
            buf_z(b, i ? " " : "");
            put_json_text(item, b);
        }
    } else {
        jw_init(&w, b);
        jw_json(&w, v);
    }
}

static void put_text(const struct value *v, struct buf *b)
{
    if (v->type == F_BOOL)
        buf_z(b, v->number ? "true" : "false");
    else if (v->type == F_INT)
        buf_int(b, v->number);
    else if (v->type == F_JSON)
        put_json_text(v->json, b);
    else if (v->type == F_STR)
        buf_str(b, v->text);
    for (size_t i = 0; v->type == F_STRS && i < v->list.n; i++) {
        buf_z(b, i ? " " : "");
        buf_str(b, v->list.v[i]);
    }
}

/* False: a placeholder of it has no value. */
static bool text_has_all(const struct filling *f, struct str text)
{
    struct claim_piece p;
    struct value v;
    while (text.n)
        if (!claim_next(&text, &p) || (!p.literal.p && !value_of(f, &p, &v)))
            return false;
    return true;
}

static bool has_all(const struct filling *f, const json_t *v)
{
    return !json_is_string(v) || text_has_all(f, json_str(v));
}

static void put_template(const struct filling *f, struct str text, struct jw *w)
{
    struct claim_piece p;
    struct value v;
    struct buf b;
    struct str rest = text;
    if (rest.n && claim_next(&rest, &p) && !rest.n && !p.literal.p) {
        if (value_of(f, &p, &v))
            put_typed(&v, w);
        return;
    }
    buf_init(&b, f->op->arena, VALUE_MAX);
    while (text.n && claim_next(&text, &p)) {
        if (p.literal.p)
            buf_str(&b, p.literal);
        else if (value_of(f, &p, &v))
            put_text(&v, &b);
    }
    w->b->failed |= b.failed;
    jw_str(w, buf_view(&b));
}

/* Depth was bounded when it was written. */
static void put(const struct filling *f, const json_t *v, struct jw *w)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_string(v)) {
        put_template(f, json_str(v), w);
    } else if (json_is_array(v)) {
        jw_open(w, '[');
        json_array_foreach(v, i, item)
            if (has_all(f, item))
                put(f, item, w);
        jw_close(w, ']');
    } else if (json_is_object(v)) {
        jw_open(w, '{');
        json_object_foreach((json_t *)(uintptr_t)v, key, item)
            if (has_all(f, item)) {
                jw_key(w, key);
                put(f, item, w);
            }
        jw_close(w, '}');
    } else {
        jw_json(w, v);
    }
}

static bool applies(const struct claim *c, enum claim_token which, const struct object *client, struct str scope)
{
    return (c->token_bits & which) && (!c->scope.n || str_has_word(scope, ' ', c->scope)) &&
           (!c->clients.n || (client && strs_has(c->clients, client->name)));
}

err_t claims_write_custom(struct op *op, const struct tenant *t, enum claim_token which, const struct account *account,
                          const struct object *client, struct str scope, struct jw *w)
{
    struct filling f = {op, account, client};
    if (!(t->claim_tokens & which))
        return ERR_OK;
    for (size_t i = 0; i < t->nclaims; i++) {
        const struct claim *c = &t->claims[i];
        if (!applies(c, which, client, scope) || !has_all(&f, c->value))
            continue;
        jw_key_str(w, c->name);
        put(&f, c->value, w);
    }
    return buf_ok(w->b) ? ERR_OK : ERR_MEMORY;
}
