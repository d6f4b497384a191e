/* The life of tokens: find, judge, revoke, mark, expire; and one-time things with fifty callers at once. */
#include "world.h"
#include "base/enc.h"
#include "token/ticket.h"
#include <pthread.h>

/* A kind that stands for the clients of a higher layer. */
struct stub_client {
    struct str client_id, client_name;
};
static const struct field stub_fields[] = {
    {"client_id", F_STR, FIELD_REQUIRED, LIMIT_NAME, offsetof(struct stub_client, client_id), NULL, NULL,
     "id"},
    {"client_name", F_STR, 0, LIMIT_NAME, offsetof(struct stub_client, client_name), NULL, NULL, "name"},
};
static const struct object_kind kind_stub_client = {
    .name = "client",
    .plural = "clients",
    .name_field = "client_id",
    .read = "client.read",
    .write = "client.write",
    .doc = "stub",
    .fields = FIELDS(stub_fields, struct stub_client),
};

static struct world w;

static struct object *client(const char *id)
{
    char doc[256];
    struct object *o = NULL;
    snprintf(doc, sizeof(doc), "{'client_id':'%s','client_name':'The %s'}", id, id);
    CHECK(object_put(&w.op, &kind_stub_client, world_json(&w, doc), OBJECT_UPSERT, MANAGED_API, 0, "", &o,
                     NULL) == ERR_OK);
    return o;
}

/* --- rows made without the layers above
 * ----------------------------------------------------------------------------- */

static err_t insert_token_tx(struct db *db, void *ctx)
{
    return token_insert(db, ctx);
}

/* A live access token with these ancestors; its text in *ret_text. */
static struct token token(int64_t client_id, int64_t account_id, int64_t session_id, int64_t grant_id,
                          struct token_text *ret_text)
{
    struct token t = {.kind = TOKEN_ACCESS,
                      .id = store_new_id(w.core.store),
                      .tenant_id = w.op.tenant->object.id,
                      .client_id = client_id,
                      .account_id = account_id,
                      .session_id = session_id,
                      .grant_id = grant_id,
                      .scope = STR("a b"),
                      .audience = STR("api"),
                      .issued_s = w.op.now_s,
                      .expires_s = w.op.now_s + 600};
    CHECK(token_text_make(&w.core, TOKEN_ACCESS, t.id, ret_text) == ERR_OK);
    memcpy(t.hash, ret_text->hash, sizeof(t.hash));
    CHECK(store_tx(w.core.store, insert_token_tx, &t) == ERR_OK);
    return t;
}

struct row {
    enum query q;
    struct val v[16];
    size_t n;
};

static err_t row_tx(struct db *db, void *ctx)
{
    const struct row *r = ctx;
    return db_run(db, r->q, r->v, r->n, NULL);
}

static int64_t account_row(const char *name)
{
    int64_t id = store_new_id(w.core.store);
    struct row r = {Q_ACCOUNT_INSERT,
                    {vint(w.op.tenant->object.id), vint(id), vtext(STR("user")), vtext(str_z(name)),
                     vtext(STR_NONE), vtext(STR("{}")), vtext(STR_NONE), vid(0), vtext(STR("api")), vint(0),
                     vint(0), vint(1), vint(w.op.now_s)},
                    13};
    CHECK(store_tx(w.core.store, row_tx, &r) == ERR_OK);
    return id;
}

static int64_t session_row(int64_t account_id)
{
    int64_t id = store_new_id(w.core.store);
    uint8_t hash[32] = {1};
    struct row r = {Q_SESSION_INSERT,
                    {vint(w.op.tenant->object.id), vint(id), vint(account_id), vblob(hash, 32),
                     vint(w.op.now_s), vtext(STR("pwd")), vtext(STR("127.0.0.1")), vtext(STR("browser")),
                     vint(w.op.now_s + 86400), vint(id), vid(0)},
                    11};
    CHECK(store_tx(w.core.store, row_tx, &r) == ERR_OK);
    return id;
}

