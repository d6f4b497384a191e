/* A copy of a running store, and the check of one. */
#include "store/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static err_t sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return ERR_IO;
    int rc = fsync(fd);
    close(fd);
    return rc == 0 ? ERR_OK : ERR_IO;
}

static err_t sync_file_and_dir(const char *path)
{
    char dir[PATH_MAX];
    if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
        return ERR_IO;
    TRY(sync_path(path, 0));
    return sync_path(dirname(dir), O_DIRECTORY);
}

static err_t vacuum_into(struct sqlite_db *db, const char *path, struct fault *f)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db->conn, "VACUUM INTO $1", -1, &st, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_bind_text(st, 1, path, -1, SQLITE_STATIC)) == SQLITE_OK)
        rc = sqlite3_step(st);
    err_t e = sqlite_map(db, rc);
    if (e != ERR_OK)
        (void)fault_set(f, e, "", "the backup failed: %s", sqlite3_errmsg(db->conn));
    sqlite3_finalize(st);
    return e;
}

err_t sqlite_backup(struct store *s, const char *path, struct fault *f)
{
    const struct sqlite_store *own = s->impl;
    /* Made here, so that it is ours alone from its first moment and nothing is overwritten. */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fault_set(f, errno == EEXIST ? ERR_CONFLICT : ERR_IO, "", "%s cannot be made: %s%s", path, strerror(errno),
                         errno == EACCES ? " (a running server writes its backup itself, as its own user)" : "");
    close(fd);
    struct sqlite_db *db = NULL;
    err_t e = sqlite_connect(s, own->path, SQLITE_OPEN_READWRITE, &db);
    if (e == ERR_OK)
        e = vacuum_into(db, path, f);
    if (e == ERR_OK)
        e = sync_file_and_dir(path);
    if (db)
        sqlite_disconnect(db);
    if (e == ERR_OK)
        return ERR_OK;
    unlink(path);
    return fault_set(f, e, "", "the backup to %s failed", path);
}

err_t sqlite_check(struct db *head, struct fault *f)
{
    struct sqlite_db *db = (struct sqlite_db *)head;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db->conn, "PRAGMA quick_check(1)", -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    err_t e = sqlite_map(db, rc);
    const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : sqlite3_errmsg(db->conn);
    if (e == ERR_OK && (!said || strcmp(said, "ok") != 0))
        e = ERR_STORE_CORRUPT;
    if (e != ERR_OK)
        (void)fault_set(f, e, "", "the check found: %s", said ? said : "nothing");
    sqlite3_finalize(st);
    return e;
}
