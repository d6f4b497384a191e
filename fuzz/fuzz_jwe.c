/* Encrypted tokens. An input with a line break inside is a header and a text, truly encrypted here with what
 * the header asks for where it can be, so that what lies behind the tag is reached. One that starts with '{'
 * is a token as JSON, or a header with a body made of zeros. Anything else is a token as it came in. Whatever
 * opens must have been made with the one key there is, and must open again after it was sealed anew. */
// layers: base crypto jose
// libs: crypto argon2 crypt
#include "jose/jwe_parts.h"

#include <stdlib.h>

#include "base/enc.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct jwe_accept all = {ALGS_MANAGE, ENCS_ALL};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The same in every run, so that a corpus can hold tokens of them: secrets of all lengths, and one X25519 key
 * (RFC 8037 appendix A.6, Bob's). */
#define KEYS 8
static struct jwks fixed_keys(struct jwk *k)
{
    static const struct {
        enum alg alg;
        size_t n;
    } rows[KEYS - 1] = {
        {ALG_DIR, 32},       {ALG_A128KW, 16},    {ALG_A192KW, 24},           {ALG_A256KW, 32},
        {ALG_A128GCMKW, 16}, {ALG_A256GCMKW, 32}, {ALG_PBES2_HS256_A128KW, 9}};
    static const char secret[] = "0123456789abcdef0123456789abcdef";
    static const char x25519[] = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20"
                                 "\x5d\xab\x08\x7e\x62\x4a\x8a\x4b\x79\xe1\x7f\x8b\x83\x80\x0e\xe6"
                                 "\x6f\x3b\xb1\x29\x26\x18\xb6\xfd\x1c\x2f\x8b\x27\xff\x88\xe0\xeb";
    for (size_t i = 0; i + 1 < KEYS; i++) {
        k[i] = (struct jwk){.kid = STR("k1"), .alg = rows[i].alg};
        require(key_from_secret((struct str){secret, rows[i].n}, &k[i].key) == ERR_OK);
    }
    k[KEYS - 1] = (struct jwk){.kid = STR("k1"), .alg = ALG_ECDH_ES};
    require(key_from_der(STR(x25519), &k[KEYS - 1].key) == ERR_OK);
    return (struct jwks){k, KEYS};
}

static bool known(err_t e)
{
    return e == ERR_OK || e == ERR_DECRYPT || e == ERR_ALG || e == ERR_JWE_RSA1_5 || e == ERR_JWE_ZIP ||
           e == ERR_MEMORY;
}

static const struct jwk *key_of(const struct jwks *keys, enum alg alg)
{
    for (size_t i = 0; i < keys->n; i++)
        if (keys->v[i].alg == alg)
            return &keys->v[i];
    return NULL;
}

/* What opened names one of our keys, and goes round once more. */
static void check_opened(const struct crypto *c, const struct jwks *keys, const struct jwe_header *seen,
                         struct str plain, struct arena *a)
{
    const struct jwk *k = key_of(keys, seen->alg);
    struct str token, again;
    require(k && enc_name(seen->enc) && (!seen->kid.p || str_is(seen->kid, "k1")));
    err_t e = jwe_encrypt(c, k, seen->enc, seen, plain, a, &token);
    require(e == ERR_OK || e == ERR_TOO_LARGE || e == ERR_MEMORY);
    if (e == ERR_OK)
        require(jwe_decrypt(c, keys, &all, token, a, &again, NULL) == ERR_OK && str_eq(again, plain));
}

static void try_token(const struct crypto *c, const struct jwks *keys, struct str token, struct arena *a)
{
    struct jwe_header seen;
    struct str plain, inner;
    err_t e = jwe_decrypt(c, keys, &all, token, a, &plain, &seen);
    require(known(e) && (e != ERR_OK || jwt_is_encrypted(token)));
    if (e == ERR_OK)
        check_opened(c, keys, &seen, plain, a);
    err_t nested = jwt_decrypt(c, keys, &all, token, a, &inner);
    require(known(nested) && (nested != ERR_OK || e == ERR_OK));
}

static void try_json(const struct crypto *c, const struct jwks *keys, struct str text, struct arena *a)
{
    struct jwe_header seen;
    struct str plain, aad;
    err_t e = jwe_json_decrypt(c, keys, &all, text, a, &plain, &seen, &aad);
    require(known(e));
    if (e == ERR_OK)
        check_opened(c, keys, &seen, plain, a);
    struct buf b;
    buf_init(&b, a, LIMIT_JWE);
    enc_b64url(&b, text.p, text.n);
    buf_z(&b, "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA");
    if (buf_ok(&b))
        try_token(c, keys, buf_view(&b), a);
}

/* A header of the fuzzer's own over a text encrypted with the key its alg names: dir only, where the header
 * alone decides whether it opens. */
static void try_header(const struct crypto *c, const struct jwks *keys, struct str header, struct str text,
                       struct arena *a)
{
    const struct jwk *k = key_of(keys, ALG_DIR);
    uint8_t cek[CEK_MAX] = {0};
    struct jwe_parts s = {0};
    struct buf b;
    memcpy(cek, key_secret(k->key).p, key_secret(k->key).n);
    buf_init(&b, a, 4 * LIMIT_JWE);
    enc_b64url(&b, header.p, header.n);
    require(buf_ok(&b) && jwe_seal(c, ENC_A256GCM, cek, buf_view(&b), text, a, &s) == ERR_OK);
    buf_z(&b, "..");
    enc_b64url(&b, s.iv.p, s.iv.n);
    buf_z(&b, ".");
    enc_b64url(&b, s.text.p, s.text.n);
    buf_z(&b, ".");
    enc_b64url(&b, s.tag.p, s.tag.n);
    require(buf_ok(&b));
    try_token(c, keys, buf_view(&b), a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LIMIT_BODY / 2)
        return 0;
    struct crypto *c = NULL;
    struct jwk k[KEYS] = {0};
    struct str text = {(const char *)data, size};
    struct arena *a = arena_new(4 * LIMIT_REQUEST_ARENA);
    require(a && crypto_new(&c) == ERR_OK);
    struct jwks keys = fixed_keys(k);
    size_t line = size ? str_find(text, '\n') : size;
    if (line > 0 && line < size)
        try_header(c, &keys, (struct str){text.p, line}, (struct str){text.p + line + 1, size - line - 1}, a);
    else if (size && text.p[0] == '{')
        try_json(c, &keys, text, a);
    else
        try_token(c, &keys, text, a);
    jwks_free(&keys);
    crypto_free(&c);
    arena_free(&a);
    return 0;
}
