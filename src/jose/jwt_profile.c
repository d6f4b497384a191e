/* The kinds of JWT and what tells them apart (RFC 8725 sections 3.11 and 3.12): a token of one kind passes for no other,
 * by its typ where makers write one, by its claims where they don't. */
#include "jose/jose.h"

#define NEED(name) JWT_BIT(JWT_##name)
#define SKEW_S     60

static const struct jwt_profile rows[JWT_KINDS] = {
    /* RFC 9068 section 2.2 */
    [JWT_ACCESS_TOKEN] = {.typ = "at+jwt",
                          .algs = ALGS_ASYMMETRIC,
                          .need = NEED(ISS) | NEED(SUB) | NEED(AUD) | NEED(EXP) | NEED(IAT) | NEED(JTI) | NEED(CLIENT_ID),
                          .skew_s = SKEW_S,
                          .max_life_s = LIMIT_ACCESS_TOKEN_LIFE},
    /* OpenID Connect Core section 2. A logout token of older makers has its typ, but events. */
    [JWT_ID_TOKEN] = {.algs = ALGS_ASYMMETRIC,
                      .need = NEED(ISS) | NEED(SUB) | NEED(AUD) | NEED(EXP) | NEED(IAT),
                      .forbid = NEED(EVENTS),
                      .skew_s = SKEW_S},
    /* RFC 7523 section 3; typ as draft-ietf-oauth-rfc7523bis names it. */
    [JWT_CLIENT_ASSERTION] = {.typ = "client-authentication+jwt",
                              .typ_lax = true,
                              .algs = ALGS_SIG,
                              .need = NEED(ISS) | NEED(SUB) | NEED(AUD) | NEED(EXP) | NEED(IAT) | NEED(JTI),
                              .forbid = NEED(EVENTS),
                              .iss_is_sub = true,
                              .skew_s = SKEW_S,
                              .max_life_s = 300},
    /* OpenID Connect Back-Channel Logout section 2.4; that sub or sid stands there is its reader's business. */
    [JWT_LOGOUT_TOKEN] = {.typ = "logout+jwt",
                          .typ_lax = true,
                          .algs = ALGS_ASYMMETRIC,
                          .need = NEED(ISS) | NEED(AUD) | NEED(IAT) | NEED(EXP) | NEED(JTI) | NEED(EVENTS),
                          .forbid = NEED(NONCE),
                          .event = "http://schemas.openid.net/event/backchannel-logout",
                          .skew_s = SKEW_S,
                          .max_life_s = 600},
    /* RFC 9101 sections 4 and 10.8: sub would make a client's assertion of it. */
    [JWT_REQUEST_OBJECT] = {.typ = "oauth-authz-req+jwt",
                            .typ_lax = true,
                            .algs = ALGS_SIG,
                            .need = NEED(ISS) | NEED(AUD) | NEED(CLIENT_ID),
                            .forbid = NEED(SUB) | NEED(EVENTS),
                            .exp_optional = true,
                            .skew_s = SKEW_S,
                            .max_life_s = 3600},
};

struct jwt_profile jwt_profile_of(enum jwt_kind kind)
{
    return (size_t)kind < JWT_KINDS ? rows[kind] : (struct jwt_profile){0};
}
