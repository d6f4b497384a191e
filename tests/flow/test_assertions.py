"""Clients that authenticate by a JWT they signed (RFC 7523): private_key_jwt, client_secret_jwt; keys by value and behind an
address; abuse cases A38 to A43 by their ids."""
import concurrent.futures
import http.server
import json
import secrets
import statistics
import threading
import time

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from jwcrypto import jwk, jwt

import mereau
from mereau import MACHINE

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET = "shared-secret-" + "s" * 50
ALGS = {"RS256": ("RSA", {"size": 2048}), "PS256": ("RSA", {"size": 2048}), "ES256": ("EC", {"crv": "P-256"}), "ES384": ("EC", {"crv": "P-384"}),
        "ES512": ("EC", {"crv": "P-521"}), "EdDSA": ("OKP", {"crv": "Ed25519"})}


def new_key(alg="ES256", **kw):
    kty, size = ALGS[alg]
    kid = "key-" + secrets.token_hex(4)  # "12e45678" would be a number in the configuration file
    return jwk.JWK.generate(kty=kty, kid=kid, use="sig", **size, **kw)


def public(*keys):
    return {"keys": [k.export_public(as_dict=True) for k in keys]}


KEYS = {alg: new_key(alg) for alg in ALGS}
EC, OTHER = KEYS["ES256"], new_key()


class KeyServer:
    """Serves a JWK Set; counts, and can be taken away."""

    def __init__(self, keys):
        self.body, self.headers, self.status, self.wait, self.asked = json.dumps(public(*keys)), {}, 200, 0, 0
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.asked += 1
                time.sleep(owner.wait)
                self.send_response(owner.status)
                for name, value in {"Content-Type": "application/jwk-set+json", "Content-Length": str(len(owner.body)), **owner.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(owner.body.encode())

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/jwks.json" % self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def serve(self, *keys):
        self.body = json.dumps(public(*keys))

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def signs(client_id, **more):
    return {"client_id": client_id, "token_endpoint_auth_method": "private_key_jwt", "grant_types": ["client_credentials"], "scope": "orders.read", **more}


@pytest.fixture(scope="module")
def keys():
    s = KeyServer([EC])
    yield s
    s.close()


@pytest.fixture(scope="module")
def server(keys):
    s = mereau.Mereau(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"clients": [
        signs("signer", jwks=public(*KEYS.values())),
        signs("narrow", jwks=public(KEYS["RS256"]), token_endpoint_auth_signing_alg="PS256"),
        signs("older", jwks=public(EC), assertion_aud="token_endpoint", assertion_life=60),
        signs("remote", jwks_uri=keys.url),
        signs("hmac", client_secret=SECRET, token_endpoint_auth_method="client_secret_jwt"),
        signs("lib-private_key_jwt", jwks=public(EC), assertion_aud="token_endpoint", assertion_life="1h"),
        signs("lib-client_secret_jwt", client_secret=SECRET, token_endpoint_auth_method="client_secret_jwt", assertion_aud="token_endpoint",
              assertion_life="1h"),
        signs("hs512", client_secret=SECRET, token_endpoint_auth_method="client_secret_jwt", token_endpoint_auth_signing_alg="HS512"),
    ]})
    s.start()
    yield s
    s.close()


def claims_of(server, client_id, **over):
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": server.url, "iat": now, "exp": now + 120, "jti": secrets.token_hex(12), **over}
    return {k: v for k, v in claims.items() if v is not None}


def signed(key, claims, alg="ES256", **header):
    header = {"alg": alg, "kid": key.get("kid"), **header}
    t = jwt.JWT(header={k: v for k, v in header.items() if v is not None}, claims=claims, algs=[alg])
    t.make_signed_token(key)
    return t.serialize()


def secret_key(secret=SECRET):
    import base64
    return jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode())


def assertion(server, client_id="signer", key=EC, alg="ES256", header=None, **over):
    return signed(key, claims_of(server, client_id, **over), alg, **(header or {}))


