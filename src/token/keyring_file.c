/* The master key on disk: read, made exclusively, replaced by rename. */
#include "token/keyring_parts.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *key_file_beside(const char *path, const char *ending)
{
    char *p = NULL;
    return asprintf(&p, "%s%s", path, ending) < 0 ? NULL : p;
}

/* --- reading --- */

static bool parse(struct str text, uint8_t ret[static MASTER_KEY_SIZE])
{
    if (text.n == MASTER_KEY_SIZE) {
        memcpy(ret, text.p, MASTER_KEY_SIZE);
        return true;
    }
    if (text.n == 2 * MASTER_KEY_SIZE + 1 && text.p[text.n - 1] == '\n')
        text.n--;
    return text.n == 2 * MASTER_KEY_SIZE && dec_hex(text, ret, MASTER_KEY_SIZE);
}

static err_t check_mode(int fd, const char *path, bool strict, struct fault *f)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return fault_set(f, ERR_MASTER_KEY, "", "the master key %s is no file", path);
    if (strict && (st.st_mode & 0077) != 0)
        return fault_set(f, ERR_MASTER_KEY, "",
                         "the master key %s can be read by others (mode %04o): chmod 600 it", path,
                         (unsigned)st.st_mode & 07777);
    return ERR_OK;
}

err_t key_file_read(const char *path, bool strict, uint8_t ret[static MASTER_KEY_SIZE], struct fault *f)
{
    char text[LIMIT_KEY_FILE];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    if (fd < 0)
        return fault_set(f, ERR_MASTER_KEY, "", "the master key %s can't be read: %s", path, strerror(errno));
    err_t e = check_mode(fd, path, strict, f);
    if (e == ERR_OK) {
        ssize_t n = file_read(fd, text, sizeof(text));
        if (n < 0)
            e = fault_set(f, ERR_MASTER_KEY, "", "the master key %s can't be read: %s", path,
                          strerror(errno));
        else if (!parse((struct str){text, (size_t)n}, ret))
            e = fault_set(f, ERR_MASTER_KEY, "",
                          "the master key %s must hold 32 bytes or 64 hexadecimal digits", path);
    }
    secret_zero(text, sizeof(text));
    close(fd);
    return e;
}

/* --- writing --- */

static err_t sync_directory(const char *path, struct fault *f)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool done = fd >= 0 && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    free(copy);
    return done ? ERR_OK
                : fault_set(f, ERR_IO, "", "the directory of %s can't be synced: %s", path, strerror(why));
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

/* Readable, so that it can go through an editor, a secret store, a terminal. */
static bool write_key(int fd, const uint8_t *key)
{
    struct buf b;
    buf_init(&b, NULL, 2 * MASTER_KEY_SIZE + 1);
    enc_hex(&b, key, MASTER_KEY_SIZE);
    buf_char(&b, '\n');
    bool done = buf_ok(&b) && write_all(fd, b.p, b.n) && fsync(fd) == 0;
    buf_free(&b);
    return done;
}

static err_t cannot(const char *path, const char *what, int why, struct fault *f)
{
    return fault_set(f, ERR_IO, "", "the master key %s can't be %s: %s", path, what, strerror(why));
}

static err_t make_aside(const char *aside, const char *path, const uint8_t *key, struct fault *f)
{
    unlink(aside); /* of a start that was cut short; nothing was ever sealed under it */
    int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return cannot(path, "made", errno, f);
    bool done = fchmod(fd, 0600) == 0 && write_key(fd, key);
    int why = errno;
    if (close(fd) != 0 && done) {
        done = false;
        why = errno;
    }
    if (done)
        return ERR_OK;
    unlink(aside);
    return cannot(path, "written", why, f);
}

/* The name appears with the whole key behind it, and never in the place of another. */
static err_t name_aside(const char *aside, const char *path, struct fault *f)
{
    bool done = renameat2(AT_FDCWD, aside, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
    if (!done && (errno == EINVAL || errno == ENOSYS)) /* not every file system can */
        done = link(aside, path) == 0;
    int why = errno;
    unlink(aside);
    return done ? sync_directory(path, f) : cannot(path, "made", why, f);
}

err_t key_file_make(const char *path, const uint8_t key[static MASTER_KEY_SIZE], struct fault *f)
{
    char *aside = key_file_beside(path, ".tmp");
    if (!aside)
        return ERR_MEMORY;
    err_t e = make_aside(aside, path, key, f);
    if (e == ERR_OK)
        e = name_aside(aside, path, f);
    free(aside);
    return e;
}

err_t key_file_replace(const char *path, struct fault *f)
{
    char *new = key_file_beside(path, ".new"), *old = key_file_beside(path, ".old");
    err_t e = new &&old ? ERR_OK : ERR_MEMORY;
    if (e == ERR_OK) {
        /* A hard link, so that path itself is there at every moment. It may fail (no link here, no file): the
         * rename counts. */
        unlink(old);
        if (link(path, old) != 0 && errno != ENOENT)
            errno = 0;
        if (rename(new, path) != 0)
            e = fault_set(f, ERR_IO, "", "%s can't be renamed to %s: %s", new, path, strerror(errno));
    }
    if (e == ERR_OK)
        e = sync_directory(path, f);
    free(new);
    free(old);
    return e;
}
