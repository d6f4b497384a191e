/* Reading what somebody else wrote, never more than there is room for. */
#pragma once
#include <sys/types.h>

/* Reads until the end or until max bytes are there, whatever signals arrive. The number of bytes; -1 with errno. */
ssize_t file_read(int fd, void *p, size_t max);
