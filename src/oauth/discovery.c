/* Authorization server and OpenID provider metadata (RFC 8414, OpenID Connect Discovery), one document, written from the same tables that serve. */
#include "oauth/parts.h"
#include "jose/jwe.h"

static void endpoint(const struct tenant *t, struct arena *a, struct jw *w, const char *name, const char *path)
{
    jw_m_str(w, name, arena_fmt(a, "%.*s%s", STR_ARG(t->issuer), path));
}

static void list(struct jw *w, const char *name, const char *const *v)
{
    jw_key(w, name);
    jw_open(w, '[');
    for (; *v; v++)
        jw_str(w, str_z(*v));
    jw_close(w, ']');
}

static void grant_list(struct jw *w)
{
    jw_key(w, "grant_types_supported");
    jw_open(w, '[');
    for (const struct grant_row *g = grants; g->grant_type; g++)
        jw_str(w, str_z(g->grant_type));
    jw_str(w, STR("implicit")); /* of the authorization endpoint, for ID tokens alone */
    jw_close(w, ']');
}

/* Every name of a set once (EdDSA has two rows). */
static void alg_list(struct jw *w, const char *name, uint64_t algs)
{
    jw_key(w, name);
    jw_open(w, '[');
    for (enum alg i = 0; i < ALG_COUNT; i++)
        if ((algs & ALG_BIT(i)) && !(algs_named(i) & (ALG_BIT(i) - 1) & algs))
            jw_str(w, str_z(alg_row(i)->name));
    jw_close(w, ']');
}

static void enc_list(struct jw *w, const char *name)
{
    jw_key(w, name);
    jw_open(w, '[');
    for (enum enc i = 0; i < ENC_COUNT; i++)
        jw_str(w, str_z(enc_name(i)));
    jw_close(w, ']');
}

static void algorithms(struct jw *w)
{
    alg_list(w, "id_token_signing_alg_values_supported", ALGS_ISSUED);
    alg_list(w, "id_token_encryption_alg_values_supported", ALGS_MANAGE_PUBLIC);
    enc_list(w, "id_token_encryption_enc_values_supported");
    alg_list(w, "userinfo_signing_alg_values_supported", ALGS_ISSUED);
    alg_list(w, "userinfo_encryption_alg_values_supported", ALGS_MANAGE_PUBLIC);
    enc_list(w, "userinfo_encryption_enc_values_supported");
    alg_list(w, "request_object_signing_alg_values_supported", ALGS_ASYMMETRIC);
}

static void metadata(const struct tenant *t, struct arena *a, struct jw *w)
{
    static const char *const types[] = {"code", "id_token", "code id_token", NULL},
                             *const modes[] = {"query", "fragment", "form_post", NULL},
                             *const subjects[] = {"public", "pairwise", NULL},
                             *const claim_types[] = {"normal", NULL}, *const acr[] = {"1", "2", NULL},
                             *const s256[] = {"S256", NULL},
                             *const proven[] = {"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", NULL},
                             *const any[] = {"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none", NULL},
                             *const prompts[] = {"none", "login", "consent", "select_account", NULL};
    jw_open(w, '{');
    jw_m_str(w, "issuer", t->issuer);
    endpoint(t, a, w, "authorization_endpoint", "/authorize");
    endpoint(t, a, w, "token_endpoint", "/token");
    endpoint(t, a, w, "introspection_endpoint", "/introspect");
    endpoint(t, a, w, "revocation_endpoint", "/revoke");
    endpoint(t, a, w, "jwks_uri", "/jwks");
    endpoint(t, a, w, "status_list_aggregation_endpoint", "/status");
    endpoint(t, a, w, "end_session_endpoint", "/signout");
    if (!str_is(t->spec->registration, "off"))
        endpoint(t, a, w, "registration_endpoint", "/register");
    endpoint(t, a, w, "userinfo_endpoint", "/userinfo");
    list(w, "response_types_supported", types);
    list(w, "response_modes_supported", modes);
    list(w, "subject_types_supported", subjects);
    algorithms(w);
    identity_list(w, "scopes_supported", "claims_supported");
    list(w, "claim_types_supported", claim_types);
    list(w, "acr_values_supported", acr);
    jw_m_bool(w, "claims_parameter_supported", true);
    jw_m_bool(w, "backchannel_logout_supported", true);
    jw_m_bool(w, "backchannel_logout_session_supported", true);
    jw_m_bool(w, "frontchannel_logout_supported", true);
    jw_m_bool(w, "frontchannel_logout_session_supported", true);
    grant_list(w);
    list(w, "code_challenge_methods_supported", s256);
    list(w, "token_endpoint_auth_methods_supported", any);
    alg_list(w, "token_endpoint_auth_signing_alg_values_supported", ALGS_SIG);
    list(w, "introspection_endpoint_auth_methods_supported", proven);
    alg_list(w, "introspection_endpoint_auth_signing_alg_values_supported", ALGS_SIG);
    list(w, "revocation_endpoint_auth_methods_supported", any);
    alg_list(w, "revocation_endpoint_auth_signing_alg_values_supported", ALGS_SIG);
    list(w, "prompt_values_supported", prompts);
    jw_m_bool(w, "authorization_response_iss_parameter_supported", true);
    jw_m_bool(w, "request_parameter_supported", true);
    jw_m_bool(w, "request_uri_parameter_supported", false);
    jw_m_bool(w, "require_request_uri_registration", false);
    jw_close(w, '}');
}

err_t discovery_describe(const struct tenant *t, struct arena *a, struct str *ret)
{
    struct buf b;
    struct jw w;
    buf_init(&b, a, LIMIT_TENANT_ARENA);
    jw_init(&w, &b);
    metadata(t, a, &w);
    *ret = buf_view(&b);
    return buf_ok(&b) ? ERR_OK : ERR_MEMORY;
}
