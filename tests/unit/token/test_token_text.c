/* The opaque form and public ids: what is made is found again, and nothing but it (case A62). */
#include "world.h"
#include "base/enc.h"

static void begin(struct core *core)
{
    memset(core, 0, sizeof(*core));
    CHECK(crypto_new(&core->crypto) == ERR_OK);
    memcpy(core->id_key, "0123456789abcdef", 16);
}

static void test_round_trip(const struct core *core)
{
    static const struct {
        enum token_letter letter;
        int64_t id;
    } rows[] = {{TOKEN_ACCESS, 1},
                {TOKEN_REFRESH, 17},
                {TOKEN_SESSION, INT64_MAX},
                {TOKEN_CODE, 1234567890123},
                {TOKEN_LINK, 2}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct token_text t, again;
        char letter = 0;
        int64_t id = 0;
        uint8_t hash[32];
        CHECK(token_text_make(core, rows[i].letter, rows[i].id, &t) == ERR_OK);
        CHECK(token_text_make(core, rows[i].letter, rows[i].id, &again) == ERR_OK);
        struct str text = {t.p, TOKEN_TEXT_SIZE};
        CHECK(memcmp(t.p, again.p, TOKEN_TEXT_SIZE) != 0);
        CHECK(token_text_check(text, &letter) && letter == (char)rows[i].letter);
        CHECK(token_text_id(core, text, &letter, &id) && id == rows[i].id);
        sha256(core->crypto, text, hash);
        CHECK(memcmp(hash, t.hash, 32) == 0);
        CHECK(memcmp(t.p, "mer", 3) == 0 && t.p[4] == '_');
    }
}

static void test_derived(const struct core *core)
{
    uint8_t bits[24] = {1, 2, 3};
    struct token_text a, b;
    token_text_derive(core, TOKEN_REFRESH, 5, bits, &a);
    token_text_derive(core, TOKEN_REFRESH, 5, bits, &b);
    CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    token_text_derive(core, TOKEN_ACCESS, 5, bits, &b);
    CHECK(memcmp(a.p, b.p, sizeof(a.p)) != 0);
}

/* Each single character changed, to each other one of the alphabet; each truncation; longer ones; the other
 * case. */
static void test_a62(const struct core *core)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-\0 ";
    struct token_text t;
    char copy[TOKEN_TEXT_SIZE + 1], letter;
    int64_t id;
    int accepted = 0;
    CHECK(token_text_make(core, TOKEN_ACCESS, 42, &t) == ERR_OK);
    for (size_t at = 0; at < TOKEN_TEXT_SIZE; at++)
        for (size_t c = 0; c < sizeof(alphabet); c++) {
            memcpy(copy, t.p, TOKEN_TEXT_SIZE);
            if (copy[at] == alphabet[c])
                continue;
            copy[at] = alphabet[c];
            accepted += token_text_id(core, (struct str){copy, TOKEN_TEXT_SIZE}, &letter, &id);
        }
    for (size_t n = 0; n < TOKEN_TEXT_SIZE; n++)
        accepted += token_text_id(core, (struct str){t.p, n}, &letter, &id);
    memcpy(copy, t.p, TOKEN_TEXT_SIZE);
    copy[TOKEN_TEXT_SIZE] = '0';
    accepted += token_text_id(core, (struct str){copy, TOKEN_TEXT_SIZE + 1}, &letter, &id);
    accepted += token_text_id(core, STR_NONE, &letter, &id);
    CHECK(accepted == 0);
    for (size_t i = 5; i < TOKEN_TEXT_SIZE; i++)
        copy[i] = copy[i] >= 'a' && copy[i] <= 'z'   ? (char)(copy[i] - 32)
                  : copy[i] >= 'A' && copy[i] <= 'Z' ? (char)(copy[i] + 32)
                                                     : copy[i];
    CHECK(!token_text_check((struct str){copy, TOKEN_TEXT_SIZE}, &letter));
}

/* 43 digits can say more than 32 bytes hold; with a right checksum too that is refused. */
static void test_overflow(const struct core *core)
{
    char text[TOKEN_TEXT_SIZE], letter;
    uint8_t crc[4];
    memcpy(text, "mera_", 5);
    memset(text + 5, 'z', 43);
    uint32_t v = crc32_ieee(text, 48);
    for (int i = 0; i < 4; i++)
        crc[i] = (uint8_t)(v >> (24 - 8 * i));
    enc_base62(text + 48, 6, crc, 4);
    CHECK(!token_text_check((struct str){text, sizeof(text)}, &letter));
    (void)core;
}

static void test_ids(const struct core *core)
{
    struct arena *a = arena_new(4096);
    static const int64_t ids[] = {1, 2, 3, 1LL << 40, INT64_MAX};
    int64_t back;
    for (size_t i = 0; i < 5; i++) {
        struct str t = id_text(core, a, ids[i]);
        CHECK(t.n == 11 && id_parse(core, t, &back) && back == ids[i]);
    }
    static const char *const bad[] = {"", "0", "zzzzzzzzzzz", "0000000000-", "00000000000x", "u0000000000"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        back = 0;
        bool ok = id_parse(core, str_z(bad[i]), &back);
        CHECK_ROW(!ok || back > 0, bad[i]);
    }
    CHECK(!id_parse(core, STR("zzzzzzzzzzz"), &back));
    arena_free(&a);
}

int main(void)
{
    struct core core;
    begin(&core);
    test_round_trip(&core);
    test_derived(&core);
    test_a62(&core);
    test_overflow(&core);
    test_ids(&core);
    crypto_free(&core.crypto);
    return unit_end("token/token_text");
}
