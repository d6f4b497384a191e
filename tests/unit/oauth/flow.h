/* A world with a person, clients and resources, and short calls for the steps of a grant. */
#pragma once
#include "oauth/authorize.h"
#include "../token/world.h"

#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define WEB_CB    "https://web.example/cb"

struct flow {
    struct world w;
    struct session session;
    char code[TOKEN_TEXT_SIZE + 1];
    char refresh[TOKEN_TEXT_SIZE + 1], access[LIMIT_JWT];
    char scope[256];
    char location[4096];
    struct authorize_result result;
};

static inline void flow_put(struct flow *f, const struct object_kind *k, const char *json)
{
    struct op *op = world_op(&f->w, "default");
    struct object *o;
    bool changed;
    err_t e = object_put(op, k, world_json(&f->w, json), OBJECT_CREATE, MANAGED_API, 0, "", &o, &changed);
    if (e != ERR_OK)
        fprintf(stderr, "%s: %s %s\n", json, err_name(e), op->fault.detail);
    CHECK(e == ERR_OK);
}

static inline void flow_sign_in(struct flow *f, const char *username)
{
    struct op *op = world_op(&f->w, "default");
    struct account a;
    struct signed_in in;
    static char amr[16];
    CHECK(account_by_name(op, str_z(username), &a) == ERR_OK);
    CHECK(session_open(op, &a, "pwd", &in) == ERR_OK);
    f->session = in.session;
    snprintf(amr, sizeof(amr), "%.*s", STR_ARG(in.session.amr));
    f->session.amr = str_z(amr);
    f->session.ip = f->session.agent = STR_NONE;
}

static inline bool flow_begin(struct flow *f)
{
    static const struct object_kind *const more[] = {&kind_user, &kind_service_account, &kind_client};
    memset(f, 0, sizeof(*f));
    if (!world_begin(&f->w))
        return false;
    for (size_t i = 0; i < 3; i++)
        f->w.kinds[f->w.table.n++] = more[i];
    if (!world_start(&f->w))
        return false;
    flow_put(f, &kind_role, "{'name':'support','permissions':['orders.read']}");
    flow_put(f, &kind_role, "{'name':'boss','permissions':['orders.write']}");
    flow_put(f, &kind_client,
             "{'client_id':'api','client_secret':'api-secret','grant_types':['client_credentials']}");
    flow_put(f, &kind_client,
             "{'client_id':'api2','client_secret':'api-secret','grant_types':['client_credentials']}");
    flow_put(f, &kind_resource,
             "{'identifier':'https://api.example','introspect_clients':['api'],'default':true}");
    flow_put(f, &kind_resource, "{'identifier':'https://api2.example','introspect_clients':['api2']}");
    flow_put(f, &kind_user,
             "{'username':'demo','email':'demo@example.com','password':'correct horse "
             "battery','roles':['support']}");
    flow_put(f, &kind_client,
             "{'client_id':'web','client_secret':'web-secret','redirect_uris':['" WEB_CB
             "'],'first_party':true,"
             "'grant_types':['authorization_code','refresh_token'],'scope':'orders.read orders.write profile "
             "offline_access',"
             "'resources':['https://api.example','https://api2.example']}");
    flow_put(
        f, &kind_client,
        "{'client_id':'other','client_secret':'other-secret','redirect_uris':['https://other.example/cb'],"
        "'grant_types':['authorization_code','refresh_token'],'scope':'profile'}");
    flow_put(f, &kind_client,
             "{'client_id':'loose','client_secret':'loose-secret','redirect_uris':['https://loose.example/"
             "cb'],'first_party':true,"
             "'require_pkce':false,'grant_types':['authorization_code'],'scope':'profile','access_token_"
             "format':'jwt'}");
    flow_put(
        f, &kind_client,
        "{'client_id':'native','token_endpoint_auth_method':'none','redirect_uris':['http://127.0.0.1/cb'],"
        "'grant_types':['authorization_code','refresh_token'],'scope':'profile'}");
    flow_put(f, &kind_client,
             "{'client_id':'job','client_secret':'job-secret','grant_types':['client_credentials'],'scope':'"
             "orders.read',"
             "'access_token_format':'jwt'}");
    flow_put(f, &kind_client,
             "{'client_id':'light','client_secret':'light-secret','redirect_uris':['https://light.example/"
             "cb'],'first_party':true,"
             "'grant_types':['authorization_code','client_credentials','refresh_token'],'scope':'profile','"
             "access_token_format':'jwt',"
             "'store_access_tokens':false}");
    flow_sign_in(f, "demo");
    return true;
}

