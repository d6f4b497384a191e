/* Signing in with a password: limits first, then the slow hash, then one transaction with all that follows.
 * Unknown people, disabled accounts and wrong passwords take the same steps and the same time (case A38). */
#include "account/account_row.h"
#include "account/signin.h"
#include "base/enc.h"
#include "token/core.h"

#define DEVICE_RANDOM 16
#define DEVICE_MAC    16
#define DEVICE_SIZE   (8 + DEVICE_RANDOM + DEVICE_MAC)

/* --- the device cookie
 * ------------------------------------------------------------------------------------------------- */

static void device_mac(struct op *op, const uint8_t *device, uint8_t ret[static SHA256_SIZE])
{
    uint8_t text[7 + 8 + DEVICE_RANDOM] = "device";
    memcpy(text + 7, device, 8 + DEVICE_RANDOM);
    hmac_sha256(op->core->crypto,
                (struct str){(const char *)op->tenant->secret_key, sizeof(op->tenant->secret_key)},
                (struct str){(const char *)text, sizeof(text)}, ret);
}

static void put_id(uint8_t *ret, int64_t id)
{
    for (int i = 0; i < 8; i++)
        ret[i] = (uint8_t)((uint64_t)id >> (56 - 8 * i));
}

err_t device_make(struct op *op, int64_t account_id, struct str *ret)
{
    uint8_t device[DEVICE_SIZE], mac[SHA256_SIZE];
    struct buf b;
    put_id(device, account_id);
    TRY(random_bytes(device + 8, DEVICE_RANDOM));
    device_mac(op, device, mac);
    memcpy(device + 8 + DEVICE_RANDOM, mac, DEVICE_MAC);
    buf_init(&b, op->arena, 2 * DEVICE_SIZE);
    enc_b64url(&b, device, sizeof(device));
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

bool device_known(struct op *op, struct str device, int64_t account_id)
{
    uint8_t is[DEVICE_SIZE], id[8], mac[SHA256_SIZE];
    if (account_id == 0 || dec_b64url_into(device, is, sizeof(is)) != sizeof(is))
        return false;
    put_id(id, account_id);
    device_mac(op, is, mac);
    return memcmp(id, is, sizeof(id)) == 0 && secret_eq(mac, is + 8 + DEVICE_RANDOM, DEVICE_MAC);
}

/* --- verifying
 * ---------------------------------------------------------------------------------------------------------
 */

struct attempt {
    struct account account; /* id 0: unknown */
    struct limiter_try limits;
    bool rehash;
};

static err_t find_person(struct op *op, struct str name, struct account *ret)
{
    struct fault before = op->fault;
    err_t e = account_by_name(op, name, ret);
    if (e == ERR_NOT_FOUND) {
        memset(ret, 0, sizeof(*ret));
        op->fault = before;
        return ERR_OK;
    }
    return e;
}

static err_t wrong(struct op *op, const struct attempt *a)
{
    metrics_add(op->core->metrics, METRIC_AUTHN, "password,wrong", 1);
    TRY(limiter_failed(op, &a->limits));
    return op_fail(op, ERR_PASSWORD_WRONG, "", "the user name or the password is wrong");
}

static err_t check_password(struct op *op, const struct account *a, struct str password, bool *ret_rehash)
{
    bool may = a->id && a->type == ACCOUNT_PERSON && !a->disabled && a->password_hash.n &&
               password.n <= LIMIT_PASSWORD;
    if (may)
        return password_verify(op->core->crypto, op->arena, a->password_hash, password, ret_rehash);
    if (password.n > LIMIT_PASSWORD)
        password.n = LIMIT_PASSWORD;
    password_waste_time(op, password);
    return ERR_PASSWORD_WRONG;
}

/* The attempt stays taken when it succeeds: the caller gives it back with what follows. */
static err_t verify(struct op *op, const struct signin *s, struct attempt *ret)
{
    memset(ret, 0, sizeof(*ret));
    TRY(find_person(op, s->username, &ret->account));
    const struct account *a = &ret->account;
    bool known = device_known(op, s->device, a->id);
    ret->limits = (struct limiter_try){.account_id = a->id,
                                       .name = a->id ? a->username : s->username,
                                       .device = s->device,
                                       .device_known = known};
    err_t e = limiter_check(op, &ret->limits);
    if (e == ERR_LIMITED)
        metrics_add(op->core->metrics, METRIC_AUTHN, "password,limited", 1);
    TRY(e);
    e = check_password(op, a, s->password, &ret->rehash);
    return e == ERR_PASSWORD_WRONG ? wrong(op, ret) : e;
}

static err_t factor_password_verify(struct op *op, const struct signin *s, struct account *ret)
{
    struct attempt a;
    TRY(verify(op, s, &a));
    TRY(limiter_succeeded(op, &a.limits));
    *ret = a.account;
    return ERR_OK;
}

const struct factor factor_password = {.name = "password", .amr = "pwd", .verify = factor_password_verify};

/* --- signing in
 * -------------------------------------------------------------------------------------------------------- */

struct signing_in {
    struct store *store;
    struct session_new new;
    struct limiter_tx limits;
    struct str was, becomes; /* password hash; becomes STR_NONE: it is good as it is */
    bool opened;
};

static err_t sign_in_tx(struct db *db, void *ctx)
{
    struct signing_in *s = ctx;
    bool opened;
    TRY(limiter_succeeded_tx(db, &s->limits));
    TRY(session_insert_tx(db, s->store, &s->new, &opened));
    if (opened && s->becomes.p)
        TRY(db_run(
            db, Q_PASSWORD_REHASH,
            BIND(vint(s->new.tenant_id), vint(s->new.session.account_id), vtext(s->becomes), vtext(s->was)),
            NULL));
    s->opened = opened;
    return ERR_OK;
}

/* *ret_opened false: the account has been changed, cut off or disabled since its password was verified. */
static err_t try_password(struct op *op, const struct signin *s, struct signed_in *ret, bool *ret_opened)
{
    struct attempt a;
    struct signing_in in = {.store = op->core->store};
    int64_t before_id =
        store_new_id(in.store); /* older than any cut-off that comes while the hash is computed */
    TRY(verify(op, s, &a));
    TRY(session_make(op, &a.account, factor_password.amr, &in.new));
    in.new.older_than_id = before_id;
    in.new.version = a.account.version;
    limiter_make(op, &a.limits, AUDIT_SIGNIN_UNLIMITED, &in.limits);
    in.was = a.account.password_hash;
    if (a.rehash)
        TRY(password_hash(op->arena, s->password, &in.becomes));
    TRY(store_tx(in.store, sign_in_tx, &in));
    *ret_opened = in.opened;
    *ret = (struct signed_in){.session = in.new.session, .cookie = in.new.cookie};
    if (!in.opened)
        return ERR_OK;
    if (a.limits.device_known) {
        ret->device = s->device;
        return ERR_OK;
    }
    return device_make(op, a.account.id, &ret->device);
}

err_t signin_password(struct op *op, const struct signin *s, struct signed_in *ret)
{
    bool opened = false;
    for (int i = 0; i < LIMIT_PUT_TRIES && !opened; i++) /* what the account is now decides */
        TRY(try_password(op, s, ret, &opened));
    if (!opened)
        return op_fail(op, ERR_PASSWORD_WRONG, "", "the user name or the password is wrong");
    metrics_add(op->core->metrics, METRIC_AUTHN, "password,ok", 1);
    return ERR_OK;
}
