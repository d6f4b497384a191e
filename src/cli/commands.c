/* The table of the commands of this layer. */
#include "cli/commands.h"

/* Every kind of configured object has the same verbs; object.c is their one implementation. */
/* clang-format off */
#define OBJECT(word, name, thing)                                                                            \
    {word " list", "", "List " thing "s", 0, 0, 0, LIST_OPTIONS, cli_object_list},                            \
    {word " show", name, "Show one " thing, 0, 1, 1, NULL, cli_object_show},                                  \
    {word " add", name " [FIELD=VALUE ...]", "Add a " thing, CLI_INPUT, 1, -1, NULL, cli_object_add},         \
    {word " set", name " FIELD=VALUE ...", "Change fields of a " thing, CLI_INPUT, 2, -1, NULL, cli_object_set}, \
    {word " remove", name, "Remove a " thing AND_ALL, 0, 1, 1, NULL, cli_object_remove},                      \
    {word " disable", name, "Disable a " thing AND_ALL, 0, 1, 1, NULL, cli_object_disable},                   \
    {word " enable", name, "Enable a " thing " again", 0, 1, 1, NULL, cli_object_enable}
#define LIST_OPTIONS "search|TEXT|only names with this in them\nlimit|N|at most so many"
#define AND_ALL      " and end what was issued under it"
#define JWK_OPTIONS     "alg|NAME|the algorithm of keys that name none"
#define KEY_OPTION      "key|@FILE|JWK, JWK Set, PEM or DER\nalg|NAME|the algorithm of a key that names none\n"
#define PASSWORD_OPTION "password-file|@FILE|a passphrase instead of a key (PBES2); - asks for it or reads standard input\n"
#define FORM_OPTION     "form|FORM|compact, flattened or general (default compact)\n"
#define CHECK_OPTIONS   "payload|@FILE|the payload of a detached signature\nissuer|URL|iss must be this\naudience|NAME|aud must have this\ntyp|TYPE|typ must be this"
/* clang-format on */

