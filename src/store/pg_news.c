/* The thread that listens: its connection, the beats, the answers to them. pg_news.h has the rules. */
#include "store/pg_news.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define BEAT_MS  500
#define RETRY_MS 250
#define START_MS 10000
#define BEAT_MAX (16 + LIMIT_SERVERS * 32)

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
    int at = snprintf(text, sizeof(text), "%c %d", !n->joined ? 'j' : atomic_load(&n->store->serves) ? 'b' : 'c', n->store->slot);
    for (int i = 0; i < LIMIT_SERVERS; i++) {
        if (n->heard[i] > n->told[i])
            at += snprintf(text + at, sizeof(text) - (size_t)at, " %d:%" PRId64, i, n->heard[i]);
        n->told[i] = n->heard[i];
    }
    n->asked_ms = n->beat_ms = pg_news_now_ms(n);
    n->asked = ASKED_BEAT;
    PQsendQueryParams(n->db->conn, "SELECT pg_notify('" PG_CHANNEL "', $1), CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", 1, NULL, values,
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
    n->asked_ms = pg_news_now_ms(n);
    n->asked = ASKED_CEILING;
    PQsendQueryParams(n->db->conn, "UPDATE meta SET value = CAST($2 AS BYTEA) WHERE name = $1", 2, NULL, values, NULL, NULL, 0);
}

/* The database's clock was between its saying so and our hearing it. */
static void take_answer(struct pg_news *n, const PGresult *r)
{
    int64_t db_ms = 0, now = pg_news_now_ms(n);
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
        pg_news_heard(n, note);
}

static void ask(struct pg_news *n)
{
    if (n->asked != ASKED_NOTHING)
        return;
    if (pg_news_now_ms(n) >= n->beat_ms + BEAT_MS || owes_word(n))
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
    if (pg_exec(n->db, "SET synchronous_commit = off; LISTEN " PG_CHANNEL) == ERR_OK)
        return true;
    disconnect(n);
    return false;
}

static bool silent(const struct pg_news *n)
{
    return n->asked != ASKED_NOTHING && pg_news_now_ms(n) > n->asked_ms + LIMIT_LEASE_MS;
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

/* --- life --- */

static bool wait_joined(const struct pg_news *n)
{
    int64_t until = pg_news_now_ms(n) + START_MS;
    while (pg_news_now_ms(n) < until) {
        if (pg_news_now_ms(n) < atomic_load(&n->lease_ms))
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
        snprintf(sql, sizeof(sql), "NOTIFY " PG_CHANNEL ", 'x %d'", s->slot);
        if (n->asked == ASKED_NOTHING)
            (void)!pg_exec(n->db, sql);
        disconnect(n);
    }
    own->news = NULL;
    pthread_cond_destroy(&n->moved);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
