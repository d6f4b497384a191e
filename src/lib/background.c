/* The thread that keeps a verifier fresh, those who wait for it, and the status lists they want. */
#include "lib/parts.h"
#include <signal.h>
#include <stdlib.h>

#define KID_RETRY_MS (30 * 1000) /* after a fetch that an unknown kid caused, unless it brought other keys */

/* --- lists that tokens have named; with the lock held --- */

void wanted_drop(struct mereau_verifier *v, size_t i)
{
    status_list_release(v->wanted[i].list);
    free(v->wanted[i].uri);
    v->wanted[i] = v->wanted[--v->wanted_n];
}

static int64_t used_ms(const struct wanted *w)
{
    return w->list ? w->list->used_ms : INT64_MIN;
}

struct wanted *wanted_find(struct mereau_verifier *v, struct str uri)
{
    for (size_t i = 0; i < v->wanted_n; i++)
        if (str_is(uri, v->wanted[i].uri))
            return &v->wanted[i];
    return NULL;
}

static struct wanted *wanted_add(struct mereau_verifier *v, struct str uri)
{
    size_t oldest = 0;
    char *copy = strndup(uri.p, uri.n);
    if (!copy)
        return NULL;
    for (size_t i = 1; i < v->wanted_n; i++)
        if (used_ms(&v->wanted[i]) < used_ms(&v->wanted[oldest]))
            oldest = i;
    if (v->wanted_n == LIMIT_STATUS_LISTS)
        wanted_drop(v, oldest);
    v->wanted[v->wanted_n] = (struct wanted){.uri = copy};
    return &v->wanted[v->wanted_n++];
}

/* --- the thread --- */

static struct timespec in_ms(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static void *thread_main(void *ctx)
{
    struct mereau_verifier *v = ctx;
    pthread_mutex_lock(&v->lock);
    while (!v->stop) {
        int64_t left = refresh_next(v) - steady_ms();
        struct timespec until = in_ms(left < LIMIT_REMOTE_FRESH_MAX_S * 1000LL ? left : LIMIT_REMOTE_FRESH_MAX_S * 1000LL);
        if (left > 0)
            pthread_cond_timedwait(&v->wake, &v->lock, &until);
        else
            (void)!refresh_due(v); /* a failure is noted, and due again after a while */
    }
    pthread_mutex_unlock(&v->lock);
    return NULL;
}

/* The program's signals are not for this thread. */
static bool start_thread(struct mereau_verifier *v)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&v->thread, NULL, thread_main, v) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

static void end_locks(struct mereau_verifier *v)
{
    pthread_cond_destroy(&v->done);
    pthread_cond_destroy(&v->wake);
    pthread_mutex_destroy(&v->lock);
}

err_t refresh_start(struct mereau_verifier *v)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->wake, &attr);
    pthread_cond_init(&v->done, &attr);
    pthread_condattr_destroy(&attr);
    if (!v->background || start_thread(v))
        return ERR_OK;
    end_locks(v);
    return ERR_MEMORY;
}

void refresh_end(struct mereau_verifier *v)
{
    pthread_mutex_lock(&v->lock);
    v->stop = true;
    pthread_cond_broadcast(&v->wake);
    pthread_mutex_unlock(&v->lock);
    if (v->background)
        pthread_join(v->thread, NULL);
    end_locks(v);
}

/* --- waiting for it; with the lock held --- */

static int64_t due_of(struct mereau_verifier *v, const struct str *uri)
{
    const struct wanted *w = uri ? wanted_find(v, *uri) : NULL;
    return !uri ? v->keys_due_ms : w ? w->due_ms : INT64_MAX;
}

/* The keys, or a list: if due, the thread is woken, and waited for as long as the caller may. True: there is no thread. */
static bool wait_for(struct mereau_verifier *v, const struct str *uri)
{
    struct timespec until = in_ms(v->wait_ms);
    int64_t asked = steady_ms();
    bool due = due_of(v, uri) <= asked;
    if (!due || !v->background)
        return due;
    pthread_cond_signal(&v->wake);
    while (v->wait_ms && due_of(v, uri) <= asked && !v->stop)
        if (pthread_cond_timedwait(&v->done, &v->lock, &until) != 0)
            break;
    return false;
}

bool refresh_for_keys(struct mereau_verifier *v, bool unknown_kid)
{
    int64_t now = steady_ms();
    pthread_mutex_lock(&v->lock);
    if (unknown_kid && v->keys_due_ms != INT64_MAX && now >= v->kid_retry_ms) {
        v->kid_retry_ms = now + KID_RETRY_MS;
        v->keys_due_ms = now;
    }
    bool due = wait_for(v, NULL);
    pthread_mutex_unlock(&v->lock);
    return due;
}

bool refresh_for_list(struct mereau_verifier *v, struct str uri)
{
    pthread_mutex_lock(&v->lock);
    bool due = (wanted_find(v, uri) || wanted_add(v, uri)) && wait_for(v, &uri);
    pthread_mutex_unlock(&v->lock);
    return due;
}
