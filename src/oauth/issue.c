/* Builds what a grant buys, for all grants alike: an access token (opaque or RFC 9068 JWT, stored or not) and
 * a refresh token. Everything is built and signed before the transaction; inside it rows are inserted and
 * nothing else. */
#include "oauth/parts.h"
#include "token/status.h"
#include <stdio.h>

#define CLAIMS_MAX (LIMIT_SCOPE + LIMIT_RESOURCES * LIMIT_TEXT + 4096 + LIMIT_CLAIMS)

int64_t life_or_default(int64_t of_client, int64_t of_tenant)
{
    return of_client >= 0 ? of_client : of_tenant;
}

struct issue_ids issue_take_ids(struct op *op)
{
    struct store *s = op->core->store;
    struct issue_ids ids = {.grant = store_new_id(s)};
    ids.access = store_new_id(s);
    ids.refresh = store_new_id(s);
    return ids;
}

/* --- the JWT (RFC 9068 section 2.2)
 * ------------------------------------------------------------------------------- */

void write_words(struct jw *w, const char *name, struct str words, bool one_is_plain)
{
    struct str word, rest = words;
    size_t n = 0;
    while (str_word(&rest, ' ', &word))
        n++;
    jw_key(w, name);
    if (n == 1 && one_is_plain) {
        jw_str(w, words);
        return;
    }
    jw_open(w, '[');
    while (str_word(&words, ' ', &word))
        jw_str(w, word);
    jw_close(w, ']');
}

static void write_person(struct jw *w, const struct issue *i)
{
    if (i->signin.auth_s)
        jw_m_int(w, "auth_time", i->signin.auth_s);
    if (i->signin.amr.n) {
        jw_m_str(w, "acr", acr_of(i->signin.amr));
        write_words(w, "amr", i->signin.amr, false);
    }
    if (i->account->spec.roles.n)
        jw_m_strs(w, "roles", i->account->spec.roles);
}

/* An unstored JWT's id is marked, so that nobody looks for its row. */
static struct str jti_of(struct op *op, const struct issued *t)
{
    struct str id = id_text(op->core, op->arena, t->access.id);
    return t->stored ? id : arena_fmt(op->arena, "%c%.*s", JTI_UNSTORED, STR_ARG(id));
}

static err_t write_claims(struct op *op, const struct issue *i, const struct issued *t, struct jw *w)
{
    jw_open(w, '{');
    jw_m_str(w, "iss", op->tenant->issuer);
    jw_m_str(w, "sub", token_subject(op, &t->access, i->client));
    write_words(w, "aud", t->access.audience, true);
    jw_m_int(w, "exp", t->access.expires_s);
    jw_m_int(w, "iat", t->access.issued_s);
    jw_m_str(w, "jti", jti_of(op, t));
    jw_m_str(w, "client_id", i->client->name);
    if (t->access.scope.n)
        jw_m_str(w, "scope", t->access.scope);
    if (i->account)
        write_person(w, i);
    if (!t->stored && i->grant)
        jw_m_str(w, "gid", id_text(op->core, op->arena, i->grant->id));
    if (t->access.status_index)
        status_write(op, t->access.status_index, w);
    TRY(claims_write_custom(op, op->tenant, CLAIM_ACCESS, i->account, i->client, i->scope, w));
    jw_close(w, '}');
    return ERR_OK;
}

static err_t sign_access(struct op *op, const struct issue *i, struct issued *t)
{
    const struct signing_key *key;
    struct buf b;
    struct jw w;
    TRY(client_signing_key(op, client_of(i->client)->access_token_signing_alg, &key));
    buf_init(&b, op->arena, CLAIMS_MAX);
    jw_init(&w, &b);
    TRY(write_claims(op, i, t, &w));
    if (!buf_ok(&b))
        return ERR_MEMORY;
    TRY(jws_sign(op->core->crypto, &key->jwk, STR("at+jwt"), buf_view(&b), op->arena, &t->access_text));
    sha256(op->core->crypto, t->access_text, t->access.hash);
    return ERR_OK;
}

/* --- both formats
 * ------------------------------------------------------------------------------------------------- */

static err_t keep_text(struct op *op, struct token *row, const struct token_text *text, struct str *ret)
{
    memcpy(row->hash, text->hash, sizeof(row->hash));
    *ret = arena_str(op->arena, (struct str){text->p, sizeof(text->p)});
    return ret->p ? ERR_OK : ERR_MEMORY;
}

static err_t make_access_text(struct op *op, struct issued *t)
{
    struct token_text text;
    TRY(token_text_make(op->core, TOKEN_ACCESS, t->access.id, &text));
    err_t e = keep_text(op, &t->access, &text, &t->access_text);
    secret_zero(&text, sizeof(text));
    return e;
}

