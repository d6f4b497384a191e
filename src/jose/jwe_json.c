/* JWE as JSON, general and flattened (RFC 7516 section 7.2). Not on any hot path: documents are read into a
 * tree. A recipient's header is the union of three (protected, shared, its own), in which no name may come
 * twice. */
#include "jose/jwe_parts.h"
#include "base/enc.h"
#include "base/limits.h"

/* --- writing --- */

static void put_bytes(struct jw *w, const char *name, struct str bytes)
{
    jw_key(w, name);
    jw_raw(w, STR("\""));
    enc_b64url(w->b, bytes.p, bytes.n);
    buf_char(w->b, '"');
}

struct made { /* one recipient, settled */
    struct jwe_params p;
    struct str encrypted_key;
};

/* With one recipient everything stands in the protected header, as in the compact form. */
static err_t protected_make(const struct made *to, size_t n, const struct jwe_json *form, struct arena *a,
                            struct str *ret_header, struct str *ret_aad)
{
    struct buf text, b;
    struct jw w;
    buf_init(&text, a, LIMIT_JWE_HEADER);
    jw_init(&w, &text);
    jw_open(&w, '{');
    if (n == 1)
        jwe_params_print_key(&to->p, &w);
    jwe_params_print_content(&to->p, &w);
    jw_close(&w, '}');
    buf_init(&b, a, 3 * LIMIT_JWE);
    enc_b64url(&b, text.p, text.n);
    size_t header_n = b.n;
    if (form->aad.p) {
        buf_char(&b, '.');
        enc_b64url(&b, form->aad.p, form->aad.n);
    }
    if (!buf_ok(&text) || !buf_ok(&b))
        return ERR_TOO_LARGE;
    *ret_aad = buf_view(&b);
    *ret_header = (struct str){b.p, header_n};
    return ERR_OK;
}

static void print_recipient(const struct made *m, size_t n, struct jw *w)
{
    if (n > 1) {
        jw_key(w, "header");
        jw_open(w, '{');
        jwe_params_print_key(&m->p, w);
        jw_close(w, '}');
    }
    if (m->encrypted_key.n > 0)
        put_bytes(w, "encrypted_key", m->encrypted_key);
}

static err_t print(const struct made *to, size_t n, const struct jwe_json *form, struct str header,
                   const struct jwe_parts *s, struct arena *a, struct str *ret)
{
    struct buf b;
    struct jw w;
    buf_init(&b, a, LIMIT_JWE);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "protected", header);
    if (form->flattened) {
        print_recipient(to, n, &w);
    } else {
        jw_key(&w, "recipients");
        jw_open(&w, '[');
        for (size_t i = 0; i < n; i++) {
            jw_open(&w, '{');
            print_recipient(&to[i], n, &w);
            jw_close(&w, '}');
        }
        jw_close(&w, ']');
    }
    if (form->aad.p)
        put_bytes(&w, "aad", form->aad);
    put_bytes(&w, "iv", s->iv);
    put_bytes(&w, "ciphertext", s->text);
    put_bytes(&w, "tag", s->tag);
    jw_close(&w, '}');
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_TOO_LARGE;
}

/* The content key, carried to each. */
static err_t keys_make(const struct crypto *c, const struct jwks *to, enum enc enc,
                       const struct jwe_header *h, uint8_t cek[static CEK_MAX], struct arena *a,
                       struct made *ret)
{
    if (to->n > 1)
        TRY(random_bytes(cek, CEK_MAX));
    for (size_t i = 0; i < to->n; i++) {
        const struct jwk *k = &to->v[i];
        if (!jwe_alg_managing(k->alg))
            return ERR_ALG;
        ret[i].p = jwe_params_of(k, enc, h);
        if (to->n > 1)
            ret[i].p.kid = k->kid;
        TRY(jwe_key_make(c, k, &ret[i].p, to->n > 1, cek, a, &ret[i].encrypted_key));
    }
    return ERR_OK;
}

err_t jwe_json_encrypt(const struct crypto *c, const struct jwks *to, enum enc enc,
                       const struct jwe_header *h, const struct jwe_json *form, struct str plain,
                       struct arena *a, struct str *ret)
{
    struct made made[LIMIT_JWE_RECIPIENTS];
    uint8_t cek[CEK_MAX];
    struct jwe_parts s = {0};
    struct str header;
    if (to->n == 0 || to->n > LIMIT_JWE_RECIPIENTS || (form->flattened && to->n > 1))
        return ERR_KEY;
    if (!enc_name(enc))
        return ERR_ALG;
    if (plain.n > LIMIT_JWE || form->aad.n > LIMIT_JWE)
        return ERR_TOO_LARGE;
    err_t e = keys_make(c, to, enc, h, cek, a, made);
    if (e == ERR_OK)
        e = protected_make(made, to->n, form, a, &header, &s.aad);
    if (e == ERR_OK)
        e = jwe_seal(c, enc, cek, s.aad, plain, a, &s);
    secret_zero(cek, sizeof(cek));
    TRY(e);
    return print(made, to->n, form, header, &s, a, ret);
}

