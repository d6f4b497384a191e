/* What the servers on one database tell each other, by NOTIFY, which delivers in the order of commits. One thread with a connection of
 * its own listens, and twice a second sends a beat:
 *
 *   b SLOT [SLOT:SEQ ...]   a server is alive, and has acted on all news of those servers up to there; j: its first
 *   n SLOT SEQ LINES        news, sent in the transaction that makes them true; LINES "*": more than fits
 *   x SLOT                  a server ends
 *
 * A server may believe its memory for LIMIT_LEASE_MS after the moment it sent the last beat that has come back to it: what was committed before
 * that moment has come as well. Who sends news waits until every server whose beats are heard has acted on them, or its lease must be over. So
 * a change that was answered is in force everywhere, also when a server hangs or its network is cut. */
#include "store/pg.h"
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define CHANNEL  "mereau"
#define BEAT_MS  500
#define LATE_MS  500  /* others' beats may be on their way for so long */
#define RETRY_MS 250
#define START_MS 10000
#define BEAT_MAX (16 + LIMIT_SERVERS * 32)

enum asked { ASKED_NOTHING, ASKED_BEAT, ASKED_CEILING };

struct peer {
    _Atomic int64_t heard_ms; /* steady; 0: never, or it has said good-bye */
    int64_t acted;            /* on our news up to there; under lock */
};
struct pg_news {
    struct store *store;
    struct pg_db *db; /* NULL: not connected */
    pthread_t thread;
    _Atomic bool stop;
    _Atomic int64_t lease_ms; /* steady: until then memory can be believed */
    _Atomic int64_t seq;      /* of our last news */
    struct peer peer[LIMIT_SERVERS];
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int64_t own_heard; /* our news that have come back; under lock */
    /* the thread alone */
    int64_t heard[LIMIT_SERVERS], told[LIMIT_SERVERS]; /* others' news: heard, and said so */
    enum asked asked;
    int64_t asked_ms, beat_ms; /* when the question was sent; when the last beat was */
    bool joined;     /* our own beat has come back over this connection */
    bool complained; /* since then */
};

static struct pg_news *news_of(const struct store *s)
{
    return ((const struct pg_store *)s->impl)->news;
}

static int64_t now_ms(const struct pg_news *n)
{
    const struct clock *c = n->store->cfg.clock;
    return c->steady_ms(c->ctx);
}

/* --- acting on what is heard --- */

static void act(struct pg_news *n, struct str line)
{
    store_news_fn fn = atomic_load_explicit(&n->store->news, memory_order_acquire);
    if (fn)
        fn(line, n->store->news_ctx);
}

static void act_on_lines(struct pg_news *n, struct str lines)
{
    if (str_is(lines, "*")) {
        act(n, STR_NONE);
        return;
    }
    while (lines.n) {
        size_t end = str_find(lines, '\n');
        act(n, (struct str){lines.p, end});
        size_t skip = end < lines.n ? end + 1 : end;
        lines = (struct str){lines.p + skip, lines.n - skip};
    }
}

/* The next number, up to a character that is none. */
static int64_t take_number(struct str *s)
{
    int64_t v = 0;
    while (s->n && *s->p == ' ')
        *s = (struct str){s->p + 1, s->n - 1};
    while (s->n && *s->p >= '0' && *s->p <= '9' && v < INT64_MAX / 16) {
        v = v * 10 + (*s->p - '0');
        *s = (struct str){s->p + 1, s->n - 1};
    }
    return v;
}

static void heard_news(struct pg_news *n, int64_t slot, struct str rest)
{
    int64_t seq = take_number(&rest);
    if (rest.n)
        rest = (struct str){rest.p + 1, rest.n - 1};
    act_on_lines(n, rest);
    n->heard[slot] = seq;
    if (slot != n->store->slot)
        return;
    pthread_mutex_lock(&n->lock);
    n->own_heard = seq > n->own_heard ? seq : n->own_heard;
    pthread_cond_broadcast(&n->moved);
    pthread_mutex_unlock(&n->lock);
}

