"""Clients that register themselves: RFC 7591, RFC 7592, OpenID Connect Registration, and the tenant's policy."""
import base64
import concurrent.futures
import hashlib
import hmac
import http.server
import json
import secrets
import threading
import time

import pytest
import requests

import mereau
from mereau import CALLBACK, Pkce, location_params

OPEN = {"registration": "open", "registration_rate": 0, "registration_scope": "openid profile email offline_access orders.read",
        "registration_grant_types": ["authorization_code", "refresh_token", "implicit", "client_credentials"]}


@pytest.fixture(scope="module")
def reg():
    """A tenant that takes everybody's registrations, and may call nobody inside."""
    s = mereau.Mereau(tenant=OPEN)
    s.start()
    yield s
    s.close()


class Documents:
    """Another server on loopback: sector documents by path."""

    def __init__(self):
        self.pages, self.asked = {}, []

        def make(outer):
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    outer.asked.append(self.path)
                    status, headers, body = outer.pages.get(self.path, (404, {}, b"[]"))
                    self.send_response(status)
                    for k, v in headers.items():
                        self.send_header(k, v)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

                def log_message(self, *args):
                    pass
            return Handler
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), make(self))
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.httpd.server_address[1]

    def put(self, path, uris, status=200, **headers):
        self.pages[path] = (status, {k.replace("_", "-"): v for k, v in headers.items()}, json.dumps(uris).encode())
        return self.url + path

    def close(self):
        self.httpd.shutdown()


@pytest.fixture
def documents():
    d = Documents()
    yield d
    d.close()


def bearer(token):
    return {"Authorization": "Bearer " + token} if token else {}


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def register(server, token=None, prefix="", **metadata):
    metadata.setdefault("redirect_uris", [CALLBACK])
    return requests.post(server.url + prefix + "/register", json=metadata, headers=bearer(token), timeout=20 * mereau.SLOW)


def registered(server, token=None, **metadata):
    r = register(server, token, **metadata)
    assert r.status_code == 201, r.text
    return r.json()


def manage(method, client, token=None, **kw):
    return requests.request(method, client["registration_client_uri"], headers=bearer(client["registration_access_token"] if token is None else token),
                            timeout=20 * mereau.SLOW, **kw)


