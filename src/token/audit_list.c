/* Listing a tenant's audit rows, newest first, by walking from seal to seal. */
#include "token/audit_state.h"

/* A walk from seal to seal, newest first: no table has an index by tenant. */
struct listing {
    struct op *op;
    const struct audit_query *q;
    struct jw *w;
    int64_t before_id; /* rows from here on are not wanted */
    int64_t seal_id;   /* the next one to look at; 0: there is none */
    int64_t found, scanned, last_id;
};

static err_t one_id(struct op *op, enum query q, int64_t id, int64_t *ret)
{
    struct rows r;
    TRY(db_rows(op->db, q, BIND(vint(op->tenant->object.id), vint(id)), &r));
    *ret = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

/* The seal of the row that the cursor names, or the tenant's newest: among those since the heads were written
 * down, or the one written down. */
static err_t first_seal(struct op *op, int64_t before_id, int64_t *ret)
{
    struct rows r;
    int64_t mark;
    if (before_id)
        return one_id(op, Q_AUDIT_SEAL_AFTER, before_id, ret);
    TRY(audit_heads_mark(op->db, &mark));
    TRY(one_id(op, Q_AUDIT_SEAL_NEWEST, mark, ret));
    if (*ret)
        return ERR_OK;
    TRY(db_rows(op->db, Q_AUDIT_HEAD_GET, BIND(vint(op->tenant->object.id)), &r));
    *ret = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

static bool wanted(struct str filter, struct str value)
{
    return filter.n == 0 || str_eq(filter, value);
}

static void print_row(struct op *op, const struct rows *r, struct jw *w)
{
    char at[32];
    time_rfc3339(db_int(r, 1), at);
    jw_open(w, '{');
    jw_m_str(w, "id", id_text(op->core, op->arena, db_int(r, 0)));
    jw_m_str(w, "at", str_z(at));
    jw_m_str(w, "event", db_text(r, 2));
    jw_m_str(w, "actor", db_text(r, 3));
    jw_m_str(w, "object", db_text(r, 4));
    jw_m_raw(w, "data", db_text(r, 5));
    jw_close(w, '}');
}

static bool enough(const struct listing *l)
{
    return l->found == l->q->limit || l->scanned >= LIMIT_AUDIT_SCAN;
}

/* The rows that a seal covers; moves on to the seal before it. */
static err_t list_seal(struct listing *l)
{
    struct rows r;
    int64_t tenant_id = l->op->tenant->object.id, before_seal = 0, first_id = 0, last_id = 0;
    TRY(db_rows(l->op->db, Q_AUDIT_SEAL_GET, BIND(vint(tenant_id), vint(l->seal_id)), &r));
    if (db_next(&r)) {
        before_seal = db_int(&r, 0);
        first_id = db_int(&r, 1);
        last_id = db_int(&r, 2);
    }
    TRY(db_end(&r));
    if (l->before_id && last_id >= l->before_id)
        last_id = l->before_id - 1;
    TRY(db_rows(l->op->db, Q_AUDIT_LIST, BIND(vint(tenant_id), vint(first_id), vint(last_id)), &r));
    while (!enough(l) && db_next(&r)) {
        l->scanned++;
        l->last_id = db_int(&r, 0);
        if (!wanted(l->q->event, db_text(&r, 2)) || !wanted(l->q->actor, db_text(&r, 3)) ||
            !wanted(l->q->object, db_text(&r, 4)))
            continue;
        print_row(l->op, &r, l->w);
        l->found++;
    }
    l->seal_id = before_seal < l->seal_id ? before_seal : 0;
    return db_end(&r);
}

err_t audit_list(struct op *op, const struct audit_query *q, struct jw *w, int64_t *ret_next)
{
    struct listing l = {.op = op, .q = q, .w = w, .before_id = q->before_id};
    err_t e = ERR_OK;
    TRY(op_permit(op, "audit.read"));
    if (q->limit < 1 || q->limit > LIMIT_PAGE)
        return op_fail(op, ERR_PARAM_BAD, "limit", "a number from 1 to %d is expected", LIMIT_PAGE);
    TRY(first_seal(op, q->before_id, &l.seal_id));
    jw_open(w, '[');
    while (e == ERR_OK && l.seal_id && !enough(&l))
        e = list_seal(&l);
    jw_close(w, ']');
    if (e == ERR_OK)
        *ret_next = enough(&l) ? l.last_id : 0;
    return e;
}
