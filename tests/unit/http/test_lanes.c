/* Whose turn it is, who is refused. */
#include "http/lanes.h"
#include "http/server.h"
#include "unit.h"
#include <stdlib.h>

enum { MOST = 64 };
static struct request *made[MOST];
static size_t nmade;

/* A request that remembers its tenant's letter. */
static struct request *request_of(char tenant)
{
    struct request *r = calloc(1, sizeof *r);
    r->req.request_id[0] = tenant;
    made[nmade++] = r;
    return r;
}

static void forget(void)
{
    while (nmade)
        free(made[--nmade]);
}

static char push(struct lanes *s, char tenant)
{
    struct request *refused = lanes_push(s, (uint64_t)tenant, request_of(tenant));
    return refused ? refused->req.request_id[0] : 0;
}

/* Each row: who comes, in what order they are served by one worker at a time. */
static void test_turns(void)
{
    static const struct {
        const char *come, *served;
    } rows[] = {
        {"", ""},       {"a", "a"},           {"aaab", "abaa"},         {"aabbcc", "abcabc"},
        {"aaabc", "abcaa"}, {"abcba", "abcab"}, {"aaaaaaab", "abaaaaaa"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lanes *s = lanes_new(16, 1);
        struct lane *l;
        struct request *r;
        char served[17] = "";
        size_t n = 0;
        for (const char *c = rows[i].come; *c; c++)
            CHECK_ROW(push(s, *c) == 0, rows[i].come);
        CHECK_ROW(lanes_waiting(s) == strlen(rows[i].come), rows[i].come);
        while ((r = lanes_take(s, &l))) {
            served[n++] = r->req.request_id[0];
            lanes_done(s, l);
        }
        CHECK_ROW(strcmp(served, rows[i].served) == 0, rows[i].come);
        lanes_free(&s);
        forget();
    }
}

/* Each row: eight workers take all at once, so that nobody is done. A quarter is two. */
static void test_quarter(void)
{
    static const struct {
        const char *come, *taken;
    } rows[] = {
        {"aaaaaaaa", "aaaaaaaa"},         /* alone: all of them */
        {"aaaaaab", "abaaaaa"},           /* b has what it wants */
        {"aaaabc", "abcaaa"},
        {"aaaaaabbbbbb", "abababababab"}, /* both hold their quarter and nobody else waits: in turn */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lanes *s = lanes_new(32, 8);
        struct lane *l;
        struct request *r;
        char taken[17] = "";
        size_t n = 0;
        for (const char *c = rows[i].come; *c; c++)
            push(s, *c);
        while ((r = lanes_take(s, &l)))
            taken[n++] = r->req.request_id[0];
        CHECK_ROW(strcmp(taken, rows[i].taken) == 0, rows[i].come);
        lanes_free(&s);
        forget();
    }
}

static void test_skips_who_has_his_quarter(void)
{
    struct lanes *s = lanes_new(32, 8);
    struct lane *held[3];
    struct request *r;

    for (unsigned i = 0; i < 6; i++)
        push(s, 'a');
    for (unsigned i = 0; i < 2; i++)
        r = lanes_take(s, &held[i]); /* a runs on two of eight */
    push(s, 'b');
    push(s, 'b');
    for (unsigned i = 0; i < 2; i++) {
        struct lane *l;
        r = lanes_take(s, &l);
        CHECK(r->req.request_id[0] == 'b');
    }
    r = lanes_take(s, &held[2]); /* nobody else waits */
    CHECK(r && r->req.request_id[0] == 'a');
    lanes_done(s, held[2]);
    lanes_free(&s);
    forget();
}

/* Each row: who has come to a queue of eight (quarter: two), who comes next, who is refused (0: nobody). */
static void test_full(void)
{
    static const struct {
        const char *have;
        char next, refused;
        const char *left; /* how they are served then */
    } rows[] = {
        {"aaaaaaa", 'a', 0, "aaaaaaaa"},  /* the last place */
        {"aaaaaaaa", 'a', 'a', "aaaaaaaa"}, /* one above */
        {"aaaaaaaa", 'b', 'a', "abaaaaaa"},
        {"aaaaaabb", 'b', 'b', "ababaaaa"}, /* b has its quarter */
        {"aaaaaabc", 'b', 'a', "abcabaaa"},
        {"aabbccdd", 'e', 'e', "abcdabcd"}, /* nobody has more than a quarter */
        {"aaabbbcc", 'd', 'a', "abcdabcb"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lanes *s = lanes_new(8, 1);
        struct lane *l;
        struct request *r;
        char served[10] = "";
        size_t n = 0;
        for (const char *c = rows[i].have; *c; c++)
            CHECK_ROW(push(s, *c) == 0, rows[i].have);
        CHECK_ROW(push(s, rows[i].next) == rows[i].refused, rows[i].have);
        while ((r = lanes_take(s, &l))) {
            served[n++] = r->req.request_id[0];
            lanes_done(s, l);
        }
        CHECK_ROW(strcmp(served, rows[i].left) == 0, rows[i].have);
        lanes_free(&s);
        forget();
    }
}

/* Lanes come and go: never more of them than fit, whoever comes. */
static void test_many_tenants(void)
{
    struct lanes *s = lanes_new(16, 4);
    struct lane *l;
    struct request *r = request_of('x');
    bool ok = true;

    for (uint64_t key = 0; key < 100000; key++) {
        ok = ok && lanes_push(s, key * 256, r) == NULL; /* all in one bucket */
        ok = ok && lanes_take(s, &l) == r;
        lanes_done(s, l);
    }
    CHECK(ok && lanes_waiting(s) == 0);
    for (char c = 0; c < 16; c++)
        CHECK(push(s, c) == 0);
    CHECK(push(s, 'n') == 'n');
    CHECK(lanes_waiting(s) == 16);
    lanes_free(&s);
    forget();
}

int main(void)
{
    test_turns();
    test_quarter();
    test_skips_who_has_his_quarter();
    test_full();
    test_many_tenants();
    return unit_end("http/lanes");
}
