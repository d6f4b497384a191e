/* Configured objects: whatever an administrator, the configuration file or the API describes by fields. One row of
 * object_kinds[] makes a kind known to the store, the admin API, the CLI, the console, config diff and export at once. */
#pragma once
#include "token/op.h"
#include "base/fields.h"

enum managed { MANAGED_API, MANAGED_FILE };

/* Immutable once loaded; shared; held by the op that got it. */
struct object {
    int64_t id, tenant_id;
    const struct object_kind *kind;
    struct str name;
    enum managed managed_by;
    bool disabled;
    int64_t cutoff_id; /* what was issued under it before this id is dead */
    int64_t version, created_s, updated_s;
    struct str secret; /* F_SECRET fields, as the kind stores them (keyed hashes as JSON); never printed */
    void *spec;        /* the kind's struct, filled by its fields */
    struct arena *arena;
    _Atomic int refs;
};

/* One page of a listing: objects in name order (accounts by name, too). */
struct object_query {
    struct str search; /* substring of the name; zero: all */
    struct str after;  /* cursor: the last name of the page before */
    int64_t limit;     /* 1..LIMIT_PAGE */
};
struct object_page {
    struct object **v; /* held by the op's arena */
    size_t n;
    bool more;
};

struct object_kind {
    const char *name, *plural;     /* "client", "clients": CLI word, path segment, key in the file */
    const char *name_field;        /* "client_id": the field that is the name */
    const char *read, *write;      /* permissions: "client.read", "client.write" */
    const char *doc;
    struct fields fields;
    bool system;                   /* lives beside tenants, not in one (the kind "tenant") */
    /* Checks a spec whole, after overlay, on every path (API, CLI, file); may normalise it. */
    err_t (*check)(struct op *op, void *spec, bool is_new);
    /* Turns the secrets of `spec` into what is stored; old is the stored text or STR_NONE. NULL: the kind has none. */
    err_t (*seal)(struct op *op, const void *spec, struct str old, struct str *ret);
    /* Storage of its own (accounts); NULL: the table `object`. */
    const struct object_store *store;
};
struct object_store {
    err_t (*get)(struct op *op, const struct object_kind *k, struct str name, struct object **ret);
    err_t (*list)(struct op *op, const struct object_kind *k, const struct object_query *q, struct object_page *ret);
    err_t (*put)(struct op *op, const struct object_kind *k, const struct object *o, bool is_new, int64_t if_version);
    err_t (*remove)(struct op *op, const struct object *o);
};

/* The table of kinds is put together by app/ (each domain declares its rows) and reached through the core. */
struct object_kinds {
    const struct object_kind *const *v;
    size_t n;
};
const struct object_kind *object_kind_find(const struct object_kinds *t, struct str name_or_plural);

/* ERR_NOT_FOUND if there is none. Held until op_end. Cached for the kinds of table `object`. */
err_t object_get(struct op *op, const struct object_kind *k, struct str name, struct object **ret);
err_t object_get_id(struct op *op, const struct object_kind *k, int64_t id, struct object **ret);
err_t object_list(struct op *op, const struct object_kind *k, const struct object_query *q, struct object_page *ret);

/* Create or change from a JSON document of fields; permission, check, seal, store, audit, cache: the one path of all writers.
 * mode says what may exist. if_version: 0, or the version the caller has read (ERR_PRECONDITION otherwise). */
enum object_mode { OBJECT_CREATE, OBJECT_UPDATE, OBJECT_UPSERT };
err_t object_put(struct op *op, const struct object_kind *k, const json_t *doc, enum object_mode mode, enum managed by,
                 int64_t if_version, const char *where, struct object **ret, bool *ret_changed);
/* Removing also kills what was issued under it (cut-off or dead node). */
err_t object_remove(struct op *op, const struct object_kind *k, struct str name);
err_t object_set_disabled(struct op *op, const struct object_kind *k, struct str name, bool disabled);
/* {"id": ..., fields..., "managed_by", "disabled", "version", "created_at", "updated_at"}; secrets never. */
void object_print(const struct object *o, struct jw *w);
