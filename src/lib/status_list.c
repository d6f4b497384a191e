/* Token status lists (draft-ietf-oauth-status-list): a signed, compressed list of bits, one to eight a token, that says which
 * tokens are valid still. */
#include "lib/parts.h"
#include "base/enc.h"
#include <stdlib.h>
#include <zlib.h>

/* --- reading JSON members by a table --- */

struct want {
    const char *name;
    enum json_type type;
    void *to; /* struct str (a string's text, an object as it stands) or int64_t */
    bool seen;
};
struct want_list {
    struct want *v;
    size_t n;
};

static err_t take(void *ctx, const struct json_member *m)
{
    struct want_list *w = ctx;
    for (size_t i = 0; i < w->n; i++) {
        if (!str_is(m->key, w->v[i].name))
            continue;
        if (m->type != w->v[i].type)
            return ERR_CLAIM;
        w->v[i].seen = true;
        if (m->type == JSON_T_INT)
            *(int64_t *)w->v[i].to = m->num;
        else
            *(struct str *)w->v[i].to = m->type == JSON_T_STRING ? m->text : m->raw;
    }
    return ERR_OK;
}

#define READ(a, text, rows) json_scan(a, text, take, &(struct want_list){rows, sizeof(rows) / sizeof((rows)[0])})

/* --- the claim of a token --- */

err_t status_place(struct str payload, struct arena *a, struct status_place *ret)
{
    struct str status = STR_NONE, list = STR_NONE;
    struct status_place p = {.idx = -1};
    struct want outer[] = {{"status", JSON_T_OBJECT, &status, false}};
    struct want middle[] = {{"status_list", JSON_T_OBJECT, &list, false}};
    struct want inner[] = {{"idx", JSON_T_INT, &p.idx, false}, {"uri", JSON_T_STRING, &p.uri, false}};
    if (!memmem(payload.p, payload.n, "\"status_list\"", 13) && str_find(payload, '\\') == payload.n)
        return ERR_NOT_FOUND; /* most tokens: not worth a pass of its own */
    TRY(READ(a, payload, outer));
    if (outer[0].seen)
        TRY(READ(a, status, middle));
    if (!middle[0].seen)
        return ERR_NOT_FOUND;
    TRY(READ(a, list, inner));
    if (p.idx < 0 || !p.uri.n || p.uri.n >= LIMIT_REDIRECT_URI)
        return ERR_CLAIM;
    *ret = p;
    return ERR_OK;
}

bool status_at(const struct status_list *l, int64_t idx, unsigned *ret)
{
    unsigned each = 8 / l->bits, shift = (unsigned)(idx % each) * l->bits;
    if (idx < 0 || (uint64_t)idx / each >= l->n)
        return false;
    *ret = l->bytes[(uint64_t)idx / each] >> shift & ((1u << l->bits) - 1);
    return true;
}

/* --- the list's token --- */

/* At most LIMIT_STATUS_BYTES come out, whatever went in. *ret: malloc. */
static err_t inflate_all(struct str in, uint8_t **ret, size_t *ret_n)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.n};
    uint8_t *out = malloc(LIMIT_STATUS_BYTES), *fitted;
    if (!out || inflateInit(&z) != Z_OK) {
        free(out);
        return ERR_MEMORY;
    }
    z.next_out = out;
    z.avail_out = LIMIT_STATUS_BYTES;
    int rc = inflate(&z, Z_FINISH);
    size_t n = LIMIT_STATUS_BYTES - z.avail_out;
    bool whole = rc == Z_STREAM_END && z.avail_in == 0 && n > 0;
    inflateEnd(&z);
    fitted = whole ? realloc(out, n) : NULL;
    if (!whole) {
        free(out);
        return ERR_CLAIM;
    }
    *ret = fitted ? fitted : out;
    *ret_n = n;
    return ERR_OK;
}

static bool typ_is_list(struct str header, struct arena *a)
{
    struct str typ = STR_NONE, crit = STR_NONE;
    struct want rows[] = {{"typ", JSON_T_STRING, &typ, false}, {"crit", JSON_T_ARRAY, &crit, false}};
    if (READ(a, header, rows) != ERR_OK || crit.p)
        return false;
    return str_eq_nocase(typ, STR("statuslist+jwt")) || str_eq_nocase(typ, STR("application/statuslist+jwt"));
}

