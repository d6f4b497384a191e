/* jwt sign, verify, inspect: signed tokens and texts in files and pipes, without a server. */
#include "cli/jose.h"
#include "base/enc.h"
#include "base/fields.h"
#include <stdlib.h>

#define SKEW_S 60

/* --- sign --- */

static err_t lifetime(struct cli_call *c, int64_t *ret)
{
    static const struct field row = {"life", F_SECONDS, 0, 0, 0, NULL, NULL, ""};
    static const struct fields table = {&row, 1, sizeof(int64_t)};
    struct fault f = {.code = ERR_OK};
    json_t *doc = json_object(), *v = NULL;
    err_t e = cli_value(&row, cli_option(c, "life"), &v, &f);
    if (e == ERR_OK)
        json_object_set_new(doc, "life", v);
    if (e == ERR_OK)
        e = fields_from_json(&table, c->arena, doc, "", ret, &f);
    json_decref(doc);
    if (e != ERR_OK)
        cli_refuse(c, 2, "--life: %s", f.detail);
    return e;
}

/* iat and exp, where the payload does not have them. */
static err_t add_times(struct cli_call *c, struct str *payload)
{
    int64_t life = 0, now = clock_wall_s(&clock_system);
    json_t *doc = NULL;
    TRY(lifetime(c, &life));
    if (json_load(*payload, &doc) != ERR_OK || !json_is_object(doc)) {
        json_decref(doc);
        cli_refuse(c, 1, "--life is for claims: a payload that is one JSON object");
        return ERR_JSON;
    }
    if (!json_object_get(doc, "iat"))
        json_object_set_new(doc, "iat", json_integer(now));
    if (!json_object_get(doc, "exp"))
        json_object_set_new(doc, "exp", json_integer(now + life));
    char *text = json_dumps(doc, JSON_COMPACT);
    *payload = arena_str(c->arena, str_z(text));
    free(text);
    json_decref(doc);
    return payload->p ? ERR_OK : ERR_MEMORY;
}

static err_t sign(struct cli_call *c, const struct jwks *keys, enum jose_form form, struct str payload, struct str *ret)
{
    struct crypto *crypto;
    const struct jws_options o = {.typ = cli_option(c, "typ"),
                                  .cty = cli_option(c, "cty"),
                                  .detached = cli_option(c, "detached").p,
                                  .unencoded = cli_option(c, "unencoded").p};
    if (keys->n > 1 && form != FORM_GENERAL)
        return ERR_KEY;
    TRY(crypto_new(&crypto));
    err_t e = form == FORM_COMPACT ? jws_make(crypto, &keys->v[0], &o, payload, c->arena, ret)
                                   : jws_json_make(crypto, keys, &o, form == FORM_GENERAL, payload, c->arena, ret);
    crypto_free(&crypto);
    return e;
}

int cli_jwt_sign(struct cli_call *c)
{
    struct jwks keys;
    enum jose_form form;
    struct str payload, text = STR_NONE;
    if (cli_jose_form(c, &form) != ERR_OK)
        return 2;
    if (!cli_option(c, "key").p)
        return cli_refuse(c, 2, "a key is needed: --key FILE");
    if (cli_jose_option_keys(c, JWK_SIG, &keys) != ERR_OK)
        return 1;
    err_t e = cli_jose_input(c, &payload);
    bool told = e != ERR_OK;
    if (e == ERR_OK && cli_option(c, "life").p)
        told = (e = add_times(c, &payload)) != ERR_OK;
    if (e == ERR_OK)
        e = sign(c, &keys, form, payload, &text);
    jwks_free(&keys);
    if (e != ERR_OK)
        return told ? 1 : cli_jose_fail(c, e);
    if (c->json && form == FORM_COMPACT)
        buf_fmt(c->out, "{\"token\":\"%.*s\"}\n", STR_ARG(text));
    else
        buf_fmt(c->out, "%.*s\n", STR_ARG(text));
    return 0;
}

/* --- verify --- */

struct seen {
    json_t *header, *payload;    /* payload NULL: no JSON object */
    struct str text;             /* the payload's bytes */
    const char *signature;       /* "valid", "invalid", "unchecked" */
    const char *fault;           /* what is wrong beside; NULL */
    struct str by;               /* kid of the key */
};

static void say(struct cli_call *c, const struct seen *s)
{
    bool good = !s->fault && !strcmp(s->signature, "valid");
    if (c->json) {
        json_t *v = json_pack("{sO*sO*ssss*sb}", "header", s->header, "payload", s->payload, "signature", s->signature, "fault", s->fault,
                              "valid", (int)good);
        if (v && !s->payload && s->text.p && str_is_utf8(s->text))
            json_object_set_new(v, "text", json_stringn(s->text.p, s->text.n));
        cli_print_json(c, v);
        json_decref(v);
        return;
    }
    cli_print_token(c, s->header, s->payload);
    if (!s->payload && s->text.n && str_is_utf8(s->text))
        buf_fmt(c->out, "payload\n%.*s\n\n", STR_ARG(s->text));
    buf_fmt(c->out, "signature %s%s%.*s\n", s->signature, s->by.n ? ", by the key " : "", STR_ARG(s->by));
    buf_fmt(c->out, "verdict   %s\n", good ? "valid" : !strcmp(s->signature, "unchecked") ? "NOT checked: name --key FILE" : "NOT valid");
    if (s->fault)
        buf_fmt(c->out, "because   %s\n", s->fault);
}

