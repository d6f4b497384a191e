/* May this sign-out go on by itself, and where does it lead? */
#include "oauth/signout.h"

#define P(name, max, doc)                                                                                                          \
    {                                                                                                                              \
#name, F_STR, FIELD_EXACT, max, offsetof(struct signout_params, name), NULL, NULL, doc                                     \
    }
static const struct field signout_rows[] = {
    P(id_token_hint, LIMIT_JWT, "an ID token of the session that shall end"),
    P(logout_hint, LIMIT_TEXT, "whom the client means; a wish"),
    P(client_id, LIMIT_NAME, "the client, when there is no hint"),
    P(post_logout_redirect_uri, LIMIT_REDIRECT_URI, "where to go afterwards; must be registered"),
    P(state, LIMIT_STATE, "comes back unchanged"),
    P(ui_locales, LIMIT_TEXT, "languages"),
    P(confirm, LIMIT_NAME, "the form's own token: the person has confirmed"),
};
const struct fields signout_fields = FIELDS(signout_rows, struct signout_params);

static err_t find_client(struct op *op, const struct signout_params *p, const struct id_hint *hint, struct object **ret)
{
    *ret = hint->client;
    if (!p->client_id.n)
        return ERR_OK;
    if (hint->client && !str_eq(p->client_id, hint->client->name))
        return op_fail(op, ERR_PARAM_BAD, "client_id", "client_id is not the client of the id_token_hint");
    err_t e = object_get(op, &kind_client, p->client_id, ret);
    if (e != ERR_NOT_FOUND)
        return e;
    op->fault = (struct fault){.code = ERR_OK};
    return op_fail(op, ERR_CLIENT_ID, "client_id", "client_id is not a client of this server");
}

static bool registered(const struct client *c, struct str uri)
{
    for (size_t i = 0; i < c->post_logout_redirect_uris.n; i++)
        if (redirect_same(c->post_logout_redirect_uris.v[i], uri))
            return true;
    return false;
}

static err_t location(struct op *op, const struct signout_params *p, const struct object *client, struct str *ret)
{
    struct str uri = p->post_logout_redirect_uri;
    struct buf b;
    *ret = STR_NONE;
    if (!uri.n)
        return ERR_OK;
    if (!client || !registered(client_of(client), uri))
        return op_fail(op, ERR_REDIRECT_URI, "post_logout_redirect_uri",
                       client ? "post_logout_redirect_uri is not one this client has registered"
                              : "post_logout_redirect_uri needs an id_token_hint or client_id");
    buf_init(&b, op->arena, LIMIT_REDIRECT_URI + 3 * LIMIT_STATE + 16);
    buf_str(&b, uri);
    if (p->state.p) {
        buf_z(&b, str_find(uri, '?') < uri.n ? "&state=" : "?state=");
        buf_url(&b, p->state);
    }
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

err_t signout_check(struct op *op, const struct signout_params *p, const struct session *session, struct signout *ret)
{
    struct id_hint hint = {.client = NULL};
    struct signout s = {.sure = false};
    if (p->id_token_hint.n)
        TRY(id_token_hint(op, p->id_token_hint, &hint));
    TRY(find_client(op, p, &hint, &s.client));
    TRY(location(op, p, s.client, &s.location));
    if (session && hint.client)
        s.sure = hint.account_id == session->account_id && (!hint.session_id || hint.session_id == session->id);
    *ret = s;
    return ERR_OK;
}

err_t signout_query(struct op *op, const struct signout_params *p, struct str *ret)
{
    struct buf b;
    buf_init(&b, op->arena, 3 * LIMIT_HEADERS);
    for (size_t i = 0; i < signout_fields.n; i++) {
        const struct field *f = &signout_fields.v[i];
        struct str v = *(const struct str *)((const char *)p + f->offset);
        if (!v.p || f->offset == offsetof(struct signout_params, confirm))
            continue;
        buf_z(&b, b.n ? "&" : "");
        buf_z(&b, f->name);
        buf_char(&b, '=');
        buf_url(&b, v);
    }
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

/* --- frames --- */

static struct str frame_of(struct op *op, const struct object *client, int64_t session_id)
{
    const struct client *c = client_of(client);
    struct str uri = c->frontchannel_logout_uri, sid = id_text(op->core, op->arena, session_id);
    struct buf b;
    if (!c->frontchannel_logout_session_required)
        return uri;
    buf_init(&b, op->arena, LIMIT_REDIRECT_URI + 3 * LIMIT_TEXT);
    buf_str(&b, uri);
    buf_z(&b, str_find(uri, '?') < uri.n ? "&iss=" : "?iss=");
    buf_url(&b, op->tenant->issuer);
    buf_z(&b, "&sid=");
    buf_url(&b, sid);
    return buf_ok(&b) ? buf_view(&b) : STR_NONE;
}

/* An op holds few objects: the names are read first, and no more than it holds. */
static err_t read_names(struct op *op, int64_t session_id, struct str names[static LIMIT_FRAMES], size_t *ret_n)
{
    struct rows r;
    size_t n = 0;
    TRY(db_rows(op->db, Q_SESSION_CLIENTS, BIND(vint(tenant_id_of(op)), vint(session_id), vint(LIMIT_FRAMES)), &r));
    while (n < LIMIT_FRAMES && db_next(&r))
        names[n++] = arena_str(op->arena, db_text(&r, 3));
    *ret_n = n;
    return db_end(&r);
}

err_t signout_frames(struct op *op, int64_t session_id, struct strs *ret)
{
    struct str names[LIMIT_FRAMES], *v = arena_array(op->arena, struct str, LIMIT_FRAMES);
    size_t n = 0, found = 0;
    if (!v)
        return ERR_MEMORY;
    TRY(read_names(op, session_id, names, &n));
    for (size_t i = 0; i < n; i++) {
        struct object *client;
        if (object_get(op, &kind_client, names[i], &client) != ERR_OK)
            op->fault = (struct fault){.code = ERR_OK};
        else if (client_of(client)->frontchannel_logout_uri.n)
            v[found++] = frame_of(op, client, session_id);
    }
    *ret = (struct strs){v, found};
    return ERR_OK;
}
