/* The OAuth endpoints: from parameters to the domain and back. */
#include "api/guard.h"
#include "api/pages.h"

#define JSON_MAX (2 * LIMIT_JWT + LIMIT_JWE + 16 * LIMIT_TEXT)

/* --- authorization
 * ------------------------------------------------------------------------------------------------ */

static err_t to_sign_in(struct call *c, const struct authorize_result *r)
{
    return answer_redirect(
        c, call_url(c, "/signin", arena_fmt(c->op.arena, "authorize?%.*s", STR_ARG(r->query))));
}

/* What the domain decided, shown or sent. */
err_t oauth_answer(struct call *c, const struct authorize_result *r)
{
    switch (r->verdict) {
    case AUTHORIZE_REDIRECT:
        return answer_redirect(c, r->location);
    case AUTHORIZE_POST:
        return page_form_post(c, r);
    case AUTHORIZE_SIGN_IN:
        return to_sign_in(c, r);
    case AUTHORIZE_CONSENT:
        return page_consent(c, r);
    case AUTHORIZE_ERROR:
        break;
    }
    return c->op.fault.code ? c->op.fault.code : ERR_REQUEST;
}

err_t api_authorize(struct call *c, void *params)
{
    const struct session *session;
    struct authorize_result r;
    TRY(call_session_if_any(c, &session));
    TRY(authorize(&c->op, params, session, STR_NONE, &r));
    return oauth_answer(c, &r);
}

/* A form of another site comes without the session's cookie (SameSite=Lax); the way it leads on to has it. */
err_t api_authorize_post(struct call *c, void *params)
{
    struct str query;
    TRY(authorize_query(&c->op, params, &query));
    return answer_redirect(c, arena_fmt(c->op.arena, "%.*s/authorize?%.*s", STR_ARG(c->op.tenant->path), STR_ARG(query)));
}

/* --- what clients call
 * -------------------------------------------------------------------------------------------- */

struct form_credentials {
    struct str client_id, client_secret, assertion, assertion_type;
};

/* Another scheme than Basic is as good as Basic credentials that cannot be read. */
static struct client_credentials credentials(struct call *c, const struct form_credentials *f)
{
    struct client_credentials r = {.client_id = f->client_id,
                                   .client_secret = f->client_secret,
                                   .assertion = f->assertion,
                                   .assertion_type = f->assertion_type,
                                   .authorization_headers = http_req_header_count(c->req, "Authorization")};
    if (r.authorization_headers && !call_authorization(c, "Basic", &r.basic))
        r.basic = STR("");
    return r;
}

static err_t send_json(struct call *c, struct buf *b)
{
    return buf_ok(b) ? answer_json(c, 200, buf_view(b))
                     : op_fail(&c->op, ERR_MEMORY, "", "the answer does not fit");
}

err_t api_token(struct call *c, void *params)
{
    const struct token_params *p = params;
    struct form_credentials f = {p->client_id, p->client_secret, p->client_assertion,
                                 p->client_assertion_type};
    struct client_credentials creds = credentials(c, &f);
    struct token_answer a;
    struct buf b;
    struct jw w;
    TRY(token_endpoint(&c->op, p, &creds, &a));
    buf_init(&b, c->op.arena, JSON_MAX);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "access_token", a.access_token);
    jw_m_str(&w, "token_type", a.token_type);
    jw_m_int(&w, "expires_in", a.expires_in_s);
    jw_m_str(&w, "refresh_token", a.refresh_token);
    jw_m_str(&w, "id_token", a.id_token);
    jw_m_str(&w, "scope", a.scope);
    jw_close(&w, '}');
    http_resp_header(c->resp, "Pragma", STR("no-cache"));
    return send_json(c, &b);
}

/* Whoever introspects is a client with its secret, or holds token.introspect. */
static err_t introspecting(struct call *c, const struct introspect_params *p, struct object **ret_client)
{
    struct form_credentials f = {p->client_id, p->client_secret, p->client_assertion,
                                 p->client_assertion_type};
    struct client_credentials creds = credentials(c, &f);
    struct str bearer;
    *ret_client = NULL;
    if (call_authorization(c, "Bearer", &bearer))
        return call_bearer(c);
    return client_authenticate(&c->op, &creds, false, ret_client);
}

