/* Acting on what other servers say, and this one itself: news in the order of their commits, beats, good-byes. */
#include "store/pg_news.h"

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
static void heard_beat(struct pg_news *n, int64_t slot, struct str rest, char letter)
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
    bool joins = letter == 'j';
    atomic_store(&p->serves, letter == 'b');
    if (joins) /* perhaps another one under the number: it counts its news anew */
        n->heard[slot] = n->told[slot] = 0;
    pthread_mutex_lock(&n->lock);
    if (joins || atomic_load(&p->heard_ms) == 0)
        p->acted = n->own_heard;
    p->acted = acted > p->acted ? acted : p->acted;
    atomic_store(&p->heard_ms, pg_news_now_ms(n));
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

void pg_news_heard(struct pg_news *n, const PGnotify *note)
{
    struct str text = str_z(note->extra), rest = {text.p + 1, text.n - 1};
    if (text.n < 3)
        return;
    int64_t slot = take_number(&rest);
    if (slot >= LIMIT_SERVERS)
        return;
    bool beat = *text.p == 'b' || *text.p == 'j' || *text.p == 'c';
    if (beat && note->be_pid == PQbackendPID(n->db->conn))
        heard_own_beat(n, n->beat_ms);
    else if (beat && slot != n->store->slot)
        heard_beat(n, slot, rest, *text.p);
    else if (*text.p == 'n')
        heard_news(n, slot, rest);
    else if (*text.p == 'x' && slot != n->store->slot)
        atomic_store(&n->peer[slot].heard_ms, 0);
}
