/* Reading a file, bounded: shorter than the room, as long, one byte longer; a folder. */
#include "base/file.h"
#include "unit.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_of(size_t size, char *p, size_t max)
{
    char path[] = "/tmp/mereau-file-XXXXXX", bytes[16] = "0123456789abcde";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    unlink(path);
    ssize_t n = file_read(fd, p, max);
    close(fd);
    return n;
}

int main(void)
{
    char p[8];
    CHECK(read_of(0, p, sizeof(p)) == 0);
    CHECK(read_of(7, p, sizeof(p)) == 7 && memcmp(p, "0123456", 7) == 0);
    CHECK(read_of(8, p, sizeof(p)) == 8 && memcmp(p, "01234567", 8) == 0);
    CHECK(read_of(9, p, sizeof(p)) == 8);
    int folder = open("/", O_RDONLY | O_DIRECTORY);
    CHECK(folder >= 0 && file_read(folder, p, sizeof(p)) == -1);
    close(folder);
    return unit_end("base file");
}
