/* What the rest of the engine asks of the news: telling, waiting until all know, who is there, and claims. */
#include "store/pg_news.h"
#include <stdio.h>

struct pg_news *pg_news_of(const struct store *s)
{
    return ((const struct pg_store *)s->impl)->news;
}

int64_t pg_news_now_ms(const struct pg_news *n)
{
    const struct clock *c = n->store->cfg.clock;
    return c->steady_ms(c->ctx);
}

err_t pg_news_send(struct pg_db *db, struct str lines, int64_t *ret_seq)
{
    struct store *s = db->head.store;
    struct pg_news *n = pg_news_of(s);
    char text[LIMIT_NEWS + 64];
    const char *const values[] = {text};
    if (!n)
        return ERR_OK;
    lines = lines.n <= LIMIT_NEWS ? lines : STR("*");
    int64_t seq = atomic_fetch_add(&n->seq, 1) + 1;
    snprintf(text, sizeof(text), "n %d %" PRId64 " %.*s", s->slot, seq, STR_ARG(lines));
    *ret_seq = seq;
    return pg_pipe_text(db, "SELECT pg_notify('" PG_CHANNEL "', $1)", 1, values);
}

static bool heard_lately(const struct pg_news *n, int slot)
{
    int64_t heard_ms = atomic_load(&n->peer[slot].heard_ms);
    return heard_ms && pg_news_now_ms(n) < heard_ms + LIMIT_LEASE_MS + PG_LATE_MS;
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
    struct pg_news *n = pg_news_of(s);
    if (!n)
        return;
    int64_t until = pg_news_now_ms(n) + LIMIT_LEASE_MS + PG_LATE_MS;
    pthread_mutex_lock(&n->lock);
    while (!all_acted(n, seq) && pg_news_now_ms(n) < until) {
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
    return !own || !own->news || pg_news_now_ms(own->news) < atomic_load_explicit(&own->news->lease_ms, memory_order_relaxed);
}

static bool leads(const struct store *s)
{
    const struct pg_news *n = pg_news_of(s);
    if (!n || !pg_news_alive(s) || !atomic_load(&s->serves))
        return false;
    for (int i = 0; i < s->slot; i++)
        if (heard_lately(n, i) && atomic_load(&n->peer[i].serves))
            return false;
    return true;
}

static int others(const struct store *s)
{
    const struct pg_news *n = pg_news_of(s);
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
