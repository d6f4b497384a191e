/* The world of token/world.h with people in it. */
#pragma once
#include "../token/world.h"
#include "account/apikey.h"
#include "account/limiter.h"
#include "account/session.h"

#define PASSWORD "a good long password"

static inline bool people_begin(struct world *w)
{
    if (!world_begin(w))
        return false;
    w->kinds[w->table.n++] = &kind_user;
    w->kinds[w->table.n++] = &kind_service_account;
    return world_start(w);
}

static inline err_t put_account(struct world *w, const struct object_kind *k, const char *doc,
                                enum object_mode mode, bool *ret_changed)
{
    struct op *op = world_op(w, "default");
    return object_put(op, k, world_json(w, doc), mode, MANAGED_API, 0, "", NULL, ret_changed);
}

/* An op of nobody, from an address. */
static inline struct op *stranger(struct world *w, const char *peer)
{
    struct op *op = world_op(w, "default");
    op->actor = (struct actor){.kind = ACTOR_NONE};
    op->peer = str_z(peer);
    op->agent = STR("Mozilla/5.0 (test)");
    return op;
}

static inline err_t sign_in(struct world *w, const char *peer, const char *name, const char *password,
                            struct str device, struct signed_in *ret)
{
    struct signin s = {.username = str_z(name), .password = str_z(password), .device = device};
    return signin_password(stranger(w, peer), &s, ret);
}

static inline int64_t audit_count(struct world *w, const char *event)
{
    struct rows r;
    int64_t n = 0;
    CHECK(db_rows(w->db, Q_AUDIT_LIST, BIND(vint(w->op.tenant->object.id), vint(0), vint(INT64_MAX), vint(0), vint(1 << 20)), &r) ==
          ERR_OK);
    while (db_next(&r))
        n += str_is(db_text(&r, 2), event);
    CHECK(db_end(&r) == ERR_OK);
    return n;
}
