/* Configured objects, the reading half: finding kinds, fetching one or a page, printing. object_put.c writes.
 */
#include "token/object_row.h"
#include "token/life.h"
#include "base/clock.h"
#include "base/limits.h"

const struct object_kind *object_kind_find(const struct object_kinds *t, struct str name_or_plural)
{
    for (size_t i = 0; i < t->n; i++) {
        if (str_is(name_or_plural, t->v[i]->name) || str_is(name_or_plural, t->v[i]->plural))
            return t->v[i];
    }
    return NULL;
}

static bool name_char_ok(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("._~:/@+-", c));
}

bool object_name_ok(struct str name)
{
    if (name.n == 0 || name.n > LIMIT_NAME || str_is(name, ".") || str_is(name, ".."))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (!name_char_ok(name.p[i]))
            return false;
    }
    return true;
}

/* Runs a query of at most one row. */
static err_t read_one(struct op *op, const struct object_kind *k, enum query q, const struct val *v, size_t n,
                      struct arena *a, struct object *ret)
{
    struct rows r;
    TRY(db_rows(op->db, q, v, n, &r));
    err_t e = db_next(&r) ? object_from_row(op, k, &r, a, ret) : ERR_NOT_FOUND;
    err_t end = db_end(&r);
    return end == ERR_OK ? e : end;
}

static err_t no_such(struct op *op, const struct object_kind *k, struct str name)
{
    return op_fail(op, ERR_NOT_FOUND, "", "there is no %s \"%.*s\"", k->name, STR_ARG(name));
}

/* --- fetching past the cache --- */

static err_t fetch_row(struct op *op, const struct object_kind *k, struct str name, struct object **ret)
{
    struct object *o = arena_new_of(op->arena, struct object);
    if (!o)
        return ERR_MEMORY;
    err_t e = read_one(op, k, Q_OBJECT_BY_NAME,
                       BIND(vint(object_tenant_id(op, k)), vtext(str_z(k->name)), vtext(name)), op->arena, o);
    if (e == ERR_NOT_FOUND)
        return no_such(op, k, name);
    if (e == ERR_OK)
        *ret = o;
    return e;
}

err_t object_fetch(struct op *op, const struct object_kind *k, struct str name, struct object **ret)
{
    if (!object_name_ok(name))
        return no_such(op, k, name);
    if (!k->store || !k->store->get)
        return fetch_row(op, k, name, ret);
    TRY(k->store->get(op, k, name, ret));
    if (!(*ret)->arena && !(*ret)->public_id[0])
        object_fill_public_id(op, *ret);
    return ERR_OK;
}

/* --- fetching through the cache --- */

/* An object with an arena and a reference of its own. */
static err_t load_shared(struct op *op, const struct object_kind *k, enum query q, const struct val *v,
                         size_t n, struct object **ret)
{
    struct arena *a = arena_new(LIMIT_OBJECT_ARENA);
    if (!a)
        return ERR_MEMORY;
    struct object *o = arena_new_of(a, struct object);
    err_t e = o ? read_one(op, k, q, v, n, a, o) : ERR_MEMORY;
    if (e != ERR_OK) {
        arena_free(&a);
        return e;
    }
    o->arena = a;
    o->refs = 1;
    *ret = o;
    return ERR_OK;
}

/* A miss: load, offer to the cache, hold. Tenants never come here: they are cached as snapshots, not as plain
 * objects. */
static err_t load_and_hold(struct op *op, const struct object_kind *k, enum query q, const struct val *v,
                           size_t n, struct object **ret)
{
    uint64_t version = cache_version(op->core->cache);
    struct object *o;
    TRY(load_shared(op, k, q, v, n, &o));
    cache_put(op->core->cache, o, version);
    TRY(op_hold(op, o));
    *ret = o;
    return ERR_OK;
}

static bool in_table(const struct object_kind *k)
{
    return !k->store || !k->store->get;
}

err_t object_get(struct op *op, const struct object_kind *k, struct str name, struct object **ret)
{
    /* An operation that holds all it may (a large one of an administrator) reads into its own arena. */
    if (!in_table(k) || k->system || op->nheld == OP_HELD_MAX)
        return object_fetch(op, k, name, ret);
    if (!object_name_ok(name))
        return no_such(op, k, name);
    int64_t tenant_id = object_tenant_id(op, k);
    struct object *o = cache_get(op->core->cache, tenant_id, k->name, name);
    if (o) {
        *ret = o;
        return op_hold(op, o);
    }
    err_t e = load_and_hold(op, k, Q_OBJECT_BY_NAME,
                            BIND(vint(tenant_id), vtext(str_z(k->name)), vtext(name)), ret);
    return e == ERR_NOT_FOUND ? no_such(op, k, name) : e;
}

/* The ways of object_fetch, by id. */
static err_t fetch_id(struct op *op, const struct object_kind *k, int64_t id, struct object **ret)
{
    if (k->store && k->store->get_id) {
        TRY(k->store->get_id(op, k, id, ret));
        if (!(*ret)->arena && !(*ret)->public_id[0])
            object_fill_public_id(op, *ret);
        return ERR_OK;
    }
    struct object *o = in_table(k) ? arena_new_of(op->arena, struct object) : NULL;
    if (!o)
        return in_table(k) ? ERR_MEMORY : ERR_NOT_FOUND;
    TRY(read_one(op, k, Q_OBJECT_BY_ID, BIND(vint(object_tenant_id(op, k)), vint(id), vtext(str_z(k->name))),
                 op->arena, o));
    *ret = o;
    return ERR_OK;
}

