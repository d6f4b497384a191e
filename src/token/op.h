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
bool op_may(struct op *op, const char *permission); /* the same question, without a fault: for what a page shows */
/* For what stands beside tenants: the CLI, the system, or an actor of the default tenant with "operator". */
err_t op_permit_system(struct op *op);
/* Nobody gives away what he does not hold: ERR_FORBIDDEN unless the actor holds each of these in op->tenant. For the
 * permissions of roles, of clients, of API keys and for the roles of accounts. */
err_t op_permit_grant(struct op *op, struct strs permissions, const char *param);
/* What a list of permissions allows: the word itself, or "admin", which is all in one tenant: being operator of all tenants
 * is not among it. The one comparison of permissions. */
bool permissions_allow(struct strs held, struct str permission);
bool op_is_default_tenant(const struct op *op); /* op->tenant is the default one */

/* Takes over a reference until op_end. An object that is held already keeps one reference. ERR_BUSY (and the reference is
 * released) when OP_HELD_MAX are held. */
err_t op_hold(struct op *op, struct object *o);
