/* YAML (libyaml) as a JSON tree, and the line each node stands on. Strict: one document, duplicate keys
 * refused, tags refused, aliases bounded in number and in what they expand to, depth and nodes bounded. Plain
 * scalars follow YAML 1.2's core schema (true, false, null, ~, decimal numbers); everything else, "yes" and
 * "0777" included, is text. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include <jansson.h>

struct yaml_line {
    const char *path; /* "tenants.default.clients[0].scope" */
    int line;
};
struct yaml_doc {
    const char *file;
    json_t *root;                  /* the caller json_decref()s; an object (an empty file is an empty one) */
    const struct yaml_line *lines; /* by path */
    size_t nlines;
};
/* ERR_CONFIG with "FILE:LINE: what was expected" in f->detail. file and everything in ret lives in the arena.
 */
err_t yaml_parse(struct arena *a, const char *file, struct str text, struct yaml_doc *ret, struct fault *f);
/* The line of a path, or of the nearest node above it. */
int yaml_line(const struct yaml_doc *d, const char *path);
/* A decimal number as YAML 1.2's core schema has it; *ret_real: not a whole one. "007" is none. */
bool yaml_is_number(const char *s, bool *ret_real);
/* Block-style YAML of a JSON value, with a comment before it (lines without '#'; may be empty). */
err_t yaml_print(const json_t *v, const char *comment, struct buf *out);
