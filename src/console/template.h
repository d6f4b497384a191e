/* Templates of the pages: HTML files with {{names}}, embedded at build, rendered over a JSON value.
 * {{x}} escaped, {{{x}}} as it is, {{#x}}..{{/x}} for each element of an array (or once for an object or anything true),
 * {{^x}}..{{/x}} when x is absent, false or empty, {{>file}} another template, {{.}} the element itself.
 * The templates are ours, so their form is trusted; the values are not. */
#pragma once
#include "base/buf.h"
#include <jansson.h>

struct asset {
    const char *name, *content_type;
    const unsigned char *p;
    size_t n;
    const char *etag;
};
extern const struct asset console_assets[]; /* made by embed.py; ends with a NULL name */
const struct asset *console_asset(struct str name);

/* Appends template `name` ("signin.html"). Unknown names and unbalanced sections render as nothing. */
void template_render(const char *name, const json_t *data, struct buf *out);
