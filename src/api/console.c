/* The console: lists with search, one object (console_object.c), what is done to it (console_action.c), for every kind of
 * object alike. Pages over the same domain functions as the administration API, so the permissions are the same; works
 * without JavaScript. */
#include "api/console.h"
#include "api/admin.h"
#include "token/core.h"

static const struct field object_rows[] = {
    {"_name", F_STR, 0, 512, offsetof(struct console_object_params, name), NULL, NULL, "which object; absent: a new one"},
    {"_csrf", F_STR, 0, 128, offsetof(struct console_object_params, csrf), NULL, NULL, "the form's own token"},
    {"_version", F_INT, 0, INT64_MAX, offsetof(struct console_object_params, version), NULL, "0", "the version the form was made from"},
};
const struct fields console_object_fields = FIELDS(object_rows, struct console_object_params);

static const struct field action_rows[] = {
    {"name", F_STR, 0, 512, offsetof(struct console_action_params, name), NULL, NULL, "which object"},
    {"action", F_ENUM, FIELD_REQUIRED, 16, offsetof(struct console_action_params, action), "disable|enable|remove|link|revoke|rotate", NULL, "what to do"},
    {"csrf", F_STR, 0, 128, offsetof(struct console_action_params, csrf), NULL, NULL, "the form's own token"},
    {"node", F_STR, 0, 16, offsetof(struct console_action_params, node), NULL, NULL, "what to revoke: token, grant, session; which algorithm to rotate"},
    {"id", F_STR, 0, 16, offsetof(struct console_action_params, id), NULL, NULL, "its id"},
};
const struct fields console_action_fields = FIELDS(action_rows, struct console_action_params);

struct str console_kind_title(struct call *c, const struct object_kind *k, bool plural)
{
    struct str s = arena_str(c->op.arena, str_z(plural ? k->plural : k->name));
    char *p = (char *)(uintptr_t)s.p;
    for (size_t i = 0; i < s.n; i++)
        p[i] = p[i] == '-' ? ' ' : p[i];
    if (s.n && p[0] >= 'a' && p[0] <= 'z')
        p[0] = (char)(p[0] - 'a' + 'A');
    return s;
}

json_t *console_data(struct call *c, struct str title, struct str here)
{
    json_t *data = page_data(c, "Console");
    json_t *places = page_list(data, "places");
    page_set(data, "title", title);
    page_set(data, "csrf", csrf_make(&c->op, "console", c->session_text));
    const struct object_kinds *kinds = c->op.core->kinds;
    for (size_t i = 0; i < kinds->n + 2; i++) {
        static const char *const extra[2][3] = {{"keys", "Signing keys", "key.read"}, {"audit", "Audit trail", "audit.read"}};
        const struct object_kind *k = i < kinds->n ? kinds->v[i] : NULL;
        const char *segment = k ? k->plural : extra[i - kinds->n][0];
        if (!op_may(&c->op, k ? k->read : extra[i - kinds->n][2]))
            continue;
        json_t *place = page_item(places);
        page_set(place, "segment", str_z(segment));
        page_set(place, "text", k ? console_kind_title(c, k, true) : str_z(extra[i - kinds->n][1]));
        page_set(place, "doc", str_z(k ? k->doc : i == kinds->n ? "the keys that sign this tenant's tokens" : "who did what, when, from where"));
        if (str_is(here, segment) && place)
            json_object_set_new(place, "current", json_true());
    }
    return data;
}

/* --- lists --- */
err_t console_home(struct call *c, void *params)
{
    (void)params;
    return page_send(c, 200, "console_home.html", console_data(c, STR("Console"), STR_NONE));
}

static const char *const managers[] = {
    [MANAGED_API] = "console or API", [MANAGED_FILE] = "configuration file", [MANAGED_REGISTRATION] = "registered itself"};

err_t console_list(struct call *c, void *params)
{
    struct admin_list_params *p = params;
    const struct object_kind *k;
    struct object_page page;
    TRY(admin_kind(c, &k));
    struct object_query q = {.search = p->search, .after = p->after, .limit = 50};
    TRY(object_list(&c->op, k, &q, &page));
    json_t *data = console_data(c, console_kind_title(c, k, true), str_z(k->plural));
    page_set(data, "kind", str_z(k->plural));
    page_set(data, "kind_text", console_kind_title(c, k, false));
    page_set(data, "doc", str_z(k->doc));
    struct buf search_url;
    buf_init(&search_url, c->op.arena, 2048);
    buf_url(&search_url, p->search);
    page_set(data, "search", p->search.p ? p->search : STR(""));
    page_set(data, "search_url", buf_view(&search_url));
    if (op_may(&c->op, k->write) && data)
        json_object_set_new(data, "may_write", json_true());
    json_t *items = page_list(data, "items");
    for (size_t i = 0; i < page.n; i++) {
        const struct object *o = page.v[i];
        json_t *item = page_item(items);
        page_set(item, "name", o->name);
        struct buf url;
        buf_init(&url, c->op.arena, 2048);
        buf_url(&url, o->name);
        page_set(item, "name_url", buf_view(&url));
        page_set_time(item, "changed", o->updated_s);
        page_set(item, "managed", str_z(managers[o->managed_by]));
        if (o->disabled && item)
            json_object_set_new(item, "disabled", json_true());
        if (i + 1 == page.n && page.more)
            page_set(data, "next", buf_view(&url));
    }
    return page_send(c, 200, "console_list.html", data);
}
