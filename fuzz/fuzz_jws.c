/* Signed text of every form, and keys and sets of keys in every mood: what is read is printed and read again, and bytes
 * nobody signed are never taken for signed. */
// layers: base crypto jose
// libs: crypto argon2 crypt
#include "jose/jose.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void print_again(const struct jwk *k, struct arena *a)
{
    bool private = key_is_private(k->key);
    struct jwk again = {0};
    struct buf b;
    struct jw w;
    json_t *doc = NULL;
    buf_init(&b, a, 1 << 18);
    jw_init(&w, &b);
    require(jwk_print(k, private, a, &w) == ERR_OK && json_load(buf_view(&b), &doc) == ERR_OK);
    require(jwk_parse(doc, JWK_ANY, a, &again) == ERR_OK && again.alg == k->alg && str_eq(again.kid, k->kid));
    require(key_kind_of(again.key) == key_kind_of(k->key) && key_is_private(again.key) == private);
    key_free(&again.key);
    json_decref(doc);
}

static void try_keys(struct str text, struct arena *a)
{
    static const unsigned wants[] = {JWK_PUBLIC | JWK_SIG, JWK_ANY, JWK_ANY | JWK_LENIENT, JWK_PUBLIC | JWK_ENC | JWK_LENIENT};
    json_t *doc = NULL;
    if (json_load(text, &doc) != ERR_OK)
        return;
    for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
        struct jwk k = {0};
        struct jwks s = {0};
        if (jwk_parse(doc, wants[i], a, &k) == ERR_OK)
            print_again(&k, a);
        key_free(&k.key);
        if (jwks_from(doc, wants[i], a, &s) == ERR_OK)
            for (size_t j = 0; j < s.n; j++)
                print_again(&s.v[j], a);
        jwks_free(&s);
    }
    json_decref(doc);
}

/* The key is new in each run, so that no input holds a signature of it. */
static void try_signed(const struct crypto *c, struct str text, struct arena *a)
{
    struct jwk k = {0};
    struct jws_seen seen;
    struct str payload = STR("payload");
    require(jwk_generate(c, ALG_HS256, KEY_KINDS, 0, a, &k) == ERR_OK);
    k.kid = STR_NONE;
    struct jwks keys = {&k, 1};
    require(jws_open(c, &keys, text, NULL, a, &seen) != ERR_OK && jws_open(c, &keys, text, &payload, a, &seen) != ERR_OK);
    require(jws_json_open(c, &keys, text, NULL, a, &seen) != ERR_OK && jws_json_open(c, &keys, text, &payload, a, &seen) != ERR_OK);
    key_free(&k.key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct crypto *c = NULL;
    struct str text = {(const char *)data, size};
    struct arena *a = arena_new(16 << 20);
    require(a && crypto_new(&c) == ERR_OK);
    try_keys(text, a);
    try_signed(c, text, a);
    crypto_free(&c);
    arena_free(&a);
    return 0;
}
