/* PKCE (RFC 7636), S256 alone: the code is worth something only to whoever made the challenge. */
#include "oauth/parts.h"

#define CHALLENGE_SIZE 43
#define VERIFIER_MIN   43
#define VERIFIER_MAX   128

bool pkce_challenge_valid(struct str challenge)
{
    uint8_t raw[SHA256_SIZE];
    return challenge.n == CHALLENGE_SIZE && dec_b64url_into(challenge, raw, sizeof(raw)) == sizeof(raw);
}

/* unreserved characters (RFC 3986 section 2.3) */
bool pkce_verifier_valid(struct str verifier)
{
    for (size_t i = 0; i < verifier.n; i++) {
        char c = verifier.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && !(c && strchr("-._~", c)))
            return false;
    }
    return verifier.n >= VERIFIER_MIN && verifier.n <= VERIFIER_MAX;
}

bool pkce_matches(const struct crypto *c, struct str challenge, struct str verifier)
{
    uint8_t want[SHA256_SIZE], have[SHA256_SIZE];
    if (dec_b64url_into(challenge, want, sizeof(want)) != sizeof(want))
        return false;
    sha256(c, verifier, have);
    return secret_eq(want, have, sizeof(have));
}
