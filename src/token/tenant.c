/* The tenant's snapshot: loaded in one go, cached, put into ops. tenant_store.c makes and removes tenants. */
#include "token/object_row.h"
#include "token/tenant_parts.h"
#include "base/limits.h"

/* --- parts: a list that grows in an arena --- */

struct parts {
    char *v;
    size_t n, cap, size;
};

static err_t parts_add(struct arena *a, struct parts *p, const void *part)
{
    if (p->n == 2 * LIMIT_TENANT_PARTS) /* see check_room in object_store.c */
        return ERR_MEMORY;
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 4;
        char *v = arena_alloc(a, cap * p->size);
        if (!v)
            return ERR_MEMORY;
        if (p->n > 0)
            memcpy(v, p->v, p->n * p->size);
        p->v = v;
        p->cap = cap;
    }
    memcpy(p->v + p->n++ * p->size, part, p->size);
    return ERR_OK;
}

/* --- loading --- */

struct loading {
    struct op *op;
    struct arena *a;
    struct tenant *t;
    struct parts roles, resources, webhooks, claims, providers;
};

static const struct object_kind *const part_kinds[] = {&kind_role, &kind_resource, &kind_webhook, &kind_claim, &kind_provider};

static void provider_row(struct provider *p, const struct object *o)
{
    p->client_secret = o->secret;
    p->id = o->id;
    p->cutoff_id = o->cutoff_id;
}

static err_t load_part(struct loading *l, const struct rows *r)
{
    struct parts *lists[] = {&l->roles, &l->resources, &l->webhooks, &l->claims, &l->providers};
    struct str kind = db_text(r, 11);
    for (size_t i = 0; i < sizeof(part_kinds) / sizeof(part_kinds[0]); i++) {
        struct object o;
        if (!str_is(kind, part_kinds[i]->name))
            continue;
        TRY(object_from_row(l->op, part_kinds[i], r, l->a, &o));
        if (o.disabled)
            return ERR_OK;
        if (part_kinds[i] == &kind_webhook)
            ((struct webhook *)o.spec)->secret = o.secret; /* sealed; opened when the keys are there */
        if (part_kinds[i] == &kind_provider)
            provider_row(o.spec, &o);
        if (part_kinds[i] == &kind_claim)
            l->t->claim_tokens |= ((struct claim *)o.spec)->token_bits = claim_token_bits(((struct claim *)o.spec)->tokens);
        return parts_add(l->a, lists[i], o.spec);
    }
    return ERR_OK;
}

static err_t load_parts(struct loading *l)
{
    struct rows r;
    err_t e = ERR_OK;
    l->roles.size = sizeof(struct role);
    l->resources.size = sizeof(struct resource);
    l->webhooks.size = sizeof(struct webhook);
    l->claims.size = sizeof(struct claim);
    l->providers.size = sizeof(struct provider);
    TRY(db_rows(l->op->db, Q_OBJECT_OF_SNAPSHOT, BIND(vint(l->t->object.id)), &r));
    while (e == ERR_OK && db_next(&r))
        e = load_part(l, &r);
    err_t end = db_end(&r);
    if (e != ERR_OK)
        return e;
    l->t->roles = (const struct role *)(void *)l->roles.v;
    l->t->nroles = l->roles.n;
    l->t->resources = (const struct resource *)(void *)l->resources.v;
    l->t->nresources = l->resources.n;
    l->t->webhooks = (const struct webhook *)(void *)l->webhooks.v;
    l->t->nwebhooks = l->webhooks.n;
    l->t->claims = (const struct claim *)(void *)l->claims.v;
    l->t->nclaims = l->claims.n;
    l->t->providers = (const struct provider *)(void *)l->providers.v;
    l->t->nproviders = l->providers.n;
    return end;
}

static err_t open_secret(struct loading *l, const struct object_kind *k, struct str name, struct str *secret)
{
    struct str clear = STR_NONE;
    if (secret->p)
        TRY(sealed_secret_open(l->op, l->t, k, name, *secret, &clear));
    *secret = arena_str(l->a, clear);
    return ERR_OK;
}

static err_t open_secrets(struct loading *l)
{
    struct webhook *w = (struct webhook *)(void *)l->webhooks.v;
    struct provider *p = (struct provider *)(void *)l->providers.v;
    for (size_t i = 0; i < l->webhooks.n; i++)
        TRY(open_secret(l, &kind_webhook, w[i].name, &w[i].secret));
    for (size_t i = 0; i < l->providers.n; i++)
        TRY(open_secret(l, &kind_provider, p[i].name, &p[i].client_secret));
    return ERR_OK;
}

static err_t fill_names(struct loading *l)
{
    struct tenant *t = l->t;
    struct str root = l->op->core->issuer;
    t->spec = t->object.spec;
    t->name = t->object.name;
    t->path = str_is(t->name, TENANT_DEFAULT) ? STR("") : arena_fmt(l->a, "/t/%.*s", STR_ARG(t->name));
    t->issuer = arena_fmt(l->a, "%.*s%.*s", STR_ARG(root), STR_ARG(t->path));
    t->implied =
        (struct resource){.identifier = t->issuer, .description = STR("this server"), .is_default = true};
    return t->issuer.p && t->path.p ? ERR_OK : ERR_MEMORY;
}

