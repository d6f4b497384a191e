/* An HTTP request to somebody else's server: bounded in time, headers and body; redirects are answers like
 * any other. */
#include "net/internal.h"
#include <stdlib.h>

#define RESPONSE_MAX (256 * 1024)
#define HEADER_MAX   (32 * 1024)

struct fetch {
    struct transfer transfer;
    struct buf body;
    size_t header_bytes;
    int64_t max_age_s;
};

static size_t on_body(char *p, size_t one, size_t n, void *ctx)
{
    struct fetch *x = ctx;
    (void)one;
    buf_add(&x->body, p, n);
    return buf_ok(&x->body) ? n : 0;
}

/* max-age of a Cache-Control header (RFC 9111 section 5.2.2); no-store and no-cache are 0. */
static int64_t max_age(struct str value, int64_t before)
{
    struct str part;
    while (str_word(&value, ',', &part)) {
        struct str name = {part.p, str_find(part, '=')};
        struct str arg = {part.p + name.n, part.n - name.n};
        int64_t s;
        while (name.n && (name.p[0] == ' ' || name.p[0] == '\t'))
            name = (struct str){name.p + 1, name.n - 1};
        if (str_eq_nocase(name, STR("no-store")) || str_eq_nocase(name, STR("no-cache")))
            return 0;
        if (str_eq_nocase(name, STR("max-age")) && arg.n > 1 &&
            str_to_int((struct str){arg.p + 1, arg.n - 1}, &s) && s >= 0)
            before = s;
    }
    return before;
}

static size_t on_header(char *p, size_t one, size_t n, void *ctx)
{
    struct fetch *x = ctx;
    struct str line = {p, n}, name = {p, str_find(line, ':')};
    (void)one;
    x->header_bytes += n;
    if (x->header_bytes > HEADER_MAX)
        return 0;
    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n' || line.p[line.n - 1] == ' '))
        line.n--;
    if (name.n < line.n && str_eq_nocase(name, STR("cache-control")))
        x->max_age_s = max_age((struct str){p + name.n + 1, line.n - name.n - 1}, x->max_age_s);
    return n;
}

static bool add_headers(struct arena *a, struct strs headers, struct curl_slist **list)
{
    static const char *const ours[] = {"Expect:", "User-Agent: mereau/" MEREAU_VERSION};
    for (size_t i = 0; i < headers.n + 2; i++) {
        const char *z = i < 2 ? ours[i] : arena_cstr(a, headers.v[i - 2]);
        struct curl_slist *longer = z && !strpbrk(z, "\r\n") ? curl_slist_append(*list, z) : NULL;
        if (!longer)
            return false;
        *list = longer;
    }
    return true;
}

static bool set_up(struct fetch *x, const struct net_request *r, struct curl_slist *headers)
{
    CURL *c = x->transfer.curl;
    bool ok = curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_WRITEDATA, x) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_HEADERDATA, x) == CURLE_OK;
    if (ok && strcmp(r->method, "GET") != 0)
        ok = curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.p ? r->body.p : "") == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK;
    return ok;
}

err_t net_fetch(struct net *n, const struct net_request *r, struct arena *a, struct net_response *ret,
                struct fault *f)
{
    struct fetch x = {.max_age_s = -1, .transfer = {.secure = str_starts(r->url, STR("https:"))}};
    struct curl_slist *headers = NULL;
    TRY(net_url_check(n, r->url, f));
    const char *url = arena_cstr(a, r->url);
    buf_init(&x.body, a, r->response_max ? r->response_max : RESPONSE_MAX);
    err_t e = url ? transfer_begin(&x.transfer, n, url, "http,https", r->timeout_ms) : ERR_MEMORY;
    if (e == ERR_OK && (!add_headers(a, r->headers, &headers) || !set_up(&x, r, headers)))
        e = ERR_MEMORY;
    if (e == ERR_OK)
        e = transfer_run(&x.transfer, r->kind, f);
    if (e == ERR_OK) {
        long status = 0;
        curl_easy_getinfo(x.transfer.curl, CURLINFO_RESPONSE_CODE, &status);
        *ret =
            (struct net_response){.status = (int)status, .body = buf_view(&x.body), .max_age_s = x.max_age_s};
    }
    transfer_end(&x.transfer);
    curl_slist_free_all(headers);
    return e;
}
