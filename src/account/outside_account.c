/* From an outside identity to an account here: finding, linking, creating, and the session. (issuer, subject) alone decides who
 * somebody is; an address is at most written down (case A79). */
#include "account/outside_parts.h"

static struct str linked_payload(struct op *op, const struct provider *p, struct str subject)
{
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, 8 * LIMIT_TEXT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "provider", p->name);
    jw_m_str(&w, "issuer", p->issuer);
    jw_m_str(&w, "subject", subject);
    jw_close(&w, '}');
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

err_t outside_find(struct op *op, const struct provider *p, struct str subject, struct outside_known *ret)
{
    struct rows r;
    struct outside_known k = {0};
    TRY(db_rows(op->db, Q_IDENTITY_BY_WHO, BIND(vint(account_tenant(op)), vtext(p->issuer), vtext(subject)), &r));
    if (db_next(&r))
        k = (struct outside_known){.id = db_int(&r, 0), .account_id = db_int(&r, 1)};
    *ret = k;
    return db_end(&r);
}

/* --- linking --- */

/* A link about to be written. */
struct link_new {
    int64_t tenant_id, id, account_id, now_s, older_than_id;
    struct str issuer, subject;
    struct audit audit;
};

static void link_make_new(struct op *op, const struct provider *p, struct str subject, int64_t account_id, struct str username,
                          struct link_new *ret)
{
    *ret = (struct link_new){.tenant_id = account_tenant(op),
                             .id = store_new_id(op->core->store),
                             .account_id = account_id,
                             .now_s = op->now_s,
                             .issuer = p->issuer,
                             .subject = subject};
    ret->older_than_id = ret->id;
    audit_make(op, AUDIT_IDENTITY_LINKED, arena_fmt(op->arena, "user:%.*s", STR_ARG(username)), linked_payload(op, p, subject),
               &ret->audit);
    ret->audit.actor = arena_fmt(op->arena, "person:%.*s", STR_ARG(username));
}

/* *ret_linked false: linked already, by whomever; or the account may have no more, or is disabled. */
static err_t link_insert_tx(struct db *db, struct store *store, const struct link_new *l, bool *ret_linked)
{
    int64_t changed = 0;
    TRY(db_claim(db, l->account_id, false));
    TRY(db_run(db, Q_IDENTITY_INSERT,
               BIND(vint(l->tenant_id), vint(l->id), vint(l->account_id), vtext(l->issuer), vtext(l->subject), vint(l->now_s),
                    vint(l->older_than_id), vint(LIMIT_IDENTITIES)),
               &changed));
    if (changed == 1)
        TRY(audit_write(db, store, &l->audit));
    *ret_linked = changed == 1;
    return ERR_OK;
}

err_t outside_pending(struct op *op, struct str text, struct str browser, struct outside_pending *ret)
{
    struct outside_ticket t;
    TRY(outside_ticket_find(op, OUTSIDE_WAIT, text, browser, &t));
    *ret = (struct outside_pending){.provider = t.provider, .subject = t.spec.subject, .label = t.spec.label, .ticket = t.ticket};
    return ERR_OK;
}

struct linking {
    struct store *store;
    int64_t ticket_id;
    struct link_new link;
    bool won, linked;
};

static err_t link_in_tx(struct db *db, void *ctx)
{
    struct linking *l = ctx;
    bool won, linked = false;
    TRY(ticket_consume(db, l->link.tenant_id, l->ticket_id, l->link.now_s, l->link.account_id, &won));
    if (won)
        TRY(link_insert_tx(db, l->store, &l->link, &linked));
    l->won = won;
    l->linked = linked;
    return ERR_OK;
}