static int64_t grant_row(int64_t account_id, int64_t client_id, int64_t session_id)
{
    int64_t id = store_new_id(w.core.store);
    struct row r = {Q_GRANT_INSERT,
                    {vint(w.op.tenant->object.id), vint(id), vint(account_id), vint(client_id),
                     vid(session_id), vtext(STR("a")), vtext(STR("api")), vint(w.op.now_s),
                     vtext(STR("127.0.0.1")), vint(w.op.now_s + 86400), vtext(STR("{}"))},
                    11};
    CHECK(store_tx(w.core.store, row_tx, &r) == ERR_OK);
    return id;
}

static struct str text_of(const struct token_text *t)
{
    return (struct str){t->p, TOKEN_TEXT_SIZE};
}

static err_t judge_text(const struct token_text *text)
{
    struct token t;
    w.op.fault = (struct fault){0};
    TRY(token_find(&w.op, text_of(text), &t));
    return life_check(&w.op, &t);
}

/* Whether it lives, asked in an op of its own. */
static bool lives(const struct token_text *text)
{
    world_op(&w, "default");
    return judge_text(text) == ERR_OK;
}

/* --- finding and judging
 * ---------------------------------------------------------------------------------------------- */

static void test_find(void)
{
    struct token_text text, other;
    struct token t;
    struct op *op = world_op(&w, "default");
    struct object *c = client("web");
    int64_t cid = c->id;
    struct token made = token(cid, 0, 0, 0, &text);
    CHECK(token_find(op, text_of(&text), &t) == ERR_OK && t.id == made.id && t.kind == 'a' &&
          t.client_id == cid);
    CHECK(str_is(t.scope, "a b") && str_is(t.audience, "api") && !t.spec.p && t.expires_s == op->now_s + 600);
    CHECK(life_check(op, &t) == ERR_OK);
    /* the id of a row with other random bits */
    CHECK(token_text_make(&w.core, TOKEN_ACCESS, made.id, &other) == ERR_OK);
    CHECK(token_find(op, text_of(&other), &t) == ERR_TOKEN_INVALID);
    CHECK(token_find(op, STR("no.token.atall"), &t) == ERR_TOKEN_INVALID);
    CHECK(token_find(op, STR(""), &t) == ERR_TOKEN_INVALID);
    struct token row = made;
    static const struct {
        const char *what;
        size_t offset;
        int64_t value;
        bool live;
    } rows[] = {
        {"expiring now", offsetof(struct token, expires_s), 1800000000, false},
        {"a second left", offsetof(struct token, expires_s), 1800000001, true},
        {"revoked", offsetof(struct token, revoked_s), 1, false},
        {"consumed", offsetof(struct token, consumed_s), 1, false},
        {"another tenant's", offsetof(struct token, tenant_id), 77, false},
        {"unknown client", offsetof(struct token, client_id), 12345, false},
        {"older than the tenant", offsetof(struct token, id), 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct token v = row;
        memcpy((char *)&v + rows[i].offset, &rows[i].value, sizeof(int64_t));
        op = world_op(&w, "default");
        if (rows[i].offset == offsetof(struct token, id))
            CHECK(op->tenant->object.cutoff_id >= 0);
        else
            CHECK_ROW((life_check(op, &v) == ERR_OK) == rows[i].live, rows[i].what);
    }
}

static void test_client(void)
{
    struct token_text text, later;
    world_op(&w, "default");
    int64_t cid = client("app")->id;
    token(cid, 0, 0, 0, &text);
    CHECK(lives(&text));
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_stub_client, STR("app"), true) == ERR_OK);
    CHECK(!lives(&text));
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_stub_client, STR("app"), false) == ERR_OK);
    CHECK(!lives(&text)); /* nothing comes back */
    world_op(&w, "default");
    token(cid, 0, 0, 0, &later);
    CHECK(lives(&later));
    CHECK(node_revoke(world_op(&w, "default"), NODE_CLIENT, cid, "test") == ERR_OK);
    CHECK(!lives(&later));
    CHECK(object_remove(world_op(&w, "default"), &kind_stub_client, STR("app")) == ERR_OK);
    CHECK(!lives(&later));
}

/* --- revoking
 * ---------------------------------------------------------------------------------------------------------
 */

