/* A pool of idle contexts. Threads start looking at different places, so that they seldom meet; whoever finds
 * nothing makes a new one, and what finds no place when given back is freed. Never waits. */
#include "crypto/internal.h"
#include <pthread.h>

static unsigned first_slot(void)
{
    return (unsigned)((uint64_t)pthread_self() * 0x9e3779b97f4a7c15u >> 32);
}

void *pool_take(struct pool *p)
{
    unsigned first = first_slot();
    for (unsigned i = 0; i < POOL_SLOTS; i++) {
        _Atomic(void *) *slot = &p->slot[(first + i) % POOL_SLOTS];
        if (!atomic_load_explicit(slot, memory_order_relaxed))
            continue;
        void *x = atomic_exchange_explicit(slot, NULL, memory_order_acquire);
        if (x)
            return x;
    }
    return NULL;
}

bool pool_give(struct pool *p, void *x)
{
    unsigned first = first_slot();
    for (unsigned i = 0; i < POOL_SLOTS; i++) {
        void *empty = NULL;
        if (atomic_compare_exchange_strong_explicit(&p->slot[(first + i) % POOL_SLOTS], &empty, x,
                                                    memory_order_release, memory_order_relaxed))
            return true;
    }
    return false;
}