/* What it has acted on; what was told before it came, it has never had otherwise. */
static void heard_beat(struct pg_news *n, int64_t slot, struct str rest, bool joins)
{
    struct peer *p = &n->peer[slot];
    int64_t acted = 0;
    while (rest.n) {
        int64_t of = take_number(&rest);
        if (!rest.n || *rest.p != ':')
            break;
        rest = (struct str){rest.p + 1, rest.n - 1};
        int64_t seq = take_number(&rest);
        acted = of == n->store->slot ? seq : acted;
    }
    if (joins) /* perhaps another one under the number: it counts its news anew */
        n->heard[slot] = n->told[slot] = 0;
    pthread_mutex_lock(&n->lock);
    if (joins || atomic_load(&p->heard_ms) == 0)
        p->acted = n->own_heard;
    p->acted = acted > p->acted ? acted : p->acted;
    atomic_store(&p->heard_ms, now_ms(n));
    pthread_cond_broadcast(&n->moved);
    pthread_mutex_unlock(&n->lock);
}

/* Our own beat is back: all that was committed before it was sent has come. */
static void heard_own_beat(struct pg_news *n, int64_t sent_ms)
{
    if (!n->joined)
        act(n, STR_NONE); /* something may have been missed */
    n->joined = true;
    n->complained = false;
    atomic_store(&n->lease_ms, sent_ms + LIMIT_LEASE_MS);
}

static void heard(struct pg_news *n, const PGnotify *note)
{
    struct str text = str_z(note->extra), rest = {text.p + 1, text.n - 1};
    if (text.n < 3)
        return;
    int64_t slot = take_number(&rest);
    if (slot >= LIMIT_SERVERS)
        return;
    bool beat = *text.p == 'b' || *text.p == 'j';
    if (beat && note->be_pid == PQbackendPID(n->db->conn))
        heard_own_beat(n, n->beat_ms);
    else if (beat && slot != n->store->slot)
        heard_beat(n, slot, rest, *text.p == 'j');
    else if (*text.p == 'n')
        heard_news(n, slot, rest);
    else if (*text.p == 'x' && slot != n->store->slot)
        atomic_store(&n->peer[slot].heard_ms, 0);
}

/* --- asking --- */

static bool owes_word(const struct pg_news *n)
{
    for (int i = 0; i < LIMIT_SERVERS; i++)
        if (n->heard[i] > n->told[i] && i != n->store->slot)
            return true;
    return false;
}

static void send_beat(struct pg_news *n)
{
    char text[BEAT_MAX];
    const char *const values[] = {text};
    int at = snprintf(text, sizeof(text), "%c %d", n->joined ? 'b' : 'j', n->store->slot);
    for (int i = 0; i < LIMIT_SERVERS; i++) {
        if (n->heard[i] > n->told[i])
            at += snprintf(text + at, sizeof(text) - (size_t)at, " %d:%" PRId64, i, n->heard[i]);
        n->told[i] = n->heard[i];
    }
    n->asked_ms = n->beat_ms = now_ms(n);
    n->asked = ASKED_BEAT;
    PQsendQueryParams(n->db->conn, "SELECT pg_notify('" CHANNEL "', $1), CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", 1, NULL, values,
                      NULL, NULL, 0);
}

static void send_ceiling(struct pg_news *n)
{
    char name[24], hex[19] = "\\x";
    const char *const values[] = {name, hex};
    int64_t last = atomic_load(&n->store->last_id), now = store_id_at(store_wall_ms(n->store));
    int64_t ceiling = id_ceiling_next(last > now ? last : now);
    /* Ours from this moment on, whether or not the answer comes. */
    atomic_store(&n->store->id_ceiling, ceiling);
    id_ceiling_name(n->store, name);
    snprintf(hex + 2, sizeof(hex) - 2, "%016" PRIx64, (uint64_t)ceiling);
    n->asked_ms = now_ms(n);
    n->asked = ASKED_CEILING;
    PQsendQueryParams(n->db->conn, "UPDATE meta SET value = CAST($2 AS BYTEA) WHERE name = $1", 2, NULL, values, NULL, NULL, 0);
}

