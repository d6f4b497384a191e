/* What the outbox's files share. Private to src/event. */
#pragma once
#include "event/event.h"
#include "base/limits.h"
#include <pthread.h>
#include <stdatomic.h>

#define DOWN_SLOTS 256

/* A target that could not be reached a moment ago. Forgetting one costs an attempt, no more. */
struct down {
    uint64_t target;
    int64_t until_s;
};

struct event {
    struct event_config cfg;
    char owner[17];         /* of leases: this process */
    _Atomic int64_t leases; /* taken so far: each has a name of its own */
    _Atomic int64_t swept_s;
    pthread_mutex_t lock;
    struct down down[DOWN_SLOTS]; /* by hash; under lock */
};
