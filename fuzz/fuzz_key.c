/* Keys and stored passwords as text. Whatever private key is read must sign and be read again from what is
 * printed of it; a signature made of the input's bytes must be refused by every kind of key without harm; a
 * stored password is looked at, not hashed (its cost is what the limits are for). */
// layers: base crypto
// libs: crypto argon2 crypt
#include "crypto/crypto.h"

#include <stdlib.h>

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void print_again(struct key *k, struct arena *a)
{
    struct str pem, p1, p2;
    struct key *again = NULL;
    require(key_to_pem(k, false, a, &pem) == ERR_OK && key_from_pem(pem, &again) == ERR_OK);
    require(key_kind_of(again) == key_kind_of(k) && !key_is_private(again));
    require(key_public_parts(again, a, &p1, &p2) == ERR_OK && p1.n > 0);
    key_free(&again);
}

static void try_signature(const struct crypto *c, const struct key *k, struct str sig)
{
    static const enum sig_scheme schemes[] = {
        [KEY_EC_P256] = SIG_ECDSA, [KEY_EC_P384] = SIG_ECDSA, [KEY_EC_P521] = SIG_ECDSA,
        [KEY_EC_K256] = SIG_ECDSA, [KEY_ED25519] = SIG_EDDSA, [KEY_ED448] = SIG_EDDSA,
        [KEY_RSA] = SIG_RSA_PKCS1,
    };
    if (key_kind_of(k) >= sizeof(schemes) / sizeof(schemes[0]))
        return; /* keys that agree on keys sign nothing */
    require(key_verify(c, k, schemes[key_kind_of(k)], DIGEST_SHA256, STR("message"), sig) == ERR_SIGNATURE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct crypto *c = NULL;
    struct key *pem = NULL, *der = NULL, *p256 = NULL;
    struct str text = {(const char *)data, size};
    struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
    require(a && crypto_new(&c) == ERR_OK);
    (void)password_hash_known(text);
    if (key_from_pem(text, &pem) == ERR_OK)
        print_again(pem, a);
    if (key_from_der(text, &der) == ERR_OK)
        try_signature(c, der, text);
    if (size == 64) { /* as large as an ES256 signature, and as the numbers of a point */
        require(key_generate(KEY_EC_P256, 0, &p256) == ERR_OK);
        try_signature(c, p256, text);
        key_free(&p256);
        if (key_from_public_parts(KEY_EC_P256, (struct str){text.p, 32}, (struct str){text.p + 32, 32},
                                  &p256) == ERR_OK)
            print_again(p256, a);
    }
    key_free(&pem);
    key_free(&der);
    key_free(&p256);
    crypto_free(&c);
    arena_free(&a);
    return 0;
}
