/* One table says what an object's or a request's fields are; one parser reads them from a form, from JSON and (through
 * JSON) from YAML; one writer prints them back. Error texts name the field and what was expected. */
#pragma once
#include "base/err.h"
#include "base/json.h"

enum field_type {
    F_STR,      /* struct str */
    F_BOOL,     /* bool; "true"/"false" in forms */
    F_INT,      /* int64_t */
    F_SECONDS,  /* int64_t; JSON number of seconds or "90s", "15m", "12h", "30d" */
    F_STRS,     /* struct strs; JSON array of strings; in forms and CLI the words of one value, or repeated parameters */
    F_WORDS,    /* struct str; space-separated words as OAuth's scope has them; JSON string (or array, joined); kept with one
                   space between words, at most LIMIT_SCOPE_WORDS */
    F_ENUM,     /* struct str, one of `choices` (separated by '|') */
    F_SECRET,   /* struct str; write-only: never printed by fields_to_json. With FIELDS_SECRET_REFS {env: NAME} or {file: PATH} */
    F_JSON,     /* json_t *, the arena holds it; printed as it is */
};

enum field_flag {
    FIELD_REQUIRED = 1,
    FIELD_READ_ONLY = 2, /* printed, refused on input */
    FIELD_EXACT = 4,     /* F_STR: no trimming, any character (passwords) */
    FIELD_MULTI = 8,     /* F_STRS in forms: each repetition is one member, words are not split (redirect_uris, resource) */
    FIELD_FIXED = 16,    /* set at creation, refused if a later write differs (the name of an object): what *obj already holds
                            and is not the default stays */
    FIELD_TEXT = 32,     /* F_JSON on a command line or in a console form: text that is no JSON is that text (json_or_text) */
};

struct field {
    const char *name;
    enum field_type type;
    unsigned flags;
    /* Bytes of a value (of each member in lists); for F_INT and F_SECONDS the largest value. 0: LIMIT_TEXT, LIMIT_INT,
     * LIMIT_SECONDS. A number is 0..max or the default (which may be -1). */
    size_t max;
    size_t offset;
    const char *choices;  /* F_ENUM */
    const char *initial;  /* text of the default, or NULL */
    const char *doc;      /* one line: printed in --help, OpenAPI, docs, console forms */
};

struct fields {
    const struct field *v;
    size_t n;
    size_t size; /* of the struct they fill */
};
#define FIELDS(table, type) {(table), sizeof(table) / sizeof((table)[0]), sizeof(type)}

/* Zeroes the struct and sets every field to its default. */
err_t fields_init(const struct fields *t, struct arena *a, void *ret_obj);
/* Overlays the members of `doc` that are present on *obj (so an update is: load, overlay). Unknown members are refused.
 * `where` is put before the field's name in the fault's param ("tenants.default.clients[0]"); may be "". The fault's
 * detail is a sentence that names the field by itself. null means the default; required texts and lists must be there
 * in the end (secrets aside: whether one is stored already only the object's kind knows). Texts are copied to the arena. */
err_t fields_from_json(const struct fields *t, struct arena *a, const json_t *doc, const char *where, void *obj,
                       struct fault *f);
/* FIELDS_SECRET_REFS: an F_SECRET may be {"env": NAME} or {"file": PATH}, read here. Only for documents that the
 * operator of this machine wrote: whoever speaks through the network must not read the server's files. */
enum { FIELDS_SECRET_REFS = 1 };
err_t fields_from_json_as(const struct fields *t, struct arena *a, const json_t *doc, const char *where, unsigned options,
                          void *obj, struct fault *f);
void fields_to_json(const struct fields *t, const void *obj, struct jw *w); /* members only, into an open object */
const struct field *fields_find(const struct fields *t, struct str name);

/* Name-value pairs of a query or a form, in order, decoded. */
struct pair {
    struct str name, value;
};
struct pairs {
    const struct pair *v;
    size_t n;
};
/* application/x-www-form-urlencoded, at most LIMIT_PARAMS pairs. */
err_t pairs_parse(struct arena *a, struct str text, struct pairs *ret, struct fault *f);
/* Values stay slices of the text or of the arena. Overlays known parameters; a known single-valued one twice is ERR_PARAM_TWICE; unknown ones are ignored, as OAuth
 * wants (RFC 6749 section 3.1). An empty value counts as absent unless FIELD_EXACT. Required ones are checked. */
err_t fields_from_pairs(const struct fields *t, struct arena *a, struct pairs p, void *obj, struct fault *f);
struct str pairs_get(struct pairs p, struct str name); /* the first, or STR_NONE */
