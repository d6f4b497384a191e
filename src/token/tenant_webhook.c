/* The kind "webhook": where security events are sent. Its secret signs what is sent, so it is sealed, not hashed. */
#include "token/tenant_parts.h"
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

bool tenant_url_ok(struct str url)
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
    if (!tenant_url_ok(w->url))
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

static err_t webhook_seal(struct op *op, const void *spec, struct str old, struct str *ret)
{
    const struct webhook *w = spec;
    return sealed_secret_make(op, &kind_webhook, w->name, w->secret, old, ret);
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
