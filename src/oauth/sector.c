/* sector_identifier_uri (OpenID Connect Registration section 5): the list behind it says whose redirect URIs may share a pairwise
 * sub. Whoever could name another's sector without being on its list would get that one's subs (A23). */
#include "net/net.h"
#include "oauth/client.h"

static bool same_strs(struct strs a, struct strs b)
{
    bool same = a.n == b.n;
    for (size_t i = 0; same && i < a.n; i++)
        same = str_eq(a.v[i], b.v[i]);
    return same;
}

/* What has been found in order once stays so until one of both sides is written anew. */
static err_t is_as_before(struct op *op, const struct client *c, bool is_new, bool *ret)
{
    struct object *old;
    struct fault before = op->fault;
    *ret = false;
    if (is_new)
        return ERR_OK;
    err_t e = object_get(op, &kind_client, c->client_id, &old);
    if (e == ERR_NOT_FOUND) {
        op->fault = before;
        return ERR_OK;
    }
    TRY(e);
    *ret = str_eq(client_of(old)->sector_identifier_uri, c->sector_identifier_uri) &&
           same_strs(client_of(old)->redirect_uris, c->redirect_uris);
    return ERR_OK;
}

static bool list_has(const json_t *list, struct str uri)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(json_str(json_array_get(list, i)), uri))
            return true;
    return false;
}

static bool list_has_all(struct str text, const struct client *c)
{
    json_t *list;
    if (json_load(text, &list) != ERR_OK)
        return false;
    bool all = json_is_array(list);
    for (size_t i = 0; all && i < c->redirect_uris.n; i++)
        all = list_has(list, c->redirect_uris.v[i]);
    json_decref(list);
    return all;
}

/* One text whatever was wrong: a stranger must not learn from us what is where (A22). */
static err_t fetch_and_compare(struct op *op, const struct client *c)
{
    struct str accept = STR("Accept: application/json");
    struct net_request q = {.kind = "sector",
                            .method = "GET",
                            .url = c->sector_identifier_uri,
                            .headers = {&accept, 1},
                            .timeout_ms = LIMIT_REMOTE_MS,
                            .response_max = LIMIT_REMOTE_BYTES};
    struct net_response a = {.status = 0};
    struct fault why = {.code = ERR_OK};
    struct arena *scratch = arena_new(4 * LIMIT_REMOTE_BYTES);
    if (!scratch)
        return ERR_MEMORY;
    bool ok = net_fetch(op->core->net, &q, scratch, &a, &why) == ERR_OK && a.status == 200 && list_has_all(a.body, c);
    arena_free(&scratch);
    if (ok)
        return ERR_OK;
    return op_fail(op, ERR_CLIENT_METADATA, "sector_identifier_uri",
                   "sector_identifier_uri must lead to a JSON list that holds each of the redirect URIs");
}

err_t client_check_sector(struct op *op, const struct client *c, bool is_new)
{
    bool same;
    if (!c->sector_identifier_uri.n || !op->core->net || op->core->dry)
        return ERR_OK;
    TRY(is_as_before(op, c, is_new, &same));
    return same ? ERR_OK : fetch_and_compare(op, c);
}
