/* A client's secret: made here, printed once, stored as a keyed hash. */
#include "cli/commands.h"
#include "token/object.h"

err_t cli_new_client_secret(struct cli_call *c, json_t *doc, struct token_text *ret)
{
    TRY(token_text_make(c->op->core, TOKEN_CLIENT_SECRET, store_new_id(c->op->core->store), ret));
    return json_object_set_new(doc, "client_secret", json_stringn(ret->p, sizeof ret->p)) ? ERR_MEMORY
                                                                                          : ERR_OK;
}

int cli_client_secret(struct cli_call *c)
{
    struct token_text secret;
    json_t *doc = json_pack("{ss}", "client_id", c->argv[0]);
    err_t e = doc ? cli_new_client_secret(c, doc, &secret) : ERR_MEMORY;
    if (e == ERR_OK)
        e = object_put(c->op, object_kind_find(c->op->core->kinds, STR("client")), doc, OBJECT_UPDATE,
                       MANAGED_API, 0, "", NULL, NULL);
    json_decref(doc);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? cli_refuse(c, 1, "there is no client \"%s\"", c->argv[0])
                                  : cli_fail(c, e);
    if (c->json)
        buf_fmt(c->out, "{\"client_id\":\"%s\",\"client_secret\":\"%.*s\"}\n", c->argv[0], TOKEN_TEXT_SIZE,
                secret.p);
    else
        buf_fmt(c->out, "the old secret has ended; the new one, shown this once:\n%.*s\n", TOKEN_TEXT_SIZE,
                secret.p);
    secret_zero(&secret, sizeof secret);
    return 0;
}
