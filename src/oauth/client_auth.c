/* Client authentication at the token, introspection and revocation endpoints: client_secret_basic,
 * client_secret_post, none (RFC 6749 section 2.3); assertions are client_assertion.c's. Secrets of machines are long and random, so that a keyed
 * hash is enough; an unknown client and a wrong secret take the same way and the same time (A38). */
#include "oauth/client_auth.h"

/* The purpose keeps these MACs apart from all else made with the tenant's key. */
void client_secret_mac(struct op *op, struct str secret, char ret[static CLIENT_SECRET_MAC])
{
    static const char purpose[] = "client_secret:";
    static const char hex[] = "0123456789abcdef";
    char data[sizeof(purpose) - 1 + LIMIT_PARAM];
    uint8_t mac[SHA256_SIZE];
    size_t n = secret.n < LIMIT_PARAM ? secret.n : LIMIT_PARAM;
    memcpy(data, purpose, sizeof(purpose) - 1);
    if (n)
        memcpy(data + sizeof(purpose) - 1, secret.p, n);
    hmac_sha256(op->core->crypto,
                (struct str){(const char *)op->tenant->secret_key, sizeof(op->tenant->secret_key)},
                (struct str){data, sizeof(purpose) - 1 + n}, mac);
    secret_zero(data, sizeof(purpose) - 1 + n);
    for (size_t i = 0; i < sizeof(mac); i++) {
        ret[2 * i] = hex[mac[i] >> 4];
        ret[2 * i + 1] = hex[mac[i] & 15];
    }
}

/* A JSON list of one or two texts without escapes. */
static struct str stored_nth(struct str stored, size_t n)
{
    for (;; n--) {
        size_t q = str_find(stored, '"');
        if (q == stored.n)
            return STR_NONE;
        struct str rest = {stored.p + q + 1, stored.n - q - 1}, text = {rest.p, str_find(rest, '"')};
        if (text.n == rest.n)
            return STR_NONE;
        if (n == 0)
            return text;
        stored = (struct str){rest.p + text.n + 1, rest.n - text.n - 1};
    }
}

struct str client_secret_nth(struct str stored, size_t n)
{
    struct str s = stored_nth(stored, n);
    bool ok = s.n == CLIENT_SECRET_MAC || (s.n > CLIENT_SECRET_MAC && s.p[CLIENT_SECRET_MAC] == '.');
    return ok ? (struct str){s.p, CLIENT_SECRET_MAC} : STR_NONE;
}

struct str client_sealed_nth(struct str stored, size_t n)
{
    struct str s = stored_nth(stored, n);
    bool ok = s.n > CLIENT_SECRET_MAC + 1 && s.p[CLIENT_SECRET_MAC] == '.';
    return ok ? (struct str){s.p + CLIENT_SECRET_MAC + 1, s.n - CLIENT_SECRET_MAC - 1} : STR_NONE;
}

/* What a request says of itself, decoded. */
struct presented {
    struct str id, secret;
    struct str raw_id, raw_secret; /* Basic credentials as they stood, for clients that do not encode them */
    bool basic;
};

err_t client_refuse(struct op *op, struct str client_id, const char *detail)
{
    audit_refused(op, "invalid_client", client_id);
    return op_fail(op, ERR_CLIENT_INVALID, "", "%s", detail);
}

static bool basic_split(struct op *op, struct str basic, struct presented *p)
{
    struct str plain;
    if (basic.n > LIMIT_PARAM || !dec_b64(op->arena, basic, &plain))
        return false;
    size_t colon = str_find(plain, ':');
    if (colon >= plain.n)
        return false;
    p->raw_id = (struct str){plain.p, colon};
    p->raw_secret = (struct str){plain.p + colon + 1, plain.n - colon - 1};
    return dec_percent(op->arena, p->raw_id, true, &p->id) &&
           dec_percent(op->arena, p->raw_secret, true, &p->secret);
}

