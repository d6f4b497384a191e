/* The settings in force and where each comes from; and the sample file. Both from config.def, secrets never.
 */
#include "app/config.h"
#include <stdio.h>

static json_t *value_of(const struct config *c, size_t i)
{
    struct buf b;
    struct jw w;
    json_t *doc = NULL;
    buf_init(&b, NULL, LIMIT_BODY);
    jw_init(&w, &b);
    jw_open(&w, '{');
    const struct fields one = {&config_fields.v[i], 1, config_fields.size};
    fields_to_json(&one, &c->settings, &w);
    jw_close(&w, '}');
    if (buf_ok(&b) && json_load(buf_view(&b), &doc) != ERR_OK)
        doc = NULL;
    buf_free(&b);
    json_t *v = json_incref(json_object_get(doc, config_fields.v[i].name));
    json_decref(doc);
    return v;
}

/* Puts v at a dotted path, making what is missing. */
static void put_path(json_t *root, const char *path, json_t *v)
{
    const char *dot = strchr(path, '.');
    if (!dot) {
        json_object_set_new(root, path, v);
        return;
    }
    char head[64];
    snprintf(head, sizeof head, "%.*s", (int)(dot - path), path);
    json_t *child = json_object_get(root, head);
    if (!child) {
        child = json_object();
        json_object_set_new(root, head, child);
    }
    put_path(child, dot + 1, v);
}

static void show_text(const struct config *c, struct buf *out)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        json_t *v = value_of(c, i);
        char *text = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
        buf_fmt(out, "%-32s %-34s %s\n", config_fields.v[i].name, text ? text : "(a secret)", c->origin[i]);
        free(text);
        json_decref(v);
    }
}

void config_show(const struct config *c, bool json, struct buf *out)
{
    if (!json) {
        show_text(c, out);
        return;
    }
    json_t *settings = json_object(), *origins = json_object();
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        json_t *v = value_of(c, i);
        if (v)
            put_path(settings, config_fields.v[i].name, v);
        json_object_set_new(origins, config_fields.v[i].name, json_string(c->origin[i]));
    }
    json_t *doc = json_pack("{soso}", "server", settings, "origin", origins);
    char *text = json_dumps(doc, JSON_INDENT(2));
    buf_z(out, text ? text : "");
    buf_char(out, '\n');
    free(text);
    json_decref(doc);
}

static void sample_row(const struct field *f, struct buf *out)
{
    const char *dot = strchr(f->name, '.'), *key = dot ? dot + 1 : f->name, *pad = dot ? "    " : "  ";
    const char *v = f->initial ? f->initial : "";
    buf_fmt(out, "%s# %s\n", pad, f->doc);
    if (f->type == F_SECRET)
        buf_fmt(out, "%s# %s: {env: NAME}\n", pad, key);
    else if (f->type == F_STRS)
        buf_fmt(out, "%s# %s: [%s%s%s]\n", pad, key, *v ? "\"" : "", v, *v ? "\"" : "");
    else if (f->type == F_STR)
        buf_fmt(out, "%s# %s: \"%s\"\n", pad, key, v);
    else
        buf_fmt(out, "%s# %s: %s\n", pad, key, v);
}

void config_sample(struct buf *out)
{
    static const char tenants[] =
        "tenants:\n"
        "  default:\n"
        "    # display_name: \"Example Ltd\"\n"
        "    roles: {}\n"
        "    #  support: {permissions: [orders.read]}\n"
        "    users: []\n"
        "    #  - {username: ann, email: ann@example.com, password: {env: ANN_PASSWORD}, roles: [support]}\n"
        "    clients: []\n"
        "    #  - client_id: web\n"
        "    #    client_secret: {env: WEB_SECRET}\n"
        "    #    redirect_uris: [\"https://app.example/callback\"]\n"
        "    #    grant_types: [authorization_code, refresh_token]\n"
        "    #    scope: \"orders.read offline_access\"\n";
    char section[64] = "";
    buf_z(out, "# mereau's configuration; mereau.yaml(5) says more. What stands behind # is the "
               "default.\nserver:\n");
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct field *f = &config_fields.v[i];
        const char *dot = strchr(f->name, '.');
        size_t n = dot ? (size_t)(dot - f->name) : 0;
        if (n && (strlen(section) != n || strncmp(section, f->name, n))) {
            snprintf(section, sizeof section, "%.*s", (int)n, f->name);
            buf_fmt(out, "  %s:\n", section);
        }
        sample_row(f, out);
    }
    buf_z(out, tenants);
}
