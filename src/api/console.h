/* The console's parameters; its handlers stand in endpoints.def. */
#pragma once
#include "api/api.h"

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