struct tree {
    int64_t account, session, grant, offline;
    struct token_text online_token, offline_token, key;
};

static void plant(struct tree *t, const char *name, int64_t client_id)
{
    t->account = account_row(name);
    t->session = session_row(t->account);
    t->grant = grant_row(t->account, client_id, t->session);
    t->offline = grant_row(t->account, client_id, 0);
    token(client_id, t->account, t->session, t->grant, &t->online_token);
    token(client_id, t->account, 0, t->offline, &t->offline_token);
    token(0, t->account, 0, 0, &t->key);
}

static void test_revoke(void)
{
    static const struct {
        const char *what;
        enum node_kind kind;
        size_t id;                 /* in struct tree */
        bool online, offline, key; /* what still lives */
    } rows[] = {
        {"grant", NODE_GRANT, offsetof(struct tree, grant), false, true, true},
        {"offline grant", NODE_GRANT, offsetof(struct tree, offline), true, false, true},
        {"session", NODE_SESSION, offsetof(struct tree, session), false, true, true},
        {"account", NODE_ACCOUNT, offsetof(struct tree, account), false, false, false},
    };
    world_op(&w, "default");
    int64_t cid = client("tree")->id;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int marked = 0; marked < 2; marked++) {
            char name[32];
            struct tree t;
            int64_t id;
            world_op(&w, "default");
            snprintf(name, sizeof(name), "p%zu.%d", i, marked);
            plant(&t, name, cid);
            CHECK(lives(&t.online_token) && lives(&t.offline_token) && lives(&t.key));
            memcpy(&id, (char *)&t + rows[i].id, sizeof(id));
            CHECK(node_revoke(world_op(&w, "default"), rows[i].kind, id, "test") == ERR_OK);
            CHECK(node_revoke(world_op(&w, "default"), rows[i].kind, id, "test") ==
                  ERR_OK); /* again changes nothing */
            if (marked)
                CHECK(dead_set_mark_some(world_op(&w, "default")) == ERR_OK);
            CHECK_ROW(lives(&t.online_token) == rows[i].online, rows[i].what);
            CHECK_ROW(lives(&t.offline_token) == rows[i].offline, rows[i].what);
            CHECK_ROW(lives(&t.key) == rows[i].key, rows[i].what);
            if (marked)
                CHECK_ROW(!dead_set_kills(w.core.dead, id, 1), rows[i].what);
        }
    CHECK(dead_set_mark_some(world_op(&w, "default")) == ERR_OK);
}

/* A restart in between: the dead set comes back from its table. */
static void test_dead_set_load(void)
{
    struct tree t;
    world_op(&w, "default");
    plant(&t, "loader", client("tree")->id);
    CHECK(node_revoke(world_op(&w, "default"), NODE_SESSION, t.session, "test") == ERR_OK);
    dead_set_free(&w.core.dead);
    w.core.dead = dead_set_new();
    CHECK(lives(&t.online_token));
    CHECK(dead_set_load(world_op(&w, "default")) == ERR_OK);
    CHECK(!lives(&t.online_token));
    CHECK(dead_set_mark_some(world_op(&w, "default")) == ERR_OK);
    CHECK(!lives(&t.online_token));
}

static err_t many_tx(struct db *db, void *ctx)
{
    struct token *t = ctx;
    for (int i = 0; i < 500; i++) {
        t->id = store_new_id(w.core.store);
        TRY(token_insert(db, t));
    }
    return ERR_OK;
}

/* 10,000 descendants: dead at once, marked in a few bounded steps. */
static void test_many(void)
{
    struct token_text text;
    world_op(&w, "default");
    int64_t cid = client("tree")->id, account = account_row("many"), session = session_row(account);
    for (int g = 0; g < 20; g++) {
        int64_t grant = grant_row(account, cid, session);
        struct token t = token(cid, account, session, grant, &text);
        CHECK(store_tx(w.core.store, many_tx, &t) == ERR_OK);
    }
    CHECK(node_revoke(world_op(&w, "default"), NODE_ACCOUNT, account, "test") == ERR_OK);
    CHECK(!lives(&text));
    CHECK(dead_set_mark_some(world_op(&w, "default")) == ERR_OK);
    CHECK(!dead_set_kills(w.core.dead, account, 1));
    CHECK(!lives(&text));
}