err_t outside_link(struct op *op, const struct outside_pending *p, const struct session *s)
{
    struct account a;
    struct linking l = {.store = op->core->store, .ticket_id = p->ticket.id};
    struct str title = provider_title(p->provider);
    TRY(account_by_id(op, s->account_id, &a));
    link_make_new(op, p->provider, p->subject, a.id, a.username, &l.link);
    l.link.older_than_id = s->id;
    TRY(store_tx(l.store, link_in_tx, &l));
    if (!l.won)
        return op_fail(op, ERR_OUTSIDE, "", "this sign-in has been used or took too long; begin again");
    if (!l.linked)
        return op_fail(op, ERR_CONFLICT, "", "this account at %.*s is linked already, or yours has as many links as it may",
                       STR_ARG(title));
    return ERR_OK;
}

/* --- signing in --- */

#define AMR "fed" /* somebody else's word */

static err_t make_session(struct op *op, const struct provider *p, const struct account *a, struct session_new *ret)
{
    TRY(session_make(op, a, AMR, ret));
    struct str actor = ret->audit.actor;
    audit_make(op, AUDIT_SIGNED_IN, audit_object(op, "session", ret->session.id),
               arena_fmt(op->arena, "{\"amr\":\"" AMR "\",\"provider\":\"%.*s\"}", STR_ARG(p->name)), &ret->audit);
    ret->audit.actor = actor;
    return ERR_OK;
}

static err_t signed_in(struct op *op, const struct session_new *n, struct signed_in *ret)
{
    metrics_add(op->core->metrics, METRIC_AUTHN, "outside,ok", 1);
    *ret = (struct signed_in){.session = n->session, .cookie = n->cookie};
    return device_make(op, n->session.account_id, &ret->device);
}

struct entering {
    struct store *store;
    struct outside_known known;
    struct session_new new;
    bool opened;
};

static err_t enter_in_tx(struct db *db, void *ctx)
{
    struct entering *e = ctx;
    int64_t changed = 0;
    bool opened = false;
    TRY(db_run(db, Q_IDENTITY_USED,
               BIND(vint(e->new.tenant_id), vint(e->known.id), vint(e->known.account_id), vint(e->new.session.created_s)), &changed));
    if (changed == 1)
        TRY(session_insert_tx(db, e->store, &e->new, &opened));
    e->opened = opened;
    return ERR_OK;
}

/* A disabled account stays out, as with its password. */
err_t outside_sign_in(struct op *op, const struct provider *p, const struct outside_known *k, int64_t before_id, struct signed_in *ret)
{
    struct account a;
    struct entering e = {.store = op->core->store, .known = *k};
    TRY(account_by_id(op, k->account_id, &a));
    if (a.type == ACCOUNT_PERSON && !a.disabled) {
        TRY(make_session(op, p, &a, &e.new));
        e.new.older_than_id = before_id;
        TRY(store_tx(e.store, enter_in_tx, &e));
    }
    if (!e.opened)
        return outside_refuse(op, "outside sign-in: account", "your account here is disabled");
    return signed_in(op, &e.new, ret);
}

/* --- a new account --- */

struct creating {
    struct store *store;
    struct account account;
    struct str spec, spec_bare; /* with the address, and without */
    struct link_new link;
    struct session_new session;
    struct audit audit;
    bool linked, opened; /* verdict: false, another one was faster */
};

/* An address that somebody has stays his alone: a second account with it would take away his sign-in by it. */
static err_t address_is_free(struct db *db, const struct creating *c, bool *ret)
{
    struct rows r;
    *ret = false;
    if (!c->account.email.n)
        return ERR_OK;
    TRY(db_rows(db, Q_ACCOUNT_BY_EMAIL, BIND(vint(c->link.tenant_id), vtext(c->account.email)), &r));
    *ret = !db_next(&r);
    return db_end(&r);
}

