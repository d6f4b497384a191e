/* The audit trail: it verifies, every tampering is found, retention leaves it whole, refusals stay bounded.
 */
#include "world.h"
#include <sqlite3.h>
#include <pthread.h>

static struct world w;

static err_t write_some(const char *tenant, int n)
{
    for (int i = 0; i < n; i++) {
        struct op *op = world_op(&w, tenant);
        op->peer = STR("203.0.113.5");
        op->request_id = STR("01TEST");
        struct str payload = i % 2 ? STR("{\"n\":1}") : STR_NONE;
        TRY(audit_now(op, AUDIT_TOKEN_ISSUED, arena_fmt(op->arena, "token:%d", i), payload));
    }
    return ERR_OK;
}

static err_t verify(void)
{
    int64_t rows = 0;
    return audit_verify(world_op(&w, "default"), NULL, NULL, &rows);
}

static void seen(void *ctx, int64_t done, int64_t total)
{
    int64_t *last = ctx;
    CHECK(done >= *last && done <= total);
    *last = done;
}

static void test_whole(void)
{
    int64_t rows = 0, last = 0;
    CHECK(write_some("default", 30) == ERR_OK && write_some("other", 10) == ERR_OK);
    CHECK(audit_checkpoint(world_op(&w, "default")) == ERR_OK);
    CHECK(write_some("default", 5) == ERR_OK);
    CHECK(audit_checkpoint(world_op(&w, "default")) == ERR_OK);
    CHECK(audit_checkpoint(world_op(&w, "default")) == ERR_OK); /* nothing has moved */
    CHECK(audit_verify(world_op(&w, "default"), seen, &last, &rows) == ERR_OK);
    CHECK(rows >= 45 && last == rows);
    if (w.op.fault.code)
        fprintf(stderr, "%s\n", w.op.fault.detail);
}

static void test_list(void)
{
    struct buf b;
    struct jw j;
    int64_t next = 0;
    json_t *v = NULL;
    struct op *op = world_op(&w, "default");
    struct audit_query q = {.event = STR("token.issued"), .limit = 10};
    buf_init(&b, op->arena, 65536);
    jw_init(&j, &b);
    CHECK(audit_list(op, &q, &j, &next) == ERR_OK && next != 0);
    CHECK(json_load(buf_view(&b), &v) == ERR_OK && json_array_size(v) == 10);
    json_t *data = json_object_get(json_array_get(v, 0), "data");
    CHECK(str_is(json_str(json_object_get(data, "ip")), "203.0.113.5"));
    CHECK(str_is(json_str(json_object_get(data, "request_id")), "01TEST"));
    json_decref(v);
    q.before_id = next;
    q.limit = 200;
    op = world_op(&w, "default");
    buf_init(&b, op->arena, 655360);
    jw_init(&j, &b);
    CHECK(audit_list(op, &q, &j, &next) == ERR_OK && next == 0);
    q.limit = LIMIT_PAGE + 1;
    CHECK(audit_list(op, &q, &j, &next) == ERR_PARAM_BAD);
    op = world_op(&w, "default");
    op->actor = (struct actor){.kind = ACTOR_PERSON, .tenant_id = op->tenant->object.id};
    q.limit = 10;
    CHECK(audit_list(op, &q, &j, &next) == ERR_FORBIDDEN);
}

/* --- tampering: each statement is undone by its opposite
 * ------------------------------------------------------------------ */

static int sql(const char *text)
{
    char path[128], *why = NULL;
    sqlite3 *db = NULL;
    snprintf(path, sizeof(path), "%s/mereau.db", w.dir);
    int rc = sqlite3_open(path, &db);
    sqlite3_busy_timeout(db, 5000);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, text, NULL, NULL, &why);
    if (rc != SQLITE_OK)
        fprintf(stderr, "%s: %s\n", text, why ? why : "?");
    sqlite3_free(why);
    sqlite3_close(db);
    return rc;
}