static err_t replay_line(void *ctx, struct str kind, int64_t tenant_id, int64_t id, int64_t cutoff_id)
{
    int *n = ctx;
    (*n)++;
    CHECK(tenant_id >= 0 && id > 0 && cutoff_id > id);
    return node_replay(&w.op, kind, tenant_id, id, cutoff_id);
}

static void test_replay(void)
{
    struct tree t;
    int lines = 0;
    world_op(&w, "default");
    plant(&t, "replay", client("tree")->id);
    int64_t cutoff = store_new_id(w.core.store);
    CHECK(node_replay(&w.op, STR("grant"), w.op.tenant->object.id, t.grant, cutoff) == ERR_OK);
    CHECK(!lives(&t.online_token) && lives(&t.offline_token));
    world_op(&w, "default");
    CHECK(store_revoked_replay(w.dir, replay_line, &lines) == ERR_OK && lines > 5);
    CHECK(node_replay(&w.op, STR("planet"), 1, 1, 2) == ERR_STORE_CORRUPT);
    CHECK(dead_set_mark_some(world_op(&w, "default")) == ERR_OK);
}

/* --- unstored JWTs
 * ------------------------------------------------------------------------------------------------------ */

static void test_claims(void)
{
    struct tree t;
    world_op(&w, "default");
    int64_t cid = client("tree")->id;
    plant(&t, "claims", cid);
    struct token c = {.kind = 'a',
                      .id = store_new_id(w.core.store),
                      .tenant_id = w.op.tenant->object.id,
                      .client_id = cid,
                      .grant_id = t.grant,
                      .expires_s = w.op.now_s + 60};
    struct token named = c, lost = c;
    named.grant_id = 0;
    named.account_id = t.account;
    lost.grant_id = 4711;
    CHECK(life_check_claims(world_op(&w, "default"), &c) == ERR_OK);
    CHECK(life_check_claims(world_op(&w, "default"), &named) == ERR_OK);
    CHECK(life_check_claims(world_op(&w, "default"), &lost) == ERR_TOKEN_INVALID);
    CHECK(node_revoke(world_op(&w, "default"), NODE_SESSION, t.session, "test") == ERR_OK);
    CHECK(life_check_claims(world_op(&w, "default"), &c) == ERR_TOKEN_INVALID);
    CHECK(dead_set_mark_some(world_op(&w, "default")) == ERR_OK);
    CHECK(life_check_claims(world_op(&w, "default"), &c) == ERR_TOKEN_INVALID);
    CHECK(node_revoke(world_op(&w, "default"), NODE_ACCOUNT, t.account, "test") == ERR_OK);
    CHECK(life_check_claims(world_op(&w, "default"), &named) == ERR_TOKEN_INVALID);
}

/* --- lists and last use
 * --------------------------------------------------------------------------------------------------- */

static void test_list(void)
{
    struct tree t;
    struct held_list l;
    struct op *op = world_op(&w, "default");
    plant(&t, "holder", client("tree")->id);
    op->actor.session_id = t.session;
    usage_touch(w.core.usage, NODE_GRANT, op->tenant->object.id, t.grant, op->now_s + 5, STR("203.0.113.9"));
    CHECK(life_list(op, t.account, &l) == ERR_OK && l.n == 3);
    if (l.n == 3) { /* the token without a client is no API key by its letter */
        CHECK(l.v[0].kind == NODE_SESSION && l.v[0].current && str_is(l.v[0].what, "browser"));
        CHECK(l.v[1].kind == NODE_GRANT && l.v[1].id == t.offline && str_is(l.v[1].what, "The tree"));
        CHECK(l.v[2].id == t.grant && l.v[2].used_s == op->now_s + 5);
    }
    CHECK(usage_flush(op) == ERR_OK);
    CHECK(usage_last(w.core.usage, t.grant) == 0);
    op = world_op(&w, "default");
    CHECK(life_list(op, t.account, &l) == ERR_OK && l.n == 3 && l.v[2].used_s == op->now_s + 5 &&
          str_is(l.v[2].ip, "203.0.113.9"));
    CHECK(node_revoke(world_op(&w, "default"), NODE_SESSION, t.session, "test") == ERR_OK);
    CHECK(life_list(world_op(&w, "default"), t.account, &l) == ERR_OK && l.n == 1);
}

