/* revoked.log: one line a revocation, "kind tenant id cutoff crc\n", appended and synced before the answer
 * leaves. After a restore from an older backup it is replayed, so that nothing revoked comes back. */
#include "store/engine.h"
#include "base/enc.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_NAME       "revoked.log"
#define LINE_MAX_BYTES 160
#define CRC_DIGITS     8

/* Where the last whole line ends: a crash may have left half a line behind. */
static int64_t whole_lines(int fd, int64_t size)
{
    char chunk[LINE_MAX_BYTES];
    while (size > 0) {
        size_t n = size < (int64_t)sizeof(chunk) ? (size_t)size : sizeof(chunk);
        if (pread(fd, chunk, n, size - (int64_t)n) != (ssize_t)n)
            return -1;
        for (size_t i = n; i > 0; i--)
            if (chunk[i - 1] == '\n')
                return size - (int64_t)(n - i);
        size -= (int64_t)n;
    }
    return 0;
}

err_t revoked_open(struct store *s, struct fault *f)
{
    struct stat st;
    int fd = openat(s->dir_fd, LOG_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fstat(fd, &st) != 0)
        goto fail;
    s->revoked.size = whole_lines(fd, st.st_size);
    if (s->revoked.size < 0 || (s->revoked.size < st.st_size && ftruncate(fd, s->revoked.size) != 0))
        goto fail;
    s->revoked.fd = fd;
    return ERR_OK;
fail:
    (void)fault_set(f, ERR_IO, "", "%s/" LOG_NAME " cannot be opened: %s", s->dir, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ERR_IO;
}

void revoked_close(struct store *s)
{
    if (s->revoked.fd >= 0)
        close(s->revoked.fd);
    s->revoked.fd = -1;
}

static err_t from_errno(int no)
{
    return no == ENOSPC || no == EDQUOT || no == EFBIG ? ERR_STORE_FULL : ERR_IO;
}

err_t revoked_append(struct store *s, struct str lines)
{
    struct revoked_log *log = &s->revoked;
    size_t done = 0;
    int no = 0;
    while (done < lines.n && no == 0) {
        ssize_t n = pwrite(log->fd, lines.p + done, lines.n - done, log->size + (int64_t)done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            no = n == 0 ? EIO : errno;
    }
    if (no == 0 && fdatasync(log->fd) != 0)
        no = errno;
    if (no == 0) {
        log->size += (int64_t)lines.n;
        return ERR_OK;
    }
    store_complain(s, LOG_ERROR, LOG_NAME ": %s", strerror(no));
    if (ftruncate(log->fd, log->size) != 0) /* half a line would spoil the next one */
        store_complain(s, LOG_ERROR, LOG_NAME ": %s", strerror(errno));
    return from_errno(no);
}

err_t db_log_revoked(struct db *db, const char *kind, int64_t tenant_id, int64_t id, int64_t cutoff_id)
{
    if (!db->tx)
        return ERR_INTERNAL;
    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof(line) - CRC_DIGITS - 2, "%s %" PRId64 " %" PRId64 " %" PRId64, kind,
                     tenant_id, id, cutoff_id);
    if (!kind[0] || n <= 0 || n >= (int)sizeof(line) - CRC_DIGITS - 2)
        return ERR_INTERNAL;
    n += snprintf(line + n, CRC_DIGITS + 3, " %08" PRIx32 "\n", crc32_ieee(line, (size_t)n));
    buf_add(&db->tx->revoked, line, (size_t)n);
    return buf_ok(&db->tx->revoked) ? ERR_OK : ERR_MEMORY;
}

struct revoked_line {
    struct str kind;
    int64_t num[3]; /* tenant, id, cut-off */
};

static bool parse_line(struct str line, struct revoked_line *ret)
{
    uint8_t crc[4];
    if (line.n < CRC_DIGITS + 1)
        return false;
    struct str head = {line.p, line.n - CRC_DIGITS - 1};
    if (line.p[head.n] != ' ' || !dec_hex((struct str){line.p + head.n + 1, CRC_DIGITS}, crc, sizeof(crc)))
        return false;
    uint32_t said = (uint32_t)crc[0] << 24 | (uint32_t)crc[1] << 16 | (uint32_t)crc[2] << 8 | crc[3];
    if (crc32_ieee(head.p, head.n) != said || !str_word(&head, ' ', &ret->kind))
        return false;
    for (int i = 0; i < 3; i++) {
        struct str word;
        if (!str_word(&head, ' ', &word) || !str_to_int(word, &ret->num[i]))
            return false;
    }
    return true;
}

err_t store_revoked_replay(const char *data_dir,
                           err_t (*fn)(void *ctx, struct str kind, int64_t tenant_id, int64_t id,
                                       int64_t cutoff_id),
                           void *ctx)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/" LOG_NAME, data_dir) >= (int)sizeof(path))
        return ERR_IO;
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? ERR_OK : ERR_IO;
    char line[LINE_MAX_BYTES];
    bool bad = false;
    err_t e = ERR_OK;
    while (e == ERR_OK && fgets(line, sizeof(line), file)) {
        struct revoked_line l;
        struct str text = str_z(line);
        if (text.n == 0 || text.p[text.n - 1] != '\n') {
            bad = bad || !feof(file); /* half a line at the end was never answered; elsewhere it is damage */
            continue;
        }
        text.n--;
        if (parse_line(text, &l))
            e = fn(ctx, l.kind, l.num[0], l.num[1], l.num[2]);
        else
            bad = true;
    }
    if (e == ERR_OK && ferror(file))
        e = ERR_IO;
    fclose(file);
    return e == ERR_OK && bad ? ERR_STORE_CORRUPT : e;
}
