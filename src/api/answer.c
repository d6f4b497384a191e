/* Answers: bodies, headers, cookies, and the one function that turns a failure into what the client is told.
 */
#include "api/guard.h"
#include <stdio.h>

#define CORS_METHODS "GET, POST, PUT, DELETE, OPTIONS"
#define CORS_HEADERS "Authorization, Content-Type"

/* --- bodies
 * ------------------------------------------------------------------------------------------------------- */

static err_t answer(struct call *c, int status, const char *type, struct str body)
{
    c->resp->status = status;
    c->resp->content_type = type;
    c->resp->body = body;
    return ERR_OK;
}

err_t answer_json(struct call *c, int status, struct str json)
{
    return answer(c, status, "application/json", json);
}

err_t answer_page(struct call *c, int status, struct str html)
{
    return answer(c, status, "text/html; charset=utf-8", html);
}

err_t answer_text(struct call *c, int status, struct str text)
{
    return answer(c, status, "text/plain; charset=utf-8", text);
}

err_t answer_empty(struct call *c, int status)
{
    return answer(c, status, NULL, STR(""));
}

/* 303, so that no browser sends a password on (A09). */
err_t answer_redirect(struct call *c, struct str location)
{
    if (!location.p)
        return ERR_MEMORY;
    http_resp_header(c->resp, "Location", location);
    return answer_empty(c, 303);
}

