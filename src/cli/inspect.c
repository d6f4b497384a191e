/* token inspect: what stands in a token, its times explained, and whether its signature is right: by a key
 * set in a file, by its issuer's own (fetched), or by this store's. */
#include "cli/jose.h"
#include "net/net.h"
#include "token/tenant.h"
#include <stdlib.h>

enum verdict { NOT_CHECKED, GOOD, BAD };
struct inspection {
    struct cli_call *call;
    struct str token;
    struct jwt jwt;
    enum verdict verdict;
    struct fault why;
    const char *by; /* whose keys */
};

static void verify(struct inspection *x, const struct crypto *crypto, const struct jwks *keys, const char *by)
{
    struct str typ = x->jwt.typ;
    struct jwt_profile p = {
        .typ = typ.n ? arena_cstr(x->call->arena, typ) : NULL, .algs = ALGS_ASYMMETRIC, .iss = x->jwt.iss, .skew_s = 60};
    struct jwt verified;
    err_t e = jwt_verify(crypto, x->token, keys, &p, clock_wall_s(&clock_system), x->call->arena, &verified,
                         &x->why);
    x->verdict = e == ERR_OK ? GOOD : BAD;
    x->by = by;
}

static err_t verify_with_text(struct inspection *x, struct str text, const char *by)
{
    struct jwks keys;
    struct crypto *crypto = NULL;
    TRY(jwks_parse(text, JWK_PUBLIC | JWK_SIG | JWK_LENIENT, x->call->arena, &keys));
    err_t e = crypto_new(&crypto);
    if (e == ERR_OK) {
        verify(x, crypto, &keys, by);
        crypto_free(&crypto);
    }
    jwks_free(&keys);
    return e;
}

static err_t fetch(struct net *n, struct arena *a, struct str url, struct str *ret)
{
    struct net_response r;
    struct fault f = {0};
    TRY(net_fetch(n, &(struct net_request){.kind = "jwks", .method = "GET", .url = url}, a, &r, &f));
    *ret = r.body;
    return r.status == 200 ? ERR_OK : ERR_NET;
}

/* The operator names the issuer: private addresses are as good as others. */
static err_t verify_with_issuer(struct inspection *x, struct str issuer)
{
    static const struct str everywhere[] = {{"0.0.0.0/0", 9}, {"::/0", 4}};
    struct arena *a = x->call->arena;
    struct net *n = net_new(&(struct net_config){.allow = {everywhere, 2}});
    struct str text = STR_NONE;
    json_t *doc = NULL;
    err_t e =
        n ? fetch(n, a, arena_fmt(a, "%.*s/.well-known/oauth-authorization-server", STR_ARG(issuer)), &text)
          : ERR_MEMORY;
    if (e == ERR_OK)
        e = json_load(text, &doc);
    struct str uri = arena_str(a, json_str(json_object_get(doc, "jwks_uri")));
    json_decref(doc);
    if (e == ERR_OK)
        e = uri.n ? fetch(n, a, uri, &text) : ERR_NET;
    if (e == ERR_OK)
        e = verify_with_text(x, text, "the keys of its issuer");
    if (n)
        net_free(&n);
    return e;
}

static void verify_with_store(struct inspection *x)
{
    struct op *op = x->call->op;
    if (!op || !str_eq(x->jwt.iss, op->tenant->issuer))
        return;
    struct jwk *v = arena_array(x->call->arena, struct jwk, op->tenant->nkeys + 1);
    for (size_t i = 0; v && i < op->tenant->nkeys; i++)
        v[i] = op->tenant->keys[i].jwk;
    struct jwks keys = {v, op->tenant->nkeys};
    if (v)
        verify(x, op->core->crypto, &keys, "this store's keys");
}

static err_t check(struct inspection *x)
{
    struct str jwks = cli_option(x->call, "jwks"), issuer = cli_option(x->call, "issuer");
    if (jwks.p)
        return verify_with_text(x, jwks, "the keys in the file");
    if (!issuer.p) {
        verify_with_store(x);
        return ERR_OK;
    }
    if (!str_eq(issuer, x->jwt.iss)) {
        x->verdict = BAD;
        x->by = "its issuer, which is another one";
        return ERR_OK;
    }
    return verify_with_issuer(x, issuer);
}

static void print_jwt(const struct inspection *x)
{
    static const char *const verdicts[] = {"NOT checked: name --jwks FILE or --issuer URL", "right, by ",
                                           "WRONG, by "};
    struct cli_call *c = x->call;
    json_t *header = NULL, *payload = NULL;
    bool ok = json_load(x->jwt.header, &header) == ERR_OK;
    ok = json_load(x->jwt.payload, &payload) == ERR_OK && ok;
    if (c->json) {
        json_t *v = json_pack("{sOsOssss}", "header", header, "payload", payload, "signature",
                              x->verdict == GOOD  ? "valid"
                              : x->verdict == BAD ? "invalid"
                                                  : "unchecked",
                              "reason", x->why.detail);
        cli_print_json(c, v);
        json_decref(v);
    } else if (ok) {
        cli_print_token(c, header, payload);
        buf_fmt(c->out, "signature %s%s%s%s\n", verdicts[x->verdict], x->by ? x->by : "",
                x->why.detail[0] ? ": " : "", x->why.detail);
    }
    json_decref(header);
    json_decref(payload);
}

/* An opaque token: its row, when the store has it. */
static int inspect_opaque(struct cli_call *c, struct str text)
{
    struct token t;
    if (!c->op || token_find(c->op, text, &t) != ERR_OK) {
        buf_fmt(c->out, "an opaque token of mereau, well-formed; %s\n",
                c->op ? "this tenant's store has no such token" : "there is no store to look it up in");
        return c->op ? 1 : 0;
    }
    err_t e = life_check(c->op, &t);
    json_t *v =
        json_pack("{ss%ss%sssIsIsbss}", "id", id_text(c->op->core, c->arena, t.id).p, (size_t)11, "scope",
                  t.scope.p ? t.scope.p : "", t.scope.n, "audience", t.audience.p ? t.audience.p : "",
                  "issued_at", (json_int_t)t.issued_s, "expires_at", (json_int_t)t.expires_s, "live",
                  (int)(e == ERR_OK), "reason", e == ERR_OK ? "" : c->op->fault.detail);
    if (c->json)
        cli_print_json(c, v);
    else
        cli_print_members(c->out, v);
    json_decref(v);
    return 0;
}

int cli_token_inspect(struct cli_call *c)
{
    struct inspection x = {.call = c, .token = cli_token_argument(c)};
    char letter;
    if (token_text_check(x.token, &letter))
        return inspect_opaque(c, x.token);
    if (jwt_peek(x.token, c->arena, &x.jwt) != ERR_OK)
        return cli_refuse(c, 1, "this is neither an opaque token of mereau nor a JWT");
    err_t e = check(&x);
    if (e != ERR_OK)
        return cli_refuse(c, 1, "the keys could not be had: %s", err_text(e));
    print_jwt(&x);
    return x.verdict == BAD;
}
