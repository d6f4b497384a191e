/* The outbox: order per object, leases, back-off, giving up, replay, two at once; and its two sinks. */
#include "event/event.h"
#include "base/enc.h"
#include "base/limits.h"
#include "crypto/crypto.h"
#include "../store/store_test.h"
#include "../net/server_test.h"

#define DAY 86400

/* --- a sink that does as it is told
 * -------------------------------------------------------------------------------- */
struct scripted {
    err_t answer;    /* for everything */
    const char *bad; /* or only for this object */
    char seen[8192]; /* "object=payload " of what was delivered */
    int calls;
    struct test_clock *time;
    int64_t takes_s;
    pthread_mutex_t lock;
};

static err_t scripted_deliver(void *ctx, const struct delivery *d, struct arena *a, struct fault *f)
{
    struct scripted *s = ctx;
    (void)a;
    pthread_mutex_lock(&s->lock);
    s->calls++;
    s->time->ms += s->takes_s * 1000;
    err_t e = s->bad && !str_is(d->object, s->bad) ? ERR_OK : s->answer;
    if (e == ERR_OK)
        snprintf(s->seen + strlen(s->seen), sizeof(s->seen) - strlen(s->seen), "%.*s=%.*s ",
                 STR_ARG(d->object), STR_ARG(d->payload));
    pthread_mutex_unlock(&s->lock);
    return e == ERR_OK ? ERR_OK : fault_set(f, e, "", "told to fail");
}

struct fixture {
    struct test_store t;
    struct scripted sink;
    struct event_sink sinks[1];
    struct event *event;
    struct db *db;
};

static void begin(struct fixture *x, bool erase)
{
    memset(x, 0, sizeof(*x));
    test_dir(&x->t);
    x->t.time.ms = 1800000000000;
    CHECK(test_open(&x->t) == ERR_OK);
    x->sink.time = &x->t.time;
    pthread_mutex_init(&x->sink.lock, NULL);
    x->sinks[0] = (struct event_sink){"test", erase, scripted_deliver, &x->sink};
    const struct event_config cfg = {
        .store = x->t.store, .clock = &x->t.time.clock, .sinks = x->sinks, .nsinks = 1};
    x->event = event_new(&cfg);
    CHECK(x->event && db_open(x->t.store, 64, &x->db) == ERR_OK);
}

static void end(struct fixture *x)
{
    db_close(&x->db);
    event_free(&x->event);
    CHECK(x->event == NULL);
    test_remove(&x->t);
}

struct emit {
    struct fixture *x;
    const char *sink, *target, *object, *payload;
};

static err_t emit_tx(struct db *db, void *ctx)
{
    const struct emit *e = ctx;
    return event_emit(db, e->x->t.store, 1, e->sink, str_z(e->target), "grant.revoked", str_z(e->object),
                      str_z(e->payload), e->x->t.time.ms / 1000);
}

static void emit(struct fixture *x, const char *target, const char *object, const char *payload)
{
    struct emit e = {x, "test", target, object, payload};
    CHECK(store_tx(x->t.store, emit_tx, &e) == ERR_OK);
}

/* Delivers until nothing more is due; what came out. */
static const char *drain(struct fixture *x)
{
    bool more = true;
    x->sink.seen[0] = '\0';
    for (int i = 0; i < 100 && more; i++)
        CHECK(event_deliver_some(x->event, x->db, 8, &more) == ERR_OK);
    CHECK(!more);
    return x->sink.seen;
}

static void pass(struct fixture *x, int64_t s)
{
    x->t.time.ms += s * 1000;
}

static int64_t pending(struct fixture *x)
{
    struct rows r;
    int64_t n = -1;
    if (db_rows(x->db, Q_OUTBOX_PENDING, BIND_NONE, &r) == ERR_OK && db_next(&r))
        n = db_int(&r, 0);
    return db_end(&r) == ERR_OK ? n : -1;
}

static void test_order(void)
{
    struct fixture x;
    begin(&x, false);
    for (int i = 0; i < 20; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        emit(&x, "hook", "a", text);
    }
    emit(&x, "hook", "b", "0");
    const char *seen = drain(&x);
    const char *at = seen;
    for (int i = 0; i < 20; i++) {
        char text[16];
        snprintf(text, sizeof(text), "a=%d ", i);
        at = strstr(at, text);
        CHECK_ROW(at != NULL, text);
        if (!at)
            break;
    }
    CHECK(strstr(seen, "b=0 ") != NULL);
    CHECK(pending(&x) == 0);
    CHECK(strcmp(drain(&x), "") == 0);
    end(&x);
}

/* A server that refuses one object lets the others pass; one that cannot be reached is left alone for a
 * while. */
