/* From a route and a request to a checked call: which tenant, who asks, which parameters, what is permitted.
 * Handlers see only what came through here. */
#include "api/guard.h"

/* --- tenant
 * ------------------------------------------------------------------------------------------------------- */

static bool is_management(const struct endpoint *e)
{
    return e >= api_management && e < api_management + api_management_n;
}

/* The default tenant has no path: it is not reachable under a second one. */
static err_t use_tenant(struct call *c, const struct route *route)
{
    bool named = strncmp(route->path, TENANT_PATH, sizeof(TENANT_PATH) - 1) == 0 ||
                 strstr(c->endpoint->path, "{tenant}");
    struct str name = named ? c->req->captures[0] : STR(TENANT_DEFAULT);
    memcpy(c->args, c->req->captures + (named ? 1 : 0), sizeof(c->args));
    if (is_management(c->endpoint))
        return ERR_OK;
    if (named && str_is(name, TENANT_DEFAULT))
        return op_fail(&c->op, ERR_NOT_FOUND, "", "there is nothing at this address");
    return tenant_use(&c->op, name);
}

/* --- parameters
 * --------------------------------------------------------------------------------------------------- */

static bool media_type_is(struct str header, const char *want)
{
    struct str type = {header.p, header.p ? str_find(header, ';') : 0};
    while (type.n && type.p[type.n - 1] == ' ')
        type.n--;
    return str_eq_nocase(type, str_z(want));
}

static err_t read_pairs(struct call *c)
{
    struct str type = http_req_header(c->req, "Content-Type");
    bool form = media_type_is(type, "application/x-www-form-urlencoded");
    bool takes_form = c->endpoint->method == HTTP_POST && c->endpoint->params->n;
    TRY(pairs_parse(c->op.arena, c->req->query, &c->query, &c->op.fault));
    if (takes_form && !form && (c->req->body.n || type.n))
        return op_fail(&c->op, c->endpoint->style == STYLE_OAUTH ? ERR_REQUEST : ERR_MEDIA_TYPE, "",
                       "the body must be application/x-www-form-urlencoded");
    return form ? pairs_parse(c->op.arena, c->req->body, &c->form, &c->op.fault) : ERR_OK;
}

/* A06: credentials and codes in a query end in logs, and one parameter in two places means two things. */
static err_t check_places(struct call *c)
{
    for (size_t i = 0; i < c->query.n; i++) {
        struct str name = c->query.v[i].name;
        const struct field *f = fields_find(c->endpoint->params, name);
        if (f && c->endpoint->auth == AUTH_CLIENT)
            return op_fail(&c->op, ERR_REQUEST, f->name, "%s must be in the body, not in the query", f->name);
        if (f && pairs_get(c->form, name).p)
            return op_fail(&c->op, ERR_PARAM_TWICE, f->name, "%s is both in the query and in the body",
                           f->name);
    }
    return ERR_OK;
}

/* A parameter without a value counts as omitted (RFC 6749 section 3.1). */
static void drop_empty(const struct fields *t, void *obj)
{
    for (size_t i = 0; i < t->n; i++) {
        struct str *s = (struct str *)((char *)obj + t->v[i].offset);
        bool text = t->v[i].type == F_STR || t->v[i].type == F_WORDS || t->v[i].type == F_ENUM ||
                    t->v[i].type == F_SECRET;
        if (text && s->n == 0)
            *s = STR_NONE;
    }
}

static err_t read_params(struct call *c, void **ret)
{
    const struct fields *t = c->endpoint->params;
    *ret = NULL;
    TRY(read_pairs(c));
    if (t->n == 0)
        return ERR_OK;
    bool get = c->endpoint->method == HTTP_GET;
    if (!get)
        TRY(check_places(c));
    if (!get && fields_find(t, STR("csrf")) && !pairs_get(c->form, STR("csrf")).n)
        return op_fail(&c->op, ERR_CSRF, "", "%s",
                       err_text(ERR_CSRF)); /* before anything is said of the other fields (A15) */
    void *obj = arena_alloc(c->op.arena, t->size);
    if (!obj)
        return ERR_MEMORY;
    TRY(fields_init(t, c->op.arena, obj));
    TRY(fields_from_pairs(t, c->op.arena, get ? c->query : c->form, obj, &c->op.fault));
    drop_empty(t, obj);
    *ret = obj;
    return ERR_OK;
}

