/* Randomness straight from the kernel: nothing to seed, nothing to reseed after a fork or a snapshot. */
#include "crypto/crypto.h"
#include <errno.h>
#include <sys/random.h>

err_t random_bytes(void *ret, size_t n)
{
    uint8_t *p = ret;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ERR_CRYPTO;
        p += got;
        n -= (size_t)got;
    }
    return ERR_OK;
}
