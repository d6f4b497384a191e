/* jwk new, show, public, convert, thumbprint: keys in files, without a server. */
#include "cli/jose.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct {
    const char *name;
    enum key_kind kind;
} kinds[] = {{"P-256", KEY_EC_P256}, {"P-384", KEY_EC_P384}, {"P-521", KEY_EC_P521}, {"secp256k1", KEY_EC_K256}, {"Ed25519", KEY_ED25519},
             {"Ed448", KEY_ED448},   {"X25519", KEY_X25519}, {"X448", KEY_X448},     {"RSA", KEY_RSA},           {"secret", KEY_OCT}};
#define NKINDS (sizeof kinds / sizeof *kinds)

static const char *kind_name(enum key_kind k)
{
    for (size_t i = 0; i < NKINDS; i++)
        if (kinds[i].kind == k)
            return kinds[i].name;
    return "?";
}

/* What a command works with; freed by end(). */
struct work {
    struct cli_call *call;
    struct crypto *crypto;
    struct jwks keys;
};

static int begin(struct work *w, struct cli_call *c)
{
    struct str text;
    *w = (struct work){.call = c};
    if (cli_jose_input(c, &text) != ERR_OK || cli_jose_keys(c, text, cli_option(c, "alg"), 0, &w->keys) != ERR_OK)
        return 1;
    err_t e = crypto_new(&w->crypto);
    return e == ERR_OK ? 0 : cli_jose_fail(c, e);
}

static int end(struct work *w, int status)
{
    jwks_free(&w->keys);
    if (w->crypto)
        crypto_free(&w->crypto);
    return status;
}

/* One key as JSON with line breaks. */
static err_t jwk_text(struct cli_call *c, const struct jwk *k, bool private_part, json_t **ret)
{
    struct buf b;
    struct jw w;
    buf_init(&b, c->arena, LIMIT_OBJECT);
    jw_init(&w, &b);
    TRY(private_part ? jwk_print(k, true, c->arena, &w) : jwk_print_public(k, c->arena, &w));
    *ret = cli_parsed_json(&b);
    return *ret ? ERR_OK : ERR_MEMORY;
}

/* One key as it is, several as a set. */
static err_t print_keys(struct cli_call *c, const struct jwks *keys, bool private_part)
{
    json_t *list = json_array(), *one;
    err_t e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < keys->n; i++) {
        e = jwk_text(c, &keys->v[i], private_part && key_is_private(keys->v[i].key), &one);
        if (e == ERR_OK)
            json_array_append_new(list, one);
    }
    if (e == ERR_OK && keys->n == 1) {
        cli_print_json(c, json_array_get(list, 0));
    } else if (e == ERR_OK) {
        json_t *set = json_pack("{sO}", "keys", list);
        cli_print_json(c, set);
        json_decref(set);
    }
    json_decref(list);
    return e;
}

/* --- new --- */

static err_t choose(struct cli_call *c, enum alg *ret_alg, enum key_kind *ret_kind)
{
    struct str curve = cli_option(c, "curve");
    enum alg named;
    *ret_kind = KEY_KINDS;
    if (!alg_find(str_z(c->argv[0]), &named))
        return ERR_ALG;
    for (size_t i = 0; curve.p && i < NKINDS; i++)
        if (str_is(curve, kinds[i].name))
            *ret_kind = kinds[i].kind;
    *ret_alg = named;
    if (!curve.p)
        return ERR_OK;
    for (enum alg a = 0; *ret_kind != KEY_KINDS && a < ALG_COUNT; a++) {
        if ((algs_named(named) & ALG_BIT(a)) && (alg_row(a)->kinds & (1u << *ret_kind))) {
            *ret_alg = a;
            return ERR_OK;
        }
    }
    return ERR_KEY;
}

