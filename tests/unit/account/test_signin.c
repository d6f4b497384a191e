/* Signing in, limits (case A83), sessions, CSRF (A15), passwords, links (A81), API keys. */
#include "people.h"
#include <pthread.h>

static struct world w;
static char device_bytes[256];

static struct str device_of(const struct signed_in *in)
{
    memcpy(device_bytes, in->device.p, in->device.n);
    return (struct str){device_bytes, in->device.n};
}

static struct str cookie_of(const struct signed_in *in, char keep[static TOKEN_TEXT_SIZE])
{
    memcpy(keep, in->cookie.p, TOKEN_TEXT_SIZE);
    return (struct str){keep, TOKEN_TEXT_SIZE};
}

static void test_sessions(void)
{
    struct signed_in a, b;
    struct session s;
    char ca[TOKEN_TEXT_SIZE], cb[TOKEN_TEXT_SIZE];
    CHECK(sign_in(&w, "203.0.113.1", "ann", PASSWORD, STR_NONE, &a) == ERR_OK);
    struct str first = cookie_of(&a, ca);
    CHECK(sign_in(&w, "203.0.113.1", "Ann", PASSWORD, STR_NONE, &b) == ERR_OK);
    struct str second = cookie_of(&b, cb);
    CHECK(a.session.id != b.session.id && !str_eq(first, second)); /* A16 */
    struct op *op = stranger(&w, "203.0.113.1");
    CHECK(session_find(op, first, &s) == ERR_OK && s.id == a.session.id && str_is(s.amr, "pwd") &&
          str_is(s.ip, "203.0.113.1"));
    CHECK(str_is(s.agent, "Mozilla/5.0 (test)") && s.auth_s == op->now_s);
    CHECK(session_find(op, STR(""), &s) == ERR_UNAUTHENTICATED);
    ca[20] = ca[20] == 'x' ? 'y' : 'x';
    CHECK(session_find(stranger(&w, ""), first, &s) == ERR_UNAUTHENTICATED);
    CHECK(session_end(stranger(&w, ""), b.session.id) == ERR_OK);
    CHECK(session_find(stranger(&w, ""), second, &s) == ERR_UNAUTHENTICATED);
    first = cookie_of(&a, ca);
    CHECK(session_find(stranger(&w, ""), first, &s) == ERR_OK);
    CHECK(audit_count(&w, "signin.ok") == 2 && audit_count(&w, "signout") == 1);
    /* idle: each use moves the end, the absolute end stays */
    int64_t idle_s = w.op.tenant->spec->session_idle_s, life_s = w.op.tenant->spec->session_life_s;
    CHECK(idle_s > 0 && life_s > idle_s);
    w.now_ms += (idle_s - 10) * 1000;
    CHECK(session_find(stranger(&w, ""), first, &s) == ERR_OK);
    CHECK(usage_flush(world_op(&w, "default")) == ERR_OK);
    w.now_ms += (idle_s - 10) * 1000;
    CHECK(session_find(stranger(&w, ""), first, &s) == ERR_OK);
    w.now_ms += idle_s * 1000;
    CHECK(session_find(stranger(&w, ""), first, &s) == ERR_UNAUTHENTICATED);
    CHECK(sign_in(&w, "203.0.113.1", "ann", PASSWORD, STR_NONE, &a) == ERR_OK);
    first = cookie_of(&a, ca);
    int64_t turns = life_s / (idle_s - 10) + 1;
    bool ended = false;
    for (int64_t i = 0; i < turns && !ended; i++) {
        w.now_ms += (idle_s - 10) * 1000;
        ended = session_find(stranger(&w, ""), first, &s) != ERR_OK;
    }
    CHECK(ended);
}

