/* The object kind "provider": its fields and what is checked on every write. */
#include "token/provider.h"
#include "token/tenant_parts.h"
#include "base/limits.h"
#include <stddef.h>

#define NAME_MAX_LENGTH 63

#define AT(member) offsetof(struct provider, member)
static const struct field provider_fields[] = {
    {"name", F_STR, FIELD_REQUIRED | FIELD_FIXED, NAME_MAX_LENGTH, AT(name), NULL, NULL,
     "name: a-z, 0-9, - and _; stands in the redirect URI to register there: ISSUER/signin/back/NAME"},
    {"display_name", F_STR, 0, 128, AT(display_name), NULL, NULL, "what its button on the sign-in page says; empty: the name"},
    {"issuer", F_STR, FIELD_REQUIRED, LIMIT_REDIRECT_URI, AT(issuer), NULL, NULL,
     "its issuer, exactly as its tokens say; its metadata is read from there"},
    {"client_id", F_STR, FIELD_REQUIRED, LIMIT_NAME * 2, AT(client_id), NULL, NULL, "what this server is called there"},
    {"client_secret", F_SECRET, FIELD_EXACT, LIMIT_TEXT, AT(client_secret), NULL, NULL, "the secret it gave to this server"},
    {"scope", F_WORDS, 0, LIMIT_TEXT, AT(scope), NULL, "openid profile email", "what is asked for; openid is among it"},
    {"token_endpoint_auth_method", F_ENUM, 0, 0, AT(token_endpoint_auth_method), "client_secret_basic|client_secret_post",
     "client_secret_basic", "how this server authenticates there"},
    {"link", F_ENUM, 0, 0, AT(link), "ask|create", "ask",
     "somebody not known yet: ask for a sign-in with the password here, once, and link; or create a new account"},
    {"trust_email", F_BOOL, 0, 0, AT(trust_email), NULL, "false",
     "new accounts: an address that it calls verified counts as verified here; never links to an account that exists"},
};
#undef AT

/* It stands in a path, in user names of new accounts and in JSON. "client:" is what /verify calls a client. */
static bool name_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_'))
            return false;
    return s.n > 0 && !str_is(s, "client");
}

/* RFC 6749 appendix A.1 and A.2. */
static bool printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    return true;
}

static err_t provider_check(struct op *op, void *spec, bool is_new)
{
    const struct provider *p = spec;
    if (is_new && !name_ok(p->name))
        return op_fail(op, ERR_PARAM_BAD, "name", "a-z, 0-9, - and _ are expected, and another name than client");
    if (!tenant_url_ok(p->issuer) || str_find(p->issuer, '?') < p->issuer.n)
        return op_fail(op, ERR_PARAM_BAD, "issuer", "an https:// URL without user name, query and fragment is expected");
    if (!str_has_word(p->scope, ' ', STR("openid")))
        return op_fail(op, ERR_PARAM_BAD, "scope", "openid is expected among the scopes");
    if (!printable(p->scope) || !printable(p->client_id) || !printable(p->client_secret))
        return op_fail(op, ERR_PARAM_BAD, !printable(p->scope) ? "scope" : !printable(p->client_id) ? "client_id" : "client_secret",
                       "printable ASCII is expected");
    if (is_new && p->client_secret.n == 0)
        return op_fail(op, ERR_PARAM_MISSING, "client_secret", "the secret that the provider gave to this server is expected");
    return ERR_OK;
}

static err_t provider_seal(struct op *op, const void *spec, struct str old, struct str *ret)
{
    const struct provider *p = spec;
    return sealed_secret_make(op, &kind_provider, p->name, p->client_secret, old, ret);
}

const struct object_kind kind_provider = {
    .name = "provider",
    .plural = "providers",
    .name_field = "name",
    .read = "provider.read",
    .write = "provider.write",
    .doc = "another OpenID provider whose people may sign in here",
    .fields = FIELDS(provider_fields, struct provider),
    .in_snapshot = true,
    .check = provider_check,
    .seal = provider_seal,
};

const struct provider *provider_named(const struct tenant *t, struct str name)
{
    for (size_t i = 0; i < t->nproviders; i++)
        if (str_eq(t->providers[i].name, name))
            return &t->providers[i];
    return NULL;
}

const struct provider *provider_of_issuer(const struct tenant *t, struct str issuer)
{
    for (size_t i = 0; i < t->nproviders; i++)
        if (str_eq(t->providers[i].issuer, issuer))
            return &t->providers[i];
    return NULL;
}

struct str provider_title(const struct provider *p)
{
    return p->display_name.n ? p->display_name : p->name;
}
