/* Signing out: asked for by the person or by a client (end_session_endpoint), confirmed unless a hint names this very session; then
 * the page that lets clients know through the browser, and the way back. */
#include "api/pages.h"
#include "oauth/signout.h"

static void set_param(json_t *list, const char *name, struct str value)
{
    json_t *item = value.p ? page_item(list) : NULL;
    if (!item)
        return;
    page_set(item, "name", str_z(name));
    page_set(item, "value", value);
}

/* The request stands in the form again: what is confirmed is what was asked. */
static err_t ask(struct call *c, const struct signout_params *p, const struct signout *s)
{
    json_t *data = page_data(c, "Sign out");
    json_t *list = page_list(data, "fields");
    if (data)
        json_object_set_new(data, "signed_in", json_true());
    if (s->client) {
        const struct client *client = s->client->spec;
        page_set(data, "client_name", client->client_name.n ? client->client_name : s->client->name);
    }
    set_param(list, "id_token_hint", p->id_token_hint);
    set_param(list, "client_id", p->client_id);
    set_param(list, "post_logout_redirect_uri", p->post_logout_redirect_uri);
    set_param(list, "state", p->state);
    c->form_action = s->location.p ? verify_url_origin(s->location) : STR_NONE;
    return page_send(c, 200, "signout.html", data);
}

static err_t show_frames(struct call *c, const struct signout *s, struct strs frames)
{
    json_t *data = page_data(c, "Signed out");
    json_t *list = page_list(data, "frames");
    struct buf b;
    buf_init(&b, c->op.arena, LIMIT_FRAMES * (LIMIT_REDIRECT_URI + 1));
    for (size_t i = 0; i < frames.n; i++) {
        page_set(page_item(list), "url", frames.v[i]);
        buf_z(&b, b.n ? " " : "");
        buf_str(&b, verify_url_origin(frames.v[i]));
    }
    if (!buf_ok(&b)) {
        json_decref(data);
        return ERR_MEMORY;
    }
    c->frame_src = buf_view(&b);
    page_set(data, "location", s->location);
    return page_send(c, 200, "signout.html", data);
}

static err_t finish(struct call *c, const struct signout *s, const struct session *session)
{
    struct strs frames = {.n = 0};
    if (session) {
        TRY(signout_frames(&c->op, session->id, &frames));
        TRY(session_end(&c->op, session->id));
        call_set_cookie(c, "", STR(""), -1);
        c->session_text = STR_NONE;
    }
    if (frames.n)
        return show_frames(c, s, frames);
    return s->location.p ? answer_redirect(c, s->location) : page_go(c, STR("signout"));
}

err_t page_signout(struct call *c, void *params)
{
    const struct signout_params *p = params;
    const struct session *session;
    struct signout s;
    TRY(call_session_if_any(c, &session));
    TRY(signout_check(&c->op, p, session, &s));
    if (session && !s.sure)
        return ask(c, p, &s);
    if (session || s.location.p)
        return finish(c, &s, session);
    return page_send(c, 200, "signout.html", page_data(c, "Signed out"));
}

/* With the form's own token: the person has confirmed. Without: a client's form, which comes without our cookie (SameSite=Lax) and
 * leads on to the same request by GET. */
err_t page_signout_post(struct call *c, void *params)
{
    const struct signout_params *p = params;
    const struct session *session;
    struct signout s;
    struct str query;
    if (!p->confirm.p) {
        TRY(signout_query(&c->op, p, &query));
        return page_go(c, arena_fmt(c->op.arena, "signout?%.*s", STR_ARG(query)));
    }
    TRY(call_session_if_any(c, &session));
    TRY(signout_check(&c->op, p, session, &s));
    if (session)
        TRY(csrf_check(&c->op, "signout", c->session_text, p->confirm));
    return finish(c, &s, session);
}
