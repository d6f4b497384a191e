/* Signing in with an account elsewhere: the button's address, where the provider sends the browser back to, and what the
 * sign-in page shows of it. */
#include "api/pages.h"
#include "account/outside.h"
#include "token/core.h"
#include "base/limits.h"

#define AT(member) offsetof(struct signin_back_params, member)
static const struct field back_rows[] = {
    {"code", F_STR, FIELD_EXACT, LIMIT_PARAM, AT(code), NULL, NULL, "the provider's code"},
    {"state", F_STR, FIELD_EXACT, LIMIT_STATE, AT(state), NULL, NULL, "which sign-in it belongs to"},
    {"iss", F_STR, FIELD_EXACT, LIMIT_REDIRECT_URI, AT(iss), NULL, NULL, "who answers (RFC 9207)"},
    {"error", F_STR, 0, LIMIT_TEXT, AT(error), NULL, NULL, "the provider's error code"},
};
#undef AT
const struct fields signin_back_fields = FIELDS(back_rows, struct signin_back_params);

/* Was a new sign-in asked for, though there may be a session there? (prompt=login, max_age) */
static bool asks_again(struct call *c, struct str next)
{
    struct str head = STR("authorize?");
    struct pairs pairs;
    if (!str_starts(next, head) || pairs_parse(c->op.arena, (struct str){next.p + head.n, next.n - head.n}, &pairs, NULL) != ERR_OK)
        return false;
    return pairs_get(pairs, STR("after")).n || str_has_word(pairs_get(pairs, STR("prompt")), ' ', STR("login"));
}

err_t page_signin_with(struct call *c, void *params)
{
    const struct signin_params *p = params;
    struct str location;
    if (p->next.n && !page_next_ok(c, p->next))
        return op_fail(&c->op, ERR_PARAM_BAD, "continue", "must be a place on this server");
    c->back = call_url(c, "/signin", p->next.n ? p->next : STR_NONE);
    struct outside_begin b = {.provider = c->args[0], .browser = page_browser_secret(c), .next = p->next, .again = asks_again(c, p->next)};
    TRY(outside_begin(&c->op, &b, &location));
    return answer_redirect(c, location);
}

static err_t go_link(struct call *c, const struct outside_result *r)
{
    struct buf b;
    buf_init(&b, c->op.arena, 4 * LIMIT_HEADERS);
    buf_fmt(&b, "%.*s/signin?link=", STR_ARG(c->op.tenant->path));
    buf_url(&b, r->pending);
    if (r->next.n) {
        buf_z(&b, "&continue=");
        buf_url(&b, r->next);
    }
    return buf_ok(&b) ? answer_redirect(c, buf_view(&b)) : ERR_MEMORY;
}

err_t page_signin_back(struct call *c, void *params)
{
    const struct signin_back_params *p = params;
    struct outside_result r;
    struct outside_answer a = {.provider = c->args[0],
                               .browser = call_cookie(c, "pre"),
                               .code = p->code,
                               .state = p->state,
                               .iss = p->iss,
                               .error = p->error};
    err_t e = outside_finish(&c->op, &a, &r);
    c->back = call_url(c, "/signin", r.next.n ? r.next : STR_NONE);
    TRY(e);
    if (r.ask)
        return go_link(c, &r);
    page_signed_in(c, &r.in);
    return page_go_next(c, r.next);
}

void page_providers(struct call *c, struct str next, json_t *data)
{
    const struct tenant *t = c->op.tenant;
    json_t *list = page_list(data, "providers");
    if (t->nproviders && data)
        json_object_set_new(data, "has_providers", json_true());
    for (size_t i = 0; i < t->nproviders; i++) {
        json_t *item = page_item(list);
        struct str path = arena_fmt(c->op.arena, "/signin/with/%.*s", STR_ARG(t->providers[i].name));
        page_set(item, "title", provider_title(&t->providers[i]));
        page_set(item, "href", call_url(c, path.p ? path.p : "", next.n ? next : STR_NONE));
    }
}

err_t page_pending(struct call *c, struct str link, struct str next, json_t *data)
{
    struct outside_pending p;
    c->back = call_url(c, "/signin", next.n ? next : STR_NONE);
    page_set(data, "plain", c->back);
    TRY(outside_pending(&c->op, link, call_cookie(c, "pre"), &p));
    page_set(data, "link", link);
    page_set(data, "link_title", provider_title(p.provider));
    if (p.label.n)
        page_set(data, "link_label", p.label);
    return ERR_OK;
}