static void test_unknown(void)
{
    struct signed_in in;
    CHECK(sign_in(&w, "203.0.113.2", "nobody-here", PASSWORD, STR_NONE, &in) == ERR_PASSWORD_WRONG);
    struct fault unknown = w.op.fault;
    CHECK(sign_in(&w, "203.0.113.2", "ann", "not the right one", STR_NONE, &in) == ERR_PASSWORD_WRONG);
    CHECK(memcmp(unknown.detail, w.op.fault.detail, sizeof(unknown.detail)) == 0 &&
          unknown.code == w.op.fault.code); /* A38 */
    CHECK(sign_in(&w, "203.0.113.2", "robot", "anything at all", STR_NONE, &in) == ERR_PASSWORD_WRONG);
    CHECK(sign_in(&w, "203.0.113.2", "blank", "", STR_NONE, &in) == ERR_PASSWORD_WRONG);
    w.now_ms += 100000000;
}

/* Five free, then each wait twice as long; the known browser of the person is let in all the same. */
static void test_a83(void)
{
    struct signed_in in, other;
    CHECK(sign_in(&w, "203.0.113.3", "ann", PASSWORD, STR_NONE, &in) == ERR_OK);
    struct str device = device_of(&in);
    for (int i = 0; i < 5; i++)
        CHECK(sign_in(&w, "198.51.100.1", "ann", "a wrong guess", STR_NONE, &in) == ERR_PASSWORD_WRONG);
    CHECK(audit_count(&w, "signin.limited") == 1);
    int64_t waited = 0;
    for (int i = 0; i < 12; i++) {
        CHECK(sign_in(&w, "198.51.100.2", "ann", PASSWORD, STR_NONE, &in) == ERR_LIMITED &&
              w.op.fault.retry_s > 0);
        CHECK(strstr(w.op.fault.detail, "second") != NULL);
        int64_t wait = w.op.fault.retry_s;
        CHECK(wait >= waited && wait <= 901);
        waited = wait;
        CHECK(sign_in(&w, "198.51.100.2", "ann", "a wrong guess", device, &other) ==
              (i < 5 ? ERR_PASSWORD_WRONG : ERR_LIMITED));
        if (i < 5)
            CHECK(sign_in(&w, "198.51.100.2", "ann", PASSWORD, device, &other) ==
                  ERR_OK); /* resets its own counter */
        w.now_ms += wait * 1000;
        if (i == 4) { /* now fill the known browser's own counter */
            for (int k = 0; k < 5; k++)
                CHECK(sign_in(&w, "198.51.100.2", "ann", "a wrong guess", device, &other) ==
                      ERR_PASSWORD_WRONG);
            CHECK(sign_in(&w, "198.51.100.2", "ann", PASSWORD, device, &other) == ERR_LIMITED);
        }
        if (i >= 5)
            break;
        CHECK(sign_in(&w, "198.51.100.2", "ann", "a wrong guess", STR_NONE, &in) == ERR_PASSWORD_WRONG);
    }
    CHECK(waited >= 17);
    CHECK(audit_count(&w, "signin.unlimited") > 0);
    /* another person from the same place is not slowed; a device of another account is none */
    CHECK(sign_in(&w, "198.51.100.2", "eve", PASSWORD, STR_NONE, &in) == ERR_OK);
    w.now_ms += 1000 * 1000;
    CHECK(sign_in(&w, "198.51.100.9", "ann", PASSWORD, device_of(&in), &in) == ERR_OK);
    w.now_ms += 100000000;
}

/* The limits of the address, the subnet: names differ, so that no person's counter is full. */
static void test_network(void)
{
    char name[32], peer[32];
    int limited_at = -1, wide_at = -1;
    struct limiter_try t = {0};
    for (int i = 0; i < 60 && limited_at < 0; i++) {
        struct op *op = stranger(&w, "192.0.2.1");
        snprintf(name, sizeof(name), "n%d", i);
        t.name = str_z(name);
        if (limiter_check(op, &t) == ERR_LIMITED)
            limited_at = i;
    }
    CHECK(limited_at == 50);
    for (int i = 0; i < 250 && wide_at < 0; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        snprintf(peer, sizeof(peer), "192.0.2.%d", 2 + i % 200);
        struct op *op = stranger(&w, peer);
        t.name = str_z(name);
        if (limiter_check(op, &t) == ERR_LIMITED)
            wide_at = i;
    }
    CHECK(wide_at == 150);
    CHECK(limiter_check(stranger(&w, "192.0.3.1"), &t) == ERR_OK);
    w.now_ms += 601 * 1000;
    CHECK(limiter_check(stranger(&w, "192.0.2.1"), &t) == ERR_OK);
    w.now_ms += 100000000;
}

