/* The tree of segments. Nodes are made at start and never change; a look-up walks one node a segment and
 * falls back from a fixed segment to a capture when the fixed way leads nowhere. */
#include "http/router.h"
#include "base/limits.h"
#include <stdlib.h>

struct node {
    struct str segment; /* of a fixed child */
    struct node **fixed;
    size_t nfixed;
    struct node *capture, *rest; /* {name}, {name*} */
    const struct route *routes[HTTP_METHODS];
    bool any;
    char allow[64];
};

struct router {
    struct node root;
};

static int segment_cmp(struct str a, struct str b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return memcmp(a.p, b.p, a.n);
}

/* The place of segment among the sorted fixed children; *ret_found tells whether it is there. */
static size_t fixed_place(const struct node *n, struct str segment, bool *ret_found)
{
    size_t low = 0, high = n->nfixed;

    *ret_found = false;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = segment_cmp(n->fixed[mid]->segment, segment);
        if (c == 0) {
            *ret_found = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct node *fixed_add(struct node *n, struct str segment)
{
    bool found;
    size_t at = fixed_place(n, segment, &found);
    struct node **grown, *made;

    if (found)
        return n->fixed[at];
    grown = realloc(n->fixed, (n->nfixed + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    n->fixed = grown;
    made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->segment = segment;
    memmove(grown + at + 1, grown + at, (n->nfixed - at) * sizeof *grown);
    grown[at] = made;
    n->nfixed++;
    return made;
}

/* The child a pattern's segment names, made if need be. */
static struct node *child_add(struct node *n, struct str segment, bool last)
{
    struct node **place;

    if (segment.n < 3 || segment.p[0] != '{' || segment.p[segment.n - 1] != '}')
        return fixed_add(n, segment);
    place = segment.p[segment.n - 2] == '*' ? &n->rest : &n->capture;
    if (place == &n->rest && !last)
        return NULL;
    if (!*place)
        *place = calloc(1, sizeof **place);
    return *place;
}

static err_t route_add(struct router *r, const struct route *route, struct fault *f)
{
    struct str path = str_z(route->path);
    struct node *n = &r->root;
    size_t captures = 0, start = 1;

    if (path.n == 0 || path.p[0] != '/')
        return fault_set(f, ERR_CONFIG, "route", "\"%s\" does not start with a slash", route->path);
    for (size_t i = 1; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '/')
            continue;
        struct str segment = {path.p + start, i - start};
        captures += segment.n && segment.p[0] == '{';
        n = child_add(n, segment, i == path.n);
        if (!n || captures > LIMIT_CAPTURES)
            return fault_set(f, ERR_CONFIG, "route", "\"%s\" is malformed or has too many captures",
                             route->path);
        start = i + 1;
    }
    if (n->routes[route->method])
        return fault_set(f, ERR_CONFIG, "route", "\"%s\" stands twice with the same method", route->path);
    n->routes[route->method] = route;
    n->any = true;
    return ERR_OK;
}

static void allow_write(struct node *n)
{
    static const char *const names[HTTP_METHODS] = {"GET",    "POST",    "PUT", "PATCH",
                                                    "DELETE", "OPTIONS", "HEAD"};
    size_t at = 0;

    for (size_t m = 0; m < HTTP_METHODS; m++) {
        bool has = n->routes[m] || m == HTTP_OPTIONS || (m == HTTP_HEAD && n->routes[HTTP_GET]);
        size_t len = strlen(names[m]);
        if (!has)
            continue;
        if (at) {
            memcpy(n->allow + at, ", ", 2);
            at += 2;
        }
        memcpy(n->allow + at, names[m], len);
        at += len;
    }
}

/* Depth is bounded by the patterns of the table. */
static void finish(struct node *n)
{
    if (!n)
        return;
    allow_write(n);
    for (size_t i = 0; i < n->nfixed; i++)
        finish(n->fixed[i]);
    finish(n->capture);
    finish(n->rest);
}

static void node_clear(struct node *n)
{
    for (size_t i = 0; i < n->nfixed; i++) {
        node_clear(n->fixed[i]);
        free(n->fixed[i]);
    }
    free(n->fixed);
    for (size_t i = 0; i < 2; i++) {
        struct node *child = i ? n->capture : n->rest;
        if (child)
            node_clear(child);
        free(child);
    }
}

void router_free(struct router **r)
{
    if (*r)
        node_clear(&(*r)->root);
    free(*r);
    *r = NULL;
}

err_t router_new(const struct route *routes, size_t n, struct router **ret, struct fault *f)
{
    struct router *r = calloc(1, sizeof *r);
    err_t e = ERR_OK;

    if (!r)
        return fault_set(f, ERR_MEMORY, "", "%s", "");
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = route_add(r, &routes[i], f);
    if (e != ERR_OK) {
        router_free(&r);
        return e;
    }
    finish(&r->root);
    *ret = r;
    return ERR_OK;
}

/* rest: the path from this node's segment on, without the slash before it; p NULL when none is left. */
static const struct node *find(const struct node *n, struct str rest, struct str *captures, size_t ncaptures)
{
    const struct node *got;
    struct str segment, after;
    size_t slash, at;
    bool found;

    if (!rest.p)
        return n->any ? n : NULL;
    slash = str_find(rest, '/');
    segment = (struct str){rest.p, slash};
    after = slash < rest.n ? (struct str){rest.p + slash + 1, rest.n - slash - 1} : STR_NONE;
    at = fixed_place(n, segment, &found);
    if (found && (got = find(n->fixed[at], after, captures, ncaptures)))
        return got;
    if (n->capture && segment.n && ncaptures < LIMIT_CAPTURES) {
        captures[ncaptures] = segment;
        if ((got = find(n->capture, after, captures, ncaptures + 1)))
            return got;
    }
    if (n->rest && ncaptures < LIMIT_CAPTURES) {
        captures[ncaptures] = rest;
        return n->rest;
    }
    return NULL;
}

const struct node *router_find(const struct router *r, struct str path, struct str ret_captures[4])
{
    return find(&r->root, (struct str){path.p + 1, path.n - 1}, ret_captures, 0);
}

const struct route *node_route(const struct node *n, enum http_method m)
{
    if (n->routes[m])
        return n->routes[m];
    return m == HTTP_HEAD ? n->routes[HTTP_GET] : NULL;
}

const char *node_allow(const struct node *n)
{
    return n->allow;
}
