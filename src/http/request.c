/* Request objects and their parts. An event thread keeps a few for reuse, arena and all. */
#include "http/server.h"
#include <stdlib.h>

enum { BODY_IN_ARENA = 16 * 1024, BODY_FIRST = 4 * 1024 };

static uint64_t random_next(uint64_t s[2]) /* xorshift128+: ids must differ, they need not be secret */
{
    uint64_t a = s[0], b = s[1];
    s[0] = b;
    a ^= a << 23;
    s[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
    return s[1] + b;
}

static void base32(char *ret, size_t width, uint64_t v)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    while (width--) {
        ret[width] = digits[v & 31];
        v >>= 5;
    }
}

/* As a ULID: 48 bits of milliseconds, 80 random ones. */
static void request_id(struct front *f, char ret[27])
{
    const struct clock *clock = f->server->cfg.clock;
    base32(ret, 10, (uint64_t)clock->wall_ms(clock->ctx));
    base32(ret + 10, 8, random_next(f->id_random));
    base32(ret + 18, 8, random_next(f->id_random));
    ret[26] = 0;
}

static struct request *request_make(struct front *f)
{
    struct request *r = f->free;
    struct arena *arena;

    if (r) {
        f->free = r->next;
        f->nfree--;
        return r;
    }
    r = malloc(sizeof *r);
    arena = arena_new(LIMIT_REQUEST_ARENA);
    if (!r || !arena) {
        free(r);
        if (arena)
            arena_free(&arena);
        return NULL;
    }
    r->req.arena = arena;
    return r;
}

struct request *request_new(struct front *f)
{
    struct request *r = request_make(f);
    struct arena *arena;

    if (!r)
        return NULL;
    arena = r->req.arena;
    memset(&r->req, 0, sizeof r->req);
    memset(&r->next, 0, offsetof(struct request, headers) - offsetof(struct request, next));
    r->req.arena = arena;
    r->req.native = r;
    r->resp.status = 0;
    r->resp.content_type = NULL;
    r->resp.body = STR_NONE;
    r->resp.nheaders = 0;
    r->nheaders = 0;
    r->front = f;
    r->content_length = -1;
    request_id(f, r->req.request_id);
    return r;
}

void request_free(struct request *r)
{
    struct front *f = r->front;

    if (r->body_heap) {
        explicit_bzero(r->body_heap, r->body_cap);
        free(r->body_heap);
        r->body_heap = NULL;
    }
    if (f->nfree < LIMIT_REQUESTS_KEPT) {
        arena_reset(r->req.arena);
        r->next = f->free;
        f->free = r;
        f->nfree++;
    } else {
        arena_free(&r->req.arena);
        free(r);
    }
}

size_t request_body_max(const struct request *r)
{
    return r->route && r->route->body_max ? r->route->body_max : LIMIT_BODY;
}

/* Memory follows what has arrived, not what was announced. */
static bool body_grow(struct request *r, size_t need)
{
    size_t cap = r->body_cap ? r->body_cap : BODY_FIRST;
    char *grown;

    while (cap < need)
        cap *= 2;
    if (r->content_length >= 0 && (size_t)r->content_length <= BODY_IN_ARENA)
        cap = (size_t)r->content_length + 1;
    grown = cap <= BODY_IN_ARENA + 1 ? arena_alloc(r->req.arena, cap) : malloc(cap);
    if (!grown)
        return false;
    if (r->req.body.n)
        memcpy(grown, r->req.body.p, r->req.body.n);
    if (r->body_heap) {
        explicit_bzero(r->body_heap, r->body_cap);
        free(r->body_heap);
    }
    r->body_heap = cap <= BODY_IN_ARENA + 1 ? NULL : grown;
    r->body_cap = cap;
    r->req.body.p = grown;
    return true;
}

bool body_add(struct request *r, const char *p, size_t n)
{
    if (r->req.body.n + n + 1 > r->body_cap && !body_grow(r, r->req.body.n + n + 1))
        return false;
    memcpy((char *)(uintptr_t)r->req.body.p + r->req.body.n, p, n);
    r->req.body.n += n;
    return true;
}

static bool name_is(struct str a, const char *name, size_t n)
{
    return a.n == n && (a.p[0] | 0x20) == (name[0] | 0x20) && str_eq_nocase(a, (struct str){name, n});
}

struct str http_req_header(const struct http_req *req, const char *name)
{
    const struct request *r = req->native;
    size_t n = strlen(name);

    for (size_t i = 0; r && i < r->nheaders; i++)
        if (name_is(r->headers[i].name, name, n))
            return r->headers[i].value;
    return STR_NONE;
}

size_t http_req_header_count(const struct http_req *req, const char *name)
{
    const struct request *r = req->native;
    size_t n = strlen(name), count = 0;

    for (size_t i = 0; r && i < r->nheaders; i++)
        count += name_is(r->headers[i].name, name, n);
    return count;
}

static struct str cookie_in(struct str list, const char *name, size_t n)
{
    struct str one;

    while (str_word(&list, ';', &one)) {
        one = str_trim(one);
        if (one.n > n && one.p[n] == '=' && memcmp(one.p, name, n) == 0)
            return (struct str){one.p + n + 1, one.n - n - 1};
    }
    return STR_NONE;
}

struct str http_req_cookie(const struct http_req *req, const char *name)
{
    const struct request *r = req->native;
    size_t n = strlen(name);
    struct str value;

    for (size_t i = 0; r && i < r->nheaders; i++)
        if (name_is(r->headers[i].name, "Cookie", 6) && (value = cookie_in(r->headers[i].value, name, n)).p)
            return value;
    return STR_NONE;
}