static _Atomic int passed;

static void *guesser(void *ctx)
{
    struct db *db = NULL;
    struct arena *a = arena_new(1 << 20);
    struct op op;
    (void)ctx;
    if (db_open(w.core.store, 64, &db) == ERR_OK) {
        op_begin(&op, &w.core, db, a);
        struct limiter_try t = {.name = STR("in-parallel")};
        if (tenant_use(&op, STR("default")) == ERR_OK && limiter_check(&op, &t) == ERR_OK)
            passed++;
        op_end(&op);
    }
    db_close(&db);
    arena_free(&a);
    return NULL;
}

/* Fifty guesses at the same moment are not fifty free guesses. */
static void test_parallel(void)
{
    pthread_t thread[50];
    for (int i = 0; i < 50; i++)
        CHECK(pthread_create(&thread[i], NULL, guesser, NULL) == 0);
    for (int i = 0; i < 50; i++)
        pthread_join(thread[i], NULL);
    CHECK(passed == 5);
    w.now_ms += 100000000;
}

static void test_rehash(void)
{
    struct signed_in in;
    struct account a;
    CHECK(put_account(&w, &kind_user,
                      "{'username':'old','password_hash':'{SSHA}I7fltKyQi9EedPLkVZ2/+QYni19zYWx0c2FsdA=='}",
                      OBJECT_CREATE, NULL) == ERR_OK);
    CHECK(sign_in(&w, "203.0.113.4", "old", "not the password", STR_NONE, &in) == ERR_PASSWORD_WRONG);
    CHECK(account_by_name(world_op(&w, "default"), STR("old"), &a) == ERR_OK &&
          str_starts(a.password_hash, STR("{SSHA}")));
    CHECK(sign_in(&w, "203.0.113.4", "old", "legacy secret one", STR_NONE, &in) == ERR_OK);
    CHECK(account_by_name(world_op(&w, "default"), STR("old"), &a) == ERR_OK &&
          str_starts(a.password_hash, STR("$argon2id$")));
    CHECK(sign_in(&w, "203.0.113.4", "old", "legacy secret one", STR_NONE, &in) == ERR_OK);
}