def put(client, token=None, **changes):
    doc = {k: v for k, v in client.items() if k not in ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")}
    return manage("PUT", client, token, json={**doc, **changes})


def refused(r, error="invalid_client_metadata", status=400):
    assert r.status_code == status, (r.status_code, r.text)
    assert r.json()["error"] == error, r.text
    assert r.headers["Content-Type"] == "application/json"
    return r.json()["error_description"]


def key_of(server, username, *permissions):
    return server.cli_json("apikey", "add", username, "registrar", *(["--permissions", " ".join(permissions)] if permissions else []))["key"]


# --- registering ---

def test_defaults_and_answer(reg):
    r = register(reg, client_name="Shop", contacts=["ops@shop.example"], **{"client_name#de": "Laden", "tea": True})
    assert r.status_code == 201, r.text
    c = r.json()
    assert r.headers["Cache-Control"] == "no-store" and r.headers["Pragma"] == "no-cache"
    assert c["token_endpoint_auth_method"] == "client_secret_basic"
    assert c["grant_types"] == ["authorization_code"] and c["response_types"] == ["code"]
    assert c["application_type"] == "web" and c["subject_type"] == "public"
    assert c["id_token_signed_response_alg"] == "RS256"
    assert c["redirect_uris"] == [CALLBACK] and c["client_name"] == "Shop" and c["contacts"] == ["ops@shop.example"]
    assert c["scope"] == OPEN["registration_scope"]
    assert abs(c["client_id_issued_at"] - time.time()) < 60
    assert c["client_secret_expires_at"] - time.time() == pytest.approx(90 * 86400, abs=60)
    assert c["registration_client_uri"] == reg.url + "/register/" + c["client_id"]
    assert c["registration_access_token"].startswith("merg_") and c["client_secret"].startswith("merc_")
    for name in ("tea", "client_name#de", "permissions", "first_party", "require_pkce", "jwks_uri", "default_max_age",
                 "userinfo_signed_response_alg", "managed_by"):
        assert name not in c
    assert reg.get("/.well-known/oauth-authorization-server").json()["registration_endpoint"] == reg.url + "/register"


def test_registered_client_signs_people_in(reg):
    c = registered(reg, grant_types=["authorization_code", "refresh_token"], scope="orders.read offline_access")
    tokens = reg.tokens("ann", (c["client_id"], c["client_secret"]))
    assert reg.refresh(tokens["refresh_token"], (c["client_id"], c["client_secret"])).status_code == 200
    r = reg.browser("bob").authorize(c["client_id"], Pkce())
    assert r.status_code == 200 and "<form" in r.text and "registered itself" in r.text  # always asked
    assert "registered itself" not in reg.browser("bob").authorize("third", Pkce()).text
    public = registered(reg, token_endpoint_auth_method="none", redirect_uris=["http://127.0.0.1/cb"], scope="orders.read")
    assert "client_secret" not in public and "client_secret_expires_at" not in public
    reg.tokens("ann", (public["client_id"], None), redirect_uri="http://127.0.0.1:4711/cb")


def test_A11_pkce_is_left_to_clients_with_a_secret_alone(reg):
    """Conforming OpenID clients with a secret come without PKCE; a public one may not, whatever it asks for."""
    c = registered(reg)
    assert reg.cli_json("client", "show", c["client_id"])["require_pkce"] is False
    public = registered(reg, token_endpoint_auth_method="none", redirect_uris=["http://127.0.0.1/cb"], require_pkce=False)
    assert reg.cli_json("client", "show", public["client_id"])["require_pkce"] is True
    changed = requests.put(c["registration_client_uri"], headers={"Authorization": "Bearer " + c["registration_access_token"]}, timeout=20,
                           json={"client_id": c["client_id"], "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none"})
    assert changed.status_code == 200, changed.text
    assert reg.cli_json("client", "show", c["client_id"])["require_pkce"] is True


def test_only_what_the_specifications_name_is_taken(reg):
    c = registered(reg, first_party=True, permissions=["admin"], require_pkce=False, resources=["https://orders.example"], client_id="mine",
                   client_secret="chosen-by-me", access_token_life=1, attributes={"plan": "gold"}, managed_by="file", disabled=True, version=7)
    assert c["client_id"] != "mine" and c["client_secret"] != "chosen-by-me"
    o = reg.cli_json("client", "show", c["client_id"])
    assert o["first_party"] is False and not o["permissions"] and not o["resources"]
    assert o["access_token_life"] == -1 and "attributes" not in o and o["disabled"] is False
    assert o["managed_by"] == "registration"


@pytest.mark.parametrize("metadata", [
    {"id_token_signed_response_alg": "none"}, {"id_token_signed_response_alg": "HS256"}, {"userinfo_signed_response_alg": "HS256"},
    {"request_object_signing_alg": "none"}, {"request_object_encryption_alg": "RSA-OAEP"}, {"request_object_encryption_enc": "A256GCM"},
    {"id_token_encrypted_response_alg": "RSA1_5"}, {"id_token_encrypted_response_alg": "RSA-OAEP"}, {"id_token_encrypted_response_enc": "A128GCM"},
    {"token_endpoint_auth_method": "tls_client_auth"}, {"token_endpoint_auth_method": "private_key_jwt"}, {"grant_types": ["password"]},
    {"grant_types": ["refresh_token"]}, {"response_types": ["token"]}, {"response_types": ["code id_token"]}, {"subject_type": "secret"},
    {"application_type": "robot"}, {"scope": "openid orders.write"}, {"scope": "openid admin"}, {"client_name": 7}, {"client_name": "a\u0007b"},
    {"contacts": "ops@shop.example"}, {"default_max_age": -5}, {"default_max_age": "ten"}, {"require_auth_time": "yes"},
    {"jwks": {"keys": []}, "jwks_uri": "https://keys.example/jwks"}, {"jwks": []}, {"tos_uri": "javascript:alert(1)"},
    {"dpop_bound_access_tokens": True}, {"post_logout_redirect_uris": ["https://app.example/#x"]},
    {"frontchannel_logout_uri": "https://elsewhere.example/out"}, {"initiate_login_uri": "http://app.example/login"},
    {"subject_type": "pairwise", "redirect_uris": [CALLBACK, "https://other.example/cb"]},
    {"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]},
])
def test_bad_metadata(reg, metadata):
    refused(register(reg, **metadata))


def test_bodies_that_are_none(reg):
    send = lambda data, **h: requests.post(reg.url + "/register", data=data, headers={"Content-Type": "application/json", **h}, timeout=20)  # noqa: E731
    for body in ("", "[]", "7", "{", '{"redirect_uris":["https://a.example/"],"redirect_uris":[]}', "null"):
        refused(send(body))
    assert send("{}", **{"Content-Type": "application/x-www-form-urlencoded"}).status_code == 415
    refused(send("{}"), "invalid_redirect_uri")
    refused(send('{"redirect_uris":"https://a.example/"}'), "invalid_redirect_uri")
    assert send('{"redirect_uris":["https://a.example/%s"]}' % ("x" * 70000)).status_code == 413
    refused(register(reg, software_statement="a.b.c"), "unapproved_software_statement")
    assert registered(reg, dpop_bound_access_tokens=False, client_uri=None)


@pytest.mark.parametrize("uri", ["https://app.example/*", "https://*.example/cb", "javascript:alert(1)", "data:text/html,x", "http://app.example/cb",
                                 "https://app.example/cb#f", "/cb", "https://app.example/../cb", "https://user@app.example/cb", "vbscript:x",
                                 "https://app.example/(a|b)\\d", "", "https://", "file:///etc/passwd", "com.example.app:/cb", "about:blank"])
def test_A04_redirect_uris(reg, uri):
    refused(register(reg, redirect_uris=[uri]), "invalid_redirect_uri")
    refused(register(reg, redirect_uris=[CALLBACK, uri]), "invalid_redirect_uri")


def test_A04_web_clients_with_fragments_need_tls(reg):
    implicit = {"grant_types": ["implicit"], "response_types": ["id_token"]}
    assert registered(reg, **implicit)["response_types"] == ["id_token"]
    for uri in ("http://localhost/cb", "http://127.0.0.1/cb", "https://localhost/cb"):
        refused(register(reg, redirect_uris=[uri], **implicit), "invalid_redirect_uri")
    assert registered(reg, redirect_uris=["http://127.0.0.1/cb"], application_type="native", **implicit)
    assert registered(reg, redirect_uris=["com.example.app:/cb"], application_type="native", token_endpoint_auth_method="none")


PRIVATE = ["https://[::1]/x", "https://2130706433/x", "https://[::ffff:10.0.0.1]/x", "https://[64:ff9b::10.0.0.1]/x", "https://169.254.169.254/x",
           "https://0x7f.1/x", "https://127.1/x", "https://localhost/x", "https://10.0.0.1/x", "https://0/x", "http://93.184.216.34/x",
           "ftp://app.example/x", "https://u:p@app.example/x", "https://metadata.localhost/x"]


@pytest.mark.parametrize("member", ["jwks_uri", "sector_identifier_uri", "backchannel_logout_uri", "logo_uri", "client_uri", "policy_uri", "tos_uri"])
def test_A21_addresses_inside(reg, member):
    texts = {refused(register(reg, **{member: url})) for url in PRIVATE}
    assert len(texts) <= 2  # no telling which of them is what
    c = registered(reg)
    refused(put(c, **{member: PRIVATE[0]}))
    assert member not in manage("GET", c).json()


def test_A22_no_oracle(reg):
    texts = {refused(register(reg, sector_identifier_uri=url)) for url in
             ("https://nobody.invalid/x", "https://no-such-host.invalid:1/y")}
    assert len(texts) == 1
    text = texts.pop()
    assert not any(w in text for w in ("resolve", "connect", "refused", "timeout", "invalid", "10.0"))


def test_A76_keys_of_clients(reg):
    rsa = lambda bits, e: {"kty": "RSA", "n": b64(bytes([0xc5]) + bytes(range(1, bits // 8 - 1)[:254]) + b"\x01"), "e": e, "kid": "r"}  # noqa: E731
    ec = {"kty": "EC", "crv": "P-256", "x": "WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis", "y": "y77t-RvAHRKTsSGdIYUfweuOvwrvDD-Q3Hv5J0fSKbE", "kid": "e"}
    both = {"token_endpoint_auth_method": "private_key_jwt"}
    assert "client_secret" not in registered(reg, jwks={"keys": [ec]}, **both)
    assert registered(reg, jwks={"keys": [rsa(2048, "AQAB")]}, **both)
    for bad in (rsa(1024, "AQAB"), rsa(2048, "AQ"), {**ec, "alg": "ES384"}, {**ec, "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}, {**ec, "x": ec["y"]},
                {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "o"}):
        refused(register(reg, jwks={"keys": [bad]}, **both))
    refused(register(reg, jwks={"keys": [{"kty": "EC"}] * 500}, **both))


def test_A23_sector_identifier(fresh, documents):
    s = fresh(tenant=OPEN, server={"net": {"allow": ["127.0.0.1"]}})
    second = "https://other.example/cb"
    url = documents.put("/sector", [CALLBACK, second])
    pairwise = {"subject_type": "pairwise", "redirect_uris": [CALLBACK, second]}
    c = registered(s, sector_identifier_uri=url, **pairwise)
    assert c["sector_identifier_uri"] == url and documents.asked == ["/sector"]
    refused(register(s, sector_identifier_uri=documents.put("/lacks", [CALLBACK]), **pairwise))
    for page in ({"uris": [CALLBACK, second]}, "x", [[CALLBACK, second]], None):
        refused(register(s, sector_identifier_uri=documents.put("/odd", page), **pairwise))
    refused(register(s, sector_identifier_uri=documents.put("/moved", [], 302, Location=url), **pairwise))
    refused(register(s, sector_identifier_uri=documents.put("/gone", [CALLBACK, second], 404), **pairwise))
    refused(register(s, sector_identifier_uri=documents.put("/large", [CALLBACK, second, "x" * 300000]), **pairwise))
    # nothing new: not asked again; a redirect URI more: it is
    documents.asked.clear()
    r = put(c, client_name="Other")
    assert r.status_code == 200 and documents.asked == []
    c = r.json()
    refused(put(c, redirect_uris=[CALLBACK, second, "https://third.example/cb"]))
    assert documents.asked == ["/sector"]
    # and on the other ways of writing a client
    bob = key_of(s, "bob", "client.write")
    doc = {"client_id": "adm", "client_secret": "s" * 32, "redirect_uris": [CALLBACK], "sector_identifier_uri": documents.put("/empty", [])}
    r = requests.post(s.url + "/v1/admin/clients", json=doc, headers=bearer(bob), timeout=20)
    assert r.status_code == 400 and r.json()["parameter"] == "sector_identifier_uri"
    doc["sector_identifier_uri"] = url
    assert requests.post(s.url + "/v1/admin/clients", json=doc, headers=bearer(bob), timeout=20).status_code == 201
    r = requests.patch(s.url + "/v1/admin/clients/adm", json={"redirect_uris": ["https://evil.example/cb"]}, headers=bearer(bob), timeout=20)
    assert r.status_code == 400, r.text


def test_A08_no_open_redirect_for_strangers(reg):
    """Whoever registers himself must not use this server's name to lead people away before they have signed in."""
    c = registered(reg, redirect_uris=["https://phish.example/cb"], scope="orders.read")
    away = {"redirect_uri": "https://phish.example/cb"}
    nobody = reg.browser()
    for params in ({"scope": "admin"}, {"scope": "orders.write"}, {"prompt": "none"}, {"response_type": "token"}, {"prompt": "dance"},
                   {"resource": "https://nowhere.example"}, {"code_challenge": "short", "code_challenge_method": "S256"}):
        r = nobody.authorize(c["client_id"], None if "code_challenge" in params else Pkce(), **{**away, **params})
        assert "phish.example" not in r.headers.get("Location", ""), params
        assert r.status_code == 400 or "/signin" in r.headers["Location"], (params, r.status_code)
    r = nobody.authorize(c["client_id"], Pkce(), **away)  # nothing wrong: sign in first
    assert r.status_code == 303 and "/signin" in r.headers["Location"]
    # an administrator's own client is answered at once, and so is anybody who has signed in
    assert location_params(nobody.authorize("web", Pkce(), prompt="none"))["error"] == "login_required"
    ann = reg.browser("ann")
    assert location_params(ann.authorize(c["client_id"], Pkce(), **{**away, "scope": "admin"}))["error"] == "invalid_scope"
    assert location_params(ann.authorize(c["client_id"], Pkce(), prompt="none", **away))["error"] == "consent_required"


# --- managing ---

def test_read_replace_remove(reg):
    c = registered(reg, client_name="One", scope="orders.read", contacts=["a@b.example"])
    got = manage("GET", c)
    assert got.status_code == 200
    assert {k: v for k, v in c.items() if k != "client_secret"} == got.json()
    r = put(c, client_name="Two", contacts=None, redirect_uris=[CALLBACK, "https://app.example/two"])
    assert r.status_code == 200, r.text
    new = r.json()
    assert new["client_name"] == "Two" and len(new["redirect_uris"]) == 2 and "contacts" not in new and "client_secret" not in new
    assert new["registration_access_token"] != c["registration_access_token"] and new["client_id"] == c["client_id"]
    refused(manage("GET", c), "invalid_token", 401)  # the old one is over
    assert manage("GET", new).status_code == 200
    # what is left out goes back to its default
    r = manage("PUT", new, json={"client_id": c["client_id"], "redirect_uris": [CALLBACK], "grant_types": ["client_credentials"], "scope": "orders.read"})
    assert r.status_code == 200 and "client_name" not in r.json(), r.text
    last = r.json()
    token = reg.machine_token((c["client_id"], c["client_secret"]))  # the secret has stayed
    assert reg.active(token)
    # nothing new: still a new token
    r = put(last)
    assert r.status_code == 200 and r.json()["registration_access_token"] != last["registration_access_token"]
    refused(manage("GET", last), "invalid_token", 401)
    r = manage("DELETE", r.json())
    assert r.status_code == 204 and r.content == b""
    assert not reg.active(token)
    for method in ("GET", "DELETE"):
        refused(manage(method, last), "invalid_token", 401)
    assert reg.token((c["client_id"], c["client_secret"]), grant_type="client_credentials").status_code == 401
    events = {(e["event"], e["actor"]) for e in reg.cli_json("audit", "list", "--object", "client:" + c["client_id"])}
    me = "client:" + c["client_id"]
    assert {("object.created", me), ("object.changed", me), ("object.removed", me)} <= events


def test_put_is_about_oneself(reg):
    c, other = registered(reg), registered(reg)
    refused(put(c, client_id=other["client_id"]))
    refused(put(c, client_id=None))
    refused(put(c, client_secret="a secret of my own choosing"))
    refused(put(c, client_secret=other["client_secret"]))
    refused(put(c, redirect_uris=["javascript:x"]), "invalid_redirect_uri")
    refused(put(c, id_token_signed_response_alg="none"))
    assert manage("GET", c).status_code == 200  # what is refused changes nothing, the token neither
    assert put(c).status_code == 200  # with its own secret in the document


def test_wrong_tokens(reg):
    c, other = registered(reg), registered(reg)
    ann = key_of(reg, "bob")
    for token in (other["registration_access_token"], c["registration_access_token"][:-1] + "0", "merg_" + "0" * 49, "x", ann,
                  c["client_secret"], reg.machine_token()):
        for method in ("GET", "DELETE"):
            r = manage(method, c, token)
            refused(r, "invalid_token", 401)
            assert r.headers["WWW-Authenticate"].startswith("Bearer ")
        refused(put(c, token), "invalid_token", 401)
    r = requests.get(c["registration_client_uri"], timeout=10)
    assert r.status_code == 401 and r.headers["WWW-Authenticate"].startswith("Bearer ")
    for name in ("web", "nobody"):  # not registered here, or not at all: the same answer
        refused(requests.get(reg.url + "/register/" + name, headers=bearer(c["registration_access_token"]), timeout=10), "invalid_token", 401)
    # it opens nothing else
    assert not reg.active(c["registration_access_token"])
    assert requests.get(reg.url + "/v1/admin/clients", headers=bearer(c["registration_access_token"]), timeout=10).status_code == 401
    assert manage("GET", c).status_code == 200


def test_dies_with_the_client_and_when_released(reg):
    a, b, c = registered(reg), registered(reg), registered(reg)
    reg.cli("client", "disable", a["client_id"])
    refused(manage("GET", a), "invalid_token", 401)
    reg.cli("client", "enable", a["client_id"])
    refused(manage("GET", a), "invalid_token", 401)
    reg.cli("client", "remove", b["client_id"])
    bob = key_of(reg, "bob")
    refused(manage("GET", b), "invalid_token", 401)
    r = requests.patch(reg.url + "/v1/admin/clients/" + c["client_id"], json={"managed_by": "api", "first_party": True}, headers=bearer(bob), timeout=10)
    assert r.status_code == 200 and r.json()["managed_by"] == "api"
    refused(manage("GET", c), "invalid_token", 401)


def test_what_an_administrator_adds_stays(reg):
    c = registered(reg, scope="orders.read")
    bob = bearer(key_of(reg, "bob"))
    url = reg.url + "/v1/admin/clients/" + c["client_id"]
    shown = requests.get(url, headers=bob, timeout=10).json()
    assert shown["require_pkce"] is False
    shown.update(access_token_life=120, require_pkce=True)
    assert requests.put(url, json=shown, headers=bob, timeout=10).status_code == 200  # what was read can be written
    r = put(c, client_name="New")
    assert r.status_code == 200, r.text
    now = requests.get(url, headers=bob, timeout=10).json()
    assert now["access_token_life"] == 120 and now["require_pkce"] is True
    # with permissions given, it is not the client's own to change any more
    assert requests.patch(url, json={"permissions": ["token.introspect"]}, headers=bob, timeout=10).status_code == 200
    refused(put(r.json(), client_name="Newer"), "forbidden", 403)
    refused(manage("DELETE", r.json()), "forbidden", 403)
    ours = registered(reg, scope="orders.read")
    url = reg.url + "/v1/admin/clients/" + ours["client_id"]
    assert requests.patch(url, json={"first_party": True}, headers=bob, timeout=10).status_code == 200
    refused(put(ours, redirect_uris=["https://evil.example/cb"]), "forbidden", 403)


def test_racing_replacements(reg):
    c = registered(reg)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: put(c, client_name="n%d" % i).status_code, range(16)))
    assert got.count(200) == 1 and set(got) <= {200, 401}, got


def assertion(client, secret, server):
    part = lambda o: b64(json.dumps(o).encode())  # noqa: E731
    now = int(time.time())
    text = part({"alg": "HS256", "typ": "JWT"}) + "." + part({"iss": client, "sub": client, "aud": server.url, "iat": now, "exp": now + 60,
                                                              "jti": secrets.token_hex(8)})
    signed = text + "." + b64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())
    return server.token(None, grant_type="client_credentials", client_assertion=signed,
                        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer")


def test_a_secret_for_the_method(reg):
    """Whoever changes to a method that needs a secret of its own kind gets one."""
    base = {"grant_types": ["client_credentials"], "redirect_uris": [], "scope": "orders.read"}
    c = registered(reg, token_endpoint_auth_method="client_secret_jwt", **base)
    assert assertion(c["client_id"], c["client_secret"], reg).status_code == 200
    assert put(c, client_name="same secret").json().get("client_secret") is None
    assert assertion(c["client_id"], c["client_secret"], reg).status_code == 200
    c = registered(reg, **base)
    r = put(c, token_endpoint_auth_method="client_secret_jwt")
    assert r.status_code == 200, r.text
    new = r.json()
    assert new["client_secret"] != c["client_secret"]
    assert assertion(c["client_id"], new["client_secret"], reg).status_code == 200
    assert assertion(c["client_id"], c["client_secret"], reg).status_code == 401
    r = put(new, token_endpoint_auth_method="client_secret_post")
    assert r.status_code == 200 and "client_secret" not in r.json()
    assert reg.token(None, grant_type="client_credentials", client_id=c["client_id"], client_secret=new["client_secret"]).status_code == 200


# --- policy ---

def test_A88_policy_on_the_new_state(fresh):
    s = fresh(tenant={**OPEN, "registration_grant_types": ["authorization_code"], "registration_scope": "openid", "registration_hosts": ["app.example"]})
    public = registered(s, token_endpoint_auth_method="none")
    for change in ({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_basic"}, {"scope": "openid orders.write"},
                   {"grant_types": ["authorization_code", "refresh_token"]}, {"post_logout_redirect_uris": ["https://evil.example/"]}):
        refused(put(public, **change))
        refused(register(s, **change))
    refused(put(public, redirect_uris=["https://evil.example/cb"]), "invalid_redirect_uri")
    refused(put(public, redirect_uris=["https://app.example.evil.example/cb"]), "invalid_redirect_uri")
    refused(put(public, token_endpoint_auth_method="none", redirect_uris=["com.example.app:/cb"]), "invalid_redirect_uri")
    r = put(public, token_endpoint_auth_method="client_secret_post")
    assert r.status_code == 200 and r.json()["client_secret"].startswith("merc_")
    secret = r.json()["client_secret"]
    r = put(r.json(), token_endpoint_auth_method="none", client_secret=None)
    assert r.status_code == 200 and "client_secret" not in r.json()
    r = put(r.json(), token_endpoint_auth_method="client_secret_post")
    assert r.status_code == 200 and r.json()["client_secret"] != secret
    # a narrower policy binds the next change of those that are there
    last = r.json()
    s.config["tenants"]["default"]["registration"] = "off"
    s.write_config(s.config)
    s.restart()
    assert manage("GET", last).status_code == 200
    refused(put(last, client_name="x"), "forbidden", 403)
    refused(register(s), "not_found", 404)
    assert manage("DELETE", last).status_code == 204


def test_closed_tenant(server, reg):
    refused(register(server), "not_found", 404)
    assert "registration_endpoint" not in server.get("/.well-known/oauth-authorization-server").json()


def test_initial_access_tokens(fresh):
    s = fresh(tenant={"registration": "token", "registration_quota": 2, "roles": {"registrar": {"permissions": ["client.register"]}},
                      "users": [{"username": "reg", "password": mereau.PASSWORD, "roles": ["registrar"]},
                                {"username": "reg2", "password": mereau.PASSWORD, "roles": ["registrar"]}]})
    r = register(s)
    assert r.status_code == 401 and r.headers["WWW-Authenticate"].startswith("Bearer ")
    refused(register(s, "nonsense"), "invalid_token", 401)
    r = register(s, key_of(s, "ann"))
    refused(r, "insufficient_scope", 403)
    assert 'scope="client.register"' in r.headers["WWW-Authenticate"]
    token = key_of(s, "reg", "client.register")
    assert requests.get(s.url + "/v1/admin/clients", headers=bearer(token), timeout=10).status_code == 403  # it registers, and nothing else
    c = registered(s, token, scope="openid")
    refused(register(s, token, scope="client.register"))
    events = s.cli_json("audit", "list", "--object", "client:" + c["client_id"])
    assert [e["actor"] for e in events if e["event"] == "object.created"] == ["person:reg"]
    # the quota is the holder's, whatever key of his is used
    second = registered(s, key_of(s, "reg"))
    refused(register(s, token), "forbidden", 403)
    assert registered(s, key_of(s, "reg2"))
    assert manage("DELETE", second).status_code == 204
    assert registered(s, token)
    s.cli("role", "add", "deployers", "permissions=client.register")
    s.cli("service-account", "add", "deploy", "roles=deployers")
    assert registered(s, s.cli_json("apikey", "add", "deploy", "registration", "--permissions", "client.register")["key"])
    assert registered(s, key_of(s, "bob", "client.write"))  # who may write clients may register them
    assert put(c, client_name="Own").status_code == 200  # its own token is enough from then on


def test_quota_of_strangers_and_races(fresh):
    s = fresh(tenant={**OPEN, "registration_quota": 3})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: register(s), range(12)))
    assert sorted({r.status_code for r in got}) == [201, 403]
    assert [r.status_code for r in got].count(201) == 3
    assert put(next(r.json() for r in got if r.status_code == 201), client_name="still mine").status_code == 200


def test_rate_of_strangers(fresh):
    s = fresh(tenant={**OPEN, "registration_rate": 3})
    c = [registered(s) for _ in range(2)][0]
    refused(register(s, redirect_uris=["javascript:x"]), "invalid_redirect_uri")
    r = register(s)
    assert r.status_code == 429 and 0 < int(r.headers["Retry-After"]) <= 3600
    assert put(c, client_name="x").status_code == 429
    assert manage("GET", c).status_code == 200
    assert register(s, key_of(s, "bob")).status_code == 201


def test_life(fresh):
    s = fresh(tenant={**OPEN, "registration_life": 6})
    c = registered(s, grant_types=["client_credentials"], redirect_uris=[], scope="orders.read")
    assert 0 < c["client_secret_expires_at"] - time.time() <= 7
    token = s.machine_token((c["client_id"], c["client_secret"]))
    end = time.monotonic() + 60 * mereau.SLOW
    renewed = registered(s)
    while s.cli("client", "show", c["client_id"], check=None).returncode == 0:
        assert time.monotonic() < end
        r = put(renewed)
        assert r.status_code == 200, r.text
        assert r.json()["client_secret_expires_at"] >= renewed["client_secret_expires_at"]
        renewed = r.json()
        time.sleep(1)
    assert not s.active(token)
    assert s.token((c["client_id"], c["client_secret"]), grant_type="client_credentials").status_code == 401
    refused(manage("GET", c), "invalid_token", 401)
    assert manage("GET", renewed).status_code == 200
    events = s.cli_json("audit", "list", "--object", "client:" + c["client_id"])
    assert ("object.removed", "system") in {(e["event"], e["actor"]) for e in events}


def test_use_keeps_alive(fresh):
    s = fresh(tenant={**OPEN, "registration_life": "1h"})
    c = registered(s, grant_types=["client_credentials"], redirect_uris=[], scope="orders.read")
    time.sleep(2)
    s.machine_token((c["client_id"], c["client_secret"]))
    s.restart()  # what is noted in memory is written down at the end
    assert manage("GET", c).json()["client_secret_expires_at"] > c["client_secret_expires_at"]


def test_no_life(fresh):
    s = fresh(tenant={**OPEN, "registration_life": 0})
    assert registered(s)["client_secret_expires_at"] == 0


def test_tenants_are_apart(fresh):
    s = fresh(tenant=OPEN, tenants={"acme": {"registration": "open"}, "shut": {}})
    c = registered(s)
    refused(register(s, prefix="/t/shut"), "not_found", 404)
    r = register(s, prefix="/t/acme")
    assert r.status_code == 201 and r.json()["registration_client_uri"] == s.url + "/t/acme/register/" + r.json()["client_id"]
    refused(requests.get(s.url + "/t/acme/register/" + c["client_id"], headers=bearer(c["registration_access_token"]), timeout=10), "invalid_token", 401)
    assert manage("GET", r.json()).status_code == 200


def test_browsers_of_other_origins(reg):
    origin = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    for path in ("/register", "/register/x"):
        r = requests.options(reg.url + path, headers=origin, timeout=10)
        assert r.status_code == 204 and r.headers["Access-Control-Allow-Origin"] == "*" and "PUT" in r.headers["Access-Control-Allow-Methods"]
    assert register(reg).headers["Access-Control-Allow-Origin"] == "*"


def test_policy_is_a_tenants_field(fresh):
    s = fresh()
    s.cli("tenant", "add", "acme", "registration=token", "registration_quota=5", "registration_life=30d", "registration_scope=openid email")
    t = s.cli_json("tenant", "show", "acme")
    assert (t["registration"], t["registration_quota"], t["registration_life"], t["registration_scope"]) == ("token", 5, 30 * 86400, "openid email")
    s.cli("tenant", "set", "acme", "registration=open")
    assert register(s, prefix="/t/acme", redirect_uris=["https://acme.example/cb"]).status_code == 201
    bad = s.cli("tenant", "set", "acme", "registration=maybe", check=None)
    assert bad.returncode != 0 and "off" in bad.stderr
    exported = s.cli("config", "export").stdout
    assert "registration: open" in exported and "https://acme.example" not in exported
