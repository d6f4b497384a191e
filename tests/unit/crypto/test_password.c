/* Passwords: our own form, those other systems export, and the ceilings on costs that come with them. */
#include "crypto/crypto.h"
#include "crypto/vectors.h"
#include "base/limits.h"
#include <stdio.h>

static long resident_kib(void)
{
    long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * 4;
}

static void test_ours(const struct crypto *c, struct arena *a)
{
    struct str phc, again;
    bool rehash = true;
    long before = resident_kib();
    CHECK(password_hash(a, STR("correct horse"), &phc) == ERR_OK);
    CHECK(str_starts(phc, STR("$argon2id$v=19$m=19456,t=2,p=1$")) && phc.n == 97);
    CHECK(resident_kib() - before < 8192); /* the 19 MiB have gone back */
    CHECK(password_verify(c, a, phc, STR("correct horse"), &rehash) == ERR_OK && !rehash);
    CHECK(password_verify(c, a, phc, STR("correct horsf"), &rehash) == ERR_PASSWORD_WRONG);
    CHECK(password_verify(c, a, phc, STR("correct horse\0"), &rehash) == ERR_PASSWORD_WRONG);
    CHECK(password_hash(a, STR("correct horse"), &again) == ERR_OK && !str_eq(phc, again));
}

static void test_limits(const struct crypto *c, struct arena *a)
{
    static char text[LIMIT_PASSWORD + 1];
    memset(text, 'x', sizeof(text));
    struct str phc;
    bool rehash;
    CHECK(password_hash(a, (struct str){text, LIMIT_PASSWORD + 1}, &phc) == ERR_PARAM_LONG);
    CHECK(password_hash(a, (struct str){text, LIMIT_PASSWORD}, &phc) == ERR_OK);
    CHECK(password_verify(c, a, phc, (struct str){text, LIMIT_PASSWORD}, &rehash) == ERR_OK);
    CHECK(password_verify(c, a, phc, (struct str){text, LIMIT_PASSWORD + 1}, &rehash) == ERR_PASSWORD_WRONG);
    CHECK(password_hash(a, STR_NONE, &phc) == ERR_OK &&
          password_verify(c, a, phc, STR(""), &rehash) == ERR_OK);
}

static void test_foreign(const struct crypto *c, struct arena *a)
{
    json_t *doc, *v;
    size_t i;
    json_t *list = vectors_load("tests/vectors/crypto/password.json", &doc);
    json_array_foreach(list, i, v)
    {
        struct str stored = vector_text(v, "stored"), password = vector_text(v, "password");
        bool rehash = false;
        CHECK_ROW(password_hash_known(stored), vector_name(v));
        CHECK_ROW(password_verify(c, a, stored, password, &rehash) == ERR_OK && rehash, vector_name(v));
        struct str wrong = arena_fmt(a, "y%.*s", STR_ARG(password));
        CHECK_ROW(password_verify(c, a, stored, wrong, &rehash) == ERR_PASSWORD_WRONG, vector_name(v));
        struct str cut = {stored.p, stored.n - 4};
        CHECK_ROW(password_verify(c, a, cut, password, &rehash) == ERR_PASSWORD_WRONG, vector_name(v));
    }
    json_decref(doc);
}

