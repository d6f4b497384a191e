/* The kinds "user" and "service-account": checks, passwords at creation, finding, listing, changing,
 * removing. */
#include "people.h"

static struct world w;

static void test_checks(void)
{
    static const struct {
        const char *doc, *param;
        err_t want;
    } rows[] = {
        {"{'username':'ann','password':'" PASSWORD "','email':'Ann@Example.COM','roles':['auditor']}", "",
         ERR_OK},
        {"{'username':'bob','email':'bob@example.com'}", "", ERR_OK},
        {"{'username':'Carol'}", "", ERR_OK},
        {"{'username':'ANN'}", "username", ERR_CONFLICT},
        {"{'username':'a b'}", "username", ERR_PARAM_BAD},
        {"{'username':''}", "username", ERR_PARAM_BAD},
        {"{'password':'" PASSWORD "'}", "username", ERR_PARAM_MISSING},
        {"{'username':'x1','email':'no address'}", "email", ERR_PARAM_BAD},
        {"{'username':'x1','email':'a@b@c'}", "email", ERR_PARAM_BAD},
        {"{'username':'x1','email':'@b'}", "email", ERR_PARAM_BAD},
        {"{'username':'x1','email':'a@'}", "email", ERR_PARAM_BAD},
        {"{'username':'x1','email':'a@b\\r\\nBcc: c@d'}", "email", ERR_PARAM_BAD},
        {"{'username':'x1','name':'line\\nbreak'}", "name", ERR_PARAM_BAD},
        {"{'username':'x1','locale':'de_AT!'}", "locale", ERR_PARAM_BAD},
        {"{'username':'x1','roles':['nobody-knows-it']}", "roles", ERR_PARAM_BAD},
        {"{'username':'x1','password':'short'}", "password", ERR_PARAM_BAD},
        {"{'username':'x1','password':'123456789'}", "password", ERR_PARAM_BAD},
        {"{'username':'x1','password':'Password123'}", "password", ERR_PARAM_BAD},
        {"{'username':'x1','password':'aaaaaaaaaaaaaaa'}", "password", ERR_PARAM_BAD},
        {"{'username':'longer-name','password':'Longer-Name'}", "password", ERR_PARAM_BAD},
        {"{'username':'x1','password_hash':'$9$what'}", "password_hash", ERR_PARAM_BAD},
        {"{'username':'x1','password':'" PASSWORD "','password_hash':'{SSHA}x'}", "password_hash",
         ERR_PARAM_BAD},
        {"{'username':'x1','unknown':1}", "unknown", ERR_PARAM_BAD},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        err_t e = put_account(&w, &kind_user, rows[i].doc, OBJECT_CREATE, NULL);
        CHECK_ROW(rows[i].want == ERR_OK ? e == ERR_OK : e != ERR_OK && err_http(e) == err_http(rows[i].want),
                  rows[i].doc);
        CHECK_ROW(strcmp(w.op.fault.param, rows[i].param) == 0, rows[i].doc);
    }
}

static void test_password_limits(void)
{
    char longest[LIMIT_PASSWORD + 2];
    struct op *op = world_op(&w, "default");
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = (char)('d' + i % 21);
    CHECK(password_check_new(op, (struct str){longest, LIMIT_PASSWORD}, "p") == ERR_OK);
    CHECK(password_check_new(op, (struct str){longest, LIMIT_PASSWORD + 1}, "p") == ERR_PARAM_LONG);
    CHECK(password_check_new(op, (struct str){longest, LIMIT_PASSWORD_MIN}, "p") == ERR_OK);
    CHECK(password_check_new(op, (struct str){longest, LIMIT_PASSWORD_MIN - 1}, "p") == ERR_PARAM_BAD);
    CHECK(password_check_new(op, STR("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6"), "p") ==
          ERR_PARAM_BAD); /* five characters in ten bytes */
    CHECK(password_check_new(op, STR("\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff"), "p") == ERR_PARAM_BAD);
}

