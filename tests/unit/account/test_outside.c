/* Outside accounts linked to accounts here: tickets bound to a browser, links written once and bounded in number, gone with their
 * account; providers as configured objects with a sealed secret. */
#include "people.h"
#include "account/outside_parts.h"
#include "base/limits.h"

#define BROWSER STR("0123456789abcdef0123456789abcdef")
#define OTHER   STR("fedcba9876543210fedcba9876543210")

static struct world w;

static err_t put_provider(const char *text, enum object_mode mode, bool *ret_changed)
{
    struct op *op = world_op(&w, "default");
    return object_put(op, &kind_provider, world_json(&w, text), mode, MANAGED_API, 0, "", NULL, ret_changed);
}

static void test_kind(void)
{
    bool changed;
    struct object *o;
    const char *whole = "{'name':'acme','issuer':'https://op.example','client_id':'here','client_secret':'s3cret of ours'}";
    CHECK(put_provider("{'name':'acme','issuer':'https://op.example','client_id':'here'}", OBJECT_CREATE, &changed) == ERR_PARAM_MISSING);
    CHECK(put_provider(whole, OBJECT_CREATE, &changed) == ERR_OK);
    CHECK(object_read(&w.op, &kind_provider, STR("acme"), &o) == ERR_OK);
    CHECK(o->secret.n > 0 && !memmem(o->secret.p, o->secret.n, "s3cret", 6));
    int64_t id = o->id, cutoff_id = o->cutoff_id;
    const struct tenant *t = world_op(&w, "default")->tenant;
    const struct provider *p = provider_named(t, STR("acme"));
    CHECK(p && str_is(p->client_secret, "s3cret of ours") && str_is(p->scope, "openid profile email") && str_is(p->link, "ask"));
    CHECK(p && p->id == id && p->cutoff_id == cutoff_id && provider_of_issuer(t, STR("https://op.example")) == p);
    CHECK(put_provider("{'name':'acme','client_secret':'s3cret of ours'}", OBJECT_UPDATE, &changed) == ERR_OK && !changed);
    CHECK(put_provider("{'name':'acme','client_secret':'another'}", OBJECT_UPDATE, &changed) == ERR_OK && changed);
    CHECK(str_is(provider_named(world_op(&w, "default")->tenant, STR("acme"))->client_secret, "another"));
    CHECK(!provider_named(w.op.tenant, STR("acm")) && !provider_of_issuer(w.op.tenant, STR("https://op.example/")));
    CHECK(put_provider("{'name':'big','issuer':'https://op.example','client_id':'x','client_secret':'y','scope':'profile'}", OBJECT_CREATE,
                       &changed) == ERR_PARAM_BAD);
}

static char text_kept[TOKEN_TEXT_SIZE]; /* the world's arena is emptied with each op */

static struct str ticket(struct str subject)
{
    struct str text;
    struct outside_spec spec = {.provider = STR("acme"), .browser = BROWSER, .subject = subject, .label = STR("ann")};
    CHECK(outside_ticket_make(world_op(&w, "default"), OUTSIDE_WAIT, &spec, &text) == ERR_OK && text.n == sizeof(text_kept));
    memcpy(text_kept, text.p, sizeof(text_kept));
    return (struct str){text_kept, sizeof(text_kept)};
}

static void test_ticket(void)
{
    struct outside_pending p;
    struct str text = ticket(STR("s"));
    CHECK(outside_pending(world_op(&w, "default"), text, BROWSER, &p) == ERR_OK && str_is(p.subject, "s") && str_is(p.label, "ann"));
    CHECK(outside_pending(world_op(&w, "default"), text, OTHER, &p) == ERR_OUTSIDE);
    CHECK(outside_pending(world_op(&w, "default"), text, STR_NONE, &p) == ERR_OUTSIDE);
    CHECK(outside_pending(world_op(&w, "default"), STR("merl_x"), BROWSER, &p) == ERR_OUTSIDE);
    struct outside_ticket t;
    CHECK(outside_ticket_find(world_op(&w, "default"), OUTSIDE_WAY, text, BROWSER, &t) == ERR_OUTSIDE); /* of the other kind */
    struct ticket link;
    CHECK(link_open(world_op(&w, "default"), text, &link) == ERR_LINK_DEAD); /* and no one-use link */
    w.now_ms += (LIMIT_OUTSIDE_S - 1) * 1000;
    CHECK(outside_pending(world_op(&w, "default"), text, BROWSER, &p) == ERR_OK);
    w.now_ms += 1000;
    CHECK(outside_pending(world_op(&w, "default"), text, BROWSER, &p) == ERR_OUTSIDE);
}

