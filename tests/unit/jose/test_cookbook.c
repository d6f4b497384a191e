/* The examples of the JOSE cookbook (RFC 7520 sections 3, 4 and the Curve25519 ones; tests/vectors/jose/cookbook, see its LICENSE) and
 * of RFC 7797: keys of both halves, compact, detached, unencoded and JSON signatures. A file is one example; what is
 * deterministic has to come out of our own signing, too. */
#include "jose/jose.h"
#include "crypto/vectors.h"
#include <glob.h>

#define COOKBOOK "tests/vectors/jose/cookbook"
#define WANT     (JWK_ANY | JWK_SIG | JWK_LENIENT)

static json_t *load(const char *path)
{
    json_error_t e;
    json_t *doc = json_load_file(path, 0, &e);
    CHECK_ROW(doc != NULL, path);
    return doc;
}

static struct str dump(const json_t *v, struct arena *a)
{
    struct buf b;
    struct jw w;
    buf_init(&b, a, 64 * 1024);
    jw_init(&w, &b);
    jw_json(&w, v);
    return buf_view(&b);
}

/* The example's keys with the algorithms it names, as a set. */
static bool keys_of(const json_t *input, struct arena *a, struct jwks *ret)
{
    const json_t *key = json_object_get(input, "key"), *alg = json_object_get(input, "alg");
    json_t *list = json_is_array(key) ? json_deep_copy(key) : json_pack("[O]", key);
    json_t *set = json_pack("{so}", "keys", list), *v;
    size_t i;
    json_array_foreach(list, i, v)
    {
        v = json_deep_copy(v);
        json_object_set(v, "alg", json_is_array(alg) ? json_array_get(alg, i) : (json_t *)alg);
        json_array_set_new(list, i, v);
    }
    err_t e = jwks_from(set, WANT & ~(unsigned)JWK_LENIENT, a, ret);
    json_decref(set);
    return e == ERR_OK;
}

/* Right as it is; wrong with one bit of the signature turned, with another payload, and under another key. */
static void check_opens(const struct crypto *c, const struct jwks *keys, struct str text, bool json, const struct str *detached,
                        struct str payload, struct arena *a, const char *name)
{
    err_t (*open)(const struct crypto *, const struct jwks *, struct str, const struct str *, struct arena *,
                  struct jws_seen *) = json ? jws_json_open : jws_open;
    struct jws_seen seen = {0};
    struct str other = STR("another payload");
    CHECK_ROW(open(c, keys, text, detached, a, &seen) == ERR_OK && str_eq(seen.payload, payload) && seen.key, name);
    CHECK_ROW(open(c, keys, text, detached ? &other : &payload, a, &seen) != ERR_OK, name);
    if (detached)
        CHECK_ROW(open(c, keys, text, NULL, a, &seen) != ERR_OK, name);
    struct jwk stranger = {.alg = ALG_ES256};
    CHECK_ROW(key_generate(KEY_EC_P256, 0, &stranger.key) == ERR_OK, name);
    CHECK_ROW(open(c, &(struct jwks){&stranger, 1}, text, detached, a, &seen) == ERR_KEY, name);
    key_free(&stranger.key);
    struct str turned = arena_str(a, text);
    size_t at = json ? (size_t)((char *)memmem(turned.p, turned.n, "\"signature\":\"", 13) + 13 - turned.p) : turned.n - 20;
    ((char *)turned.p)[at] = turned.p[at] == 'A' ? 'B' : 'A';
    if (!json || keys->n == 1)
        CHECK_ROW(open(c, keys, turned, detached, a, &seen) == ERR_SIGNATURE, name);
}

static void check_reproduced(const struct crypto *c, const struct jwks *keys, const json_t *doc, struct str compact,
                             struct str payload, bool detached, struct arena *a, const char *name)
{
    const json_t *protected = json_object_get(json_object_get(doc, "signing"), "protected");
    struct str ours;
    struct jwk k = keys->v[0];
    if (!json_is_true(json_object_get(doc, "reproducible")) || !compact.p || json_object_get(protected, "crit"))
        return;
    if (!json_object_get(protected, "kid"))
        k.kid = STR_NONE;
    CHECK_ROW(jws_make(c, &k, &(struct jws_options){.detached = detached}, payload, a, &ours) == ERR_OK && str_eq(ours, compact), name);
}

