/* The map of ids against a plain array, through growth, removal and the limit. */
#include "token/idmap.h"
#include "token/peer.h"
#include "../unit.h"
#include <stdlib.h>

#define N 2000

static void test_against_array(void)
{
    struct idmap m;
    static int64_t want[N];
    unsigned seed = 7;
    int wrong = 0;
    idmap_init(&m, sizeof(int64_t), N);
    for (int step = 0; step < 40000; step++) {
        seed = seed * 1103515245u + 12345u;
        int64_t id = 1 + (seed >> 8) % (N - 1);
        int64_t key = id << 21; /* as row ids are: all low bits the same */
        int64_t *v = idmap_get(&m, key);
        wrong += (v ? *v : 0) != want[id];
        if (seed % 3 == 0) {
            idmap_remove(&m, key);
            want[id] = 0;
        } else {
            v = idmap_put(&m, key);
            wrong += !v;
            if (v)
                *v = want[id] = step + 1;
        }
    }
    CHECK(wrong == 0);
    size_t at = 0, n = 0;
    int64_t id;
    for (int64_t *v; (v = idmap_next(&m, &at, &id)); n++)
        wrong += *v != want[id >> 21];
    CHECK(wrong == 0 && n == m.n);
    idmap_free(&m);
    CHECK(idmap_get(&m, 1 << 21) == NULL);
}

static void test_limit(void)
{
    struct idmap m;
    idmap_init(&m, 1, 100);
    for (int64_t i = 1; i <= 100; i++)
        CHECK(idmap_put(&m, i) != NULL);
    CHECK(idmap_put(&m, 101) == NULL);
    CHECK(idmap_put(&m, 50) != NULL);
    CHECK(idmap_put(&m, 0) == NULL);
    idmap_remove(&m, 50);
    CHECK(idmap_put(&m, 101) != NULL);
    idmap_free(&m);
}

static void test_peer(void)
{
    static const struct {
        const char *peer;
        unsigned v4, v6;
        const char *want;
    } rows[] = {
        {"203.0.113.77", 32, 64, "203.0.113.77/32"},
        {"203.0.113.77", 24, 48, "203.0.113.0/24"},
        {"203.0.113.77", 20, 48, "203.0.112.0/20"},
        {"2001:db8:1:2:3::4", 24, 64, "2001:db8:1:2::/64"},
        {"2001:db8:1:2:3::4", 24, 48, "2001:db8:1::/48"},
        {"::ffff:203.0.113.77", 24, 48, "203.0.113.0/24"},
        {"", 24, 48, "other"},
        {"unix", 24, 48, "other"},
        {"1.2.3.4.5", 24, 48, "other"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 24, 48, "other"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char net[PEER_NETWORK_SIZE];
        CHECK_ROW(str_is(peer_network(str_z(rows[i].peer), rows[i].v4, rows[i].v6, net), rows[i].want),
                  rows[i].peer);
    }
}

int main(void)
{
    test_against_array();
    test_limit();
    test_peer();
    return unit_end("token/idmap");
}