static err_t link_one(struct str subject, const char *who)
{
    struct outside_pending p;
    struct account a;
    struct session s = {0};
    struct str text = ticket(subject);
    TRY(outside_pending(world_op(&w, "default"), text, BROWSER, &p));
    TRY(account_by_name(&w.op, str_z(who), &a));
    s.account_id = a.id;
    s.id = store_new_id(w.core.store);
    TRY(outside_link(&w.op, &p, &s));
    w.op.fault = (struct fault){0};
    CHECK(outside_link(&w.op, &p, &s) == ERR_OUTSIDE); /* used */
    return ERR_OK;
}

/* 0: nobody */
static int64_t account_of(struct str subject)
{
    struct outside_known k;
    struct op *op = world_op(&w, "default");
    CHECK(outside_find(op, provider_named(op->tenant, STR("acme")), subject, &k) == ERR_OK);
    return k.account_id;
}

static void test_links(void)
{
    struct account a;
    struct held_list held;
    bool changed;
    CHECK(put_account(&w, &kind_user, "{'username':'ann'}", OBJECT_CREATE, &changed) == ERR_OK);
    CHECK(put_account(&w, &kind_user, "{'username':'eve'}", OBJECT_CREATE, &changed) == ERR_OK);
    CHECK(account_of(STR("1")) == 0 && link_one(STR("1"), "ann") == ERR_OK);
    CHECK(account_by_name(world_op(&w, "default"), STR("ann"), &a) == ERR_OK && account_of(STR("1")) == a.id);
    CHECK(link_one(STR("1"), "eve") == ERR_CONFLICT && link_one(STR("1"), "ann") == ERR_CONFLICT && account_of(STR("1")) == a.id);
    for (int i = 2; i <= LIMIT_IDENTITIES; i++) {
        char subject[12];
        snprintf(subject, sizeof(subject), "%d", i);
        CHECK_ROW(link_one(str_z(subject), "ann") == ERR_OK, subject);
    }
    CHECK(link_one(STR("one more"), "ann") == ERR_CONFLICT && link_one(STR("one more"), "eve") == ERR_OK);
    CHECK(audit_count(&w, "identity.linked") == LIMIT_IDENTITIES + 1);
    CHECK(life_list(world_op(&w, "default"), a.id, &held) == ERR_OK && held.n == LIMIT_IDENTITIES && held.v[0].kind == NODE_IDENTITY);
    CHECK(str_is(held.v[held.n - 1].what, "acme, 1"));
    CHECK(node_revoke(&w.op, NODE_IDENTITY, held.v[held.n - 1].id, "person") == ERR_OK && account_of(STR("1")) == 0);
    CHECK(audit_count(&w, "identity.unlinked") == 1);
    CHECK(object_set_disabled(world_op(&w, "default"), &kind_user, STR("ann"), true) == ERR_OK);
    CHECK(link_one(STR("1"), "ann") == ERR_CONFLICT);
    CHECK(object_remove(world_op(&w, "default"), &kind_user, STR("ann")) == ERR_OK && account_of(STR("2")) == 0);
    CHECK(account_of(STR("one more")) != 0);
}

int main(void)
{
    if (!people_begin(&w)) {
        fprintf(stderr, "no world: %s\n", w.fault.detail);
        return 1;
    }
    w.kinds[w.table.n++] = &kind_provider;
    test_kind();
    test_ticket();
    test_links();
    world_end(&w);
    return unit_end("account/outside");
}
