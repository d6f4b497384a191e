/* One-use links: a reset, an enrolment, the first administrator. Opening one looks and changes nothing; using
 * one consumes it in the transaction that sets the password. A link dies with its account, and when the
 * password has changed since. */
#include "account/account_row.h"
#include "event/event.h"
#include "token/core.h"

static const struct purpose {
    const char *name;
    int64_t life_s;
    const char *subject, *text; /* of the mail; NULL: never sent */
} purposes[] = {
    {"reset", 86400, "Your new password",
     "Somebody asked for a new password for your account \"%.*s\". Open this link within 24 hours to choose "
     "one:\n\n%.*s\n\n"
     "If you did not expect this, leave it unopened: your password stays as it is.\n"},
    {"enrol", 86400, "Your new account",
     "An account \"%.*s\" was made for you. Open this link within 24 hours to choose its "
     "password:\n\n%.*s\n"},
    {"first_admin", 900, NULL, NULL},
};

static const struct purpose *purpose_named(struct str name)
{
    for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++)
        if (str_is(name, purposes[i].name))
            return &purposes[i];
    return NULL;
}

static bool is_first_admin(const struct ticket *t)
{
    return t->account_id == 0;
}

/* When such a link is used, all that were made before are over: table meta remembers an id of that moment. */
#define MARK STR("first_admin")

static err_t superseded(struct db *db, int64_t ticket_id, bool *ret)
{
    struct rows r;
    uint64_t mark = 0;
    TRY(db_rows(db, Q_META_GET, BIND(vtext(MARK)), &r));
    if (db_next(&r)) {
        struct str be = db_text(&r, 0);
        for (size_t i = 0; i < be.n && i < 8; i++)
            mark = mark << 8 | (uint8_t)be.p[i];
    }
    *ret = (int64_t)mark > ticket_id;
    return db_end(&r);
}

static err_t supersede(struct db *db, int64_t id)
{
    uint8_t be[8];
    for (int i = 0; i < 8; i++)
        be[i] = (uint8_t)((uint64_t)id >> (56 - 8 * i));
    return db_run(db, Q_META_PUT, BIND(vtext(MARK), vblob(be, sizeof(be))), NULL);
}

/* --- making
 * ----------------------------------------------------------------------------------------------------------
 */

struct making {
    struct store *store;
    struct ticket ticket;
    struct token_text text;
    struct str mail_to, mail; /* STR_NONE: none */
    struct audit audit;
};

static err_t make_in_tx(struct db *db, void *ctx)
{
    struct making *m = ctx;
    TRY(ticket_insert(db, &m->ticket, &m->text));
    if (m->mail.p)
        TRY(event_emit(db, m->store, m->ticket.tenant_id, "mail", m->mail_to, audit_name(AUDIT_LINK_MADE),
                       m->audit.object, m->mail, m->ticket.created_s));
    return audit_write(db, m->store, &m->audit);
}

static err_t write_mail(struct op *op, const struct purpose *p, const struct account *a, struct str url,
                        struct making *m)
{
    struct buf b;
    struct jw w;
    if (!op->core->mail || !p->subject || !a->email.n)
        return ERR_OK;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the table above */
    struct str text = arena_fmt(op->arena, p->text, STR_ARG(a->username), STR_ARG(url));
#pragma GCC diagnostic pop
    buf_init(&b, op->arena, 4 * LIMIT_TEXT + text.n * 2);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "to", a->email);
    jw_m_str(&w, "subject", str_z(p->subject));
    jw_m_str(&w, "text", text);
    jw_close(&w, '}');
    if (!buf_ok(&b) || !text.p)
        return ERR_MEMORY;
    m->mail_to = a->email;
    m->mail = buf_view(&b);
    return ERR_OK;
}

