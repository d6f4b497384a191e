"""OpenID Connect: the whole sign-in with its ID token, and UserInfo; as benchmarks/oauth.py measures."""
import urllib.parse

import mereau
from mereau import CALLBACK, WEB, Pkce
from oauth import Bench, basic, tokens_file

SCOPE = "openid profile email"


def rp(client_id, **kw):
    return {"client_id": client_id, "client_secret": WEB[1], "redirect_uris": [CALLBACK], "first_party": True,
            "grant_types": ["authorization_code", "refresh_token"], "scope": SCOPE, **kw}


TENANT = {"clients": [rp("es", id_token_signed_response_alg="ES256"), rp("esjwt", id_token_signed_response_alg="ES256", access_token_format="jwt"),
                      rp("ed", id_token_signed_response_alg="EdDSA"), rp("rs"), rp("signed", userinfo_signed_response_alg="ES256")]}


def measure_flow(b, s, client, name, target=None):
    browser, pkce = s.browser("ann"), Pkce()
    browser.tokens((client, WEB[1]), scope=SCOPE)  # makes the key
    cookie = "; ".join("%s=%s" % (c.name, c.value) for c in browser.http.cookies)
    query = urllib.parse.urlencode({"response_type": "code", "client_id": client, "redirect_uri": CALLBACK, "scope": SCOPE, "state": "s", "nonce": "n-0S6_WzA2Mj",
                                    "code_challenge": pkce.challenge, "code_challenge_method": "S256"})
    b.row(name, s, "flow", {"COOKIE": cookie, "AUTH": basic((client, WEB[1])), "AUTHORIZE": "/authorize?" + query,
                            "REDIRECT": urllib.parse.quote(CALLBACK, safe=""), "VERIFIER": pkce.verifier}, target, "raw ES256 sign")


def measure_userinfo(b, s, client, name, target=None):
    browser = s.browser("ann")
    tokens = [browser.tokens((client, WEB[1]), scope=SCOPE)["access_token"] for _ in range(100)]
    b.row(name, s, "plain", {"PATH_": "/userinfo", "TOKENS": tokens_file(s, "userinfo-" + client, tokens), "BEARER": "1"}, target, "constant answer")


def run(args):
    b = Bench(args)
    b.take_floors()
    s = mereau.Mereau(tenant=TENANT).start()
    try:
        measure_flow(b, s, "es", "code flow: ES256 ID token, opaque access token", 1800)
        measure_flow(b, s, "esjwt", "code flow: ES256 ID token, ES256 JWT access token", 1800)
        measure_flow(b, s, "ed", "code flow: EdDSA ID token")
        measure_flow(b, s, "rs", "code flow: RS256 ID token")
        measure_userinfo(b, s, "es", "UserInfo, JSON", 35000)
        measure_userinfo(b, s, "signed", "UserInfo, signed with ES256")
    finally:
        s.close()
    return {"rows": b.rows, "notes": b.notes, "floors": b.floors}
