/* Reading configuration files and the secrets they point to. */
#include "app/config_parts.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static err_t read_fd(struct arena *a, int fd, size_t max, struct str *ret)
{
    struct buf b;
    buf_init(&b, a, max + 1);
    char chunk[16384];
    for (ssize_t n = sizeof chunk; n == (ssize_t)sizeof chunk;) {
        n = file_read(fd, chunk, sizeof chunk);
        if (n < 0)
            return ERR_IO;
        buf_add(&b, chunk, (size_t)n);
        if (!buf_ok(&b) || b.n > max)
            return ERR_TOO_LARGE;
    }
    *ret = buf_view(&b);
    return ERR_OK;
}

err_t config_read_file(struct arena *a, const char *path, size_t max, struct str *ret, bool *ret_open)
{
    bool input = !strcmp(path, "-");
    int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return ERR_IO;
    struct stat st = {0};
    err_t e = fstat(fd, &st) < 0    ? ERR_IO
              : S_ISDIR(st.st_mode) ? (errno = EISDIR, ERR_IO)
                                    : read_fd(a, fd, max, ret);
    if (ret_open)
        *ret_open = S_ISREG(st.st_mode) && (st.st_mode & 077);
    int saved = errno;
    if (!input)
        close(fd);
    errno = saved;
    return e;
}

static void load_file(struct config *c, const char *path)
{
    if (c->nfiles == LIMIT_CONFIG_FILES) {
        config_fault(&c->faults, path, "", "there are more than %d configuration files", LIMIT_CONFIG_FILES);
        return;
    }
    struct config_file *f = &c->files[c->nfiles];
    struct fault fault = {0};
    struct str text;
    err_t e = config_read_file(c->arena, path, LIMIT_CONFIG_FILE, &text, &f->open);
    if (e != ERR_OK) {
        config_fault(&c->faults, path, "", "%s",
                     e == ERR_IO          ? strerror(errno)
                     : e == ERR_TOO_LARGE ? "the file is too large"
                                          : err_text(e));
        return;
    }
    e = yaml_parse(c->arena, path, text, &f->doc, &fault);
    if (e != ERR_OK) {
        config_fault(&c->faults, "", "", "%s", fault.detail[0] ? fault.detail : err_text(e));
        return;
    }
    c->nfiles++;
}

static int wanted(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return d->d_name[0] != '.' &&
           ((n > 5 && !strcmp(d->d_name + n - 5, ".yaml")) || (n > 4 && !strcmp(d->d_name + n - 4, ".yml")));
}

static void load_folder(struct config *c, const char *path)
{
    struct dirent **v = NULL;
    int n = scandir(path, &v, wanted, alphasort);
    if (n < 0)
        config_fault(&c->faults, path, "", "%s", strerror(errno));
    for (int i = 0; i < n; i++) {
        struct str name = arena_fmt(c->arena, "%s/%s", path, v[i]->d_name);
        if (name.p)
            load_file(c, name.p);
        free(v[i]);
    }
    free(v);
}

void config_load_files(struct config *c, const char *const *files, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        const char *path = arena_str(c->arena, str_z(files[i])).p;
        if (!path)
            continue;
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            load_folder(c, path);
        else
            load_file(c, path);
    }
}

static json_t *secret_env(struct config *c, const char *place, const char *path, const char *name)
{
    const char *v = getenv(name);
    if (!v || !*v)
        config_fault(&c->faults, place, path, "the environment has no %s", name);
    return v && *v ? json_string(v) : NULL;
}

/* One line break at the end belongs to the editor, not to the secret. */
static struct str without_newline(struct str s)
{
    if (s.n && s.p[s.n - 1] == '\n')
        s.n--;
    if (s.n && s.p[s.n - 1] == '\r')
        s.n--;
    return s;
}

static json_t *secret_file(struct config *c, const char *place, const char *path, const char *file)
{
    struct str text = STR_NONE;
    err_t e = config_read_file(c->arena, file, LIMIT_PARAM, &text, NULL);
    text = without_newline(text);
    if (e == ERR_OK && text.n && str_is_utf8(text))
        return json_stringn(text.p, text.n);
    config_fault(&c->faults, place, path, "%s: %s", file,
                 e == ERR_IO   ? strerror(errno)
                 : e != ERR_OK ? err_text(e)
                 : text.n      ? "it does not hold text"
                               : "it is empty");
    return NULL;
}

json_t *config_secret(struct config *c, const struct config_file *f, const char *path, json_t *v)
{
    const char *place = config_place(c->arena, &f->doc, path);
    const char *env = json_string_value(json_object_get(v, "env")),
               *file = json_string_value(json_object_get(v, "file"));
    if (json_is_string(v) && json_string_length(v) && f->open) {
        config_fault(&c->faults, place, path,
                     "a plain secret in a file that others can read: chmod 600 %s, or write {env: NAME} or "
                     "{file: PATH}",
                     f->doc.file);
        return NULL;
    }
    if (json_is_string(v))
        return json_incref(v);
    if (json_object_size(v) == 1 && env)
        return secret_env(c, place, path, env);
    if (json_object_size(v) == 1 && file)
        return secret_file(c, place, path, file);
    config_fault(&c->faults, place, path, "expected text, {env: NAME} or {file: PATH}");
    return NULL;
}
