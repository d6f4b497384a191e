/* Refusals before authentication: counted in memory by tenant, reason, client, network and minute, written
 * once a minute. However many there are, and from wherever, they are at most LIMIT_REFUSED rows a minute:
 * nobody fills the disk. */
#include "token/audit_state.h"
#include "token/peer.h"
#include <stdlib.h>

struct refused {
    int64_t tenant_id, minute_s, count;
    char reason[40], client[64], network[PEER_NETWORK_SIZE];
};

void audit_refused_init(struct audit_state *st)
{
    pthread_mutex_init(&st->lock, NULL);
    idmap_init(&st->refused, sizeof(struct refused), LIMIT_REFUSED);
}

void audit_refused_free(struct audit_state *st)
{
    idmap_free(&st->refused);
    pthread_mutex_destroy(&st->lock);
}

/* Cut to fit; what is no plain ASCII becomes '?': these are strangers' bytes. */
static void copy_text(char *ret, size_t size, struct str s)
{
    size_t n = s.n < size - 1 ? s.n : size - 1;
    for (size_t i = 0; i < n; i++)
        ret[i] = s.p[i] > ' ' && s.p[i] < 127 ? s.p[i] : '?';
    ret[n] = '\0';
}

void audit_refused(struct op *op, const char *reason, struct str client)
{
    struct audit_state *st = op->core->audit;
    struct refused r;
    uint8_t hash[SHA256_SIZE];
    int64_t key;
    memset(&r, 0, sizeof(r)); /* hashed whole, padding included */
    r.tenant_id = op->tenant ? op->tenant->object.id : 0;
    r.minute_s = op->now_s - op->now_s % 60;
    copy_text(r.reason, sizeof(r.reason), str_z(reason));
    copy_text(r.client, sizeof(r.client), client);
    peer_network(op->peer, 24, 48, r.network);
    sha256(op->core->crypto, (struct str){(const char *)&r, sizeof(r)}, hash);
    memcpy(&key, hash, sizeof(key));
    pthread_mutex_lock(&st->lock);
    struct refused *there = idmap_put(&st->refused, key);
    if (there) {
        r.count = there->count + 1;
        *there = r;
    } else {
        st->refused_beyond++;
    }
    pthread_mutex_unlock(&st->lock);
}

struct flush {
    struct op *op;
    struct audit *rows;
    size_t n;
};

static err_t flush_in_tx(struct db *db, void *ctx)
{
    const struct flush *f = ctx;
    for (size_t i = 0; i < f->n; i++)
        TRY(audit_write(db, f->op->core->store, &f->rows[i]));
    return ERR_OK;
}

static struct str payload_of(struct op *op, const struct refused *r)
{
    struct buf b;
    struct jw w;
    char minute[32];
    time_rfc3339(r->minute_s, minute);
    buf_init(&b, op->arena, LIMIT_TEXT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "reason", str_z(r->reason));
    jw_m_str(&w, "client", r->client[0] ? str_z(r->client) : STR_NONE);
    jw_m_str(&w, "network", str_z(r->network));
    jw_m_str(&w, "minute", str_z(minute));
    jw_m_int(&w, "count", r->count);
    jw_close(&w, '}');
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

/* Rows are of the tenant that was asked; what was asked of none is the default tenant's. */
static void make_row(struct op *op, const struct refused *r, struct audit *ret)
{
    audit_make(op, AUDIT_REFUSED, r->client[0] ? arena_fmt(op->arena, "client:%s", r->client) : STR_NONE,
               payload_of(op, r), ret);
    ret->webhooks = (struct strs){NULL, 0};
    ret->actor = STR("nobody");
    if (r->tenant_id)
        ret->tenant_id = r->tenant_id;
}

err_t audit_flush_refused(struct op *op)
{
    struct audit_state *st = op->core->audit;
    struct flush f = {.op = op, .rows = arena_array(op->arena, struct audit, LIMIT_REFUSED + 1)};
    struct idmap counted;
    int64_t key;
    size_t at = 0;
    if (!f.rows)
        return ERR_MEMORY;
    pthread_mutex_lock(&st->lock);
    counted = st->refused;
    struct refused beyond = {.minute_s = op->now_s - op->now_s % 60,
                             .count = st->refused_beyond,
                             .reason = "others",
                             .network = "all"};
    idmap_init(&st->refused, sizeof(struct refused), LIMIT_REFUSED);
    st->refused_beyond = 0;
    pthread_mutex_unlock(&st->lock);
    for (const struct refused *r; (r = idmap_next(&counted, &at, &key));)
        make_row(op, r, &f.rows[f.n++]);
    if (beyond.count)
        make_row(op, &beyond, &f.rows[f.n++]);
    idmap_free(&counted);
    if (f.n)
        TRY(store_tx(op->core->store, flush_in_tx, &f));
    return audit_save_heads(op);
}
