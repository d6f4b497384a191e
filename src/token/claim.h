/* Custom claims without code: configured objects of the kind "claim". The value is a template: JSON whose texts may hold
 * placeholders such as {user.email}, {user.attributes.department}, {client.client_id}. The kind and the form of templates are
 * here; oauth/claim_template.c fills them in. */
#pragma once
#include "token/object.h"

enum claim_token { CLAIM_ACCESS = 1, CLAIM_ID = 2, CLAIM_USERINFO = 4 };
struct claim {
    struct str name;
    const json_t *value;
    struct strs tokens;  /* "access", "id", "userinfo" */
    struct str scope;    /* only when this word was granted; empty: always */
    struct strs clients; /* only for these; empty: all */
    unsigned token_bits; /* tokens as bits; filled in the snapshot */
};
extern const struct object_kind kind_claim;
unsigned claim_token_bits(struct strs tokens);

/* One piece of a template's text. {{ and }} stand for the braces themselves. */
struct claim_piece {
    struct str literal;         /* set: these bytes; otherwise a placeholder {of.field} or {of.field.path} */
    struct str of, field, path; /* "user", "attributes", "department"; path may be STR_NONE */
};
/* Cuts the next piece off *rest, which must not be empty. False: a brace without its partner, or nothing sensible in it. */
bool claim_next(struct str *rest, struct claim_piece *ret);
/* Placeholders that are no fields of an object. */
enum claim_extra { CLAIM_EXTRA_NONE, CLAIM_USER_ID, CLAIM_USER_PERMISSIONS, CLAIM_TENANT_NAME, CLAIM_TENANT_ISSUER };
enum claim_extra claim_extra(const struct claim_piece *p);
/* The field that a placeholder names; NULL: none, or a secret. */
const struct field *claim_field(const struct object_kinds *kinds, const struct claim_piece *p);
