"""OpenID Connect: ID tokens, UserInfo, claims, prompts, response modes, request objects, encryption to a client's key."""
import base64
import hashlib
import json
import time
import urllib.parse

import pytest
from jwcrypto import jwe, jwk, jws, jwt

import mereau
from mereau import CALLBACK, PASSWORD, WEB, Pkce, location_params

SCOPE = "openid profile email address phone orders.read offline_access"
KEYS = {"sig": jwk.JWK.generate(kty="EC", crv="P-256", kid="rp-sig", alg="ES256", use="sig"),
        "enc": jwk.JWK.generate(kty="EC", crv="P-256", kid="rp-enc", use="enc"),
        "rsa": jwk.JWK.generate(kty="RSA", size=2048, kid="rp-rsa", use="enc"),
        "open": jwk.JWK.generate(kty="RSA", size=2048, kid="rp-open")}
ATTACKER = jwk.JWK.generate(kty="EC", crv="P-256", kid="rp-sig", alg="ES256", use="sig")
JWKS = {"keys": [k.export_public(as_dict=True) for k in KEYS.values()]}


def rp(client_id, **kw):
    return {"client_id": client_id, "client_secret": WEB[1], "redirect_uris": [CALLBACK], "first_party": True,
            "grant_types": ["authorization_code", "refresh_token"], "scope": SCOPE, **kw}


TENANT = {
    "users": [{"username": "ann", "given_name": "Ann", "family_name": "Lee", "phone_number": "+43 1 234567", "phone_number_verified": True,
               "locale": "de-AT", "birthdate": "1990-01-02", "website": "https://ann.example",
               "address": {"locality": "Vienna", "country": "AT"}}],
    "clients": [
        rp("rp", id_token_signed_response_alg="ES256"),
        rp("rs"),
        rp("ed", id_token_signed_response_alg="EdDSA", access_token_format="jwt", store_access_tokens=False),
        rp("ps", id_token_signed_response_alg="PS256"),
        rp("asks", first_party=False),
        rp("hybrid", grant_types=["authorization_code", "implicit"], response_types=["code", "id_token", "code id_token"],
           id_token_signed_response_alg="ES256"),
        rp("pair", subject_type="pairwise"), rp("pair2", subject_type="pairwise"),
        rp("pairother", subject_type="pairwise", redirect_uris=["https://other.example/cb"]),
        rp("pairjwt", subject_type="pairwise", access_token_format="jwt", store_access_tokens=False),
        rp("enc", jwks=JWKS, id_token_encrypted_response_alg="ECDH-ES+A128KW", id_token_encrypted_response_enc="A256GCM",
           userinfo_encrypted_response_alg="RSA-OAEP-256"),
        rp("sig", jwks=JWKS, userinfo_signed_response_alg="ES256", id_token_encrypted_response_alg="RSA-OAEP-256"),
        rp("both", jwks=JWKS, userinfo_signed_response_alg="RS256", userinfo_encrypted_response_alg="ECDH-ES"),
        rp("jar", jwks=JWKS, redirect_uris=[CALLBACK, "https://app.example/other"]), rp("jarmust", jwks=JWKS, require_signed_request_object=True, request_object_signing_alg="ES256"),
        rp("aged", default_max_age=3600, require_auth_time=True),
        rp("native", token_endpoint_auth_method="none", client_secret=None, redirect_uris=["http://127.0.0.1/cb"]),
    ],
}
for c in TENANT["clients"]:
    if c.get("client_secret") is None:
        del c["client_secret"]


@pytest.fixture(scope="module")
def s():
    made = mereau.Mereau(tenant=TENANT)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def ann(s):
    return s.browser("ann")


def keys(s):
    return jwk.JWKSet.from_json(s.get("/jwks").text)


def verified(s, text, **want):
    t = jwt.JWT(jwt=text, key=keys(s), algs=["ES256", "RS256", "EdDSA", "PS256"])
    claims = json.loads(t.claims)
    for k, v in want.items():
        assert claims.get(k) == v, (k, claims)
    return claims