err_t object_get_id(struct op *op, const struct object_kind *k, int64_t id, struct object **ret)
{
    int64_t tenant_id = object_tenant_id(op, k);
    bool shared = in_table(k) && !k->system && op->nheld < OP_HELD_MAX;
    struct object *o = shared ? cache_get_id(op->core->cache, id) : NULL;
    if (o && o->kind == k && o->tenant_id == tenant_id) {
        *ret = o;
        return op_hold(op, o);
    }
    object_release(o);
    err_t e = shared ? load_and_hold(op, k, Q_OBJECT_BY_ID,
                                     BIND(vint(tenant_id), vint(id), vtext(str_z(k->name))), ret)
                     : fetch_id(op, k, id, ret);
    return e == ERR_NOT_FOUND ? op_fail(op, e, "", "there is no such %s", k->name) : e;
}

/* --- for administrators --- */

/* A tenant's own administrators may read its settings; all others are the operators' business. */
static err_t permit_read(struct op *op, const struct object_kind *k, struct str name)
{
    if (k->system && !str_eq(name, op->tenant->name))
        return op_permit_system(op);
    return op_permit(op, k->read);
}

err_t object_read(struct op *op, const struct object_kind *k, struct str name, struct object **ret)
{
    TRY(permit_read(op, k, name));
    return object_fetch(op, k, name, ret);
}

/* A LIKE pattern, lower case, that finds `search` anywhere. */
static struct str search_pattern(struct arena *a, struct str search)
{
    struct buf b;
    buf_init(&b, a, 2 * LIMIT_TEXT + 2);
    buf_char(&b, '%');
    for (size_t i = 0; i < search.n; i++) {
        char c = search.p[i];
        if (c == '%' || c == '_' || c == '\\')
            buf_char(&b, '\\');
        buf_char(&b, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
    if (search.n > 0)
        buf_char(&b, '%');
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

static err_t list_rows(struct op *op, const struct object_kind *k, const struct object_query *q,
                       struct object_page *page)
{
    struct str pattern = search_pattern(op->arena, q->search);
    if (!pattern.p)
        return op_fail(op, ERR_PARAM_LONG, "search", "at most %d characters", LIMIT_TEXT);
    page->v = arena_array(op->arena, struct object *, q->limit);
    if (!page->v)
        return ERR_MEMORY;
    struct rows r;
    TRY(db_rows(op->db, Q_OBJECT_LIST,
                BIND(vint(object_tenant_id(op, k)), vtext(str_z(k->name)),
                     vtext(q->after.p ? q->after : STR("")), vtext(pattern), vint(q->limit + 1)),
                &r));
    err_t e = ERR_OK;
    while (e == ERR_OK && db_next(&r)) {
        page->more = page->n == (size_t)q->limit;
        if (page->more)
            break;
        struct object *o = arena_new_of(op->arena, struct object);
        e = o ? object_from_row(op, k, &r, op->arena, o) : ERR_MEMORY;
        if (e == ERR_OK)
            page->v[page->n++] = o;
    }
    err_t end = db_end(&r);
    return e == ERR_OK ? end : e;
}

/* Who is no operator sees of all tenants his own. */
static err_t list_own_tenant(struct op *op, const struct object_kind *k, struct object_page *page)
{
    TRY(op_permit(op, k->read));
    page->v = arena_array(op->arena, struct object *, 1);
    if (!page->v)
        return ERR_MEMORY;
    TRY(object_fetch(op, k, op->tenant->name, &page->v[0]));
    page->n = 1;
    return ERR_OK;
}

err_t object_list(struct op *op, const struct object_kind *k, const struct object_query *q,
                  struct object_page *ret)
{
    struct object_query query = *q;
    struct object_page page = {0};
    err_t e;
    if (query.limit < 1 || query.limit > LIMIT_PAGE)
        return op_fail(op, ERR_PARAM_BAD, "limit", "a number from 1 to %d is expected", LIMIT_PAGE);
    if (k->system) {
        struct fault before = op->fault;
        if (op_permit_system(op) != ERR_OK) {
            op->fault = before;
            TRY(list_own_tenant(op, k, &page));
            *ret = page;
            return ERR_OK;
        }
    } else {
        TRY(op_permit(op, k->read));
    }
    e = k->store && k->store->list ? k->store->list(op, k, &query, &page) : list_rows(op, k, &query, &page);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < page.n; i++) {
        if (!page.v[i]->arena && !page.v[i]->public_id[0])
            object_fill_public_id(op, page.v[i]);
    }
    *ret = page;
    return ERR_OK;
}

/* --- printing --- */

void object_print(const struct object *o, struct jw *w)
{
    object_print_with(o, "", STR_NONE, w);
}

void object_print_with(const struct object *o, const char *name, struct str value, struct jw *w)
{
    char created[32], updated[32];
    time_rfc3339(o->created_s, created);
    time_rfc3339(o->updated_s, updated);
    jw_open(w, '{');
    if (o->public_id[0])
        jw_m_str(w, "id", str_z(o->public_id));
    fields_to_json(&o->kind->fields, o->spec, w);
    jw_m_str(w, name, value);
    jw_m_str(w, "managed_by", str_z(managed_name(o->managed_by)));
    jw_m_bool(w, "disabled", o->disabled);
    jw_m_int(w, "version", o->version);
    jw_m_str(w, "created_at", str_z(created));
    jw_m_str(w, "updated_at", str_z(updated));
    jw_close(w, '}');
}
