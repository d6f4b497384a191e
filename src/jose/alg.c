/* The table of algorithms: what is not in alg.def does not exist here. */
#include "jose/jose.h"

static const struct alg_row rows[ALG_COUNT] = {
#define ALG(id, name, kind, scheme, digest, bits) [ALG_##id] = {name, kind, scheme, digest, bits},
#include "jose/alg.def"
#undef ALG
};

const struct alg_row *alg_row(enum alg a)
{
    return (size_t)a < ALG_COUNT ? &rows[a] : NULL;
}

bool alg_find(struct str name, enum alg *ret)
{
    for (size_t i = 0; i < ALG_COUNT; i++) {
        if (str_is(name, rows[i].name)) {
            *ret = (enum alg)i;
            return true;
        }
    }
    return false;
}
