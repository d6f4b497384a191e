/* The object kinds "user" and "service-account": their fields and what is checked on every write. */
#include "account/account_row.h"
#include "token/core.h"

#define AT(member) offsetof(struct account_spec, member)
static const struct field user_fields[] = {
    {"username", F_STR, FIELD_REQUIRED, LIMIT_NAME, AT(username), NULL, NULL,
     "what the person signs in with; kept in lower case"},
    {"name", F_STR, 0, 256, AT(name), NULL, NULL, "the person's name, as applications show it"},
    {"email", F_STR, 0, LIMIT_EMAIL, AT(email), NULL, NULL,
     "e-mail address; the person may sign in with it if it is verified, or if nobody else has it"},
    {"email_verified", F_BOOL, 0, 0, AT(email_verified), NULL, "false",
     "the address has been proven to be the person's; of one account alone"},
    {"locale", F_STR, 0, 35, AT(locale), NULL, NULL, "language tag, such as en or de-AT"},
    {"given_name", F_STR, 0, 256, AT(given_name), NULL, NULL, "first names"},
    {"family_name", F_STR, 0, 256, AT(family_name), NULL, NULL, "surnames"},
    {"middle_name", F_STR, 0, 256, AT(middle_name), NULL, NULL, "middle names"},
    {"nickname", F_STR, 0, 256, AT(nickname), NULL, NULL, "what friends say"},
    {"profile", F_STR, 0, LIMIT_TEXT, AT(profile), NULL, NULL, "address of a page about the person"},
    {"picture", F_STR, 0, LIMIT_TEXT, AT(picture), NULL, NULL, "address of a picture"},
    {"website", F_STR, 0, LIMIT_TEXT, AT(website), NULL, NULL, "address of a page of the person's own"},
    {"gender", F_STR, 0, 64, AT(gender), NULL, NULL, "such as female or male"},
    {"birthdate", F_STR, 0, 10, AT(birthdate), NULL, NULL, "YYYY-MM-DD, 0000-MM-DD without the year, or YYYY"},
    {"zoneinfo", F_STR, 0, 64, AT(zoneinfo), NULL, NULL, "time zone, such as Europe/Vienna"},
    {"phone_number", F_STR, 0, 32, AT(phone_number), NULL, NULL, "with country code, such as +43 1 234567"},
    {"phone_number_verified", F_BOOL, 0, 0, AT(phone_number_verified), NULL, "false", "the number has been proven to be the person's"},
    {"address", F_JSON, 0, 0, AT(address), NULL, NULL,
     "an object of texts: formatted, street_address, locality, region, postal_code, country"},
    {"roles", F_STRS, 0, LIMIT_NAME, AT(roles), NULL, NULL, "names of roles: what the person may do"},
    {"attributes", F_JSON, FIELD_TEXT, 0, AT(attributes), NULL, NULL,
     "an object of further facts, for custom claims: {user.attributes.department}"},
    {"password", F_SECRET, FIELD_EXACT, LIMIT_PASSWORD, AT(password), NULL, NULL,
     "first password; ignored once there is one"},
    {"password_hash", F_SECRET, 0, LIMIT_TEXT, AT(password_hash), NULL, NULL,
     "first password as a hash of another system: Argon2id, bcrypt, PBKDF2, scrypt, SSHA"},
};
static const struct field service_fields[] = {
    {"username", F_STR, FIELD_REQUIRED, LIMIT_NAME, AT(username), NULL, NULL,
     "name of the account; kept in lower case"},
    {"name", F_STR, 0, 256, AT(name), NULL, NULL, "what it is for"},
    {"owner", F_STR, 0, LIMIT_NAME, AT(owner), NULL, NULL, "user name of the person who answers for it"},
    {"roles", F_STRS, 0, LIMIT_NAME, AT(roles), NULL, NULL, "names of roles: what it may do"},
    {"attributes", F_JSON, FIELD_TEXT, 0, AT(attributes), NULL, NULL,
     "an object of further facts, for custom claims: {user.attributes.department}"},
};

/* --- checks
 * ----------------------------------------------------------------------------------------------------------
 */

static bool plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"(),:;<>[\\]", s.p[i]))
            return false;
    return true;
}

/* Printable ASCII, one '@' with something on both sides: it is put into mail headers. */
static bool email_ok(struct str s)
{
    size_t at = str_find(s, '@');
    struct str domain = at < s.n ? (struct str){s.p + at + 1, s.n - at - 1} : STR_NONE;
    return plain(s) && at > 0 && domain.n > 0 && str_find(domain, '@') == domain.n && domain.p[0] != '.' &&
           domain.p[0] != '-';
}

static bool text_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n == 0 || str_is_utf8(s);
}

static bool locale_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c == '-' && i > 0)))
            return false;
    }
    return true;
}

static bool role_known(const struct tenant *t, struct str name)
{
    if (str_is(name, "admin") || str_is(name, "operator") || str_is(name, "auditor"))
        return true;
    for (size_t i = 0; i < t->nroles; i++)
        if (str_eq(t->roles[i].name, name))
            return true;
    return false;
}

