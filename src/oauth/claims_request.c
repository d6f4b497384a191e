/* The parameter claims: {"id_token": {"name": null, "acr": {"essential": true, "values": ["2"]}}, "userinfo": {...}}. Names that
 * are unknown here are passed over, as the specification wants; what is kept are names of claims.def. */
#include "oauth/parts.h"

static struct str known_names(struct op *op, const json_t *object)
{
    struct buf b;
    const char *key;
    json_t *v;
    buf_init(&b, op->arena, LIMIT_TEXT);
    json_object_foreach((json_t *)(uintptr_t)object, key, v)
    {
        struct str name = arena_str(op->arena, str_z(key));
        if (!identity_scopes_of(op, name).n)
            continue;
        buf_z(&b, b.n ? " " : "");
        buf_str(&b, name);
    }
    return buf_ok(&b) && b.n ? buf_view(&b) : STR_NONE;
}

static struct str copy(struct op *op, const json_t *v)
{
    struct str s = json_str(v);
    return s.n && str_find(s, ' ') == s.n ? arena_str(op->arena, s) : STR_NONE;
}

/* The values one of which the claim must have, as words. */
static struct str values_of(struct op *op, const json_t *claim)
{
    struct str one = copy(op, json_object_get(claim, "value"));
    const json_t *list = json_object_get(claim, "values");
    for (size_t i = 0; i < json_array_size(list) && i < LIMIT_SCOPE_WORDS; i++) {
        struct str v = copy(op, json_array_get(list, i));
        if (v.n)
            one = scope_or(op->arena, one, v);
    }
    return one;
}

static void read_id_token(struct op *op, const json_t *o, struct claims_request *r)
{
    const json_t *acr = json_object_get(o, "acr");
    r->id_token = known_names(op, o);
    r->sub = copy(op, json_object_get(json_object_get(o, "sub"), "value"));
    if (json_is_true(json_object_get(acr, "essential")))
        r->acr = values_of(op, acr);
}

static bool sound(const json_t *doc)
{
    static const char *const parts[] = {"id_token", "userinfo"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const json_t *o = json_object_get(doc, parts[i]);
        const char *key;
        json_t *v;
        if (o && !json_is_object(o) && !json_is_null(o))
            return false;
        json_object_foreach((json_t *)(uintptr_t)o, key, v) if (!json_is_object(v) && !json_is_null(v)) return false;
    }
    return json_is_object(doc);
}

err_t claims_request_parse(struct op *op, struct str text, struct claims_request *ret)
{
    struct claims_request r = {.sub = STR_NONE};
    json_t *doc = NULL;
    *ret = r;
    if (!text.p)
        return ERR_OK;
    err_t e = json_load(text, &doc);
    if (e == ERR_OK && sound(doc)) {
        read_id_token(op, json_object_get(doc, "id_token"), &r);
        r.userinfo = known_names(op, json_object_get(doc, "userinfo"));
        *ret = r;
    } else if (e != ERR_MEMORY) {
        e = op_fail(op, ERR_PARAM_BAD, "claims", "claims must be a JSON object with id_token and userinfo");
    }
    json_decref(doc);
    return e;
}