static err_t read_credentials(struct op *op, const struct client_credentials *c, struct presented *ret)
{
    struct presented p = {.id = c->client_id, .secret = c->client_secret};
    if (c->authorization_headers > 1)
        return client_refuse(op, c->client_id, "more than one Authorization header");
    if (c->basic.p) {
        if (c->client_secret.p)
            return client_refuse(op, c->client_id, "client authentication was sent in two ways");
        if (!basic_split(op, c->basic, &p))
            return client_refuse(op, c->client_id, "the Basic credentials are malformed");
        if (c->client_id.p && !str_eq(c->client_id, p.id) && !str_eq(c->client_id, p.raw_id))
            return client_refuse(op, c->client_id, "client_id differs from the Authorization header's");
        p.basic = true;
    }
    if (!p.id.n)
        return client_refuse(op, STR_NONE, "client authentication is missing");
    *ret = p;
    return ERR_OK;
}

/* Compares with up to two stored MACs, all of them whatever the first says. */
static bool secret_stored(struct op *op, struct str stored, struct str secret)
{
    char mac[CLIENT_SECRET_MAC];
    bool same = false;
    client_secret_mac(op, secret, mac);
    for (size_t i = 0; i < 2; i++) {
        struct str one = client_secret_nth(stored, i);
        same |= one.p && secret_eq(one.p, mac, sizeof(mac));
    }
    return same;
}

static bool secret_right(struct op *op, struct str stored, const struct presented *p)
{
    bool same = secret_stored(op, stored, p->secret);
    if (p->basic && !str_eq(p->secret, p->raw_secret))
        same |= secret_stored(op, stored, p->raw_secret);
    return same;
}

/* A secret in a request is for two methods alone: whoever registered to sign does not send it (A39). */
static bool method_fits(const struct client *c, const struct presented *p)
{
    return str_is(c->token_endpoint_auth_method, "client_secret_basic") ||
           (!p->basic && str_is(c->token_endpoint_auth_method, "client_secret_post"));
}

void client_look_up_nothing(struct op *op, struct str id)
{
    struct object *none;
    struct str other = arena_fmt(op->arena, "%.*s:", (int)(id.n < LIMIT_NAME ? id.n : LIMIT_NAME), id.p);
    if (object_get(op, &kind_client, other, &none) != ERR_OK)
        op->fault = (struct fault){0};
}

static bool authenticated(struct op *op, struct object *o, const struct presented *p, bool public_ok)
{
    bool right = secret_right(op, o ? o->secret : STR_NONE, p);
    if (!o || o->disabled)
        return false;
    if (str_is(client_of(o)->token_endpoint_auth_method, "none"))
        return public_ok && !p->secret.n;
    return right && p->secret.n && method_fits(client_of(o), p);
}

static void act_as(struct op *op, const struct object *o)
{
    op->actor = (struct actor){.kind = ACTOR_CLIENT,
                               .id = o->id,
                               .name = o->name,
                               .permissions = client_of(o)->permissions,
                               .tenant_id = o->tenant_id};
}

static err_t by_secret(struct op *op, const struct client_credentials *c, bool public_ok, struct object **ret_client)
{
    struct presented p;
    struct object *o = NULL;
    TRY(read_credentials(op, c, &p));
    err_t e = p.id.n <= LIMIT_NAME ? object_get(op, &kind_client, p.id, &o) : ERR_NOT_FOUND;
    if (e == ERR_OK && !authenticated(op, o, &p, public_ok)) {
        client_look_up_nothing(op, p.id);
    } else if (e == ERR_OK) {
        *ret_client = o;
        return ERR_OK;
    } else if (e == ERR_NOT_FOUND) {
        authenticated(op, NULL, &p, public_ok);
        op->fault = (struct fault){0};
    } else {
        return e;
    }
    return client_refuse(op, p.id, "client authentication failed");
}

err_t client_authenticate(struct op *op, const struct client_credentials *c, bool public_ok,
                          struct object **ret_client)
{
    struct object *o;
    bool asserts = c->assertion.p || c->assertion_type.p;
    if (asserts && (!c->assertion.p || c->client_secret.p || c->authorization_headers))
        return client_refuse(op, c->client_id, "client authentication was sent in two ways, or half of one");
    TRY(asserts ? client_assert(op, c, &o) : by_secret(op, c, public_ok, &o));
    act_as(op, o);
    *ret_client = o;
    return ERR_OK;
}
