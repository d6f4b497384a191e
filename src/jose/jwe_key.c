/* Key management (RFC 7518 section 4). Every algorithm is put together from two choices: where the
 * key-encryption key comes from (the secret itself, an agreement, a passphrase, or none for RSA) and how it
 * carries the content key (it is it, AES key wrap, AES-GCM, RSA-OAEP). */
#include "jose/jwe_parts.h"
#include "base/enc.h"
#include "base/limits.h"

#define KEK_MAX CEK_MAX

struct source;
struct carrier;
struct hand { /* one key at work */
    const struct crypto *c;
    const struct jwk *k;
    struct jwe_params *p;
    struct arena *a;
    const struct alg_row *row;
    const struct source *source;
    const struct carrier *carrier;
    size_t kek_n, cek_n;
    uint8_t kek[KEK_MAX];
};
struct source {
    err_t (*send)(struct hand *h),
        (*receive)(struct hand *h); /* set h->kek; send also what belongs into the header */
};
struct carrier {
    bool alone;                             /* the key-encryption key is the content key */
    size_t (*length)(const struct hand *h); /* of the encrypted key */
    err_t (*wrap)(struct hand *h, const uint8_t *cek, uint8_t ret[static RSA_MAX]);
    err_t (*unwrap)(const struct hand *h, struct str encrypted, uint8_t ret[static RSA_MAX], size_t *ret_n);
};

static struct str kek_of(const struct hand *h)
{
    return (struct str){(const char *)h->kek, h->kek_n};
}

/* --- the secret itself --- */

static err_t secret_take(struct hand *h)
{
    struct str s = key_secret(h->k->key);
    if (key_kind_of(h->k->key) != KEY_OCT || s.n != h->kek_n)
        return ERR_KEY;
    memcpy(h->kek, s.p, s.n);
    return ERR_OK;
}
static const struct source from_secret = {secret_take, secret_take};

static err_t nothing(struct hand *h)
{
    return key_kind_of(h->k->key) == KEY_RSA ? ERR_OK : ERR_KEY;
}
static const struct source from_rsa = {nothing, nothing};

/* --- agreement --- */

static const struct curve {
    const char *kty, *crv;
    bool y;
} curves[] = {
    [KEY_EC_P256] = {"EC", "P-256", true}, [KEY_EC_P384] = {"EC", "P-384", true},
    [KEY_EC_P521] = {"EC", "P-521", true}, [KEY_X25519] = {"OKP", "X25519", false},
    [KEY_X448] = {"OKP", "X448", false},
};

static err_t epk_print(struct hand *h, const struct key *epk)
{
    const struct curve *curve = &curves[key_kind_of(epk)];
    struct str x, y;
    struct buf b;
    TRY(key_public_parts(epk, h->a, &x, &y));
    buf_init(&b, h->a, LIMIT_JWE_HEADER);
    buf_z(&b, "{\"kty\":\"");
    buf_z(&b, curve->kty);
    buf_z(&b, "\",\"crv\":\"");
    buf_z(&b, curve->crv);
    buf_z(&b, "\",\"x\":\"");
    enc_b64url(&b, x.p, x.n);
    if (curve->y) {
        buf_z(&b, "\",\"y\":\"");
        enc_b64url(&b, y.p, y.n);
    }
    buf_z(&b, "\"}");
    h->p->epk = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}

struct epk {
    struct str kty, crv, x, y;
};

