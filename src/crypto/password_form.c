/* How stored passwords look: our own PHC strings and the forms other systems export. One row a form; all are
 * read into the same parts. Costs come from a file somebody imports, so each has a ceiling in limits.h: past
 * it the form is unknown. */
#include "crypto/internal.h"
#include "base/enc.h"
#include "base/limits.h"
#include <argon2.h>

#define HASH_MIN 16 /* a shorter digest would match too easily */

static bool take(struct str *rest, const char *literal)
{
    struct str head = str_z(literal);
    if (!str_starts(*rest, head))
        return false;
    rest->p += head.n;
    rest->n -= head.n;
    return true;
}

/* The text up to the next `end`, which is taken too; the whole rest if there is none and it may be missing.
 */
static bool take_until(struct str *rest, char end, bool may_miss, struct str *ret)
{
    size_t n = str_find(*rest, end);
    if (n == rest->n && !may_miss)
        return false;
    size_t skip = n < rest->n ? n + 1 : n;
    *ret = (struct str){rest->p, n};
    rest->p += skip;
    rest->n -= skip;
    return true;
}

/* "name=" and a number of min..max, then the character that ends it. */
static bool take_cost(struct str *rest, const char *name, char end, uint32_t min, uint32_t max, uint32_t *ret)
{
    struct str digits;
    int64_t v;
    if (!take(rest, name) || !take_until(rest, end, false, &digits) || digits.n == 0 || digits.p[0] == '-' ||
        !str_to_int(digits, &v) || v < min || v > max)
        return false;
    *ret = (uint32_t)v;
    return true;
}

/* PHC and passlib use the ordinary alphabet without padding (passlib with '.' for '+'); Django and LDAP keep
 * the padding. */
static bool decode(struct str text, uint8_t *ret, size_t *ret_n)
{
    char url[PASSWORD_PART_MAX * 4 / 3 + 4];
    while (text.n > 0 && text.n % 4 == 0 && text.p[text.n - 1] == '=')
        text.n -= text.n > 1 && text.p[text.n - 2] == '=' ? 2 : 1;
    if (text.n > sizeof(url))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '-' || c == '_')
            return false;
        url[i] = c == '+' || c == '.' ? '-' : c == '/' ? '_' : c;
    }
    *ret_n = dec_b64url_into((struct str){url, text.n}, ret, PASSWORD_PART_MAX);
    return *ret_n != SIZE_MAX;
}

/* "salt$hash", the last two fields of all PHC strings. */
static bool take_salt_and_hash(struct str rest, struct password_parts *ret)
{
    struct str salt;
    return take_until(&rest, '$', false, &salt) && decode(salt, ret->salt, &ret->salt_n) &&
           decode(rest, ret->hash, &ret->hash_n) && ret->hash_n >= HASH_MIN;
}

/* m=19456,t=2,p=1$salt$hash, before it v=19$ (absent: the first version). */
static bool parse_argon2(const struct password_form *form, struct str rest, struct password_parts *ret)
{
    (void)form;
    ret->version = ARGON2_VERSION_10;
    if (str_starts(rest, STR("v=")) &&
        !take_cost(&rest, "v=", '$', ARGON2_VERSION_10, ARGON2_VERSION_13, &ret->version))
        return false;
    return (ret->version == ARGON2_VERSION_10 || ret->version == ARGON2_VERSION_13) &&
           take_cost(&rest, "m=", ',', ARGON2_MIN_MEMORY, LIMIT_ARGON2_KIB, &ret->cost[0]) &&
           take_cost(&rest, "t=", ',', ARGON2_MIN_TIME, LIMIT_ARGON2_PASSES, &ret->cost[1]) &&
           take_cost(&rest, "p=", '$', ARGON2_MIN_LANES, LIMIT_ARGON2_LANES, &ret->cost[2]) &&
           (uint64_t)ret->cost[0] * ret->cost[1] <= LIMIT_ARGON2_WORK_KIB &&
           ret->cost[0] >= 8 * ret->cost[2] && take_salt_and_hash(rest, ret) &&
           ret->salt_n >= ARGON2_MIN_SALT_LENGTH;
}

/* 10$ and 53 characters; the whole is what crypt(3) gives back, and what stands before the last 31 is its
 * setting. */
