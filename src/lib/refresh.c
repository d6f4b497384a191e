/* Keeping keys and status lists fresh: what is due when, and fetching it. One at a time
 * refreshes (`refreshing`), without the lock while it fetches; what was there serves meanwhile, and on when a fetch fails. */
#include "lib/parts.h"
#include <signal.h>
#include <stdio.h>

#define FRESH_DEFAULT_S 300
#define BACKOFF_MS      1000 /* after a failure, doubled with each one more */
#define BACKOFF_DOUBLES 6

/* --- what is due; with the lock held --- */

int64_t refresh_next(const struct mereau_verifier *v)
{
    int64_t due = v->keys_due_ms;
    for (size_t i = 0; i < v->wanted_n; i++)
        if (v->wanted[i].due_ms < due)
            due = v->wanted[i].due_ms;
    return due;
}

static int64_t after_failure(unsigned *failures)
{
    unsigned n = *failures < BACKOFF_DOUBLES ? (*failures)++ : BACKOFF_DOUBLES;
    return steady_ms() + ((int64_t)BACKOFF_MS << n);
}

static int64_t bounded(int64_t s, int64_t least)
{
    return s < least ? least : s > LIMIT_REMOTE_FRESH_MAX_S ? LIMIT_REMOTE_FRESH_MAX_S : s;
}

static void note(struct mereau_verifier *v, err_t e, const struct fault *why)
{
    v->problem = (struct fault){.code = e};
    snprintf(v->problem.detail, sizeof(v->problem.detail), "%s", why->detail[0] ? why->detail : err_text(e));
}

/* Lists that no token has named for long are not fetched any more. */
static void drop_unused(struct mereau_verifier *v, int64_t now)
{
    for (size_t i = v->wanted_n; i-- > 0;)
        if (v->wanted[i].list && now - v->wanted[i].list->used_ms > (int64_t)LIMIT_STATUS_UNUSED_S * 1000)
            wanted_drop(v, i);
}

/* --- one refresh; by whoever set `refreshing`, called with the lock, which is released while fetching --- */

static err_t install_keys(struct mereau_verifier *v, struct key_set *s, int64_t fresh_s)
{
    int64_t fresh_ms = bounded(v->refresh_s ? v->refresh_s : fresh_s < 0 ? FRESH_DEFAULT_S : fresh_s, LIMIT_REMOTE_FRESH_MIN_S) * 1000;
    int64_t now = steady_ms();
    bool same = v->keys && v->keys->text.n && str_eq(v->keys->text, s->text);
    if (same) { /* the same text: what has been made of it stays */
        key_set_release(s);
        s = v->keys;
    } else {
        key_set_release(v->keys);
        v->keys = s;
        v->kid_retry_ms = 0; /* it was not in vain: the next new key need not wait */
    }
    s->stale_until_ms = now + fresh_ms + v->stale_s * 1000;
    v->keys_due_ms = now + fresh_ms;
    v->failures = 0;
    return same ? ERR_OK : snapshot_publish(v);
}

static err_t refresh_keys(struct mereau_verifier *v)
{
    struct key_set *s = NULL;
    struct fault f = {0};
    int64_t fresh_s = -1;
    pthread_mutex_unlock(&v->lock);
    err_t e = fetch_keys(v, &s, &fresh_s, &f);
    pthread_mutex_lock(&v->lock);
    if (e == ERR_OK)
        e = install_keys(v, s, fresh_s);
    else
        v->keys_due_ms = after_failure(&v->failures);
    if (e != ERR_OK)
        note(v, e, &f);
    return e;
}