static void test_csrf(void)
{
    struct op *op = stranger(&w, "");
    char kept[32] = "";
    struct str t = csrf_make(op, "signin", STR("browser-a"));
    CHECK(t.n == 32 && csrf_check(op, "signin", STR("browser-a"), t) == ERR_OK);
    memcpy(kept, t.p, sizeof(kept));
    t.p = kept;
    static const struct {
        const char *purpose, *secret;
    } rows[] = {{"signin", "browser-b"}, {"consent", "browser-a"}, {"signin", ""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(csrf_check(stranger(&w, ""), rows[i].purpose, str_z(rows[i].secret), t) == ERR_CSRF,
                  rows[i].secret);
    op = stranger(&w, "");
    CHECK(csrf_check(op, "signin", STR("browser-a"), STR_NONE) == ERR_CSRF);
    CHECK(csrf_check(op, "signin", STR_NONE, csrf_make(op, "signin", STR_NONE)) == ERR_CSRF);
}

static int64_t id_of(const char *name)
{
    struct account a = {0};
    CHECK(account_by_name(world_op(&w, "default"), str_z(name), &a) == ERR_OK);
    return a.id;
}

static void test_password_change(void)
{
    struct signed_in here, there;
    struct session s;
    char ch[TOKEN_TEXT_SIZE], ct[TOKEN_TEXT_SIZE];
    CHECK(sign_in(&w, "203.0.113.6", "eve", PASSWORD, STR_NONE, &here) == ERR_OK);
    struct str h = cookie_of(&here, ch);
    CHECK(sign_in(&w, "203.0.113.7", "eve", PASSWORD, STR_NONE, &there) == ERR_OK);
    struct str t = cookie_of(&there, ct);
    int64_t eve = id_of("eve");
    CHECK(password_change(stranger(&w, ""), eve, STR("wrong one here"), STR("the new password"),
                          here.session.id) == ERR_PASSWORD_WRONG);
    CHECK(password_change(stranger(&w, ""), eve, STR(PASSWORD), STR("short"), here.session.id) ==
          ERR_PARAM_BAD);
    CHECK(password_change(stranger(&w, ""), eve, STR(PASSWORD), STR(PASSWORD), here.session.id) ==
          ERR_PARAM_BAD);
    CHECK(session_find(stranger(&w, ""), t, &s) == ERR_OK);
    CHECK(password_change(stranger(&w, ""), eve, STR(PASSWORD), STR("the new password"), here.session.id) ==
          ERR_OK);
    CHECK(session_find(stranger(&w, ""), h, &s) == ERR_OK);
    CHECK(session_find(stranger(&w, ""), t, &s) == ERR_UNAUTHENTICATED);
    CHECK(sign_in(&w, "203.0.113.6", "eve", PASSWORD, STR_NONE, &there) == ERR_PASSWORD_WRONG);
    CHECK(sign_in(&w, "203.0.113.6", "eve", "the new password", STR_NONE, &there) == ERR_OK);
    w.now_ms += 2000;
}

/* More sessions than one transaction ends. */
static void test_many_sessions(void)
{
    struct account a;
    struct signed_in in;
    struct held_list l;
    CHECK(account_by_name(world_op(&w, "default"), STR("eve"), &a) == ERR_OK);
    int64_t keep = 0;
    for (int i = 0; i < LIMIT_ONLINE_KILL * 2 + 3; i++) {
        CHECK(account_by_name(stranger(&w, ""), STR("eve"), &a) == ERR_OK);
        CHECK(session_open(&w.op, &a, "pwd", &in) == ERR_OK);
        keep = in.session.id;
    }
    CHECK(password_change(stranger(&w, ""), a.id, STR("the new password"), STR("the next password"), keep) ==
          ERR_OK);
    CHECK(life_list(world_op(&w, "default"), a.id, &l) == ERR_OK && l.n == 1 && l.v[0].id == keep);
    w.now_ms += 2000;
}

static struct str token_of(struct str url)
{
    struct str mark = STR("/link/");
    for (size_t i = 0; i + mark.n < url.n; i++)
        if (memcmp(url.p + i, mark.p, mark.n) == 0)
            return (struct str){url.p + i + mark.n, url.n - i - mark.n};
    return STR_NONE;
}

static err_t make_link(const char *purpose, int64_t account_id, char ret[static TOKEN_TEXT_SIZE + 1])
{
    struct str url;
    TRY(link_make(world_op(&w, "default"), purpose, account_id, &url));
    CHECK(str_starts(url, STR("https://id.example/link/merl_")));
    struct str t = token_of(url);
    CHECK(t.n == TOKEN_TEXT_SIZE);
    memcpy(ret, t.p, t.n);
    ret[t.n] = '\0';
    return ERR_OK;
}

static void test_links(void)
{
    char a[TOKEN_TEXT_SIZE + 1], b[TOKEN_TEXT_SIZE + 1];
    struct ticket t;
    struct signed_in in;
    int64_t who, eve = id_of("eve");
    CHECK(make_link("reset", eve, a) == ERR_OK && make_link("reset", eve, b) == ERR_OK);
    CHECK(make_link("first_admin", eve, b) == ERR_PARAM_BAD);
    CHECK(make_link("reset", 0, b) == ERR_NOT_FOUND);
    CHECK(make_link("reset", id_of("robot"), b) == ERR_CONFLICT);
    CHECK(make_link("reset", eve, b) == ERR_OK);
    w.now_ms += 2000;
    CHECK(link_open(stranger(&w, ""), str_z(a), &t) == ERR_OK && t.account_id == eve &&
          str_is(t.kind, "reset"));
    CHECK(link_use(stranger(&w, ""), str_z(a), STR_NONE, STR("short"), &who) == ERR_PARAM_BAD);
    CHECK(link_use(stranger(&w, ""), str_z(a), STR_NONE, STR("by link, a long one"), &who) == ERR_OK &&
          who == eve);
    CHECK(link_use(stranger(&w, ""), str_z(a), STR_NONE, STR("by link, another one"), &who) == ERR_LINK_DEAD);
    CHECK(link_open(stranger(&w, ""), str_z(a), &t) == ERR_LINK_DEAD);
    CHECK(link_open(stranger(&w, ""), str_z(b), &t) ==
          ERR_LINK_DEAD); /* made before the password that the first one set */
    CHECK(sign_in(&w, "", "eve", "by link, a long one", STR_NONE, &in) == ERR_OK);
    w.now_ms += 2000;
    CHECK(make_link("reset", eve, a) == ERR_OK);
    w.now_ms += 86399 * 1000LL;
    CHECK(link_open(stranger(&w, ""), str_z(a), &t) == ERR_OK);
    w.now_ms += 1000;
    CHECK(link_open(stranger(&w, ""), str_z(a), &t) == ERR_LINK_DEAD);
    a[30] ^= 1;
    CHECK(link_open(stranger(&w, ""), str_z(a), &t) == ERR_LINK_DEAD);
    CHECK(make_link("reset", eve, a) == ERR_OK);
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_user, STR("eve"), true) == ERR_OK);
    CHECK(link_open(stranger(&w, ""), str_z(a), &t) == ERR_LINK_DEAD);
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_user, STR("eve"), false) == ERR_OK);
    CHECK(link_open(stranger(&w, ""), str_z(a), &t) == ERR_LINK_DEAD);
}