/* The first administrator's link is the system's own; every other one is an administrator's. */
static err_t permit_make(struct op *op, const struct purpose *p, int64_t account_id, struct account *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (!p)
        return op_fail(op, ERR_PARAM_BAD, "purpose", "reset or enrol is expected");
    if (account_id == 0)
        return p->subject ? op_fail(op, ERR_NOT_FOUND, "", "there is no such account") : op_permit_system(op);
    if (!p->subject)
        return op_fail(op, ERR_PARAM_BAD, "purpose", "reset or enrol is expected");
    TRY(account_by_id(op, account_id, ret));
    if (ret->type != ACCOUNT_PERSON || ret->disabled)
        return op_fail(op, ERR_CONFLICT, "", "a person who may sign in is expected");
    return account_permit_for(op, ret);
}

err_t link_make(struct op *op, const char *purpose, int64_t account_id, struct str *ret_url)
{
    const struct purpose *p = purpose_named(str_z(purpose));
    struct account a;
    struct making m = {.store = op->core->store};
    TRY(permit_make(op, p, account_id, &a));
    m.ticket = (struct ticket){.kind = str_z(p->name),
                               .id = store_new_id(m.store),
                               .tenant_id = account_tenant(op),
                               .account_id = account_id,
                               .created_s = op->now_s,
                               .expires_s = op->now_s + p->life_s};
    TRY(token_text_make(op->core, TOKEN_LINK, m.ticket.id, &m.text));
    struct str url =
        arena_fmt(op->arena, "%.*s/link/%.*s", STR_ARG(op->tenant->issuer), TOKEN_TEXT_SIZE, m.text.p);
    struct str object = account_id ? arena_fmt(op->arena, "user:%.*s", STR_ARG(a.username)) : STR("tenant");
    audit_make(op, AUDIT_LINK_MADE, object, arena_fmt(op->arena, "{\"purpose\":\"%s\"}", p->name), &m.audit);
    err_t e = url.p ? write_mail(op, p, &a, url, &m) : ERR_MEMORY;
    if (e == ERR_OK)
        e = store_tx(m.store, make_in_tx, &m);
    secret_zero(&m.text, sizeof(m.text));
    if (e == ERR_OK)
        *ret_url = url;
    return e;
}

/* --- opening and using
 * ----------------------------------------------------------------------------------------------- */

static err_t gone(struct op *op)
{
    return op_fail(op, ERR_LINK_DEAD, "", "this link has been used or has expired; ask for a new one");
}

static err_t check_account(struct op *op, const struct ticket *t, struct account *ret)
{
    struct fault before = op->fault;
    err_t e = account_by_id(op, t->account_id, ret);
    if (e == ERR_NOT_FOUND) {
        op->fault = before;
        return gone(op);
    }
    if (e != ERR_OK)
        return e;
    return ret->disabled || ret->password_s > t->created_s || ret->cutoff_id > t->id ? gone(op) : ERR_OK;
}

/* *ret_account: zeroed for the first administrator. */
static err_t open_link(struct op *op, struct str text, struct ticket *ret, struct account *ret_account)
{
    struct ticket t;
    bool done = false;
    memset(ret_account, 0, sizeof(*ret_account));
    err_t e = ticket_find(op, op->db, TOKEN_LINK, text, &t);
    if (e == ERR_NOT_FOUND ||
        (e == ERR_OK && (t.consumed_s || t.expires_s <= op->now_s || !purpose_named(t.kind))))
        return gone(op);
    TRY(e);
    if (!is_first_admin(&t))
        TRY(check_account(op, &t, ret_account));
    else
        TRY(superseded(op->db, t.id, &done));
    if (done)
        return gone(op);
    *ret = t;
    return ERR_OK;
}

err_t link_open(struct op *op, struct str text, struct ticket *ret)
{
    struct account a;
    return open_link(op, text, ret, &a);
}

struct using
{
    struct store *store;
    struct ticket ticket;
    struct password_set set;
    struct online_kill online;
    struct str username, spec; /* of a new administrator */
    struct audit used, made;
    bool done; /* verdict: false, another one was faster */
};

