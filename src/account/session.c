/* Browser sessions: opening, finding, ending. A session is a row found by the id its cookie carries. */
#include "account/account_row.h"
#include "account/signin.h"
#include "token/core.h"

#define AGENT_MAX 256

/* What a browser says of itself is shown to its person: text, of bounded length. */
static struct str agent_of(struct op *op)
{
    struct str s = op->agent;
    if (s.n > AGENT_MAX)
        s.n = AGENT_MAX;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || (unsigned char)s.p[i] > '~')
            return STR_NONE;
    return s;
}

err_t session_make(struct op *op, const struct account *a, const char *amr, struct session_new *ret)
{
    struct session *s = &ret->session;
    memset(ret, 0, sizeof(*ret));
    *s = (struct session){
        .id = store_new_id(op->core->store),
        .account_id = a->id,
        .auth_s = op->now_s,
        .created_s = op->now_s,
        .used_s = op->now_s,
        .expires_s = op->now_s + op->tenant->spec->session_life_s,
        .amr = str_z(amr),
        .ip = op->peer,
        .agent = agent_of(op),
    };
    ret->tenant_id = account_tenant(op);
    ret->older_than_id = s->id;
    TRY(token_text_make(op->core, TOKEN_SESSION, s->id, &ret->cookie));
    audit_make(op, AUDIT_SIGNED_IN, audit_object(op, "session", s->id),
               arena_fmt(op->arena, "{\"amr\":\"%s\"}", amr), &ret->audit);
    ret->audit.actor = arena_fmt(op->arena, "person:%.*s", STR_ARG(a->username));
    return ERR_OK;
}

err_t session_insert_tx(struct db *db, struct store *store, const struct session_new *n, bool *ret_opened)
{
    const struct session *s = &n->session;
    int64_t changed = 0;
    TRY(db_claim(db, s->account_id, true));
    TRY(db_run(db, Q_SESSION_INSERT,
               BIND(vint(n->tenant_id), vint(s->id), vint(s->account_id),
                    vblob(n->cookie.hash, sizeof(n->cookie.hash)), vint(s->created_s), vtext(s->amr),
                    vtext(s->ip), vtext(s->agent), vint(s->expires_s), vint(n->older_than_id),
                    vid(n->version)),
               &changed));
    if (changed == 1)
        TRY(audit_write(db, store, &n->audit));
    *ret_opened = changed == 1;
    return ERR_OK;
}

struct opening {
    struct store *store;
    struct session_new new;
    bool opened;
};

static err_t open_in_tx(struct db *db, void *ctx)
{
    struct opening *o = ctx;
    return session_insert_tx(db, o->store, &o->new, &o->opened);
}

err_t session_open(struct op *op, const struct account *a, const char *amr, struct signed_in *ret)
{
    struct opening o = {.store = op->core->store};
    TRY(session_make(op, a, amr, &o.new));
    TRY(store_tx(o.store, open_in_tx, &o));
    if (!o.opened)
        return op_fail(op, ERR_UNAUTHENTICATED, "", "this account is disabled");
    *ret = (struct signed_in){.session = o.new.session, .cookie = o.new.cookie};
    return device_make(op, a->id, &ret->device);
}

/* --- finding
 * ---------------------------------------------------------------------------------------------------------
 */

static err_t not_signed_in(struct op *op)
{
    return op_fail(op, ERR_UNAUTHENTICATED, "", "sign in first");
}

static err_t from_row(struct arena *a, const struct rows *r, struct session *s,
                      uint8_t hash[static SHA256_SIZE])
{
    struct str stored = db_text(r, 0);
    if (stored.n != SHA256_SIZE)
        return ERR_STORE_CORRUPT;
    memcpy(hash, stored.p, SHA256_SIZE);
    s->account_id = db_int(r, 1);
    s->auth_s = db_int(r, 2);
    s->amr = arena_str(a, db_text(r, 3));
    s->ip = arena_str(a, db_text(r, 4));
    s->agent = arena_str(a, db_text(r, 5));
    s->created_s = db_int(r, 6);
    s->used_s = db_int(r, 7);
    s->expires_s = db_int(r, 8);
    s->revoked_s = db_int(r, 9);
    return s->amr.p ? ERR_OK : ERR_MEMORY;
}

static bool alive(struct op *op, struct session *s)
{
    const struct dead_set *dead = op->core->dead;
    int64_t fresh = usage_last(op->core->usage, s->id);
    if (fresh > s->used_s)
        s->used_s = fresh;
    return !s->revoked_s && s->expires_s > op->now_s &&
           s->used_s + op->tenant->spec->session_idle_s > op->now_s &&
           s->id >= op->tenant->object.cutoff_id && !dead_set_kills(dead, s->id, s->id) &&
           !dead_set_kills(dead, s->account_id, s->id);
}

err_t session_find(struct op *op, struct str cookie, struct session *ret)
{
    struct rows r;
    struct session s = {0};
    char letter;
    uint8_t hash[SHA256_SIZE], stored[SHA256_SIZE];
    if (!token_text_id(op->core, cookie, &letter, &s.id) || letter != TOKEN_SESSION)
        return not_signed_in(op);
    TRY(dead_set_ready(op));
    TRY(db_rows(op->db, Q_SESSION_GET, BIND(vint(account_tenant(op)), vint(s.id)), &r));
    bool found = db_next(&r);
    err_t e = found ? from_row(op->arena, &r, &s, stored) : ERR_OK;
    err_t end = db_end(&r);
    if (e != ERR_OK || end != ERR_OK)
        return e != ERR_OK ? e : end;
    sha256(op->core->crypto, cookie, hash);
    if (!found || !secret_eq(hash, stored, sizeof(hash)) || !alive(op, &s))
        return not_signed_in(op);
    usage_touch(op->core->usage, NODE_SESSION, account_tenant(op), s.id, op->now_s, op->peer);
    *ret = s;
    return ERR_OK;
}

static err_t kill_in_tx(struct db *db, void *ctx)
{
    return node_kill_tx(db, ctx);
}

err_t session_end(struct op *op, int64_t session_id)
{
    struct node_kill k;
    node_kill_make(op, NODE_SESSION, session_id, NULL, &k);
    audit_make(op, AUDIT_SIGNED_OUT, audit_object(op, "session", session_id), STR_NONE, &k.audit);
    TRY(store_tx(op->core->store, kill_in_tx, &k));
    node_killed(&k);
    return ERR_OK;
}
