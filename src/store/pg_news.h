/* What the servers on one database tell each other, by NOTIFY, which delivers in the order of commits. One thread with a connection of
 * its own (pg_news.c) listens, and twice a second sends a beat:
 *
 *   b SLOT [SLOT:SEQ ...]   a server is alive, and has acted on all news of those servers up to there; j: its first; c: one that does not serve,
 *                           but passes by as a command
 *   n SLOT SEQ LINES        news, sent in the transaction that makes them true; LINES "*": more than fits
 *   x SLOT                  a server ends
 *
 * A server may believe its memory for LIMIT_LEASE_MS after the moment it sent the last beat that has come back to it: what was committed before
 * that moment has come as well. Who sends news waits until every server whose beats are heard has acted on them, or its lease must be over. So
 * a change that was answered is in force everywhere, also when a server hangs or its network is cut.
 *
 * Private to src/store/pg_news*.c. */
#pragma once
#include "store/pg.h"
#include <inttypes.h>

#define PG_CHANNEL  "mereau"
#define PG_LATE_MS  500 /* others' beats may be on their way for so long */

enum asked { ASKED_NOTHING, ASKED_BEAT, ASKED_CEILING };

struct peer {
    _Atomic int64_t heard_ms; /* steady; 0: never, or it has said good-bye */
    _Atomic bool serves;
    int64_t acted; /* on our news up to there; under lock */
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

struct pg_news *pg_news_of(const struct store *s);
int64_t pg_news_now_ms(const struct pg_news *n); /* steady */

/* pg_news_hear.c: on the thread. */
void pg_news_heard(struct pg_news *n, const PGnotify *note);
