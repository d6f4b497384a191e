/* Metadata documents of outside providers. What is taken must be addresses that may be called, of the issuer that was asked. */
// layers: base net
// files: src/account/outside_document.c
// libs: curl
#include "account/outside_parts.h"
#include "net/net.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_address(const struct net *net, struct str url)
{
    struct fault f = {0};
    require(url.n > 0 && url.n <= LIMIT_REDIRECT_URI && net_url_check(net, url, &f) == ERR_OK);
    require(str_starts(url, STR("https:")) || str_starts(url, STR("HTTPS:")) || url.p[0] == 'h' || url.p[0] == 'H');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct net *net; /* curl's start is slow */
    json_t *doc;
    struct outside_metadata m = {.answers_iss = false};
    if (!net)
        net = net_new(&(struct net_config){.allow = {NULL, 0}});
    require(net);
    if (json_load((struct str){(const char *)data, size}, &doc) != ERR_OK)
        return 0;
    if (json_is_object(doc) && !outside_metadata_read(net, STR("https://op.example"), doc, &m)) {
        require_address(net, m.authorization_endpoint);
        require_address(net, m.token_endpoint);
        require_address(net, m.jwks_uri);
    }
    json_decref(doc);
    return 0;
}
