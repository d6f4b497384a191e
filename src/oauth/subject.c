/* Who somebody is to a client. A pairwise sub is the account's id under a permutation that belongs to the client's sector: two
 * sectors cannot compare notes, and this server finds the account again without a table (OpenID Connect Core section 8.1). */
#include "oauth/parts.h"

/* The host that stands for the sector. */
static struct str sector_of(const struct client *c)
{
    struct str host = STR_NONE;
    struct str url = c->sector_identifier_uri.n ? c->sector_identifier_uri
                     : c->redirect_uris.n       ? c->redirect_uris.v[0]
                                                : STR_NONE;
    return url_host(url, &host) ? host : c->client_id;
}

static bool is_pairwise(const struct client *c)
{
    return str_is(c->subject_type, "pairwise");
}

static void sector_key(struct op *op, const struct client *c, uint8_t ret[static SHA256_SIZE])
{
    struct str host = sector_of(c);
    struct str data = arena_fmt(op->arena, "pairwise:%.*s", STR_ARG(host));
    hmac_sha256(op->core->crypto, (struct str){(const char *)op->tenant->secret_key, sizeof(op->tenant->secret_key)}, data, ret);
}

struct str subject_for(struct op *op, const struct client *client, int64_t account_id)
{
    uint8_t key[SHA256_SIZE];
    if (!is_pairwise(client))
        return id_text(op->core, op->arena, account_id);
    sector_key(op, client, key);
    return id_text_under(key, op->arena, account_id);
}

bool subject_parse(struct op *op, const struct client *client, struct str sub, int64_t *ret_account_id)
{
    uint8_t key[SHA256_SIZE];
    if (!is_pairwise(client))
        return id_parse(op->core, sub, ret_account_id);
    sector_key(op, client, key);
    return id_parse_under(key, sub, ret_account_id);
}

struct str token_subject(struct op *op, const struct token *t, const struct object *client)
{
    if (!t->account_id)
        return client ? client->name : STR_NONE;
    return client ? subject_for(op, client_of(client), t->account_id) : id_text(op->core, op->arena, t->account_id);
}
