/* One operation: what a domain function needs to know of who asks, for which tenant, when, and with what. Made by api/ for
 * a request, by cli/ for a command, by the housekeeper for its rounds. Every domain function takes it first. */
#pragma once
#include "store/store.h"
#include "jose/jose.h"

struct core;   /* token/core.h: the services */
struct tenant; /* token/tenant.h */
struct object;

enum actor_kind { ACTOR_NONE, ACTOR_PERSON, ACTOR_SERVICE, ACTOR_CLIENT, ACTOR_OPERATOR /* the CLI on this machine */, ACTOR_SYSTEM, ACTOR_FILE };
struct actor {
    enum actor_kind kind;
    int64_t id;              /* account or client row; 0 otherwise */
    struct str name;         /* username or client_id */
    struct strs permissions; /* what it may do in its tenant; ACTOR_OPERATOR, _SYSTEM and _FILE may do everything */
    int64_t tenant_id;
    int64_t token_id, session_id;
};

#define OP_HELD_MAX 32
struct op {
    struct core *core;
    struct db *db;
    struct arena *arena;
    const struct tenant *tenant; /* never NULL in a domain function */
    struct actor actor;
    struct str peer, agent, request_id; /* where from; may be STR_NONE */
    int64_t now_s;
    struct fault fault;
    struct object *held[OP_HELD_MAX]; /* references released by op_end */
    size_t nheld;
};
void op_begin(struct op *op, struct core *core, struct db *db, struct arena *arena); /* sets now_s; actor NONE, tenant NULL */
void op_end(struct op *op);
/* fault_set(&op->fault, ...) with the op's own; param may be "". */
#define op_fail(op, code, param, ...) fault_set(&(op)->fault, (code), (param), __VA_ARGS__)
/* The one guard of permissions: ERR_FORBIDDEN unless the actor holds `permission` (or "admin") in op->tenant, or in the
 * default tenant "operator". */
err_t op_permit(struct op *op, const char *permission);
