/* Logout tokens (OpenID Connect Back-Channel Logout 1.0): made and signed when they are delivered, so that a key rotated meanwhile
 * and two minutes of life do no harm however long the client was away. */
#include "oauth/signout.h"
#include "event/event.h"
#include "net/net.h"

#define LIFE_S   120
#define CACHE_KIB 256

struct ended {
    int64_t session_id, account_id;
};

static err_t member(void *ctx, const struct json_member *m)
{
    struct ended *e = ctx;
    if (m->type == JSON_T_INT && str_is(m->key, "session"))
        e->session_id = m->num;
    else if (m->type == JSON_T_INT && str_is(m->key, "account"))
        e->account_id = m->num;
    return ERR_OK;
}

/* jti is the delivery's: the same at each attempt. */
static err_t write_token(struct op *op, const struct object *client, const struct ended *ended, int64_t delivery_id, struct str *ret)
{
    const struct client *c = client_of(client);
    const struct signing_key *key;
    struct buf b;
    struct jw w;
    TRY(client_signing_key(op, c->id_token_signed_response_alg, &key));
    buf_init(&b, op->arena, 8 * LIMIT_TEXT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "iss", op->tenant->issuer);
    jw_m_str(&w, "sub", subject_for(op, c, ended->account_id));
    jw_m_str(&w, "aud", client->name);
    jw_m_int(&w, "iat", op->now_s);
    jw_m_int(&w, "exp", op->now_s + LIFE_S);
    jw_m_str(&w, "jti", id_text(op->core, op->arena, delivery_id));
    jw_m_str(&w, "sid", id_text(op->core, op->arena, ended->session_id));
    jw_m_raw(&w, "events", STR("{\"http://schemas.openid.net/event/backchannel-logout\":{}}"));
    jw_close(&w, '}');
    if (!buf_ok(&b))
        return ERR_MEMORY;
    TRY(jws_sign(op->core->crypto, &key->jwk, STR("logout+jwt"), buf_view(&b), op->arena, ret));
    if (c->id_token_encrypted_response_alg.n)
        TRY(client_encrypt(op, c, c->id_token_encrypted_response_alg, c->id_token_encrypted_response_enc, *ret, ret));
    return ERR_OK;
}

static err_t post(struct op *op, struct str url, struct str token)
{
    static const struct str type = {"Content-Type: application/x-www-form-urlencoded", 47};
    struct buf b;
    struct net_response answer;
    buf_init(&b, op->arena, LIMIT_JWE + 64);
    buf_z(&b, "logout_token=");
    buf_url(&b, token);
    if (!buf_ok(&b))
        return ERR_MEMORY;
    const struct net_request r = {
        .kind = SINK_LOGOUT, .method = "POST", .url = url, .headers = {&type, 1}, .body = buf_view(&b), .response_max = 64 * 1024};
    TRY(net_fetch(op->core->net, &r, op->arena, &answer, &op->fault));
    if (answer.status >= 200 && answer.status < 300)
        return ERR_OK;
    /* 400 says that the client will not take this token, now or later (section 2.8). */
    return op_fail(op, answer.status == 400 ? ERR_PARAM_BAD : ERR_NET_ANSWER, "", "the client answered with status %d", answer.status);
}

static err_t deliver(struct op *op, const struct delivery *d)
{
    struct ended ended = {.session_id = 0};
    struct object *client;
    struct str token;
    TRY(tenant_use_id(op, d->tenant_id));
    TRY(json_scan(op->arena, d->payload, member, &ended));
    TRY(object_get(op, &kind_client, d->target, &client));
    if (!client_of(client)->backchannel_logout_uri.n)
        return ERR_OK;
    TRY(write_token(op, client, &ended, d->id, &token));
    return post(op, client_of(client)->backchannel_logout_uri, token);
}

err_t logout_deliver(void *ctx, const struct delivery *d, struct arena *a, struct fault *f)
{
    struct core *core = ctx;
    struct db *db;
    struct op op;
    TRY(db_open(core->store, CACHE_KIB, &db));
    op_begin(&op, core, db, a);
    op.actor = (struct actor){.kind = ACTOR_SYSTEM};
    err_t e = deliver(&op, d);
    *f = op.fault;
    op_end(&op);
    db_close(&db);
    return e;
}