/* A file of the caller's that nobody else can read, and that was not there before. */
static int write_secret(struct cli_call *c, struct str path)
{
    const char *name = arena_cstr(c->arena, path);
    int fd = name ? open(cli_path(c, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    bool ok = fd >= 0 && write(fd, c->out->p, c->out->n) == (ssize_t)c->out->n;
    int saved = errno;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    c->out->n = 0;
    return ok ? 0 : cli_refuse(c, 1, "%s: %s", name ? name : "", strerror(saved));
}

int cli_jwk_new(struct cli_call *c)
{
    int64_t bits = 0;
    struct str given = cli_option(c, "bits"), kid = cli_option(c, "kid"), out = cli_option(c, "out");
    struct crypto *crypto = NULL;
    struct jwk k = {.key = NULL};
    enum key_kind kind;
    enum alg alg;
    if (given.p && (!str_to_int(given, &bits) || bits < 8 || bits > LIMIT_RSA_BITS))
        return cli_refuse(c, 2, "--bits takes a number of bits, at most %d", LIMIT_RSA_BITS);
    err_t e = choose(c, &alg, &kind);
    if (e == ERR_OK)
        e = crypto_new(&crypto);
    if (e == ERR_OK)
        e = jwk_generate(crypto, alg, kind, (unsigned)bits, c->arena, &k);
    if (e == ERR_OK && kid.p)
        k.kid = kid;
    if (e == ERR_OK)
        e = print_keys(c, &(struct jwks){&k, 1}, true);
    if (k.key)
        key_free(&k.key);
    if (crypto)
        crypto_free(&crypto);
    if (e != ERR_OK)
        return cli_jose_fail(c, e);
    return out.p ? write_secret(c, out) : 0;
}

/* --- show, thumbprint --- */

#define COLUMNS 6

static struct str thumbprint(const struct work *w, const struct jwk *k)
{
    struct str t = STR("-");
    return jwk_thumbprint(w->crypto, k->key, w->call->arena, &t) == ERR_OK ? t : STR("-");
}

static const char *half(const struct key *k)
{
    return key_kind_of(k) == KEY_OCT ? "secret" : key_is_private(k) ? "private" : "public";
}

static json_t *shown(const struct work *w, const struct jwk *k)
{
    struct str print = thumbprint(w, k);
    return json_pack("{ss%ssssssssss%}", "kid", k->kid.p ? k->kid.p : "", k->kid.n, "alg", alg_row(k->alg)->name, "use",
                     alg_row(k->alg)->use, "kind", kind_name(key_kind_of(k->key)), "half", half(k->key), "thumbprint", print.p, print.n);
}

int cli_jwk_show(struct cli_call *c)
{
    static const struct str heading[COLUMNS] = {{"KID", 3}, {"ALG", 3}, {"USE", 3}, {"KIND", 4}, {"HALF", 4}, {"THUMBPRINT", 10}};
    struct str cells[(LIMIT_JWKS_KEYS + 1) * COLUMNS];
    struct work w;
    json_t *list = json_array();
    int status = begin(&w, c);
    memcpy(cells, heading, sizeof heading);
    for (size_t i = 0; i < w.keys.n; i++) {
        const struct jwk *k = &w.keys.v[i];
        const struct str row[COLUMNS] = {k->kid.n ? k->kid : STR("-"), str_z(alg_row(k->alg)->name),          str_z(alg_row(k->alg)->use),
                                         str_z(kind_name(key_kind_of(k->key))), str_z(half(k->key)), thumbprint(&w, k)};
        memcpy(cells + (i + 1) * COLUMNS, row, sizeof row);
        json_array_append_new(list, shown(&w, k));
    }
    if (status == 0 && c->json)
        cli_print_json(c, list);
    else if (status == 0)
        cli_table(c->out, cells, COLUMNS, w.keys.n + 1);
    json_decref(list);
    return end(&w, status);
}

int cli_jwk_thumbprint(struct cli_call *c)
{
    struct work w;
    int status = begin(&w, c);
    for (size_t i = 0; status == 0 && i < w.keys.n; i++) {
        struct str t;
        err_t e = cli_option(c, "uri").p ? jwk_thumbprint_uri(w.crypto, w.keys.v[i].key, c->arena, &t)
                                         : jwk_thumbprint(w.crypto, w.keys.v[i].key, c->arena, &t);
        if (e != ERR_OK)
            status = cli_jose_fail(c, e);
        else
            buf_fmt(c->out, c->json ? "{\"thumbprint\":\"%.*s\"}\n" : "%.*s\n", STR_ARG(t));
    }
    return end(&w, status);
}

/* --- public, convert --- */

int cli_jwk_public(struct cli_call *c)
{
    struct work w;
    int status = begin(&w, c);
    err_t e = status == 0 ? print_keys(c, &w.keys, false) : ERR_OK;
    return end(&w, e == ERR_OK ? status : cli_jose_fail(c, e));
}

static err_t put_pem(struct cli_call *c, const struct jwks *keys, bool private_part)
{
    for (size_t i = 0; i < keys->n; i++) {
        struct str text;
        TRY(key_to_pem(keys->v[i].key, private_part && key_is_private(keys->v[i].key), c->arena, &text));
        buf_str(c->out, text);
    }
    return ERR_OK;
}

static err_t put_der(struct cli_call *c, const struct jwks *keys, bool private_part)
{
    struct str text;
    if (keys->n != 1)
        return ERR_KEY;
    TRY(private_part && key_is_private(keys->v[0].key) ? key_to_der(keys->v[0].key, c->arena, &text)
                                                       : key_to_spki(keys->v[0].key, c->arena, &text));
    buf_str(c->out, text);
    return ERR_OK;
}

int cli_jwk_convert(struct cli_call *c)
{
    static const struct {
        const char *name;
        err_t (*put)(struct cli_call *c, const struct jwks *keys, bool private_part);
    } forms[] = {{"jwk", print_keys}, {"pem", put_pem}, {"der", put_der}};
    struct str to = cli_option(c, "to");
    bool private_part = !cli_option(c, "public").p;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct work w;
        if (!str_is(to, forms[i].name))
            continue;
        int status = begin(&w, c);
        err_t e = status == 0 ? forms[i].put(c, &w.keys, private_part) : ERR_OK;
        if (e != ERR_OK)
            c->out->n = 0;
        return end(&w, e == ERR_OK ? status : cli_jose_fail(c, e));
    }
    return cli_refuse(c, 2, "--to takes jwk, pem or der");
}
