/* jwt encrypt, decrypt: encrypted tokens and texts in files and pipes, without a server. Passphrases come from a file or from
 * the terminal, never from the command line, where others can read them. */
#include "cli/jose.h"
#include "base/enc.h"

/* --- encrypt --- */

static err_t encrypt(struct cli_call *c, const struct jwks *keys, enum jose_form form, enum enc enc, struct str plain, struct str *ret)
{
    struct crypto *crypto;
    const struct jwe_header h = {
        .typ = cli_option(c, "typ"), .cty = cli_option(c, "cty"), .apu = cli_option(c, "apu"), .apv = cli_option(c, "apv")};
    const struct jwe_json json = {.aad = cli_option(c, "aad"), .flattened = form == FORM_FLATTENED};
    if (keys->n > 1 && form != FORM_GENERAL)
        return ERR_KEY;
    TRY(crypto_new(&crypto));
    err_t e = form == FORM_COMPACT ? jwe_encrypt(crypto, &keys->v[0], enc, &h, plain, c->arena, ret)
                                   : jwe_json_encrypt(crypto, keys, enc, &h, &json, plain, c->arena, ret);
    crypto_free(&crypto);
    return e;
}

/* A passphrase is for one algorithm when encrypting: the one named, else the first. */
static void one_algorithm(struct cli_call *c, struct jwks *keys)
{
    while (cli_option(c, "password-file").p && keys->n > 1)
        key_free(&keys->v[--keys->n].key);
}

int cli_jwt_encrypt(struct cli_call *c)
{
    struct jwks keys;
    enum jose_form form;
    enum enc enc = ENC_A256GCM;
    struct str plain, text = STR_NONE, named = cli_option(c, "enc");
    if (cli_jose_form(c, &form) != ERR_OK)
        return 2;
    if (named.p && !enc_find(named, &enc))
        return cli_refuse(c, 2, "--enc takes A128GCM, A192GCM, A256GCM, A128CBC-HS256, A192CBC-HS384 or A256CBC-HS512");
    if (cli_option(c, "aad").p && form == FORM_COMPACT)
        return cli_refuse(c, 2, "additional data has no place in the compact form: --form flattened or general");
    if (!cli_option(c, "key").p == !cli_option(c, "password-file").p)
        return cli_refuse(c, 2, "a key is needed: --key FILE, or a passphrase: --password-file FILE");
    if (cli_jose_option_keys(c, JWK_ENC, &keys) != ERR_OK)
        return 1;
    one_algorithm(c, &keys);
    err_t e = cli_jose_input(c, &plain);
    bool told = e != ERR_OK;
    if (e == ERR_OK)
        e = encrypt(c, &keys, form, enc, plain, &text);
    jwks_free(&keys);
    if (e != ERR_OK)
        return told ? 1 : cli_jose_fail(c, e);
    buf_fmt(c->out, c->json && form == FORM_COMPACT ? "{\"token\":\"%.*s\"}\n" : "%.*s\n", STR_ARG(text));
    return 0;
}

/* --- decrypt --- */

static err_t decrypt(struct cli_call *c, const struct jwks *keys, struct str token, struct str *plain, struct jwe_header *seen,
                     struct str *aad)
{
    struct crypto *crypto;
    const struct jwe_accept all = {ALGS_MANAGE, ENCS_ALL};
    TRY(crypto_new(&crypto));
    err_t e = str_starts(token, STR("{")) ? jwe_json_decrypt(crypto, keys, &all, token, c->arena, plain, seen, aad)
                                          : jwe_decrypt(crypto, keys, &all, token, c->arena, plain, seen);
    crypto_free(&crypto);
    return e;
}

static void print_plain(struct cli_call *c, struct str plain, const struct jwe_header *seen, struct str aad)
{
    struct jw w;
    if (!c->json) {
        buf_str(c->out, plain);
        return;
    }
    jw_init(&w, c->out);
    jw_open(&w, '{');
    jw_m_str(&w, "alg", str_z(alg_row(seen->alg)->name));
    jw_m_str(&w, "enc", str_z(enc_name(seen->enc)));
    jw_m_str(&w, "kid", seen->kid);
    jw_m_str(&w, "typ", seen->typ);
    jw_m_str(&w, "cty", seen->cty);
    jw_m_str(&w, "aad", aad);
    if (str_is_utf8(plain)) {
        jw_m_str(&w, "plaintext", plain.p ? plain : STR(""));
    } else {
        struct buf b;
        buf_init(&b, c->arena, 2 * LIMIT_JWS);
        enc_b64url(&b, plain.p, plain.n);
        jw_m_str(&w, "plaintext_base64url", buf_view(&b));
    }
    jw_close(&w, '}');
    buf_char(c->out, '\n');
}

int cli_jwt_decrypt(struct cli_call *c)
{
    struct jwks keys;
    struct jwe_header seen = {.kid = STR_NONE};
    struct str token, plain, aad = STR_NONE;
    if (!cli_option(c, "key").p == !cli_option(c, "password-file").p)
        return cli_refuse(c, 2, "a key is needed: --key FILE, or a passphrase: --password-file FILE");
    if (cli_jose_option_keys(c, JWK_ENC, &keys) != ERR_OK)
        return 1;
    err_t e = cli_jose_token(c, &token);
    bool told = e != ERR_OK;
    if (e == ERR_OK)
        e = decrypt(c, &keys, token, &plain, &seen, &aad);
    if (e == ERR_OK)
        print_plain(c, plain, &seen, aad);
    jwks_free(&keys);
    return e == ERR_OK ? 0 : told ? 1 : cli_jose_fail(c, e);
}
