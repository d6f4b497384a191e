/* Passwords: ours are Argon2id PHC strings; what other systems stored is verified by its own form
 * (password_form.c) and reported as due for a new hash. */
#include "crypto/internal.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/limits.h"
#include <argon2.h>

/* OWASP Password Storage Cheat Sheet, Argon2id, first choice. */
#define OUR_KIB    19456
#define OUR_PASSES 2
#define OUR_LANES  1
#define OUR_SALT   16
#define OUR_HASH   32

/* PHC wants base64 without padding. */
static void b64_unpadded(struct buf *b, const uint8_t *p, size_t n)
{
    enc_b64(b, p, n);
    while (buf_ok(b) && b->n > 0 && b->p[b->n - 1] == '=')
        b->n--;
}

err_t password_hash(struct arena *a, struct str password, struct str *ret_phc)
{
    static const struct password_form argon2id = {.variant = Argon2_id};
    struct password_parts p = {.salt_n = OUR_SALT,
                               .hash_n = OUR_HASH,
                               .cost = {OUR_KIB, OUR_PASSES, OUR_LANES},
                               .version = ARGON2_VERSION_13};
    if (password.n > LIMIT_PASSWORD)
        return ERR_PARAM_LONG;
    TRY(random_bytes(p.salt, p.salt_n));
    TRY(kdf_argon2(&argon2id, &p, password, p.hash));
    struct buf b;
    buf_init(&b, a, PASSWORD_PART_MAX);
    buf_fmt(&b, "$argon2id$v=%u$m=%u,t=%u,p=%u$", p.version, p.cost[0], p.cost[1], p.cost[2]);
    b64_unpadded(&b, p.salt, p.salt_n);
    buf_char(&b, '$');
    b64_unpadded(&b, p.hash, p.hash_n);
    secret_zero(&p, sizeof(p));
    if (!buf_ok(&b))
        return ERR_MEMORY;
    *ret_phc = buf_view(&b);
    return ERR_OK;
}

static bool weaker_than_ours(const struct password_form *form, const struct password_parts *p)
{
    return form->derive != kdf_argon2 || form->variant != Argon2_id || form->prefix[0] != '$' ||
           p->version != ARGON2_VERSION_13 || p->cost[0] < OUR_KIB || p->cost[1] < OUR_PASSES ||
           p->salt_n < OUR_SALT || p->hash_n < OUR_HASH;
}

err_t password_verify(const struct crypto *c, struct arena *a, struct str phc, struct str password,
                      bool *ret_rehash)
{
    (void)c, (void)a;
    struct password_parts p;
    uint8_t hash[PASSWORD_PART_MAX];
    const struct password_form *form = password.n <= LIMIT_PASSWORD ? password_form_find(phc, &p) : NULL;
    if (!form)
        return ERR_PASSWORD_WRONG;
    err_t e = form->derive(form, &p, password, hash);
    if (e == ERR_OK && !secret_eq(hash, p.hash, p.hash_n))
        e = ERR_PASSWORD_WRONG;
    if (e == ERR_OK)
        *ret_rehash = weaker_than_ours(form, &p);
    secret_zero(hash, sizeof(hash));
    secret_zero(&p, sizeof(p));
    return e;
}

bool password_hash_known(struct str phc)
{
    struct password_parts p;
    return password_form_find(phc, &p) != NULL;
}
