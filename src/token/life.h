/* The life of every stored bearer token: make, find, check, revoke. One function, life_check, says whether a
 * token is live, on every path. */
#pragma once
#include "token/tenant.h"
#include "token/audit.h"
#include "base/limits.h"

struct dead_set;
struct expiry;

/* Opaque form: "mer" + letter + "_" + 43 base62 (8 bytes permuted row id, 24 random) + 6 base62 of CRC-32
 * over all before. Regular expression: ^mer[arpmcksgxl]_[0-9A-Za-z]{49}$ */
#define TOKEN_TEXT_SIZE 54 /* 5 + 43 + 6 */
enum token_letter {
    TOKEN_ACCESS = 'a',
    TOKEN_REFRESH = 'r',
    TOKEN_PERSONAL = 'p',
    TOKEN_SERVICE = 'm',
    TOKEN_CLIENT_SECRET = 'c',
    TOKEN_CARD = 'k',
    TOKEN_SESSION = 's',
    TOKEN_REGISTRATION = 'g',
    TOKEN_CODE = 'x',
    TOKEN_LINK = 'l'
};
struct token_text {
    char p[TOKEN_TEXT_SIZE];
    uint8_t hash[32]; /* SHA-256 of the whole text */
};
err_t token_text_make(const struct core *core, enum token_letter letter, int64_t id, struct token_text *ret);
/* With the 192 bits given: derived tokens. */
void token_text_derive(const struct core *core, enum token_letter letter, int64_t id,
                       const uint8_t bits[static 24], struct token_text *ret);
/* Form, letter and checksum; no look-up. */
bool token_text_check(struct str text, char *ret_letter);
/* The row id a well-formed text carries. */
bool token_text_id(const struct core *core, struct str text, char *ret_letter, int64_t *ret_id);

/* A row of table token. Slices live in the op's arena. */
struct token {
    char kind;
    int64_t id, tenant_id;
    int64_t client_id, account_id, session_id, grant_id, parent_id, actor_id; /* ancestors; 0: none */
    struct str scope, audience;                                               /* words */
    struct str spec; /* JSON: name and permissions of an API key, extra claims */
    int64_t issued_s, expires_s, revoked_s, consumed_s, successor_id, generation, grace_uses, used_s;
    int64_t status_index; /* its place in the status lists (token/status.h); 0: none. Written, not read back */
    struct str used_ip;
    uint8_t hash[32];
};
/* Finds the row of an opaque token or of a stored JWT (by the id in jti) and compares the hash.
 * ERR_TOKEN_INVALID if there is none in this tenant; liveness is not looked at. */
err_t token_find(struct op *op, struct str text, struct token *ret);
err_t token_read(struct op *op, struct db *db, int64_t id, struct token *ret);
/* Inside a transaction. What it hangs from is the caller's to check there; its id is taken before anything is
 * checked, so that whoever revokes meanwhile has the later cut-off. */
err_t token_insert(struct db *db, const struct token *t);

/* The one judge. Checks the token's own row and its ancestors: dead set, the client's and the tenant's state
 * and cut-off. ERR_TOKEN_INVALID with the reason in op->fault ("expired", "revoked", ...). A consumed refresh
 * token is not live: who serves the grace window clears consumed_s in its copy and asks again. */
err_t life_check(struct op *op, const struct token *t);
/* What an unstored JWT claims about its ancestors, judged by the same rules (its grant is read when it names
 * one). */
err_t life_check_claims(struct op *op, const struct token *claimed);

/* --- the dead set and revoking --- */
enum node_kind { NODE_TOKEN, NODE_GRANT, NODE_SESSION, NODE_ACCOUNT, NODE_CLIENT, NODE_IDENTITY /* an outside account linked to one here */ };
const char *node_name(enum node_kind k); /* "token", "grant", ... */
/* Kills a node and with it all below, at once; one row and one dead-set entry. Idempotent. Writes audit,
 * revoked.log and the event. reason goes into the audit row ("sign-out", "reuse", "administrator"). Inside a
 * transaction: node_kill_tx, and dead_set_add after the commit. */