static bool parse_bcrypt(const struct password_form *form, struct str rest, struct password_parts *ret)
{
    static const char alphabet[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    struct str head = str_z(form->prefix), text = rest;
    if (rest.n != 56 || !take_cost(&rest, "", '$', 4, LIMIT_BCRYPT_COST, &ret->cost[0]) || rest.n != 53)
        return false;
    for (size_t i = 0; i < rest.n; i++)
        if (!memchr(alphabet, rest.p[i], sizeof(alphabet) - 1))
            return false;
    memcpy(ret->hash, head.p, head.n);
    memcpy(ret->hash + head.n, text.p, text.n);
    ret->hash_n = head.n + text.n;
    ret->salt_n = ret->hash_n - 31;
    memcpy(ret->salt, ret->hash, ret->salt_n);
    ret->salt[ret->salt_n] = 0;
    return true;
}

/* PBKDF2 gives as much as is asked for, so that a truncated hash would match: without a stated length it is
 * the digest's. */
static bool whole_digest(const struct password_form *form, const struct password_parts *p)
{
    return p->hash_n == (size_t)EVP_MD_get_size(EVP_get_digestbyname(form->md));
}

/* Passlib: 29000$salt$hash. PHC: i=29000,l=32$salt$hash. */
static bool parse_pbkdf2(const struct password_form *form, struct str rest, struct password_parts *ret)
{
    uint32_t length = 0;
    size_t dollar = str_find(rest, '$');
    bool with_length = str_find(rest, ',') < dollar;
    const char *name = str_starts(rest, STR("i=")) ? "i=" : "";
    return take_cost(&rest, name, with_length ? ',' : '$', 1, LIMIT_PBKDF2_ROUNDS, &ret->cost[0]) &&
           (!with_length || take_cost(&rest, "l=", '$', HASH_MIN, PASSWORD_PART_MAX, &length)) &&
           take_salt_and_hash(rest, ret) && (with_length ? length == ret->hash_n : whole_digest(form, ret));
}

/* 260000$salt$hash with the salt as plain text. */
static bool parse_django(const struct password_form *form, struct str rest, struct password_parts *ret)
{
    struct str salt;
    if (!take_cost(&rest, "", '$', 1, LIMIT_PBKDF2_ROUNDS, &ret->cost[0]) ||
        !take_until(&rest, '$', false, &salt) || salt.n == 0 || salt.n > PASSWORD_PART_MAX)
        return false;
    memcpy(ret->salt, salt.p, salt.n);
    ret->salt_n = salt.n;
    return decode(rest, ret->hash, &ret->hash_n) && whole_digest(form, ret);
}

/* ln=16,r=8,p=1$salt$hash. */
static bool parse_scrypt(const struct password_form *form, struct str rest, struct password_parts *ret)
{
    (void)form;
    return take_cost(&rest, "ln=", ',', 1, LIMIT_SCRYPT_LN, &ret->cost[0]) &&
           take_cost(&rest, "r=", ',', 1, LIMIT_SCRYPT_R, &ret->cost[1]) &&
           take_cost(&rest, "p=", '$', 1, LIMIT_SCRYPT_P, &ret->cost[2]) &&
           ((uint64_t)128 << ret->cost[0]) * ret->cost[1] <= LIMIT_SCRYPT_MEMORY &&
           take_salt_and_hash(rest, ret);
}

/* RFC 2307's cousins: base64 of the digest and the salt behind it. */
static bool parse_salted(const struct password_form *form, struct str rest, struct password_parts *ret)
{
    uint8_t both[PASSWORD_PART_MAX];
    size_t n, size = (size_t)EVP_MD_get_size(EVP_get_digestbyname(form->md));
    if (!decode(rest, both, &n) || n <= size)
        return false;
    memcpy(ret->hash, both, size);
    ret->hash_n = size;
    memcpy(ret->salt, both + size, n - size);
    ret->salt_n = n - size;
    return true;
}

static const struct password_form forms[] = {
    {"$argon2id$", parse_argon2, kdf_argon2, NULL, Argon2_id},
    {"argon2$argon2id$", parse_argon2, kdf_argon2, NULL, Argon2_id}, /* Django's name before the PHC string */
    {"$argon2i$", parse_argon2, kdf_argon2, NULL, Argon2_i},
    {"$2a$", parse_bcrypt, kdf_bcrypt, NULL, 0},
    {"$2b$", parse_bcrypt, kdf_bcrypt, NULL, 0},
    {"$2y$", parse_bcrypt, kdf_bcrypt, NULL, 0},
    {"$pbkdf2-sha256$", parse_pbkdf2, kdf_pbkdf2, "SHA256", 0},
    {"$pbkdf2-sha512$", parse_pbkdf2, kdf_pbkdf2, "SHA512", 0},
    {"pbkdf2_sha256$", parse_django, kdf_pbkdf2, "SHA256", 0},
    {"$scrypt$", parse_scrypt, kdf_scrypt, NULL, 0},
    {"{SSHA}", parse_salted, kdf_salted, "SHA1", 0},
    {"{SSHA256}", parse_salted, kdf_salted, "SHA256", 0},
    {"{SSHA512}", parse_salted, kdf_salted, "SHA512", 0},
};

const struct password_form *password_form_find(struct str stored, struct password_parts *ret)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct str rest = stored;
        if (!take(&rest, forms[i].prefix))
            continue;
        *ret = (struct password_parts){0};
        return forms[i].parse(&forms[i], rest, ret) ? &forms[i] : NULL;
    }
    return NULL;
}
