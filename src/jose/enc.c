/* The table of content encryptions: what is not in enc.def does not exist here. */
#include "jose/jwe_parts.h"

static const struct enc_row rows[ENC_COUNT] = {
#define ENC(id, name, key, iv, tag, block, suite)                                                            \
    [ENC_##id] = {name, key, iv, tag, block, suite##_seal, suite##_open},
#include "jose/enc.def"
#undef ENC
};

const struct enc_row *enc_row(enum enc e)
{
    return (size_t)e < ENC_COUNT ? &rows[e] : NULL;
}

const char *enc_name(enum enc e)
{
    return (size_t)e < ENC_COUNT ? rows[e].name : NULL;
}

bool enc_find(struct str name, enum enc *ret)
{
    for (size_t i = 0; i < ENC_COUNT; i++) {
        if (str_is(name, rows[i].name)) {
            *ret = (enum enc)i;
            return true;
        }
    }
    return false;
}
