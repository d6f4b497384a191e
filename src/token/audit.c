/* Making and writing audit rows. A row is one INSERT with a digest; audit_seal.c chains the digests of a
 * commit. */
#include "token/audit_state.h"
#include "token/life.h"
#include "event/event.h"
#include <stdlib.h>

static const char *const names[] = {
#define A(id, name, doc) name,
#include "token/audit.def"
#undef A
};

const char *audit_name(enum audit_event e)
{
    return names[e];
}

/* --- making
 * ----------------------------------------------------------------------------------------------------------
 */

static struct str actor_text(struct op *op)
{
    static const char *const kinds[] = {
        [ACTOR_NONE] = "nobody",   [ACTOR_PERSON] = "person",     [ACTOR_SERVICE] = "service",
        [ACTOR_CLIENT] = "client", [ACTOR_OPERATOR] = "operator", [ACTOR_SYSTEM] = "system",
        [ACTOR_FILE] = "file"};
    const char *kind = kinds[op->actor.kind];
    return op->actor.name.n ? arena_fmt(op->arena, "%s:%.*s", kind, STR_ARG(op->actor.name)) : str_z(kind);
}

struct str audit_object(struct op *op, const char *kind, int64_t id)
{
    return arena_fmt(op->arena, "%s:%.*s", kind, STR_ARG(id_text(op->core, op->arena, id)));
}

/* The caller's members behind where the request came from. STR_NONE when memory is out. */
static struct str with_origin(struct op *op, struct str payload)
{
    struct buf b;
    struct jw w;
    if (!op->peer.n && !op->request_id.n)
        return payload;
    buf_init(&b, op->arena, payload.n + LIMIT_TEXT);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "ip", op->peer.n ? op->peer : STR_NONE);
    jw_m_str(&w, "request_id", op->request_id.n ? op->request_id : STR_NONE);
    if (payload.n > 2) { /* more than "{}" */
        buf_char(&b, ',');
        buf_str(&b, (struct str){payload.p + 1, payload.n - 1});
    } else {
        jw_close(&w, '}');
    }
    return buf_ok(&b) ? buf_view(&b) : payload;
}

static bool subscribes(const struct webhook *h, struct str event)
{
    return strs_has(h->events, STR("*")) || strs_has(h->events, event);
}

static struct strs subscribers(struct op *op, struct str event)
{
    const struct tenant *t = op->tenant;
    struct str *v = NULL;
    size_t n = 0;
    for (size_t i = 0; t && i < t->nwebhooks; i++) {
        if (!subscribes(&t->webhooks[i], event))
            continue;
        if (!v)
            v = arena_array(op->arena, struct str, t->nwebhooks);
        if (!v)
            break;
        v[n++] = t->webhooks[i].name;
    }
    return (struct strs){v, n};
}

void audit_make(struct op *op, enum audit_event e, struct str object, struct str payload, struct audit *ret)
{
    *ret = (struct audit){
        .event = e,
        .tenant_id = op->tenant ? op->tenant->object.id : 0,
        .tenant = op->tenant ? op->tenant->name : STR_NONE,
        .actor = actor_text(op),
        .object = object,
        .payload = with_origin(op, payload),
        .peer = op->peer,
        .request_id = op->request_id,
        .at_s = op->now_s,
        .crypto = op->core->crypto,
        .webhooks = subscribers(op, str_z(names[e])),
    };
    if (random_bytes(ret->salt, sizeof(ret->salt)) != ERR_OK)
        ret->crypto = NULL; /* audit_write says so */
}

/* --- writing
 * ---------------------------------------------------------------------------------------------------------
 */

/* What a webhook is sent: {"event","tenant","at","actor","object","data"}. On the heap: the writer has no
 * arena. */
static err_t emit(struct db *db, struct store *s, const struct audit *a)
{
    struct buf b;
    struct jw w;
    char at[32];
    struct str event = str_z(names[a->event]);
    buf_init(&b, NULL, a->payload.n + 8192);
    jw_init(&w, &b);
    time_rfc3339(a->at_s, at);
    jw_open(&w, '{');
    jw_m_str(&w, "event", event);
    jw_m_str(&w, "tenant", a->tenant);
    jw_m_str(&w, "at", str_z(at));
    jw_m_str(&w, "actor", a->actor);
    jw_m_str(&w, "object", a->object);
    jw_m_raw(&w, "data", a->payload);
    jw_close(&w, '}');
    err_t e = buf_ok(&b) ? ERR_OK : ERR_MEMORY;
    for (size_t i = 0; e == ERR_OK && i < a->webhooks.n; i++)
        e = event_emit(db, s, a->tenant_id, "webhook", a->webhooks.v[i], event.p,
                       a->object.n ? a->object : a->actor, buf_view(&b), a->at_s);
    buf_free(&b);
    return e;
}

err_t audit_write(struct db *db, struct store *s, const struct audit *a)
{
    struct tx_note note = {.tenant_id = a->tenant_id, .id = store_new_id(s)};
    struct str event = str_z(names[a->event]), salt = {(const char *)a->salt, sizeof(a->salt)};
    if (!a->tenant_id) /* every row stands in some tenant's chain */
        return ERR_INTERNAL;
    if (!a->crypto)
        return ERR_CRYPTO;
    audit_digest(a->crypto,
                 &(struct audit_content){.id = note.id,
                                         .tenant_id = a->tenant_id,
                                         .at_s = a->at_s,
                                         .event = event,
                                         .actor = a->actor,
                                         .object = a->object,
                                         .payload = a->payload,
                                         .salt = salt},
                 note.digest);
    TRY(db_run(db, Q_AUDIT_INSERT,
               BIND(vint(a->tenant_id), vint(note.id), vint(a->at_s), vtext(event), vtext(a->actor),
                    vtext(a->object), vtext(a->payload), vblob(salt.p, salt.n),
                    vblob(note.digest, sizeof(note.digest)), vint(store_slot(s))),
               NULL));
    TRY(db_note(db, &note));
    return a->webhooks.n ? emit(db, s, a) : ERR_OK;
}

struct alone {
    struct store *store;
    struct audit audit;
};

static err_t write_in_tx(struct db *db, void *ctx)
{
    struct alone *t = ctx;
    return audit_write(db, t->store, &t->audit);
}

err_t audit_now(struct op *op, enum audit_event e, struct str object, struct str payload)
{
    struct alone t = {.store = op->core->store};
    audit_make(op, e, object, payload, &t.audit);
    return store_tx(t.store, write_in_tx, &t);
}

/* --- starting
 * -------------------------------------------------------------------------------------------------------- */

err_t audit_start(struct core *core)
{
    struct audit_state *st = calloc(1, sizeof(*st));
    if (!st)
        return ERR_MEMORY;
    st->core = core;
    st->rescan = true;
    idmap_init(&st->heads, sizeof(struct audit_head), LIMIT_AUDIT_HEADS);
    audit_refused_init(st);
    core->audit = st;
    store_on_commit(core->store, audit_seal_batch, st);
    return ERR_OK;
}

void audit_stop(struct core *core)
{
    struct audit_state *st = core->audit;
    if (!st)
        return;
    core->audit = NULL;
    idmap_free(&st->heads);
    audit_refused_free(st);
    free(st->note);
    free(st->chained);
    free(st);
}
