/* The console: disable, enable, remove, a link, revoke; a new signing key. */
#include "api/console.h"
#include "api/admin.h"
#include "token/core.h"
#include "token/keyring.h"

static err_t do_disable(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    TRY(object_set_disabled(&c->op, k, p->name, true));
    return console_show_stored(c, k, p->name, "done", STR("Disabled. What was issued under it no longer works."));
}

static err_t do_enable(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    TRY(object_set_disabled(&c->op, k, p->name, false));
    return console_show_stored(c, k, p->name, "done", STR("Enabled. What was issued before stays dead."));
}

static err_t do_remove(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    TRY(object_remove(&c->op, k, p->name));
    return page_go(c, arena_fmt(c->op.arena, "console/%s", k->plural));
}

static err_t do_link(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    struct str url;
    TRY(admin_link(&c->op, k, p->name, &url));
    return console_show_stored(c, k, p->name, "secret", url);
}

static err_t do_revoke(struct call *c, const struct object_kind *k, const struct console_action_params *p)
{
    enum node_kind kind;
    int64_t id;
    if (!id_parse(c->op.core, p->id, &id))
        return op_fail(&c->op, ERR_PARAM_BAD, "id", "is not an id of this server");
    TRY(account_permit_revoke(&c->op, id));
    if (admin_revocable(p->node, &kind))
        TRY(node_revoke(&c->op, kind, id, "administrator"));
    return console_show_stored(c, k, p->name, "done", STR("Revoked."));
}

static const struct {
    const char *name;
    err_t (*run)(struct call *c, const struct object_kind *k, const struct console_action_params *p);
} actions[] = {{"disable", do_disable}, {"enable", do_enable}, {"remove", do_remove}, {"link", do_link}, {"revoke", do_revoke}};

err_t console_action(struct call *c, void *params)
{
    struct console_action_params *p = params;
    const struct object_kind *k;
    enum alg alg;
    TRY(csrf_check(&c->op, "console", c->session_text, p->csrf));
    if (str_is(p->action, "rotate") && str_is(c->args[0], "keys")) {
        if (!alg_find_in(p->node, ALGS_ISSUED, &alg))
            return op_fail(&c->op, ERR_PARAM_BAD, "node", "is not an algorithm");
        TRY(op_permit(&c->op, "key.write"));
        TRY(keyring_rotate(&c->op, alg));
        return page_go(c, STR("console/keys"));
    }
    TRY(admin_kind(c, &k));
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (str_is(p->action, actions[i].name))
            return actions[i].run(c, k, p);
    return op_fail(&c->op, ERR_PARAM_BAD, "action", "is not one of this kind's");
}
