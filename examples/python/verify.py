#!/usr/bin/env python3
"""Verifies an access token of mereau in Python, by the issuer's metadata and keys. Needs Debian's python3-jwt (or PyJWT >= 2.6 with
cryptography).

usage: verify.py ISSUER AUDIENCE TOKEN
"""
import json
import sys
import urllib.request

import jwt

ALGORITHMS = ["ES256", "EdDSA", "RS256", "PS256"]


def verifier(issuer, audience):
    """Returns a function that gives a token's claims or raises jwt.PyJWTError. Make it once: it keeps the keys."""
    with urllib.request.urlopen(issuer + "/.well-known/openid-configuration", timeout=5) as r:
        metadata = json.load(r)
    if metadata["issuer"] != issuer:
        raise ValueError("the metadata is of another issuer")
    keys = jwt.PyJWKClient(metadata["jwks_uri"])

    def verify(token):
        if jwt.get_unverified_header(token).get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
            raise jwt.InvalidTokenError("not an access token")  # an ID token, say (RFC 9068 section 4)
        key = keys.get_signing_key_from_jwt(token).key
        return jwt.decode(token, key, ALGORITHMS, issuer=issuer, audience=audience, leeway=60,
                          options={"require": ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"]})

    return verify


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        claims = verifier(*sys.argv[1:3])(sys.argv[3])
    except (jwt.PyJWTError, OSError, ValueError) as e:
        sys.exit("refused: %s" % e)
    print("subject:", claims["sub"])
    print("scope:", claims.get("scope", ""))
