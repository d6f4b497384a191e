/* The control socket: how a command line speaks to the running server. One request (JSON) and then frames
 * until the one with the exit status. A frame is one byte of kind, four of length (big-endian), and the
 * bytes. The server's side, which accepts and looks at the peer's uid, is app/control.c. */
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

static bool recv_all(int fd, char *p, size_t n)
{
    while (n) {
        ssize_t r = recv(fd, p, n, 0);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return false;
        p += r;
        n -= (size_t)r;
    }
    return true;
}

bool cli_frame_send(int fd, char kind, struct str text)
{
    uint32_t n = (uint32_t)text.n;
    char head[5] = {kind, (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
    return text.n <= UINT32_MAX && send_all(fd, head, sizeof head) && send_all(fd, text.p, text.n);
}

bool cli_frame_recv(int fd, struct arena *a, size_t max, char *ret_kind, struct str *ret_text)
{
    unsigned char head[5];
    if (!recv_all(fd, (char *)head, sizeof head))
        return false;
    size_t n = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
    char *p = n <= max ? arena_alloc(a, n + 1) : NULL;
    if (!p || !recv_all(fd, p, n))
        return false;
    *ret_kind = (char)head[0];
    *ret_text = (struct str){p, n};
    return true;
}

int cli_connect(const char *data_dir)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int n = snprintf(addr.sun_path, sizeof addr.sun_path, "%s/control.sock", data_dir);
    if (n < 0 || (size_t)n >= sizeof addr.sun_path)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

err_t cli_request_write(const struct cli_line *l, const struct cli_place *place, struct str input,
                        struct buf *out)
{
    struct jw w;
    jw_init(&w, out);
    jw_open(&w, '{');
    jw_m_str(&w, "words", str_z(l->command->words));
    jw_m_str(&w, "cwd", str_z(place->cwd));
    jw_m_bool(&w, "json", l->json);
    jw_key(&w, "args");
    jw_open(&w, '[');
    for (int i = 0; i < l->argc; i++)
        jw_str(&w, str_z(l->argv[i]));
    jw_close(&w, ']');
    jw_key(&w, "options");
    jw_open(&w, '{');
    for (size_t i = 0; i < l->noptions; i++)
        jw_m_str(&w, l->options[i].name, l->options[i].value);
    jw_close(&w, '}');
    jw_m_str(&w, "input", input);
    jw_close(&w, '}');
    return buf_ok(out) ? ERR_OK : ERR_MEMORY;
}

static char *text_of(struct arena *a, const json_t *v)
{
    return json_is_string(v) ? (char *)(uintptr_t)arena_cstr(a, json_str(v)) : NULL;
}

static err_t read_doc(struct arena *a, const json_t *doc, struct cli_request *ret)
{
    const json_t *args = json_object_get(doc, "args"), *options = json_object_get(doc, "options");
    ret->words = text_of(a, json_object_get(doc, "words"));
    ret->place.cwd = text_of(a, json_object_get(doc, "cwd"));
    ret->line.json = json_is_true(json_object_get(doc, "json"));
    ret->input = arena_str(a, json_str(json_object_get(doc, "input")));
    if (!ret->words || json_array_size(args) > LIMIT_CLI_ARGS || json_object_size(options) > LIMIT_CLI_ARGS)
        return ERR_JSON;
    size_t i;
    json_t *v;
    json_array_foreach(args, i, v)
    {
        char *text = text_of(a, v);
        if (!text)
            return ERR_JSON;
        ret->line.argv[ret->line.argc++] = text;
    }
    const char *key;
    json_object_foreach((json_t *)(uintptr_t)options, key, v)
    {
        struct cli_option_value o = {arena_cstr(a, str_z(key)), arena_str(a, json_str(v))};
        if (!o.name || !o.value.p)
            return ERR_JSON;
        ret->line.options[ret->line.noptions++] = o;
    }
    return ERR_OK;
}

err_t cli_request_read(struct arena *a, struct str text, struct cli_request *ret)
{
    json_t *doc;
    *ret = (struct cli_request){0};
    TRY(json_load(text, &doc));
    err_t e = json_is_object(doc) ? read_doc(a, doc, ret) : ERR_JSON;
    json_decref(doc);
    return e;
}

static bool put(int fd, struct str text)
{
    while (text.n) {
        ssize_t w = write(fd, text.p, text.n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        text = (struct str){text.p + w, text.n - (size_t)w};
    }
    return true;
}

int cli_call_server(int fd, struct str request, int out_fd, int err_fd)
{
    if (cli_frame_send(fd, 'q', request)) {
        struct arena *a = arena_new(LIMIT_CLI_OUT + 4096);
        for (;;) {
            char kind;
            struct str text;
            if (!a || !cli_frame_recv(fd, a, LIMIT_CLI_OUT, &kind, &text))
                break;
            if (kind == 'x') {
                int status = text.n ? (unsigned char)text.p[0] : 1;
                arena_free(&a);
                return status;
            }
            put(kind == 'e' ? err_fd : out_fd, text);
            arena_reset(a);
        }
        arena_free(&a);
    }
    put(err_fd, STR("mereau: the server ended before it answered\n"));
    return 1;
}
