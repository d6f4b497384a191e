/* Last-used times in memory: a bounded map of now, and the one that is being flushed. A touch too many is
 * dropped; the next one after the flush is taken. */
#include "token/usage.h"
#include "token/core.h"
#include "token/idmap.h"
#include <pthread.h>
#include <stdlib.h>

#define IP_SIZE 46

struct use {
    int64_t tenant_id, at_s;
    enum node_kind kind;
    char ip[IP_SIZE];
};
struct usage {
    pthread_mutex_t lock;
    struct idmap now, flushing; /* row id -> struct use; only the flusher changes `flushing` */
};

struct usage *usage_new(void)
{
    struct usage *u = calloc(1, sizeof(*u));
    if (!u)
        return NULL;
    pthread_mutex_init(&u->lock, NULL);
    idmap_init(&u->now, sizeof(struct use), LIMIT_USAGE);
    idmap_init(&u->flushing, sizeof(struct use), LIMIT_USAGE);
    return u;
}

void usage_free(struct usage **u)
{
    if (!*u)
        return;
    idmap_free(&(*u)->now);
    idmap_free(&(*u)->flushing);
    pthread_mutex_destroy(&(*u)->lock);
    free(*u);
    *u = NULL;
}

void usage_touch(struct usage *u, enum node_kind kind, int64_t tenant_id, int64_t id, int64_t now_s,
                 struct str ip)
{
    pthread_mutex_lock(&u->lock);
    struct use *v = idmap_put(&u->now, id);
    if (v) {
        size_t n = ip.n < IP_SIZE ? ip.n : 0;
        *v = (struct use){.tenant_id = tenant_id, .at_s = now_s, .kind = kind};
        if (n)
            memcpy(v->ip, ip.p, n);
    }
    pthread_mutex_unlock(&u->lock);
}

int64_t usage_last(const struct usage *u, int64_t id)
{
    struct usage *lockable = (struct usage *)u;
    pthread_mutex_lock(&lockable->lock);
    const struct use *v = idmap_get(&u->now, id);
    if (!v)
        v = idmap_get(&u->flushing, id);
    int64_t at_s = v ? v->at_s : 0;
    pthread_mutex_unlock(&lockable->lock);
    return at_s;
}

/* --- flushing
 * -------------------------------------------------------------------------------------------------------- */

static const enum query touched[] = {
    [NODE_TOKEN] = Q_USED_TOKEN, [NODE_GRANT] = Q_USED_GRANT, [NODE_SESSION] = Q_USED_SESSION};

struct flush {
    const struct idmap *map;
    size_t from, to; /* slots: where this transaction begins, where it ended */
};

static err_t flush_in_tx(struct db *db, void *ctx)
{
    struct flush *f = ctx;
    size_t at = f->from;
    int64_t id;
    for (int i = 0; i < LIMIT_SWEEP; i++) {
        const struct use *v = idmap_next(f->map, &at, &id);
        if (!v)
            break;
        struct str ip = str_z(v->ip);
        if (v->kind == NODE_CLIENT)
            TRY(db_run(db, Q_REGISTRATION_USED, BIND(vint(v->tenant_id), vint(id), vint(v->at_s)), NULL));
        else if (v->kind <= NODE_SESSION)
            TRY(db_run(db, touched[v->kind],
                       BIND(vint(v->tenant_id), vint(id), vint(v->at_s), vtext(ip.n ? ip : STR_NONE)), NULL));
    }
    f->to = at;
    return ERR_OK;
}

err_t usage_flush(struct op *op)
{
    struct usage *u = op->core->usage;
    err_t e = ERR_OK;
    pthread_mutex_lock(&u->lock);
    struct idmap full = u->now;
    u->now = u->flushing; /* empty */
    u->flushing = full;
    pthread_mutex_unlock(&u->lock);
    struct flush f = {.map = &u->flushing};
    while (e == ERR_OK && f.to < full.cap) {
        f.from = f.to;
        e = store_tx(op->core->store, flush_in_tx, &f);
    }
    pthread_mutex_lock(&u->lock);
    idmap_free(&u->flushing);
    pthread_mutex_unlock(&u->lock);
    return e;
}
