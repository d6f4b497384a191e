/* Others' keys: how long a set is kept and serves, when it is asked for anew, who waits, and what is thrown out. */
#include "world.h"
#include "../net/server_test.h"
#include "net/net.h"
#include "token/remote_keys.h"
#include "token/seen.h"

#define X    "EeDRRZrhTSW4VwKMYofYogZ2Co8DHRMgoOgAyPV44Mk"
#define Y    "07tsuQFR6MprQg6EyRKNj0J48NDiZdFRUnZnmCXkOrM"
#define KEY(kid) "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"" kid "\",\"x\":\"" X "\",\"y\":\"" Y "\"}"
#define OK(head, body) "HTTP/1.1 200 OK\r\n" head "\r\n" body
#define DOWN "HTTP/1.1 503 No\r\n\r\n"

static struct world w;
static struct script_server server = {.talk = script_http};
static struct str uri;

/* Nobody reads the old answer any more. */
static void answers(const char *text)
{
    script_settle(&server);
    server.answer = text;
    server.connections += 0; /* atomic, as the server's own counting is: it sees the new answer */
}

static void later(int64_t s)
{
    w.now_ms += s * 1000;
}

static struct op *fresh_op(void)
{
    return world_op(&w, NULL);
}

static err_t ask_from(struct op *op, struct str address, const char *kid, const struct jwks **ret)
{
    return remote_keys_get(op, address, str_z(kid), ret);
}

/* One more request; true if it was served `n` keys and the other server has been asked `asked` times in all. */
static bool get(const char *kid, size_t n, int asked)
{
    const struct jwks *set = NULL;
    err_t e = ask_from(fresh_op(), uri, kid, &set);
    bool ok = (n ? e == ERR_OK && set->n == n : e != ERR_OK) && server.connections == asked;
    if (!ok)
        fprintf(stderr, "%s, %zu keys, asked %d\n", err_name(e), e == ERR_OK ? set->n : 0, server.connections);
    return ok;
}

static void begin(const char *answer)
{
    static char text[64];
    static int round;
    remote_keys_free(&w.core.remote_keys);
    w.core.remote_keys = remote_keys_new(LIMIT_REMOTE_WAITING);
    snprintf(text, sizeof(text), "http://127.0.0.1:%d/%d", server.port, round++);
    uri = str_z(text);
    answers(answer);
    server.connections = server.served = 0;
}

static void test_age(void)
{
    static const struct {
        const char *answer;
        int64_t fresh_s;
    } rows[] = {
        {OK("", "{\"keys\":[" KEY("a") "]}"), 300},
        {OK("Cache-Control: max-age=1000\r\n", "{\"keys\":[" KEY("a") "]}"), 1000},
        {OK("Cache-Control: max-age=1\r\n", "{\"keys\":[" KEY("a") "]}"), LIMIT_REMOTE_FRESH_MIN_S},
        {OK("Cache-Control: no-store\r\n", "{\"keys\":[" KEY("a") "]}"), LIMIT_REMOTE_FRESH_MIN_S},
        {OK("Cache-Control: max-age=9999999\r\n", "{\"keys\":[" KEY("a") "]}"), LIMIT_REMOTE_FRESH_MAX_S},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(rows[i].answer);
        CHECK_ROW(get(NULL, 1, 1), rows[i].answer);
        later(rows[i].fresh_s - 1);
        CHECK_ROW(get("a", 1, 1), rows[i].answer);
        later(1);
        CHECK_ROW(get("a", 1, 2), rows[i].answer);
    }
}

static void test_unknown_kid(void)
{
    begin(OK("", "{\"keys\":[" KEY("a") "]}"));
    CHECK(get("a", 1, 1));
    CHECK(get("b", 1, 2)); /* once more, at once */
    answers(OK("", "{\"keys\":[" KEY("a") "," KEY("b") "]}"));
    CHECK(get("b", 1, 2));
    later(59);
    CHECK(get("c", 1, 2));
    later(1);
    CHECK(get("b", 2, 3));
    CHECK(get("a", 2, 3));
}