static void test_tampering(void)
{
    static const struct {
        const char *what, *change;
        bool found;
    } rows[] = {
        {"nothing", "SELECT 1", true},
        {"object",
         "UPDATE audit SET object='token:x' WHERE id=(SELECT id FROM audit WHERE event='token.issued' ORDER "
         "BY id LIMIT 1 OFFSET 3)",
         false},
        {"actor", "UPDATE audit SET actor='system' WHERE id=(SELECT max(id) FROM audit)", false},
        {"time", "UPDATE audit SET at_s=at_s+1 WHERE id=(SELECT min(id) FROM audit)", false},
        {"event", "UPDATE audit SET event='signout' WHERE id=(SELECT max(id) FROM audit)", false},
        {"payload gone",
         "UPDATE audit SET payload=NULL WHERE id=(SELECT max(id) FROM audit WHERE payload IS NOT NULL)",
         false},
        {"emptied by hand",
         "UPDATE audit SET actor=NULL, object=NULL, payload=NULL, salt=NULL WHERE id=(SELECT max(id) FROM "
         "audit)",
         false},
        {"row removed", "DELETE FROM audit WHERE id=(SELECT id FROM audit ORDER BY id LIMIT 1 OFFSET 7)",
         false},
        {"last row removed", "DELETE FROM audit WHERE id=(SELECT max(id) FROM audit)", false},
        {"row added",
         "INSERT INTO audit SELECT (SELECT max(id)+1 FROM audit_seal), tenant_id, at_s, event, actor, "
         "object, payload, salt, digest, writer FROM audit WHERE id=(SELECT max(id) FROM audit)",
         false},
        {"row added before all",
         "INSERT INTO audit SELECT id-1, tenant_id, at_s, event, actor, object, payload, salt, digest, writer FROM "
         "audit WHERE id=(SELECT min(id) FROM audit)",
         false},
        {"row moved to another tenant",
         "UPDATE audit SET tenant_id=tenant_id+1 WHERE id=(SELECT max(id) FROM audit)", false},
        {"row moved to another writer", "UPDATE audit SET writer=1 WHERE id=(SELECT max(id) FROM audit)", false},
        {"seal removed", "DELETE FROM audit_seal WHERE seal=4", false},
        {"chain value", "UPDATE audit_seal SET chain=zeroblob(32) WHERE seal=2", false},
        {"count", "UPDATE audit_seal SET count=count+1 WHERE seal=2", false},
        {"seal before it", "UPDATE audit_seal SET before_id=before_id-1 WHERE seal=3", false},
        {"all of one tenant",
         "DELETE FROM audit WHERE tenant_id=(SELECT max(tenant_id) FROM audit); DELETE FROM audit_seal WHERE "
         "tenant_id=(SELECT max(tenant_id) FROM audit_seal)",
         false},
        {"end cut off with its seals",
         "DELETE FROM audit WHERE id > (SELECT max(id)-20 FROM audit_seal); DELETE FROM audit_seal WHERE id "
         "> (SELECT max(id)-20 FROM audit_seal)",
         false},
        {"checkpoint's heads",
         "UPDATE audit_checkpoint SET heads=zeroblob(48), tenants=1 WHERE id=(SELECT max(id) FROM "
         "audit_checkpoint)",
         false},
        {"first checkpoint removed",
         "DELETE FROM audit_checkpoint WHERE id=(SELECT min(id) FROM audit_checkpoint)", false},
    };
    static const char *const tables[] = {"audit", "audit_seal", "audit_checkpoint"};
    char text[200];
    for (int t = 0; t < 3; t++) {
        snprintf(text, sizeof(text), "CREATE TABLE keep_%s AS SELECT * FROM %s", tables[t], tables[t]);
        CHECK(sql(text) == SQLITE_OK);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_ROW(sql(rows[i].change) == SQLITE_OK, rows[i].what);
        err_t e = verify();
        CHECK_ROW(e == (rows[i].found ? ERR_OK : ERR_STORE_CORRUPT), rows[i].what);
        CHECK_ROW(rows[i].found || w.op.fault.detail[0], rows[i].what);
        for (int t = 0; t < 3; t++) {
            snprintf(text, sizeof(text), "DELETE FROM %s; INSERT INTO %s SELECT * FROM keep_%s", tables[t],
                     tables[t], tables[t]);
            CHECK(sql(text) == SQLITE_OK);
        }
    }
    for (int t = 0; t < 3; t++) {
        snprintf(text, sizeof(text), "DROP TABLE keep_%s", tables[t]);
        CHECK(sql(text) == SQLITE_OK);
    }
    CHECK(verify() == ERR_OK);
}

