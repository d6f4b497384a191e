/* Listing a tenant's audit rows, newest first, by walking from seal to seal: no write touches an index by tenant. Each writer has a
 * trail of its own, so the walks go side by side and the newest row of all is always the next. */
#include "token/audit_state.h"

#define PAGE_ROWS 16 /* of one walk at a time */

struct line {
    int64_t id;
    struct str text; /* JSON */
};
/* One writer's trail. */
struct walk {
    int writer;
    int64_t mark;
    int64_t seal_id;   /* the one to look at; 0: there is none any more */
    int64_t before_id; /* rows from here on are done with, or not wanted; 0: none is */
    struct line *line; /* read and not yet taken, newest first; room for a page */
    size_t at, n;
};
struct listing {
    struct op *op;
    const struct audit_query *q;
    struct walk walk[LIMIT_SERVERS];
    size_t nwalks;
    int64_t scanned;
};

/* --- from seal to seal --- */

static err_t one_id(struct op *op, enum query q, int64_t id, int writer, int64_t *ret)
{
    struct rows r;
    TRY(db_rows(op->db, q, BIND(vint(op->tenant->object.id), vint(id), vint(writer)), &r));
    *ret = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

/* The first seal after the row that the cursor names covers all before it; or the tenant's newest: among those since the heads were
 * written down, or the one written down. */
static err_t first_seal(struct op *op, struct walk *w)
{
    struct rows r;
    if (w->before_id)
        TRY(one_id(op, Q_AUDIT_SEAL_AFTER, w->before_id, w->writer, &w->seal_id));
    if (!w->seal_id)
        TRY(one_id(op, Q_AUDIT_SEAL_NEWEST, w->mark, w->writer, &w->seal_id));
    if (w->seal_id)
        return ERR_OK;
    TRY(db_rows(op->db, Q_AUDIT_HEAD_GET, BIND(vint(op->tenant->object.id), vint(w->writer)), &r));
    w->seal_id = db_next(&r) ? db_int(&r, 0) : 0;
    return db_end(&r);
}

static bool wanted(struct str filter, struct str value)
{
    return filter.n == 0 || str_eq(filter, value);
}

static struct str row_text(struct op *op, const struct rows *r)
{
    char at[32];
    struct buf b;
    struct jw w;
    buf_init(&b, op->arena, LIMIT_OBJECT);
    jw_init(&w, &b);
    time_rfc3339(db_int(r, 1), at);
    jw_open(&w, '{');
    jw_m_str(&w, "id", id_text(op->core, op->arena, db_int(r, 0)));
    jw_m_str(&w, "at", str_z(at));
    jw_m_str(&w, "event", db_text(r, 2));
    jw_m_str(&w, "actor", db_text(r, 3));
    jw_m_str(&w, "object", db_text(r, 4));
    jw_m_raw(&w, "data", db_text(r, 5));
    jw_close(&w, '}');
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

/* A page of the rows that the seal covers; *ret_more: there may be more of them. */
static err_t read_rows(struct listing *l, struct walk *w, int64_t first_id, int64_t last_id, bool *ret_more)
{
    struct rows r;
    err_t e = ERR_OK;
    int64_t n = 0;
    const struct audit_query *q = l->q;
    TRY(db_rows(l->op->db, Q_AUDIT_LIST,
                BIND(vint(l->op->tenant->object.id), vint(first_id), vint(last_id), vint(w->writer), vint(PAGE_ROWS)), &r));
    for (; e == ERR_OK && db_next(&r); n++) {
        w->before_id = db_int(&r, 0);
        if (!wanted(q->event, db_text(&r, 2)) || !wanted(q->actor, db_text(&r, 3)) || !wanted(q->object, db_text(&r, 4)))
            continue;
        w->line[w->n] = (struct line){db_int(&r, 0), row_text(l->op, &r)};
        e = w->line[w->n++].text.p ? ERR_OK : ERR_MEMORY;
    }
    l->scanned += n;
    *ret_more = n == PAGE_ROWS;
    err_t end = db_end(&r);
    return e != ERR_OK ? e : end;
}

/* Reads on in one seal, or moves on to the one before. */
static err_t read_on(struct listing *l, struct walk *w)
{
    struct rows r;
    int64_t before_seal = 0, first_id = 0, last_id = 0;
    bool more;
    TRY(db_rows(l->op->db, Q_AUDIT_SEAL_GET, BIND(vint(l->op->tenant->object.id), vint(w->seal_id)), &r));
    if (db_next(&r)) {
        before_seal = db_int(&r, 0);
        first_id = db_int(&r, 1);
        last_id = db_int(&r, 2);
    }
    TRY(db_end(&r));
    if (w->before_id && last_id >= w->before_id)
        last_id = w->before_id - 1;
    w->at = w->n = 0;
    TRY(read_rows(l, w, first_id, last_id, &more));
    if (!more)
        w->seal_id = before_seal < w->seal_id ? before_seal : 0;
    return ERR_OK;
}

/* --- side by side --- */

static bool has_line(const struct walk *w)
{
    return w->at < w->n;
}

/* Every walk that has not ended has a line to offer, unless enough was looked at. */
static err_t fill(struct listing *l, bool *ret_all)
{
    for (size_t i = 0; i < l->nwalks; i++) {
        struct walk *w = &l->walk[i];
        while (!has_line(w) && w->seal_id && l->scanned < LIMIT_AUDIT_SCAN)
            TRY(read_on(l, w));
        if (!has_line(w) && w->seal_id) {
            *ret_all = false;
            return ERR_OK;
        }
    }
    *ret_all = true;
    return ERR_OK;
}

static struct walk *newest(struct listing *l)
{
    struct walk *best = NULL;
    for (size_t i = 0; i < l->nwalks; i++) {
        struct walk *w = &l->walk[i];
        if (has_line(w) && (!best || w->line[w->at].id > best->line[best->at].id))
            best = w;
    }
    return best;
}

/* The cursor where a listing stopped that has looked at enough: all from there on was looked at. */
static int64_t stopped_at(const struct listing *l)
{
    int64_t at = 0;
    for (size_t i = 0; i < l->nwalks; i++) {
        const struct walk *w = &l->walk[i];
        int64_t done_to = has_line(w) ? w->line[w->at].id + 1 : w->seal_id ? w->before_id : 0;
        at = done_to > at ? done_to : at;
    }
    return at;
}

static err_t start(struct listing *l)
{
    struct audit_writer writers[LIMIT_SERVERS];
    size_t n;
    TRY(audit_writers(l->op->db, writers, &n));
    for (size_t i = 0; i < n; i++) {
        struct walk *w = &l->walk[l->nwalks];
        *w = (struct walk){.writer = writers[i].number, .mark = writers[i].mark, .before_id = l->q->before_id};
        TRY(first_seal(l->op, w));
        if (!w->seal_id)
            continue;
        w->line = arena_array(l->op->arena, struct line, PAGE_ROWS);
        if (!w->line)
            return ERR_MEMORY;
        l->nwalks++;
    }
    return ERR_OK;
}

static err_t list(struct listing *l, struct jw *out, int64_t *ret_next)
{
    *ret_next = 0;
    for (int64_t found = 0; found < l->q->limit; found++) {
        bool all;
        TRY(fill(l, &all));
        struct walk *w = all ? newest(l) : NULL;
        if (!w) {
            *ret_next = all ? 0 : stopped_at(l);
            return ERR_OK;
        }
        jw_raw(out, w->line[w->at].text);
        *ret_next = w->line[w->at].id;
        w->at++;
    }
    return ERR_OK;
}

err_t audit_list(struct op *op, const struct audit_query *q, struct jw *w, int64_t *ret_next)
{
    struct listing *l = arena_new_of(op->arena, struct listing);
    TRY(op_permit(op, "audit.read"));
    if (q->limit < 1 || q->limit > LIMIT_PAGE)
        return op_fail(op, ERR_PARAM_BAD, "limit", "a number from 1 to %d is expected", LIMIT_PAGE);
    if (!l)
        return ERR_MEMORY;
    *l = (struct listing){.op = op, .q = q};
    TRY(start(l));
    jw_open(w, '[');
    err_t e = list(l, w, ret_next);
    jw_close(w, ']');
    return e;
}