def half(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def userinfo(s, token, status=200):
    r = s.get("/userinfo", headers={"Authorization": "Bearer " + token})
    assert r.status_code == status, r.text
    return r


def test_metadata(s):
    m = s.get("/.well-known/openid-configuration").json()
    assert m == s.get("/.well-known/oauth-authorization-server").json()
    assert m["issuer"] == s.url and m["userinfo_endpoint"] == s.url + "/userinfo"
    assert "RS256" in m["id_token_signing_alg_values_supported"] and "none" not in m["id_token_signing_alg_values_supported"]
    assert m["id_token_signing_alg_values_supported"].count("EdDSA") == 1
    assert set(m["subject_types_supported"]) == {"public", "pairwise"}
    assert "openid" in m["scopes_supported"] and "email_verified" in m["claims_supported"]
    assert m["response_types_supported"] == ["code", "id_token", "code id_token"]
    for v in m.values():
        assert v is not None


def test_id_token_and_userinfo(s, ann):
    t = ann.tokens(("rp", WEB[1]), scope="openid profile email address phone", nonce="n-1")
    now = time.time()
    c = verified(s, t["id_token"], iss=s.url, aud="rp", azp="rp", nonce="n-1", acr="1", amr=["pwd"], at_hash=half(t["access_token"]))
    assert abs(c["iat"] - now) < 60 and now < c["exp"] < now + 4000 and c["auth_time"] <= c["iat"] and c["sid"]
    assert "email" not in c and "name" not in c
    u = userinfo(s, t["access_token"])
    assert u.headers["Content-Type"].startswith("application/json") and u.headers["Cache-Control"] == "no-store"
    u = u.json()
    assert u["sub"] == c["sub"]
    assert u["email"] == "ann@example.com" and u["email_verified"] is True and u["given_name"] == "Ann" and u["preferred_username"] == "ann"
    assert u["address"] == {"locality": "Vienna", "country": "AT"} and u["phone_number_verified"] is True and u["birthdate"] == "1990-01-02"
    assert isinstance(u["updated_at"], int)
    assert s.post("/userinfo", {"access_token": t["access_token"]}).json() == u
    assert s.post("/userinfo", {}, headers={"Authorization": "Bearer " + t["access_token"]}).json() == u


def test_no_openid_no_id_token(s, ann):
    t = ann.tokens(("rp", WEB[1]), scope="orders.read")
    assert "id_token" not in t
    r = userinfo(s, t["access_token"], 403)
    assert r.json()["error"] == "insufficient_scope" and 'scope="openid"' in r.headers["WWW-Authenticate"]


@pytest.mark.parametrize("client,alg", [("rp", "ES256"), ("rs", "RS256"), ("ed", "EdDSA"), ("ps", "PS256")])
def test_algorithms(s, ann, client, alg):
    t = ann.tokens((client, WEB[1]), scope="openid email")
    verified(s, t["id_token"], aud=client)
    head = jws.JWS()
    head.deserialize(t["id_token"])
    assert head.jose_header["alg"] == alg
    assert userinfo(s, t["access_token"]).json()["email"] == "ann@example.com"


def test_scopes_narrow_claims(s, ann):
    t = ann.tokens(("rp", WEB[1]), scope="openid email")
    assert set(userinfo(s, t["access_token"]).json()) == {"sub", "email", "email_verified"}
    t = ann.tokens(("rp", WEB[1]), scope="openid")
    assert set(userinfo(s, t["access_token"]).json()) == {"sub"}


def test_refreshed_id_token(s, ann):
    t = ann.tokens(("rp", WEB[1]), scope="openid email", nonce="n-1")
    first = verified(s, t["id_token"])
    again = s.refresh(t["refresh_token"], ("rp", WEB[1])).json()
    second = verified(s, again["id_token"], aud="rp", sub=first["sub"], auth_time=first["auth_time"], sid=first["sid"],
                      at_hash=half(again["access_token"]))
    assert "nonce" not in second
    narrow = s.refresh(again["refresh_token"], ("rp", WEB[1]), scope="email").json()
    assert "id_token" not in narrow


def test_claims_by_name(s, ann):
    claims = {"id_token": {"email": None, "nickname": {"essential": False}, "unknown": None}, "userinfo": {"given_name": {"essential": True}}}
    for client in ("rp", "ed"):
        t = ann.tokens((client, WEB[1]), scope="openid", claims=json.dumps(claims))
        c = verified(s, t["id_token"], email="ann@example.com")
        assert "given_name" not in c and "nickname" not in c
        assert set(userinfo(s, t["access_token"]).json()) == {"sub", "given_name"}
    t = ann.tokens(("rp", WEB[1]), scope="openid", claims=json.dumps(claims))
    t = s.refresh(t["refresh_token"], ("rp", WEB[1])).json()
    assert verified(s, t["id_token"])["email"] == "ann@example.com"
    assert userinfo(s, t["access_token"]).json()["given_name"] == "Ann"


@pytest.mark.parametrize("claims", ["x", "[]", '{"id_token": 1}', '{"userinfo": {"email": 1}}', '{"id_token": {}, "id_token": {}}'])
def test_malformed_claims(ann, claims):
    r = ann.authorize("rp", Pkce(), scope="openid", claims=claims)
    assert location_params(r)["error"] == "invalid_request"


def test_claims_by_name_are_consented_to(s):
    b = s.browser("ann")
    r = b.authorize("asks", Pkce(), scope="openid", claims='{"userinfo": {"email": null}}')
    assert r.status_code == 200 and "See your e-mail address" in r.text and "Know that it is you" in r.text
    assert b.submit(r, decision="allow").status_code == 303
    assert b.authorize("asks", Pkce(), scope="openid email").status_code == 303
    assert b.authorize("asks", Pkce(), scope="openid phone").status_code == 200


def test_essential_acr(s, ann):
    wants = {"id_token": {"acr": {"essential": True, "values": ["2"]}}}
    r = ann.authorize("rp", Pkce(), scope="openid", claims=json.dumps(wants))
    assert location_params(r)["error"] == "unmet_authentication_requirements"
    wants["id_token"]["acr"]["values"] = ["1", "2"]
    assert "code" in location_params(ann.authorize("rp", Pkce(), scope="openid", claims=json.dumps(wants)))
    assert "code" in location_params(ann.authorize("rp", Pkce(), scope="openid", acr_values="2"))


def test_openid_needs_redirect_uri(ann):
    """A05: in OpenID Connect it is never left out."""
    r = ann.authorize("rp", Pkce(), scope="openid", redirect_uri=None)
    assert r.status_code == 400 and "Location" not in r.headers


def test_prompt_none(s, ann):
    assert location_params(s.browser().authorize("rp", Pkce(), scope="openid", prompt="none"))["error"] == "login_required"
    assert location_params(ann.authorize("asks", Pkce(), scope="openid address", prompt="none"))["error"] == "consent_required"
    assert "code" in location_params(ann.authorize("rp", Pkce(), scope="openid", prompt="none"))


def test_A17_native_public_client_without_asking(ann):
    r = ann.authorize("native", Pkce(), scope="openid", prompt="none", redirect_uri="http://127.0.0.1/cb")
    assert location_params(r)["error"] == "interaction_required"


@pytest.mark.parametrize("how", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account"}])
def test_signs_in_anew(s, how):
    b = s.browser("ann")
    first = verified(s, b.tokens(("rp", WEB[1]), scope="openid")["id_token"])
    pkce = Pkce()
    time.sleep(1.1)
    r = b.authorize("rp", pkce, scope="openid", **how)
    assert r.status_code == 303 and "/signin?" in r.headers["Location"]
    r = b.submit(b.get(r.headers["Location"]), username="ann", password=PASSWORD)
    r = b.get(r.headers["Location"])
    code = location_params(r)["code"]
    t = s.token(("rp", WEB[1]), grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=pkce.verifier).json()
    assert verified(s, t["id_token"], sub=first["sub"])["auth_time"] > first["auth_time"]


def test_client_default_max_age(s, ann):
    assert "code" in location_params(ann.authorize("aged", Pkce(), scope="openid"))
    assert "auth_time" in verified(s, ann.tokens(("aged", WEB[1]), scope="openid")["id_token"])


def test_hint(s, ann):
    own = ann.tokens(("rp", WEB[1]), scope="openid")["id_token"]
    assert "code" in location_params(ann.authorize("rp", Pkce(), scope="openid", id_token_hint=own, prompt="none"))
    bob = s.browser("bob")
    assert location_params(bob.authorize("rp", Pkce(), scope="openid", id_token_hint=own, prompt="none"))["error"] == "login_required"
    r = bob.authorize("rp", Pkce(), scope="openid", id_token_hint=own)
    assert "/signin?" in r.headers["Location"]
    back = bob.submit(bob.get(r.headers["Location"]), username="bob", password=PASSWORD)
    assert location_params(bob.get(back.headers["Location"]))["error"] == "login_required"
    r = bob.authorize("rp", Pkce(), scope="openid", id_token_hint=own)
    back = bob.submit(bob.get(r.headers["Location"]), username="ann", password=PASSWORD)
    assert "code" in location_params(bob.get(back.headers["Location"]))


def test_A63_wrong_tokens(s, ann):
    t = ann.tokens(("ed", WEB[1]), scope="openid email offline_access")
    for wrong in (t["access_token"], t["id_token"][:-4] + "AAAA", "x.y.z"):
        r = ann.authorize("rp", Pkce(), scope="openid", id_token_hint=wrong)
        assert location_params(r)["error"] == "invalid_request", wrong
    userinfo(s, t["id_token"], 401)
    userinfo(s, t["refresh_token"], 401)
    r = s.get("/userinfo")
    assert r.status_code == 401 and r.headers["WWW-Authenticate"].startswith("Bearer")


def test_sub_by_claims(s, ann):
    sub = verified(s, ann.tokens(("rp", WEB[1]), scope="openid")["id_token"])["sub"]
    ask = lambda b, v: location_params(b.authorize("rp", Pkce(), scope="openid", prompt="none", claims=json.dumps({"id_token": {"sub": {"value": v}}})))
    assert "code" in ask(ann, sub)
    assert ask(s.browser("bob"), sub)["error"] == "login_required"


def test_pairwise(s, ann):
    public = verified(s, ann.tokens(("rp", WEB[1]), scope="openid")["id_token"])["sub"]
    one = ann.tokens(("pair", WEB[1]), scope="openid email")
    sub = verified(s, one["id_token"])["sub"]
    assert sub != public and userinfo(s, one["access_token"]).json()["sub"] == sub
    assert verified(s, ann.tokens(("pair2", WEB[1]), scope="openid")["id_token"])["sub"] == sub  # one sector
    other = ann.tokens(("pairother", WEB[1]), scope="openid", redirect_uri="https://other.example/cb")
    assert verified(s, other["id_token"])["sub"] not in (sub, public)
    free = ann.tokens(("pairjwt", WEB[1]), scope="openid email")
    assert json.loads(jwt.JWT(jwt=free["access_token"], key=keys(s)).claims)["sub"] == sub
    assert userinfo(s, free["access_token"]).json()["sub"] == sub
    assert s.introspect(one["access_token"], ("pair", WEB[1]))["sub"] == sub
    hint = one["id_token"]
    assert "code" in location_params(ann.authorize("pair", Pkce(), scope="openid", id_token_hint=hint, prompt="none"))


def test_pairwise_of_several_hosts_is_refused(s):
    r = s.cli("client", "add", "twohosts", "subject_type=pairwise", "redirect_uris=https://a.example/cb", "redirect_uris=https://b.example/cb", check=None)
    assert r.returncode != 0 and "sector_identifier_uri" in r.stderr


def fragment(r):
    parts = urllib.parse.urlsplit(r.headers["Location"])
    assert not parts.query, r.headers["Location"]
    return dict(urllib.parse.parse_qsl(parts.fragment))


def test_implicit_id_token(s, ann):
    a = fragment(ann.authorize("hybrid", response_type="id_token", scope="openid email", nonce="n-2"))
    assert a["state"] == "s1" and a["iss"] == s.url and "code" not in a and "access_token" not in a
    c = verified(s, a["id_token"], nonce="n-2", email="ann@example.com")
    assert "at_hash" not in c and "c_hash" not in c


def test_hybrid(s, ann):
    pkce = Pkce()
    a = fragment(ann.authorize("hybrid", pkce, response_type="id_token code", scope="openid email", nonce="n-3"))
    c = verified(s, a["id_token"], nonce="n-3", c_hash=half(a["code"]))
    assert "email" not in c
    t = s.token(("hybrid", WEB[1]), grant_type="authorization_code", code=a["code"], redirect_uri=CALLBACK, code_verifier=pkce.verifier).json()
    second = verified(s, t["id_token"], nonce="n-3", sub=c["sub"], iss=c["iss"])
    assert second["at_hash"] == half(t["access_token"])


def test_hybrid_refusals(s, ann):
    assert fragment(ann.authorize("hybrid", response_type="id_token", scope="openid"))["error"] == "invalid_request"
    assert fragment(ann.authorize("hybrid", response_type="id_token", scope="email", nonce="n"))["error"] == "invalid_request"
    assert fragment(ann.authorize("hybrid", response_type="id_token", scope="openid", nonce="n", response_mode="query"))["error"] == "invalid_request"
    for kind in ("id_token", "code id_token", "token", "id_token token"):  # A13: not registered
        r = ann.authorize("rp", Pkce(), response_type=kind, scope="openid", nonce="n")
        assert location_params(r)["error"] == "unauthorized_client"
        assert "#" not in r.headers["Location"]


def test_A14_form_post(s, ann):
    pkce = Pkce()
    r = ann.authorize("rp", pkce, scope="openid", response_mode="form_post")
    assert r.status_code == 200 and "form-action 'self' https://app.example" in r.headers["Content-Security-Policy"]
    fields, action = mereau.form_fields(r.text)
    assert action == CALLBACK and fields["iss"] == s.url and fields["state"] == "s1" and r.headers["Cache-Control"] == "no-store"
    t = s.token(("rp", WEB[1]), grant_type="authorization_code", code=fields["code"], redirect_uri=CALLBACK, code_verifier=pkce.verifier)
    assert t.status_code == 200
    r = ann.authorize("rp", Pkce(), scope="openid nonsense", response_mode="form_post")
    fields, _ = mereau.form_fields(r.text)
    assert fields["error"] == "invalid_scope" and fields["iss"] == s.url and fields["state"] == "s1"
    evil = ann.authorize("rp", Pkce(), scope="openid", response_mode="form_post", state='"><script>alert(1)</script>')
    assert "<script>alert" not in evil.text


def test_authorize_by_post(s, ann):
    pkce = Pkce()
    query = {"response_type": "code", "client_id": "rp", "redirect_uri": CALLBACK, "scope": "openid", "state": "s 1&",
             "code_challenge": pkce.challenge, "code_challenge_method": "S256"}
    r = ann.http.post(s.url + "/authorize", data=query, allow_redirects=False)
    assert r.status_code == 303
    r = ann.get(r.headers["Location"])
    assert location_params(r)["state"] == "s 1&" and "code" in location_params(r)
    assert ann.http.post(s.url + "/authorize?state=x", data=query, allow_redirects=False).status_code in (303, 400)


# --- encryption ---

def decrypted(text, key):
    e = jwe.JWE()
    e.deserialize(text, key)
    return e.payload.decode(), e.jose_header


def test_encrypted_id_token(s, ann):
    t = ann.tokens(("enc", WEB[1]), scope="openid email", nonce="n")
    inner, head = decrypted(t["id_token"], KEYS["enc"])
    assert head["alg"] == "ECDH-ES+A128KW" and head["enc"] == "A256GCM" and head["cty"] == "JWT" and head["kid"] == "rp-enc"
    verified(s, inner, aud="enc", nonce="n")
    inner, head = decrypted(ann.tokens(("sig", WEB[1]), scope="openid")["id_token"], KEYS["rsa"])
    assert head["enc"] == "A128CBC-HS256"
    verified(s, inner, aud="sig")


def test_userinfo_as_jwt(s, ann):
    r = userinfo(s, ann.tokens(("sig", WEB[1]), scope="openid email")["access_token"])
    assert r.headers["Content-Type"] == "application/jwt"
    verified(s, r.text, iss=s.url, aud="sig", email="ann@example.com")
    r = userinfo(s, ann.tokens(("enc", WEB[1]), scope="openid email")["access_token"])
    plain, head = decrypted(r.text, KEYS["rsa"])
    assert json.loads(plain)["email"] == "ann@example.com" and "cty" not in head and r.headers["Content-Type"] == "application/jwt"
    r = userinfo(s, ann.tokens(("both", WEB[1]), scope="openid email")["access_token"])
    inner, _ = decrypted(r.text, KEYS["enc"])
    verified(s, inner, aud="both", email="ann@example.com")


def test_A76_keys_at_registration(s):
    private = KEYS["sig"].export_private(as_dict=True)
    weak = dict(jwk.JWK.generate(kty="RSA", size=1024).export_public(as_dict=True), alg="RS256", kid="w")
    misfit = dict(jwk.JWK.generate(kty="EC", crv="P-384").export_public(as_dict=True), alg="ES256", kid="m")
    many = [KEYS["sig"].export_public(as_dict=True)] * 500
    for bad in ([private], [weak], [misfit], many, "x", [1]):
        r = s.cli("client", "add", "badkeys", "redirect_uris=" + CALLBACK, "jwks=" + json.dumps({"keys": bad}), check=None)
        assert r.returncode != 0 and "jwks" in r.stderr, (bad if bad != many else "many", r.stderr)


# --- request objects ---

def signed(s, key=None, head=None, **claims):
    pkce = claims.pop("pkce")
    body = {"iss": claims.get("client_id", "jar"), "aud": s.url, "exp": int(time.time()) + 300, "client_id": "jar", "response_type": "code",
            "redirect_uri": CALLBACK, "scope": "openid email", "state": "inside", "nonce": "n-in", "code_challenge": pkce.challenge,
            "code_challenge_method": "S256", **claims}
    body = {k: v for k, v in body.items() if v is not None}
    t = jws.JWS(json.dumps(body).encode())
    key = key or KEYS["sig"]
    t.add_signature(key, None, json.dumps({"alg": "ES256", "kid": "rp-sig", "typ": "oauth-authz-req+jwt", **(head or {})}))
    return t.serialize(compact=True)


def ask(b, request, client="jar", **more):
    return b.get("/authorize?" + urllib.parse.urlencode({"client_id": client, "request": request, **more}))


def test_request_object(s, ann):
    pkce = Pkce()
    r = ask(ann, signed(s, pkce=pkce, claims={"id_token": {"email": None}}, max_age=3600))
    p = location_params(r)
    assert p["state"] == "inside"
    t = s.token(("jar", WEB[1]), grant_type="authorization_code", code=p["code"], redirect_uri=CALLBACK, code_verifier=pkce.verifier).json()
    verified(s, t["id_token"], nonce="n-in", email="ann@example.com")
    # what stands beside it completes it, for a client that need not sign
    assert location_params(ask(ann, signed(s, pkce=Pkce(), state=None), state="outside"))["state"] == "outside"


def test_request_object_through_sign_in_and_consent(s):
    b = s.browser()
    request = signed(s, pkce=Pkce(), exp=int(time.time()) + 2, prompt="login")
    r = ask(b, request)
    assert "/signin?" in r.headers["Location"]
    page = b.get(r.headers["Location"])
    time.sleep(3)  # it has expired by now; what counts is when it came
    r = b.submit(page, username="ann", password=PASSWORD)
    assert "code" in location_params(b.get(r.headers["Location"]))


@pytest.mark.parametrize("spoil", [
    {"iss": "other"}, {"aud": "https://other.example"}, {"exp": 1}, {"exp": int(time.time()) + 86400 * 2}, {"aud": None}, {"iss": None},
    {"request": "x.y.z"}, {"request_uri": "https://x.example"}, {"sub": "jar"},
])
def test_A18_wrong_request_objects(s, ann, spoil):
    r = ask(ann, signed(s, pkce=Pkce(), **spoil), redirect_uri=CALLBACK)
    assert location_params(r)["error"] == "invalid_request_object", spoil
    assert location_params(r)["iss"] == s.url


def test_A18_wrong_signatures(s, ann):
    good = signed(s, pkce=Pkce())
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode() + "." + good.split(".")[1] + "."
    hs = jws.JWS(base64.urlsafe_b64decode(good.split(".")[1] + "==="))
    hs.add_signature(jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(WEB[1].encode()).decode()), None, '{"alg":"HS256"}')
    for bad in (none, hs.serialize(compact=True), good[:-6] + "AAAAAA", signed(s, ATTACKER, pkce=Pkce()),
                signed(s, pkce=Pkce(), head={"kid": "unknown"}), signed(s, pkce=Pkce(), head={"typ": "at+jwt"})):
        assert location_params(ask(ann, bad, redirect_uri=CALLBACK))["error"] == "invalid_request_object"
    # without a redirect URI to trust, the page stays here
    r = ask(ann, good[:-6] + "AAAAAA")
    assert r.status_code == 400 and "Location" not in r.headers


def test_A18_differing_parameters(s, ann):
    for name, value in (("state", "outside"), ("scope", "openid"), ("nonce", "other"), ("response_type", "id_token")):
        r = ask(ann, signed(s, pkce=Pkce()), **{name: value, "redirect_uri": CALLBACK})
        assert location_params(r)["error"] == "invalid_request_object", name
    r = ask(ann, signed(s, pkce=Pkce(), client_id="rp", iss="jar"), redirect_uri=CALLBACK)
    assert location_params(r)["error"] == "invalid_request_object"


def test_signed_requests_alone(s, ann):
    assert location_params(ann.authorize("jarmust", Pkce(), scope="openid"))["error"] == "invalid_request_object"
    p = location_params(ask(ann, signed(s, pkce=Pkce(), client_id="jarmust"), client="jarmust", scope="openid email", max_age="0"))
    assert "code" in p  # max_age outside does not count


def test_preview(s):
    out = s.cli_json("token", "simulate", "--user", "ann", "--client", "rp", "--scope", "openid email")
    assert out["id_token"]["aud"] == "rp" and out["userinfo"]["email"] == "ann@example.com" and "email" not in out["id_token"]


def test_key_rotation_while_signing_in(s, ann):
    before = ann.tokens(("rp", WEB[1]), scope="openid")["id_token"]
    s.cli("key", "rotate", "ES256")
    verified(s, before)
    verified(s, ann.tokens(("rp", WEB[1]), scope="openid")["id_token"])


def test_disabled_account_has_no_userinfo(fresh):
    s = fresh(tenant={"clients": [rp("rp")]})
    t = s.tokens("ann", ("rp", WEB[1]), scope="openid email")
    userinfo(s, t["access_token"])
    s.cli("user", "disable", "ann")
    userinfo(s, t["access_token"], 401)