/* Two first-administrator links make one administrator. */
static err_t add_administrator(struct db *db, const struct using *u, bool *ret_done)
{
    bool late;
    TRY(db_claim(db, u->set.tenant_id, false));
    TRY(superseded(db, u->ticket.id, &late));
    *ret_done = !late;
    if (late)
        return ERR_OK;
    TRY(supersede(db, store_new_id(u->store)));
    TRY(db_run(db, Q_ACCOUNT_INSERT,
               BIND(vint(u->set.tenant_id), vint(u->set.account_id), vtext(str_z(kind_user.name)),
                    vtext(u->username), vtext(STR_NONE), vtext(u->spec), vtext(u->set.becomes),
                    vint(u->set.now_s), vtext(STR("api")), vint(0), vint(0), vint(1), vint(u->set.now_s)),
               NULL));
    return audit_write(db, u->store, &u->made);
}

static err_t use_in_tx(struct db *db, void *ctx)
{
    struct using *u = ctx;
    bool won, done = false;
    u->online.n = 0;
    u->done = false;
    TRY(ticket_consume(db, u->set.tenant_id, u->ticket.id, u->set.now_s, u->set.account_id, &won));
    if (!won)
        return ERR_OK;
    if (is_first_admin(&u->ticket)) {
        TRY(add_administrator(db, u, &done));
    } else {
        TRY(db_claim(db, u->set.account_id, false));
        TRY(password_set_tx(db, &u->set, &done));
        TRY(online_kill_tx(db, &u->online));
    }
    if (!done)
        return ERR_OK; /* burnt all the same */
    TRY(audit_write(db, u->store, &u->used));
    u->done = true;
    return ERR_OK;
}

static err_t new_administrator(struct op *op, struct str username, struct using *u)
{
    struct account_spec spec = {.roles = {.n = 2}};
    struct account other;
    struct fault before = op->fault;
    static const struct str roles[] = {{"admin", 5}, {"operator", 8}};
    spec.roles.v = roles;
    u->username = spec.username = account_fold(op->arena, username);
    if (!object_name_ok(u->username))
        return op_fail(op, ERR_PARAM_BAD, "username",
                       "1 to %d letters, digits and . _ ~ : / @ + - are expected", LIMIT_NAME);
    err_t e = account_by_name(op, u->username, &other);
    if (e == ERR_OK)
        return op_fail(op, ERR_CONFLICT, "username", "there is a user \"%.*s\" already",
                       STR_ARG(u->username));
    if (e != ERR_NOT_FOUND)
        return e;
    op->fault = before;
    TRY(object_spec_text(op, &kind_user, &spec, &u->spec));
    u->set.account_id = store_new_id(u->store);
    audit_make(op, AUDIT_OBJECT_CREATED, arena_fmt(op->arena, "user:%.*s", STR_ARG(u->username)),
               STR("{\"version\":1,\"first_admin\":true}"), &u->made);
    return ERR_OK;
}

err_t link_use(struct op *op, struct str text, struct str username, struct str new_password,
               int64_t *ret_account_id)
{
    struct using u = {.store = op->core->store};
    struct account a;
    TRY(open_link(op, text, &u.ticket, &a));
    u.set = (struct password_set){.tenant_id = account_tenant(op), .account_id = a.id, .now_s = op->now_s};
    u.username = a.username;
    if (is_first_admin(&u.ticket))
        TRY(new_administrator(op, username, &u));
    TRY(password_check_for(op, new_password, u.username, "password"));
    TRY(password_hash(op->arena, new_password, &u.set.becomes));
    online_kill_make(op, u.set.account_id, 0, &u.online);
    audit_make(op, AUDIT_LINK_USED, arena_fmt(op->arena, "user:%.*s", STR_ARG(u.username)),
               arena_fmt(op->arena, "{\"purpose\":\"%.*s\"}", STR_ARG(u.ticket.kind)), &u.used);
    err_t e = store_tx(u.store, use_in_tx, &u);
    if (e == ERR_STORE_UNIQUE)
        return op_fail(op, ERR_CONFLICT, "username", "there is a user \"%.*s\" already", STR_ARG(u.username));
    TRY(e);
    TRY(online_killed(&u.online));
    if (!u.done)
        return gone(op);
    *ret_account_id = u.set.account_id;
    return ERR_OK;
}