/* The database's clock was between its saying so and our hearing it. */
static void take_answer(struct pg_news *n, const PGresult *r)
{
    int64_t db_ms = 0, now = now_ms(n);
    if (n->asked == ASKED_BEAT && PQresultStatus(r) == PGRES_TUPLES_OK && str_to_int(str_z(PQgetvalue(r, 0, 1)), &db_ms)) {
        atomic_store(&n->store->base_low, db_ms - now);
        atomic_store(&n->store->base_high, db_ms - n->asked_ms + 1);
    }
}

static void take_results(struct pg_news *n)
{
    while (n->asked != ASKED_NOTHING && !PQisBusy(n->db->conn)) {
        PGresult *r = PQgetResult(n->db->conn);
        if (r)
            take_answer(n, r);
        else
            n->asked = ASKED_NOTHING;
        PQclear(r);
    }
    for (PGnotify *note; (note = PQnotifies(n->db->conn)); PQfreemem(note))
        heard(n, note);
}

static void ask(struct pg_news *n)
{
    if (n->asked != ASKED_NOTHING)
        return;
    if (now_ms(n) >= n->beat_ms + BEAT_MS || owes_word(n))
        send_beat(n);
    else if (n->joined && id_ceiling_due(n->store))
        send_ceiling(n);
}

/* --- the thread --- */

static void disconnect(struct pg_news *n)
{
    if (n->db)
        pg_disconnect(n->db);
    n->db = NULL;
}

static bool nap(const struct pg_news *n, int64_t ms)
{
    poll(NULL, 0, (int)ms);
    return !atomic_load(&n->stop);
}

static bool connect_anew(struct pg_news *n)
{
    struct fault f = {.code = ERR_OK};
    n->joined = false;
    n->asked = ASKED_NOTHING;
    n->beat_ms = 0;
    if (pg_connect(n->store, &n->db, &f) != ERR_OK) {
        if (!n->complained)
            store_complain(n->store, LOG_ERROR, "listening to the database: %s", f.detail);
        n->complained = true;
        return false;
    }
    if (pg_exec(n->db, "SET synchronous_commit = off; LISTEN " CHANNEL) == ERR_OK)
        return true;
    disconnect(n);
    return false;
}

static bool silent(const struct pg_news *n)
{
    return n->asked != ASKED_NOTHING && now_ms(n) > n->asked_ms + LIMIT_LEASE_MS;
}

static void listen_once(struct pg_news *n)
{
    struct pollfd p = {.fd = PQsocket(n->db->conn), .events = POLLIN};
    ask(n);
    if (poll(&p, 1, BEAT_MS / 5) > 0 && !PQconsumeInput(n->db->conn)) {
        disconnect(n);
        return;
    }
    take_results(n);
    if (silent(n) || PQstatus(n->db->conn) != CONNECTION_OK)
        disconnect(n);
}

static void *run(void *ctx)
{
    struct pg_news *n = ctx;
    while (!atomic_load(&n->stop)) {
        if (n->db)
            listen_once(n);
        else if (!connect_anew(n))
            nap(n, RETRY_MS);
    }
    return NULL;
}

/* --- for others --- */

err_t pg_news_send(struct pg_db *db, struct str lines, int64_t *ret_seq)
{
    struct store *s = db->head.store;
    struct pg_news *n = news_of(s);
    char text[LIMIT_NEWS + 64];
    const char *const values[] = {text};
    if (!n)
        return ERR_OK;
    lines = lines.n <= LIMIT_NEWS ? lines : STR("*");
    int64_t seq = atomic_fetch_add(&n->seq, 1) + 1;
    snprintf(text, sizeof(text), "n %d %" PRId64 " %.*s", s->slot, seq, STR_ARG(lines));
    *ret_seq = seq;
    return pg_pipe_text(db, "SELECT pg_notify('" CHANNEL "', $1)", 1, values);
}

static bool heard_lately(const struct pg_news *n, int slot)
{
    int64_t heard_ms = atomic_load(&n->peer[slot].heard_ms);
    return heard_ms && now_ms(n) < heard_ms + LIMIT_LEASE_MS + LATE_MS;
}