struct str call_url(struct call *c, const char *path, struct str continue_to)
{
    struct buf b;
    buf_init(&b, c->op.arena, 4 * LIMIT_HEADERS);
    buf_str(&b, c->op.tenant->path);
    buf_z(&b, path);
    if (continue_to.p) {
        buf_z(&b, "?continue=");
        buf_url(&b, continue_to);
    }
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

/* --- cookies
 * ------------------------------------------------------------------------------------------------------ */

static const char *cookie_name(struct call *c, const char *kind)
{
    const struct tenant *t = c->op.tenant;
    bool own = str_is(t->name, TENANT_DEFAULT);
    struct str name = arena_fmt(c->op.arena, "%smereau%s%s%s%.*s", c->op.core->https ? "__Host-" : "",
                                *kind ? "-" : "", kind, own ? "" : ".", own ? 0 : (int)t->name.n, t->name.p);
    return name.p ? name.p : "mereau-unknown";
}

struct str call_cookie(struct call *c, const char *kind)
{
    return http_req_cookie(c->req, cookie_name(c, kind));
}

/* __Host- cookies have the path "/" by definition (RFC 6265bis section 4.1.3.2). */
void call_set_cookie(struct call *c, const char *kind, struct str value, int64_t life_s)
{
    struct str path = c->op.core->https || !c->op.tenant->path.n ? STR("/") : c->op.tenant->path;
    struct str age = life_s == 0
                         ? STR("")
                         : arena_fmt(c->op.arena, "; Max-Age=%lld", (long long)(life_s < 0 ? 0 : life_s));
    struct str v = life_s < 0 ? STR("") : value;
    http_resp_header(c->resp, "Set-Cookie",
                     arena_fmt(c->op.arena, "%s=%.*s; Path=%.*s; HttpOnly; SameSite=Lax%s%.*s",
                               cookie_name(c, kind), STR_ARG(v), STR_ARG(path),
                               c->op.core->https ? "; Secure" : "", STR_ARG(age)));
}

/* --- failures
 * ----------------------------------------------------------------------------------------------------- */

static const char *detail_of(const struct call *c, err_t e)
{
    return c->op.fault.code == e && c->op.fault.detail[0] ? c->op.fault.detail : err_text(e);
}

static const char *param_of(const struct call *c, err_t e)
{
    return c->op.fault.code == e ? c->op.fault.param : "";
}

/* A quoted-string of RFC 9110 takes neither '"' nor '\'. */
static struct str quoted(struct call *c, const char *text)
{
    struct buf b;
    buf_init(&b, c->op.arena, LIMIT_TEXT);
    for (; *text; text++)
        buf_char(&b,
                 *text == '"' || *text == '\\' || (unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e
                     ? '\''
                     : *text);
    return buf_view(&b);
}

/* RFC 6749 section 5.2, RFC 6750 section 3. */
static void challenge(struct call *c, err_t e)
{
    struct str realm = c->op.tenant ? c->op.tenant->issuer : c->op.core->issuer;
    struct buf b;
    buf_init(&b, c->op.arena, 4 * LIMIT_TEXT);
    if (e == ERR_CLIENT_INVALID) {
        if (http_req_header(c->req, "Authorization").p)
            buf_fmt(&b, "Basic realm=\"%.*s\", charset=\"UTF-8\"", STR_ARG(realm));
    } else if (e == ERR_TOKEN_MISSING || e == ERR_TOKEN_INVALID || e == ERR_SCOPE_INSUFFICIENT) {
        buf_fmt(&b, "Bearer realm=\"%.*s\"", STR_ARG(realm));
        if (e != ERR_TOKEN_MISSING)
            buf_fmt(&b, ", error=\"%s\", error_description=\"%.*s\"", err_oauth(e),
                    STR_ARG(quoted(c, detail_of(c, e))));
        if (c->challenge.n)
            buf_fmt(&b, ", scope=\"%.*s\"", STR_ARG(c->challenge));
    }
    if (buf_ok(&b) && b.n)
        http_resp_header(c->resp, "WWW-Authenticate", buf_view(&b));
}

static void failure_oauth(struct call *c, err_t e, struct jw *w)
{
    const char *code = err_oauth(e);
    jw_m_str(w, "error", *code ? str_z(code) : STR("invalid_token"));
    jw_m_str(w, "error_description", str_z(detail_of(c, e)));
}

/* RFC 9457: the type is a name, not an address to look at. */
static void failure_problem(struct call *c, err_t e, struct jw *w)
{
    jw_m_str(w, "type", arena_fmt(c->op.arena, "urn:mereau:error:%s", err_name(e)));
    jw_m_str(w, "title", str_z(err_text(e)));
    jw_m_int(w, "status", err_http(e));
    jw_m_str(w, "detail", str_z(detail_of(c, e)));
    if (*param_of(c, e))
        jw_m_str(w, "parameter", str_z(param_of(c, e)));
    jw_m_str(w, "request_id", c->op.request_id);
}

static err_t failure_json(struct call *c, err_t e, const char *type,
                          void (*members)(struct call *, err_t, struct jw *))
{
    struct buf b;
    struct jw w;
    buf_init(&b, c->op.arena, 16 * LIMIT_TEXT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    members(c, e, &w);
    jw_close(&w, '}');
    return buf_ok(&b) ? answer(c, err_http(e), type, buf_view(&b)) : ERR_MEMORY;
}

static err_t failure_body(struct call *c, err_t e)
{
    switch (c->endpoint->style) {
    case STYLE_OAUTH:
        return failure_json(c, e, "application/json", failure_oauth);
    case STYLE_PROBLEM:
        return failure_json(c, e, "application/problem+json", failure_problem);
    case STYLE_PAGE:
        return page_error(c, e);
    case STYLE_PLAIN:
        return answer_text(c, err_http(e), arena_fmt(c->op.arena, "%s\n", detail_of(c, e)));
    }
    return ERR_INTERNAL;
}

static void note(const struct call *c, err_t e)
{
    const char *name = c->endpoint->name;
    if (err_level(e) >= LOG_INFO)
        log_write(c->op.core->log, (enum log_level)err_level(e), c->op.request_id, "request.failed",
                  "%s: %s: %s%s%s", name, err_name(e), param_of(c, e), *param_of(c, e) ? ": " : "",
                  detail_of(c, e));
    else
        log_write(c->op.core->log, LOG_DEBUG, c->op.request_id, "request.refused", "%s: %s: %s", name,
                  err_name(e), detail_of(c, e));
}

void answer_retry_after(struct call *c, err_t e)
{
    if (e == ERR_LIMITED)
        http_resp_header(
            c->resp, "Retry-After",
            arena_fmt(c->op.arena, "%lld", (long long)(c->op.fault.retry_s ? c->op.fault.retry_s : 1)));
}

void answer_failure(struct call *c, err_t e)
{
    note(c, e);
    if (!c->op.arena || failure_body(c, e) != ERR_OK)
        answer_text(c, err_http(e), str_z(err_text(e)));
    if (c->op.arena)
        challenge(c, e);
    answer_retry_after(c, e);
}

/* --- headers of all answers
 * --------------------------------------------------------------------------------------- */

static bool has_header(const struct http_resp *r, const char *name)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (str_is(r->headers[i].name, name))
            return true;
    return false;
}

/* Nothing from elsewhere, no scripts but our own, no frames around (A10). */
static void page_headers(struct call *c)
{
    static const char policy[] =
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
    struct str csp = STR(policy);
    if (c->form_action.n)
        csp = arena_fmt(c->op.arena, "%s %.*s", policy, STR_ARG(c->form_action));
    if (c->frame_src.n)
        csp = arena_fmt(c->op.arena, "%.*s; frame-src %.*s", STR_ARG(csp), STR_ARG(c->frame_src));
    http_resp_header(c->resp, "Content-Security-Policy", csp);
    http_resp_header(c->resp, "X-Frame-Options", STR("DENY"));
}

void answer_finish(struct call *c)
{
    struct http_resp *r = c->resp;
    if (!has_header(r, "Cache-Control"))
        http_resp_header(r, "Cache-Control", STR("no-store"));
    http_resp_header(r, "X-Content-Type-Options", STR("nosniff"));
    http_resp_header(r, "Referrer-Policy", STR("no-referrer"));
    if (c->endpoint->style == STYLE_PAGE)
        page_headers(c);
    if (c->op.core->https)
        http_resp_header(r, "Strict-Transport-Security", STR("max-age=31536000"));
    if (c->endpoint->flags & ENDPOINT_CORS) {
        http_resp_header(r, "Access-Control-Allow-Origin", STR("*"));
        http_resp_header(r, "Access-Control-Expose-Headers", STR("WWW-Authenticate"));
    }
}

void answer_preflight(struct call *c)
{
    http_resp_header(c->resp, "Access-Control-Allow-Methods", STR(CORS_METHODS));
    http_resp_header(c->resp, "Access-Control-Allow-Headers", STR(CORS_HEADERS));
    http_resp_header(c->resp, "Access-Control-Max-Age", STR("3600"));
    answer_empty(c, 204);
}