def present(server, text, path="/token", auth=None, **data):
    what = {"grant_type": "client_credentials"} if path == "/token" else {"token": "x"}
    return server.post(path, {**what, "client_assertion_type": JWT_BEARER, "client_assertion": text, **data}, auth)


def assert_ok(r):
    assert r.status_code == 200, r.text
    return r.json()


def assert_ic(r, text=None):
    assert r.status_code == 401 and r.json()["error"] == "invalid_client", r.text
    assert text is None or text in r.json()["error_description"], r.text


# --- what works ---

@pytest.mark.parametrize("alg", ALGS)
def test_private_key_jwt(server, alg):
    answer = assert_ok(present(server, assertion(server, key=KEYS[alg], alg=alg)))
    assert server.introspect(answer["access_token"])["client_id"] == "signer"
    assert_ok(present(server, assertion(server, key=KEYS[alg], alg=alg), client_id="signer"))


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_client_secret_jwt(server, alg):
    assert_ok(present(server, assertion(server, "hmac", secret_key(), alg)))
    r = present(server, assertion(server, "hs512", secret_key(), alg))
    assert r.status_code == (200 if alg == "HS512" else 401)


def test_introspect_and_revoke(server):
    token = assert_ok(present(server, assertion(server)))["access_token"]
    for form in ({}, {"client_id": "signer"}):
        assert assert_ok(present(server, assertion(server), "/introspect", token=token, **form))["active"]
    assert_ok(present(server, assertion(server), "/revoke", token=token))
    assert not server.active(token)
    assert_ic(present(server, assertion(server, key=OTHER), "/introspect", token=token))
    assert_ic(present(server, assertion(server, key=OTHER), "/revoke", token=token))
    # an escaped name is the same parameter
    body = "token=x&client%5Fassertion=" + assertion(server) + "&client%5fassertion_type=" + JWT_BEARER
    r = requests.post(server.url + "/introspect", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout=20)
    assert assert_ok(r) == {"active": False}


def test_typ_kid_and_aud_as_one_string(server):
    for header in ({"typ": "JWT"}, {"typ": "client-authentication+jwt"}, {"typ": "application/client-authentication+jwt"}):
        assert_ok(present(server, assertion(server, header=header)))
    assert_ic(present(server, assertion(server, header={"kid": "other"})))
    assert_ok(present(server, assertion(server, "narrow", KEYS["RS256"], "PS256", header={"kid": None})))
    assert_ok(present(server, assertion(server, header={"kid": None})))


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt"])
def test_with_authlib(server, method):
    """A library's own assertions, unchanged: aud is the token endpoint, they live an hour, and no kid. Its client is set up for that."""
    key = method == "private_key_jwt"
    secret = EC.export_to_pem(private_key=True, password=None).decode() if key else SECRET
    kind = (lambda: PrivateKeyJWT(server.url + "/token", alg="ES256")) if key else (lambda: ClientSecretJWT(server.url + "/token"))
    for client_id, fits in (("lib-" + method, True), ("signer" if key else "hmac", False)):
        with OAuth2Session(client_id, secret, token_endpoint_auth_method=method) as s:
            s.register_client_auth_method(kind())
            if fits:
                assert s.fetch_token(server.url + "/token", grant_type="client_credentials")["access_token"]
                continue
            with pytest.raises(Exception, match="invalid_client"):
                s.fetch_token(server.url + "/token", grant_type="client_credentials")


def test_metadata(server):
    m = server.get("/.well-known/oauth-authorization-server").json()
    for endpoint in ("token", "introspection", "revocation"):
        methods, algs = (m[endpoint + "_endpoint_auth_" + what + "_supported"] for what in ("methods", "signing_alg_values"))
        assert {"private_key_jwt", "client_secret_jwt", "client_secret_basic"} <= set(methods)
        assert {"ES256", "RS256", "PS512", "EdDSA", "HS256"} <= set(algs) and "none" not in algs and len(set(algs)) == len(algs)


# --- abuse cases ---

