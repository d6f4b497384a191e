/* The slow functions behind stored passwords: from parts and password to the bytes that are compared. */
#include "crypto/internal.h"
#include <argon2.h>
#include <crypt.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Argon2's memory comes from mmap, so that it goes back to the system when the hash is done: malloc would
 * keep 19 MiB a thread, and every one of these blocks raises malloc's own threshold for using mmap. */
static int memory_take(uint8_t **ret, size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p == MAP_FAILED)
        return ARGON2_MEMORY_ALLOCATION_ERROR;
    *ret = p;
    return ARGON2_OK;
}

static void memory_give(uint8_t *p, size_t n)
{
    munmap(p, n);
}

err_t kdf_argon2(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret)
{
    argon2_context x = {
        .out = ret,
        .outlen = (uint32_t)p->hash_n,
        .pwd = (uint8_t *)password.p,
        .pwdlen = (uint32_t)password.n,
        .salt = (uint8_t *)p->salt,
        .saltlen = (uint32_t)p->salt_n,
        .m_cost = p->cost[0],
        .t_cost = p->cost[1],
        .lanes = p->cost[2],
        .threads = 1, /* the result is the same; the pool of workers is what bounds us */
        .version = p->version,
        .allocate_cbk = memory_take,
        .free_cbk = memory_give,
        .flags = ARGON2_DEFAULT_FLAGS,
    };
    int rc = argon2_ctx(&x, (argon2_type)form->variant);
    return rc == ARGON2_OK ? ERR_OK : rc == ARGON2_MEMORY_ALLOCATION_ERROR ? ERR_MEMORY : ERR_CRYPTO;
}

/* crypt(3) reads the password to its first NUL and bcrypt no more than 72 bytes of it: the first is refused
 * (it would match something shorter), the second is how every bcrypt behaves. */
err_t kdf_bcrypt(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret)
{
    (void)form;
    if (password.n > 0 && memchr(password.p, 0, password.n))
        return ERR_PASSWORD_WRONG;
    struct crypt_data *x = calloc(1, sizeof(*x));
    char *z = malloc(password.n + 1);
    err_t e = ERR_MEMORY;
    if (!x || !z)
        goto out;
    if (password.n > 0)
        memcpy(z, password.p, password.n);
    z[password.n] = 0;
    /* Not crypt_r: the address sanitizer puts its own before that one and leaves libcrypt unlinked. */
    const char *text = crypt_rn(z, (const char *)p->salt, x, sizeof(*x));
    e = ERR_CRYPTO;
    if (text && strlen(text) == p->hash_n) {
        memcpy(ret, text, p->hash_n);
        e = ERR_OK;
    }
    secret_zero(z, password.n);
    secret_zero(x, sizeof(*x));
out:
    free(z);
    free(x);
    return e;
}

err_t kdf_pbkdf2(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret)
{
    int ok = PKCS5_PBKDF2_HMAC(password.p ? password.p : "", (int)password.n, p->salt, (int)p->salt_n,
                               (int)p->cost[0], EVP_get_digestbyname(form->md), (int)p->hash_n, ret);
    return ok == 1 ? ERR_OK : crypto_failed(ERR_CRYPTO);
}

err_t kdf_scrypt(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret)
{
    (void)form;
    int ok = EVP_PBE_scrypt(password.p ? password.p : "", password.n, p->salt, p->salt_n,
                            (uint64_t)1 << p->cost[0], p->cost[1], p->cost[2], UINT64_MAX, ret, p->hash_n);
    return ok == 1 ? ERR_OK : crypto_failed(ERR_CRYPTO);
}

err_t kdf_salted(const struct password_form *form, const struct password_parts *p, struct str password,
                 uint8_t *ret)
{
    unsigned n = 0;
    EVP_MD_CTX *x = EVP_MD_CTX_new();
    if (!x)
        return ERR_MEMORY;
    bool ok = EVP_DigestInit_ex(x, EVP_get_digestbyname(form->md), NULL) == 1 &&
              EVP_DigestUpdate(x, password.p, password.n) == 1 &&
              EVP_DigestUpdate(x, p->salt, p->salt_n) == 1 && EVP_DigestFinal_ex(x, ret, &n) == 1;
    EVP_MD_CTX_free(x);
    return ok ? ERR_OK : crypto_failed(ERR_CRYPTO);
}