struct claims {
    struct str iss, sub, list, lst;
    int64_t iat_s, exp_s, ttl_s, bits;
};

static err_t read_claims(struct str payload, struct arena *a, struct claims *c)
{
    struct want rows[] = {{"iss", JSON_T_STRING, &c->iss, false},  {"sub", JSON_T_STRING, &c->sub, false}, {"iat", JSON_T_INT, &c->iat_s, false},
                          {"exp", JSON_T_INT, &c->exp_s, false},   {"ttl", JSON_T_INT, &c->ttl_s, false},  {"status_list", JSON_T_OBJECT, &c->list, false}};
    struct want inner[] = {{"bits", JSON_T_INT, &c->bits, false}, {"lst", JSON_T_STRING, &c->lst, false}};
    TRY(READ(a, payload, rows));
    return c->list.p ? READ(a, c->list, inner) : ERR_CLAIM;
}

/* NULL: nothing is wrong. */
static const char *wrong(const struct claims *c, const struct jwt_profile *p, struct str uri, int64_t now_s)
{
    if (!str_eq(c->sub, uri))
        return "sub is not its address";
    if (c->iss.p && !str_eq(c->iss, p->iss))
        return "iss is not the expected issuer";
    if (c->iat_s <= 0 || c->iat_s > LIMIT_TIME_S || c->iat_s > now_s + p->skew_s)
        return "iat is missing or in the future";
    if (c->exp_s < 0 || c->exp_s > LIMIT_TIME_S || (c->exp_s && now_s >= c->exp_s + p->skew_s))
        return "it has expired";
    if (c->bits != 1 && c->bits != 2 && c->bits != 4 && c->bits != 8)
        return "bits is not 1, 2, 4 or 8";
    return c->lst.n ? NULL : "there is no list in it";
}

/* The sooner of ttl and exp. */
static int64_t fresh_for(const struct claims *c, int64_t now_s)
{
    int64_t fresh_s = c->ttl_s > 0 ? c->ttl_s : -1;
    if (c->exp_s && (fresh_s < 0 || c->exp_s - now_s < fresh_s))
        fresh_s = c->exp_s > now_s ? c->exp_s - now_s : 0;
    return fresh_s;
}

static err_t make(struct str uri, struct str packed, unsigned bits, struct status_list **ret)
{
    struct status_list *l = calloc(1, sizeof(*l) + uri.n + 1);
    if (!l)
        return ERR_MEMORY;
    err_t e = inflate_all(packed, &l->bytes, &l->n);
    if (e != ERR_OK) {
        free(l);
        return e;
    }
    memcpy(l + 1, uri.p, uri.n);
    l->uri = (const char *)(l + 1);
    l->bits = bits;
    l->refs = 1;
    *ret = l;
    return ERR_OK;
}

err_t status_list_read(const struct crypto *c, const struct key_set *keys, const struct jwt_profile *p, struct str uri, struct str token,
                       int64_t now_s, struct arena *a, struct status_list **ret, int64_t *ret_fresh_s, struct fault *f)
{
    struct jws_seen seen;
    struct claims claims = {.iat_s = 0};
    struct str packed;
    const char *why = "its signature is wrong, or its form";
    err_t e = jws_open(c, &keys->keys, token, NULL, a, &seen);
    if (e == ERR_OK && !(p->algs & ALG_BIT(seen.key->alg)))
        e = ERR_ALG;
    if (e == ERR_OK && !typ_is_list(seen.header, a)) {
        e = ERR_TOKEN_INVALID;
        why = "typ is not statuslist+jwt";
    }
    if (e == ERR_OK && (e = read_claims(seen.payload, a, &claims)) != ERR_OK)
        why = "a claim is malformed";
    if (e == ERR_OK && (why = wrong(&claims, p, uri, now_s)) != NULL)
        e = ERR_CLAIM;
    if (e == ERR_OK) {
        why = "its list cannot be unpacked";
        e = dec_b64url(a, claims.lst, &packed) ? make(uri, packed, (unsigned)claims.bits, ret) : ERR_CLAIM;
    }
    *ret_fresh_s = fresh_for(&claims, now_s);
    if (e == ERR_OK || e == ERR_MEMORY)
        return e;
    return fault_set(f, e, "", "status list %.*s: %s", (int)(uri.n < 120 ? uri.n : 120), uri.p, why);
}
