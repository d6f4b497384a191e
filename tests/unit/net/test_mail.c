/* Mail: what arrives at the relay, and what is refused before it leaves. */
#include "net/net.h"
#include "base/enc.h"
#include "unit.h"
#include "server_test.h"

static void smtp(struct script_server *s, int fd)
{
    size_t from;
    script_say(fd, "220 test\r\n");
    for (bool more = true; more;) {
        from = s->nheard;
        if (script_until(s, fd, from, "\r\n") != 0)
            return;
        s->heard[s->nheard] = '\0';
        const char *line = s->heard + from;
        if (strncmp(line, "DATA", 4) == 0) {
            script_say(fd, "354 go\r\n");
            if (script_until(s, fd, s->nheard, "\r\n.\r\n") != 0)
                return;
            script_say(fd, "250 ok\r\n");
        } else {
            more = strncmp(line, "QUIT", 4) != 0;
            script_say(fd, strncmp(line, "RCPT TO:<nobody", 15) == 0 ? "550 no\r\n" : "250 ok\r\n");
        }
    }
}

static const struct {
    const char *what, *from, *to, *subject;
    err_t want;
} rows[] = {
    {"plain", "no-reply@example.com", "ann@example.org", "Hello", ERR_OK},
    {"named", "mereau <no-reply@example.com>", "ann@example.org", "Hello", ERR_OK},
    {"not ASCII", "M\xc3\xa9reau <no-reply@example.com>", "ann@example.org",
     "Gr\xc3\xbc\xc3\x9f"
     "e aus dem Haus mit einem sehr langen Betreff, der umbricht \xe2\x82\xac",
     ERR_OK},
    {"relay says no", "no-reply@example.com", "nobody@example.org", "Hello", ERR_NET},
    {"line break in the subject", "no-reply@example.com", "ann@example.org", "Hello\r\nBcc: x@example.org",
     ERR_PARAM_BAD},
    {"line break in to", "no-reply@example.com", "ann@example.org\r\nRCPT TO:<x@example.org>", "Hello",
     ERR_PARAM_BAD},
    {"two recipients", "no-reply@example.com", "ann@example.org,bob@example.org", "Hello", ERR_PARAM_BAD},
    {"closing bracket", "no-reply@example.com", "ann@example.org> NOTIFY=NEVER", "Hello", ERR_PARAM_BAD},
    {"two ats", "no-reply@example.com", "ann@bob@example.org", "Hello", ERR_PARAM_BAD},
    {"no at", "no-reply@example.com", "ann", "Hello", ERR_PARAM_BAD},
    {"nothing", "no-reply@example.com", "", "Hello", ERR_PARAM_BAD},
    {"bad from", "mereau <no-reply>", "ann@example.org", "Hello", ERR_PARAM_BAD},
    {"quote in the name", "a\" <x@y> b <no-reply@example.com>", "ann@example.org", "Hello", ERR_PARAM_BAD},
};

static const char letter[] = "Dear Ann,\n.\nhttps://auth.example/reset?t=1\n";

static void check_arrived(struct script_server *s, struct arena *a, size_t i)
{
    const char *body = strstr(s->heard, "\r\n\r\n");
    struct str text;
    CHECK_ROW(strstr(s->heard, "MAIL FROM:<no-reply@example.com>") != NULL, rows[i].what);
    CHECK_ROW(strstr(s->heard, "RCPT TO:<ann@example.org>") != NULL, rows[i].what);
    CHECK_ROW(strstr(s->heard, "\r\nDate: ") && strstr(s->heard, " +0000\r\n") &&
                  strstr(s->heard, "\r\nMessage-ID: <"),
              rows[i].what);
    CHECK_ROW(strstr(s->heard, "@example.com>\r\n") != NULL, rows[i].what);
    for (const char *p = s->heard; *p; p++)
        if ((unsigned char)*p >= 0x80) {
            CHECK_ROW(!"only ASCII on the wire", rows[i].what);
            break;
        }
    CHECK_ROW(body &&
                  dec_b64(a, (struct str){body + 4, (size_t)(strstr(body + 4, "\r\n") - body - 4)}, &text),
              rows[i].what);
    CHECK_ROW(str_is(text, letter), rows[i].what);
}

int main(void)
{
    const struct net_config cfg = {.ca_file = NULL};
    struct net *n = net_new(&cfg);
    struct arena *a = arena_new(4 * 1024 * 1024);
    struct script_server s = {.talk = smtp};
    char url[64];
    script_start(&s);
    snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", s.port);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct net_mail m = {.smtp_url = url,
                                   .from = str_z(rows[i].from),
                                   .to = str_z(rows[i].to),
                                   .subject = str_z(rows[i].subject),
                                   .text = STR(letter)};
        struct fault f = {.code = ERR_OK};
        int before = s.connections;
        CHECK_ROW(net_send_mail(n, &m, a, &f) == rows[i].want, rows[i].what);
        script_settle(&s);
        CHECK_ROW(s.connections - before == (rows[i].want == ERR_PARAM_BAD ? 0 : 1), rows[i].what);
        if (rows[i].want == ERR_OK)
            check_arrived(&s, a, i);
    }
    CHECK(strstr(s.heard, "From: ") == NULL || strstr(s.heard, "\r\nBcc") == NULL);
    script_stop(&s);
    net_free(&n);
    arena_free(&a);
    return unit_end("mail");
}