static void test_usage_bound(void)
{
    struct op *op = world_op(&w, "default");
    for (int64_t i = 1; i <= LIMIT_USAGE + 1; i++)
        usage_touch(w.core.usage, NODE_TOKEN, op->tenant->object.id, i, op->now_s, STR_NONE);
    CHECK(usage_last(w.core.usage, LIMIT_USAGE) == op->now_s &&
          usage_last(w.core.usage, LIMIT_USAGE + 1) == 0);
    CHECK(usage_flush(op) == ERR_OK);
}

/* --- one-time things
 * ------------------------------------------------------------------------------------------------------ */

static struct ticket code;
static _Atomic int wins;

static err_t insert_ticket_tx(struct db *db, void *ctx)
{
    return ticket_insert(db, &code, ctx);
}

struct race {
    bool won;
    int64_t me;
};

static err_t consume_tx(struct db *db, void *ctx)
{
    struct race *r = ctx;
    return ticket_consume(db, code.tenant_id, code.id, 5, r->me, &r->won);
}

static void *consumer(void *ctx)
{
    struct race r = {.me = (int64_t)(intptr_t)ctx};
    if (store_tx(w.core.store, consume_tx, &r) == ERR_OK && r.won)
        wins++;
    return NULL;
}

static void test_ticket(void)
{
    struct token_text text, other;
    struct ticket t;
    pthread_t thread[50];
    struct op *op = world_op(&w, "default");
    code = (struct ticket){.kind = STR("code"),
                           .id = store_new_id(w.core.store),
                           .tenant_id = op->tenant->object.id,
                           .client_id = 7,
                           .created_s = op->now_s,
                           .expires_s = op->now_s + 60};
    CHECK(token_text_make(&w.core, TOKEN_CODE, code.id, &text) == ERR_OK);
    CHECK(token_text_make(&w.core, TOKEN_CODE, code.id, &other) == ERR_OK);
    CHECK(store_tx(w.core.store, insert_ticket_tx, &text) == ERR_OK);
    CHECK(ticket_find(op, w.db, TOKEN_CODE, text_of(&text), &t) == ERR_OK && t.client_id == 7 &&
          str_is(t.spec, "{}") && !t.consumed_s);
    CHECK(ticket_find(op, w.db, TOKEN_LINK, text_of(&text), &t) == ERR_NOT_FOUND);
    CHECK(ticket_find(op, w.db, TOKEN_CODE, text_of(&other), &t) == ERR_NOT_FOUND);
    for (intptr_t i = 0; i < 50; i++)
        CHECK(pthread_create(&thread[i], NULL, consumer, (void *)(i + 1)) == 0);
    for (int i = 0; i < 50; i++)
        pthread_join(thread[i], NULL);
    CHECK(wins == 1);
    CHECK(ticket_find(op, w.db, TOKEN_CODE, text_of(&text), &t) == ERR_OK && t.consumed_s == 5 &&
          t.result_id >= 1 && t.result_id <= 50);
}

/* --- expiry
 * ---------------------------------------------------------------------------------------------------------------
 */

static int64_t steady_ms; /* apart from the wall clock, for case A90 */

static int64_t steady_now(void *ctx)
{
    (void)ctx;
    return steady_ms;
}

static bool row_there(int64_t id)
{
    struct token t;
    world_op(&w, "default");
    return token_read(&w.op, w.db, id, &t) == ERR_OK;
}

static void pass_s(int64_t wall_s, int64_t real_s)
{
    w.now_ms += wall_s * 1000;
    steady_ms += real_s * 1000;
}

static void expire(void)
{
    bool more = true;
    for (int i = 0; i < 100 && more; i++)
        CHECK(life_expire(world_op(&w, "default"), 1000, &more) == ERR_OK);
    CHECK(!more);
}

