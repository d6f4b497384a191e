/* Refresh rotation (A32 to A36, R1, R2) and what ends a grant: the same successor within the grace window,
 * the family dead after it, and nobody served whose session, account, client or resource is gone. */
#include "flow.h"
#include <pthread.h>

#define CALLERS 50

static void wait_s(struct flow *f, int64_t s)
{
    f->w.now_ms += s * 1000;
}

static void test_rotation(struct flow *f)
{
    char first[TOKEN_TEXT_SIZE + 1], second[TOKEN_TEXT_SIZE + 1], access[LIMIT_JWT];
    CHECK(flow_grant(f, "orders.read profile") == ERR_OK && f->refresh[0]);
    strcpy(first, f->refresh);
    CHECK(flow_refresh(f, first, NULL) == ERR_OK && strcmp(first, f->refresh) != 0 &&
          strcmp(f->scope, "orders.read profile") == 0);
    strcpy(second, f->refresh);
    strcpy(access, f->access);
    wait_s(f, 20);
    CHECK(flow_refresh(f, first, NULL) == ERR_OK && strcmp(second, f->refresh) == 0 &&
          strcmp(access, f->access) != 0);
    CHECK(flow_alive(f, access, "web") && flow_alive(f, f->access, "web") && !flow_alive(f, first, "web"));
    CHECK(flow_refresh(f, second, "profile") == ERR_OK && strcmp(f->scope, "profile") == 0);
    CHECK(flow_refresh(f, f->refresh, "orders.read") == ERR_OK && strcmp(f->scope, "orders.read") == 0);
    strcpy(access, f->access);
    strcpy(second, f->refresh);
    CHECK(flow_refresh(f, second, "orders.read admin") == ERR_SCOPE_INVALID);
    CHECK(flow_refresh(f, second, "offline_access") == ERR_SCOPE_INVALID);
    wait_s(f, 1);
    CHECK(flow_refresh(f, first, NULL) == ERR_GRANT_INVALID); /* past the window: stolen (A33) */
    CHECK(!flow_alive(f, access, "web") && flow_refresh(f, second, NULL) == ERR_GRANT_INVALID);
}

static void test_grace_uses(struct flow *f)
{
    char first[TOKEN_TEXT_SIZE + 1];
    CHECK(flow_grant(f, "profile") == ERR_OK);
    strcpy(first, f->refresh);
    CHECK(flow_refresh(f, first, NULL) == ERR_OK);
    for (int i = 0; i < LIMIT_REFRESH_GRACE_USES; i++)
        CHECK(flow_refresh(f, first, NULL) == ERR_OK);
    char second[TOKEN_TEXT_SIZE + 1];
    strcpy(second, f->refresh);
    CHECK(flow_refresh(f, first, NULL) == ERR_GRANT_INVALID);
    CHECK(flow_refresh(f, second, NULL) == ERR_OK); /* the family is unharmed */
}

static void test_lifetimes(struct flow *f)
{
    struct op *op = world_op(&f->w, "default");
    int64_t idle_s = op->tenant->spec->refresh_token_idle_s, life_s = op->tenant->spec->refresh_token_life_s;
    CHECK(flow_grant(f, "profile offline_access") == ERR_OK);
    wait_s(f, idle_s);
    CHECK(flow_refresh(f, f->refresh, NULL) == ERR_GRANT_INVALID);
    flow_sign_in(f, "demo");
    CHECK(flow_grant(f, "profile offline_access") == ERR_OK);
    int64_t left = life_s;
    for (; left > idle_s - 1; left -= idle_s - 1) {
        wait_s(f, idle_s - 1);
        CHECK(flow_refresh(f, f->refresh, NULL) == ERR_OK);
    }
    wait_s(f, left);
    CHECK(flow_refresh(f, f->refresh, NULL) == ERR_GRANT_INVALID);
    flow_sign_in(f, "demo");
}

static void test_foreign(struct flow *f)
{
    CHECK(flow_grant(f, "profile") == ERR_OK);
    struct token_params p = {.grant_type = STR("refresh_token"), .refresh_token = str_z(f->refresh)};
    struct str evil = STR("https://evil.example");
    CHECK(flow_token(f, &p, "other", "other-secret") == ERR_GRANT_INVALID);
    CHECK(flow_token(f, &p, "native", NULL) == ERR_GRANT_INVALID);
    CHECK(flow_token(f, &p, "web", NULL) == ERR_CLIENT_INVALID);
    p.resource = (struct strs){&evil, 1};
    CHECK(flow_token(f, &p, "web", "web-secret") == ERR_TARGET_INVALID); /* A35 */
    p.resource = (struct strs){0};
    p.refresh_token = str_z(f->access);
    CHECK(flow_token(f, &p, "web", "web-secret") == ERR_GRANT_INVALID);
    CHECK(flow_refresh(f, f->refresh, NULL) == ERR_OK); /* nothing has changed */
}

