/* A whole small world for tests of the domain: a store in a directory of its own, keyring, cache, audit, the default tenant,
 * a clock that stands until it is told. */
#pragma once
#include "token/audit.h"
#include "token/cache.h"
#include "token/core.h"
#include "token/keyring.h"
#include "token/life.h"
#include "token/tenant.h"
#include "token/usage.h"
#include "../unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct world {
    char dir[64];
    _Atomic int64_t now_ms; /* the store's threads read it */
    struct clock clock;
    struct core core;
    struct db *db;
    struct arena *arena;
    struct op op;
    struct fault fault;
    bool in_data_dir;
    const struct object_kind *kinds[8];
    struct object_kinds table;
};

static int64_t world_now(void *ctx)
{
    return ((struct world *)ctx)->now_ms;
}

static inline void world_remove(const char *dir)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", dir);
}

static inline err_t world_store(struct world *w)
{
    struct store_config cfg = {.data_dir = w->dir, .log = w->core.log, .metrics = w->core.metrics, .clock = &w->clock};
    TRY(store_open(&cfg, &w->core.store, &w->fault));
    return db_open(w->core.store, 512, &w->db);
}

/* Everything but the keyring and the tenant. */
static inline bool world_begin(struct world *w)
{
    *w = (struct world){.dir = "/tmp/mereau-test-XXXXXX", .now_ms = 1800000000000};
    if (!mkdtemp(w->dir))
        return false;
    w->clock = (struct clock){world_now, world_now, w};
    w->kinds[0] = &kind_tenant;
    w->kinds[1] = &kind_role;
    w->kinds[2] = &kind_resource;
    w->kinds[3] = &kind_webhook;
    w->table = (struct object_kinds){w->kinds, 4};
    w->core = (struct core){.clock = &w->clock, .issuer = STR("https://id.example"), .https = true, .kinds = &w->table, .data_dir = w->dir};
    w->core.log = log_new(2, LOG_ERROR, LOG_TEXT);
    w->core.metrics = metrics_new();
    w->core.cache = cache_new(256);
    w->core.dead = dead_set_new();
    w->core.usage = usage_new();
    w->arena = arena_new(64 * 1024 * 1024);
    return crypto_new(&w->core.crypto) == ERR_OK && world_store(w) == ERR_OK;
}

/* A new op of the operator in a tenant; what the last one held is released. */
static inline struct op *world_op(struct world *w, const char *tenant)
{
    op_end(&w->op);
    arena_reset(w->arena);
    op_begin(&w->op, &w->core, w->db, w->arena);
    w->op.actor.kind = ACTOR_OPERATOR;
    w->op.actor.name = STR("operator");
    if (tenant)
        CHECK(tenant_use(&w->op, str_z(tenant)) == ERR_OK);
    return &w->op;
}

static inline bool world_start(struct world *w)
{
    err_t e = keyring_open(&w->core, w->dir, NULL, &w->in_data_dir, &w->fault);
    if (e == ERR_OK)
        e = audit_start(&w->core);
    op_begin(&w->op, &w->core, w->db, w->arena);
    if (e == ERR_OK)
        e = tenant_ensure_default(&w->op);
    if (e != ERR_OK)
        fprintf(stderr, "world: %s %s %s\n", err_name(e), w->fault.detail, w->op.fault.detail);
    return e == ERR_OK;
}

/* The store closed, as a stopped process leaves it. */
static inline void world_close(struct world *w)
{
    op_end(&w->op);
    db_close(&w->db);
    store_close(&w->core.store);
    audit_stop(&w->core);
    keyring_close(&w->core);
    cache_free(&w->core.cache);
}

static inline void world_end(struct world *w)
{
    world_close(w);
    usage_free(&w->core.usage);
    dead_set_free(&w->core.dead);
    crypto_free(&w->core.crypto);
    metrics_free(&w->core.metrics);
    log_free(&w->core.log);
    arena_free(&w->arena);
    world_remove(w->dir);
}

/* A document from JSON text with ' for ". */
static inline json_t *world_json(struct world *w, const char *text)
{
    char copy[8192];
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *p = copy; *p; p++) {
        if (*p == '\'')
            *p = '"';
    }
    json_t *doc = NULL;
    if (json_load(str_z(copy), &doc) != ERR_OK) {
        fprintf(stderr, "not JSON: %s\n", text);
        return NULL;
    }
    return json_keep(w->op.arena, doc) == ERR_OK ? doc : NULL;
}
