/* Passwords: what a new one must be, and changing one's own. */
#include "account/account_row.h"
#include "account/limiter.h"
#include "token/core.h"

/* From the published lists of the most used ones, those long enough to pass the length rule; compared in
 * lower case. */
static const char *const worst[] = {
    "0123456789",    "0987654321",    "1029384756",    "1122334455",   "11223344556677",   "1234512345",
    "1234567890",    "12345678900",   "12345678910",   "123456789a",   "123456789q",       "1234qwerasdf",
    "123qweasdzxc",  "1q2w3e4r5t",    "1q2w3e4r5t6y",  "1qaz2wsx3edc", "9876543210",       "abcdefghij",
    "administrator", "adminadmin",    "asdfghjkl1",    "asdfghjkl;",   "asdfghjkl123",     "basketball",
    "changeme123",   "charlie123",    "chocolate1",    "computer123",  "football123",      "helloworld",
    "iloveyou12",    "iloveyou123",   "iloveyou1234",  "jennifer123",  "letmein123",       "letmein1234",
    "liverpool1",    "manchester",    "michael123",    "password01",   "password12",       "password123",
    "password1234",  "password12345", "password!1",    "passw0rd123",  "passwordpassword", "princess123",
    "q1w2e3r4t5",    "q1w2e3r4t5y6",  "qazwsxedcrfv",  "qwerty1234",   "qwerty12345",      "qwerty123456",
    "qwertyuiop",    "qwertyuiop1",   "qwertyuiop123", "secret1234",   "spiderman1",       "starwars123",
    "sunshine123",   "superman123",   "trustno1234",   "unknown123",   "welcome123",       "welcome1234",
    "zxcvbnm123",
};

static size_t characters(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static size_t different_bytes(struct str s)
{
    bool seen[256] = {false};
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        n += !seen[(unsigned char)s.p[i]];
        seen[(unsigned char)s.p[i]] = true;
    }
    return n;
}

static bool is_worst(struct str password)
{
    for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++)
        if (str_eq_nocase(password, str_z(worst[i])))
            return true;
    return different_bytes(password) < 4;
}

err_t password_check_for(struct op *op, struct str password, struct str username, const char *param)
{
    if (password.n > LIMIT_PASSWORD)
        return op_fail(op, ERR_PARAM_LONG, param, "at most %d bytes are expected", LIMIT_PASSWORD);
    if (!str_is_utf8(password))
        return op_fail(op, ERR_PARAM_BAD, param, "text in UTF-8 is expected");
    if (characters(password) < LIMIT_PASSWORD_MIN)
        return op_fail(op, ERR_PARAM_BAD, param, "at least %d characters are expected", LIMIT_PASSWORD_MIN);
    if (username.n && str_eq_nocase(password, username))
        return op_fail(op, ERR_PARAM_BAD, param, "the user name is no password");
    if (is_worst(password))
        return op_fail(op, ERR_PARAM_BAD, param,
                       "this is one of the passwords that are tried first; choose another one");
    return ERR_OK;
}

err_t password_check_new(struct op *op, struct str password, const char *param)
{
    return password_check_for(op, password, op->actor.name, param);
}

void password_waste_time(struct op *op, struct str password)
{
    static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IG5vYm9keSE$"
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    bool rehash;
    err_t e = password_verify(op->core->crypto, op->arena, STR(nobody), password, &rehash);
    (void)e;
}

err_t password_set_tx(struct db *db, const struct password_set *p, bool *ret_done)
{
    int64_t changed = 0;
    TRY(db_run(
        db, Q_PASSWORD_SET,
        BIND(vint(p->tenant_id), vint(p->account_id), vint(p->now_s), vtext(p->becomes), vtext(p->was)),
        &changed));
    *ret_done = changed == 1;
    return ERR_OK;
}

/* --- changing one's own
 * ------------------------------------------------------------------------------------------------ */

struct change {
    struct store *store;
    struct password_set set;
    struct online_kill online;
    struct audit audit;
    bool done;
};

static err_t change_in_tx(struct db *db, void *ctx)
{
    struct change *c = ctx;
    bool done;
    TRY(db_claim(db, c->set.account_id, false));
    TRY(password_set_tx(db, &c->set, &done));
    c->online.n = 0;
    if (done) {
        TRY(online_kill_tx(db, &c->online));
        TRY(audit_write(db, c->store, &c->audit));
    }
    c->done = done;
    return ERR_OK;
}

static err_t verify_old(struct op *op, const struct account *a, struct str password)
{
    struct limiter_try attempt = {.account_id = a->id, .name = a->username};
    bool rehash;
    TRY(limiter_check(op, &attempt));
    err_t e = password_verify(op->core->crypto, op->arena, a->password_hash, password, &rehash);
    if (e == ERR_OK)
        return limiter_succeeded(op, &attempt);
    if (e != ERR_PASSWORD_WRONG)
        return e;
    TRY(limiter_failed(op, &attempt));
    return op_fail(op, ERR_PASSWORD_WRONG, "old_password", "the old password is wrong");
}

err_t password_change(struct op *op, int64_t account_id, struct str old_password, struct str new_password,
                      int64_t keep_session_id)
{
    struct account a;
    struct change c = {.store = op->core->store};
    TRY(account_by_id(op, account_id, &a));
    if (a.disabled || !a.password_hash.n)
        return op_fail(op, ERR_FORBIDDEN, "", "this account has no password to change");
    TRY(password_check_for(op, new_password, a.username, "new_password"));
    if (old_password.n > LIMIT_PASSWORD)
        return op_fail(op, ERR_PARAM_LONG, "old_password", "at most %d bytes are expected", LIMIT_PASSWORD);
    TRY(verify_old(op, &a, old_password));
    if (str_eq_secret(old_password, new_password))
        return op_fail(op, ERR_PARAM_BAD, "new_password", "the new password is the old one");
    c.set = (struct password_set){
        .tenant_id = account_tenant(op), .account_id = a.id, .now_s = op->now_s, .was = a.password_hash};
    TRY(password_hash(op->arena, new_password, &c.set.becomes));
    online_kill_make(op, a.id, keep_session_id, &c.online);
    audit_make(op, AUDIT_PASSWORD_CHANGED, arena_fmt(op->arena, "user:%.*s", STR_ARG(a.username)),
               STR("{\"by\":\"self\"}"), &c.audit);
    TRY(store_tx(c.store, change_in_tx, &c));
    if (!c.done)
        return op_fail(op, ERR_PRECONDITION, "", "the password was changed at the same moment");
    return online_killed(&c.online);
}