/* --- who
 * ----------------------------------------------------------------------------------------------------------
 */

err_t call_session(struct call *c)
{
    struct account a;
    struct str cookie = call_cookie(c, "");
    if (!cookie.n)
        return op_fail(&c->op, ERR_UNAUTHENTICATED, "", "sign in first");
    TRY(session_find(&c->op, cookie, &c->session));
    TRY(account_by_id(&c->op, c->session.account_id, &a));
    c->session_text = cookie;
    c->op.actor = (struct actor){
        .kind = a.type == ACCOUNT_PERSON ? ACTOR_PERSON : ACTOR_SERVICE,
        .id = a.id,
        .name = a.username,
        .permissions = account_permissions(&c->op, &a),
        .tenant_id = c->op.tenant->object.id,
        .session_id = c->session.id,
    };
    return ERR_OK;
}

err_t call_session_if_any(struct call *c, const struct session **ret)
{
    err_t e = call_session(c);
    *ret = e == ERR_OK ? &c->session : NULL;
    if (e != ERR_UNAUTHENTICATED && e != ERR_NOT_FOUND)
        return e;
    c->op.fault = (struct fault){.code = ERR_OK};
    return ERR_OK;
}

/* "Bearer" and what follows; the scheme's name has no case (RFC 9110 section 11.1). */
static bool scheme_is(struct str header, struct str scheme, struct str *ret_rest)
{
    if (header.n <= scheme.n || header.p[scheme.n] != ' ' ||
        !str_eq_nocase((struct str){header.p, scheme.n}, scheme))
        return false;
    size_t i = scheme.n;
    while (i < header.n && header.p[i] == ' ')
        i++;
    *ret_rest = (struct str){header.p + i, header.n - i};
    return true;
}

bool call_authorization(struct call *c, const char *scheme, struct str *ret)
{
    return scheme_is(http_req_header(c->req, "Authorization"), str_z(scheme), ret);
}

/* What is called here is mereau itself: a token for another resource does not open it (RFC 9068 section 4).
 */
static err_t check_audience(struct call *c)
{
    if (c->bearer.token.kind != TOKEN_ACCESS ||
        str_has_word(c->bearer.token.audience, ' ', c->op.tenant->issuer))
        return ERR_OK;
    return op_fail(&c->op, ERR_TOKEN_INVALID, "", "the token is for another resource than this server");
}

err_t call_bearer(struct call *c)
{
    struct str text;
    if (http_req_header_count(c->req, "Authorization") > 1)
        return op_fail(&c->op, ERR_TOKEN_INVALID, "", "more than one Authorization header");
    if (!call_authorization(c, "Bearer", &text))
        return op_fail(&c->op, ERR_TOKEN_MISSING, "", "an access token or API key is needed");
    TRY(bearer_check(&c->op, text, &c->bearer));
    TRY(check_audience(c));
    c->op.actor = c->bearer.actor;
    return ERR_OK;
}

/* The console's scripts have a session and prove with a header that they are ours. */
static err_t session_with_csrf(struct call *c)
{
    struct str proof = http_req_header(c->req, "X-CSRF-Token");
    if (!proof.n)
        return op_fail(&c->op, ERR_TOKEN_MISSING, "", "an access token or API key is needed");
    TRY(call_session(c));
    return csrf_check(&c->op, CSRF_API, c->session_text, proof);
}