/* Built with the op's memory: the snapshot keeps the text alone. */
static err_t describe(struct loading *l)
{
    struct str text;
    if (!l->op->core->describe)
        return ERR_OK;
    TRY(l->op->core->describe(l->t, l->op->arena, &text));
    l->t->metadata = arena_str(l->a, text);
    return l->t->metadata.p ? ERR_OK : ERR_MEMORY;
}

static err_t load_into(struct loading *l, enum query q, const struct val *v, size_t n)
{
    struct rows r;
    TRY(db_rows(l->op->db, q, v, n, &r));
    err_t e = db_next(&r) ? object_from_row(l->op, &kind_tenant, &r, l->a, &l->t->object) : ERR_NOT_FOUND;
    err_t end = db_end(&r);
    TRY(end == ERR_OK ? e : end);
    TRY(fill_names(l));
    TRY(load_parts(l));
    TRY(keyring_load_tenant(l->op, l->a, l->t));
    TRY(open_secrets(l));
    TRY(tenant_fill_permissions(l->op->core, l->a, l->t));
    return describe(l);
}

/* A snapshot with one reference, the caller's. */
static err_t load(struct op *op, enum query q, const struct val *v, size_t n, struct tenant **ret)
{
    struct arena *a = arena_new(LIMIT_TENANT_ARENA);
    if (!a)
        return ERR_MEMORY;
    struct loading l = {.op = op, .a = a, .t = arena_new_of(a, struct tenant)};
    err_t e = l.t ? load_into(&l, q, v, n) : ERR_MEMORY;
    if (e != ERR_OK) {
        arena_free(&a);
        return e;
    }
    l.t->object.arena = a;
    l.t->object.refs = 1;
    *ret = l.t;
    return ERR_OK;
}

/* --- using --- */

static err_t no_tenant(struct op *op)
{
    return op_fail(op, ERR_NOT_FOUND, "", "there is no such tenant");
}

static err_t load_and_cache(struct op *op, enum query q, const struct val *v, size_t n, struct object **ret)
{
    struct tenant *t = NULL;
    uint64_t version = cache_version(op->core->cache);
    err_t e = load(op, q, v, n, &t);
    if (e == ERR_NOT_FOUND)
        return no_tenant(op);
    if (e != ERR_OK)
        return e;
    cache_put(op->core->cache, &t->object, version);
    *ret = &t->object;
    return ERR_OK;
}

/* Takes over the reference. */
static err_t use(struct op *op, struct object *o)
{
    if (o->disabled) {
        object_release(o);
        return no_tenant(op);
    }
    TRY(op_hold(op, o));
    op->tenant = (const struct tenant *)(const void *)o; /* its first member */
    return ERR_OK;
}

err_t tenant_use(struct op *op, struct str name)
{
    struct object *o = cache_get(op->core->cache, 0, kind_tenant.name, name);
    if (!o)
        TRY(load_and_cache(op, Q_OBJECT_BY_NAME, BIND(vint(0), vtext(str_z(kind_tenant.name)), vtext(name)),
                           &o));
    return use(op, o);
}

static err_t find_by_id(struct op *op, int64_t id, struct object **ret)
{
    struct object *o = cache_get_id(op->core->cache, id);
    if (o && o->kind == &kind_tenant) {
        *ret = o;
        return ERR_OK;
    }
    object_release(o);
    return load_and_cache(op, Q_OBJECT_BY_ID, BIND(vint(0), vint(id), vtext(str_z(kind_tenant.name))), ret);
}

err_t tenant_use_id(struct op *op, int64_t id)
{
    struct object *o;
    TRY(find_by_id(op, id, &o));
    return use(op, o);
}

err_t tenant_refresh(struct op *op)
{
    struct object *now;
    struct object *was = (struct object *)(void *)op->tenant;
    TRY(find_by_id(op, op->tenant->object.id, &now));
    if (now->disabled) {
        object_release(now);
        return no_tenant(op);
    }
    for (size_t i = 0; i < op->nheld; i++) {
        if (op->held[i] != was)
            continue;
        op->held[i] = now; /* in the place of the old one; the same again is as good */
        op->tenant = (const struct tenant *)(const void *)now;
        object_release(was);
        return ERR_OK;
    }
    return use(op, now);
}

/* --- resources --- */

static const struct resource *default_resource(const struct tenant *t)
{
    for (size_t i = 0; i < t->nresources; i++) {
        if (t->resources[i].is_default)
            return &t->resources[i];
    }
    return t->nresources == 1 ? &t->resources[0] : &t->implied;
}

const struct resource *tenant_resource(const struct tenant *t, struct str identifier_or_none)
{
    const struct resource *standard = default_resource(t);
    if (!identifier_or_none.p || str_eq(standard->identifier, identifier_or_none))
        return standard;
    for (size_t i = 0; i < t->nresources; i++) {
        if (str_eq(t->resources[i].identifier, identifier_or_none))
            return &t->resources[i];
    }
    return NULL;
}
