/* A grant from the authorization endpoint to the death of its tokens, in one process: the cases of the token
 * endpoint (A26, A28 to A36, A61 to A63) and what the authorization endpoint answers (A05, A07, A11 to A14,
 * A17, A25). */
#include "flow.h"

/* --- authorization endpoint
 * --------------------------------------------------------------------------------------- */

static void test_untrusted(struct flow *f)
{
    static const struct {
        const char *client, *redirect;
    } rows[] = {
        {"nobody", "https://evil.example/cb"},
        {"web", "https://web.example/CB"},
        {"web", "https://web.example/cb?x"},
        {"web", "https://evil.example/cb"},
        {"web", "https://web.example/cb#x"},
        {"native", "http://127.0.0.1/cb?x"},
        {"", WEB_CB},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct authorize_params p = flow_request(rows[i].client, rows[i].redirect, "profile");
        CHECK_ROW(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_ERROR, rows[i].redirect);
        CHECK_ROW(!f->location[0], rows[i].redirect);
    }
}

struct refused_row {
    const char *what, *error;
    void (*spoil)(struct authorize_params *p);
};
#define SPOIL(name, stmt)                                                                                    \
    static void name(struct authorize_params *p)                                                             \
    {                                                                                                        \
        stmt;                                                                                                \
    }
SPOIL(no_challenge, p->code_challenge = p->code_challenge_method = STR_NONE)
SPOIL(plain, p->code_challenge_method = STR("plain"))
SPOIL(no_method, p->code_challenge_method = STR_NONE)
SPOIL(short_challenge, p->code_challenge = STR("abc"))
SPOIL(type_token, p->response_type = STR("token"))
SPOIL(type_id_token, p->response_type = STR("code id_token"))
SPOIL(type_odd, p->response_type = STR("foo"))
SPOIL(no_type, p->response_type = STR_NONE)
SPOIL(fragment, p->response_mode = STR("fragment"))
SPOIL(object, p->request = STR("eyJ"))
SPOIL(object_uri, p->request_uri = STR("http://169.254.169.254/"))
SPOIL(wide, p->scope = STR("profile admin"))
SPOIL(odd_scope, p->scope = STR("profile \"x"))
SPOIL(not_held, p->scope = STR("orders.write"))
SPOIL(none_and_login, p->prompt = STR("none login"))
SPOIL(odd_prompt, p->prompt = STR("sometimes"))
static struct str evil_resource = {"https://evil.example", 20};
SPOIL(resource, p->resource = ((struct strs){&evil_resource, 1}))

static void test_refused(struct flow *f)
{
    static const struct refused_row rows[] = {
        {"no challenge", "invalid_request", no_challenge},
        {"plain", "invalid_request", plain},
        {"no method", "invalid_request", no_method},
        {"short challenge", "invalid_request", short_challenge},
        {"token", "unauthorized_client", type_token},
        {"code id_token", "unauthorized_client", type_id_token},
        {"odd type", "unsupported_response_type", type_odd},
        {"no type", "invalid_request", no_type},
        {"fragment", "invalid_request", fragment},
        {"request", "invalid_request_object", object},
        {"request_uri", "invalid_request_uri", object_uri},
        {"wide", "invalid_scope", wide},
        {"odd scope", "invalid_scope", odd_scope},
        {"not held", "access_denied", not_held},
        {"none login", "invalid_request", none_and_login},
        {"odd prompt", "invalid_request", odd_prompt},
        {"resource", "invalid_target", resource},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct authorize_params p = flow_request("web", WEB_CB, "profile");
        rows[i].spoil(&p);
        CHECK_ROW(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_REDIRECT, rows[i].what);
        struct str at = str_z(f->location);
        CHECK_ROW(str_starts(at, STR(WEB_CB "?error=")) && str_is(flow_find(at, "error="), rows[i].error),
                  rows[i].what);
        CHECK_ROW(str_is(flow_find(at, "iss="), "https%3A%2F%2Fid.example") &&
                      str_is(flow_find(at, "state="), "s%261"),
                  rows[i].what);
        CHECK_ROW(!f->code[0], rows[i].what);
    }
}

static bool error_is(const struct flow *f, const char *error)
{
    return str_is(flow_find(str_z(f->location), "error="), error);
}

static void test_prompt(struct flow *f)
{
    struct authorize_params p = flow_request("web", WEB_CB, "profile");
    p.prompt = STR("none");
    CHECK(flow_authorize(f, &p, NULL, NULL) == AUTHORIZE_REDIRECT && error_is(f, "login_required"));
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    p = flow_request("other", "https://other.example/cb", "profile");
    p.prompt = STR("none");
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_REDIRECT && error_is(f, "consent_required"));
    p = flow_request("native", "http://127.0.0.1:5000/cb", "profile");
    p.prompt = STR("none");
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_REDIRECT &&
          error_is(f, "interaction_required"));
}