/* The keys stay: nobody else puts others in their place meanwhile. */
static err_t refresh_list(struct mereau_verifier *v, struct str uri)
{
    struct status_list *l = NULL;
    struct fault f = {0};
    int64_t fresh_s = -1;
    pthread_mutex_unlock(&v->lock);
    err_t e = v->keys ? fetch_list(v, v->keys, uri, &l, &fresh_s, &f) : ERR_KEY;
    pthread_mutex_lock(&v->lock);
    struct wanted *w = wanted_find(v, uri);
    if (e == ERR_OK && w) {
        int64_t fresh_ms = bounded(fresh_s < 0 ? FRESH_DEFAULT_S : fresh_s, LIMIT_STATUS_FRESH_MIN_S) * 1000, now = steady_ms();
        l->used_ms = w->list ? (int64_t)w->list->used_ms : now;
        l->stale_until_ms = now + fresh_ms + v->status_stale_s * 1000;
        status_list_release(w->list);
        *w = (struct wanted){w->uri, l, now + fresh_ms, 0};
        return snapshot_publish(v);
    }
    status_list_release(l);
    if (w)
        w->due_ms = after_failure(&w->failures);
    if (e != ERR_OK)
        note(v, e, &f);
    return e;
}

/* What is due by `now`: lists that a token waits for come first. */
static const struct wanted *most_urgent(const struct mereau_verifier *v, int64_t now)
{
    const struct wanted *most = NULL;
    for (size_t i = 0; i < v->wanted_n; i++) {
        const struct wanted *w = &v->wanted[i];
        if (w->due_ms <= now && (!most || (!w->list && most->list) || (!w->list == !most->list && w->due_ms < most->due_ms)))
            most = w;
    }
    return most;
}

/* Whatever is fetched, or fails, is due later than now, so this ends. */
static err_t work_off(struct mereau_verifier *v, int64_t now)
{
    char uri[LIMIT_REDIRECT_URI];
    const struct wanted *w;
    err_t first = ERR_OK, e;
    for (size_t i = 0; i < 2 * LIMIT_STATUS_LISTS && !v->stop; i++) {
        if (v->keys_due_ms <= now) {
            e = refresh_keys(v);
        } else if ((w = most_urgent(v, now)) != NULL) {
            snprintf(uri, sizeof(uri), "%s", w->uri);
            e = refresh_list(v, str_z(uri));
        } else {
            break;
        }
        first = first == ERR_OK ? e : first;
        pthread_cond_broadcast(&v->done);
    }
    if (first == ERR_OK)
        v->problem = (struct fault){0};
    return first;
}

/* With the lock held. */
err_t refresh_due(struct mereau_verifier *v)
{
    while (v->refreshing)
        pthread_cond_wait(&v->done, &v->lock);
    int64_t now = steady_ms();
    drop_unused(v, now);
    if (refresh_next(v) > now)
        return ERR_OK;
    v->refreshing = true;
    err_t e = work_off(v, now);
    v->refreshing = false;
    pthread_cond_broadcast(&v->done);
    return e;
}

/* A connection that the other side has closed is an error to TLS and must not be the end of the caller's program: SIGPIPE is held back
 * meanwhile, and taken away if it came. */
static bool hold_pipe(sigset_t *ret_before)
{
    sigset_t pipe, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, ret_before);
    return sigismember(&pending, SIGPIPE) == 1;
}

static void release_pipe(const sigset_t *before, bool was_pending)
{
    static const struct timespec now = {0, 0};
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!was_pending)
        sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

enum mereau_status mereau_verifier_refresh(struct mereau_verifier *v)
{
    sigset_t before;
    bool was_pending = hold_pipe(&before);
    pthread_mutex_lock(&v->lock);
    err_t e = refresh_due(v);
    pthread_mutex_unlock(&v->lock);
    release_pipe(&before, was_pending);
    return e == ERR_OK ? MEREAU_OK : e == ERR_MEMORY ? MEREAU_MEMORY : MEREAU_NETWORK;
}

int64_t mereau_verifier_next_refresh(struct mereau_verifier *v)
{
    pthread_mutex_lock(&v->lock);
    int64_t due = refresh_next(v), now = steady_ms();
    pthread_mutex_unlock(&v->lock);
    return due == INT64_MAX ? -1 : due > now ? due - now : 0;
}

const char *mereau_verifier_problem(struct mereau_verifier *v, char *ret, size_t n)
{
    pthread_mutex_lock(&v->lock);
    snprintf(ret, n, "%s", v->problem.detail);
    pthread_mutex_unlock(&v->lock);
    return ret;
}
