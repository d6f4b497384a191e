/* Sleeping on a word: one waiter, one word, one system call to wake it. Private to src/store. */
#pragma once
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Returns when the word differs from `is`, when woken, after ms (-1: never) or for no reason: ask again. */
static inline void futex_wait(_Atomic uint32_t *word, uint32_t is, int ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, is, ms < 0 ? NULL : &t, NULL, 0);
}

static inline void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
