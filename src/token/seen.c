/* What may be presented once: one row a name, inserted by whoever comes first. Names are hashed, since they are strangers' and
 * of any length. The housekeeper takes them away when what bore them has expired (token/expire.c). */
#include "token/seen.h"
#include "token/core.h"
#include "token/tenant.h"

struct seeing {
    int64_t tenant_id, expires_s;
    uint8_t hash[SHA256_SIZE];
    bool first;
};

static err_t see_in_tx(struct db *db, void *ctx)
{
    struct seeing *s = ctx;
    int64_t changed = 0;
    TRY(db_run(db, Q_SEEN_INSERT, BIND(vint(s->tenant_id), vblob(s->hash, sizeof(s->hash)), vint(s->expires_s)), &changed));
    s->first = changed == 1;
    return ERR_OK;
}

err_t seen_once(struct op *op, struct str who, struct str name, int64_t expires_s, bool *ret_first)
{
    struct seeing s = {.tenant_id = op->tenant->object.id, .expires_s = expires_s};
    struct buf b;
    buf_init(&b, op->arena, 2 * LIMIT_JWT);
    buf_int(&b, (int64_t)who.n); /* where one ends and the other begins */
    buf_char(&b, ':');
    buf_str(&b, who);
    buf_str(&b, name);
    if (!buf_ok(&b))
        return ERR_MEMORY;
    sha256(op->core->crypto, buf_view(&b), s.hash);
    TRY(store_tx(op->core->store, see_in_tx, &s));
    *ret_first = s.first;
    return ERR_OK;
}