err_t api_introspect(struct call *c, void *params)
{
    struct object *client;
    int64_t max_age_s;
    struct buf b;
    struct jw w;
    TRY(introspecting(c, params, &client));
    buf_init(&b, c->op.arena, JSON_MAX);
    jw_init(&w, &b);
    TRY(introspect(&c->op, params, client, &w, &max_age_s));
    if (max_age_s > 0)
        http_resp_header(c->resp, "Cache-Control", arena_fmt(c->op.arena, "private, max-age=%lld", (long long)max_age_s));
    return send_json(c, &b);
}

err_t api_revoke(struct call *c, void *params)
{
    const struct introspect_params *p = params;
    struct form_credentials f = {p->client_id, p->client_secret, p->client_assertion,
                                 p->client_assertion_type};
    struct client_credentials creds = credentials(c, &f);
    struct object *client;
    TRY(client_authenticate(&c->op, &creds, true, &client));
    TRY(token_revoke(&c->op, p, client));
    return answer_json(c, 200, STR("{}"));
}

/* --- UserInfo
 * ----------------------------------------------------------------------------------------------------- */

/* The token in the header or, of a form, in its body (RFC 6750 section 2.2); for the audience any token with openid will do, the
 * person is this server's to tell of. */
static err_t userinfo_token(struct call *c, struct str in_form, struct str *ret)
{
    bool header = http_req_header_count(c->req, "Authorization") > 0;
    if (http_req_header_count(c->req, "Authorization") > 1 || (header && in_form.p))
        return op_fail(&c->op, ERR_REQUEST, "", "the token was sent in two ways");
    if (header && !call_authorization(c, "Bearer", ret))
        return op_fail(&c->op, ERR_TOKEN_MISSING, "", "an access token is needed");
    if (!header)
        *ret = in_form;
    return ret->p ? ERR_OK : op_fail(&c->op, ERR_TOKEN_MISSING, "", "an access token is needed");
}

static const struct field userinfo_rows[] = {
    {"access_token", F_STR, FIELD_EXACT, LIMIT_JWT, offsetof(struct userinfo_params, access_token), NULL, NULL,
     "the access token, when it is not in the Authorization header"},
};
const struct fields userinfo_fields = FIELDS(userinfo_rows, struct userinfo_params);

static err_t answer_userinfo(struct call *c, struct str in_form)
{
    struct str text = STR_NONE, body;
    bool jwt;
    c->challenge = STR("openid");
    TRY(userinfo_token(c, in_form, &text));
    TRY(bearer_check(&c->op, text, &c->bearer));
    c->op.actor = c->bearer.actor;
    TRY(userinfo(&c->op, &c->bearer, &jwt, &body));
    TRY(answer_json(c, 200, body));
    if (jwt)
        c->resp->content_type = "application/jwt";
    return ERR_OK;
}

err_t api_userinfo(struct call *c, void *params)
{
    (void)params;
    return answer_userinfo(c, STR_NONE);
}

err_t api_userinfo_post(struct call *c, void *params)
{
    const struct userinfo_params *p = params;
    return answer_userinfo(c, p->access_token);
}

/* --- what everyone may read
 * --------------------------------------------------------------------------------------- */

#define METADATA_MAX_AGE_S 300

static void cache_for(struct call *c, int64_t seconds)
{
    http_resp_header(c->resp, "Cache-Control",
                     arena_fmt(c->op.arena, "public, max-age=%lld", (long long)seconds));
}

/* The snapshot may be replaced while the answer is still being sent. */
static err_t answer_copy(struct call *c, struct str json)
{
    struct str copy = arena_str(c->op.arena, json);
    return copy.p ? answer_json(c, 200, copy) : ERR_MEMORY;
}

err_t api_metadata(struct call *c, void *params)
{
    (void)params;
    cache_for(c, METADATA_MAX_AGE_S);
    return answer_copy(c, c->op.tenant->metadata);
}

err_t api_jwks(struct call *c, void *params)
{
    (void)params;
    /* An empty set is about to change: the first key signs at once. */
    cache_for(c, c->op.tenant->nkeys ? c->op.tenant->spec->jwks_max_age_s : 0);
    return answer_copy(c, c->op.tenant->jwks);
}
