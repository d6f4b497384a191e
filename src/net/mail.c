/* A text mail by SMTP (RFC 5321, 5322): one recipient, UTF-8, base64, no attachment. */
#include "net/internal.h"
#include "base/clock.h"
#include "base/enc.h"
#include <stdio.h>
#include <sys/random.h>

#define MAIL_MAX    (256 * 1024)
#define ADDRESS_MAX 254 /* RFC 5321 section 4.5.3.1 */
#define LINE_BYTES  57  /* of data in a line of 76 */
#define WORD_BYTES  42  /* of data in an encoded word of 75 (RFC 2047 section 2) */

struct letter {
    struct str text;
    size_t sent;
};

static size_t on_read(char *p, size_t one, size_t n, void *ctx)
{
    struct letter *l = ctx;
    size_t left = l->text.n - l->sent, take = left < n * one ? left : n * one;
    if (take)
        memcpy(p, l->text.p + l->sent, take);
    l->sent += take;
    return take;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    return false;
}

/* local@domain and nothing that could become another recipient or command. */
static bool bare_address(struct str s)
{
    size_t at = str_find(s, '@');
    if (s.n > ADDRESS_MAX || at == 0 || at + 1 >= s.n || has_control(s) || !str_is_utf8(s))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (strchr(" <>,;:\"()[]\\", s.p[i]) || (s.p[i] == '@' && i != at))
            return false;
    return true;
}

/* "mereau <no-reply@example.com>" or the address alone. */
static bool from_parts(struct str from, struct str *ret_name, struct str *ret_address)
{
    size_t open = str_find(from, '<');
    *ret_name = STR_NONE;
    *ret_address = from;
    if (open < from.n && from.p[from.n - 1] == '>') {
        *ret_name = str_trim((struct str){from.p, open});
        *ret_address = (struct str){from.p + open + 1, from.n - open - 2};
    }
    return bare_address(*ret_address) && !has_control(*ret_name) && str_find(*ret_name, '"') == ret_name->n;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x7f)
            return false;
    return true;
}

/* A header's words, encoded where they are not plain (RFC 2047); cut between characters. */
static void add_words(struct buf *b, struct str s)
{
    if (is_ascii(s) && s.n < 900 && memmem(s.p ? s.p : "", s.n, "=?", 2) == NULL) {
        buf_str(b, s);
        return;
    }
    for (bool first = true; s.n; first = false) {
        size_t n = 0, step;
        while ((step = str_utf8_len((struct str){s.p + n, s.n - n})) > 0 && n + step <= WORD_BYTES)
            n += step;
        if (n == 0)
            return; /* not UTF-8: the rest is left out */
        buf_z(b, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        enc_b64(b, s.p, n);
        buf_z(b, "?=");
        s = (struct str){s.p + n, s.n - n};
    }
}

static void add_date(struct buf *b)
{
    char date[32];
    time_http_date(clock_wall_s(&clock_system), date);
    buf_fmt(b, "Date: %.*s +0000\r\n", (int)(strlen(date) - 4), date); /* " GMT" is obsolete in mail */
}

static err_t add_message_id(struct buf *b, struct str from)
{
    uint8_t id[16];
    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
        return ERR_IO;
    size_t at = str_find(from, '@');
    buf_z(b, "Message-ID: <");
    enc_hex(b, id, sizeof(id));
    buf_fmt(b, "%.*s>\r\n", (int)(from.n - at), from.p + at);
    return ERR_OK;
}

static err_t compose(const struct net_mail *m, struct str name, struct str from, struct buf *b)
{
    buf_z(b, "From: ");
    if (name.n && is_ascii(name))
        buf_fmt(b, "\"%.*s\" ", STR_ARG(name));
    else if (name.n) {
        add_words(b, name);
        buf_char(b, ' ');
    }
    buf_fmt(b, "<%.*s>\r\nTo: <%.*s>\r\nSubject: ", STR_ARG(from), STR_ARG(m->to));
    add_words(b, m->subject);
    buf_z(b, "\r\n");
    add_date(b);
    TRY(add_message_id(b, from));
    buf_z(b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
             "base64\r\n"
             "Auto-Submitted: auto-generated\r\n\r\n");
    for (size_t at = 0; at < m->text.n; at += LINE_BYTES) {
        enc_b64(b, m->text.p + at, m->text.n - at < LINE_BYTES ? m->text.n - at : LINE_BYTES);
        buf_z(b, "\r\n");
    }
    return buf_ok(b) ? ERR_OK : ERR_TOO_LARGE;
}

/* This machine: there a relay without TLS is as good as a pipe. */
static bool relay_is_here(const char *url)
{
    char *host = NULL;
    struct address a;
    struct range loop4, loop6;
    CURLU *u = curl_url();
    bool here = u && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
                curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    if (here && !net_is_localhost(str_z(host)))
        here = address_parse(str_z(host), &a) && range_parse(STR("127.0.0.0/8"), &loop4) &&
               range_parse(STR("::1"), &loop6) && (range_has(&loop4, &a) || range_has(&loop6, &a));
    curl_free(host);
    curl_url_cleanup(u);
    return here;
}

static bool set_up(CURL *c, const struct net_mail *m, const char *from, struct curl_slist *to,
                   struct letter *l)
{
    long tls = relay_is_here(m->smtp_url) ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL;
    bool ok = curl_easy_setopt(c, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_READDATA, l) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_USE_SSL, tls) == CURLE_OK;
    if (ok && m->username)
        ok = curl_easy_setopt(c, CURLOPT_USERNAME, m->username) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_PASSWORD, m->password ? m->password : "") == CURLE_OK;
    return ok;
}

err_t net_send_mail(struct net *n, const struct net_mail *m, struct arena *a, struct fault *f)
{
    struct str name, from;
    if (!from_parts(m->from, &name, &from))
        return fault_set(f, ERR_PARAM_BAD, "from", "that is not a mail address");
    if (!bare_address(m->to) || has_control(m->subject))
        return fault_set(f, ERR_PARAM_BAD, "to",
                         "that is not a mail address, or the subject holds a line break");
    struct buf b;
    buf_init(&b, a, MAIL_MAX);
    TRY(compose(m, name, from, &b));
    struct transfer t = {.anywhere = true, .secure = true};
    struct letter l = {.text = buf_view(&b)};
    const char *from_z = arena_cstr(a, from), *to_z = arena_cstr(a, m->to);
    struct curl_slist *to = to_z ? curl_slist_append(NULL, to_z) : NULL;
    err_t e = from_z && to ? transfer_begin(&t, n, m->smtp_url, "smtp,smtps", 30000) : ERR_MEMORY;
    if (e == ERR_OK && !set_up(t.curl, m, from_z, to, &l))
        e = ERR_MEMORY;
    if (e == ERR_OK)
        e = transfer_run(&t, "mail", f);
    transfer_end(&t);
    curl_slist_free_all(to);
    return e;
}