static void test_consent(struct flow *f)
{
    struct authorize_params p = flow_request("other", "https://other.example/cb", "profile");
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_CONSENT &&
          str_is(f->result.scope, "profile"));
    CHECK(flow_authorize(f, &p, &f->session, "deny") == AUTHORIZE_REDIRECT && error_is(f, "access_denied"));
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_CONSENT);
    CHECK(flow_authorize(f, &p, NULL, "allow") == AUTHORIZE_SIGN_IN);
    CHECK(flow_authorize(f, &p, &f->session, "allow") == AUTHORIZE_REDIRECT && f->code[0]);
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    p.prompt = STR("consent");
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_CONSENT);
    p = flow_request("native", "http://127.0.0.1:5000/cb", "profile");
    CHECK(flow_authorize(f, &p, &f->session, "allow") == AUTHORIZE_REDIRECT && f->code[0]);
    CHECK(flow_authorize(f, &p, &f->session, NULL) ==
          AUTHORIZE_CONSENT); /* any program may be that client: asked again */
}

/* The request as it comes back from the sign-in page, `after` included. */
static struct authorize_params come_back(struct flow *f)
{
    static char kept[4096];
    struct op *op = &f->w.op;
    struct authorize_params p;
    struct pairs pairs;
    snprintf(kept, sizeof(kept), "%.*s", STR_ARG(f->result.query));
    op = world_op(&f->w, "default");
    CHECK(pairs_parse(op->arena, str_z(kept), &pairs, &op->fault) == ERR_OK);
    CHECK(fields_init(&authorize_fields, op->arena, &p) == ERR_OK);
    CHECK(fields_from_pairs(&authorize_fields, op->arena, pairs, &p, &op->fault) == ERR_OK);
    static char after[128];
    snprintf(after, sizeof(after), "%.*s", STR_ARG(p.after));
    p = flow_request("web", WEB_CB, "profile");
    p.prompt = STR("login");
    p.after = str_z(after);
    return p;
}

static void test_reauthentication(struct flow *f)
{
    struct authorize_params p = flow_request("web", WEB_CB, "profile"), back;
    p.max_age_s = 100;
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    f->w.now_ms += 101 * 1000;
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_SIGN_IN);
    p.max_age_s = -1;
    p.prompt = STR("login");
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_SIGN_IN);
    back = come_back(f);
    CHECK(back.after.n > 0);
    CHECK(flow_authorize(f, &back, &f->session, NULL) == AUTHORIZE_SIGN_IN); /* nobody signed in meanwhile */
    flow_sign_in(f, "demo");
    CHECK(flow_authorize(f, &back, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    p = back;
    p.state = STR("another request");
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_SIGN_IN);
    f->w.now_ms += 601 * 1000;
    CHECK(flow_authorize(f, &back, &f->session, NULL) == AUTHORIZE_SIGN_IN);
}

/* --- codes
 * -------------------------------------------------------------------------------------------------------- */

static void get_code(struct flow *f)
{
    struct authorize_params p = flow_request("web", WEB_CB, "orders.read offline_access");
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
}

static void test_code(struct flow *f)
{
    char access[LIMIT_JWT], code[TOKEN_TEXT_SIZE + 1];
    get_code(f);
    CHECK(flow_redeem(f) == ERR_OK && strcmp(f->scope, "orders.read offline_access") == 0);
    CHECK(flow_alive(f, f->access, "web") && flow_alive(f, f->access, "api"));
    CHECK(!flow_alive(f, f->access, "other") && !flow_alive(f, f->refresh, "api") &&
          flow_alive(f, f->refresh, "web"));
    strcpy(access, f->access);
    strcpy(code, f->code);
    CHECK(flow_redeem(f) == ERR_GRANT_INVALID); /* A26 */
    CHECK(!flow_alive(f, access, "web") && !flow_alive(f, f->refresh, "web"));
}

/* Each wrong redemption burns the code: the right one after it fails too (A28 to A31). */
static void wrong(struct flow *f, const struct token_params *p, const char *client, const char *secret,
                  err_t want, bool burnt, const char *what)
{
    get_code(f);
    struct token_params q = *p;
    q.code = str_z(f->code);
    CHECK_ROW(flow_token(f, &q, client, secret) == want, what);
    CHECK_ROW(flow_redeem(f) == (burnt ? ERR_GRANT_INVALID : ERR_OK), what);
}