/* The other side's point, of our key's curve and on it, or nothing is agreed on (A70). */
static err_t epk_read(const struct hand *h, struct key **ret)
{
#define ROW(name)                                                                                            \
    {                                                                                                        \
#name, member_str, offsetof(struct epk, name), "epk is wrong"                                        \
    }
    static const struct member members[] = {ROW(kty), ROW(crv), ROW(x), ROW(y)};
#undef ROW
    enum key_kind kind = key_kind_of(h->k->key);
    const struct curve *curve = &curves[kind];
    struct epk e = {0};
    struct str x, y = STR_NONE;
    struct reader r = {h->a, &e, members, sizeof(members) / sizeof(members[0]), NULL, 0};
    if (!h->p->epk.p || members_read(&r, h->p->epk) != ERR_OK || !str_is(e.kty, curve->kty) ||
        !str_is(e.crv, curve->crv) || !e.x.p || curve->y != (e.y.p != NULL))
        return ERR_DECRYPT;
    if (!dec_b64url(h->a, e.x, &x) || (e.y.p && !dec_b64url(h->a, e.y, &y)))
        return ERR_DECRYPT;
    return key_from_public_parts(kind, x, y, ret);
}

static err_t agree(struct hand *h, const struct key *own, const struct key *other)
{
    uint8_t z[ECDH_MAX];
    size_t n = 0;
    const char *id = h->carrier->alone ? enc_name(h->p->enc) : h->row->name;
    err_t e = ecdh(own, other, z, &n);
    if (e == ERR_OK)
        e = concat_kdf(h->c, (struct str){(char *)z, n}, str_z(id), h->p->apu, h->p->apv, h->kek, h->kek_n);
    secret_zero(z, sizeof(z));
    return e;
}

static bool parties_ok(const struct jwe_params *p)
{
    return p->apu.n <= LIMIT_JWE_PARTY && p->apv.n <= LIMIT_JWE_PARTY;
}

static err_t agree_send(struct hand *h)
{
    struct key *epk = NULL;
    enum key_kind kind = key_kind_of(h->k->key);
    if (!ecdh_able(kind))
        return ERR_KEY;
    if (!parties_ok(h->p))
        return ERR_TOO_LARGE;
    TRY(key_generate(kind, 0, &epk));
    err_t e = epk_print(h, epk);
    if (e == ERR_OK)
        e = agree(h, epk, h->k->key);
    key_free(&epk);
    return e;
}

static err_t agree_receive(struct hand *h)
{
    struct key *epk = NULL;
    if (!ecdh_able(key_kind_of(h->k->key)) || !key_is_private(h->k->key))
        return ERR_KEY;
    if (!parties_ok(h->p))
        return ERR_DECRYPT;
    TRY(epk_read(h, &epk));
    err_t e = agree(h, h->k->key, epk);
    key_free(&epk);
    return e;
}
static const struct source from_agreement = {agree_send, agree_receive};

/* --- a passphrase: PBES2 (RFC 7518 section 4.8) --- */

#define P2S_MADE 16

static err_t passphrase(struct hand *h)
{
    char salt[LIMIT_P2S + 64];
    struct str name = str_z(h->row->name), p2s = h->p->p2s, secret = key_secret(h->k->key);
    if (key_kind_of(h->k->key) != KEY_OCT || secret.n == 0)
        return ERR_KEY;
    memcpy(salt, name.p, name.n);
    salt[name.n] = 0;
    memcpy(salt + name.n + 1, p2s.p, p2s.n);
    return pbkdf2(h->row->digest, secret, (struct str){salt, name.n + 1 + p2s.n}, (uint32_t)h->p->p2c, h->kek,
                  h->kek_n);
}

static err_t passphrase_send(struct hand *h)
{
    char *salt = arena_alloc(h->a, P2S_MADE);
    if (!salt)
        return ERR_MEMORY;
    TRY(random_bytes(salt, P2S_MADE));
    h->p->p2s = (struct str){salt, P2S_MADE};
    h->p->p2c = LIMIT_P2C;
    return passphrase(h);
}

/* Judged before a single round is run (A71). */
static err_t passphrase_receive(struct hand *h)
{
    const struct jwe_params *p = h->p;
    if (p->p2c < LIMIT_P2C_MIN || p->p2c > LIMIT_P2C || p->p2s.n < LIMIT_P2S_MIN || p->p2s.n > LIMIT_P2S)
        return ERR_DECRYPT;
    return passphrase(h);
}
static const struct source from_passphrase = {passphrase_send, passphrase_receive};

