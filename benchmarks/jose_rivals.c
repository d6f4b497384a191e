/* libjwt, cjose and jose (Latchset), each used as its manual shows: a key read once, then whole tokens made and checked. Their
 * headers know nothing of ours. */
#include "jose_rivals.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#ifdef WITH_LIBJWT
#include <jwt.h>

static bool libjwt_open(struct rival_job *j)
{
    return jwt_str_alg(j->alg) != JWT_ALG_INVAL;
}

static bool libjwt_sign(struct rival_job *j)
{
    jwt_t *t = NULL;
    const unsigned char *key = j->pem ? (const unsigned char *)j->pem : j->secret;
    bool ok = jwt_new(&t) == 0 && jwt_add_grants_json(t, j->claims) == 0 &&
              jwt_set_alg(t, jwt_str_alg(j->alg), key, j->pem ? (int)strlen(j->pem) : j->secret_n) == 0;
    char *text = ok ? jwt_encode_str(t) : NULL;
    ok = text != NULL;
    free(text);
    jwt_free(t);
    return ok;
}

static bool libjwt_verify(struct rival_job *j)
{
    jwt_t *t = NULL;
    const unsigned char *key = j->pem ? (const unsigned char *)j->pem_public : j->secret;
    bool ok = jwt_decode(&t, j->token, key, j->pem ? (int)strlen(j->pem_public) : j->secret_n) == 0;
    jwt_free(t);
    return ok;
}

static void libjwt_close(struct rival_job *j)
{
    (void)j;
}
static const struct rival libjwt = {"libjwt", libjwt_open, libjwt_sign, libjwt_verify, libjwt_close};
#endif

#ifdef WITH_CJOSE
#include <cjose/cjose.h>

static bool cjose_open(struct rival_job *j)
{
    cjose_err e;
    j->state = cjose_jwk_import(j->jwk, strlen(j->jwk), &e);
    return j->state != NULL;
}

static bool cjose_sign(struct rival_job *j)
{
    cjose_err e;
    const char *text = NULL;
    cjose_header_t *h = cjose_header_new(&e);
    cjose_header_set(h, CJOSE_HDR_ALG, j->alg, &e);
    cjose_jws_t *s = cjose_jws_sign(j->state, h, (const uint8_t *)j->claims, strlen(j->claims), &e);
    bool ok = s && cjose_jws_export(s, &text, &e);
    cjose_jws_release(s);
    cjose_header_release(h);
    return ok;
}

static bool cjose_verify(struct rival_job *j)
{
    cjose_err e;
    cjose_jws_t *s = cjose_jws_import(j->token, strlen(j->token), &e);
    bool ok = s && cjose_jws_verify(s, j->state, &e);
    cjose_jws_release(s);
    return ok;
}

static void cjose_close(struct rival_job *j)
{
    cjose_jwk_release(j->state);
}
static const struct rival cjose = {"cjose", cjose_open, cjose_sign, cjose_verify, cjose_close};

static bool cjose_jwe_open(struct rival_jwe_job *j)
{
    cjose_err e;
    j->state = cjose_jwk_import(j->jwk, strlen(j->jwk), &e);
    return j->state != NULL;
}

static bool cjose_encrypt(struct rival_jwe_job *j)
{
    cjose_err e;
    cjose_header_t *h = cjose_header_new(&e);
    cjose_header_set(h, CJOSE_HDR_ALG, j->alg, &e);
    cjose_header_set(h, CJOSE_HDR_ENC, j->enc, &e);
    cjose_jwe_t *t = cjose_jwe_encrypt(j->state, h, (const uint8_t *)j->text, j->text_n, &e);
    char *text = t ? cjose_jwe_export(t, &e) : NULL;
    bool ok = text != NULL;
    cjose_get_dealloc()(text);
    cjose_jwe_release(t);
    cjose_header_release(h);
    return ok;
}

static bool cjose_decrypt(struct rival_jwe_job *j)
{
    cjose_err e;
    size_t n = 0;
    cjose_jwe_t *t = cjose_jwe_import(j->token, strlen(j->token), &e);
    uint8_t *plain = t ? cjose_jwe_decrypt(t, j->state, &n, &e) : NULL;
    bool ok = plain && n == j->text_n;
    cjose_get_dealloc()(plain);
    cjose_jwe_release(t);
    return ok;
}

static void cjose_jwe_close(struct rival_jwe_job *j)
{
    cjose_jwk_release(j->state);
}
static const struct jwe_rival cjose_jwe = {"cjose", cjose_jwe_open, cjose_encrypt, cjose_decrypt, cjose_jwe_close};
#endif

#ifdef WITH_JOSE
#include <jose/b64.h>
#include <jose/jws.h>

static bool latchset_open(struct rival_job *j)
{
    j->state = json_loads(j->jwk, 0, NULL);
    return j->state != NULL;
}

static bool latchset_sign(struct rival_job *j)
{
    json_t *jws = json_pack("{so}", "payload", jose_b64_enc(j->claims, strlen(j->claims)));
    json_t *sig = json_pack("{s{ss}}", "protected", "alg", j->alg);
    bool ok = jose_jws_sig(NULL, jws, sig, j->state);
    json_decref(sig);
    json_decref(jws);
    return ok;
}

static bool latchset_verify(struct rival_job *j)
{
    const char *one = strchr(j->token, '.'), *two = strchr(one + 1, '.');
    json_t *jws = json_pack("{s:s%,s:s%,s:s}", "protected", j->token, (size_t)(one - j->token), "payload", one + 1,
                            (size_t)(two - one - 1), "signature", two + 1);
    bool ok = jose_jws_ver(NULL, jws, NULL, j->state, false);
    json_decref(jws);
    return ok;
}

static void latchset_close(struct rival_job *j)
{
    json_decref(j->state);
}
static const struct rival latchset = {"jose", latchset_open, latchset_sign, latchset_verify, latchset_close};
#endif

const struct rival *const rivals[] = {
#ifdef WITH_LIBJWT
    &libjwt,
#endif
#ifdef WITH_CJOSE
    &cjose,
#endif
#ifdef WITH_JOSE
    &latchset,
#endif
    NULL,
};

const struct jwe_rival *const jwe_rivals[] = {
#ifdef WITH_CJOSE
    &cjose_jwe,
#endif
    NULL,
};