static err_t create_in_tx(struct db *db, void *ctx)
{
    struct creating *c = ctx;
    bool with_email, linked, opened = false;
    c->linked = c->opened = false;
    TRY(db_claim(db, c->link.tenant_id, false));
    TRY(address_is_free(db, c, &with_email));
    TRY(db_run(db, Q_ACCOUNT_INSERT,
               BIND(vint(c->link.tenant_id), vint(c->account.id), vtext(str_z(kind_user.name)), vtext(c->account.username),
                    vtext(with_email ? c->account.email : STR_NONE), vtext(with_email ? c->spec : c->spec_bare), vtext(STR_NONE),
                    vid(0), vtext(STR("api")), vint(0), vint(0), vint(1), vint(c->link.now_s)),
               NULL));
    TRY(link_insert_tx(db, c->store, &c->link, &linked));
    if (!linked)
        return ERR_CONFLICT; /* no account without its link: rolls back */
    TRY(session_insert_tx(db, c->store, &c->session, &opened));
    if (!opened)
        return ERR_CONFLICT;
    TRY(audit_write(db, c->store, &c->audit));
    c->linked = c->opened = true;
    return ERR_OK;
}

/* What the provider says is a stranger's text: what our own check of people does not take is left out. */
static err_t fit_spec(struct op *op, const struct provider *p, const struct outside_identity *i, struct account_spec *ret)
{
    struct fault before = op->fault;
    err_t e = ERR_PARAM_BAD;
    for (int part = 3; e != ERR_OK && part >= 0; part--) {
        bool name = part & 1, email = part & 2;
        *ret = (struct account_spec){.username = ret->username};
        if (name && i->name.n <= 256)
            ret->name = i->name;
        if (email && i->email.n <= LIMIT_EMAIL)
            ret->email = i->email;
        ret->email_verified = ret->email.n && i->email_verified && p->trust_email;
        op->fault = before;
        e = kind_user.check(op, ret, true);
    }
    return e;
}

/* The provider's name stands before, so that nobody elsewhere takes the name that somebody here has or shall have. */
static struct str username_of(struct op *op, const struct provider *p, const struct outside_identity *i, bool plain)
{
    uint8_t hash[SHA256_SIZE];
    struct buf b;
    struct str name = arena_fmt(op->arena, "%.*s:%.*s", STR_ARG(p->name), STR_ARG(i->username));
    if (plain && i->username.n && object_name_ok(name))
        return account_fold(op->arena, name);
    sha256(op->core->crypto, arena_fmt(op->arena, "%.*s %.*s", STR_ARG(p->issuer), STR_ARG(i->subject)), hash);
    buf_init(&b, op->arena, 2 * LIMIT_NAME);
    buf_str(&b, p->name);
    buf_char(&b, ':');
    enc_hex(&b, hash, 10);
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

static err_t fill(struct op *op, const struct provider *p, const struct outside_identity *i, struct str username, struct creating *c)
{
    struct account_spec spec = {.username = username}, bare;
    TRY(fit_spec(op, p, i, &spec));
    bare = spec;
    bare.email = STR_NONE;
    bare.email_verified = false;
    TRY(object_spec_text(op, &kind_user, &spec, &c->spec));
    TRY(object_spec_text(op, &kind_user, &bare, &c->spec_bare));
    c->account = (struct account){.id = store_new_id(c->store), .username = spec.username, .email = spec.email};
    link_make_new(op, p, i->subject, c->account.id, spec.username, &c->link);
    TRY(make_session(op, p, &c->account, &c->session));
    audit_make(op, AUDIT_OBJECT_CREATED, arena_fmt(op->arena, "user:%.*s", STR_ARG(spec.username)), STR("{\"version\":1}"), &c->audit);
    c->audit.actor = c->link.audit.actor = arena_fmt(op->arena, "provider:%.*s", STR_ARG(p->name));
    return ERR_OK;
}

err_t outside_create(struct op *op, const struct provider *p, const struct outside_identity *i, struct signed_in *ret)
{
    struct creating c = {.store = op->core->store};
    err_t e = ERR_STORE_UNIQUE;
    for (int plain = 1; e == ERR_STORE_UNIQUE && plain >= 0; plain--) {
        struct str username = username_of(op, p, i, plain);
        if (!username.p)
            return ERR_MEMORY;
        TRY(fill(op, p, i, username, &c));
        e = store_tx(c.store, create_in_tx, &c);
    }
    if (e == ERR_STORE_UNIQUE)
        return ERR_CONFLICT;
    TRY(e);
    return signed_in(op, &c.session, ret);
}
