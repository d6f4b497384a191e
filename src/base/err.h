/* One error type. A failure is named once, where it is first seen, passed up unchanged, and turned into a response
 * by one function (http/response.c). The table is err.def. */
#pragma once
#include "base/str.h"
#include <stdarg.h>

#ifdef __clang__ /* gcc 12 knows this attribute on functions only; the clang builds (fuzz/) hold everybody to it */
#define ERR_MUST_USE __attribute__((warn_unused_result))
#else
#define ERR_MUST_USE
#endif
typedef enum ERR_MUST_USE err {
#define E(code, http, oauth, level, text) ERR_##code,
#include "base/err.def"
#undef E
    ERR_COUNT
} err_t;

const char *err_name(err_t e);  /* "GRANT_INVALID" */
int err_http(err_t e);          /* 400 */
const char *err_oauth(err_t e); /* "invalid_grant" */
const char *err_text(err_t e);  /* an English sentence without a full stop, safe for the client */
int err_level(err_t e);         /* enum log_level */

/* What the client is told beside the table's text: which parameter, and a sentence. Never holds a secret. */
struct fault {
    err_t code;
    char param[64];   /* "redirect_uri", "tenants.default.clients[0].scope", "" */
    char detail[256]; /* "" when the table's text says enough */
    int64_t retry_s;  /* ERR_LIMITED: seconds to wait; 0: not known */
};

/* Records and returns code. The first call wins, so that the place that saw it first is the one that speaks. f may be NULL. */
err_t fault_set(struct fault *f, err_t code, const char *param, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Returns from the calling function on error. */
#define TRY(expr)                                                                                                    \
    do {                                                                                                             \
        err_t try_e_ = (expr);                                                                                       \
        if (try_e_ != ERR_OK)                                                                                        \
            return try_e_;                                                                                           \
    } while (0)