static void test_hold(void)
{
    struct fixture x;
    begin(&x, false);
    emit(&x, "hook", "a", "1");
    emit(&x, "hook", "a", "2");
    emit(&x, "hook", "b", "1");
    x.sink.answer = ERR_NET_ANSWER;
    x.sink.bad = "a";
    CHECK(strcmp(drain(&x), "b=1 ") == 0);
    CHECK(x.sink.calls == 2);
    emit(&x, "hook", "a", "3"); /* waits behind the first */
    emit(&x, "hook", "c", "1");
    CHECK(strcmp(drain(&x), "c=1 ") == 0);
    x.sink.answer = ERR_OK;
    pass(&x, 16);
    CHECK(strcmp(drain(&x), "a=1 a=2 a=3 ") == 0);

    x.sink.answer = ERR_NET;
    x.sink.bad = NULL;
    x.sink.calls = 0;
    for (int i = 0; i < 6; i++) {
        char name[4] = {(char)('k' + i), 0};
        emit(&x, "down", name, "1");
    }
    CHECK(strcmp(drain(&x), "") == 0);
    CHECK(x.sink.calls == 1); /* not six times the same wait */
    emit(&x, "down", "z", "1");
    CHECK(strcmp(drain(&x), "") == 0);
    CHECK(x.sink.calls == 1); /* nor for what comes new */
    x.sink.answer = ERR_OK;
    emit(&x, "up", "k", "1"); /* another target of the same object */
    CHECK(strcmp(drain(&x), "k=1 ") == 0);
    pass(&x, 16);
    CHECK(strlen(drain(&x)) == 7 * 4);
    emit(&x, "down", "z", "2"); /* it is back */
    CHECK(strcmp(drain(&x), "z=2 ") == 0);
    end(&x);
}

static void test_backoff(void)
{
    struct fixture x;
    begin(&x, false);
    emit(&x, "hook", "a", "1");
    x.sink.answer = ERR_NET;
    int64_t started = x.t.time.ms, before = started;
    for (int i = 0; i < LIMIT_EVENT_ATTEMPTS; i++) {
        CHECK(pending(&x) == 1);
        drain(&x);
        CHECK(x.sink.calls == i + 1);
        int64_t expect = i < 9 ? 10 << i : 3600, waited = 0;
        while (x.sink.calls == i + 1 && i + 1 < LIMIT_EVENT_ATTEMPTS && waited < 2 * 3600) {
            pass(&x, expect / 20 + 1);
            waited += expect / 20 + 1;
            struct rows r;
            CHECK(db_rows(x.db, Q_OUTBOX_DUE, BIND(vint(x.t.time.ms / 1000), vint(1)), &r) == ERR_OK);
            bool due = db_next(&r);
            CHECK(db_end(&r) == ERR_OK);
            if (due)
                break;
        }
        if (i + 1 < LIMIT_EVENT_ATTEMPTS)
            CHECK(waited >= expect * 3 / 4 && waited <= expect * 5 / 4 + expect / 20 + 2);
        before = x.t.time.ms;
    }
    CHECK(pending(&x) == 0);
    CHECK(before - started > 2 * DAY * 1000LL && before - started < 5 * DAY * 1000LL);
    x.sink.answer = ERR_OK;
    pass(&x, DAY);
    CHECK(strcmp(drain(&x), "") == 0);
    end(&x);
}

static int64_t only_id(struct fixture *x)
{
    struct rows r;
    int64_t id = 0;
    CHECK(db_rows(x->db, Q_OUTBOX_DUE, BIND(vint(INT64_MAX / 2), vint(1)), &r) == ERR_OK);
    if (db_next(&r))
        id = db_int(&r, 0);
    CHECK(db_end(&r) == ERR_OK);
    return id;
}

static void test_replay(void)
{
    static const err_t hopeless[] = {ERR_NOT_FOUND, ERR_JSON, ERR_PARAM_BAD};
    for (size_t i = 0; i < 3; i++) {
        struct fixture x;
        begin(&x, false);
        emit(&x, "hook", "a", "1");
        int64_t id = only_id(&x);
        x.sink.answer = hopeless[i];
        drain(&x);
        CHECK(pending(&x) == 0 && x.sink.calls == 1);
        x.sink.answer = ERR_OK;
        CHECK(event_replay(x.t.store, 2, id, x.t.time.ms / 1000) == ERR_NOT_FOUND); /* another tenant */
        CHECK(event_replay(x.t.store, 1, id + 1, x.t.time.ms / 1000) == ERR_NOT_FOUND);
        CHECK(event_replay(x.t.store, 1, id, x.t.time.ms / 1000) == ERR_OK);
        CHECK(strcmp(drain(&x), "a=1 ") == 0);
        CHECK(event_replay(x.t.store, 1, id, x.t.time.ms / 1000) == ERR_OK); /* delivered, and again */
        CHECK(strcmp(drain(&x), "a=1 ") == 0);
        pass(&x, 8 * DAY);
        drain(&x); /* sweeps */
        CHECK(event_replay(x.t.store, 1, id, x.t.time.ms / 1000) == ERR_NOT_FOUND);
        end(&x);
    }
}