static void test_first_admin(void)
{
    char a[TOKEN_TEXT_SIZE + 1], b[TOKEN_TEXT_SIZE + 1];
    struct account acc;
    int64_t who;
    CHECK(link_make(stranger(&w, ""), "first_admin", 0, &(struct str){0}) == ERR_FORBIDDEN);
    CHECK(make_link("first_admin", 0, a) == ERR_OK && make_link("first_admin", 0, b) == ERR_OK);
    CHECK(link_use(stranger(&w, ""), str_z(a), STR("ann"), STR("a long first password"), &who) ==
          ERR_CONFLICT);
    CHECK(link_use(stranger(&w, ""), str_z(a), STR("no good name"), STR("a long first password"), &who) ==
          ERR_PARAM_BAD);
    CHECK(link_use(stranger(&w, ""), str_z(a), STR("Root.Admin"), STR("a long first password"), &who) ==
          ERR_OK);
    CHECK(account_by_id(world_op(&w, "default"), who, &acc) == ERR_OK && str_is(acc.username, "root.admin"));
    CHECK(strs_has(account_permissions(&w.op, &acc), STR("operator")));
    CHECK(link_use(stranger(&w, ""), str_z(b), STR("second"), STR("a long first password"), &who) ==
          ERR_LINK_DEAD);
    CHECK(make_link("first_admin", 0, b) == ERR_OK);
    w.now_ms += 900 * 1000;
    CHECK(link_use(stranger(&w, ""), str_z(b), STR("second"), STR("a long first password"), &who) ==
          ERR_LINK_DEAD);
}

