/* TLS: 1.3, and 1.2 with ECDHE and AES-GCM or ChaCha20 only. A certificate is held by whoever greets with it,
 * so that a new one takes effect for the next connection and the old one goes with the last that needs it. */
#include "http/server.h"
#include <gnutls/gnutls.h>
#include <stdlib.h>

enum { CHAIN_MAX = 8 };

const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-"
                              "CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:"
                              "+CHACHA20-POLY1305:-MAC-ALL:+AEAD:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+"
                              "GROUP-SECP384R1:-SIGN-RSA-SHA1:"
                              "-SIGN-ECDSA-SHA1:%SAFE_RENEGOTIATION";

struct tls_cred {
    _Atomic unsigned holders;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned nchain;
    gnutls_privkey_t key;
};
struct tls {
    pthread_mutex_t lock;
    struct tls_cred *now;
    const char *cert_path, *key_path;
};

static void cred_free(struct tls_cred *c)
{
    for (unsigned i = 0; i < c->nchain; i++)
        gnutls_pcert_deinit(&c->chain[i]);
    if (c->key)
        gnutls_privkey_deinit(c->key);
    free(c);
}

void tls_cred_give(struct tls_cred **c)
{
    if (*c && atomic_fetch_sub(&(*c)->holders, 1) == 1)
        cred_free(*c);
    *c = NULL;
}

static err_t wrong(const char *param, const char *path, int code, struct fault *f)
{
    return fault_set(f, ERR_CONFIG, param, "\"%s\": %s", path, gnutls_strerror(code));
}

/* The library knows how to tell that a key is another certificate's. */
static err_t check_pair(const struct tls *t, const gnutls_datum_t *cert, const gnutls_datum_t *key,
                        struct fault *f)
{
    gnutls_certificate_credentials_t pair;
    int code = gnutls_certificate_allocate_credentials(&pair);

    if (code < 0)
        return fault_set(f, ERR_MEMORY, "", "%s", gnutls_strerror(code));
    code = gnutls_certificate_set_x509_key_mem(pair, cert, key, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(pair);
    return code < 0 ? wrong("server.tls_cert", t->cert_path, code, f) : ERR_OK;
}

static err_t cred_fill(const struct tls *t, struct tls_cred *c, const gnutls_datum_t *cert,
                       const gnutls_datum_t *key, struct fault *f)
{
    unsigned n = CHAIN_MAX;
    int code;

    TRY(check_pair(t, cert, key, f));
    code = gnutls_pcert_list_import_x509_raw(c->chain, &n, cert, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0)
        return wrong("server.tls_cert", t->cert_path, code, f);
    c->nchain = n;
    code = gnutls_privkey_init(&c->key);
    if (code >= 0)
        code = gnutls_privkey_import_x509_raw(c->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
    return code < 0 ? wrong("server.tls_key", t->key_path, code, f) : ERR_OK;
}

static err_t cred_load(const struct tls *t, struct tls_cred **ret, struct fault *f)
{
    gnutls_datum_t cert = {0}, key = {0};
    struct tls_cred *c = calloc(1, sizeof *c);
    err_t e = ERR_OK;
    int code;

    if (!c)
        return fault_set(f, ERR_MEMORY, "", "%s", "");
    c->holders = 1;
    if ((code = gnutls_load_file(t->cert_path, &cert)) < 0)
        e = wrong("server.tls_cert", t->cert_path, code, f);
    else if ((code = gnutls_load_file(t->key_path, &key)) < 0)
        e = wrong("server.tls_key", t->key_path, code, f);
    else
        e = cred_fill(t, c, &cert, &key, f);
    gnutls_free(cert.data);
    if (key.data)
        explicit_bzero(key.data, key.size);
    gnutls_free(key.data);
    if (e == ERR_OK)
        *ret = c;
    else
        cred_free(c);
    return e;
}

err_t tls_new(const struct http_config *cfg, struct tls **ret, struct fault *f)
{
    struct tls *t = calloc(1, sizeof *t);
    err_t e;

    if (!t)
        return fault_set(f, ERR_MEMORY, "", "%s", "");
    pthread_mutex_init(&t->lock, NULL);
    t->cert_path = cfg->tls_cert;
    t->key_path = cfg->tls_key;
    e = cred_load(t, &t->now, f);
    if (e == ERR_OK)
        *ret = t;
    else
        tls_free(&t);
    return e;
}

err_t tls_reload(struct tls *t, struct fault *f)
{
    struct tls_cred *made, *old;

    TRY(cred_load(t, &made, f));
    pthread_mutex_lock(&t->lock);
    old = t->now;
    t->now = made;
    pthread_mutex_unlock(&t->lock);
    tls_cred_give(&old);
    return ERR_OK;
}

void tls_free(struct tls **t)
{
    if (!*t)
        return;
    tls_cred_give(&(*t)->now);
    pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

int tls_choose(gnutls_session_t session, const gnutls_datum_t *req_ca_rdn, int nreqs,
               const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length, gnutls_pcert_st **pcert,
               unsigned int *pcert_length, gnutls_privkey_t *privkey)
{
    struct MHD_Connection *mhd = gnutls_session_get_ptr(session); /* the library put it there */
    struct conn *c = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct tls *t = c->front->server->tls;

    (void)req_ca_rdn, (void)nreqs, (void)pk_algos, (void)pk_algos_length;
    if (!c->cred) {
        pthread_mutex_lock(&t->lock);
        c->cred = t->now;
        atomic_fetch_add(&c->cred->holders, 1);
        pthread_mutex_unlock(&t->lock);
    }
    *pcert = c->cred->chain;
    *pcert_length = c->cred->nchain;
    *privkey = c->cred->key;
    return 0;
}