static struct token row_of(struct op *op, const struct issue *i, char kind, int64_t id)
{
    return (struct token){
        .kind = kind,
        .id = id,
        .tenant_id = tenant_id_of(op),
        .client_id = i->client->id,
        .account_id = i->account ? i->account->id : 0,
        .session_id = i->grant ? i->grant->session_id : 0,
        .grant_id = i->grant ? i->grant->id : 0,
        .scope = i->scope,
        .audience = i->audience,
        .issued_s = op->now_s,
    };
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool is_jwt(const struct issue *i)
{
    return str_is(client_of(i->client)->access_token_format, "jwt");
}

/* All of it but the text. */
static void make_access(struct op *op, const struct issue *i, struct issue_ids ids, struct issued *t)
{
    const struct client *c = client_of(i->client);
    t->stored = !is_jwt(i) || c->store_access_tokens;
    t->access = row_of(op, i, TOKEN_ACCESS, ids.access);
    t->access.spec = i->signin.user_claims; /* what UserInfo says beside what the scope covers */
    t->access.expires_s =
        op->now_s + life_or_default(c->access_token_life_s, op->tenant->spec->access_token_life_s);
    if (i->grant)
        t->access.expires_s = earlier(t->access.expires_s, i->grant->expires_s);
    t->life_s = t->access.expires_s - op->now_s;
}

err_t issue_access(struct op *op, const struct issue *i, struct issue_ids ids, struct issued *t)
{
    make_access(op, i, ids, t);
    if (client_of(i->client)->status_list && t->stored && is_jwt(i))
        TRY(status_take(op, t->access.id, &t->access.status_index));
    return is_jwt(i) ? sign_access(op, i, t) : make_access_text(op, t);
}

err_t issue_preview(struct op *op, const struct issue *i, struct jw *w)
{
    struct issued t = {.life_s = 0};
    make_access(op, i, issue_take_ids(op), &t);
    return write_claims(op, i, &t, w);
}

void refresh_derive(struct op *op, struct str text, int64_t grant_id, int64_t parent_generation, int64_t id,
                    struct token_text *ret)
{
    uint8_t data[TOKEN_TEXT_SIZE + 16], mac[SHA256_SIZE];
    size_t n = text.n < TOKEN_TEXT_SIZE ? text.n : TOKEN_TEXT_SIZE;
    memcpy(data, text.p, n);
    for (size_t i = 0; i < 8; i++) {
        data[n + i] = (uint8_t)((uint64_t)grant_id >> (56 - 8 * i));
        data[n + 8 + i] = (uint8_t)((uint64_t)parent_generation >> (56 - 8 * i));
    }
    hmac_sha256(op->core->crypto,
                (struct str){(const char *)op->tenant->refresh_key, sizeof(op->tenant->refresh_key)},
                (struct str){(const char *)data, n + 16}, mac);
    token_text_derive(op->core, TOKEN_REFRESH, id, mac, ret);
    secret_zero(data, sizeof(data));
    secret_zero(mac, sizeof(mac));
}

err_t issue_refresh(struct op *op, const struct issue *i, struct issue_ids ids,
                    const struct refresh_parent *parent, struct issued *t)
{
    const struct client *c = client_of(i->client);
    struct token_text text;
    t->refresh = row_of(op, i, TOKEN_REFRESH, ids.refresh);
    /* The refresh token stays as wide as the grant, however narrow this access token is. */
    t->refresh.scope = i->grant->scope;
    t->refresh.audience = i->grant->audience;
    t->refresh.generation = parent ? parent->generation + 1 : 1;
    t->refresh.expires_s =
        earlier(op->now_s + life_or_default(c->refresh_token_idle_s, op->tenant->spec->refresh_token_idle_s),
                i->grant->expires_s);
    if (parent)
        refresh_derive(op, parent->text, i->grant->id, parent->generation, ids.refresh, &text);
    else
        TRY(token_text_make(op->core, TOKEN_REFRESH, ids.refresh, &text));
    t->refreshable = true;
    err_t e = keep_text(op, &t->refresh, &text, &t->refresh_text);
    secret_zero(&text, sizeof(text));
    return e;
}

err_t issue_insert(struct db *db, const struct issued *t)
{
    if (t->stored)
        TRY(token_insert(db, &t->access));
    return t->refresh.id ? token_insert(db, &t->refresh) : ERR_OK;
}

/* --- afterwards
 * --------------------------------------------------------------------------------------------------- */

void issue_audit(struct op *op, enum audit_event e, const struct issue *i, const struct issued *t,
                 struct audit *ret)
{
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, 2 * LIMIT_SCOPE + LIMIT_RESOURCES * LIMIT_TEXT + LIMIT_TEXT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "grant_type", str_z(i->grant_type));
    if (i->account)
        jw_m_str(&w, "user", i->account->username);
    jw_m_str(&w, "scope", i->scope);
    jw_m_str(&w, "audience", i->audience);
    jw_close(&w, '}');
    struct str object =
        i->grant ? audit_object(op, "grant", i->grant->id) : audit_object(op, "token", t->access.id);
    audit_make(op, e, object, buf_ok(&b) ? buf_view(&b) : STR_NONE, ret);
}

void issue_answer(struct op *op, const struct issue *i, const struct issued *t, struct token_answer *ret)
{
    char labels[64];
    snprintf(labels, sizeof(labels), "%s,%.*s", i->grant_type,
             STR_ARG(client_of(i->client)->access_token_format));
    metrics_add(op->core->metrics, METRIC_TOKEN_ISSUED, labels, 1);
    *ret = (struct token_answer){
        .access_token = t->access_text, .token_type = STR("Bearer"), .expires_in_s = t->life_s};
    if (t->refreshable)
        ret->refresh_token = t->refresh_text;
    ret->id_token = t->id_token;
    if (i->scope.n)
        ret->scope = i->scope;
}
