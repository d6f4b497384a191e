/* Is the authorization request one to act upon? First whom to trust with an answer, then all else. */
#include "oauth/authorize.h"

#define A(name, flags, max, doc)                                                                             \
    {                                                                                                        \
#name, F_STR, flags, max, offsetof(struct authorize_params, name), NULL, NULL, doc                   \
    }
static const struct field authorize_fields_v[] = {
    A(client_id, FIELD_EXACT, LIMIT_NAME, "the client"),
    A(redirect_uri, FIELD_EXACT, LIMIT_REDIRECT_URI, "where the answer goes; must be registered"),
    A(response_type, FIELD_EXACT, LIMIT_NAME, "code, id_token, code id_token"),
    A(response_mode, FIELD_EXACT, LIMIT_NAME, "query or form_post for code; fragment or form_post with an ID token"),
    A(scope, 0, LIMIT_SCOPE, "what is asked for"),
    A(state, FIELD_EXACT, LIMIT_STATE, "comes back unchanged"),
    A(code_challenge, FIELD_EXACT, LIMIT_NAME, "PKCE's challenge (RFC 7636)"),
    A(code_challenge_method, FIELD_EXACT, LIMIT_NAME, "S256"),
    A(prompt, 0, LIMIT_NAME, "none, login, consent, select_account"),
    A(nonce, FIELD_EXACT, LIMIT_TEXT, "comes back in the ID token"),
    A(login_hint, FIELD_EXACT, LIMIT_TEXT, "whom the client expects"),
    A(id_token_hint, FIELD_EXACT, LIMIT_JWT, "an ID token of the person who is expected"),
    A(ui_locales, FIELD_EXACT, LIMIT_TEXT, "languages"),
    A(display, FIELD_EXACT, LIMIT_NAME, "ignored"),
    A(claims, FIELD_EXACT, LIMIT_PARAM, "claims asked for by name (OpenID Connect Core section 5.5)"),
    A(acr_values, FIELD_EXACT, LIMIT_TEXT, "a wish; acr says what was done"),
    A(request, FIELD_EXACT, LIMIT_PARAM, "a request object by value (RFC 9101)"),
    A(request_uri, FIELD_EXACT, LIMIT_PARAM, "refused: invalid_request_uri"),
    A(after, FIELD_EXACT, LIMIT_NAME, "the server's own: when re-authentication was asked for"),
    {"resource", F_STRS, FIELD_MULTI, LIMIT_TEXT, offsetof(struct authorize_params, resource), NULL, NULL,
     "which resource the token is for (RFC 8707)"},
    {"max_age", F_INT, 0, LIMIT_MAX_AGE, offsetof(struct authorize_params, max_age_s), NULL, "-1",
     "seconds since the sign-in, at most"},
};
const struct fields authorize_fields = FIELDS(authorize_fields_v, struct authorize_params);

/* --- whom to trust
 * ------------------------------------------------------------------------------------------------ */

static err_t trusted_client(struct op *op, struct str client_id, struct object **ret)
{
    if (!client_id.n)
        return op_fail(op, ERR_PARAM_MISSING, "client_id", "client_id is missing");
    err_t e = object_get(op, &kind_client, client_id, ret);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && (*ret)->disabled)) {
        *ret = NULL;
        op->fault = (struct fault){0};
        return op_fail(op, ERR_CLIENT_ID, "client_id", "client_id is not a client of this server");
    }
    return e;
}

static bool is_openid(const struct authorize_params *p)
{
    return str_has_word(p->scope, ' ', STR(SCOPE_OPENID));
}

/* Absent only where it can't be mistaken, and never in OpenID Connect (Core section 3.1.2.1, A05). */
static err_t trusted_redirect(struct op *op, struct request *r)
{
    const struct authorize_params *p = r->p;
    const struct client *c = client_of(r->client);
    if (!p->redirect_uri.p && (c->redirect_uris.n != 1 || is_openid(p)))
        return op_fail(op, ERR_PARAM_MISSING, "redirect_uri", "redirect_uri is missing");
    if (p->redirect_uri.p && !client_redirect_matches(c, p->redirect_uri))
        return op_fail(op, ERR_REDIRECT_URI, "redirect_uri",
                       "redirect_uri is not one this client has registered");
    r->redirect_uri = p->redirect_uri.p ? p->redirect_uri : c->redirect_uris.v[0];
    return ERR_OK;
}

/* The same words in any order. */
static bool same_words(struct str a, struct str b)
{
    return scope_within(a, b) && scope_within(b, a);
}

/* What is asked for and by which way it comes, as far as the client has registered it; else errors go by query. */
static void read_response(struct request *r)
{
    const struct authorize_params *p = r->p;
    struct strs registered = client_of(r->client)->response_types;
    r->mode = MODE_QUERY;
    for (size_t i = 0; i < registered.n && p->response_type.n; i++) {
        if (!same_words(p->response_type, registered.v[i]))
            continue;
        r->wants_code = str_has_word(registered.v[i], ' ', STR("code"));
        r->wants_id_token = str_has_word(registered.v[i], ' ', STR("id_token"));
    }
    if (r->wants_id_token)
        r->mode = MODE_FRAGMENT;
    if (str_is(p->response_mode, "form_post"))
        r->mode = MODE_FORM_POST;
}

err_t request_trust(struct op *op, struct request *r)
{
    r->p = r->sent;
    TRY(trusted_client(op, r->sent->client_id, &r->client));
    r->object_error = request_object(op, client_of(r->client), r->sent, reauth_asked_s(op, r->sent), &r->p);
    if (err_http(r->object_error) >= 500)
        return r->object_error;
    r->object_fault = op->fault;
    op->fault = (struct fault){0};
    TRY(trusted_redirect(op, r));
    read_response(r);
    return ERR_OK;
}