/* --- what ends a grant (A36)
 * -------------------------------------------------------------------------------------- */

static void set_disabled(struct flow *f, const struct object_kind *k, const char *name, bool disabled)
{
    CHECK(object_set_disabled(world_op(&f->w, "default"), k, str_z(name), disabled) == ERR_OK);
}

static void test_disabled(struct flow *f)
{
    static const struct {
        const struct object_kind *kind;
        const char *name;
        bool dead_for_good;
    } rows[] = {{&kind_client, "api", false}, {&kind_client, "web", true}, {&kind_user, "demo", true}};
    for (size_t i = 0; i < 3; i++) {
        flow_sign_in(f, "demo");
        CHECK(flow_grant(f, "profile offline_access") == ERR_OK);
        char token[TOKEN_TEXT_SIZE + 1];
        strcpy(token, f->refresh);
        set_disabled(f, rows[i].kind, rows[i].name, true);
        err_t want = strcmp(rows[i].name, "web") == 0 ? ERR_CLIENT_INVALID : ERR_GRANT_INVALID;
        CHECK_ROW(flow_refresh(f, token, NULL) == want, rows[i].name);
        set_disabled(f, rows[i].kind, rows[i].name, false);
        CHECK_ROW(flow_refresh(f, token, NULL) == (rows[i].dead_for_good ? ERR_GRANT_INVALID : ERR_OK),
                  rows[i].name);
    }
    flow_sign_in(f, "demo");
}

static void test_sign_out(struct flow *f)
{
    char offline[TOKEN_TEXT_SIZE + 1];
    CHECK(flow_grant(f, "profile offline_access") == ERR_OK);
    strcpy(offline, f->refresh);
    CHECK(flow_grant(f, "profile") == ERR_OK);
    struct authorize_params p = flow_request("web", WEB_CB, "profile");
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    CHECK(session_end(world_op(&f->w, "default"), f->session.id) == ERR_OK);
    CHECK(!flow_alive(f, f->access, "web") && flow_refresh(f, f->refresh, NULL) == ERR_GRANT_INVALID);
    CHECK(flow_redeem(f) == ERR_GRANT_INVALID); /* the code dies with the session too */
    CHECK(flow_refresh(f, offline, NULL) == ERR_OK);
    flow_sign_in(f, "demo");
}

static void test_password_change(struct flow *f)
{
    CHECK(flow_grant(f, "profile") == ERR_OK);
    struct op *op = world_op(&f->w, "default");
    op->actor = (struct actor){.kind = ACTOR_PERSON,
                               .id = f->session.account_id,
                               .name = STR("demo"),
                               .tenant_id = op->tenant->object.id};
    CHECK(password_change(op, f->session.account_id, STR("correct horse battery"),
                          STR("battery staple correct"), 0) == ERR_OK);
    CHECK(flow_refresh(f, f->refresh, NULL) == ERR_GRANT_INVALID);
    flow_sign_in(f, "demo");
}

/* What the person no longer holds is left out; when nothing is left there is no token. */
static void test_role_lost(struct flow *f)
{
    struct object *o;
    bool changed;
    CHECK(flow_grant(f, "orders.read profile offline_access") == ERR_OK);
    struct op *op = world_op(&f->w, "default");
    CHECK(object_put(op, &kind_user, world_json(&f->w, "{'username':'demo','roles':[]}"), OBJECT_UPDATE,
                     MANAGED_API, 0, "", &o, &changed) == ERR_OK);
    CHECK(flow_refresh(f, f->refresh, NULL) == ERR_OK && strcmp(f->scope, "profile offline_access") == 0);
    CHECK(flow_refresh(f, f->refresh, "orders.read") == ERR_GRANT_INVALID);
    op = world_op(&f->w, "default");
    CHECK(object_put(op, &kind_user, world_json(&f->w, "{'username':'demo','roles':['support']}"),
                     OBJECT_UPDATE, MANAGED_API, 0, "", &o, &changed) == ERR_OK);
}

/* --- revocation (RFC 7009)
 * ---------------------------------------------------------------------------------------- */