static void test_keys(void)
{
    struct token_text text;
    struct token t;
    struct actor actor;
    int64_t id, expires_s;
    static const struct str read_only[] = {{"audit.read", 10}};
    static const struct str too_much[] = {{"user.write", 10}};
    int64_t ann = id_of("ann");
    struct apikey_request r = {.name = STR("nightly")};
    CHECK(apikey_issue(world_op(&w, "default"), ann, &r, &text, &id, &expires_s) == ERR_OK &&
          text.p[3] == 'p' && expires_s == w.op.now_s + 90 * 86400);
    struct op *op = stranger(&w, "");
    CHECK(token_find(op, (struct str){text.p, TOKEN_TEXT_SIZE}, &t) == ERR_OK &&
          life_check(op, &t) == ERR_OK);
    CHECK(apikey_actor(op, &t, &actor) == ERR_OK && str_is(actor.name, "ann") &&
          strs_has(actor.permissions, STR("audit.read")) && actor.token_id == id);
    r.permissions = (struct strs){too_much, 1};
    CHECK(apikey_issue(world_op(&w, "default"), ann, &r, &text, &id, &expires_s) == ERR_PARAM_BAD);
    r.permissions = (struct strs){read_only, 1};
    r.life_s = 366 * 86400 + 1;
    CHECK(apikey_issue(world_op(&w, "default"), ann, &r, &text, &id, &expires_s) == ERR_PARAM_BAD);
    r.life_s = 366 * 86400;
    CHECK(apikey_issue(world_op(&w, "default"), ann, &r, &text, &id, &expires_s) == ERR_OK);
    op = stranger(&w, "");
    CHECK(token_find(op, (struct str){text.p, TOKEN_TEXT_SIZE}, &t) == ERR_OK &&
          apikey_actor(op, &t, &actor) == ERR_OK && actor.permissions.n == 1);
    /* what the account loses, the key loses */
    CHECK(put_account(&w, &kind_user, "{'username':'ann','roles':[]}", OBJECT_UPDATE, NULL) == ERR_OK);
    op = stranger(&w, "");
    CHECK(token_find(op, (struct str){text.p, TOKEN_TEXT_SIZE}, &t) == ERR_OK &&
          apikey_actor(op, &t, &actor) == ERR_OK && actor.permissions.n == 0);
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_user, STR("ann"), true) == ERR_OK);
    op = stranger(&w, "");
    CHECK(token_find(op, (struct str){text.p, TOKEN_TEXT_SIZE}, &t) == ERR_OK &&
          life_check(op, &t) == ERR_TOKEN_INVALID);
    op = stranger(&w, "");
    CHECK(apikey_actor(op, &t, &actor) == ERR_TOKEN_INVALID);
    r = (struct apikey_request){.name = STR("x")};
    CHECK(apikey_issue(world_op(&w, "default"), ann, &r, &text, &id, &expires_s) == ERR_CONFLICT);
    CHECK(apikey_issue(stranger(&w, ""), id_of("eve"), &r, &text, &id, &expires_s) == ERR_FORBIDDEN);
    int64_t robot = id_of("robot");
    for (int i = 0; i <= LIMIT_API_KEYS; i++)
        CHECK((apikey_issue(world_op(&w, "default"), robot, &r, &text, &id, &expires_s) == ERR_OK) ==
              (i < LIMIT_API_KEYS));
    CHECK(text.p[3] == 'm');
}

int main(void)
{
    if (!people_begin(&w))
        return 1;
    CHECK(put_account(&w, &kind_user, "{'username':'ann','password':'" PASSWORD "','roles':['auditor']}",
                      OBJECT_CREATE, NULL) == ERR_OK);
    CHECK(put_account(&w, &kind_user, "{'username':'eve','password':'" PASSWORD "'}", OBJECT_CREATE, NULL) ==
          ERR_OK);
    CHECK(put_account(&w, &kind_user, "{'username':'blank'}", OBJECT_CREATE, NULL) == ERR_OK);
    CHECK(put_account(&w, &kind_service_account, "{'username':'robot','owner':'ann'}", OBJECT_CREATE, NULL) ==
          ERR_OK);
    test_sessions();
    test_unknown();
    test_a83();
    test_network();
    test_parallel();
    test_rehash();
    test_csrf();
    test_password_change();
    test_many_sessions();
    test_links();
    test_first_admin();
    test_keys();
    int64_t rows;
    CHECK(audit_verify(world_op(&w, "default"), NULL, NULL, &rows) == ERR_OK && rows > 100);
    world_end(&w);
    return unit_end("account/signin");
}
