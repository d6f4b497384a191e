/* JSON from outside and JSON we write.
 * Reading: json_load is jansson made strict, for bodies that become objects; json_scan is a one-pass scanner without
 * a tree, for the hot path (token claims). Writing: a small streaming writer on a buf. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include <jansson.h>

/* Whole text, one value, duplicate members refused, depth <= LIMIT_JSON_DEPTH, finite numbers, valid UTF-8 without NUL.
 * ERR_JSON otherwise. The caller json_decref()s. */
err_t json_load(struct str text, json_t **ret);
/* The arena releases doc when it is reset; ERR_MEMORY, and doc released at once, past its ceiling. */
err_t json_keep(struct arena *a, json_t *doc);
/* JSON if it is that, otherwise the text as a JSON string: what people type for a value of any type. */
err_t json_or_text(struct str text, json_t **ret);
struct str json_str(const json_t *v); /* a string's bytes; STR_NONE if v is not a string */

/* Scanner: checks the whole text as one JSON object as strictly as json_load and hands each top-level member to fn.
 * key is unescaped only if it needs it (arena). raw is the value's text. fn returns an error to stop. */
enum json_type { JSON_T_STRING, JSON_T_INT, JSON_T_REAL, JSON_T_TRUE, JSON_T_FALSE, JSON_T_NULL, JSON_T_OBJECT, JSON_T_ARRAY };
struct json_member {
    struct str key;
    enum json_type type;
    struct str raw;  /* the value as it stands, quotes included */
    struct str text; /* strings only: unescaped */
    int64_t num;     /* JSON_T_INT only; integers outside int64 are refused */
};
err_t json_scan(struct arena *a, struct str text, err_t (*fn)(void *ctx, const struct json_member *m), void *ctx);

/* Writer. Commas are its business: jw_open/jw_close nest, jw_key names the next value. */
struct jw {
    struct buf *b;
    uint32_t depth;
    uint64_t comma; /* bit d: something already stands at depth d */
};
void jw_init(struct jw *w, struct buf *b);
void jw_open(struct jw *w, char bracket); /* '{' or '[' */
void jw_close(struct jw *w, char bracket);
void jw_key(struct jw *w, const char *name);
void jw_key_str(struct jw *w, struct str name);
void jw_str(struct jw *w, struct str s); /* bytes that are not UTF-8 become U+FFFD */
void jw_int(struct jw *w, int64_t v);
void jw_bool(struct jw *w, bool v);
void jw_raw(struct jw *w, struct str json); /* already JSON */
void jw_json(struct jw *w, const json_t *v);
/* member in one call; a zero str is left out */
void jw_m_str(struct jw *w, const char *name, struct str s);
void jw_m_int(struct jw *w, const char *name, int64_t v);
void jw_m_bool(struct jw *w, const char *name, bool v);
void jw_m_raw(struct jw *w, const char *name, struct str json);
void jw_m_strs(struct jw *w, const char *name, struct strs list);