static void test_wrong_redemptions(struct flow *f)
{
    struct token_params right = flow_code_params("", WEB_CB), p;
    struct str foreign = STR("https://evil.example");
    wrong(f, &right, "other", "other-secret", ERR_GRANT_INVALID, true, "other client");
    wrong(f, &right, "web", "wrong", ERR_CLIENT_INVALID, false, "wrong secret");
    wrong(f, &right, "web", NULL, ERR_CLIENT_INVALID, false, "no secret");
    p = right, p.code_verifier = STR_NONE;
    wrong(f, &p, "web", "web-secret", ERR_GRANT_INVALID, true, "no verifier");
    p = right, p.code_verifier = STR("eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    wrong(f, &p, "web", "web-secret", ERR_GRANT_INVALID, true, "wrong verifier");
    p = right, p.code_verifier = STR("short");
    wrong(f, &p, "web", "web-secret", ERR_PARAM_BAD, false, "malformed verifier");
    p = right, p.redirect_uri = STR("https://web.example/other");
    wrong(f, &p, "web", "web-secret", ERR_GRANT_INVALID, true, "other redirect");
    p = right, p.redirect_uri = STR_NONE;
    wrong(f, &p, "web", "web-secret", ERR_GRANT_INVALID, true, "no redirect");
    p = right, p.resource = (struct strs){&foreign, 1};
    wrong(f, &p, "web", "web-secret", ERR_TARGET_INVALID, false, "foreign resource");
    p = right, p.grant_type = STR("password");
    wrong(f, &p, "web", "web-secret", ERR_GRANT_TYPE, false, "password grant");
    p = right, p.grant_type = STR("client_credentials");
    wrong(f, &p, "web", "web-secret", ERR_CLIENT_UNAUTHORIZED, false, "grant it has not");
}

static void test_code_expiry_and_pkce(struct flow *f)
{
    struct authorize_params a = flow_request("loose", "https://loose.example/cb", "profile");
    get_code(f);
    f->w.now_ms += 61 * 1000;
    CHECK(flow_redeem(f) == ERR_GRANT_INVALID);
    a.code_challenge = a.code_challenge_method = STR_NONE;
    CHECK(flow_authorize(f, &a, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    struct token_params p = flow_code_params(f->code, "https://loose.example/cb");
    CHECK(flow_token(f, &p, "loose", "loose-secret") == ERR_GRANT_INVALID); /* A30 */
    CHECK(flow_authorize(f, &a, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    p = flow_code_params(f->code, "https://loose.example/cb");
    p.code_verifier = STR_NONE;
    CHECK(flow_token(f, &p, "loose", "loose-secret") == ERR_OK && !f->refresh[0]);
    CHECK(flow_alive(f, f->access, "loose"));
}

/* The redirect URI may be left out in both places when only one is registered. */
static void test_no_redirect(struct flow *f)
{
    struct authorize_params a = flow_request("web", WEB_CB, "profile");
    a.redirect_uri = STR_NONE;
    CHECK(flow_authorize(f, &a, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    struct token_params p = flow_code_params(f->code, WEB_CB);
    p.redirect_uri = STR_NONE;
    CHECK(flow_token(f, &p, "web", "web-secret") == ERR_OK);
}

/* RFC 8707: the code for two resources, the token for one. */
static void test_resources(struct flow *f)
{
    struct authorize_params a = flow_request("web", WEB_CB, "profile");
    struct str both[] = {STR("https://api.example"), STR("https://api2.example")};
    a.resource = (struct strs){both, 2};
    CHECK(flow_authorize(f, &a, &f->session, NULL) == AUTHORIZE_REDIRECT && f->code[0]);
    struct token_params p = flow_code_params(f->code, WEB_CB);
    p.resource = (struct strs){both + 1, 1};
    CHECK(flow_token(f, &p, "web", "web-secret") == ERR_OK);
    CHECK(strstr(flow_introspect(f, f->access, "web"), "\"aud\":\"https://api2.example\""));
    CHECK(flow_alive(f, f->access, "api2") && !flow_alive(f, f->access, "api"));
    CHECK(flow_refresh(f, f->refresh, NULL) == ERR_OK);
    CHECK(flow_alive(f, f->access, "api2") &&
          flow_alive(f, f->access, "api")); /* the grant stays as wide as it was */
}

int main(void)
{
    struct flow f;
    CHECK(flow_begin(&f));
    test_untrusted(&f);
    test_refused(&f);
    test_prompt(&f);
    test_consent(&f);
    test_reauthentication(&f);
    test_code(&f);
    test_wrong_redemptions(&f);
    test_code_expiry_and_pkce(&f);
    test_no_redirect(&f);
    test_resources(&f);
    world_end(&f.w);
    return unit_end("oauth-flow");
}