err_t node_revoke(struct op *op, enum node_kind kind, int64_t id, const char *reason);
struct node_kill {
    struct core *core;
    enum node_kind kind;
    int64_t tenant_id, id, now_s;
    int64_t cutoff_id;  /* out; 0: there was nothing to kill */
    struct audit audit; /* tenant_id 0: no row of its own (the caller's says it) */
};
/* Fills *ret from the op; reason NULL: no audit row of its own. */
void node_kill_make(struct op *op, enum node_kind kind, int64_t id, const char *reason,
                    struct node_kill *ret);
err_t node_kill_tx(struct db *db, struct node_kill *k);
void node_killed(const struct node_kill *k); /* after the commit: the dead set and the metric */
/* What a password change ends: every session of the account but one, and every grant without offline access.
 * Inside the caller's transaction: online_kill_tx; online_killed after the commit (which finishes, in
 * transactions of its own, what was more than LIMIT_ONLINE_KILL). No audit rows: the caller's says it. */
struct online_node {
    enum node_kind kind;
    int64_t id, cutoff_id;
};
struct online_kill {
    struct core *core;
    int64_t tenant_id, account_id, keep_session_id, now_s;
    struct online_node node[LIMIT_ONLINE_KILL];
    size_t n;
};
void online_kill_make(struct op *op, int64_t account_id, int64_t keep_session_id, struct online_kill *ret);
err_t online_kill_tx(struct db *db, struct online_kill *k);
err_t online_killed(struct online_kill *k);
/* Inside the transaction that disables or removes a client: its tokens that stand in status lists are marked in time. (The others
 * need no mark, since every check looks at the client.) */
err_t node_mark_client_tx(struct db *db, int64_t tenant_id, int64_t client_id, int64_t cutoff_id, int64_t now_s);
/* A line of revoked.log after a restore: the same kill with its own cut-off, no audit row. kind: node_name().
 */
err_t node_replay(struct op *op, struct str kind, int64_t tenant_id, int64_t id, int64_t cutoff_id);
void dead_set_add(struct dead_set *d, int64_t node_id, int64_t cutoff_id);
struct dead_set *dead_set_new(void);
void dead_set_free(struct dead_set **d);
err_t dead_set_load(struct op *op);      /* at start */
void dead_set_stale(struct dead_set *d); /* something may have been missed, */
err_t dead_set_ready(struct op *op);     /* so that it is read anew before it is asked */
err_t dead_set_mark_some(struct op *op); /* the housekeeper: descendants in bounded batches */
bool dead_set_kills(const struct dead_set *d, int64_t node_id, int64_t child_id);

/* Deletes expired rows in small batches until budget_ms is used; never more than the steady clock says has
 * really passed (case A90). *ret_more: it was not finished. */
err_t life_expire(struct op *op, int64_t budget_ms, bool *ret_more);
struct expiry *expiry_new(void);
void expiry_free(struct expiry **e);
/* Now, as far as deleting may trust it: never past the wall clock, never further ahead than the steady clock
 * has run since the last start (and five minutes). */
err_t expiry_now_s(struct op *op, int64_t *ret); /* the housekeeper alone */

/* "My tokens" and the admin's list: sessions, grants, API keys, outside accounts of an account, as JSON or structs. */
struct held_item {
    enum node_kind kind;
    char letter; /* of a token */
    int64_t id;
    struct str what; /* client name, key name, browser; provider and subject */
    struct str scope;
    int64_t created_s, used_s, expires_s; /* expires_s 0: never */
    struct str ip, agent;
    bool current; /* the session that asks */
};
struct held_list {
    struct held_item *v;
    size_t n;
};
err_t life_list(struct op *op, int64_t account_id, struct held_list *ret);
/* Public form of a row id, for URLs and JSON: 11 base62 characters. */
struct str id_text(const struct core *core, struct arena *a, int64_t id);
bool id_parse(const struct core *core, struct str text, int64_t *ret);
/* The same under another key than the store's: names of the same rows that only their reader knows. */
struct str id_text_under(const uint8_t key[static 16], struct arena *a, int64_t id);
bool id_parse_under(const uint8_t key[static 16], struct str text, int64_t *ret);