/* --- writers at once, a rolled back transaction, a restart
 * -------------------------------------------------------------------- */

static err_t write_and_fail(struct db *db, void *ctx)
{
    TRY(audit_write(db, w.core.store, ctx));
    return ERR_CONFLICT;
}

static err_t write_it(struct db *db, void *ctx)
{
    return audit_write(db, w.core.store, ctx);
}

static void *writer(void *ctx)
{
    struct audit a = *(const struct audit *)ctx;
    for (int i = 0; i < 50; i++) {
        err_t ok = store_tx(w.core.store, write_it, &a), failed = store_tx(w.core.store, write_and_fail, &a);
        if (ok != ERR_OK || failed != ERR_CONFLICT)
            fprintf(stderr, "writer: %s %s\n", err_name(ok), err_name(failed));
    }
    return NULL;
}

static void test_writers(void)
{
    pthread_t thread[8];
    struct audit a[2];
    int64_t before = 0, after = 0;
    CHECK(audit_verify(world_op(&w, "default"), NULL, NULL, &before) == ERR_OK);
    audit_make(world_op(&w, "other"), AUDIT_SIGNED_IN, STR("x"), STR_NONE, &a[1]);
    a[1].actor = STR("operator");
    audit_make(world_op(&w, "default"), AUDIT_SIGNED_IN, STR("x"), STR_NONE, &a[0]);
    a[0].actor = a[1].actor;
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&thread[i], NULL, writer, &a[i % 2]) == 0);
    for (int i = 0; i < 8; i++)
        pthread_join(thread[i], NULL);
    CHECK(audit_verify(world_op(&w, "default"), NULL, NULL, &after) == ERR_OK);
    CHECK(after == before + 400);
}

static void test_restart(void)
{
    op_end(&w.op);
    db_close(&w.db);
    store_close(&w.core.store);
    audit_stop(&w.core);
    CHECK(world_store(&w) == ERR_OK);
    CHECK(audit_start(&w.core) == ERR_OK);
    CHECK(write_some("default", 3) == ERR_OK);
    CHECK(audit_checkpoint(world_op(&w, "default")) == ERR_OK);
    CHECK(verify() == ERR_OK);
    /* what was written before the restart and after the last checkpoint is in the new one */
    CHECK(sql("CREATE TABLE keep AS SELECT * FROM audit_seal; DELETE FROM audit_seal WHERE seal > 40") ==
          SQLITE_OK);
    CHECK(verify() == ERR_STORE_CORRUPT);
    CHECK(sql("DELETE FROM audit_seal; INSERT INTO audit_seal SELECT * FROM keep; DROP TABLE keep") ==
          SQLITE_OK);
    CHECK(verify() == ERR_OK);
}

/* A COMMIT that failed: memory is one seal ahead of the store, and notices. */
static void test_lost_commit(void)
{
    CHECK(audit_checkpoint(world_op(&w, "default")) == ERR_OK);
    for (int i = 0; i < 2; i++) {
        CHECK(write_some("default", 1) == ERR_OK);
        CHECK(sql("DELETE FROM audit WHERE id=(SELECT max(id) FROM audit); DELETE FROM audit_seal WHERE "
                  "id=(SELECT max(id) FROM audit_seal)") == SQLITE_OK);
        CHECK(write_some(i ? "other" : "default", 2) == ERR_OK);
        CHECK(verify() == ERR_OK);
        CHECK(audit_checkpoint(world_op(&w, "default")) == ERR_OK);
        CHECK(verify() == ERR_OK);
    }
}

#define CROWD (LIMIT_AUDIT_HEADS_KEPT + 50)

static err_t crowd_tx(struct db *db, void *ctx)
{
    struct audit *a = ctx;
    for (int64_t i = 1; i <= CROWD; i++) {
        a->tenant_id = i;
        TRY(audit_write(db, w.core.store, a));
    }
    return ERR_OK;
}

