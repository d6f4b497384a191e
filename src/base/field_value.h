/* Inside fields: one value into one field. Used by the three readers (defaults, JSON, pairs), by nobody else. */
#pragma once
#include "base/fields.h"

struct fill {
    const struct field *field;
    struct arena *arena;
    void *obj;
    const char *where; /* before the name in the fault */
    int at;            /* member of a list, or -1 */
    bool copy;         /* the text dies before the object: copy it */
    unsigned options;
    struct fault *fault;
};

/* Fails with "<name> <text>". */
err_t field_fault(const struct fill *c, err_t code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Any type but F_JSON with copy from its text. */
err_t field_set_text(const struct fill *c, struct str s);
err_t field_set_int(const struct fill *c, int64_t v);
void field_set_bool(const struct fill *c, bool v);
/* Trims and checks one text or member; *ret is a copy if c->copy. */
err_t field_check_text(const struct fill *c, struct str s, struct str *ret);
/* Its default; absent if it has none. */
err_t field_set_default(const struct fill *c);
/* A required text, list or document that is not there. */
err_t field_check_present(const struct fill *c);
/* {"env": NAME} or {"file": PATH}. */
err_t field_set_secret_ref(const struct fill *c, const json_t *ref);

static inline void *field_place(const struct fill *c)
{
    return (char *)c->obj + c->field->offset;
}
