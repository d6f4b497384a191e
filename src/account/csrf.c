/* Tokens that bind a form to the browser it was made for (case A15). */
#include "account/account_row.h"
#include "account/session.h"
#include "base/enc.h"
#include "token/core.h"

#define CSRF_BYTES 24 /* 32 characters */

struct str csrf_make(struct op *op, const char *purpose, struct str browser_secret)
{
    uint8_t mac[SHA256_SIZE];
    struct buf b;
    struct str text = arena_fmt(op->arena, "csrf %s %.*s", purpose, STR_ARG(browser_secret));
    if (!text.p || !browser_secret.n)
        return STR_NONE;
    hmac_sha256(op->core->crypto,
                (struct str){(const char *)op->tenant->secret_key, sizeof(op->tenant->secret_key)}, text,
                mac);
    buf_init(&b, op->arena, 64);
    enc_b64url(&b, mac, CSRF_BYTES);
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

err_t csrf_check(struct op *op, const char *purpose, struct str browser_secret, struct str given)
{
    struct str want = csrf_make(op, purpose, browser_secret);
    if (!want.n || !str_eq_secret(want, given))
        return op_fail(op, ERR_CSRF, "", "%s", err_text(ERR_CSRF));
    return ERR_OK;
}
