/* The error table as arrays, and the one place where a fault is written down. See err.h, err.def. */
#include "base/err.h"

#include <stdio.h>

#include "base/log.h"

static const struct {
    const char *name, *oauth, *text;
    int http, level;
} rows[ERR_COUNT] = {
#define E(code, http, oauth, level, text) {#code, oauth, text, http, LOG_##level},
#include "base/err.def"
#undef E
};

/* An unknown number can only come from our own mistake. */
static size_t row(err_t e)
{
    return (size_t)e < ERR_COUNT ? (size_t)e : ERR_INTERNAL;
}

const char *err_name(err_t e)
{
    return rows[row(e)].name;
}

int err_http(err_t e)
{
    return rows[row(e)].http;
}

const char *err_oauth(err_t e)
{
    return rows[row(e)].oauth;
}

const char *err_text(err_t e)
{
    return rows[row(e)].text;
}

int err_level(err_t e)
{
    return rows[row(e)].level;
}

err_t fault_set(struct fault *f, err_t code, const char *param, const char *fmt, ...)
{
    if (!f || f->code != ERR_OK)
        return code;
    f->code = code;
    snprintf(f->param, sizeof(f->param), "%s", param ? param : "");
    va_list args;
    va_start(args, fmt);
    vsnprintf(f->detail, sizeof(f->detail), fmt, args);
    va_end(args);
    return code;
}
