/* What jwk and jwt commands share: files in, keys in, tokens explained. They work without a server and without a store. */
#pragma once
#include "cli/commands.h"
#include "jose/jwe.h"

/* --- jose_files.c --- */
/* The file that the first argument names; "-" or none: standard input. Says what failed. */
err_t cli_jose_input(struct cli_call *c, struct str *ret);
/* Without white space around it: a token, or JSON. */
err_t cli_jose_token(struct cli_call *c, struct str *ret);
/* Keys of a file: a JWK, a JWK Set, PEM (several too), a certificate or DER. `alg` binds those that name no algorithm themselves
 * ("" : the usual one for `use`, JWK_SIG or JWK_ENC; 0: for signatures). Says what failed. */
err_t cli_jose_keys(struct cli_call *c, struct str text, struct str alg, unsigned use, struct jwks *ret);
/* The keys of the option --key, or those that --password-file makes: one for each algorithm of PBES2 that alg leaves. */
err_t cli_jose_option_keys(struct cli_call *c, unsigned use, struct jwks *ret);
/* "compact", "flattened" or "general" of --form. */
enum jose_form { FORM_COMPACT, FORM_FLATTENED, FORM_GENERAL };
err_t cli_jose_form(struct cli_call *c, enum jose_form *ret);
/* Names what went wrong and returns 1. */
int cli_jose_fail(struct cli_call *c, err_t e);

/* --- jose_print.c --- */
/* Header, payload and times for people; payload NULL: none that is JSON. */
void cli_print_token(struct cli_call *c, const json_t *header, const json_t *payload);
/* What is wrong with the times of a payload: NULL, or "expired", "not valid yet". */
const char *cli_time_fault(const json_t *payload, int64_t now_s, int64_t skew_s);
