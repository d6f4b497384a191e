/* See scratch.h. */
#include "app/scratch.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    while (d && (entry = readdir(d)))
        unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

static err_t try_in(struct app *a, struct config *c, const struct desired *d)
{
    struct op op;
    struct db *db = NULL;
    struct desired_report r = {.faults = &c->faults};
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA);
    err_t e = arena ? db_open(a->core.store, 256, &db) : ERR_MEMORY;
    if (e == ERR_OK) {
        e = app_op(a, db, arena, &op);
        if (e == ERR_OK)
            e = desired_try(&op, d, &r);
        op_end(&op);
        db_close(&db);
    }
    arena_free(&arena);
    return e;
}

err_t scratch_try(struct config *c, const struct desired *d)
{
    const char *tmp = getenv("TMPDIR");
    char dir[512];
    struct fault f = {0};
    snprintf(dir, sizeof dir, "%s/mereau-check-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return ERR_IO;
    struct app *a = calloc(1, sizeof *a);
    struct config other = *c;
    struct log *log = log_new(STDERR_FILENO, LOG_ERROR, LOG_AUTO);
    other.settings.data = str_z(dir);
    other.settings.master_key_file = STR_NONE;
    other.settings.mail_smtp_url = STR_NONE;
    err_t e = a && log ? app_open(&other, log, a, &f) : ERR_MEMORY;
    if (e == ERR_OK) {
        a->core.dry = true;
        e = try_in(a, c, d);
        app_close(a);
    }
    if (log)
        log_free(&log);
    free(a);
    remove_folder(dir);
    return e;
}
