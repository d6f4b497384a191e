/* PKCE: the example of RFC 7636 appendix B, and the forms that A12 refuses. */
#include "oauth/parts.h"
#include "unit.h"

#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

int main(void)
{
    struct crypto *c;
    char text[130];
    CHECK(crypto_new(&c) == ERR_OK);
    CHECK(pkce_challenge_valid(STR(CHALLENGE)) && pkce_verifier_valid(STR(VERIFIER)));
    CHECK(pkce_matches(c, STR(CHALLENGE), STR(VERIFIER)));
    CHECK(!pkce_matches(c, STR(CHALLENGE), STR("eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
    CHECK(!pkce_matches(c, STR(VERIFIER), STR(VERIFIER))); /* "plain" */
    CHECK(!pkce_challenge_valid(STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c")));
    CHECK(!pkce_challenge_valid(STR(CHALLENGE "A")) && !pkce_challenge_valid(STR(CHALLENGE "=")));
    CHECK(!pkce_challenge_valid(STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")));
    CHECK(!pkce_challenge_valid(STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN"))); /* trailing bits */
    memset(text, 'a', sizeof(text));
    CHECK(!pkce_verifier_valid((struct str){text, 42}) && pkce_verifier_valid((struct str){text, 43}));
    CHECK(pkce_verifier_valid((struct str){text, 128}) && !pkce_verifier_valid((struct str){text, 129}));
    text[7] = '+';
    CHECK(!pkce_verifier_valid((struct str){text, 60}));
    text[7] = 0;
    CHECK(!pkce_verifier_valid((struct str){text, 60}));
    text[7] = '~';
    CHECK(pkce_verifier_valid((struct str){text, 60}));
    crypto_free(&c);
    return unit_end("oauth-pkce");
}