const struct cli_command cli_commands[] = {
    OBJECT("tenant", "NAME", "tenant"),
    OBJECT("role", "NAME", "role"),
    OBJECT("client", "CLIENT_ID", "client"),
    {"client secret", "CLIENT_ID", "Give a client a new secret, printed once", CLI_INPUT, 1, 1, NULL,
     cli_client_secret},
    OBJECT("resource", "IDENTIFIER", "resource"),
    OBJECT("webhook", "NAME", "webhook"),
    OBJECT("claim", "NAME", "custom claim"),
    OBJECT("provider", "NAME", "outside provider"),
    OBJECT("user", "USERNAME", "user"),
    {"user link", "USERNAME", "Make a one-use link for choosing a password", 0, 1, 1,
     "purpose|reset or enrol|which page it opens (default: reset)", cli_user_link},
    {"user first-admin", "", "Make a link that makes an administrator (15 minutes)", 0, 0, 0, NULL,
     cli_user_first_admin},
    OBJECT("service-account", "USERNAME", "service account"),
    {"apikey add", "USERNAME NAME", "Issue an API key for a person or service account, printed once", 0, 2, 2,
     "permissions|LIST|what it may do (default: all that its holder may)\nlife|DURATION|90s, 12h, 30d "
     "(default 90d)",
     cli_apikey_add},
    {"apikey list", "USERNAME", "List the API keys of an account", 0, 1, 1, NULL, cli_apikey_list},
    {"apikey revoke", "ID", "Revoke an API key", 0, 1, 1, NULL, cli_apikey_revoke},
    {"key list", "", "List a tenant's signing keys", 0, 0, 0, NULL, cli_key_list},
    {"key rotate", "[ALG]", "Make a new signing key (default: of the tenant's algorithm)", 0, 0, 1, NULL,
     cli_key_rotate},
    {"key master rotate", "", "Make a new master key and wrap every secret anew", 0, 0, 0, NULL,
     cli_key_master_rotate},
    {"audit list", "", "List rows of the audit trail, newest first", 0, 0, 0,
     "event|NAME|only this event\nobject|OBJECT|only rows about this\nactor|ACTOR|only what this one "
     "did\nlimit|N|at most so many (default 50)\n"
     "before|ID|rows older than this one",
     cli_audit_list},
    {"audit verify", "", "Check the audit trail's chains and checkpoints", 0, 0, 0, NULL, cli_audit_verify},
    {"token check", "TOKEN|-", "Check form and checksum of an opaque token, offline",
     CLI_NO_STORE | CLI_INPUT, 1, 1, NULL, cli_token_check},
    {"token inspect", "TOKEN|-", "Decode a token readably, and verify it", CLI_MAYBE_STORE | CLI_INPUT, 1, 1,
     "jwks|@FILE|verify with the keys in this file\nissuer|URL|verify with the keys of this issuer, fetched "
     "from it",
     cli_token_inspect},
    {"token introspect", "TOKEN|-", "Say what a token is worth now (RFC 7662)", CLI_INPUT, 1, 1, NULL,
     cli_token_introspect},
    {"token simulate", "", "Print the claims that a token would hold; nothing is issued", 0, 0, 0,
     "user|USERNAME|for this person or service account\nclient|CLIENT_ID|for this client\nscope|SCOPE|what it asks for (default: "
     "all it has)\naudience|RESOURCE|what for (default: the default resource)",
     cli_token_simulate},
    {"token revoke", "TOKEN|ID|-", "Revoke a token, session or grant and all below it", CLI_INPUT, 1, 1,
     "session||the ID is a session's\ngrant||the ID is a grant's\nidentity||the ID is an outside account's: its link is undone", cli_token_revoke},
    {"token list", "USERNAME", "List what can act for an account: sessions, grants, API keys, outside accounts", 0, 1, 1, NULL,
     cli_token_list},
    {"jwk new", "ALG", "Make a key for an algorithm (ES256, RSA-OAEP-256, dir ...) and print it as a JWK", CLI_NO_STORE, 1, 1,
     "curve|NAME|P-256, P-384, P-521, secp256k1, Ed25519, Ed448, X25519, X448\nbits|N|of an RSA key or a secret\n"
     "kid|KID|its id (default: the thumbprint)\nout|FILE|write it into a new file that only you can read",
     cli_jwk_new},
    {"jwk show", "[FILE|-]", "Say what keys a JWK, a JWK Set, PEM or DER holds", CLI_NO_STORE, 0, 1, JWK_OPTIONS, cli_jwk_show},
    {"jwk public", "[FILE|-]", "Print the public half of keys as JWK", CLI_NO_STORE, 0, 1, JWK_OPTIONS, cli_jwk_public},
    {"jwk convert", "[FILE|-]", "Convert keys between JWK, PEM and DER", CLI_NO_STORE, 0, 1,
     "to|FORM|jwk, pem or der\npublic||the public half alone\n" JWK_OPTIONS, cli_jwk_convert},
    {"jwk thumbprint", "[FILE|-]", "Print the thumbprint of keys (RFC 7638)", CLI_NO_STORE, 0, 1,
     "uri||as a URI (RFC 9278)\n" JWK_OPTIONS, cli_jwk_thumbprint},
    {"jwt sign", "[FILE|-]", "Sign claims or any text", CLI_NO_STORE, 0, 1,
     KEY_OPTION FORM_OPTION "typ|TYPE|of the token: JWT, at+jwt\ncty|TYPE|of the content\nlife|DURATION|add iat, and exp this much later\n"
     "detached||leave the payload out\nunencoded||take the payload as it is (RFC 7797)",
     cli_jwt_sign},
    {"jwt verify", "[FILE|-]", "Verify a signature, times and what else is asked for", CLI_NO_STORE, 0, 1,
     KEY_OPTION CHECK_OPTIONS, cli_jwt_verify},
    {"jwt encrypt", "[FILE|-]", "Encrypt claims, a signed token (--cty JWT) or any text", CLI_NO_STORE, 0, 1,
     KEY_OPTION PASSWORD_OPTION FORM_OPTION "enc|NAME|A128GCM ... A256GCM, A128CBC-HS256 ... A256CBC-HS512 (default A256GCM)\n"
     "typ|TYPE|of the token\ncty|TYPE|of the content\napu|TEXT|who sends (ECDH-ES)\napv|TEXT|who receives (ECDH-ES)\n"
     "aad|@FILE|additional data, authenticated and not encrypted (JSON forms)",
     cli_jwt_encrypt},
    {"jwt decrypt", "[FILE|-]", "Decrypt a token and print what was in it", CLI_NO_STORE, 0, 1, KEY_OPTION PASSWORD_OPTION,
     cli_jwt_decrypt},
    {"jwt inspect", "[FILE|-]", "Show what stands in a token, its times explained; with a key, verify it", CLI_NO_STORE, 0, 1,
     KEY_OPTION CHECK_OPTIONS, cli_jwt_inspect},
    {"backup", "DEST",
     "Write a backup of the store to a new file, while the server runs; the master key is not in it", 0, 1, 1,
     NULL, cli_backup},
    {"completion bash", "", "Print a completion script for bash", CLI_NO_STORE, 0, 0, NULL, cli_completion},
    {"version", "", "Print the version", CLI_NO_STORE, 0, 0, NULL, cli_version},
    {0},
};
