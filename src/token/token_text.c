/* The opaque form of tokens and the public form of row ids. Decoding is strict: fixed width, one spelling,
 * checksum last; a token that is truncated, extended or has one character changed never reaches the store
 * (case A62). */
#include "token/life.h"
#include "token/core.h"
#include "base/enc.h"

#define NUMBER_AT    5
#define NUMBER_WIDTH 43
#define CRC_AT       (NUMBER_AT + NUMBER_WIDTH)
#define CRC_WIDTH    6
#define ID_WIDTH     11
#define BITS_SIZE    24

static void put_be(uint8_t *ret, size_t n, uint64_t v)
{
    for (size_t i = n; i-- > 0; v >>= 8)
        ret[i] = (uint8_t)v;
}

static uint64_t get_be64(const uint8_t *p)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

void token_text_derive(const struct core *core, enum token_letter letter, int64_t id,
                       const uint8_t bits[static 24], struct token_text *ret)
{
    uint8_t number[8 + BITS_SIZE], crc[4];
    put_be(number, 8, permute64(core->id_key, (uint64_t)id));
    memcpy(number + 8, bits, BITS_SIZE);
    memcpy(ret->p, "mer", 3);
    ret->p[3] = (char)letter;
    ret->p[4] = '_';
    enc_base62(ret->p + NUMBER_AT, NUMBER_WIDTH, number, sizeof(number));
    put_be(crc, sizeof(crc), crc32_ieee(ret->p, CRC_AT));
    enc_base62(ret->p + CRC_AT, CRC_WIDTH, crc, sizeof(crc));
    sha256(core->crypto, (struct str){ret->p, TOKEN_TEXT_SIZE}, ret->hash);
    secret_zero(number, sizeof(number));
}

err_t token_text_make(const struct core *core, enum token_letter letter, int64_t id, struct token_text *ret)
{
    uint8_t bits[BITS_SIZE];
    TRY(random_bytes(bits, sizeof(bits)));
    token_text_derive(core, letter, id, bits, ret);
    secret_zero(bits, sizeof(bits));
    return ERR_OK;
}

/* The one decoder: form, letter, checksum, and the number, which 43 digits may overflow. */
static bool decode(struct str text, char *ret_letter, uint8_t ret_number[static 8 + BITS_SIZE])
{
    static const char letters[] = "arpmcksgxl";
    uint8_t crc[4], want[4];
    if (text.n != TOKEN_TEXT_SIZE || memcmp(text.p, "mer", 3) != 0 || text.p[4] != '_' || text.p[3] == '\0' ||
        !strchr(letters, text.p[3]))
        return false;
    if (!dec_base62((struct str){text.p + CRC_AT, CRC_WIDTH}, crc, sizeof(crc)))
        return false;
    put_be(want, sizeof(want), crc32_ieee(text.p, CRC_AT));
    if (memcmp(crc, want, sizeof(crc)) != 0 ||
        !dec_base62((struct str){text.p + NUMBER_AT, NUMBER_WIDTH}, ret_number, 8 + BITS_SIZE))
        return false;
    *ret_letter = text.p[3];
    return true;
}

bool token_text_check(struct str text, char *ret_letter)
{
    uint8_t number[8 + BITS_SIZE];
    bool ok = decode(text, ret_letter, number);
    secret_zero(number, sizeof(number));
    return ok;
}

bool token_text_id(const struct core *core, struct str text, char *ret_letter, int64_t *ret_id)
{
    uint8_t number[8 + BITS_SIZE];
    char letter;
    bool ok = decode(text, &letter, number);
    int64_t id = ok ? (int64_t)unpermute64(core->id_key, get_be64(number)) : 0;
    secret_zero(number, sizeof(number));
    if (id <= 0)
        return false;
    *ret_letter = letter;
    *ret_id = id;
    return true;
}

struct str id_text_under(const uint8_t key[static 16], struct arena *a, int64_t id)
{
    char *p = arena_alloc(a, ID_WIDTH);
    if (!p)
        return STR_NONE;
    uint8_t number[8];
    put_be(number, sizeof(number), permute64(key, (uint64_t)id));
    enc_base62(p, ID_WIDTH, number, sizeof(number));
    return (struct str){p, ID_WIDTH};
}

bool id_parse_under(const uint8_t key[static 16], struct str text, int64_t *ret)
{
    uint8_t number[8];
    if (text.n != ID_WIDTH || !dec_base62(text, number, sizeof(number)))
        return false;
    int64_t id = (int64_t)unpermute64(key, get_be64(number));
    if (id <= 0)
        return false;
    *ret = id;
    return true;
}

struct str id_text(const struct core *core, struct arena *a, int64_t id)
{
    return id_text_under(core->id_key, a, id);
}

bool id_parse(const struct core *core, struct str text, int64_t *ret)
{
    return id_parse_under(core->id_key, text, ret);
}
