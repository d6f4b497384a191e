/* Personal and service API keys: tokens without a client. A key never allows more than its account does at
 * that moment. */
#include "account/account_row.h"
#include "account/apikey.h"
#include "token/core.h"

#define LIFE_DEFAULT_S (90 * 86400)
#define LIFE_MAX_S     (366 * 86400)

static bool word_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.n > 0 && s.n <= LIMIT_NAME;
}

/* Scope: the permissions as words; STR_NONE: all that the account has, at each use. */
static err_t scope_of(struct op *op, const struct account *a, struct strs permissions, struct str *ret)
{
    struct strs held = account_permissions(op, a);
    struct buf b;
    *ret = STR_NONE;
    if (permissions.n == 0)
        return ERR_OK;
    buf_init(&b, op->arena, LIMIT_SCOPE);
    for (size_t i = 0; i < permissions.n; i++) {
        struct str p = permissions.v[i];
        if (!word_ok(p) || !permissions_allow(held, p))
            return op_fail(op, ERR_PARAM_BAD, "permissions", "the account does not hold \"%.*s\"",
                           STR_ARG(p));
        if (i > 0)
            buf_char(&b, ' ');
        buf_str(&b, p);
    }
    if (!buf_ok(&b))
        return op_fail(op, ERR_PARAM_LONG, "permissions", "at most %d bytes are expected", LIMIT_SCOPE);
    *ret = buf_view(&b);
    return ERR_OK;
}

static err_t check_request(struct op *op, const struct apikey_request *r, int64_t *ret_life_s)
{
    if (r->name.n == 0 || r->name.n > LIMIT_NAME || !str_is_utf8(r->name))
        return op_fail(op, ERR_PARAM_BAD, "name", "a name of 1 to %d bytes is expected", LIMIT_NAME);
    for (size_t i = 0; i < r->name.n; i++)
        if ((unsigned char)r->name.p[i] < ' ')
            return op_fail(op, ERR_PARAM_BAD, "name", "text without control characters is expected");
    if (r->life_s < 0 || r->life_s > LIFE_MAX_S)
        return op_fail(op, ERR_PARAM_BAD, "life", "at most 366 days are expected");
    *ret_life_s = r->life_s ? r->life_s : LIFE_DEFAULT_S;
    return ERR_OK;
}

static err_t permit_issue(struct op *op, const struct account *a)
{
    bool own = op->actor.id == a->id && (op->actor.kind == ACTOR_PERSON || op->actor.kind == ACTOR_SERVICE);
    if (!own)
        TRY(account_permit_for(op, a));
    else if (op->actor.token_id) /* a key makes no keys: it could outlive and outgrow itself */
        return op_fail(op, ERR_FORBIDDEN, "", "sign in to make a key");
    return a->disabled ? op_fail(op, ERR_CONFLICT, "", "this account is disabled") : ERR_OK;
}

struct issuing {
    struct store *store;
    struct token token;
    struct audit audit;
    bool account_live, room; /* verdicts */
};

static err_t count_keys(struct db *db, const struct token *t, int64_t *ret)
{
    struct rows r;
    TRY(db_rows(db, Q_API_KEY_COUNT, BIND(vint(t->tenant_id), vint(t->account_id), vint(t->issued_s)), &r));
    *ret = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

static err_t issue_in_tx(struct db *db, void *ctx)
{
    struct issuing *i = ctx;
    struct rows r;
    int64_t keys;
    TRY(db_claim(db, i->token.account_id, false));
    TRY(db_rows(db, Q_LIFE_ACCOUNT, BIND(vint(i->token.tenant_id), vint(i->token.account_id)), &r));
    bool live = db_next(&r) && db_int(&r, 0) == 0 && db_int(&r, 1) < i->token.id;
    TRY(db_end(&r));
    TRY(count_keys(db, &i->token, &keys));
    i->account_live = live;
    i->room = keys < LIMIT_API_KEYS;
    if (!live || !i->room)
        return ERR_OK;
    TRY(token_insert(db, &i->token));
    return audit_write(db, i->store, &i->audit);
}

static struct str spec_of(struct op *op, struct str name)
{
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, 8 * LIMIT_NAME);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "name", name);
    jw_close(&w, '}');
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

err_t apikey_issue(struct op *op, int64_t account_id, const struct apikey_request *r, struct token_text *ret,
                   int64_t *ret_id, int64_t *ret_expires_s)
{
    struct account a;
    struct issuing i = {.store = op->core->store, .token = {.id = store_new_id(op->core->store)}};
    struct token *t = &i.token;
    struct token_text text;
    int64_t life_s = 0;
    TRY(account_by_id(op, account_id, &a));
    TRY(permit_issue(op, &a));
    TRY(check_request(op, r, &life_s));
    t->kind = a.type == ACCOUNT_PERSON ? TOKEN_PERSONAL : TOKEN_SERVICE;
    t->tenant_id = account_tenant(op);
    t->account_id = a.id;
    t->issued_s = op->now_s;
    t->expires_s = op->now_s + life_s;
    t->spec = spec_of(op, r->name);
    TRY(scope_of(op, &a, r->permissions, &t->scope));
    TRY(token_text_make(op->core, (enum token_letter)t->kind, t->id, &text));
    memcpy(t->hash, text.hash, sizeof(t->hash));
    audit_make(op, AUDIT_TOKEN_ISSUED, audit_object(op, "token", t->id), t->spec, &i.audit);
    TRY(store_tx(i.store, issue_in_tx, &i));
    if (!i.account_live)
        return op_fail(op, ERR_CONFLICT, "", "this account is disabled");
    if (!i.room)
        return op_fail(op, ERR_CONFLICT, "", "an account has at most %d live keys", LIMIT_API_KEYS);
    metrics_add(op->core->metrics, METRIC_TOKEN_ISSUED, "api_key,opaque", 1);
    *ret = text;
    *ret_id = t->id;
    *ret_expires_s = t->expires_s;
    return ERR_OK;
}

/* The words of `scope` that the account still holds. */
static struct strs still_held(struct op *op, struct strs held, struct str scope)
{
    struct str word, rest = scope;
    size_t n = 0;
    struct str *v = arena_array(op->arena, struct str, scope.n / 2 + 1);
    while (v && str_word(&rest, ' ', &word))
        if (permissions_allow(held, word))
            v[n++] = word;
    return (struct strs){v, n};
}

err_t apikey_actor(struct op *op, const struct token *t, struct actor *ret)
{
    struct account a;
    struct fault before = op->fault;
    err_t e = account_by_id(op, t->account_id, &a);
    if (e == ERR_NOT_FOUND)
        op->fault = before;
    if (e == ERR_NOT_FOUND || (e == ERR_OK && (a.disabled || t->id < a.cutoff_id)))
        return op_fail(op, ERR_TOKEN_INVALID, "", "the key's account is disabled");
    TRY(e);
    struct strs held = account_permissions(op, &a);
    *ret = (struct actor){
        .kind = a.type == ACCOUNT_PERSON ? ACTOR_PERSON : ACTOR_SERVICE,
        .id = a.id,
        .name = a.username,
        .permissions = t->scope.n ? still_held(op, held, t->scope) : held,
        .tenant_id = t->tenant_id,
        .token_id = t->id,
    };
    return ERR_OK;
}
