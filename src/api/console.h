/* The console's parameters; its handlers stand in endpoints.def. */
#pragma once
#include "api/page.h"

struct console_object_params {
    struct str name; /* zero: a new one */
    struct str csrf; /* POST only */
    int64_t version; /* POST: what the form was made from; 0: a new one */
};
struct console_action_params {
    struct str name, action, csrf;
    struct str node, id; /* action revoke: what; action rotate: node is the algorithm */
};
extern const struct fields console_object_fields, console_action_fields;

/* --- console.c --- */
/* A page's data with the places of the console beside its own; here: the segment of the place it stands in. */
json_t *console_data(struct call *c, struct str title, struct str here);
struct str console_kind_title(struct call *c, const struct object_kind *k, bool plural);

/* --- console_form.c --- */
/* Adds the row that shows field f of `object` (NULL: its default) to a form, if a form has room for it. */
void console_field(struct call *c, json_t *rows, const struct field *f, const json_t *object, bool is_new);
/* What the form says, as a document for object_put; the caller's. */
json_t *console_form_json(struct call *c, const struct object_kind *k, bool is_new);

/* --- console_object.c --- */
/* The object's page; note: "error", "done", "secret" or NULL, with its text. */
err_t console_show_stored(struct call *c, const struct object_kind *k, struct str name, const char *note, struct str note_text);
