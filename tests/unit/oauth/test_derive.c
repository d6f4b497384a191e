/* What is derived from keys: refresh successors (DESIGN section 7), client secrets' MACs, and proofs of
 * re-authentication. */
#include "oauth/authorize.h"
#include "unit.h"

struct bench {
    struct core core;
    struct tenant tenant;
    struct op op;
};

static void set_up(struct bench *b)
{
    *b = (struct bench){.tenant = {.issuer = STR("https://id.example")}};
    CHECK(crypto_new(&b->core.crypto) == ERR_OK);
    memset(b->core.id_key, 7, sizeof(b->core.id_key));
    memset(b->tenant.refresh_key, 1, sizeof(b->tenant.refresh_key));
    memset(b->tenant.secret_key, 2, sizeof(b->tenant.secret_key));
    b->op = (struct op){
        .core = &b->core, .tenant = &b->tenant, .arena = arena_new(1024 * 1024), .now_s = 1800000000};
}

static void test_successor(struct bench *b)
{
    struct token_text parent, one, same, other;
    uint8_t bits[24] = {1, 2, 3};
    char letter;
    int64_t id;
    token_text_derive(&b->core, TOKEN_REFRESH, 1000, bits, &parent);
    struct str text = {parent.p, sizeof(parent.p)};
    refresh_derive(&b->op, text, 77, 1, 2000, &one);
    refresh_derive(&b->op, text, 77, 1, 2000, &same);
    CHECK(memcmp(one.p, same.p, sizeof(one.p)) == 0 && memcmp(one.hash, same.hash, 32) == 0);
    CHECK(token_text_id(&b->core, (struct str){one.p, sizeof(one.p)}, &letter, &id) &&
          letter == TOKEN_REFRESH && id == 2000);
    refresh_derive(&b->op, text, 78, 1, 2000, &other);
    CHECK(memcmp(one.p, other.p, sizeof(one.p)) != 0);
    refresh_derive(&b->op, text, 77, 2, 2000, &other);
    CHECK(memcmp(one.p, other.p, sizeof(one.p)) != 0);
    b->tenant.refresh_key[0] ^= 1;
    refresh_derive(&b->op, text, 77, 1, 2000, &other);
    CHECK(memcmp(one.p, other.p, sizeof(one.p)) != 0);
    text.p = other.p;
    b->tenant.refresh_key[0] ^= 1;
    refresh_derive(&b->op, text, 77, 1, 2000, &same);
    CHECK(memcmp(one.p, same.p, sizeof(one.p)) != 0);
}

static void test_secret(struct bench *b)
{
    char mac[CLIENT_SECRET_MAC], again[CLIENT_SECRET_MAC], stored[2 * CLIENT_SECRET_MAC + 16];
    client_secret_mac(&b->op, STR("s3cret"), mac);
    client_secret_mac(&b->op, STR("s3cret"), again);
    CHECK(memcmp(mac, again, sizeof(mac)) == 0);
    client_secret_mac(&b->op, STR("s3cres"), again);
    CHECK(memcmp(mac, again, sizeof(mac)) != 0);
    int n = snprintf(stored, sizeof(stored), "[\"%.64s\",\"%.64s\"]", mac, again);
    struct str list = {stored, (size_t)n};
    CHECK(str_eq(client_secret_nth(list, 0), (struct str){mac, 64}) &&
          str_eq(client_secret_nth(list, 1), (struct str){again, 64}));
    CHECK(!client_secret_nth(list, 2).p && !client_secret_nth(STR_NONE, 0).p &&
          !client_secret_nth(STR("[]"), 0).p);
    CHECK(!client_secret_nth((struct str){stored, 40}, 0).p && !client_secret_nth(STR("[\"abc\"]"), 0).p);
}

static const struct object_kind *seal_kind = &kind_client;

static void test_seal(struct bench *b)
{
    struct client c = {.token_endpoint_auth_method = STR("client_secret_basic"), .client_secret = STR("one")};
    struct str first, second, third;
    CHECK(seal_kind->seal(&b->op, &c, STR_NONE, &first) == ERR_OK && client_secret_nth(first, 0).p &&
          !client_secret_nth(first, 1).p);
    CHECK(seal_kind->seal(&b->op, &c, first, &second) == ERR_OK &&
          str_eq(first, second)); /* the same again changes nothing */
    c.client_secret = STR("two");
    CHECK(seal_kind->seal(&b->op, &c, first, &second) == ERR_OK &&
          !client_secret_nth(second, 1).p); /* replaced at once */
    c.keep_previous_secret = true;
    CHECK(seal_kind->seal(&b->op, &c, first, &second) == ERR_OK &&
          str_eq(client_secret_nth(second, 1), client_secret_nth(first, 0)));
    CHECK(seal_kind->seal(&b->op, &c, second, &third) == ERR_OK && str_eq(second, third));
    c.client_secret = STR_NONE;
    CHECK(seal_kind->seal(&b->op, &c, second, &third) == ERR_OK && str_eq(second, third));
    c.keep_previous_secret = false;
    CHECK(seal_kind->seal(&b->op, &c, second, &third) == ERR_OK && !client_secret_nth(third, 1).p &&
          str_eq(client_secret_nth(third, 0), client_secret_nth(second, 0)));
    c.token_endpoint_auth_method = STR("none");
    CHECK(seal_kind->seal(&b->op, &c, second, &third) == ERR_OK && !third.p);
}

int main(void)
{
    struct bench b;
    set_up(&b);
    test_successor(&b);
    test_secret(&b);
    test_seal(&b);
    arena_free(&b.op.arena);
    crypto_free(&b.core.crypto);
    return unit_end("oauth-derive");
}
