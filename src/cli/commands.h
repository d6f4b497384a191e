/* The run functions of this layer's commands. */
#pragma once
#include "cli/cli.h"

int cli_object_list(struct cli_call *c); /* object.c */
int cli_object_show(struct cli_call *c);
int cli_object_add(struct cli_call *c);
int cli_object_set(struct cli_call *c);
int cli_object_remove(struct cli_call *c);
int cli_object_disable(struct cli_call *c);
int cli_object_enable(struct cli_call *c);
int cli_client_secret(struct cli_call *c); /* client.c */
int cli_user_link(struct cli_call *c); /* account.c */
int cli_user_first_admin(struct cli_call *c);
int cli_apikey_add(struct cli_call *c);
int cli_apikey_list(struct cli_call *c);
int cli_apikey_revoke(struct cli_call *c);
int cli_key_list(struct cli_call *c); /* key.c */
int cli_key_rotate(struct cli_call *c);
int cli_key_master_rotate(struct cli_call *c);
int cli_audit_list(struct cli_call *c); /* audit.c */
int cli_audit_verify(struct cli_call *c);
int cli_token_check(struct cli_call *c); /* token.c */
int cli_token_introspect(struct cli_call *c);
int cli_token_simulate(struct cli_call *c);
int cli_token_revoke(struct cli_call *c);
int cli_token_list(struct cli_call *c);
int cli_token_inspect(struct cli_call *c); /* inspect.c */
int cli_jwk_new(struct cli_call *c);       /* jwk.c */
int cli_jwk_show(struct cli_call *c);
int cli_jwk_public(struct cli_call *c);
int cli_jwk_convert(struct cli_call *c);
int cli_jwk_thumbprint(struct cli_call *c);
int cli_jwt_sign(struct cli_call *c); /* jwt.c */
int cli_jwt_verify(struct cli_call *c);
int cli_jwt_inspect(struct cli_call *c);
int cli_jwt_encrypt(struct cli_call *c); /* jwt_encrypt.c */
int cli_jwt_decrypt(struct cli_call *c);
int cli_backup(struct cli_call *c); /* store.c */
int cli_completion(struct cli_call *c);
int cli_version(struct cli_call *c);
/* The token that stands as the argument, or the first line of standard input for "-". */
struct str cli_token_argument(const struct cli_call *c);
/* Parses JSON that a domain function printed; NULL only when memory is out. */
json_t *cli_parsed_json(struct buf *b);
/* b's JSON with line breaks and a last newline, into c->out. */
void cli_print_json(struct cli_call *c, const json_t *v);
