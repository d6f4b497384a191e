/* What no single setting can say: the issuer's form, addresses, settings that need each other. */
#include "app/config_parts.h"
#include <arpa/inet.h>
#include <stdio.h>

/* `what` goes where fmt's one %s stands. */
static void fault_at(struct config *c, enum setting s, const char *fmt, const char *what)
{
    const char *path = arena_fmt(c->arena, "server.%s", config_fields.v[s].name).p;
    char text[256];
    const char *at = strstr(fmt, "%s");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at ? (size_t)(at - fmt) : strlen(fmt)), fmt,
             at && what ? what : "", at ? at + 2 : "");
    config_fault(&c->faults, c->origin[s], path ? path : "", "%s", text);
}

bool config_is_loopback(struct str host_port)
{
    static const char *const hosts[] = {"localhost", "[::1]"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct str h = str_z(hosts[i]);
        if (str_starts(host_port, h) && (host_port.n == h.n || host_port.p[h.n] == ':'))
            return true;
    }
    char host[INET_ADDRSTRLEN];
    struct in_addr v4;
    size_t n = str_find(host_port, ':');
    snprintf(host, sizeof host, "%.*s", (int)(n < sizeof host ? n : 0), n ? host_port.p : "");
    return str_starts(host_port, STR("unix:")) ||
           (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

static bool plain_url(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f || strchr("\"<>\\^`{|}?#@", s.p[i]))
            return false;
    return true;
}

static bool has_upper(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return true;
    return false;
}

static void check_issuer(struct config *c)
{
    struct str s = c->settings.issuer;
    bool https = str_starts(s, STR("https://")), http = str_starts(s, STR("http://"));
    size_t skip = https ? 8 : 7;
    if ((!https && !http) || s.n == skip || !plain_url(s)) {
        fault_at(c, SETTING_issuer, "expected https://HOST, without query or fragment", NULL);
        return;
    }
    struct str rest = {s.p + skip, s.n - skip}, host = {rest.p, str_find(rest, '/')};
    if (s.p[s.n - 1] == '/')
        fault_at(c, SETTING_issuer,
                 "an issuer has no slash at its end, as clients compare it letter by letter: write %s",
                 arena_fmt(c->arena, "%.*s", (int)(s.n - 1), s.p).p);
    else if (host.n != rest.n)
        fault_at(c, SETTING_issuer, "expected no path behind the host", NULL);
    else if (http && !config_is_loopback(host))
        fault_at(
            c, SETTING_issuer,
            "http is for 127.0.0.1, [::1] and localhost; everywhere else it is https (behind a proxy, too)",
            NULL);
    else if (has_upper(host))
        fault_at(c, SETTING_issuer, "expected the host in lower case", NULL);
}

static bool address_ok(struct str s)
{
    int64_t port;
    if (str_starts(s, STR("unix:")) || str_starts(s, STR("fd:")))
        return s.n > 5;
    size_t colon = s.n;
    while (colon && s.p[colon - 1] != ':')
        colon--;
    struct str host = {s.p, colon ? colon - 1 : 0};
    bool v6 = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    return host.n && (v6 || str_find(host, ':') == host.n) &&
           str_to_int((struct str){s.p + colon, s.n - colon}, &port) && port >= 0 && port <= 65535;
}

static void check_addresses(struct config *c, enum setting s, struct strs list)
{
    for (size_t i = 0; i < list.n; i++)
        if (!address_ok(list.v[i]))
            fault_at(c, s, "expected HOST:PORT, [V6]:PORT or unix:PATH, not \"%s\"",
                     arena_cstr(c->arena, list.v[i]));
}

void config_check(struct config *c)
{
    const struct settings *s = &c->settings;
    check_issuer(c);
    check_addresses(c, SETTING_listen, s->listen);
    check_addresses(c, SETTING_management, s->management);
    if (!s->data.n)
        fault_at(c, SETTING_data, "expected a folder", NULL);
    if (!str_starts(s->store, STR("postgresql://")) && !str_starts(s->store, STR("postgres://")) && !str_is(s->store, "sqlite"))
        fault_at(c, SETTING_store, "expected %s", "sqlite or postgresql://...");
    if (!s->tls_certificate.n != !s->tls_key.n)
        fault_at(c, s->tls_key.n ? SETTING_tls_key : SETTING_tls_certificate, "%s go together",
                 "tls.certificate and tls.key");
    bool smtp = str_starts(s->mail_smtp_url, STR("smtp://")) || str_starts(s->mail_smtp_url, STR("smtps://"));
    if (s->mail_smtp_url.n && !smtp)
        fault_at(c, SETTING_mail_smtp_url, "expected smtp://HOST:PORT or smtps://HOST:PORT", NULL);
    if (s->mail_smtp_url.n && !s->mail_from.n)
        fault_at(c, SETTING_mail_smtp_url, "mail needs a sender: set %s", "server.mail.from");
}

void config_check_plain(struct config *c)
{
    const struct settings *s = &c->settings;
    for (size_t i = 0; i < s->listen.n && !s->tls_certificate.n && !s->trusted_proxies.n; i++)
        if (!config_is_loopback(s->listen.v[i]) && !str_starts(s->listen.v[i], STR("fd:")))
            fault_at(c, SETTING_listen,
                     "\"%s\" is not a loopback address: name tls.certificate and tls.key, or the proxy "
                     "before it in trusted_proxies",
                     arena_cstr(c->arena, s->listen.v[i]));
}
