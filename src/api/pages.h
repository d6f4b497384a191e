/* The parameters that the pages' handlers take; the handlers stand in endpoints.def. */
#pragma once
#include "api/page.h"

struct signin_params {
    struct str username, password, csrf, next, link;
};
struct signin_back_params {
    struct str code, state, iss, error;
};
struct consent_params {
    struct str next, decision, csrf;
};
struct csrf_params {
    struct str csrf;
};
struct revoke_item_params {
    struct str kind, id, csrf;
};
struct new_key_params {
    struct str name, permissions, csrf;
    int64_t days;
};
struct password_params {
    struct str old_password, new_password, csrf;
};
struct link_params {
    struct str username, password, csrf;
};
struct userinfo_params {
    struct str access_token;
};
extern const struct fields userinfo_fields; /* api/oauth.c */
extern const struct fields signin_back_fields; /* api/pages_outside.c */
extern const struct fields signin_page_fields, signin_fields, consent_fields, csrf_fields, revoke_item_fields, new_key_fields, password_fields,
    link_fields;
