/* prompt=login and max_age ask for a sign-in newer than the request. The request goes round through the
 * sign-in page and comes back the same; what tells the second round from the first is the parameter `after`:
 * an id taken when the sign-in was asked for, and a MAC over it and the whole request. A session opened since
 * has a later id (ids grow with time). Replaying an old `after` is of no use for another request, and none
 * lives longer than ten minutes. */
#include "oauth/authorize.h"

#define REAUTH_LIFE_S 600
#define MAC_HEX       32 /* 128 bits */
#define ID_TEXT       11

static struct str mac_of(struct op *op, const struct authorize_params *p, struct str head)
{
    struct authorize_params plain = *p;
    struct str query, data;
    struct buf hex;
    uint8_t mac[SHA256_SIZE];
    plain.after = STR_NONE;
    if (request_query(op, &plain, STR_NONE, &query) != ERR_OK)
        return STR_NONE;
    data = arena_fmt(op->arena, "reauth:%.*s:%.*s", STR_ARG(head), STR_ARG(query));
    if (!data.p)
        return STR_NONE;
    hmac_sha256(op->core->crypto,
                (struct str){(const char *)op->tenant->secret_key, sizeof(op->tenant->secret_key)}, data,
                mac);
    buf_init(&hex, op->arena, MAC_HEX);
    enc_hex(&hex, mac, MAC_HEX / 2);
    return buf_ok(&hex) ? buf_view(&hex) : STR_NONE;
}

struct str reauth_ask(struct op *op, const struct authorize_params *p)
{
    struct str id = id_text(op->core, op->arena, store_new_id(op->core->store));
    struct str head = arena_fmt(op->arena, "%.*s.%lld", STR_ARG(id), (long long)op->now_s);
    struct str mac = mac_of(op, p, head);
    return mac.p ? arena_fmt(op->arena, "%.*s.%.*s", STR_ARG(head), STR_ARG(mac)) : STR_NONE;
}

/* The proof's own id and time. */
static bool proof_read(struct op *op, const struct authorize_params *p, int64_t *ret_id, int64_t *ret_asked_s)
{
    if (p->after.n < ID_TEXT + 1 + 1 + 1 + MAC_HEX)
        return false;
    struct str head = {p->after.p, p->after.n - MAC_HEX - 1};
    struct str mac = {p->after.p + head.n + 1, MAC_HEX};
    struct str time = {head.p + ID_TEXT + 1, head.n - ID_TEXT - 1};
    if (!id_parse(op->core, (struct str){head.p, ID_TEXT}, ret_id) || !str_to_int(time, ret_asked_s))
        return false;
    struct str want = mac_of(op, p, head);
    return want.p && str_eq_secret(mac, want) && *ret_asked_s <= op->now_s + LIMIT_CLOCK_SKEW &&
           op->now_s - *ret_asked_s <= REAUTH_LIFE_S;
}

bool reauth_done(struct op *op, const struct authorize_params *p, const struct session *s)
{
    int64_t id, asked_s;
    return proof_read(op, p, &id, &asked_s) && (s->id > id || s->auth_s > asked_s);
}

int64_t reauth_asked_s(struct op *op, const struct authorize_params *p)
{
    int64_t id, asked_s;
    return proof_read(op, p, &id, &asked_s) ? asked_s : 0;
}
