/* mereau: one binary. Finds the command, and where it runs: here without a store, in the running server
 * through its control socket, or here on the store, under its lock. */
#include "app/run.h"
#include <malloc.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    /* Few arenas, and large blocks straight from the kernel: what a burst took goes back. */
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
    return app_run(argc - 1, argv + 1, environ);
}
