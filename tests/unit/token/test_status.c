/* Status lists: places that never come twice, what the bits say, and when rows are marked. */
#include "world.h"
#include "base/enc.h"
#include "token/status.h"
#include <zlib.h>

#define SIZE LIMIT_STATUS_SIZE

struct stub_client {
    struct str client_id;
};
static const struct field stub_fields[] = {
    {"client_id", F_STR, FIELD_REQUIRED, LIMIT_NAME, offsetof(struct stub_client, client_id), NULL, NULL, "id"},
};
static const struct object_kind kind_stub_client = {
    .name = "client",
    .plural = "clients",
    .name_field = "client_id",
    .read = "client.read",
    .write = "client.write",
    .doc = "stub",
    .fields = FIELDS(stub_fields, struct stub_client),
};

static struct world w;

static int64_t take_in(const char *tenant)
{
    int64_t index = -1;
    struct op *op = world_op(&w, tenant);
    CHECK(status_take(op, store_new_id(w.core.store), &index) == ERR_OK && index > SIZE);
    return index;
}

static int64_t take(void)
{
    return take_in("default");
}

/* --- places --- */

static void test_every_place_once(void)
{
    static uint8_t seen[SIZE];
    int64_t first = take(), last = first;
    size_t steps = 0;
    seen[first % SIZE] = 1;
    for (int i = 1; i < SIZE; i++) {
        int64_t index = take();
        steps += index == last + 1;
        last = index;
        if (index / SIZE == first / SIZE)
            seen[index % SIZE]++;
    }
    size_t once = 0;
    for (int i = 0; i < SIZE; i++)
        once += seen[i] == 1;
    CHECK(once == SIZE);
    CHECK(steps < 16); /* the order is another */
    CHECK(take() / SIZE != first / SIZE);
}

/* Two servers on one store, in the same millisecond. */
static void test_two_servers(void)
{
    struct status *one = w.core.status, *two = status_new();
    CHECK(two != NULL);
    int64_t a = take();
    w.core.status = two;
    int64_t b = take();
    CHECK(a / SIZE != b / SIZE && take() / SIZE == b / SIZE);
    w.core.status = one;
    CHECK(take() / SIZE == a / SIZE);
    status_free(&two);
}

static void test_a_day(void)
{
    int64_t a = take();
    w.now_ms += (LIMIT_STATUS_OPEN_S - 1) * 1000LL;
    CHECK(take() / SIZE == a / SIZE);
    w.now_ms += 1000;
    CHECK(take() / SIZE != a / SIZE);
}

/* --- bits --- */

static err_t insert_tx(struct db *db, void *ctx)
{
    return token_insert(db, ctx);
}

static struct token put(int64_t id, int64_t client_id)
{
    struct op *op = world_op(&w, "default");
    struct token t = {.kind = TOKEN_ACCESS,
                      .id = id,
                      .tenant_id = op->tenant->object.id,
                      .client_id = client_id,
                      .scope = STR("a"),
                      .audience = STR("api"),
                      .issued_s = op->now_s,
                      .expires_s = op->now_s + 3600};
    CHECK(status_take(op, t.id, &t.status_index) == ERR_OK);
    CHECK(store_tx(w.core.store, insert_tx, &t) == ERR_OK);
    return t;
}

static err_t lst_member(void *ctx, const struct json_member *m)
{
    if (str_is(m->key, "status_list"))
        return json_scan(w.arena, m->raw, lst_member, ctx);
    if (str_is(m->key, "lst"))
        *(struct str *)ctx = m->text;
    return ERR_OK;
}

/* 0, 1, or -1: there is no such list. A second later than what was asked before. */
static int bit_of(int64_t index)
{
    static uint8_t bits[SIZE / 8];
    struct str token, dot, lst = STR_NONE, payload, packed;
    uLongf n = sizeof(bits);
    w.now_ms += LIMIT_STATUS_AGE_MS;
    struct op *op = world_op(&w, "default");
    err_t e = status_list_token(op, id_text(&w.core, op->arena, index / SIZE), &token);
    if (e == ERR_NOT_FOUND)
        return -1;
    CHECK(e == ERR_OK);
    CHECK(str_word(&token, '.', &dot) && str_word(&token, '.', &dot) && dec_b64url(op->arena, dot, &payload));
    CHECK(json_scan(op->arena, payload, lst_member, &lst) == ERR_OK && dec_b64url(op->arena, lst, &packed));
    CHECK(uncompress(bits, &n, (const Bytef *)packed.p, packed.n) == Z_OK && n == sizeof(bits));
    return bits[index % SIZE / 8] >> (index % 8) & 1;
}

static bool marked(const struct token *t)
{
    struct token row;
    struct op *op = world_op(&w, "default");
    CHECK(token_read(op, op->db, t->id, &row) == ERR_OK);
    return row.revoked_s != 0;
}