static err_t revoke_as(struct flow *f, const char *token, const char *client, const char *secret)
{
    struct op *op = world_op(&f->w, "default");
    struct client_credentials c = {.client_id = str_z(client), .client_secret = str_z(secret)};
    struct introspect_params p = {.token = str_z(token)};
    struct object *o;
    CHECK(client_authenticate(op, &c, true, &o) == ERR_OK);
    return token_revoke(op, &p, o);
}

static void test_revoke(struct flow *f)
{
    char bad[TOKEN_TEXT_SIZE + 2];
    CHECK(flow_grant(f, "profile") == ERR_OK);
    CHECK(revoke_as(f, f->access, "other", "other-secret") == ERR_OK &&
          flow_alive(f, f->access, "web")); /* A61 */
    snprintf(bad, sizeof(bad), "%.*sx", TOKEN_TEXT_SIZE, f->access);
    CHECK(!flow_alive(f, bad, "web")); /* A62 */
    bad[TOKEN_TEXT_SIZE] = 0;
    bad[20] = bad[20] == 'a' ? 'b' : 'a';
    CHECK(!flow_alive(f, bad, "web") && revoke_as(f, bad, "web", "web-secret") == ERR_OK);
    CHECK(revoke_as(f, f->access, "web", "web-secret") == ERR_OK && !flow_alive(f, f->access, "web") &&
          flow_alive(f, f->refresh, "web"));
    CHECK(revoke_as(f, f->access, "web", "web-secret") == ERR_OK);
    char first[TOKEN_TEXT_SIZE + 1];
    strcpy(first, f->refresh);
    CHECK(flow_refresh(f, first, NULL) == ERR_OK);
    CHECK(revoke_as(f, first, "web", "web-secret") == ERR_OK); /* any generation ends the family */
    CHECK(!flow_alive(f, f->access, "web") && flow_refresh(f, f->refresh, NULL) == ERR_GRANT_INVALID);
}

/* --- JWTs
 * ---------------------------------------------------------------------------------------------------------
 */

static err_t machine(struct flow *f, const char *client, const char *secret, const char *scope)
{
    struct token_params p = {.grant_type = STR("client_credentials"),
                             .scope = scope ? str_z(scope) : STR_NONE};
    return flow_token(f, &p, client, secret);
}

static void test_machine(struct flow *f)
{
    CHECK(machine(f, "job", "job-secret", NULL) == ERR_OK && !f->refresh[0] &&
          strcmp(f->scope, "orders.read") == 0);
    CHECK(flow_alive(f, f->access, "job") && flow_alive(f, f->access, "api") &&
          !flow_alive(f, f->access, "web"));
    CHECK(strstr(flow_introspect(f, f->access, "job"), "\"sub\":\"job\""));
    CHECK(machine(f, "job", "job-secret", "orders.write") == ERR_SCOPE_INVALID);
    CHECK(machine(f, "web", "web-secret", NULL) == ERR_CLIENT_UNAUTHORIZED);
    CHECK(machine(f, "native", NULL, NULL) == ERR_CLIENT_UNAUTHORIZED);
    char *dot = strrchr(f->access, '.');
    dot[5] = dot[5] == 'A' ? 'B' : 'A';
    CHECK(!flow_alive(f, f->access, "job"));
    CHECK(machine(f, "job", "job-secret", NULL) == ERR_OK);
    CHECK(revoke_as(f, f->access, "job", "job-secret") == ERR_OK && !flow_alive(f, f->access, "job"));
}