static inline struct authorize_params flow_request(const char *client_id, const char *redirect_uri,
                                                   const char *scope)
{
    return (struct authorize_params){.client_id = str_z(client_id),
                                     .redirect_uri = str_z(redirect_uri),
                                     .response_type = STR("code"),
                                     .scope = str_z(scope),
                                     .state = STR("s&1"),
                                     .code_challenge = STR(CHALLENGE),
                                     .code_challenge_method = STR("S256"),
                                     .max_age_s = -1};
}

static inline struct str flow_find(struct str text, const char *head)
{
    const char *p = text.p ? memmem(text.p, text.n, head, strlen(head)) : NULL;
    if (!p)
        return STR_NONE;
    p += strlen(head);
    struct str rest = {p, (size_t)(text.p + text.n - p)};
    rest.n = str_find(rest, '&');
    return rest;
}

/* The verdict; what it leads to is in f->location, f->code. */
static inline enum authorize_verdict flow_authorize(struct flow *f, const struct authorize_params *p,
                                                    const struct session *s, const char *decision)
{
    struct op *op = world_op(&f->w, "default");
    f->location[0] = f->code[0] = 0;
    CHECK(authorize(op, p, s, str_z(decision), &f->result) == ERR_OK);
    snprintf(f->location, sizeof(f->location), "%.*s", STR_ARG(f->result.location));
    snprintf(f->code, sizeof(f->code), "%.*s", STR_ARG(flow_find(f->result.location, "code=")));
    return f->result.verdict;
}

static inline err_t flow_token(struct flow *f, const struct token_params *p, const char *client,
                               const char *secret)
{
    struct op *op = world_op(&f->w, "default");
    struct client_credentials c = {.client_id = str_z(client),
                                   .client_secret = secret ? str_z(secret) : STR_NONE};
    struct token_answer a = {0};
    op->actor = (struct actor){0};
    err_t e = token_endpoint(op, p, &c, &a);
    if (e == ERR_OK) {
        snprintf(f->access, sizeof(f->access), "%.*s", STR_ARG(a.access_token));
        snprintf(f->refresh, sizeof(f->refresh), "%.*s", STR_ARG(a.refresh_token));
        snprintf(f->scope, sizeof(f->scope), "%.*s", STR_ARG(a.scope));
    }
    return e;
}

static inline struct token_params flow_code_params(const char *code, const char *redirect_uri)
{
    return (struct token_params){.grant_type = STR("authorization_code"),
                                 .code = str_z(code),
                                 .redirect_uri = str_z(redirect_uri),
                                 .code_verifier = STR(VERIFIER)};
}

static inline err_t flow_redeem(struct flow *f)
{
    struct token_params p = flow_code_params(f->code, WEB_CB);
    return flow_token(f, &p, "web", "web-secret");
}

/* Signed in, allowed, redeemed. */
static inline err_t flow_grant(struct flow *f, const char *scope)
{
    struct authorize_params p = flow_request("web", WEB_CB, scope);
    CHECK(flow_authorize(f, &p, &f->session, NULL) == AUTHORIZE_REDIRECT);
    return flow_redeem(f);
}

static inline err_t flow_refresh(struct flow *f, const char *refresh, const char *scope)
{
    struct token_params p = {.grant_type = STR("refresh_token"),
                             .refresh_token = str_z(refresh),
                             .scope = scope ? str_z(scope) : STR_NONE};
    return flow_token(f, &p, "web", "web-secret");
}

/* Introspection's answer to a client. */
static inline const char *flow_introspect(struct flow *f, const char *token, const char *client)
{
    static char text[2048];
    struct op *op = world_op(&f->w, "default");
    struct introspect_params p = {.token = str_z(token)};
    char secret[64];
    struct client_credentials c = {.client_id = str_z(client)};
    struct object *o = NULL;
    struct buf b;
    struct jw w;
    snprintf(secret, sizeof(secret), "%s-secret", strncmp(client, "api", 3) == 0 ? "api" : client);
    c.client_secret = str_z(secret);
    op->actor = (struct actor){0};
    CHECK(client_authenticate(op, &c, false, &o) == ERR_OK);
    buf_init(&b, op->arena, sizeof(text));
    jw_init(&w, &b);
    int64_t max_age_s;
    CHECK(introspect(op, &p, o, &w, &max_age_s) == ERR_OK);
    snprintf(text, sizeof(text), "%.*s", STR_ARG(buf_view(&b)));
    return text;
}

static inline bool flow_alive(struct flow *f, const char *token, const char *client)
{
    return strncmp(flow_introspect(f, token, client), "{\"active\":true", 14) == 0;
}
