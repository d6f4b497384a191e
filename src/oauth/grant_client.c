/* The client credentials grant (RFC 6749 section 4.4): a machine asks for a token of its own. No refresh
 * token. */
#include "oauth/parts.h"

struct client_tx {
    struct store *store;
    const struct issued *issued;
    const struct audit *audit;
};

static err_t client_tx(struct db *db, void *ctx)
{
    const struct client_tx *x = ctx;
    TRY(issue_insert(db, x->issued));
    return audit_write(db, x->store, x->audit);
}

err_t grant_client(struct op *op, const struct token_params *p, struct object *client,
                   struct token_answer *ret)
{
    struct issue_ids ids = issue_take_ids(op);
    struct issue i = {.grant_type = "client_credentials", .client = client};
    struct issued t = {0};
    struct audit audit;
    TRY(audience_choose(op, client_of(client), p->resource, &i.audience));
    struct scope_request r = {.client = client_of(client), .asked = p->scope, .audience = i.audience};
    TRY(scope_narrow(op, &r, &i.scope));
    TRY(issue_access(op, &i, ids, &t));
    issue_audit(op, AUDIT_TOKEN_ISSUED, &i, &t, &audit);
    struct client_tx x = {op->core->store, &t, &audit};
    TRY(store_tx(op->core->store, client_tx, &x));
    issue_answer(op, &i, &t, ret);
    return ERR_OK;
}