static void test_expire(void)
{
    struct token_text text;
    w.clock.steady_ms = steady_now;
    w.core.expiry = expiry_new();
    world_op(&w, "default");
    int64_t cid = client("tree")->id;
    struct token first = token(cid, 0, 0, 0, &text);
    struct token many = first;
    for (int i = 0; i < 3; i++)
        CHECK(store_tx(w.core.store, many_tx, &many) == ERR_OK);
    expire();
    CHECK(row_there(first.id));
    pass_s(601, 601);
    expire();
    CHECK(!row_there(first.id) && !row_there(many.id));
}

static err_t attempts_tx(struct db *db, void *ctx)
{
    char name[32];
    int64_t n = *(int64_t *)ctx;
    for (int i = 0; i < 1200; i++) {
        snprintf(name, sizeof(name), "account:%d", i);
        TRY(db_run(db, Q_LIMITER_PUT,
                   BIND(vint(w.op.tenant->object.id), vtext(str_z(name)), vint(1), vint(n), vint(n + i % 7)),
                   NULL));
    }
    return ERR_OK;
}

static bool any(enum query q)
{
    struct rows r;
    CHECK(db_rows(w.db, q, BIND_NONE, &r) == ERR_OK);
    bool found = db_next(&r) && !db_null(&r, 0);
    CHECK(db_end(&r) == ERR_OK);
    return found;
}

/* Failed attempts are forgotten after a day; whatever has an end is gone after it. */
static void test_all_tables(void)
{
    int64_t now_s = world_op(&w, "default")->now_s;
    CHECK(store_tx(w.core.store, attempts_tx, &now_s) == ERR_OK);
    pass_s(86300, 86300);
    expire();
    CHECK(any(Q_OLDEST_LIMITER));
    pass_s(2 * 86400, 2 * 86400);
    expire();
    static const enum query oldest[] = {Q_OLDEST_LIMITER, Q_OLDEST_TOKEN, Q_OLDEST_TICKET, Q_OLDEST_SESSION,
                                        Q_OLDEST_GRANT};
    for (size_t i = 0; i < sizeof(oldest) / sizeof(oldest[0]); i++)
        CHECK(!any(oldest[i]));
}

/* Case A90: the wall clock jumps two years ahead and back; nothing that should live is deleted. */
static void test_a90(void)
{
    const int64_t years = 2 * 365 * 86400;
    struct token_text text;
    world_op(&w, "default");
    struct token t = token(client("tree")->id, 0, 0, 0, &text);
    pass_s(years, 1);
    expire();
    CHECK(row_there(t.id));
    pass_s(60, 60);
    expire();
    CHECK(row_there(t.id));
    /* a restart while the clock is wrong: doubted for an hour */
    expiry_free(&w.core.expiry);
    w.core.expiry = expiry_new();
    expire();
    CHECK(row_there(t.id));
    pass_s(-years, 0);
    expire();
    CHECK(row_there(t.id));
    CHECK(lives(&text));
    pass_s(660, 660);
    expire();
    CHECK(!row_there(t.id));
}

/* A month without power is no jump: after an hour's doubt the old rows go. */
static void test_long_stop(void)
{
    struct token_text text;
    world_op(&w, "default");
    struct token t = token(client("tree")->id, 0, 0, 0, &text);
    expire();
    expiry_free(&w.core.expiry);
    w.core.expiry = expiry_new();
    w.now_ms += 30 * 86400000LL;
    steady_ms = 1000;
    expire();
    CHECK(row_there(t.id));
    pass_s(3700, 3700);
    expire();
    CHECK(!row_there(t.id));
}

int main(void)
{
    if (!world_begin(&w))
        return 1;
    w.kinds[w.table.n++] = &kind_stub_client;
    if (!world_start(&w))
        return 1;
    test_find();
    test_client();
    test_revoke();
    test_dead_set_load();
    test_many();
    test_replay();
    test_claims();
    test_list();
    test_usage_bound();
    test_ticket();
    test_expire();
    test_a90();
    test_long_stop();
    test_all_tables();
    op_end(&w.op);
    expiry_free(&w.core.expiry);
    world_end(&w);
    return unit_end("token/life");
}