/* --- reading --- */

/* A member that is absent or strict base64url; present tells which. */
static bool take_bytes(const json_t *doc, const char *name, struct arena *a, struct str *ret_text,
                       struct str *ret)
{
    const json_t *v = json_object_get(doc, name);
    *ret = *ret_text = v ? json_str(v) : STR_NONE;
    return !v || (ret_text->p && dec_b64url(a, *ret_text, ret));
}

/* False: not an object, or a name that is there already. */
static bool merge(json_t *all, const json_t *more)
{
    const char *name;
    json_t *v;
    if (more && !json_is_object(more))
        return false;
    json_object_foreach((json_t *)(uintptr_t)more, name, v)
    {
        if (json_object_get(all, name) || json_object_set(all, name, v) != 0)
            return false;
    }
    return true;
}

struct doc {
    const json_t *json, *shared;
    json_t *protected;
    struct jwe_parts parts;
    struct str aad;
};

static err_t try_recipient(const struct crypto *c, const struct jwks *keys, const struct jwe_accept *accept,
                           struct doc *d, const json_t *recipient, struct arena *a, struct str *ret_plain,
                           struct jwe_header *ret_seen)
{
    struct jwe_params p;
    struct str unused;
    json_t *all = json_object();
    bool ok = all && (!d->protected || merge(all, d->protected)) && merge(all, d->shared) &&
              merge(all, json_object_get(recipient, "header"));
    char *text = ok ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    if (!text)
        return ERR_DECRYPT;
    struct str header = arena_str(a, str_z(text));
    free(text);
    TRY(jwe_params_read(header, a, &p));
    TRY(jwe_params_judge(&p, accept));
    if (!take_bytes(recipient, "encrypted_key", a, &unused, &d->parts.encrypted_key))
        return ERR_DECRYPT;
    TRY(jwe_open(c, keys, &p, &d->parts, a, ret_plain));
    if (ret_seen)
        *ret_seen = jwe_header_of(&p);
    return ERR_OK;
}

/* What all recipients share. The authenticated input is the protected header as it stands, and the additional
 * data. */
static err_t doc_read(struct doc *d, struct arena *a)
{
    struct str header, header_bytes, aad, unused;
    if (!take_bytes(d->json, "protected", a, &header, &header_bytes) ||
        !take_bytes(d->json, "aad", a, &aad, &d->aad) ||
        !take_bytes(d->json, "iv", a, &unused, &d->parts.iv) ||
        !take_bytes(d->json, "tag", a, &unused, &d->parts.tag) ||
        !take_bytes(d->json, "ciphertext", a, &unused, &d->parts.text) || !unused.p)
        return ERR_DECRYPT;
    d->shared = json_object_get(d->json, "unprotected");
    if (header.p && (header_bytes.n > LIMIT_JWE_HEADER || json_load(header_bytes, &d->protected) != ERR_OK))
        return ERR_DECRYPT;
    d->parts.aad = aad.p ? arena_fmt(a, "%.*s.%.*s", STR_ARG(header), STR_ARG(aad)) : header;
    return ERR_OK;
}

/* Flattened is one recipient whose members stand in the document itself. */
static err_t try_all(const struct crypto *c, const struct jwks *keys, const struct jwe_accept *accept,
                     struct doc *d, struct arena *a, struct str *ret_plain, struct jwe_header *ret_seen)
{
    const json_t *list = json_object_get(d->json, "recipients");
    if (!list)
        return try_recipient(c, keys, accept, d, d->json, a, ret_plain, ret_seen);
    size_t n = json_array_size(list);
    if (n == 0 || n > LIMIT_JWE_RECIPIENTS || json_object_get(d->json, "header") ||
        json_object_get(d->json, "encrypted_key"))
        return ERR_DECRYPT;
    err_t e = ERR_DECRYPT;
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        err_t now = json_is_object(one) ? try_recipient(c, keys, accept, d, one, a, ret_plain, ret_seen)
                                        : ERR_DECRYPT;
        if (now == ERR_OK || now == ERR_MEMORY)
            return now;
        e = i == 0 || now == ERR_DECRYPT
                ? now
                : e; /* a refused recipient beside another says nothing about this one */
    }
    return e;
}

err_t jwe_json_decrypt(const struct crypto *c, const struct jwks *keys, const struct jwe_accept *accept,
                       struct str text, struct arena *a, struct str *ret_plain, struct jwe_header *ret_seen,
                       struct str *ret_aad)
{
    json_t *json = NULL;
    if (text.n > LIMIT_JWE || json_load(text, &json) != ERR_OK)
        return ERR_DECRYPT;
    struct doc d = {.json = json};
    err_t e = json_is_object(json) ? doc_read(&d, a) : ERR_DECRYPT;
    if (e == ERR_OK)
        e = try_all(c, keys, accept, &d, a, ret_plain, ret_seen);
    struct str aad = e == ERR_OK ? d.aad : STR_NONE;
    json_decref(d.protected);
    json_decref(json);
    if (e == ERR_OK && ret_aad)
        *ret_aad = aad;
    return e;
}
