/* What all pages share: data, rendering, the error page, CSRF secrets and the places a page may lead to. */
#include "api/page.h"
#include "base/enc.h"
#include "console/template.h"
#include "token/core.h"
#include "base/limits.h"

#define PAGE_MAX (512 * 1024)

void page_set(json_t *data, const char *name, struct str value)
{
    if (data && value.p)
        json_object_set_new(data, name, json_stringn(value.p, value.n));
}

void page_set_int(json_t *data, const char *name, int64_t value)
{
    if (data)
        json_object_set_new(data, name, json_integer(value));
}

void page_set_time(json_t *data, const char *name, int64_t t_s)
{
    char text[32];
    if (!data || t_s == 0)
        return;
    time_rfc3339(t_s, text); /* 2026-11-23T21:22:00Z */
    text[10] = ' ';
    json_object_set_new(data, name, json_sprintf("%.16s UTC", text));
}

json_t *page_list(json_t *data, const char *name)
{
    json_t *list = json_array();
    return data && json_object_set_new(data, name, list) == 0 ? list : NULL;
}

json_t *page_item(json_t *list)
{
    json_t *item = json_object();
    return list && json_array_append_new(list, item) == 0 ? item : NULL;
}

static void add_nav(struct call *c, json_t *data)
{
    static const struct {
        const char *href, *text, *permission;
    } places[] = {{"/account", "My tokens", NULL}, {"/console", "Console", "client.read"}};
    json_t *nav = page_list(data, "nav");
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct fault kept = c->op.fault;
        bool shown = !places[i].permission || op_permit(&c->op, places[i].permission) == ERR_OK;
        c->op.fault = kept;
        if (!shown)
            continue;
        json_t *item = page_item(nav);
        page_set(item, "text", str_z(places[i].text));
        page_set(item, "href", arena_fmt(c->op.arena, "%.*s%s", STR_ARG(c->op.tenant->path), places[i].href));
        if (str_is(str_z(c->endpoint->path), places[i].href) || (i == 1 && strncmp(c->endpoint->path, "/console", 8) == 0))
            json_object_set_new(item, "current", json_true());
    }
}

json_t *page_data(struct call *c, const char *title)
{
    json_t *data = json_object();
    const struct tenant *t = c->op.tenant;
    page_set(data, "title", str_z(title));
    page_set(data, "tenant_name", t && t->spec->display_name.n ? t->spec->display_name : STR("mereau"));
    page_set(data, "path", t ? t->path : STR(""));
    if (t && c->session_text.p) {
        page_set(data, "username", c->op.actor.name);
        page_set(data, "csrf_signout", csrf_make(&c->op, "signout", c->session_text));
        add_nav(c, data);
    }
    return data;
}

err_t page_send(struct call *c, int status, const char *template, json_t *data)
{
    struct buf b;
    buf_init(&b, c->op.arena, PAGE_MAX);
    template_render(template, data, &b);
    json_decref(data);
    if (!buf_ok(&b))
        return op_fail(&c->op, ERR_MEMORY, "", "the page is too large");
    return answer_page(c, status, buf_view(&b));
}

/* Headings a person can use; everything else is "That did not work". */
static const struct {
    err_t code;
    const char *heading;
} headings[] = {
    {ERR_NOT_FOUND, "There is nothing here"},
    {ERR_LINK_DEAD, "This link no longer works"},
    {ERR_OUTSIDE, "You are not signed in"},
    {ERR_NET, "The other service can't be reached"},
    {ERR_NET_ANSWER, "The other service can't be reached"},
    {ERR_FORBIDDEN, "You are not permitted to do this"},
    {ERR_CSRF, "Please try again"},
    {ERR_LIMITED, "Too many attempts"},
    {ERR_BUSY, "The server is busy"},
    {ERR_REDIRECT_URI, "This application's request cannot be trusted"},
    {ERR_CLIENT_ID, "This application is not known here"},
    {ERR_STORE, "Something went wrong on our side"},
    {ERR_INTERNAL, "Something went wrong on our side"},
};

struct str page_sentence(struct call *c, struct str text)
{
    bool small = text.n && text.p[0] >= 'a' && text.p[0] <= 'z';
    if (!text.n)
        return text;
    return arena_fmt(c->op.arena, "%c%.*s.", small ? text.p[0] - 'a' + 'A' : text.p[0], (int)text.n - 1, text.p + 1);
}

err_t page_error(struct call *c, err_t e)
{
    const char *heading = "That did not work";
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
        if (headings[i].code == e)
            heading = headings[i].heading;
    json_t *data = page_data(c, heading);
    page_set(data, "heading", str_z(heading));
    /* what was noted is the more exact sentence: it takes the general one's place */
    bool noted = c->op.fault.code == e && c->op.fault.detail[0];
    page_set(data, "text", page_sentence(c, noted ? arena_str(c->op.arena, str_z(c->op.fault.detail)) : str_z(err_text(e))));
    if (c->op.fault.code == e && c->op.fault.param[0])
        page_set(data, "param", str_z(c->op.fault.param));
    page_set(data, "request_id", c->op.request_id);
    page_set(data, "back", c->back);
    page_set(data, "back_text", STR("Back to sign-in"));
    return page_send(c, err_http(e) == 401 ? 403 : err_http(e), "error.html", data);
}

struct str page_browser_secret(struct call *c)
{
    if (c->session_text.p)
        return c->session_text;
    struct str secret = call_cookie(c, "pre");
    if (secret.n == 32)
        return secret;
    uint8_t raw[16];
    struct buf b;
    buf_init(&b, c->op.arena, 64);
    if (random_bytes(raw, sizeof(raw)) != ERR_OK)
        return STR_NONE;
    enc_hex(&b, raw, sizeof(raw));
    call_set_cookie(c, "pre", buf_view(&b), 0);
    return buf_view(&b);
}

bool page_continue_ok(struct str path)
{
    static const char *const heads[] = {"authorize?", "account", "console"};
    for (size_t i = 0; i < path.n; i++)
        if ((unsigned char)path.p[i] <= ' ' || path.p[i] == '\\' || path.p[i] == 127)
            return false;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct str head = str_z(heads[i]);
        if (str_starts(path, head) && (i == 0 || path.n == head.n || strchr("?/", path.p[head.n])))
            return true;
    }
    return false;
}

err_t page_go(struct call *c, struct str path)
{
    return answer_redirect(c, arena_fmt(c->op.arena, "%.*s/%.*s", STR_ARG(c->op.tenant->path), STR_ARG(path)));
}