static void test_away(void)
{
    begin(OK("", "{\"keys\":[" KEY("a") "]}"));
    CHECK(get("a", 1, 1));
    answers(DOWN);
    later(300);
    CHECK(get("a", 1, 2)); /* the old ones */
    later(59);
    CHECK(get("a", 1, 2));
    later(1);
    CHECK(get("a", 1, 3));
    later(LIMIT_REMOTE_STALE_S);
    CHECK(get("a", 0, 4)); /* but not for ever */
    CHECK(get("a", 0, 4));
    answers(OK("", "{\"keys\":[" KEY("a") "]}"));
    later(60);
    CHECK(get("a", 1, 5));
}

static void test_none(void)
{
    static const char *const bad[] = {
        DOWN,
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
        OK("", "{}"),
        OK("", "{\"keys\":[" KEY("a") "]"),
        OK("", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\",\"d\":\"" X "\"}]}"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin(bad[i]);
        CHECK_ROW(get(NULL, 0, 1), bad[i]);
        CHECK_ROW(get(NULL, 0, 1), bad[i]); /* not at once again */
        later(10);
        answers(OK("", "{\"keys\":[" KEY("a") "]}"));
        CHECK_ROW(get(NULL, 1, 2), bad[i]);
    }
    const struct jwks *set;
    CHECK(ask_from(fresh_op(), STR("https://10.0.0.1/jwks"), NULL, &set) == ERR_NET_FORBIDDEN);
    CHECK(remote_keys_of(fresh_op(), NULL, STR_NONE, STR_NONE, &set) == ERR_KEY);
}

static void test_size(void)
{
    static char answer[LIMIT_REMOTE_BYTES + 256];
    static const char head[] = OK("", ""), set[] = "{\"keys\":[" KEY("a") "]}";
    for (size_t more = 0; more < 2; more++) {
        size_t n = sizeof(head) - 1;
        script_settle(&server);
        memcpy(answer, head, n);
        memset(answer + n, ' ', LIMIT_REMOTE_BYTES + more);
        memcpy(answer + n, set, sizeof(set) - 1);
        answer[n + LIMIT_REMOTE_BYTES + more] = '\0';
        begin(answer);
        CHECK(get(NULL, more ? 0 : 1, 1));
    }
}

/* A set that is replaced while somebody uses it stays his. */
static void test_held(void)
{
    const struct jwks *old, *new;
    begin(OK("", "{\"keys\":[" KEY("a") "]}"));
    struct op *op = fresh_op();
    CHECK(ask_from(op, uri, NULL, &old) == ERR_OK);
    later(300);
    answers(OK("", "{\"keys\":[" KEY("b") "]}"));
    CHECK(ask_from(op, uri, NULL, &new) == ERR_OK && new != old);
    CHECK(str_is(old->v[0].kid, "a") && str_is(new->v[0].kid, "b") && key_eq_public(old->v[0].key, new->v[0].key));
    remote_keys_free(&w.core.remote_keys);
    CHECK(str_is(old->v[0].kid, "a") && str_is(new->v[0].kid, "b"));
    w.core.remote_keys = remote_keys_new(LIMIT_REMOTE_WAITING);
}

static const struct jwks *by_value(int i)
{
    char text[512];
    const struct jwks *set = NULL;
    struct op *op = fresh_op();
    snprintf(text, sizeof(text), "{'n':%d,'keys':[{'kty':'EC','crv':'P-256','x':'" X "','y':'" Y "'}]}", i);
    CHECK(remote_keys_of(op, world_json(&w, text), uri, STR_NONE, &set) == ERR_OK && set->n == 1);
    return set;
}

static void test_value_and_eviction(void)
{
    begin(OK("Cache-Control: max-age=9999999\r\n", "{\"keys\":[" KEY("a") "]}"));
    CHECK(by_value(0) == by_value(0)); /* parsed once */
    CHECK(get(NULL, 1, 1));
    for (int i = 1; i < LIMIT_REMOTE_KEYS - 1; i++)
        by_value(i);
    CHECK(get(NULL, 1, 1)); /* there is room for all, and this one was used last */
    by_value(LIMIT_REMOTE_KEYS);
    CHECK(get(NULL, 1, 1));
    for (int i = 0; i < LIMIT_REMOTE_KEYS; i++)
        by_value(2 * LIMIT_REMOTE_KEYS + i);
    CHECK(get(NULL, 1, 2)); /* thrown out meanwhile */
    const struct jwks *set;
    json_t *secret = world_json(&w, "{'keys':[{'kty':'EC','crv':'P-256','x':'" X "','y':'" Y "','d':'" X "'}]}");
    CHECK(remote_keys_of(&w.op, secret, STR_NONE, STR_NONE, &set) == ERR_KEY);
}

/* --- many at once --- */

static void slow(struct script_server *s, int fd)
{
    usleep(300000);
    script_http(s, fd);
}

static void *asker(void *arg)
{
    struct op op;
    struct arena *a = arena_new(1024 * 1024);
    const struct jwks *set = NULL;
    op_begin(&op, &w.core, NULL, a);
    *(err_t *)arg = ask_from(&op, uri, "a", &set);
    op_end(&op);
    arena_free(&a);
    return NULL;
}

static int count(size_t threads, size_t may_wait, err_t what)
{
    pthread_t t[16];
    err_t e[16];
    int n = 0;
    begin(OK("", "{\"keys\":[" KEY("a") "]}"));
    remote_keys_free(&w.core.remote_keys);
    w.core.remote_keys = remote_keys_new(may_wait);
    for (size_t i = 0; i < threads; i++)
        CHECK(pthread_create(&t[i], NULL, asker, &e[i]) == 0);
    for (size_t i = 0; i < threads; i++) {
        pthread_join(t[i], NULL);
        n += e[i] == what;
    }
    CHECK(server.connections == 1);
    return n;
}

static void test_together(void)
{
    script_settle(&server);
    server.talk = slow;
    CHECK(count(12, LIMIT_REMOTE_WAITING, ERR_OK) == 12);
    CHECK(count(6, 4, ERR_BUSY) == 2);
    script_settle(&server);
    server.talk = script_http;
}

/* --- what may come once --- */

static bool first(const char *who, const char *name, int64_t expires_s)
{
    bool is = false;
    CHECK(seen_once(&w.op, str_z(who), str_z(name), expires_s, &is) == ERR_OK);
    return is;
}

static void test_seen(void)
{
    struct op *op = world_op(&w, "default");
    bool more;
    int64_t now = op->now_s;
    CHECK(life_expire(op, 1000, &more) == ERR_OK);
    CHECK(first("a", "1", now + 60) && !first("a", "1", now + 90) && !first("a", "1", now + 60));
    CHECK(first("a", "2", now + 600) && first("b", "1", now + 60) && first("", "a1", now + 60) && first("a1", "", now + 60));
    later(61);
    op = world_op(&w, "default");
    CHECK(life_expire(op, 1000, &more) == ERR_OK && !more);
    CHECK(!first("a", "2", now + 600) && first("a", "1", now + 600));
}

int main(void)
{
    const struct str allow[] = {STR("127.0.0.1")};
    if (!world_begin(&w) || !world_start(&w))
        return 1;
    w.core.net = net_new(&(struct net_config){.allow = {allow, 1}});
    w.core.expiry = expiry_new();
    w.core.remote_keys = remote_keys_new(LIMIT_REMOTE_WAITING);
    script_start(&server);
    test_age();
    test_unknown_kid();
    test_away();
    test_none();
    test_size();
    test_held();
    test_value_and_eviction();
    test_together();
    test_seen();
    script_stop(&server);
    remote_keys_free(&w.core.remote_keys);
    expiry_free(&w.core.expiry);
    net_free(&w.core.net);
    world_end(&w);
    return unit_end("token-remote_keys");
}
