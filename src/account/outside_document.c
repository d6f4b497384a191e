/* The metadata document of an outside provider (OpenID Connect Discovery section 3, RFC 9207 section 3): a stranger's JSON, of which
 * a few addresses are taken, each only if it may be called. */
#include "account/outside_parts.h"
#include "net/net.h"

/* An address that we or the browser go to. */
static bool endpoint(const struct net *net, const json_t *doc, const char *name, struct str *ret)
{
    struct fault ignored = {0};
    *ret = json_str(json_object_get(doc, name));
    return ret->n && ret->n <= LIMIT_REDIRECT_URI && str_find(*ret, '#') == ret->n && net_url_check(net, *ret, &ignored) == ERR_OK;
}

const char *outside_metadata_read(const struct net *net, struct str issuer, const json_t *doc, struct outside_metadata *ret)
{
    if (!str_eq(json_str(json_object_get(doc, "issuer")), issuer))
        return "its metadata names another issuer";
    if (!endpoint(net, doc, "authorization_endpoint", &ret->authorization_endpoint))
        return "its metadata has no authorization_endpoint that may be used";
    if (!endpoint(net, doc, "token_endpoint", &ret->token_endpoint))
        return "its metadata has no token_endpoint that may be used";
    if (!endpoint(net, doc, "jwks_uri", &ret->jwks_uri))
        return "its metadata has no jwks_uri that may be used";
    if (!endpoint(net, doc, "userinfo_endpoint", &ret->userinfo_endpoint))
        ret->userinfo_endpoint = STR_NONE;
    ret->answers_iss = json_is_true(json_object_get(doc, "authorization_response_iss_parameter_supported"));
    return NULL;
}