def test_a38_unknown_client_and_wrong_signature_read_the_same(server):
    bad = [present(server, assertion(server, who, key, alg)) for who, key, alg in (
        ("signer", OTHER, "ES256"), ("nobody", OTHER, "ES256"), ("remote", OTHER, "ES256"), ("machine", OTHER, "ES256"), ("nobody", KEYS["RS256"], "RS256"),
        ("hmac", secret_key("x" * 64), "HS256"), ("nobody", secret_key("x" * 64), "HS256"), ("signer", secret_key("x" * 64), "HS256"))]
    for r in bad:
        assert_ic(r)
        assert r.json() == bad[0].json() and r.headers.get("WWW-Authenticate") == bad[0].headers.get("WWW-Authenticate")


@pytest.mark.heavy
def test_a38_timing(server):
    times = {"signer": [], "nobody": []}
    http_ = requests.Session()
    forged = {who: [present_data(assertion(server, who, new)) for _ in range(50)] for who in times for new in [jwk.JWK.generate(kty="EC", crv="P-256", kid=EC.get("kid"))]}
    for i in range(2000):
        who = ("signer", "nobody")[i % 2]
        begin = time.perf_counter()
        http_.post(server.url + "/token", data=forged[who][i // 2 % 50], timeout=10)
        times[who].append(time.perf_counter() - begin)
    a, b = (statistics.median(t) for t in times.values())
    assert abs(a - b) < max(5e-5, 0.1 * min(a, b)), (a, b)


def present_data(text):
    return {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER, "client_assertion": text}


def test_a39_one_method_and_the_registered_one(server):
    good = lambda: assertion(server)  # noqa: E731
    assert_ic(present(server, good(), client_secret=MACHINE[1]))
    assert_ic(present(server, good(), auth=MACHINE))
    assert_ic(present(server, good(), auth=("signer", "x")))
    assert_ic(present(server, good(), client_id="machine"))
    assert_ic(present(server, good(), client_assertion_type=None))
    assert_ic(present(server, good(), client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer"))
    assert_ic(server.post("/token", {"grant_type": "client_credentials", "client_id": "machine", "client_secret": MACHINE[1],
                                     "client_assertion_type": JWT_BEARER}))
    # a secret of a client that signs; a client that is known by its name alone
    for auth in (("signer", ""), ("signer", SECRET), ("hmac", SECRET)):
        assert_ic(server.token(auth, grant_type="client_credentials"))
        assert_ic(server.post("/token", {"grant_type": "client_credentials", "client_id": auth[0], "client_secret": auth[1]}))
    assert_ic(server.post("/token", {"grant_type": "client_credentials", "client_id": "signer"}))
    # the other way: an assertion of one that has a secret, with that secret or the text of a public key
    assert_ic(present(server, assertion(server, "machine", secret_key(MACHINE[1] + "x" * 32), "HS256")))
    assert_ic(present(server, assertion(server, "machine", secret_key(MACHINE[1] + "0" * 16), "HS256")))
    pem = secret_key(EC.export_to_pem().decode())
    assert_ic(present(server, assertion(server, "signer", pem, "HS256", header={"kid": EC.get("kid")})))
    assert_ic(present(server, assertion(server, "hmac", EC)))
    # only the algorithm that is registered
    assert_ic(present(server, assertion(server, "narrow", KEYS["RS256"], "RS256")))
    # iss and sub: the same, and the client
    assert_ic(present(server, assertion(server, iss="machine")))
    assert_ic(present(server, assertion(server, sub="machine")))
    assert_ic(present(server, assertion(server, "signer ")))
    for missing in ("iss", "sub"):
        assert_ic(present(server, assertion(server, **{missing: None})))


def test_a40_jti_once(server):
    text = assertion(server)
    assert_ok(present(server, text))
    assert_ic(present(server, text), "used before")
    assert_ic(present(server, text, "/introspect"))
    again = claims_of(server, "signer")
    assert_ok(present(server, signed(EC, again)))
    assert_ic(present(server, signed(EC, {**again, "exp": again["exp"] + 1})), "used before")
    # the same name of another client is another one
    assert_ok(present(server, signed(secret_key(), {**again, "iss": "hmac", "sub": "hmac"}, "HS256")))
    assert_ic(present(server, assertion(server, jti=None)))
    assert_ic(present(server, assertion(server, jti="")))
    assert_ic(present(server, assertion(server, jti=7)))
    assert_ok(present(server, assertion(server, jti="j" * 2000)))


def test_a40_parallel_uses(server):
    text = assertion(server, "remote")
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: present(server, text).status_code, range(50)))
    assert answers.count(200) == 1 and set(answers) == {200, 401}


def test_a_sealed_secret_in_the_file_is_no_change(fresh):
    s = fresh(tenant={"clients": [signs("hmac", client_secret=SECRET, token_endpoint_auth_method="client_secret_jwt")]})
    said = s.cli("config", "diff", check=None)
    assert said.returncode == 0 and "hmac" not in said.stdout, said.stdout + said.stderr


def test_a40_used_names_survive_a_restart(fresh):
    s = fresh(tenant={"clients": [signs("signer", jwks=public(EC))]})
    text = assertion(s)
    assert_ok(present(s, text))
    s.restart()
    assert_ic(present(s, text), "used before")


@pytest.mark.parametrize("aud", [["{}"], ["{}", "https://other.example"], "{}/token", "{}/", "https://other.example", "{}/introspect", [], "", None])
def test_a41_audience(server, aud):
    aud = [a.format(server.url) for a in aud] if isinstance(aud, list) else aud and aud.format(server.url)
    assert_ic(present(server, assertion(server, aud=aud)))


def test_a41_token_endpoint_for_older_clients(server):
    for aud in (server.url, server.url + "/token"):
        assert_ok(present(server, assertion(server, "older", aud=aud, exp=int(time.time()) + 30)))
        assert_ic(present(server, assertion(server, "older", aud=[aud], exp=int(time.time()) + 30)))
    assert_ic(present(server, assertion(server, "older", aud=server.url + "/introspect")))


def test_a41_another_tenant(fresh):
    client = signs("signer", jwks=public(EC))
    s = fresh(tenant={"clients": [client]}, tenants={"acme": {"clients": [client]}})
    assert_ok(s.post("/t/acme/token", present_data(assertion(s, aud=s.url + "/t/acme"))))
    assert_ic(s.post("/t/acme/token", present_data(assertion(s))))
    assert_ic(present(s, assertion(s, aud=s.url + "/t/acme")))


def test_a42_lifetime(server):
    now = int(time.time())
    for over in ({"exp": now + 48 * 3600}, {"exp": now + 301}, {"exp": now - 120, "iat": now - 200}, {"iat": None}, {"exp": None}, {"iat": now + 3600, "exp": now + 3700},
                 {"nbf": now + 3600}, {"iat": now - 1000, "exp": now + 100}, {"exp": "soon"}, {"iat": 0}):
        assert_ic(present(server, assertion(server, **over)))
    assert_ok(present(server, assertion(server, iat=now, exp=now + 300)))
    assert_ok(present(server, assertion(server, "older", iat=now, exp=now + 60)))
    assert_ic(present(server, assertion(server, "older", iat=now, exp=now + 61)))


def test_a43_other_kinds_of_token(server):
    """Signed by the client's own key, and yet no assertion; and what this server itself has signed."""
    logout = {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}
    assert_ic(present(server, assertion(server, **logout)))
    for typ in ("at+jwt", "logout+jwt", "oauth-authz-req+jwt", "dpop+jwt", "secevent+jwt"):
        assert_ic(present(server, assertion(server, header={"typ": typ})))
    access = server.machine_token(auth=("machinejwt", MACHINE[1]))
    assert_ic(present(server, access))
    assert_ic(present(server, access, client_id="machinejwt"))
    assert_ic(present(server, assertion(server, iss="spiffe://other.example", sub="spiffe://other.example/web")))


@pytest.mark.parametrize("text", ["", "a.b.c", "x", "..", "e30.e30.", "eyJhbGciOiJub25lIn0.e30."])
def test_not_an_assertion(server, text):
    assert_ic(present(server, text))


def test_not_signed_or_signed_by_what_it_brings(server):
    import base64
    b64 = lambda d: base64.urlsafe_b64encode(json.dumps(d).encode()).rstrip(b"=").decode()  # noqa: E731
    assert_ic(present(server, b64({"alg": "none"}) + "." + b64(claims_of(server, "signer")) + "."))
    assert_ic(present(server, assertion(server, key=OTHER, header={"kid": EC.get("kid"), "jwk": OTHER.export_public(as_dict=True)})))
    good = assertion(server)
    assert_ic(present(server, good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBB")))


# --- secrets that sign ---

def test_client_secret_jwt_rotation_and_what_is_kept(fresh):
    s = fresh()
    made = s.cli_json("client", "add", "signer", "token_endpoint_auth_method=client_secret_jwt", "grant_types=client_credentials", "scope=orders.read",
                      "client_secret=-", stdin=SECRET)
    assert "client_secret" not in made
    assert_ok(present(s, assertion(s, "signer", secret_key(), "HS512")))
    s.cli("client", "set", "signer", "keep_previous_secret=true", "client_secret=-", stdin="n" * 64)
    for secret in (SECRET, "n" * 64):
        assert_ok(present(s, assertion(s, "signer", secret_key(secret), "HS256")))
    s.restart()
    for secret in (SECRET, "n" * 64):
        assert_ok(present(s, assertion(s, "signer", secret_key(secret), "HS256")))
    s.cli("client", "set", "signer", "keep_previous_secret=false")
    assert_ic(present(s, assertion(s, "signer", secret_key(), "HS256")))
    assert_ok(present(s, assertion(s, "signer", secret_key("n" * 64), "HS256")))
    # a secret that is too short to sign; a method whose secret is not known any more
    assert s.cli("client", "set", "signer", "client_secret=-", stdin="x" * 31, check=None).returncode != 0
    s.cli("client", "set", "signer", "token_endpoint_auth_method=client_secret_basic")
    assert s.token(("signer", "n" * 64), grant_type="client_credentials").status_code == 200
    assert_ic(present(s, assertion(s, "signer", secret_key("n" * 64), "HS256")))
    assert "once more" in s.cli("client", "set", "signer", "token_endpoint_auth_method=client_secret_jwt", check=None).stderr
    s.cli("client", "set", "signer", "token_endpoint_auth_method=client_secret_jwt", "client_secret=-", stdin="n" * 64)
    assert_ok(present(s, assertion(s, "signer", secret_key("n" * 64), "HS256")))
    s.stop()
    for name in ("mereau.db", "mereau.db-wal"):
        try:
            with open(s.data + "/" + name, "rb") as f:
                assert b"n" * 64 not in f.read()
        except FileNotFoundError:
            pass


def test_a_secret_made_here_signs_with_every_digest(fresh):
    s = fresh()
    fields = ["token_endpoint_auth_method=client_secret_jwt", "grant_types=client_credentials", "scope=orders.read"]
    by_cli = s.cli_json("client", "add", "made", *fields)["client_secret"]
    key = s.cli_json("apikey", "add", "bob", "admin")["key"]
    r = requests.post(s.url + "/v1/admin/clients", json=signs("posted", token_endpoint_auth_method="client_secret_jwt"), timeout=20,
                      headers={"Authorization": "Bearer " + key})
    assert r.status_code == 201, r.text
    for name, secret in (("made", by_cli), ("posted", r.json()["client_secret"]), ("made", None)):
        secret = secret or s.cli_json("client", "secret", "made")["client_secret"]
        assert secret.startswith("merc_") and len(secret) >= 64
        for alg in ("HS256", "HS384", "HS512"):
            assert_ok(present(s, assertion(s, name, secret_key(secret), alg)))
    assert_ic(present(s, assertion(s, "made", secret_key(by_cli), "HS256")))
    # who signs with a key has none
    made = s.cli_json("client", "add", "signer", "token_endpoint_auth_method=private_key_jwt", "grant_types=client_credentials", "scope=orders.read",
                      "jwks=" + json.dumps(public(EC)))
    assert "client_secret" not in made
    assert "without a secret" in s.cli("client", "secret", "signer", check=1).stderr
    assert_ok(present(s, assertion(s)))


# --- keys behind an address ---

def test_rotation_at_the_address(fresh):
    first, second = new_key(), new_key("RS256")
    keys = KeyServer([first])
    try:
        s = fresh(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"clients": [signs("remote", jwks_uri=keys.url)]})
        for _ in range(3):
            assert_ok(present(s, assertion(s, "remote", first)))
        assert keys.asked == 1
        keys.serve(first, second)
        assert_ok(present(s, assertion(s, "remote", second, "RS256")))  # an unknown kid: once more, at once
        assert keys.asked == 2
        for _ in range(5):  # but once a minute
            assert_ic(present(s, assertion(s, "remote", OTHER)))
        assert keys.asked == 2
        assert_ok(present(s, assertion(s, "remote", first)))
    finally:
        keys.close()


def test_keys_serve_while_the_address_is_away(fresh):
    key = new_key()
    keys = KeyServer([key])
    s = fresh(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"clients": [signs("remote", jwks_uri=keys.url)]})
    assert_ok(present(s, assertion(s, "remote", key)))
    keys.close()
    assert_ic(present(s, assertion(s, "remote", OTHER)))  # asks in vain
    assert_ok(present(s, assertion(s, "remote", key)))


def test_an_address_without_keys(fresh):
    key = new_key()
    keys = KeyServer([key])
    try:
        s = fresh(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"clients": [signs("remote", jwks_uri=keys.url)]})
        keys.status = 503
        for _ in range(4):
            assert_ic(present(s, assertion(s, "remote", key)), "client authentication failed")
        assert keys.asked == 1
        assert "no keys from" in s.log_text()
    finally:
        keys.close()


@pytest.mark.parametrize("body", ["", "[]", '{"keys":{}}', "x" * 200000, "private"], ids=["empty", "list", "object", "large", "private"])
def test_a76_sets_that_are_none(fresh, body):
    key = new_key()
    keys = KeyServer([key])
    keys.body = json.dumps({"keys": [key.export(as_dict=True)]}) if body == "private" else body
    try:
        s = fresh(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"clients": [signs("remote", jwks_uri=keys.url)]})
        assert_ic(present(s, assertion(s, "remote", key)), "client authentication failed")
        assert s.machine_token()
    finally:
        keys.close()


def test_one_fetch_for_all_and_nobody_else_waits(fresh):
    key = new_key()
    keys = KeyServer([key])
    keys.wait = 1.0
    try:
        s = fresh(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"clients": [signs("remote", jwks_uri=keys.url)]})
        token = s.machine_token()
        with concurrent.futures.ThreadPoolExecutor(14) as pool:
            waiting = [pool.submit(lambda: present(s, assertion(s, "remote", key), path).status_code) for path in ("/token", "/introspect") for _ in range(6)]
            time.sleep(0.3)
            begin = time.monotonic()
            assert s.active(token) and s.machine_token()  # event threads and workers go on
            assert time.monotonic() - begin < 0.6 * mereau.SLOW
            assert [w.result() for w in waiting] == [200] * 12
        assert keys.asked == 1
    finally:
        keys.close()


def test_a21_private_addresses_are_not_asked(fresh):
    keys = KeyServer([EC])
    try:
        s = fresh()
        r = s.cli("client", "add", "remote", "token_endpoint_auth_method=private_key_jwt", "grant_types=client_credentials", "jwks_uri=" + keys.url, check=None)
        assert r.returncode != 0 and keys.asked == 0
    finally:
        keys.close()