static void test_erase(void)
{
    for (int gives_up = 0; gives_up < 2; gives_up++) {
        struct fixture x;
        begin(&x, true);
        emit(&x, "ann@example.org", "a", "https://auth.example/reset?secret");
        int64_t id = only_id(&x);
        x.sink.answer = gives_up ? ERR_PARAM_BAD : ERR_OK;
        drain(&x);
        CHECK(pending(&x) == 0);
        CHECK(event_replay(x.t.store, 1, id, x.t.time.ms / 1000) ==
              ERR_NOT_FOUND); /* nothing is left to send */
        end(&x);
    }
}

/* A lease keeps others off, lapses, and a late answer of its former owner changes nothing it should not. */
struct steal {
    struct fixture *x;
    int64_t id;
};
static err_t lease_tx(struct db *db, void *ctx)
{
    const struct steal *s = ctx;
    int64_t now = s->x->t.time.ms / 1000;
    return db_run(db, Q_OUTBOX_LEASE,
                  BIND(vint(1), vint(s->id), vint(now), vint(now + 60), vtext(STR("somebody else"))), NULL);
}

static void test_lease(void)
{
    struct fixture x;
    begin(&x, false);
    emit(&x, "hook", "a", "1");
    emit(&x, "hook", "a", "2");
    struct steal s = {&x, only_id(&x)};
    CHECK(store_tx(x.t.store, lease_tx, &s) == ERR_OK);
    CHECK(strcmp(drain(&x), "") == 0);
    pass(&x, 59);
    CHECK(strcmp(drain(&x), "") == 0);
    pass(&x, 2);
    CHECK(strcmp(drain(&x), "a=1 a=2 ") == 0);
    end(&x);
}

static void *drain_thread(void *arg)
{
    struct fixture *x = arg;
    struct db *db;
    bool more = true;
    if (db_open(x->t.store, 64, &db) != ERR_OK)
        return NULL;
    for (int i = 0; i < 400 && more; i++)
        if (event_deliver_some(x->event, db, 4, &more) != ERR_OK)
            break;
    db_close(&db);
    return NULL;
}

static void test_together(void)
{
    struct fixture x;
    pthread_t threads[4];
    begin(&x, false);
    for (int i = 0; i < 60; i++) {
        char object[16], text[16];
        snprintf(object, sizeof(object), "o%d", i % 6);
        snprintf(text, sizeof(text), "%02d", i / 6);
        emit(&x, "hook", object, text);
    }
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, drain_thread, &x) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    bool more = true;
    for (int i = 0; i < 100 && more; i++)
        CHECK(event_deliver_some(x.event, x.db, 8, &more) == ERR_OK);
    CHECK(x.sink.calls == 60 && pending(&x) == 0);
    for (int o = 0; o < 6; o++) {
        const char *at = x.sink.seen;
        for (int i = 0; i < 10 && at; i++) {
            char want[40];
            snprintf(want, sizeof(want), "o%d=%02d ", o, i);
            at = strstr(at, want);
            CHECK_ROW(at != NULL, want);
        }
    }
    end(&x);
}

static void test_limits(void)
{
    struct fixture x;
    static char big[LIMIT_EVENT_PAYLOAD + 2];
    begin(&x, false);
    memset(big, 'x', sizeof(big) - 2);
    struct emit e = {&x, "test", "hook", "a", big};
    CHECK(store_tx(x.t.store, emit_tx, &e) == ERR_OK);
    big[LIMIT_EVENT_PAYLOAD] = 'x';
    CHECK(store_tx(x.t.store, emit_tx, &e) == ERR_TOO_LARGE);
    struct emit lost = {&x, "nowhere", "hook", "b", "1"};
    CHECK(store_tx(x.t.store, emit_tx, &lost) == ERR_OK);
    drain(&x);
    CHECK(x.sink.calls == 1 && pending(&x) == 1); /* a sink that is not configured (yet) */
    end(&x);
}

/* --- the sinks
 * ----------------------------------------------------------------------------------------------------- */
static char hook_url[64];

