/* Places in status lists: opening lists, and handing out their indexes. A list is named by the millisecond of its first token (or
 * one after, if that is taken), so that a number never comes back, whatever was deleted or restored meanwhile. */
#include "token/status_parts.h"
#include "token/idmap.h"
#include <pthread.h>
#include <stdlib.h>

#define SETS     16 /* of open lists: tenants wait for others' lists being opened rarely */
#define ID_ORDER 21 /* bits below the milliseconds of a row id */
#define NAMES    64 /* tried for a new list */

/* A list that this server hands out of. */
struct open_list {
    int64_t list, opened_id, until_s;
    uint8_t key[16]; /* of the order */
    int64_t next;
};
struct open_set {
    pthread_mutex_t lock; /* held while a list is opened: whoever waits needs that very list */
    struct idmap lists;   /* tenant id -> struct open_list */
};
struct status {
    struct open_set sets[SETS];
    struct status_kept *kept;
};

struct status *status_new(void)
{
    struct status *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    for (size_t i = 0; i < SETS; i++) {
        pthread_mutex_init(&s->sets[i].lock, NULL);
        idmap_init(&s->sets[i].lists, sizeof(struct open_list), LIMIT_STATUS_OPEN / SETS);
    }
    s->kept = status_kept_new();
    if (!s->kept)
        status_free(&s);
    return s;
}

void status_free(struct status **s)
{
    for (size_t i = 0; i < SETS; i++) {
        idmap_free(&(*s)->sets[i].lists);
        pthread_mutex_destroy(&(*s)->sets[i].lock);
    }
    if ((*s)->kept)
        status_kept_free(&(*s)->kept);
    free(*s);
    *s = NULL;
}

struct status_kept *status_kept_of(struct status *s)
{
    return s->kept;
}

/* --- opening --- */

struct opening {
    int64_t tenant_id, opened_id, opened_s, expires_s;
    int64_t list; /* out */
};

/* Conditional: another server on this store may be opening one in the same moment. */
static err_t open_in_tx(struct db *db, void *ctx)
{
    struct opening *o = ctx;
    int64_t first = o->opened_id >> ID_ORDER, list = first, changed = 0;
    for (; list < first + NAMES; list++) {
        TRY(db_run(db, Q_STATUS_OPEN, BIND(vint(o->tenant_id), vint(list), vint(o->opened_id), vint(o->opened_s), vint(o->expires_s)),
                   &changed));
        if (changed)
            break;
    }
    o->list = list;
    return changed ? ERR_OK : ERR_BUSY;
}

static err_t open_list(struct op *op, int64_t token_id, struct open_list *ret)
{
    struct open_list l = {.opened_id = token_id, .until_s = op->now_s + LIMIT_STATUS_OPEN_S};
    struct opening o = {.tenant_id = op->tenant->object.id,
                        .opened_id = token_id,
                        .opened_s = op->now_s,
                        .expires_s = l.until_s + LIMIT_ACCESS_TOKEN_LIFE + LIMIT_CLOCK_SKEW};
    TRY(random_bytes(l.key, sizeof(l.key)));
    TRY(store_tx(op->core->store, open_in_tx, &o));
    l.list = o.list;
    *ret = l;
    return ERR_OK;
}

/* --- handing out --- */

/* What the tenant's cut-off has killed is dead as a whole: new tokens go elsewhere. */
static bool usable(const struct op *op, const struct open_list *l)
{
    return l->next < LIMIT_STATUS_SIZE && op->now_s < l->until_s && l->opened_id >= op->tenant->object.cutoff_id;
}

/* Any other tenant's makes room: it opens a new one when it needs it. */
static struct open_list *put_list(struct open_set *set, int64_t tenant_id, const struct open_list *l)
{
    struct open_list *to = idmap_put(&set->lists, tenant_id);
    int64_t other;
    size_t at = 0;
    if (!to && idmap_next(&set->lists, &at, &other)) {
        idmap_remove(&set->lists, other);
        to = idmap_put(&set->lists, tenant_id);
    }
    if (to)
        *to = *l;
    return to;
}

static err_t take_locked(struct op *op, struct open_set *set, int64_t token_id, int64_t *ret_index)
{
    int64_t tenant_id = op->tenant->object.id;
    struct open_list *l = idmap_get(&set->lists, tenant_id), fresh;
    if (!l || !usable(op, l)) {
        TRY(open_list(op, token_id, &fresh));
        l = put_list(set, tenant_id, &fresh);
    }
    if (!l)
        return ERR_MEMORY;
    *ret_index = l->list << STATUS_INDEX_BITS | permute16(l->key, (uint16_t)l->next++);
    return ERR_OK;
}

err_t status_take(struct op *op, int64_t token_id, int64_t *ret_index)
{
    struct open_set *set = &op->core->status->sets[(uint64_t)op->tenant->object.id % SETS];
    pthread_mutex_lock(&set->lock);
    err_t e = take_locked(op, set, token_id, ret_index);
    pthread_mutex_unlock(&set->lock);
    return e;
}

void status_write(struct op *op, int64_t index, struct jw *w)
{
    jw_key(w, "status");
    jw_open(w, '{');
    jw_key(w, "status_list");
    jw_open(w, '{');
    jw_m_int(w, "idx", index & (LIMIT_STATUS_SIZE - 1));
    jw_m_str(w, "uri", status_uri(op, index >> STATUS_INDEX_BITS));
    jw_close(w, '}');
    jw_close(w, '}');
}
