/* Encodings: RFC 4648's vectors, strictness (cases A62, A75), every length, CRC-32's check value. */
#include "unit.h"

#include "base/enc.h"

static struct arena *arena;

static struct str encode(void (*fn)(struct buf *, const void *, size_t), const void *p, size_t n)
{
    struct buf b;
    buf_init(&b, arena, 1 << 16);
    fn(&b, p, n);
    CHECK(buf_ok(&b));
    return buf_view(&b);
}

static void test_b64(void)
{
    static const struct {
        const char *plain, *padded, *url;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xff\xef\xbe", "/+++", "_---"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str plain = str_z(rows[i].plain), back;
        CHECK_ROW(str_is(encode(enc_b64, plain.p, plain.n), rows[i].padded), rows[i].plain);
        CHECK_ROW(str_is(encode(enc_b64url, plain.p, plain.n), rows[i].url), rows[i].plain);
        CHECK_ROW(dec_b64(arena, str_z(rows[i].padded), &back) && str_eq(back, plain), rows[i].plain);
        CHECK_ROW(dec_b64url(arena, str_z(rows[i].url), &back) && str_eq(back, plain), rows[i].plain);
    }
}

static void test_b64_strict(void)
{
    static const char *const url_bad[] = {"Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", "Zm 8", " Zg", "Zg\n", "Zm+v", "Zm/v", "Zm9v.", "Zm\xC3\xA4", "Zm9vZ/"};
    static const char *const b64_bad[] = {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "====", "=", "Z===", "Zm-v", "Zm_v", "Zg==Zg==", "Zm9v\n", "Z=g=", "===="};
    struct str back;
    uint8_t out[8];
    for (size_t i = 0; i < sizeof(url_bad) / sizeof(url_bad[0]); i++) {
        CHECK_ROW(!dec_b64url(arena, str_z(url_bad[i]), &back), url_bad[i]);
        CHECK_ROW(dec_b64url_into(str_z(url_bad[i]), out, sizeof(out)) == SIZE_MAX, url_bad[i]);
    }
    for (size_t i = 0; i < sizeof(b64_bad) / sizeof(b64_bad[0]); i++)
        CHECK_ROW(!dec_b64(arena, str_z(b64_bad[i]), &back), b64_bad[i]);
    CHECK(dec_b64url_into(STR("Zm9v"), out, 3) == 3);
    CHECK(dec_b64url_into(STR("Zm9vYg"), out, 3) == SIZE_MAX); /* one byte too many */
    CHECK(!dec_b64url(arena, (struct str){"Zg\0", 3}, &back));
}

static void test_b64_lengths(void)
{
    uint8_t bytes[300];
    struct str back;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        struct str in = {(char *)bytes, n};
        CHECK(dec_b64url(arena, encode(enc_b64url, bytes, n), &back) && str_eq(back, in));
        CHECK(dec_b64(arena, encode(enc_b64, bytes, n), &back) && str_eq(back, in));
    }
    struct buf b;
    buf_init(&b, arena, 4);
    enc_b64url(&b, bytes, 3);
    CHECK(buf_ok(&b));
    buf_init(&b, arena, 4);
    enc_b64url(&b, bytes, 4);
    CHECK(!buf_ok(&b));
}

