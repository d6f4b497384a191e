/* Making a Status List Token: the bits from the rows, compressed (RFC 1950) and signed. A bit is set for whatever life_check refuses:
 * rows that are marked, which the housekeeper does for all that hangs below a dead session, grant or account; rows of a client
 * that is disabled, cut off or gone and whose marking still goes on; and the whole list when the tenant has been cut off since. */
#include "token/status_parts.h"
#include "base/enc.h"
#include <zlib.h>

#define BYTES     (LIMIT_STATUS_SIZE / 8)
#define LIST_TEXT (2 * BYTES)  /* compressed, then base64url; zlib's worst case is some bytes more than what goes in */
#define SLACK_S   60           /* how long after its ttl it may be used while there is no new one */

struct str status_uri(struct op *op, int64_t list)
{
    return arena_fmt(op->arena, "%.*s/status/%.*s", STR_ARG(op->tenant->issuer), STR_ARG(id_text(op->core, op->arena, list)));
}

err_t status_row_read(struct op *op, int64_t list, struct status_row *ret)
{
    struct rows r;
    struct status_row row = {.list = list};
    TRY(db_rows(op->db, Q_STATUS_LIST, BIND(vint(op->tenant->object.id), vint(list), vint(op->now_s)), &r));
    bool found = db_next(&r);
    if (found) {
        row.opened_id = db_int(&r, 0);
        row.restored = db_int(&r, 1) != 0;
    }
    TRY(db_end(&r));
    *ret = row;
    return found ? ERR_OK : ERR_NOT_FOUND;
}

/* --- the bits: the first is the lowest of the first byte --- */

static err_t set_bits(struct op *op, enum query q, const struct status_row *row, bool value, uint8_t *bits)
{
    struct rows r;
    int64_t first = row->list << STATUS_INDEX_BITS;
    TRY(db_rows(op->db, q, BIND(vint(op->tenant->object.id), vint(first), vint(first + LIMIT_STATUS_SIZE)), &r));
    while (db_next(&r)) {
        uint64_t i = (uint64_t)(db_int(&r, 0) - first);
        uint8_t bit = (uint8_t)(1u << i % 8);
        if (i < LIMIT_STATUS_SIZE)
            bits[i / 8] = (uint8_t)(value ? bits[i / 8] | bit : bits[i / 8] & ~bit);
    }
    return db_end(&r);
}

/* Of a list from before a restore, what has no row has been lost: it is no token of this store any more. */
static err_t read_bits(struct op *op, const struct status_row *row, uint8_t *bits)
{
    bool all = row->opened_id < op->tenant->object.cutoff_id;
    memset(bits, all || row->restored ? 0xff : 0, BYTES);
    if (all)
        return ERR_OK;
    TRY(row->restored ? set_bits(op, Q_STATUS_LIVE, row, false, bits) : set_bits(op, Q_STATUS_REVOKED, row, true, bits));
    return set_bits(op, Q_STATUS_DYING, row, true, bits);
}

/* In one moment: a row goes from dying to revoked. */
static err_t bits_of(struct op *op, int64_t list, uint8_t *bits)
{
    struct status_row row;
    TRY(db_read_begin(op->db));
    err_t e = status_row_read(op, list, &row);
    if (e == ERR_OK)
        e = read_bits(op, &row, bits);
    db_read_end(op->db);
    return e;
}

/* --- the token --- */

static err_t compress_bits(struct op *op, const uint8_t *bits, struct str *ret)
{
    uint8_t *out = arena_alloc(op->arena, LIST_TEXT);
    uLongf n = LIST_TEXT;
    struct buf b;
    if (!out || compress2(out, &n, bits, BYTES, Z_BEST_COMPRESSION) != Z_OK)
        return ERR_MEMORY;
    buf_init(&b, op->arena, 2 * LIST_TEXT);
    enc_b64url(&b, out, n);
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

static void write_list(struct op *op, int64_t list, struct str lst, struct jw *w)
{
    int64_t ttl_s = op->tenant->spec->status_list_ttl_s;
    jw_open(w, '{');
    jw_m_str(w, "iss", op->tenant->issuer);
    jw_m_str(w, "sub", status_uri(op, list));
    jw_m_int(w, "iat", op->now_s);
    jw_m_int(w, "exp", op->now_s + ttl_s + SLACK_S);
    jw_m_int(w, "ttl", ttl_s);
    jw_key(w, "status_list");
    jw_open(w, '{');
    jw_m_int(w, "bits", 1);
    jw_m_str(w, "lst", lst);
    jw_close(w, '}');
    jw_close(w, '}');
}

err_t status_build(struct op *op, int64_t list, struct str *ret)
{
    const struct signing_key *key;
    enum alg alg;
    struct str lst;
    struct buf b;
    struct jw w;
    uint8_t *bits = arena_alloc(op->arena, BYTES);
    if (!bits)
        return ERR_MEMORY;
    TRY(bits_of(op, list, bits));
    TRY(compress_bits(op, bits, &lst));
    if (!alg_find_in(op->tenant->spec->signing_alg, ALGS_ISSUED, &alg))
        return op_fail(op, ERR_INTERNAL, "", "the signing algorithm is unknown");
    TRY(tenant_signing_key(op, alg, &key));
    buf_init(&b, op->arena, lst.n + 4 * LIMIT_TEXT);
    jw_init(&w, &b);
    write_list(op, list, lst, &w);
    if (!buf_ok(&b))
        return ERR_MEMORY;
    return jws_make(op->core->crypto, &key->jwk, &(struct jws_options){.typ = STR("statuslist+jwt")}, buf_view(&b), op->arena, ret);
}

err_t status_list_all(struct op *op, struct jw *w)
{
    struct rows r;
    TRY(db_rows(op->db, Q_STATUS_LISTS, BIND(vint(op->tenant->object.id), vint(op->now_s), vint(LIMIT_STATUS_SHOWN)), &r));
    jw_open(w, '{');
    jw_key(w, "status_lists");
    jw_open(w, '[');
    while (db_next(&r))
        jw_str(w, status_uri(op, db_int(&r, 0)));
    jw_close(w, ']');
    jw_close(w, '}');
    return db_end(&r);
}