/* More tenants than memory keeps: those that leave it come back from their table. */
static void test_crowd(void)
{
    struct audit a;
    for (int i = 0; i < 3; i++) {
        audit_make(world_op(&w, "default"), AUDIT_SIGNED_IN, STR("x"), STR_NONE, &a);
        CHECK(store_tx(w.core.store, crowd_tx, &a) == ERR_OK);
        CHECK((i == 1 ? audit_checkpoint : audit_save_heads)(world_op(&w, "default")) == ERR_OK);
    }
    CHECK(verify() == ERR_OK);
    CHECK(audit_checkpoint(world_op(&w, "default")) == ERR_OK);
    CHECK(verify() == ERR_OK);
}

static void test_retention(void)
{
    int64_t emptied = 0, again = 0;
    CHECK(write_some("default", 3) == ERR_OK);
    w.now_ms += 86400000;
    struct op *op = world_op(&w, "default");
    CHECK(audit_retain(op, op->now_s - 3600, &emptied) == ERR_OK && emptied > 100);
    CHECK(verify() == ERR_OK);
    op = world_op(&w, "default");
    CHECK(audit_retain(op, op->now_s - 3600, &again) == ERR_OK && again == 0);
    CHECK(sql("UPDATE audit SET actor=NULL, object=NULL, payload=NULL, salt=NULL WHERE id=(SELECT max(id) "
              "FROM audit)") == SQLITE_OK);
    CHECK(verify() == ERR_STORE_CORRUPT);
}

static int64_t count_of(const char *event)
{
    struct rows r;
    int64_t n = 0;
    CHECK(db_rows(w.db, Q_AUDIT_LIST, BIND(vint(w.op.tenant->object.id), vint(0), vint(INT64_MAX), vint(0), vint(1 << 20)), &r) ==
          ERR_OK);
    while (db_next(&r))
        n += str_is(db_text(&r, 2), event);
    CHECK(db_end(&r) == ERR_OK);
    return n;
}

static void test_refused(void)
{
    struct op *op = world_op(&w, "default");
    for (int i = 0; i < 1000; i++)
        audit_refused(op, "client.unknown", STR("web"));
    CHECK(audit_flush_refused(op) == ERR_OK && count_of("refused") == 1);
    op = world_op(&w, "default");
    for (int i = 0; i < 1000; i++)
        audit_refused(op, "client.unknown", arena_fmt(op->arena, "c%d\n\"", i));
    CHECK(audit_flush_refused(op) == ERR_OK && count_of("refused") == 1 + LIMIT_REFUSED + 1);
    CHECK(audit_flush_refused(world_op(&w, "default")) == ERR_OK &&
          count_of("refused") == 1 + LIMIT_REFUSED + 1);
}

static void test_webhook(void)
{
    struct rows r;
    struct object *o;
    struct op *op = world_op(&w, "default");
    CHECK(object_put(op, &kind_webhook,
                     world_json(&w, "{'name':'siem','url':'https://siem.example/in','secret':'a long enough "
                                    "secret of 40 characters ..','events':['signin.failed','refused']}"),
                     OBJECT_CREATE, MANAGED_API, 0, "", &o, NULL) == ERR_OK);
    op = world_op(&w, "default");
    CHECK(audit_now(op, AUDIT_SIGNIN_FAILED, STR("user:ann"), STR("{\"why\":\"password\"}")) == ERR_OK);
    CHECK(audit_now(op, AUDIT_SIGNED_IN, STR("user:ann"), STR_NONE) == ERR_OK);
    int n = 0;
    CHECK(db_rows(w.db, Q_OUTBOX_PENDING, BIND_NONE, &r) == ERR_OK && db_next(&r));
    n = (int)db_int(&r, 0);
    CHECK(db_end(&r) == ERR_OK && n == 1);
}

int main(void)
{
    if (!world_begin(&w) || !world_start(&w))
        return 1;
    struct object *o;
    struct op *op = world_op(&w, "default");
    CHECK(object_put(op, &kind_tenant, world_json(&w, "{'name':'other'}"), OBJECT_CREATE, MANAGED_API, 0, "",
                     &o, NULL) == ERR_OK);
    test_whole();
    test_list();
    test_tampering();
    test_writers();
    test_restart();
    test_refused();
    test_webhook();
    test_lost_commit();
    test_crowd();
    test_retention();
    world_end(&w);
    return unit_end("token/audit");
}