static bool aud_has(const json_t *aud, struct str want)
{
    size_t i;
    json_t *v;
    if (json_is_string(aud))
        return str_eq(json_str(aud), want);
    json_array_foreach(aud, i, v)
        if (str_eq(json_str(v), want))
            return true;
    return false;
}

static bool typ_is(const json_t *header, struct str want)
{
    struct str typ = json_str(json_object_get(header, "typ"));
    if (typ.n > 12 && str_eq_nocase((struct str){typ.p, 12}, STR("application/")))
        typ = (struct str){typ.p + 12, typ.n - 12};
    return str_eq_nocase(typ, want);
}

/* What the caller asked for, and the times. */
static const char *claims_fault(struct cli_call *c, const struct seen *s)
{
    struct str iss = cli_option(c, "issuer"), aud = cli_option(c, "audience"), typ = cli_option(c, "typ");
    if (typ.p && !typ_is(s->header, typ))
        return "it is of another type";
    if (iss.p && !str_eq(json_str(json_object_get(s->payload, "iss")), iss))
        return "it is of another issuer";
    if (aud.p && !aud_has(json_object_get(s->payload, "aud"), aud))
        return "it is for another audience";
    return s->payload ? cli_time_fault(s->payload, clock_wall_s(&clock_system), SKEW_S) : NULL;
}

static json_t *object_of(struct str text)
{
    json_t *v = NULL;
    if (json_load(text, &v) == ERR_OK && json_is_object(v))
        return v;
    json_decref(v);
    return NULL;
}

/* Nothing but decoding: the parts of a token of any form. */
static err_t look(struct cli_call *c, struct str token, struct seen *ret)
{
    struct str head, body, raw = STR_NONE;
    json_t *json = str_starts(token, STR("{")) ? object_of(token) : NULL;
    if (json) {
        const json_t *first = json_object_get(json, "protected") ? json : json_array_get(json_object_get(json, "signatures"), 0);
        head = arena_str(c->arena, json_str(json_object_get(first, "protected")));
        body = arena_str(c->arena, json_str(json_object_get(json, "payload")));
        json_decref(json);
    } else {
        size_t n = str_find(token, '.');
        head = (struct str){token.p, n};
        body = n < token.n ? (struct str){token.p + n + 1, token.n - n - 1} : STR_NONE;
        body.n = str_find(body, '.');
    }
    if (!dec_b64url(c->arena, head, &raw) || !(ret->header = object_of(raw)))
        return ERR_TOKEN_INVALID;
    bool encrypted = json_object_get(ret->header, "enc");
    if (encrypted || !dec_b64url(c->arena, body, &ret->text))
        ret->text = STR_NONE;
    ret->payload = ret->text.p ? object_of(ret->text) : NULL;
    return ERR_OK;
}

static err_t open_signed(struct cli_call *c, const struct jwks *keys, struct str token, struct jws_seen *ret)
{
    struct crypto *crypto;
    struct str detached = cli_option(c, "payload");
    const struct str *apart = detached.p ? &detached : NULL;
    TRY(crypto_new(&crypto));
    err_t e = str_starts(token, STR("{")) ? jws_json_open(crypto, keys, token, apart, c->arena, ret)
                                          : jws_open(crypto, keys, token, apart, c->arena, ret);
    crypto_free(&crypto);
    return e;
}

static void check(struct cli_call *c, const struct jwks *keys, struct str token, struct seen *s)
{
    struct jws_seen seen;
    err_t e = open_signed(c, keys, token, &seen);
    if (e != ERR_OK) {
        s->signature = "invalid";
        s->fault = e == ERR_KEY ? "no key here is for it" : err_text(e);
        return;
    }
    json_decref(s->header);
    json_decref(s->payload);
    s->signature = "valid";
    s->by = seen.key->kid;
    s->text = seen.payload;
    s->header = object_of(seen.header);
    s->payload = object_of(seen.payload);
    s->fault = claims_fault(c, s);
}

static int examine(struct cli_call *c, bool must_verify)
{
    struct jwks keys = {NULL, 0};
    struct seen s = {.signature = "unchecked"};
    struct str token;
    if (must_verify && !cli_option(c, "key").p)
        return cli_refuse(c, 2, "a key is needed: --key FILE");
    if (cli_jose_token(c, &token) != ERR_OK || (cli_option(c, "key").p && cli_jose_option_keys(c, JWK_SIG, &keys) != ERR_OK))
        return 1;
    int status = 0;
    if (look(c, token, &s) != ERR_OK)
        status = cli_refuse(c, 1, "this is no token: its header does not decode");
    else if (must_verify && json_object_get(s.header, "enc"))
        status = cli_refuse(c, 1, "this token is encrypted: jwt decrypt opens it");
    if (status == 0 && keys.n)
        check(c, &keys, token, &s);
    else if (status == 0)
        s.fault = s.payload ? cli_time_fault(s.payload, clock_wall_s(&clock_system), SKEW_S) : NULL;
    if (status == 0)
        say(c, &s);
    if (status == 0 && keys.n)
        status = s.fault || strcmp(s.signature, "valid") != 0;
    json_decref(s.header);
    json_decref(s.payload);
    jwks_free(&keys);
    return status;
}

int cli_jwt_verify(struct cli_call *c)
{
    return examine(c, true);
}

int cli_jwt_inspect(struct cli_call *c)
{
    return examine(c, false);
}