static err_t authenticate(struct call *c)
{
    switch (c->endpoint->auth) {
    case AUTH_SESSION:
        return call_session(c);
    case AUTH_BEARER:
        return http_req_header(c->req, "Authorization").p ? call_bearer(c) : session_with_csrf(c);
    case AUTH_NONE:
    case AUTH_CLIENT:
        break;
    }
    return ERR_OK;
}

/* Where a signed-in person would have been: below the tenant, as the sign-in page takes it. */
static struct str here(struct call *c)
{
    size_t skip = c->op.tenant->path.n + 1;
    struct str path =
        c->req->path.n > skip ? (struct str){c->req->path.p + skip, c->req->path.n - skip} : STR("account");
    if (!c->req->query.n)
        return path;
    return arena_fmt(c->op.arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(c->req->query));
}

static err_t send_to_sign_in(struct call *c)
{
    struct str next = c->endpoint->method == HTTP_GET ? here(c) : STR("account");
    c->op.fault = (struct fault){0};
    return answer_redirect(c, call_url(c, "/signin", next));
}

static err_t permit(struct call *c)
{
    const char *permission = c->endpoint->permission;
    if (!permission)
        return ERR_OK;
    err_t e = op_permit(&c->op, permission);
    if (e == ERR_FORBIDDEN && c->bearer.token.id) {
        c->challenge = str_z(permission);
        c->op.fault = (struct fault){0};
        return op_fail(&c->op, ERR_SCOPE_INSUFFICIENT, "", "this needs the permission %s", permission);
    }
    return e;
}

/* --- all together
 * ------------------------------------------------------------------------------------------------- */

static err_t run(struct call *c, const struct route *route)
{
    void *params;
    TRY(use_tenant(c, route));
    err_t e = authenticate(c);
    if (e == ERR_UNAUTHENTICATED && c->endpoint->auth == AUTH_SESSION)
        return send_to_sign_in(c);
    TRY(e);
    TRY(permit(c));
    TRY(read_params(c, &params));
    return c->endpoint->run(c, params);
}

static void call_begin(struct call *c, void *core, const struct http_req *req, struct http_resp *resp)
{
    memset(c, 0, sizeof(*c));
    op_begin(&c->op, core, req->db, req->arena);
    c->op.peer = str_z(req->peer);
    c->op.agent = http_req_header(req, "User-Agent");
    c->op.request_id = str_z(req->request_id);
    c->resp = resp;
}

void api_handle(void *core, const struct route *route, struct http_req *req, struct http_resp *resp)
{
    struct call c;
    call_begin(&c, core, req, resp);
    c.req = req;
    c.endpoint = route->endpoint;
    if (route->method == HTTP_OPTIONS && c.endpoint->method != HTTP_OPTIONS) {
        answer_preflight(&c);
    } else {
        err_t e = run(&c, route);
        if (e != ERR_OK)
            answer_failure(&c, e);
        if (e != ERR_OK && err_http(e) == 503) /* http adds it to what never came here */
            http_resp_header(resp, "Retry-After", STR("1"));
    }
    answer_finish(&c);
    op_end(&c.op);
}

static bool wants_html(const struct http_req *req)
{
    struct str accept = http_req_header(req, "Accept");
    return accept.p && memmem(accept.p, accept.n, "text/html", 9);
}

void api_refuse(void *core, const struct http_req *req, err_t e, struct http_resp *resp)
{
    static const struct endpoint styles[] = {
        {.name = "refused", .path = "", .style = STYLE_OAUTH},
        {.name = "refused", .path = "", .style = STYLE_PROBLEM},
        {.name = "refused", .path = "", .style = STYLE_PAGE},
    };
    struct call c;
    struct http_req copy = *req;
    bool v1 = req->path.p && memmem(req->path.p, req->path.n, "/v1/", 4);
    call_begin(&c, core, req, resp);
    c.req = &copy;
    c.endpoint = &styles[v1 ? 1 : req->arena && req->native && wants_html(req) ? 2 : 0];
    answer_failure(&c, e);
    answer_finish(&c);
    op_end(&c.op);
}