static err_t secret_of(void *ctx, int64_t tenant_id, struct str target, struct arena *a, struct str *ret_url,
                       struct str *ret_secret)
{
    (void)ctx, (void)a;
    if (tenant_id != 1 || !str_is(target, "hook"))
        return ERR_NOT_FOUND;
    *ret_url = str_z(hook_url);
    *ret_secret = STR("0123456789abcdef");
    return ERR_OK;
}

static struct str header(struct arena *a, const char *heard, const char *name)
{
    const char *p = strstr(heard, name);
    return p ? arena_str(a, (struct str){p + strlen(name), (size_t)(strstr(p, "\r\n") - p) - strlen(name)})
             : STR_NONE;
}

static void test_webhook(void)
{
    struct script_server s = {.talk = script_http, .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    struct test_clock time = {.ms = 1800000000000};
    const struct clock clock = {test_wall, test_steady, &time};
    const struct str allow[] = {STR("127.0.0.1")};
    const struct net_config net_cfg = {.allow = {allow, 1}};
    struct webhook_sink w = {.net = net_new(&net_cfg), .clock = &clock, .secret_of = secret_of};
    struct crypto *crypto;
    struct arena *a = arena_new(1024 * 1024);
    struct fault f = {.code = ERR_OK};
    CHECK(crypto_new(&crypto) == ERR_OK);
    w.crypto = crypto;
    script_start(&s);
    snprintf(hook_url, sizeof(hook_url), "http://127.0.0.1:%d/in", s.port);
    struct delivery d = {.id = 77,
                         .tenant_id = 1,
                         .target = STR("hook"),
                         .event = STR("token.revoked"),
                         .payload = STR("{\"a\":1}")};
    CHECK(webhook_deliver(&w, &d, a, &f) == ERR_OK);
    usleep(20000);
    struct str id = header(a, s.heard, "X-Mereau-Id: "), at = header(a, s.heard, "X-Mereau-Timestamp: ");
    struct str got = header(a, s.heard, "X-Mereau-Signature: v1="),
               event = header(a, s.heard, "X-Mereau-Event: ");
    CHECK(str_is(event, "token.revoked") && str_is(at, "1800000000") && str_starts(id, STR("evt_")) &&
          id.n == 28);
    uint8_t want[32], have[32];
    hmac_sha256(crypto, STR("0123456789abcdef"),
                arena_fmt(a, "%.*s.%.*s.{\"a\":1}", STR_ARG(id), STR_ARG(at)), want);
    CHECK(got.n == 64 && dec_hex(got, have, 32) && memcmp(want, have, 32) == 0);
    CHECK(webhook_deliver(&w, &d, a, &f) == ERR_OK); /* again: the same id */
    usleep(20000);
    CHECK(str_eq(header(a, s.heard, "X-Mereau-Id: "), id));
    s.answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n";
    CHECK(webhook_deliver(&w, &d, a, &f) == ERR_NET_ANSWER && strstr(f.detail, "302"));
    d.target = STR("gone");
    CHECK(webhook_deliver(&w, &d, a, &f) == ERR_NOT_FOUND);
    script_stop(&s);
    d.target = STR("hook");
    CHECK(webhook_deliver(&w, &d, a, &f) == ERR_NET);
    net_free(&w.net);
    crypto_free(&crypto);
    arena_free(&a);
}

static void test_mail(void)
{
    static const struct {
        const char *payload;
        err_t want;
    } rows[] = {
        {"not JSON", ERR_JSON},
        {"{}", ERR_JSON},
        {"{\"to\":\"ann@example.org\",\"subject\":\"x\"}", ERR_JSON},
        {"{\"to\":\"ann\",\"subject\":\"x\",\"text\":\"y\"}", ERR_PARAM_BAD},
        {"{\"to\":\"ann@example.org\",\"subject\":\"x\",\"text\":\"y\"}", ERR_NET}, /* nobody listens */
    };
    const struct net_config net_cfg = {.ca_file = NULL};
    struct mail_sink m = {
        .net = net_new(&net_cfg), .smtp_url = "smtp://127.0.0.1:1", .from = "x@example.com"};
    struct arena *a = arena_new(1024 * 1024);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fault f = {.code = ERR_OK};
        const struct delivery d = {.id = 1, .tenant_id = 1, .payload = str_z(rows[i].payload)};
        CHECK_ROW(mail_deliver(&m, &d, a, &f) == rows[i].want, rows[i].payload);
    }
    net_free(&m.net);
    arena_free(&a);
}

int main(void)
{
    test_order();
    test_hold();
    test_backoff();
    test_replay();
    test_erase();
    test_lease();
    test_together();
    test_limits();
    test_webhook();
    test_mail();
    return unit_end("event");
}