static err_t check_roles(struct op *op, const struct account_spec *s)
{
    if (s->roles.n > LIMIT_LIST)
        return op_fail(op, ERR_PARAM_BAD, "roles", "at most %d roles are expected", LIMIT_LIST);
    for (size_t i = 0; i < s->roles.n; i++)
        if (!role_known(op->tenant, s->roles.v[i]))
            return op_fail(op, ERR_PARAM_BAD, "roles", "there is no role \"%.*s\"", STR_ARG(s->roles.v[i]));
    return op_permit_grant(op, tenant_permissions(op, s->roles), "roles");
}

/* What applications show, or follow as a link: no control character, and no address but a web page's. */
static err_t check_person(struct op *op, const struct account_spec *s)
{
    const struct {
        const char *name;
        struct str v;
        bool address;
    } v[] = {
        {"name", s->name, false},           {"given_name", s->given_name, false}, {"family_name", s->family_name, false},
        {"middle_name", s->middle_name, false}, {"nickname", s->nickname, false}, {"gender", s->gender, false},
        {"birthdate", s->birthdate, false}, {"zoneinfo", s->zoneinfo, false},     {"phone_number", s->phone_number, false},
        {"profile", s->profile, true},      {"picture", s->picture, true},        {"website", s->website, true},
    };
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        if (!text_ok(v[i].v))
            return op_fail(op, ERR_PARAM_BAD, v[i].name, "text without control characters is expected");
        if (v[i].address && v[i].v.n && !str_starts(v[i].v, STR("https://")) && !str_starts(v[i].v, STR("http://")))
            return op_fail(op, ERR_PARAM_BAD, v[i].name, "an http or https address is expected");
    }
    return ERR_OK;
}

static err_t check_address(struct op *op, const struct account_spec *s)
{
    static const char *const known[] = {"formatted", "street_address", "locality", "region", "postal_code", "country"};
    const char *key;
    json_t *value;
    bool ok = !s->address || json_is_object(s->address);
    json_object_foreach(s->address, key, value)
    {
        bool is = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            is |= strcmp(key, known[i]) == 0;
        ok = ok && is && json_is_string(value) && json_string_length(value) <= LIMIT_TEXT;
    }
    return ok ? ERR_OK
              : op_fail(op, ERR_PARAM_BAD, "address",
                        "an object of texts is expected: formatted, street_address, locality, region, postal_code, country");
}

/* Absent and empty are the same for the texts of a person. */
static void drop_empty(struct str *s)
{
    if (s->n == 0)
        *s = STR_NONE;
}

static err_t check(struct op *op, void *spec, bool is_new)
{
    struct account_spec *s = spec;
    s->username = account_fold(op->arena, s->username);
    s->email = s->email.n ? account_fold(op->arena, s->email) : STR_NONE;
    drop_empty(&s->name);
    drop_empty(&s->locale);
    drop_empty(&s->owner);
    if (!s->username.p)
        return ERR_MEMORY;
    if (is_new && str_starts(s->username, STR("client:"))) /* what /verify calls a client */
        return op_fail(op, ERR_PARAM_BAD, "username", "a name that does not begin with client: is expected");
    if (s->email.n && !email_ok(s->email))
        return op_fail(op, ERR_PARAM_BAD, "email", "an address such as demo@example.com is expected");
    TRY(check_person(op, s));
    TRY(check_address(op, s));
    if (!locale_ok(s->locale))
        return op_fail(op, ERR_PARAM_BAD, "locale", "a language tag such as en or de-AT is expected");
    if (s->attributes && (!json_is_object(s->attributes) || json_dumpb(s->attributes, NULL, 0, JSON_COMPACT) > LIMIT_ATTRIBUTES))
        return op_fail(op, ERR_PARAM_BAD, "attributes", "a JSON object of at most %d bytes is expected", LIMIT_ATTRIBUTES);
    return check_roles(op, s);
}

/* The first password, hashed; once there is one, what the document says is ignored. Runs Argon2. */
static err_t seal_password(struct op *op, const void *spec, struct str old, struct str *ret)
{
    const struct account_spec *s = spec;
    if (old.n || (!s->password.n && !s->password_hash.n)) {
        *ret = old;
        return ERR_OK;
    }
    if (s->password.n && s->password_hash.n)
        return op_fail(op, ERR_PARAM_BAD, "password_hash", "either a password or a hash is expected");
    if (s->password_hash.n && !password_hash_known(s->password_hash))
        return op_fail(op, ERR_PARAM_BAD, "password_hash",
                       "a hash by Argon2id, bcrypt ($2b$), PBKDF2 ($pbkdf2-sha256$, pbkdf2_sha256$), scrypt "
                       "($scrypt$) or {SSHA} is expected");
    if (s->password_hash.n) {
        *ret = s->password_hash;
        return ERR_OK;
    }
    TRY(password_check_for(op, s->password, s->username, "password"));
    return password_hash(op->arena, s->password, ret);
}

const struct object_kind kind_user = {
    .name = "user",
    .plural = "users",
    .name_field = "username",
    .read = "user.read",
    .write = "user.write",
    .doc = "a person who signs in",
    .fields = FIELDS(user_fields, struct account_spec),
    .check = check,
    .seal = seal_password,
    .store = &account_store,
};
const struct object_kind kind_service_account = {
    .name = "service-account",
    .plural = "service-accounts",
    .name_field = "username",
    .read = "service-account.read",
    .write = "service-account.write",
    .doc = "a machine with keys of its own and no password",
    .fields = FIELDS(service_fields, struct account_spec),
    .check = check,
    .store = &account_store,
};
