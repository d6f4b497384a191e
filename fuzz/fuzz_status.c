/* Status lists as libmereau reads them: the bytes are the payload of a token that its issuer has signed, and the claims of a token that
 * names a list. What is taken is within its bounds. */
// layers: base crypto jose net lib
// libs: crypto argon2 crypt curl z
#include "lib/parts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void try_list(const struct crypto *c, const struct jwk *k, struct str payload, struct arena *a)
{
    struct key_set keys = {.keys = {(struct jwk *)(uintptr_t)k, 1}};
    struct jwt_profile p = {.algs = ALGS_ASYMMETRIC, .iss = STR("https://as.example")};
    struct status_list *l = NULL;
    struct str token, uri = STR("https://as.example/status/1");
    int64_t fresh_s = -1;
    unsigned value;
    if (jws_sign(c, k, STR("statuslist+jwt"), payload, a, &token) != ERR_OK)
        return;
    if (status_list_read(c, &keys, &p, uri, token, 1800000000, a, &l, &fresh_s, NULL) != ERR_OK)
        return;
    require(l->n > 0 && l->n <= LIMIT_STATUS_BYTES && 8 % l->bits == 0 && fresh_s >= -1);
    int64_t places = (int64_t)l->n * (8 / l->bits);
    require(status_at(l, places - 1, &value) && value < 1u << l->bits && !status_at(l, places, &value) && !status_at(l, -1, &value));
    status_list_release(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crypto *c;
    static struct jwk key;
    static struct arena *keep;
    struct arena *a = arena_new(LIMIT_LIB_SCRATCH);
    struct str text = {(const char *)data, size};
    struct status_place place = {.idx = -1};
    if (!keep) {
        keep = arena_new(64 * 1024);
        require(crypto_new(&c) == ERR_OK && jwk_generate(c, ALG_EDDSA, KEY_KINDS, 0, keep, &key) == ERR_OK);
    }
    if (status_place(text, a, &place) == ERR_OK)
        require(place.idx >= 0 && place.uri.n > 0 && place.uri.n < LIMIT_REDIRECT_URI);
    try_list(c, &key, text, a);
    arena_free(&a);
    return 0;
}
