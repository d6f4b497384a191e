/* A client's secret: made by the domain, printed once. */
#include "cli/commands.h"
#include "oauth/oauth.h"

/* {"client_id", "token_endpoint_auth_method"} of what is stored: the method says what secret it takes. */
static err_t describe(struct cli_call *c, json_t **ret)
{
    struct object *o;
    TRY(object_read(c->op, &kind_client, str_z(c->argv[0]), &o));
    struct str method = ((const struct client *)o->spec)->token_endpoint_auth_method;
    *ret = json_pack("{ss, ss%}", "client_id", c->argv[0], "token_endpoint_auth_method", method.p, method.n);
    return *ret ? ERR_OK : ERR_MEMORY;
}

int cli_client_secret(struct cli_call *c)
{
    struct str secret = STR_NONE;
    json_t *doc = NULL;
    err_t e = describe(c, &doc);
    if (e == ERR_OK)
        e = client_secret_generate(c->op, doc, &secret);
    if (e == ERR_OK && secret.p)
        e = object_put(c->op, &kind_client, doc, OBJECT_UPDATE, MANAGED_API, 0, "", NULL, NULL);
    json_decref(doc);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? cli_refuse(c, 1, "there is no client \"%s\"", c->argv[0])
                                  : cli_fail(c, e);
    if (!secret.p)
        return cli_refuse(c, 1, "client \"%s\" authenticates without a secret (token_endpoint_auth_method)", c->argv[0]);
    if (c->json)
        buf_fmt(c->out, "{\"client_id\":\"%s\",\"client_secret\":\"%.*s\"}\n", c->argv[0], STR_ARG(secret));
    else
        buf_fmt(c->out, "the old secret has ended; the new one, shown this once:\n%.*s\n", STR_ARG(secret));
    return 0;
}
