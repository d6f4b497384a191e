/* The kind "webhook": where security events are sent. Its secret signs what is sent, so it is sealed, not hashed. */
#include "token/tenant_parts.h"
#include "base/enc.h"
#include "base/limits.h"
#include <stddef.h>

#define WEBHOOK_SECRET_MIN 16
#define AT(member)         offsetof(struct webhook, member)
static const struct field webhook_fields[] = {
    {"name", F_STR, FIELD_REQUIRED | FIELD_FIXED, LIMIT_NAME, AT(name), NULL, NULL, "name"},
    {"url", F_STR, FIELD_REQUIRED, LIMIT_REDIRECT_URI, AT(url), NULL, NULL, "where events are sent by POST"},
    {"secret", F_SECRET, 0, 1024, AT(secret), NULL, NULL,
     "key of the signature header, at least 16 characters"},
    {"events", F_STRS, 0, LIMIT_NAME, AT(events), NULL, "*", "names of the events it gets, or *"},
};
#undef AT

static bool url_ok(struct str url)
{
    struct str rest = url;
    if (str_starts(url, STR("https://")))
        rest = (struct str){url.p + 8, url.n - 8};
    else if (str_starts(url, STR("http://")))
        rest = (struct str){url.p + 7, url.n - 7};
    else
        return false;
    struct str host = {rest.p, str_find(rest, '/')};
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] <= 0x20 || rest.p[i] >= 0x7f || rest.p[i] == '#' || rest.p[i] == '\\')
            return false;
    }
    return host.n > 0 && str_find(host, '@') == host.n;
}

static bool event_known(struct str name)
{
    for (int e = 0; e < AUDIT_COUNT; e++) {
        if (str_is(name, audit_name((enum audit_event)e)))
            return true;
    }
    return str_is(name, "*");
}

static err_t webhook_check(struct op *op, void *spec, bool is_new)
{
    const struct webhook *w = spec;
    if (!url_ok(w->url))
        return op_fail(op, ERR_PARAM_BAD, "url",
                       "an https:// URL without user name and fragment is expected");
    for (size_t i = 0; i < w->events.n; i++) {
        if (!event_known(w->events.v[i]))
            return op_fail(op, ERR_PARAM_BAD, "events", "there is no event \"%.*s\"",
                           STR_ARG(w->events.v[i]));
    }
    if (is_new && w->secret.n == 0)
        return op_fail(op, ERR_PARAM_MISSING, "secret", "a secret is expected, to sign what is sent");
    if (w->secret.p && w->secret.n < WEBHOOK_SECRET_MIN)
        return op_fail(op, ERR_PARAM_BAD, "secret", "at least %d characters are expected",
                       WEBHOOK_SECRET_MIN);
    return ERR_OK;
}

struct str sealed_part(struct arena *a, struct str stored, const char *member)
{
    json_t *doc = NULL;
    if (!stored.p || json_load(stored, &doc) != ERR_OK)
        return STR_NONE;
    struct str ret = arena_str(a, json_str(json_object_get(doc, member)));
    json_decref(doc);
    return ret;
}

static struct str webhook_purpose(struct op *op, struct str name)
{
    return arena_fmt(op->arena, "webhook:%.*s", STR_ARG(name));
}

/* The secret must come back in the clear to sign with, so it is sealed; beside it stands a keyed fingerprint
 * that says whether a secret in the file is a new one: {"fingerprint":..., "sealed":...}. */
static err_t webhook_seal(struct op *op, const void *spec, struct str old, struct str *ret)
{
    const struct webhook *w = spec;
    struct str purpose = webhook_purpose(op, w->name), sealed, print;
    if (w->secret.n == 0) {
        *ret = old;
        return ERR_OK;
    }
    if (!purpose.p)
        return ERR_MEMORY;
    TRY(keyring_fingerprint(op, purpose, w->secret, &print));
    if (old.p && str_eq(sealed_part(op->arena, old, "fingerprint"), print)) {
        *ret = old;
        return ERR_OK;
    }
    TRY(keyring_seal(op, op->tenant->object.id, purpose.p, w->secret, &sealed));
    struct buf b;
    struct jw j;
    struct buf text;
    buf_init(&text, op->arena, 4 * LIMIT_TEXT);
    enc_b64url(&text, sealed.p, sealed.n);
    buf_init(&b, op->arena, 8 * LIMIT_TEXT);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_m_str(&j, "fingerprint", print);
    jw_m_str(&j, "sealed", buf_view(&text));
    jw_close(&j, '}');
    if (!buf_ok(&b) || !buf_ok(&text))
        return ERR_MEMORY;
    *ret = buf_view(&b);
    return ERR_OK;
}

err_t webhook_open_secret(struct op *op, const struct tenant *t, struct str name, struct str stored,
                          struct str *ret)
{
    struct str sealed, purpose = webhook_purpose(op, name);
    if (!purpose.p)
        return ERR_MEMORY;
    if (!dec_b64url(op->arena, sealed_part(op->arena, stored, "sealed"), &sealed))
        return ERR_DECRYPT;
    return keyring_open_with(op, t, purpose.p, sealed, ret);
}

const struct object_kind kind_webhook = {
    .name = "webhook",
    .plural = "webhooks",
    .name_field = "name",
    .read = "webhook.read",
    .write = "webhook.write",
    .doc = "an address that is told of security events",
    .fields = FIELDS(webhook_fields, struct webhook),
    .in_snapshot = true,
    .check = webhook_check,
    .seal = webhook_seal,
};