#define SALT16 "$c29tZXNhbHRzb21lc2FsdA"
#define HASH32 "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
static const struct {
    bool known;
    const char *stored;
} forms[] = {
    {true, "$argon2id$v=19$m=262144,t=4,p=1" SALT16 HASH32},
    {false, "$argon2id$v=19$m=262145,t=1,p=1" SALT16 HASH32},
    {true, "$argon2id$v=19$m=65536,t=16,p=16" SALT16 HASH32},
    {false, "$argon2id$v=19$m=1024,t=17,p=1" SALT16 HASH32},
    {false, "$argon2id$v=19$m=65537,t=16,p=1" SALT16 HASH32}, /* both multiplied */
    {false, "$argon2id$v=19$m=1024,t=1,p=17" SALT16 HASH32},
    {false, "$argon2id$v=19$m=8,t=1,p=2" SALT16 HASH32}, /* eight blocks a lane */
    {false, "$argon2id$v=19$m=1024,t=0,p=1" SALT16 HASH32},
    {false, "$argon2id$v=19$m=-1024,t=1,p=1" SALT16 HASH32},
    {false, "$argon2id$v=19$m=99999999999999999999,t=1,p=1" SALT16 HASH32},
    {false, "$argon2id$v=18$m=1024,t=1,p=1" SALT16 HASH32},
    {true, "$argon2id$m=1024,t=1,p=1" SALT16 HASH32},
    {true, "argon2$argon2id$v=19$m=1024,t=1,p=1" SALT16 HASH32},
    {true, "$argon2i$v=19$m=1024,t=1,p=1" SALT16 HASH32},
    {false, "$argon2d$v=19$m=1024,t=1,p=1" SALT16 HASH32},
    {false, "$argon2id$v=19$m=1024,t=1,p=1$c2FsdA" HASH32},    /* salt of four bytes */
    {false, "$argon2id$v=19$m=1024,t=1,p=1" SALT16 "$CTFhFd"}, /* hash of four bytes */
    {false, "$argon2id$v=19$m=1024,t=1,p=1" SALT16 HASH32 "!"},
    {false, "$argon2id$v=19$m=1024,t=1,p=1" SALT16 HASH32 "$x"},
    {false, "$argon2id$v=19$m=1024,t=1" SALT16 HASH32},
    {false, "$argon2id$"},
    {true, "$2b$15$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm"},
    {false, "$2b$16$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm"},
    {false, "$2b$03$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm"},
    {false, "$2x$10$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm"},
    {false, "$2b$10$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzd:"},
    {true, "$pbkdf2-sha256$2500000" SALT16 HASH32},
    {false, "$pbkdf2-sha256$2500001" SALT16 HASH32},
    {false, "$pbkdf2-sha256$0" SALT16 HASH32},
    {false, "$pbkdf2-sha256$i=1000,l=33" SALT16 HASH32},
    {false, "pbkdf2_sha256$2500001$salt$5yPHw3rwJGECpUf70daLGhOrQ5+AMxIJdz1c3bqK1Rs="},
    {false, "pbkdf2_sha256$1000$$5yPHw3rwJGECpUf70daLGhOrQ5+AMxIJdz1c3bqK1Rs="},
    {true, "$scrypt$ln=17,r=8,p=16" SALT16 HASH32},
    {false, "$scrypt$ln=18,r=8,p=1" SALT16 HASH32}, /* 256 MiB */
    {true, "$scrypt$ln=20,r=1,p=1" SALT16 HASH32},
    {false, "$scrypt$ln=21,r=1,p=1" SALT16 HASH32},
    {false, "$scrypt$ln=4,r=33,p=1" SALT16 HASH32},
    {false, "$scrypt$ln=4,r=1,p=17" SALT16 HASH32},
    {false, "{SSHA}"},
    {false, "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="}, /* no salt */
    {false, "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="},
    {false, "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0"},
    {false, "password"},
    {false, ""},
};

static void test_forms(void)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        CHECK_ROW(password_hash_known(str_z(forms[i].stored)) == forms[i].known, forms[i].stored);
    CHECK(!password_hash_known(STR_NONE));
}

static void test_bcrypt_nul(const struct crypto *c, struct arena *a)
{
    bool rehash;
    struct str stored = STR("$2b$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm");
    CHECK(password_verify(c, a, stored, STR("password"), &rehash) == ERR_OK);
    CHECK(password_verify(c, a, stored, STR("password\0more"), &rehash) == ERR_PASSWORD_WRONG);
}

int main(void)
{
    struct crypto *c = NULL;
    struct arena *a = arena_new(1 << 20);
    CHECK(a && crypto_new(&c) == ERR_OK);
    test_ours(c, a);
    test_limits(c, a);
    test_foreign(c, a);
    test_forms();
    test_bcrypt_nul(c, a);
    crypto_free(&c);
    arena_free(&a);
    return unit_end("password");
}