/* --- all else
 * ----------------------------------------------------------------------------------------------------- */

/* Types that other servers have and no client of this one can have registered (A13). */
static bool response_type_known(struct str type)
{
    struct str w;
    bool any = false;
    while (str_word(&type, ' ', &w)) {
        if (!str_is(w, "code") && !str_is(w, "token") && !str_is(w, "id_token") && !str_is(w, "none"))
            return false;
        any = true;
    }
    return any;
}

static err_t check_mode(struct op *op, const struct request *r)
{
    struct str mode = r->p->response_mode;
    const char *usual = r->wants_id_token ? "fragment" : "query";
    if (mode.p && !str_is(mode, usual) && !str_is(mode, "form_post"))
        return op_fail(op, ERR_PARAM_BAD, "response_mode", "response_mode must be %s or form_post", usual);
    return ERR_OK;
}

static err_t check_response(struct op *op, const struct request *r)
{
    const struct authorize_params *p = r->p;
    if (r->object_error != ERR_OK) {
        op->fault = r->object_fault;
        return r->object_error;
    }
    if (p->request_uri.p)
        return op_fail(op, ERR_REQUEST_URI, "request_uri", "request objects are taken by value alone: send request");
    if (!p->response_type.n)
        return op_fail(op, ERR_PARAM_MISSING, "response_type", "response_type is missing");
    if (!r->wants_code && !r->wants_id_token)
        return response_type_known(p->response_type)
                   ? op_fail(op, ERR_CLIENT_UNAUTHORIZED, "response_type",
                             "this client has not registered that response_type")
                   : op_fail(op, ERR_RESPONSE_TYPE, "response_type",
                             "response_type is not one this server has");
    if (r->wants_code && !client_has_grant(client_of(r->client), "authorization_code"))
        return op_fail(op, ERR_CLIENT_UNAUTHORIZED, "response_type",
                       "this client may not use authorization_code");
    if (r->wants_id_token && !is_openid(p))
        return op_fail(op, ERR_PARAM_BAD, "scope", "an ID token needs the scope openid");
    if (r->wants_id_token && !p->nonce.n)
        return op_fail(op, ERR_PARAM_MISSING, "nonce", "nonce is missing: an ID token from here is bound by it");
    return check_mode(op, r);
}

/* Whom the client expects, if it says so. */
static err_t check_expected(struct op *op, struct request *r)
{
    TRY(claims_request_parse(op, r->p->claims, &r->claims));
    if (!r->p->id_token_hint.n)
        return ERR_OK;
    TRY(id_token_hint(op, r->p->id_token_hint, &r->hint));
    return ERR_OK;
}

static err_t check_pkce(struct op *op, const struct request *r)
{
    const struct authorize_params *p = r->p;
    if (!r->wants_code)
        return ERR_OK;
    if (!p->code_challenge.p && client_of(r->client)->require_pkce)
        return op_fail(op, ERR_PARAM_MISSING, "code_challenge",
                       "code_challenge is missing (PKCE is required)");
    if (!p->code_challenge.p && p->code_challenge_method.p)
        return op_fail(op, ERR_PARAM_MISSING, "code_challenge",
                       "code_challenge_method without code_challenge");
    if (!p->code_challenge.p)
        return ERR_OK;
    /* Without the method RFC 7636 means "plain", which is refused like its name. */
    if (!str_is(p->code_challenge_method, "S256"))
        return op_fail(op, ERR_PARAM_BAD, "code_challenge_method", "code_challenge_method must be S256");
    if (!pkce_challenge_valid(p->code_challenge))
        return op_fail(op, ERR_PARAM_BAD, "code_challenge", "code_challenge must be 43 base64url characters");
    return ERR_OK;
}

static err_t check_prompt(struct op *op, struct request *r)
{
    static const struct {
        const char *word;
        unsigned bit;
    } prompts[] = {{"none", PROMPT_NONE},
                   {"login", PROMPT_LOGIN},
                   {"select_account", PROMPT_LOGIN},
                   {"consent", PROMPT_CONSENT}};
    struct str w, rest = r->p->prompt;
    while (str_word(&rest, ' ', &w)) {
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof(prompts) / sizeof(prompts[0]); i++)
            if (str_is(w, prompts[i].word))
                bit = prompts[i].bit;
        if (!bit)
            return op_fail(op, ERR_PARAM_BAD, "prompt",
                           "prompt must be none, or of login, consent and select_account");
        r->prompt |= bit;
    }
    if ((r->prompt & PROMPT_NONE) && r->prompt != PROMPT_NONE)
        return op_fail(op, ERR_PARAM_BAD, "prompt", "prompt none stands alone");
    if (r->p->max_age_s < -1)
        return op_fail(op, ERR_PARAM_BAD, "max_age", "max_age must not be negative");
    r->max_age_s = r->p->max_age_s >= 0 ? r->p->max_age_s : client_of(r->client)->default_max_age_s;
    return ERR_OK;
}

err_t request_check(struct op *op, struct request *r)
{
    TRY(check_response(op, r));
    TRY(check_pkce(op, r));
    TRY(check_prompt(op, r));
    TRY(check_expected(op, r));
    TRY(audience_choose(op, client_of(r->client), r->p->resource, &r->audience));
    struct scope_request s = {.client = client_of(r->client), .asked = r->p->scope, .audience = r->audience};
    return scope_check(op, &s);
}
