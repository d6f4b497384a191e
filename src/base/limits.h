/* Every size, depth, count and loop that outside bytes can drive, by name. Each is tested at it and one above. */
#pragma once

#define LIMIT_JSON_DEPTH          16
#define LIMIT_REQUEST_ARENA       (1024 * 1024) /* bytes one request may use */
#define LIMIT_BODY                (64 * 1024)   /* form or JSON body, unless the endpoint says more */
#define LIMIT_HEADERS             (12 * 1024)   /* request line and headers together (the connection's pool is 16 KiB) */
#define LIMIT_PARAMS              64            /* parameters in one query or form */
#define LIMIT_PARAM               8192          /* one parameter's decoded bytes, unless its table row says less */
#define LIMIT_JWT                 8192          /* a compact JWT */
#define LIMIT_SCOPE               2048
#define LIMIT_SCOPE_WORDS         64
#define LIMIT_STATE               2048
#define LIMIT_REDIRECT_URI        2048
#define LIMIT_REDIRECT_URIS       32
#define LIMIT_RESOURCES           8     /* resource parameters in one request */
#define LIMIT_JWKS_KEYS           32
#define LIMIT_PASSWORD            1024
#define LIMIT_PASSWORD_MIN        10
#define LIMIT_NAME                128   /* user names, client ids, role names */
#define LIMIT_TEXT                1024  /* any other short text of an object */
#define LIMIT_LIST                256   /* members of a list in an object */
#define LIMIT_PAGE                200   /* rows of one listing */
#define LIMIT_REFRESH_GRACE_USES  64    /* how often one consumed refresh token may be answered again */
#define LIMIT_CONFIG_FILE         (8 * 1024 * 1024)
