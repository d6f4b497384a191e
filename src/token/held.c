/* Everything that can act for an account: sessions, grants, API keys, and the outside accounts that sign in to it. */
#include "token/life.h"
#include "token/cache.h"
#include "token/core.h"
#include "token/usage.h"

struct held {
    struct op *op;
    int64_t account_id;
    struct held_list list;
    bool failed;
};

/* Room for one more; NULL when memory is out. */
static struct held_item *add(struct held *h, enum node_kind kind, int64_t id)
{
    struct held_item *i = &h->list.v[h->list.n++];
    *i = (struct held_item){.kind = kind, .id = id};
    return i;
}

static struct str keep(struct held *h, struct str s)
{
    struct str copy = arena_str(h->op->arena, s);
    h->failed = h->failed || (s.p && !copy.p);
    return copy;
}

static int64_t last_use(struct held *h, int64_t id, int64_t stored_s)
{
    int64_t fresh = usage_last(h->op->core->usage, id);
    return fresh > stored_s ? fresh : stored_s;
}

static bool killed(const struct held *h, int64_t id)
{
    const struct dead_set *d = h->op->core->dead;
    return dead_set_kills(d, h->account_id, id) || dead_set_kills(d, id, id);
}

static err_t list_sessions(struct held *h, struct rows *r)
{
    while (db_next(r)) {
        int64_t id = db_int(r, 0), used = last_use(h, id, db_int(r, 4));
        if (killed(h, id) || used + h->op->tenant->spec->session_idle_s <= h->op->now_s)
            continue;
        struct held_item *i = add(h, NODE_SESSION, id);
        i->letter = TOKEN_SESSION;
        i->what = i->agent = keep(h, db_text(r, 1));
        i->ip = keep(h, db_text(r, 2));
        i->created_s = db_int(r, 3);
        i->used_s = used;
        i->expires_s = db_int(r, 5);
        i->current = id == h->op->actor.session_id;
    }
    return ERR_OK;
}

/* The name a person knows the client by. Its struct is a higher layer's; its table of fields is not. */
static struct str shown_name(const struct object *client)
{
    const struct field *f = fields_find(&client->kind->fields, STR("client_name"));
    struct str name = STR_NONE;
    if (f && f->type == F_STR)
        memcpy(&name, (const char *)client->spec + f->offset, sizeof(name));
    return name.n ? name : client->name;
}

/* False: the client does not stand for this grant any more. What is held for it is given back at once, since
 * a list may name more clients than an op holds. */
static bool client_of_grant(struct held *h, int64_t client_id, int64_t grant_id, struct str *ret_name)
{
    struct op *op = h->op;
    const struct object_kind *kind = object_kind_find(op->core->kinds, STR("client"));
    struct fault before = op->fault;
    size_t nheld = op->nheld;
    struct object *client;
    bool ok = kind && object_get_id(op, kind, client_id, &client) == ERR_OK;
    op->fault = before;
    if (!ok)
        return false;
    ok = !client->disabled && grant_id >= client->cutoff_id;
    if (ok)
        *ret_name = keep(h, shown_name(client));
    while (op->nheld > nheld)
        object_release(op->held[--op->nheld]);
    return ok;
}

/* The columns 3 to 7, which grants and keys have alike. */
static void read_rest(struct held *h, struct held_item *i, struct rows *r)
{
    i->scope = keep(h, db_text(r, 3));
    i->ip = keep(h, db_text(r, 4));
    i->created_s = db_int(r, 5);
    i->used_s = last_use(h, i->id, db_int(r, 6));
    i->expires_s = db_int(r, 7);
}

static err_t list_grants(struct held *h, struct rows *r)
{
    while (db_next(r)) {
        int64_t id = db_int(r, 0), session_id = db_int(r, 2);
        struct str name = STR_NONE;
        if (killed(h, id) || (session_id && dead_set_kills(h->op->core->dead, session_id, id)) ||
            !client_of_grant(h, db_int(r, 1), id, &name))
            continue;
        struct held_item *i = add(h, NODE_GRANT, id);
        i->what = name;
        read_rest(h, i, r);
    }
    return ERR_OK;
}

static err_t key_member(void *ctx, const struct json_member *m)
{
    struct held_item *i = ctx;
    if (str_is(m->key, "name") && m->type == JSON_T_STRING)
        i->what = m->text;
    return ERR_OK;
}

static err_t list_keys(struct held *h, struct rows *r)
{
    while (db_next(r)) {
        int64_t id = db_int(r, 0);
        struct str kind = db_text(r, 1), spec = keep(h, db_text(r, 2));
        if (killed(h, id) || kind.n != 1)
            continue;
        struct held_item *i = add(h, NODE_TOKEN, id);
        i->letter = kind.p[0];
        if (spec.n)
            TRY(json_scan(h->op->arena, spec, key_member, i));
        read_rest(h, i, r);
    }
    return ERR_OK;
}

/* By the name of the provider here, while there is one of that issuer. */
static err_t list_identities(struct held *h)
{
    const struct tenant *t = h->op->tenant;
    struct rows r;
    TRY(db_rows(h->op->db, Q_HELD_IDENTITIES, BIND(vint(t->object.id), vint(h->account_id), vint(LIMIT_HELD)), &r));
    while (db_next(&r)) {
        struct held_item *i = add(h, NODE_IDENTITY, db_int(&r, 0));
        struct str issuer = db_text(&r, 1), subject = db_text(&r, 2);
        const struct provider *p = provider_of_issuer(t, issuer);
        struct str title = p ? provider_title(p) : issuer;
        i->what = arena_fmt(h->op->arena, "%.*s, %.*s", STR_ARG(title), STR_ARG(subject));
        i->created_s = db_int(&r, 3);
        i->used_s = db_int(&r, 4);
        h->failed = h->failed || !i->what.p;
    }
    return db_end(&r);
}

err_t life_list(struct op *op, int64_t account_id, struct held_list *ret)
{
    static const struct {
        enum query q;
        err_t (*list)(struct held *h, struct rows *r);
    } parts[] = {{Q_HELD_SESSIONS, list_sessions}, {Q_HELD_GRANTS, list_grants}, {Q_HELD_KEYS, list_keys}};
    struct held h = {.op = op, .account_id = account_id};
    h.list.v = arena_array(op->arena, struct held_item, 4 * LIMIT_HELD);
    if (!h.list.v)
        return ERR_MEMORY;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct rows r;
        TRY(db_rows(op->db, parts[i].q,
                    BIND(vint(op->tenant->object.id), vint(account_id), vint(op->now_s), vint(LIMIT_HELD)),
                    &r));
        err_t e = parts[i].list(&h, &r), end = db_end(&r);
        if (e != ERR_OK || end != ERR_OK)
            return e != ERR_OK ? e : end;
    }
    TRY(list_identities(&h));
    if (h.failed)
        return ERR_MEMORY;
    *ret = h.list;
    return ERR_OK;
}