static void test_file(const struct crypto *c, const char *path)
{
    struct arena *a = arena_new(16 << 20);
    json_t *doc = load(path);
    const json_t *input = json_object_get(doc, "input"), *output = json_object_get(doc, "output");
    struct str payload = vector_text(input, "payload"), compact = vector_text(output, "compact");
    const char *forms[] = {"json", "json_flat"};
    struct jwks keys = {0};
    CHECK_ROW(keys_of(input, a, &keys), path);
    bool detached = !json_object_get(json_object_get(output, "json"), "payload");
    if (compact.p)
        check_opens(c, &keys, compact, false, detached ? &payload : NULL, payload, a, path);
    for (size_t i = 0; i < 2; i++) {
        const json_t *v = json_object_get(output, forms[i]);
        if (v)
            check_opens(c, &keys, dump(v, a), true, detached ? &payload : NULL, payload, a, path);
    }
    check_reproduced(c, &keys, doc, compact, payload, detached, a, path);
    jwks_free(&keys);
    json_decref(doc);
    arena_free(&a);
}

static void test_signatures(const struct crypto *c)
{
    glob_t g = {0};
    CHECK(glob(COOKBOOK "/jws/*.json", 0, NULL, &g) == 0 && glob(COOKBOOK "/curve25519/jws.json", GLOB_APPEND, NULL, &g) == 0 &&
          glob(COOKBOOK "/rfc7797/hmac*.json", GLOB_APPEND, NULL, &g) == 0);
    CHECK(g.gl_pathc == 10);
    for (size_t i = 0; i < g.gl_pathc; i++)
        test_file(c, g.gl_pathv[i]);
    globfree(&g);
}

/* The cookbook's copy of RFC 7797 section 4.2 names b64 without crit, which section 6 forbids. */
static void test_b64_alone(const struct crypto *c)
{
    struct arena *a = arena_new(1 << 20);
    struct jws_seen seen;
    struct jwks keys = {0};
    json_t *doc = load(COOKBOOK "/rfc7797/4.2.hmac-sha2_b64_false.json");
    CHECK(keys_of(json_object_get(doc, "input"), a, &keys));
    CHECK(jws_json_open(c, &keys, dump(json_object_get(json_object_get(doc, "output"), "json_flat"), a), NULL, a, &seen) == ERR_TOKEN_INVALID);
    jwks_free(&keys);
    json_decref(doc);
    arena_free(&a);
}

static void test_rfc7797(const struct crypto *c)
{
    json_t *doc, *v;
    size_t i;
    json_t *list = vectors_load("tests/vectors/jose/rfc7797.json", &doc);
    json_array_foreach(list, i, v)
    {
        struct arena *a = arena_new(4 << 20);
        struct jwk k = {0};
        struct str payload = vector_text(v, "payload"), compact = vector_text(v, "compact"), ours;
        bool detached = json_is_true(json_object_get(v, "detached"));
        CHECK_ROW(jwk_parse(json_object_get(v, "jwk"), JWK_SECRET, a, &k) == ERR_OK, vector_name(v));
        check_opens(c, &(struct jwks){&k, 1}, compact, false, detached ? &payload : NULL, payload, a, vector_name(v));
        struct jws_options o = {.detached = detached, .unencoded = detached};
        CHECK_ROW(jws_make(c, &k, &o, payload, a, &ours) == ERR_OK && str_eq(ours, compact), vector_name(v));
        key_free(&k.key);
        arena_free(&a);
    }
    json_decref(doc);
}

/* Every key is printed as it was read, members in whatever order. */
static void test_keys(void)
{
    glob_t g = {0};
    CHECK(glob(COOKBOOK "/jwk/*.json", 0, NULL, &g) == 0 && g.gl_pathc == 6);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct arena *a = arena_new(1 << 20);
        json_t *doc = load(g.gl_pathv[i]), *back = NULL;
        struct jwk k = {0};
        struct buf b;
        struct jw w;
        /* 3.6 is a key of "enc" use with the content's algorithm as its own, which is no key management */
        bool content = str_is(vector_text(doc, "alg"), "A256GCM");
        err_t e = jwk_parse(doc, JWK_ANY | JWK_LENIENT, a, &k);
        CHECK_ROW(e == (content ? ERR_ALG : ERR_OK), g.gl_pathv[i]);
        if (e == ERR_OK) {
            bool private = json_object_get(doc, "d") || json_object_get(doc, "k");
            buf_init(&b, a, 8192);
            jw_init(&w, &b);
            CHECK_ROW(key_is_private(k.key) == private && jwk_print(&k, private, a, &w) == ERR_OK, g.gl_pathv[i]);
            CHECK_ROW(json_load(buf_view(&b), &back) == ERR_OK, g.gl_pathv[i]);
            if (!json_object_get(doc, "alg"))
                json_object_del(back, "alg");
            CHECK_ROW(json_equal(doc, back), g.gl_pathv[i]);
            json_decref(back);
        }
        key_free(&k.key);
        json_decref(doc);
        arena_free(&a);
    }
    globfree(&g);
}

int main(void)
{
    struct crypto *c = NULL;
    CHECK(crypto_new(&c) == ERR_OK);
    test_signatures(c);
    test_b64_alone(c);
    test_rfc7797(c);
    test_keys();
    crypto_free(&c);
    return unit_end("cookbook");
}
