/* Reading a file to its end, bounded. */
#include "base/file.h"
#include <errno.h>
#include <unistd.h>

ssize_t file_read(int fd, void *p, size_t max)
{
    size_t n = 0;
    while (n < max) {
        ssize_t got = read(fd, (char *)p + n, max - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}