static void test_unstored(struct flow *f)
{
    CHECK(machine(f, "light", "light-secret", NULL) == ERR_OK && flow_alive(f, f->access, "light"));
    CHECK(revoke_as(f, f->access, "light", "light-secret") == ERR_TOKEN_TYPE &&
          flow_alive(f, f->access, "light"));
    struct authorize_params a = flow_request("light", "https://light.example/cb", "profile");
    CHECK(flow_authorize(f, &a, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    struct token_params p = flow_code_params(f->code, "https://light.example/cb");
    CHECK(flow_token(f, &p, "light", "light-secret") == ERR_OK && f->refresh[0]);
    CHECK(flow_alive(f, f->access, "light") &&
          strstr(flow_introspect(f, f->access, "light"), "\"username\":\"demo\""));
    struct bearer b;
    struct op *op = world_op(&f->w, "default");
    CHECK(bearer_check(op, str_z(f->access), &b) == ERR_OK && str_is(b.actor.name, "demo") &&
          !b.stored);
    op = world_op(&f->w, "default");
    CHECK(bearer_check(op, str_z(f->refresh), &b) == ERR_TOKEN_INVALID); /* A63 */
    CHECK(revoke_as(f, f->refresh, "light", "light-secret") == ERR_OK &&
          !flow_alive(f, f->access, "light")); /* with its grant */
    CHECK(machine(f, "light", "light-secret", NULL) == ERR_OK);
    wait_s(f, 86401);
    CHECK(!flow_alive(f, f->access, "light"));
    flow_sign_in(f, "demo");
}

/* --- fifty at once (A27, A34)
 * ------------------------------------------------------------------------------------- */

struct caller {
    pthread_t thread;
    struct flow *f;
    struct token_params p;
    err_t e;
    char refresh[TOKEN_TEXT_SIZE + 1];
};

static void *call(void *ctx)
{
    struct caller *c = ctx;
    struct db *db = NULL;
    struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
    struct client_credentials creds = {.client_id = STR("web"), .client_secret = STR("web-secret")};
    struct token_answer answer = {0};
    struct op op;
    c->e = db_open(c->f->w.core.store, 256, &db);
    op_begin(&op, &c->f->w.core, db, a);
    if (c->e == ERR_OK)
        c->e = tenant_use(&op, STR("default"));
    if (c->e == ERR_OK)
        c->e = token_endpoint(&op, &c->p, &creds, &answer);
    snprintf(c->refresh, sizeof(c->refresh), "%.*s", STR_ARG(answer.refresh_token));
    op_end(&op);
    db_close(&db);
    arena_free(&a);
    return NULL;
}

/* How many were served, and whether all of these got the same refresh token. */
static int all_at_once(struct flow *f, const struct token_params *p, bool *ret_same)
{
    static struct caller c[CALLERS];
    int served = 0;
    const char *one = NULL;
    op_end(&f->w.op);
    for (int i = 0; i < CALLERS; i++) {
        c[i] = (struct caller){.f = f, .p = *p};
        CHECK(pthread_create(&c[i].thread, NULL, call, &c[i]) == 0);
    }
    *ret_same = true;
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(c[i].thread, NULL);
        CHECK_ROW(c[i].e == ERR_OK || c[i].e == ERR_GRANT_INVALID, err_name(c[i].e));
        if (c[i].e != ERR_OK)
            continue;
        served++;
        one = one ? one : c[i].refresh;
        *ret_same = *ret_same && strcmp(one, c[i].refresh) == 0;
    }
    if (one)
        strcpy(f->refresh, one);
    return served;
}

static void set_grace(struct flow *f, const char *doc)
{
    struct object *o;
    bool changed;
    struct op *op = world_op(&f->w, "default");
    CHECK(object_put(op, &kind_client, world_json(&f->w, doc), OBJECT_UPDATE, MANAGED_API, 0, "", &o,
                     &changed) == ERR_OK);
}

static void test_at_once(struct flow *f)
{
    bool same;
    char token[TOKEN_TEXT_SIZE + 1];
    struct authorize_params a = flow_request("web", WEB_CB, "profile");
    CHECK(flow_authorize(f, &a, &f->session, NULL) == AUTHORIZE_REDIRECT);
    struct token_params p = flow_code_params(f->code, WEB_CB);
    CHECK(all_at_once(f, &p, &same) == 1);
    CHECK(flow_grant(f, "profile") == ERR_OK);
    strcpy(token, f->refresh);
    p = (struct token_params){.grant_type = STR("refresh_token"), .refresh_token = str_z(token)};
    CHECK(all_at_once(f, &p, &same) == CALLERS && same);
    CHECK(flow_refresh(f, f->refresh, NULL) == ERR_OK);
    set_grace(f, "{'client_id':'web','refresh_grace':0}");
    CHECK(flow_grant(f, "profile") == ERR_OK);
    strcpy(token, f->refresh);
    CHECK(all_at_once(f, &p, &same) == 1);
    CHECK(flow_refresh(f, f->refresh, NULL) ==
          ERR_GRANT_INVALID); /* strict: the second use ended the family */
}

int main(void)
{
    static struct flow f;
    CHECK(flow_begin(&f));
    test_rotation(&f);
    test_grace_uses(&f);
    test_foreign(&f);
    test_sign_out(&f);
    test_disabled(&f);
    test_password_change(&f);
    test_role_lost(&f);
    test_revoke(&f);
    test_machine(&f);
    test_unstored(&f);
    test_at_once(&f);
    test_lifetimes(&f);
    world_end(&f.w);
    return unit_end("oauth-refresh");
}