/* --- carriers --- */

static size_t no_length(const struct hand *h)
{
    (void)h;
    return 0;
}
static const struct carrier itself = {.alone = true, .length = no_length};

static size_t kw_length(const struct hand *h)
{
    return h->cek_n + AES_WRAP_OVERHEAD;
}
static err_t kw_wrap(struct hand *h, const uint8_t *cek, uint8_t ret[static RSA_MAX])
{
    return aes_wrap(h->c, kek_of(h), (struct str){(const char *)cek, h->cek_n}, ret);
}
static err_t kw_unwrap(const struct hand *h, struct str encrypted, uint8_t ret[static RSA_MAX], size_t *ret_n)
{
    TRY(aes_unwrap(h->c, kek_of(h), encrypted, ret));
    *ret_n = encrypted.n - AES_WRAP_OVERHEAD;
    return ERR_OK;
}
static const struct carrier key_wrap_aes = {false, kw_length, kw_wrap, kw_unwrap};

static size_t gcm_length(const struct hand *h)
{
    return h->cek_n;
}
static err_t gcm_wrap(struct hand *h, const uint8_t *cek, uint8_t ret[static RSA_MAX])
{
    uint8_t *iv = arena_alloc(h->a, GCM_IV_SIZE + GCM_TAG_SIZE);
    if (!iv)
        return ERR_MEMORY;
    TRY(random_bytes(iv, GCM_IV_SIZE));
    h->p->iv = (struct str){(char *)iv, GCM_IV_SIZE};
    h->p->tag = (struct str){(char *)iv + GCM_IV_SIZE, GCM_TAG_SIZE};
    return gcm_seal(h->c, kek_of(h), h->p->iv, STR_NONE, (struct str){(const char *)cek, h->cek_n}, ret,
                    iv + GCM_IV_SIZE);
}
static err_t gcm_unwrap(const struct hand *h, struct str encrypted, uint8_t ret[static RSA_MAX],
                        size_t *ret_n)
{
    return gcm_open(h->c, kek_of(h), h->p->iv, STR_NONE, encrypted, h->p->tag, ret, ret_n);
}
static const struct carrier key_wrap_gcm = {false, gcm_length, gcm_wrap, gcm_unwrap};

static enum oaep oaep_of(const struct hand *h)
{
    return h->row->method == MANAGE_OAEP_256 ? OAEP_SHA256 : OAEP_SHA1;
}
static size_t oaep_length(const struct hand *h)
{
    return rsa_size(h->k->key);
}
static err_t oaep_wrap(struct hand *h, const uint8_t *cek, uint8_t ret[static RSA_MAX])
{
    size_t n;
    return rsa_oaep_encrypt(h->k->key, oaep_of(h), (struct str){(const char *)cek, h->cek_n}, ret, &n);
}
static err_t oaep_unwrap(const struct hand *h, struct str encrypted, uint8_t ret[static RSA_MAX],
                         size_t *ret_n)
{
    return rsa_oaep_decrypt(h->k->key, oaep_of(h), encrypted, ret, ret_n);
}
static const struct carrier rsa_oaep = {false, oaep_length, oaep_wrap, oaep_unwrap};

/* --- the table --- */

static const struct method {
    const struct source *source;
    const struct carrier *carrier; /* of ECDH-ES without key wrap: itself */
} methods[] = {
    [MANAGE_NONE] = {NULL, NULL},
    [MANAGE_OAEP] = {&from_rsa, &rsa_oaep},
    [MANAGE_OAEP_256] = {&from_rsa, &rsa_oaep},
    [MANAGE_KW] = {&from_secret, &key_wrap_aes},
    [MANAGE_GCMKW] = {&from_secret, &key_wrap_gcm},
    [MANAGE_DIR] = {&from_secret, &itself},
    [MANAGE_ECDH] = {&from_agreement, &key_wrap_aes},
    [MANAGE_PBES2] = {&from_passphrase, &key_wrap_aes},
};