static void test_hex(void)
{
    uint8_t out[4];
    CHECK(str_is(encode(enc_hex, "\x00\x7f\xab\xff", 4), "007fabff"));
    CHECK(dec_hex(STR("007fABff"), out, 4) && memcmp(out, "\x00\x7f\xab\xff", 4) == 0);
    static const char *const bad[] = {"", "007fabf", "007fabff0", "007fabff00", "007fabfg", "007fab f", "0x7fabff", "007fabf/", "007fab:0", "007fab@0", "007fab`0"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_ROW(!dec_hex(str_z(bad[i]), out, 4), bad[i]);
    CHECK(dec_hex(STR(""), out, 0));
}

static void test_base62(void)
{
    static const struct {
        const char *digits;
        uint8_t num[5];
        size_t num_n;
        bool ok;
    } rows[] = {
        {"000000", {0}, 4, true},
        {"000001", {0, 0, 0, 1}, 4, true},
        {"00000z", {0, 0, 0, 61}, 4, true},
        {"000010", {0, 0, 0, 62}, 4, true},
        {"4gfFC3", {0xff, 0xff, 0xff, 0xff}, 4, true},
        {"4gfFC4", {0}, 4, false}, /* 2^32 */
        {"zzzzzz", {0}, 4, false},
        {"4gfFC4", {1, 0, 0, 0, 0}, 5, true},
        {"47", {255}, 1, true},
        {"48", {0}, 1, false},
        {"00000-", {0}, 4, false},
        {"00000_", {0}, 4, false},
        {" 00000", {0}, 4, false},
        {"00000\xB0", {0}, 4, false},
        {"", {0}, 4, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t num[8];
        char back[8];
        struct str s = str_z(rows[i].digits);
        bool ok = dec_base62(s, num, rows[i].num_n);
        CHECK_ROW(ok == rows[i].ok, rows[i].digits);
        if (!ok)
            continue;
        CHECK_ROW(memcmp(num, rows[i].num, rows[i].num_n) == 0, rows[i].digits);
        enc_base62(back, s.n, num, rows[i].num_n);
        CHECK_ROW(memcmp(back, s.p, s.n) == 0, rows[i].digits);
    }
}

/* What a token holds: 32 bytes in 43 digits; and all other widths, by a slow and plain way round. */
static void test_base62_wide(void)
{
    uint8_t num[BASE62_NUM_MAX + 1] = {0}, back[BASE62_NUM_MAX + 1];
    char digits[128];
    uint32_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        size_t n = (size_t)round % BASE62_NUM_MAX + 1, width = n * 43 / 32 + 1;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525 + 1013904223;
            num[i] = round % 7 == 0 ? 0xFF : round % 7 == 1 ? 0 : (uint8_t)(seed >> 24);
        }
        enc_base62(digits, width, num, n);
        bool ok = dec_base62((struct str){digits, width}, back, n) && memcmp(num, back, n) == 0;
        CHECK(ok);
        int rest = 0; /* the value of the digits modulo 255 must be that of the bytes */
        int sum = 0;
        for (size_t i = 0; i < width; i++) {
            const char *all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
            rest = (rest * 62 + (int)(strchr(all, digits[i]) - all)) % 255;
        }
        for (size_t i = 0; i < n; i++)
            sum = (sum + num[i]) % 255;
        CHECK(rest == sum);
    }
    memset(num, 0xFF, 32);
    enc_base62(digits, 43, num, 32);
    CHECK(dec_base62((struct str){digits, 43}, back, 32) && memcmp(num, back, 32) == 0);
    digits[42]++;
    CHECK(!dec_base62((struct str){digits, 43}, back, 32)); /* 2^256 */
    CHECK(!dec_base62((struct str){digits, 43}, back, BASE62_NUM_MAX + 1));
}

static void test_crc32(void)
{
    CHECK(crc32_ieee("", 0) == 0);
    CHECK(crc32_ieee("123456789", 9) == 0xCBF43926u);
    CHECK(crc32_ieee("The quick brown fox jumps over the lazy dog", 43) == 0x414FA339u);
    unsigned char bytes[100];
    for (size_t n = 0; n < sizeof(bytes); n++) {
        bytes[n] = (unsigned char)(n * 91 + 3);
        uint32_t slow = ~0u; /* bit by bit */
        for (size_t i = 0; i <= n; i++) {
            slow ^= bytes[i];
            for (int k = 0; k < 8; k++)
                slow = slow >> 1 ^ (slow & 1 ? 0xEDB88320u : 0);
        }
        CHECK(crc32_ieee(bytes, n + 1) == ~slow);
    }
}

static void test_percent(void)
{
    static const struct {
        const char *in;
        bool plus;
        const char *out; /* NULL: refused */
    } rows[] = {
        {"", true, ""},          {"a+b%20c", true, "a b c"}, {"a+b", false, "a+b"}, {"%C3%a4", true, "\xC3\xA4"},
        {"%", true, NULL},       {"%4", true, NULL},         {"%4g", true, NULL},   {"%g4", true, NULL},
        {"a%00", true, NULL},    {"%2", false, NULL},        {"%2541", true, "%41"}, {"%41", true, "A"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str out;
        bool ok = dec_percent(arena, str_z(rows[i].in), rows[i].plus, &out);
        CHECK_ROW(ok == (rows[i].out != NULL), rows[i].in);
        if (ok && rows[i].out)
            CHECK_ROW(str_is(out, rows[i].out), rows[i].in);
    }
    struct str out;
    CHECK(!dec_percent(arena, (struct str){"a\0b", 3}, true, &out));
}

int main(void)
{
    arena = arena_new(16 << 20);
    test_b64();
    test_b64_strict();
    test_b64_lengths();
    test_hex();
    test_base62();
    test_base62_wide();
    test_crc32();
    test_percent();
    arena_free(&arena);
    return unit_end("base enc");
}
