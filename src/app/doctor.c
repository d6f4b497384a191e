/* mereau doctor: a table of checks, each of which says what it found. Runs where the store is: in the server,
 * so that it sees what that one sees, or here. */
#include "app/commands.h"
#include "app/first_admin.h"
#include "token/tenant.h"
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

enum finding { FINE, RISKY, WRONG };
struct doctor {
    struct cli_call *call;
    const struct settings *settings;
    struct app *app; /* NULL: no store could be opened */
    char text[512];
};
#define FOUND(d, what, ...) (snprintf((d)->text, sizeof(d)->text, __VA_ARGS__), (what))

static enum finding check_issuer(struct doctor *d)
{
    const struct settings *s = d->settings;
    if (str_starts(s->issuer, STR("http://")))
        return FOUND(d, RISKY, "%.*s: clients on other machines cannot use a plain http issuer",
                     STR_ARG(s->issuer));
    if (!s->tls_certificate.n && !s->trusted_proxies.n)
        return FOUND(d, RISKY,
                     "%.*s, but neither tls.certificate nor trusted_proxies is set: addresses in logs and "
                     "limits are the proxy's",
                     STR_ARG(s->issuer));
    return FOUND(d, FINE, "%.*s", STR_ARG(s->issuer));
}

static enum finding check_data(struct doctor *d)
{
    const char *dir = d->call->place->data_dir;
    struct stat st;
    if (stat(dir, &st) < 0)
        return FOUND(d, RISKY, "%s: %s", dir, strerror(errno));
    if (st.st_mode & 022)
        return FOUND(d, WRONG, "%s can be written by others (mode %04o): chmod 700 it", dir,
                     (unsigned)st.st_mode & 07777);
    if (st.st_mode & 055)
        return FOUND(d, RISKY, "%s can be listed by others (mode %04o): chmod 700 it", dir,
                     (unsigned)st.st_mode & 07777);
    return FOUND(d, FINE, "%s", dir);
}

static enum finding check_master_key(struct doctor *d)
{
    if (d->app && d->app->master_in_data)
        return FOUND(d, RISKY,
                     "it lies in the data directory, beside what it protects: move it and name it in "
                     "server.master_key_file");
    return FOUND(d, FINE, "%s",
                 d->app ? "it is this store's, and lies outside the data directory"
                        : "not looked at: no store is open");
}

static enum finding check_disk(struct doctor *d)
{
    struct statvfs v;
    if (statvfs(d->call->place->data_dir, &v) < 0)
        return FOUND(d, RISKY, "%s", strerror(errno));
    long long mib = (long long)v.f_bavail * (long long)v.f_frsize >> 20;
    return FOUND(d, mib < 100 ? WRONG : mib < 1024 ? RISKY : FINE, "%lld MiB are free", mib);
}

static enum finding check_clock(struct doctor *d)
{
    struct timex t = {0};
    int64_t now = clock_wall_s(&clock_system);
    if (now < 1700000000)
        return FOUND(d, WRONG, "the clock says a time before 2023");
    if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC))
        return FOUND(d, RISKY, "the kernel says that the clock is not synchronised (NTP)");
    return FOUND(d, FINE, "synchronised");
}

static enum finding check_files(struct doctor *d)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0)
        return FOUND(d, RISKY, "%s", strerror(errno));
    long long most = (long long)l.rlim_max,
              wanted = d->settings->connections ? d->settings->connections : 20000;
    if (most < wanted + 512)
        return FOUND(
            d, RISKY,
            "at most %lld open files allow fewer than the %lld connections wanted (LimitNOFILE=, ulimit -n)",
            most, wanted);
    return FOUND(d, FINE, "at most %lld", most);
}

static enum finding check_store(struct doctor *d)
{
    struct fault f = {0};
    if (!d->app)
        return FOUND(d, RISKY, "there is none, or it could not be opened");
    if (store_check(d->call->op->db, &f) != ERR_OK)
        return FOUND(d, WRONG, "%s", f.detail[0] ? f.detail : "it is damaged");
    int others = store_others(d->call->op->core->store);
    return others ? FOUND(d, FINE, "whole; %d other server%s on it", others, others == 1 ? "" : "s") : FOUND(d, FINE, "whole");
}

static enum finding check_demo(struct doctor *d)
{
    struct str tenant = STR_NONE;
    if (!d->app)
        return FOUND(d, FINE, "not looked at");
    if (desired_demo_tenant(d->call->op, &tenant) != ERR_OK)
        return FOUND(d, RISKY, "the tenants could not be read");
    return tenant.p ? FOUND(d, RISKY, "the tenant \"%.*s\" holds demo objects; the server keeps to loopback",
                            STR_ARG(tenant))
                    : FOUND(d, FINE, "none");
}

static enum finding check_admin(struct doctor *d)
{
    bool there = false;
    if (!d->app)
        return FOUND(d, FINE, "not looked at");
    err_t e = tenant_use(d->call->op, STR(TENANT_DEFAULT));
    if (e != ERR_OK || first_admin_exists(d->call->op, &there) != ERR_OK)
        return FOUND(d, RISKY, "the accounts could not be read");
    return there ? FOUND(d, FINE, "there is one")
                 : FOUND(d, RISKY, "there is none: `mereau user first-admin` makes a link");
}

static const struct {
    const char *name;
    enum finding (*check)(struct doctor *d);
} checks[] = {
    {"issuer", check_issuer}, {"data directory", check_data}, {"master key", check_master_key},
    {"disk", check_disk},     {"clock", check_clock},         {"open files", check_files},
    {"store", check_store},   {"demo objects", check_demo},   {"administrator", check_admin},
};

int app_doctor(struct cli_call *c)
{
    static const char *const words[] = {"ok", "warn", "WRONG"};
    struct app_host *host = c->host;
    struct doctor d = {.call = c, .settings = &host->config->settings, .app = c->op ? host->app : NULL};
    struct jw w;
    int status = 0;
    jw_init(&w, c->out);
    if (c->json)
        jw_open(&w, '[');
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        enum finding found = checks[i].check(&d);
        status |= found == WRONG;
        if (!c->json) {
            buf_fmt(c->out, "%-6s %-15s %s\n", words[found], checks[i].name, d.text);
            continue;
        }
        jw_open(&w, '{');
        jw_m_str(&w, "check", str_z(checks[i].name));
        jw_m_str(&w, "result", str_z(found == WRONG ? "wrong" : words[found]));
        jw_m_str(&w, "text", str_z(d.text));
        jw_close(&w, '}');
    }
    if (c->json) {
        jw_close(&w, ']');
        buf_char(c->out, '\n');
    }
    return status;
}