static void test_finding(void)
{
    struct account a, b;
    struct op *op = world_op(&w, "default");
    CHECK(account_by_name(op, STR("ann"), &a) == ERR_OK && str_is(a.username, "ann") &&
          str_is(a.email, "ann@example.com"));
    CHECK(account_by_name(op, STR("Ann"), &b) == ERR_OK && b.id == a.id);
    CHECK(account_by_name(op, STR("ANN@example.com"), &b) == ERR_OK && b.id == a.id);
    CHECK(account_by_id(op, a.id, &b) == ERR_OK && b.id == a.id && b.type == ACCOUNT_PERSON);
    CHECK(a.password_hash.n > 0 && str_starts(a.password_hash, STR("$argon2id$")));
    struct strs p = account_permissions(op, &a);
    CHECK(strs_has(p, STR("audit.read")) && !strs_has(p, STR("user.write")));
    CHECK(account_by_name(op, STR("nobody"), &b) == ERR_NOT_FOUND);
    CHECK(account_by_name(op, STR(""), &b) == ERR_NOT_FOUND);
    /* an address that two have is nobody's */
    CHECK(put_account(&w, &kind_user, "{'username':'ann2','email':'ann@example.com'}", OBJECT_CREATE, NULL) ==
          ERR_OK);
    CHECK(account_by_name(world_op(&w, "default"), STR("ann@example.com"), &b) == ERR_NOT_FOUND);
    /* unless one of them has it verified, which no second one can */
    CHECK(put_account(&w, &kind_user, "{'username':'ann','email_verified':true}", OBJECT_UPDATE, NULL) == ERR_OK);
    CHECK(account_by_name(world_op(&w, "default"), STR("ann@example.com"), &b) == ERR_OK && b.id == a.id);
    CHECK(put_account(&w, &kind_user, "{'username':'ann2','email_verified':true}", OBJECT_UPDATE, NULL) == ERR_CONFLICT);
    CHECK(put_account(&w, &kind_user, "{'username':'ann3','email':'ann@example.com','name':'\\'email_verified\\':true'}",
                      OBJECT_CREATE, NULL) == ERR_OK);
    CHECK(account_by_name(world_op(&w, "default"), STR("ann@example.com"), &b) == ERR_OK && b.id == a.id);
    CHECK(object_remove(world_op(&w, "default"), &kind_user, STR("ann3")) == ERR_OK);
    CHECK(put_account(&w, &kind_user, "{'username':'ann','email_verified':false}", OBJECT_UPDATE, NULL) == ERR_OK);
    CHECK(account_by_name(world_op(&w, "default"), STR("ann@example.com"), &b) == ERR_NOT_FOUND);
    /* and a name that is another's address comes first */
    CHECK(put_account(&w, &kind_user, "{'username':'bob@example.com'}", OBJECT_CREATE, NULL) == ERR_OK);
    CHECK(account_by_name(world_op(&w, "default"), STR("bob@example.com"), &b) == ERR_OK &&
          str_is(b.username, "bob@example.com"));
}

static void test_change(void)
{
    struct account before, after;
    bool changed;
    CHECK(account_by_name(world_op(&w, "default"), STR("ann"), &before) == ERR_OK);
    char hash[256];
    snprintf(hash, sizeof(hash), "%.*s", STR_ARG(before.password_hash));
    /* the password of the file is ignored once there is one */
    CHECK(put_account(&w, &kind_user, "{'username':'ann','password':'quite another one'}", OBJECT_UPDATE,
                      &changed) == ERR_OK &&
          !changed);
    CHECK(put_account(&w, &kind_user, "{'username':'ann','name':'Ann'}", OBJECT_UPDATE, &changed) == ERR_OK &&
          changed);
    CHECK(account_by_name(world_op(&w, "default"), STR("ann"), &after) == ERR_OK &&
          str_is(after.password_hash, hash));
    CHECK(str_is(after.spec.name, "Ann") && after.version > 1);
    CHECK(put_account(&w, &kind_user, "{'username':'Ann','name':'Ann'}", OBJECT_UPDATE, &changed) == ERR_OK &&
          !changed);
    /* none yet: the first one is taken */
    CHECK(put_account(&w, &kind_user, "{'username':'bob','password':'" PASSWORD "'}", OBJECT_UPDATE,
                      &changed) == ERR_OK &&
          changed);
    CHECK(account_by_name(world_op(&w, "default"), STR("bob"), &after) == ERR_OK && after.password_hash.n &&
          after.password_s);
    CHECK(put_account(&w, &kind_service_account, "{'username':'ann'}", OBJECT_CREATE, NULL) != ERR_OK);
}