static const struct carrier *carrier_of(const struct alg_row *row)
{
    return row->method == MANAGE_ECDH && row->wrap_n == 0 ? &itself : methods[row->method].carrier;
}

bool jwe_alg_managing(enum alg a)
{
    return (size_t)a < ALG_COUNT && alg_row(a)->method != MANAGE_NONE;
}

bool jwe_alg_alone(enum alg a)
{
    return jwe_alg_managing(a) && carrier_of(alg_row(a))->alone;
}

static struct hand hand_of(const struct crypto *c, const struct jwk *k, struct jwe_params *p, struct arena *a)
{
    const struct alg_row *row = alg_row(p->alg);
    struct hand h = {.c = c, .k = k, .p = p, .a = a, .row = row};
    h.source = methods[row->method].source;
    h.carrier = carrier_of(row);
    h.cek_n = enc_row(p->enc)->key_n;
    h.kek_n = row->wrap_n ? row->wrap_n : h.cek_n;
    return h;
}

static err_t carry(struct hand *h, const uint8_t *cek, struct str *ret)
{
    uint8_t out[RSA_MAX];
    TRY(h->carrier->wrap(h, cek, out));
    *ret = arena_str(h->a, (struct str){(char *)out, h->carrier->length(h)});
    return ret->p ? ERR_OK : ERR_MEMORY;
}

err_t jwe_key_make(const struct crypto *c, const struct jwk *k, struct jwe_params *p, bool given,
                   uint8_t cek[static CEK_MAX], struct arena *a, struct str *ret_encrypted)
{
    struct hand h = hand_of(c, k, p, a);
    bool alone = h.carrier->alone;
    *ret_encrypted = STR("");
    err_t e = given && alone ? ERR_ALG : h.source->send(&h);
    if (e == ERR_OK && !given && !alone)
        e = random_bytes(cek, h.cek_n);
    if (e == ERR_OK && alone)
        memcpy(cek, h.kek, h.cek_n);
    if (e == ERR_OK && !alone)
        e = carry(&h, cek, ret_encrypted);
    secret_zero(h.kek, sizeof(h.kek));
    return e;
}

/* The lengths of all that stands in the open. */
static bool lengths_ok(const struct hand *h, struct str encrypted)
{
    return encrypted.n == h->carrier->length(h) &&
           (h->carrier != &key_wrap_gcm || (h->p->iv.n == GCM_IV_SIZE && h->p->tag.n == GCM_TAG_SIZE));
}

static err_t uncarry(const struct hand *h, struct str encrypted, uint8_t *cek)
{
    uint8_t got[RSA_MAX] = {0};
    size_t n = 0;
    TRY(random_bytes(cek, h->cek_n));
    err_t e = h->carrier->unwrap(h, encrypted, got, &n);
    secret_choose(cek, got, h->cek_n, (e == ERR_OK) & (n == h->cek_n));
    secret_zero(got, sizeof(got));
    return e == ERR_KEY || e == ERR_CRYPTO || e == ERR_MEMORY ? e : ERR_OK;
}

err_t jwe_key_recover(const struct crypto *c, const struct jwk *k, const struct jwe_params *p,
                      struct str encrypted, uint8_t cek[static CEK_MAX], struct arena *a)
{
    struct jwe_params copy = *p;
    struct hand h = hand_of(c, k, &copy, a);
    if (!lengths_ok(&h, encrypted))
        return ERR_DECRYPT;
    err_t e = h.source->receive(&h);
    if (e == ERR_OK && h.carrier->alone)
        memcpy(cek, h.kek, h.cek_n);
    else if (e == ERR_OK)
        e = uncarry(&h, encrypted, cek);
    secret_zero(h.kek, sizeof(h.kek));
    return e;
}
