/* Configured objects: whatever an administrator, the configuration file or the API describes by fields. One row of
 * object_kinds[] makes a kind known to the store, the admin API, the CLI, the console, config diff and export at once. */
#pragma once
#include "token/op.h"
#include "base/fields.h"

/* Who looks after an object; REGISTRATION: a client that registered itself, and has been taken over by nobody. */
enum managed { MANAGED_API, MANAGED_FILE, MANAGED_REGISTRATION };
const char *managed_name(enum managed m); /* "api", "file", "registration" */

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
    struct arena *arena; /* its own, freed with it; NULL: it lies in an op's arena and is not counted */
    _Atomic int refs;
    char public_id[12];  /* id_text() of the id; "" until a function here has filled it */
    struct str change;   /* while it is put: the audit row's payload */
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
    bool system;                   /* lives beside tenants, not in one (the kind "tenant"): tenant_id 0, operators write */
    bool in_snapshot;              /* part of struct tenant: a change replaces the snapshot */
    /* Checks a spec whole, after overlay, on every path (API, CLI, file); may normalise it. */
    err_t (*check)(struct op *op, void *spec, bool is_new);
    /* May the actor change, disable or remove what stands there? Nobody meddles with more than he holds. NULL: whoever may write. */
    err_t (*permit)(struct op *op, const void *old_spec);
    /* Turns the secrets of `spec` into what is stored; old is the stored text or STR_NONE. NULL: the kind has none. */
    err_t (*seal)(struct op *op, const void *spec, struct str old, struct str *ret);
    /* Keeps rows of the kind's own beside the object, inside the transaction that has written or removed it. NULL: it has none. */
    err_t (*beside)(struct db *db, const struct object *o, bool removed);
    /* After a write is on disk: what should be ready when the object is used. NULL: nothing. */
    err_t (*written)(struct op *op, const struct object *o);
    /* Storage of its own (accounts); NULL: the table `object`. Each member may be NULL: then the table's way. */
    const struct object_store *store;
};
/* get and list fill objects in the op's arena (arena NULL). put gets the object as it shall be: id, version (the next one),
 * created_s, updated_s, disabled, cutoff_id, secret (the text of seal) and change are filled; if_version is the version the row
 * must still have (ERR_PRECONDITION otherwise), 0 for a new one. ERR_STORE_UNIQUE (the row's own unique index says so) means:
 * look again; a conflict with other objects is ERR_CONFLICT and a text. put and remove write the audit row in their transaction: object_audit(). */
struct object_store {
    err_t (*get)(struct op *op, const struct object_kind *k, struct str name, struct object **ret);
    err_t (*list)(struct op *op, const struct object_kind *k, const struct object_query *q, struct object_page *ret);
    err_t (*put)(struct op *op, const struct object_kind *k, const struct object *o, bool is_new, int64_t if_version);
    err_t (*remove)(struct op *op, const struct object *o);
    err_t (*get_id)(struct op *op, const struct object_kind *k, int64_t id, struct object **ret); /* ERR_NOT_FOUND */
};

/* The table of kinds is put together by app/ (each domain declares its rows) and reached through the core. */
struct object_kinds {
    const struct object_kind *const *v;
    size_t n;
};
const struct object_kind *object_kind_find(const struct object_kinds *t, struct str name_or_plural);

/* 1..LIMIT_NAME characters of A-Z a-z 0-9 . _ ~ : / @ + -, not "." or ".."; the names of kinds and objects in URLs and files. */
bool object_name_ok(struct str name);

/* ERR_NOT_FOUND if there is none. Held until op_end. Cached for the kinds of table `object`. No permission is looked at: the
 * request path asks before it knows who asks. Disabled ones are returned. */
err_t object_get(struct op *op, const struct object_kind *k, struct str name, struct object **ret);
err_t object_get_id(struct op *op, const struct object_kind *k, int64_t id, struct object **ret);
/* The same for an administrator: k->read is checked. Not cached, so always what the store says. */
err_t object_read(struct op *op, const struct object_kind *k, struct str name, struct object **ret);
/* k->read is checked. Without "operator", a listing of tenants shows op->tenant alone. */
err_t object_list(struct op *op, const struct object_kind *k, const struct object_query *q, struct object_page *ret);

/* Create or change from a JSON document of fields; permission, check, seal, store, audit, cache: the one path of all writers.
 * mode says what may exist, and what a member that the document leaves out means: UPDATE keeps it, UPSERT (a PUT, the file)
 * puts it back to its default. Secrets left out are kept. A document with nothing new writes nothing (*ret_changed false).
 * if_version: 0, or the version the caller has read (ERR_PRECONDITION otherwise); a member "version" does the same.
 * Of the members that object_print adds, "disabled" is obeyed, "managed_by": "api" releases the object from the file, the
 * rest is ignored. An object of the file is changed by the file alone: others get ERR_CONFLICT (but may disable it). */
enum object_mode { OBJECT_CREATE, OBJECT_UPDATE, OBJECT_UPSERT };
err_t object_put(struct op *op, const struct object_kind *k, const json_t *doc, enum object_mode mode, enum managed by,
                 int64_t if_version, const char *where, struct object **ret, bool *ret_changed);
/* The same with further rows in the transaction: fn gets the object as it will be; its error comes back and nothing is written. Not
 * called when nothing is new. Only for kinds of the table `object`. */
struct object_with {
    err_t (*fn)(struct db *db, const struct object *o, void *ctx);
    void *ctx;
};
err_t object_put_with(struct op *op, const struct object_kind *k, const json_t *doc, enum object_mode mode, enum managed by,
                      int64_t if_version, const char *where, const struct object_with *with, struct object **ret, bool *ret_changed);
/* What differs: names of fields, and "secret", "managed_by", "disabled"; in the op's arena. For config diff. */
struct object_change {
    struct strs names;
    bool fields;       /* more than managed_by and disabled */
    const char *fixed; /* the first field that differs and may not; NULL */
};
err_t object_compare(struct op *op, const struct object *was, const struct object *is, struct object_change *ret);
/* Removing also kills what was issued under it: a row that is gone, or a cut-off. An object of the file is removed by
 * ACTOR_FILE alone (config apply --prune). */
err_t object_remove(struct op *op, const struct object_kind *k, struct str name);
err_t object_remove_with(struct op *op, const struct object_kind *k, struct str name, const struct object_with *with);
/* Disabling moves the cut-off, so that enabling again brings nothing back. */
err_t object_set_disabled(struct op *op, const struct object_kind *k, struct str name, bool disabled);
/* {"id": ..., fields..., "managed_by", "disabled", "version", "created_at", "updated_at"}; secrets never. */
void object_print(const struct object *o, struct jw *w);
/* The same and one member more, left out when value is zero: a secret that is shown this once. */
void object_print_with(const struct object *o, const char *name, struct str value, struct jw *w);

/* For kinds with a storage of their own. */
struct audit;
void object_audit(struct op *op, const struct object *o, int event, struct audit *ret); /* event: enum audit_event */
err_t object_spec_text(struct op *op, const struct object_kind *k, const void *spec, struct str *ret); /* fields as JSON, without secrets */
/* Fills a new struct of the kind from stored JSON; members this version does not know are passed over. */
err_t object_spec_load(const struct object_kind *k, struct arena *a, struct str text, void **ret_spec);
/* The snapshot and the object leave the cache after a commit. */
void object_uncache(struct core *core, const struct object *o);