static void test_list(void)
{
    struct object_page page;
    static const struct {
        const char *search;
        size_t n;
    } rows[] = {{"", 5}, {"ann", 2}, {"EXAMPLE", 4}, {"%", 0}, {"_", 0}, {"\\", 0}, {"carol", 1}, {"zzz", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct object_query q = {.search = rows[i].search[0] ? str_z(rows[i].search) : STR_NONE, .limit = 50};
        CHECK_ROW(object_list(world_op(&w, "default"), &kind_user, &q, &page) == ERR_OK &&
                      page.n == rows[i].n,
                  rows[i].search);
    }
    struct object_query q = {.limit = 2};
    CHECK(object_list(world_op(&w, "default"), &kind_user, &q, &page) == ERR_OK && page.n == 2 && page.more &&
          str_is(page.v[0]->name, "ann"));
    q.after = STR("bob@example.com");
    CHECK(object_list(world_op(&w, "default"), &kind_user, &q, &page) == ERR_OK && page.n == 1 &&
          !page.more && str_is(page.v[0]->name, "carol"));
}

/* Who may write accounts makes nobody mightier than himself, and touches nobody who is. */
static void test_escalation(void)
{
    struct account clerk;
    CHECK(put_account(&w, &kind_user,
                      "{'username':'boss','roles':['admin','operator'],'password':'" PASSWORD "'}",
                      OBJECT_CREATE, NULL) == ERR_OK);
    CHECK(put_account(&w, &kind_role, "{'name':'clerk','permissions':['user.read','user.write']}",
                      OBJECT_CREATE, NULL) == ERR_OK);
    CHECK(put_account(&w, &kind_user, "{'username':'clerk','roles':['clerk']}", OBJECT_CREATE, NULL) ==
          ERR_OK);
    static const struct {
        const char *doc;
        bool may;
    } rows[] = {
        {"{'username':'new','roles':['clerk']}", true},
        {"{'username':'new','roles':['admin']}", false},
        {"{'username':'clerk','roles':['clerk','operator']}", false},
        {"{'username':'boss','name':'x'}", false},
        {"{'username':'boss','roles':[]}", false},
        {"{'username':'carol','name':'C'}", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct op *op = world_op(&w, "default");
        CHECK(account_by_name(op, STR("clerk"), &clerk) == ERR_OK);
        op->actor = (struct actor){.kind = ACTOR_PERSON,
                                   .id = clerk.id,
                                   .name = clerk.username,
                                   .tenant_id = op->tenant->object.id,
                                   .permissions = account_permissions(op, &clerk)};
        err_t e = object_put(op, &kind_user, world_json(&w, rows[i].doc), OBJECT_UPSERT, MANAGED_API, 0, "",
                             NULL, NULL);
        CHECK_ROW(e == (rows[i].may ? ERR_OK : ERR_FORBIDDEN), rows[i].doc);
        struct str url;
        struct account boss;
        CHECK(account_by_name(op, STR("boss"), &boss) == ERR_OK);
        CHECK(link_make(op, "reset", boss.id, &url) == ERR_FORBIDDEN);
        CHECK(object_remove(op, &kind_user, STR("boss")) == ERR_FORBIDDEN);
    }
}

static void test_disable_and_remove(void)
{
    struct signed_in in;
    struct session s;
    char cookie[TOKEN_TEXT_SIZE];
    CHECK(sign_in(&w, "203.0.113.1", "ann", PASSWORD, STR_NONE, &in) == ERR_OK);
    memcpy(cookie, in.cookie.p, sizeof(cookie));
    struct str text = {cookie, sizeof(cookie)};
    CHECK(session_find(stranger(&w, "203.0.113.1"), text, &s) == ERR_OK);
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_user, STR("ann"), true) == ERR_OK);
    CHECK(session_find(stranger(&w, "203.0.113.1"), text, &s) == ERR_UNAUTHENTICATED);
    CHECK(sign_in(&w, "203.0.113.1", "ann", PASSWORD, STR_NONE, &in) == ERR_PASSWORD_WRONG);
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_user, STR("ann"), false) == ERR_OK);
    CHECK(session_find(stranger(&w, "203.0.113.1"), text, &s) == ERR_UNAUTHENTICATED);
    CHECK(sign_in(&w, "203.0.113.1", "ann", PASSWORD, STR_NONE, &in) == ERR_OK);
    memcpy(cookie, in.cookie.p, sizeof(cookie));
    CHECK(object_remove(world_op(&w, "default"), &kind_user, STR("ann")) == ERR_OK);
    CHECK(session_find(stranger(&w, "203.0.113.1"), text, &s) == ERR_UNAUTHENTICATED);
    CHECK(dead_set_mark_some(world_op(&w, "default")) == ERR_OK);
    CHECK(session_find(stranger(&w, "203.0.113.1"), text, &s) == ERR_UNAUTHENTICATED);
}

int main(void)
{
    if (!people_begin(&w))
        return 1;
    test_checks();
    test_password_limits();
    test_finding();
    test_change();
    test_list();
    test_escalation();
    test_disable_and_remove();
    world_end(&w);
    return unit_end("account/account");
}
