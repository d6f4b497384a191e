/* Keys and tokens from files and pipes, whatever form they have. A key without an algorithm of its own is bound to the one
 * that --alg names, or to the usual one of its kind: nothing is tried with several. */
#include "cli/jose.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PASSWORD_MAX LIMIT_KEY_SECRET

int cli_jose_fail(struct cli_call *c, err_t e)
{
    return cli_refuse(c, 1, "%s", err_text(e));
}

/* --- files --- */

static err_t read_all(struct cli_call *c, FILE *f, struct str *ret)
{
    struct buf b;
    buf_init(&b, c->arena, LIMIT_JWS + 1);
    while (buf_reserve(&b, 4096)) {
        size_t n = fread(b.p + b.n, 1, 4096, f);
        b.n += n;
        if (n == 0)
            break;
    }
    if (ferror(f))
        return ERR_IO;
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_TOO_LARGE;
}

err_t cli_jose_input(struct cli_call *c, struct str *ret)
{
    const char *name = c->argc ? c->argv[0] : "-";
    bool pipe = !strcmp(name, "-");
    FILE *f = pipe ? stdin : fopen(cli_path(c, name), "rbe");
    err_t e = f ? read_all(c, f, ret) : ERR_IO;
    if (e != ERR_OK)
        cli_refuse(c, 1, "%s: %s", pipe ? "standard input" : name, e == ERR_IO ? strerror(errno) : "more than is taken here");
    if (f && !pipe)
        fclose(f);
    return e;
}

static struct str trimmed(struct str s)
{
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    while (s.n && (s.p[0] == '\n' || s.p[0] == '\r' || s.p[0] == ' ' || s.p[0] == '\t'))
        s = (struct str){s.p + 1, s.n - 1};
    return s;
}

err_t cli_jose_token(struct cli_call *c, struct str *ret)
{
    TRY(cli_jose_input(c, ret));
    *ret = trimmed(*ret);
    return ERR_OK;
}

err_t cli_jose_form(struct cli_call *c, enum jose_form *ret)
{
    static const char *const names[] = {"compact", "flattened", "general"};
    struct str form = cli_option(c, "form");
    *ret = FORM_COMPACT;
    for (size_t i = 0; form.p && i < sizeof names / sizeof *names; i++) {
        if (str_is(form, names[i])) {
            *ret = (enum jose_form)i;
            return ERR_OK;
        }
    }
    if (!form.p)
        return ERR_OK;
    cli_refuse(c, 2, "--form takes compact, flattened or general");
    return ERR_PARAM_BAD;
}

/* --- keys --- */

struct reading {
    struct cli_call *call;
    struct str alg;
    unsigned use;
    struct jwks *keys;
};

/* The row of a name that fits the key: EdDSA is two. */
static err_t bind(const struct key *k, struct str alg, unsigned use, enum alg *ret)
{
    static const struct {
        enum key_kind kind;
        enum alg sig, enc;
    } usual[] = {
        {KEY_EC_P256, ALG_ES256, ALG_ECDH_ES}, {KEY_EC_P384, ALG_ES384, ALG_ECDH_ES}, {KEY_EC_P521, ALG_ES512, ALG_ECDH_ES},
        {KEY_EC_K256, ALG_ES256K, ALG_COUNT},  {KEY_ED25519, ALG_EDDSA, ALG_COUNT},   {KEY_ED448, ALG_ED448, ALG_COUNT},
        {KEY_RSA, ALG_RS256, ALG_RSA_OAEP},    {KEY_X25519, ALG_COUNT, ALG_ECDH_ES},  {KEY_X448, ALG_COUNT, ALG_ECDH_ES},
    };
    enum alg named = ALG_COUNT;
    if (alg.n && !alg_find(alg, &named))
        return ERR_ALG;
    for (size_t i = 0; !alg.n && i < sizeof usual / sizeof *usual; i++) {
        bool enc = (use & JWK_ENC) || usual[i].sig == ALG_COUNT;
        if (usual[i].kind == key_kind_of(k))
            named = enc ? usual[i].enc : usual[i].sig;
    }
    for (enum alg a = 0; named != ALG_COUNT && a < ALG_COUNT; a++) {
        if ((algs_named(named) & ALG_BIT(a)) && alg_fits(a, k)) {
            *ret = a;
            return ERR_OK;
        }
    }
    return alg.n ? ERR_KEY : ERR_ALG;
}

static err_t add_key(struct reading *r, struct key *k)
{
    struct jwk *one = &r->keys->v[r->keys->n];
    err_t e = r->keys->n < LIMIT_JWKS_KEYS ? bind(k, r->alg, r->use, &one->alg) : ERR_KEY;
    if (e != ERR_OK) {
        key_free(&k);
        return e;
    }
    one->key = k;
    r->keys->n++;
    return ERR_OK;
}

static err_t add_alg(json_t *key, struct str alg)
{
    if (alg.n && json_is_object(key) && !json_object_get(key, "alg"))
        return json_object_set_new(key, "alg", json_stringn(alg.p, alg.n)) ? ERR_MEMORY : ERR_OK;
    return ERR_OK;
}