/* Once our own news are back, whoever was there before them has been heard of. */
static bool all_acted(const struct pg_news *n, int64_t seq)
{
    if (n->own_heard < seq)
        return false;
    for (int i = 0; i < LIMIT_SERVERS; i++)
        if (n->peer[i].acted < seq && heard_lately(n, i))
            return false;
    return true;
}

void pg_news_settle(struct store *s, int64_t seq)
{
    struct pg_news *n = news_of(s);
    if (!n)
        return;
    int64_t until = now_ms(n) + LIMIT_LEASE_MS + LATE_MS;
    pthread_mutex_lock(&n->lock);
    while (!all_acted(n, seq) && now_ms(n) < until) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_nsec += 50000000;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&n->moved, &n->lock, &t);
    }
    pthread_mutex_unlock(&n->lock);
}

bool pg_news_alive(const struct store *s)
{
    const struct pg_store *own = s->impl;
    return !own || !own->news || now_ms(own->news) < atomic_load_explicit(&own->news->lease_ms, memory_order_relaxed);
}

static bool leads(const struct store *s)
{
    const struct pg_news *n = news_of(s);
    if (!n || !pg_news_alive(s))
        return false;
    for (int i = 0; i < s->slot; i++)
        if (heard_lately(n, i))
            return false;
    return true;
}

static int others(const struct store *s)
{
    const struct pg_news *n = news_of(s);
    int count = 0;
    for (int i = 0; n && i < LIMIT_SERVERS; i++)
        count += i != s->slot && heard_lately(n, i);
    return count;
}

static err_t claim(struct db *db, int64_t id, bool shared)
{
    char text[24];
    const char *const values[] = {text};
    snprintf(text, sizeof(text), "%" PRId64, id);
    return pg_pipe_text((struct pg_db *)db, shared ? "SELECT pg_advisory_xact_lock_shared($1)" : "SELECT pg_advisory_xact_lock($1)", 1, values);
}

const struct sharing pg_sharing = {.fresh = pg_news_alive, .leads = leads, .others = others, .claim = claim};

/* --- life --- */

static bool wait_joined(const struct pg_news *n)
{
    int64_t until = now_ms(n) + START_MS;
    while (now_ms(n) < until) {
        if (now_ms(n) < atomic_load(&n->lease_ms))
            return true;
        nap(n, 2);
    }
    return false;
}

err_t pg_news_start(struct store *s, struct fault *f)
{
    struct pg_store *own = s->impl;
    struct pg_news *n = calloc(1, sizeof(*n));
    pthread_condattr_t attr;
    if (!n)
        return fault_set(f, ERR_MEMORY, "", "out of memory while opening the store");
    n->store = s;
    pthread_mutex_init(&n->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&n->moved, &attr);
    pthread_condattr_destroy(&attr);
    /* Connected here, so that the first connection's failure is this call's. */
    if (!connect_anew(n) || writer_thread(&n->thread, "store-news", run, n) != ERR_OK) {
        disconnect(n);
        free(n);
        return fault_set(f, ERR_STORE, "store", "the database can't be listened to (LISTEN)");
    }
    own->news = n;
    if (wait_joined(n))
        return ERR_OK;
    pg_news_stop(s);
    return fault_set(f, ERR_STORE, "store", "notifications do not come back from the database (LISTEN, NOTIFY); a pooler in between must keep sessions");
}

void pg_news_stop(struct store *s)
{
    struct pg_store *own = s->impl;
    struct pg_news *n = own->news;
    if (!n)
        return;
    atomic_store(&n->stop, true);
    pthread_join(n->thread, NULL);
    if (n->db) {
        char sql[64];
        snprintf(sql, sizeof(sql), "NOTIFY " CHANNEL ", 'x %d'", s->slot);
        if (n->asked == ASKED_NOTHING)
            (void)!pg_exec(n->db, sql);
        disconnect(n);
    }
    own->news = NULL;
    pthread_cond_destroy(&n->moved);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
