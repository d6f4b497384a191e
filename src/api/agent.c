/* A browser's User-Agent in words that a person knows: "Firefox on Windows". Only a name to recognise it by, never a proof. */
#include "api/page.h"

struct mark {
    const char *text, *name;
};

/* The first that is found counts: most browsers name others beside themselves. */
static const struct mark browsers[] = {
    {"Edg", "Edge"},         {"OPR/", "Opera"},       {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"},
    {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},   {"CriOS/", "Chrome"},                    {"HeadlessChrome/", "Chrome"},
    {"Chromium/", "Chrome"}, {"Chrome/", "Chrome"},   {"Safari/", "Safari"},                   {"curl/", "curl"},
};
static const struct mark systems[] = {
    {"Android", "Android"},  {"iPhone", "iPhone"},    {"iPad", "iPad"},   {"Windows", "Windows"},
    {"CrOS", "ChromeOS"},    {"Mac OS X", "macOS"},   {"Linux", "Linux"}, {"FreeBSD", "FreeBSD"},
};

static const char *first_of(struct str agent, const struct mark *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memmem(agent.p, agent.n, v[i].text, strlen(v[i].text)))
            return v[i].name;
    return NULL;
}

struct str page_browser_name(struct call *c, struct str agent)
{
    const char *browser = agent.n ? first_of(agent, browsers, sizeof(browsers) / sizeof(browsers[0])) : NULL;
    const char *system = agent.n ? first_of(agent, systems, sizeof(systems) / sizeof(systems[0])) : NULL;
    if (!browser)
        return agent;
    return system ? arena_fmt(c->op.arena, "%s on %s", browser, system) : str_z(browser);
}