/* What is known of the use decides what a missing alg means. */
static err_t read_jwk(struct reading *r, json_t *doc)
{
    unsigned use = r->use ? r->use : JWK_SIG;
    struct jwk *one = &r->keys->v[0];
    TRY(add_alg(doc, r->alg));
    err_t e = jwk_parse(doc, JWK_ANY | JWK_LENIENT | use, r->call->arena, one);
    if (e != ERR_OK && !r->use)
        e = jwk_parse(doc, JWK_ANY | JWK_LENIENT | JWK_ENC, r->call->arena, one);
    r->keys->n = e == ERR_OK;
    return e;
}

static err_t read_set(struct reading *r, json_t *doc)
{
    size_t i;
    json_t *key;
    json_array_foreach(json_object_get(doc, "keys"), i, key)
        TRY(add_alg(key, r->alg));
    TRY(jwks_from(doc, JWK_ANY | JWK_LENIENT | r->use, r->call->arena, r->keys));
    return r->keys->n ? ERR_OK : ERR_KEY;
}

static err_t read_json(struct reading *r, struct str text)
{
    json_t *doc;
    TRY(json_load(text, &doc));
    TRY(json_keep(r->call->arena, doc));
    return json_object_get(doc, "keys") ? read_set(r, doc) : read_jwk(r, doc);
}

static err_t read_pem(struct reading *r, struct str text)
{
    while (text.n) {
        const char *end = memmem(text.p, text.n, "-----END ", 9);
        const char *stop = end ? memchr(end, '\n', text.n - (size_t)(end - text.p)) : NULL;
        size_t n = stop ? (size_t)(stop - text.p) + 1 : text.n;
        struct key *k;
        TRY(key_from_pem((struct str){text.p, n}, &k));
        TRY(add_key(r, k));
        text = trimmed((struct str){text.p + n, text.n - n});
    }
    return ERR_OK;
}

static err_t read_der(struct reading *r, struct str text)
{
    struct key *k;
    if (key_from_der(text, &k) != ERR_OK && key_from_spki(text, &k) != ERR_OK)
        TRY(key_from_cert(text, &k));
    return add_key(r, k);
}

err_t cli_jose_keys(struct cli_call *c, struct str text, struct str alg, unsigned use, struct jwks *ret)
{
    struct jwks keys = {arena_array(c->arena, struct jwk, LIMIT_JWKS_KEYS + 1), 0};
    struct reading r = {c, alg, use, &keys};
    struct str t = trimmed(text);
    if (!keys.v)
        return ERR_MEMORY;
    err_t e = str_starts(t, STR("{"))           ? read_json(&r, t)
              : str_starts(t, STR("-----BEGIN")) ? read_pem(&r, t)
                                                 : read_der(&r, text);
    if (e != ERR_OK) {
        jwks_free(&keys);
        cli_refuse(c, 1, "the key: %s%s", err_text(e), e == ERR_ALG ? "; name one with --alg" : "");
        return e;
    }
    *ret = keys;
    return ERR_OK;
}

/* The same passphrase for each algorithm that may be meant: the token's header says which. */
static err_t passphrase_keys(struct cli_call *c, struct str password, struct str alg, struct jwks *ret)
{
    static const enum alg algs[] = {ALG_PBES2_HS256_A128KW, ALG_PBES2_HS384_A192KW, ALG_PBES2_HS512_A256KW};
    struct jwks keys = {arena_array(c->arena, struct jwk, 3), 0};
    if (!keys.v)
        return ERR_MEMORY;
    for (size_t i = 0; i < 3; i++) {
        struct jwk *k = &keys.v[keys.n];
        if (alg.n && !str_is(alg, alg_row(algs[i])->name))
            continue;
        k->alg = algs[i];
        err_t e = key_from_secret(password, &k->key);
        if (e != ERR_OK) {
            jwks_free(&keys);
            cli_refuse(c, 1, "a passphrase has 1 to %d bytes", PASSWORD_MAX);
            return e;
        }
        keys.n++;
    }
    if (keys.n == 0)
        cli_refuse(c, 2, "a passphrase is for PBES2-HS256+A128KW, PBES2-HS384+A192KW or PBES2-HS512+A256KW");
    *ret = keys;
    return keys.n ? ERR_OK : ERR_ALG;
}

err_t cli_jose_option_keys(struct cli_call *c, unsigned use, struct jwks *ret)
{
    struct str key = cli_option(c, "key"), password = cli_option(c, "password-file"), alg = cli_option(c, "alg");
    if (!key.p == !password.p) {
        cli_refuse(c, 2, "a key is needed: --key FILE%s", use & JWK_ENC ? ", or a passphrase: --password-file FILE" : "");
        return ERR_PARAM_MISSING;
    }
    if (key.p)
        return cli_jose_keys(c, key, alg, use, ret);
    while (password.n && (password.p[password.n - 1] == '\n' || password.p[password.n - 1] == '\r'))
        password.n--;
    return passphrase_keys(c, password, alg, ret);
}