static void mark(void)
{
    CHECK(dead_set_mark_some(world_op(&w, "default")) == ERR_OK);
}

static void test_one_token(void)
{
    struct token a = put(store_new_id(w.core.store), 0), b = put(store_new_id(w.core.store), 0);
    CHECK(bit_of(a.status_index) == 0 && bit_of(b.status_index) == 0);
    CHECK(node_revoke(world_op(&w, "default"), NODE_TOKEN, a.id, "administrator") == ERR_OK);
    CHECK(bit_of(a.status_index) == 1 && bit_of(b.status_index) == 0);
}

/* The list knows at once; the rows follow when nothing can be on its way any more. */
static void test_a_client(void)
{
    struct object *c = NULL;
    struct op *op = world_op(&w, "default");
    CHECK(object_put(op, &kind_stub_client, world_json(&w, "{'client_id':'job'}"), OBJECT_CREATE, MANAGED_API, 0, "", &c, NULL) == ERR_OK);
    int64_t client_id = c->id, late_id = store_new_id(w.core.store);
    struct token t = put(store_new_id(w.core.store), client_id);
    CHECK(bit_of(t.status_index) == 0);
    CHECK(node_revoke(world_op(&w, "default"), NODE_CLIENT, client_id, "administrator") == ERR_OK);
    CHECK(bit_of(t.status_index) == 1);
    mark();
    CHECK(!marked(&t));
    struct token late = put(late_id, client_id), new = put(store_new_id(w.core.store), client_id);
    CHECK(bit_of(late.status_index) == 1 && bit_of(new.status_index) == 0);
    w.now_ms += LIMIT_STATUS_MARK_MS;
    mark();
    CHECK(marked(&t) && marked(&late) && !marked(&new));
    CHECK(bit_of(t.status_index) == 1 && bit_of(late.status_index) == 1 && bit_of(new.status_index) == 0);
}

static void test_a_tenant(void)
{
    struct op *op = world_op(&w, "default");
    CHECK(object_put(op, &kind_tenant, world_json(&w, "{'name':'acme'}"), OBJECT_CREATE, MANAGED_API, 0, "", NULL, NULL) == ERR_OK);
    int64_t before = take_in("acme");
    CHECK(take_in("acme") / SIZE == before / SIZE);
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_tenant, STR("acme"), true) == ERR_OK);
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_tenant, STR("acme"), false) == ERR_OK);
    CHECK(take_in("acme") / SIZE != before / SIZE);
}

static err_t restore_tx(struct db *db, void *ctx)
{
    (void)ctx;
    return db_run(db, Q_RESTORE_STATUS, BIND_NONE, NULL);
}

/* What has no row in a list of a backup is lost. */
static void test_a_restore(void)
{
    struct token t = put(store_new_id(w.core.store), 0);
    int64_t lost = take();
    CHECK(lost / SIZE == t.status_index / SIZE && bit_of(lost) == 0);
    CHECK(store_tx(w.core.store, restore_tx, NULL) == ERR_OK);
    CHECK(bit_of(lost) == 1 && bit_of(t.status_index) == 0);
    CHECK(node_revoke(world_op(&w, "default"), NODE_TOKEN, t.id, "administrator") == ERR_OK);
    CHECK(bit_of(t.status_index) == 1);
}

/* When all its tokens have expired, a list is none any more. */
static void test_the_end(void)
{
    struct token t = put(store_new_id(w.core.store), 0);
    struct op *op = world_op(&w, "default");
    struct str name = id_text(&w.core, op->arena, t.status_index / SIZE + 1000), text;
    CHECK(status_list_token(op, name, &text) == ERR_NOT_FOUND);
    CHECK(status_list_token(op, STR("nonsense"), &text) == ERR_NOT_FOUND);
    CHECK(bit_of(t.status_index) == 0);
    w.now_ms += (LIMIT_STATUS_OPEN_S + LIMIT_ACCESS_TOKEN_LIFE) * 1000LL;
    CHECK(bit_of(t.status_index) == 0);
    w.now_ms += LIMIT_CLOCK_SKEW * 1000LL;
    CHECK(bit_of(t.status_index) == -1);
    w.core.expiry = expiry_new();
    bool more;
    CHECK(life_expire(world_op(&w, "default"), 1000, &more) == ERR_OK);
    expiry_free(&w.core.expiry);
}

int main(void)
{
    CHECK(world_begin(&w));
    w.kinds[w.table.n++] = &kind_stub_client;
    w.core.status = status_new();
    CHECK(w.core.status && world_start(&w));
    test_every_place_once();
    test_two_servers();
    test_a_day();
    test_one_token();
    test_a_client();
    test_a_tenant();
    test_a_restore();
    test_the_end();
    status_free(&w.core.status);
    world_end(&w);
    return unit_end("token/status");
}
