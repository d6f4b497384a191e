/* Secrets that a configuration names instead of holding: {env: NAME} and {file: PATH}. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/field_value.h"
#include "base/file.h"
#include "base/limits.h"

static size_t longest(const struct field *f)
{
    return f->max ? f->max : LIMIT_TEXT;
}

static err_t from_env(const struct fill *c, const char *name)
{
    const char *value = getenv(name);
    if (!value || !value[0])
        return field_fault(c, ERR_PARAM_BAD,
                           "is expected in the environment variable %.80s, which is not set", name);
    return field_set_text(c, str_z(value));
}

/* Editors end a file with a line end that is no part of the secret. */
static struct str without_line_end(struct str s)
{
    if (s.n > 0 && s.p[s.n - 1] == '\n')
        s.n--;
    if (s.n > 0 && s.p[s.n - 1] == '\r')
        s.n--;
    return s;
}

static err_t from_file(const struct fill *c, const char *path)
{
    struct stat st;
    size_t max = longest(c->field) + 3; /* its line end, and one byte to see that it is too long */
    char *p = arena_alloc(c->arena, max);
    if (!p)
        return ERR_MEMORY;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return field_fault(c, ERR_PARAM_BAD, "is expected in the file %.80s, which cannot be opened: %s",
                           path, strerror(errno));
    bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    ssize_t n = is_file ? file_read(fd, p, max) : -1;
    close(fd);
    if (n < 0)
        return field_fault(c, ERR_PARAM_BAD, "is expected in the file %.80s, which cannot be read", path);
    return field_set_text(c, without_line_end((struct str){p, (size_t)n}));
}

err_t field_set_secret_ref(const struct fill *c, const json_t *ref)
{
    static const struct {
        const char *key;
        err_t (*set)(const struct fill *c, const char *value);
    } sources[] = {{"env", from_env}, {"file", from_file}};
    if (!(c->options & FIELDS_SECRET_REFS))
        return field_fault(c, ERR_PARAM_BAD, "must be a string");
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        const char *value = json_string_value(json_object_get(ref, sources[i].key));
        if (value && value[0] && json_object_size(ref) == 1)
            return sources[i].set(c, value);
    }
    return field_fault(c, ERR_PARAM_BAD, "must be a string, {env: NAME} or {file: PATH}");
}
