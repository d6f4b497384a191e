"""Abuse cases of the authorization endpoint (A01-A17, A24, A25), each by its id."""
import urllib.parse

import pytest
import requests

import mereau
from mereau import CALLBACK, WEB, Browser, Pkce, location_params


def assert_error_page(r):
    """Rule E: an error page on our origin, 400, no Location."""
    assert r.status_code == 400, (r.status_code, r.text[:300])
    assert "Location" not in r.headers
    assert r.headers["Content-Type"].startswith("text/html")


@pytest.fixture(scope="module")
def ann(server):
    return server.browser("ann")


@pytest.mark.parametrize("uri", [
    pytest.param("https://app.example/CALLBACK", id="a01-case"),
    pytest.param("https://APP.example/callback", id="a01-host-case"),
    pytest.param("https://good@evil/", id="a03-userinfo"),
    pytest.param("//evil", id="a03-scheme-relative"),
    pytest.param("\\evil", id="a03-backslash"),
    pytest.param("https://app.example/cb/../callback", id="a03-dots"),
    pytest.param("https://app.example/%2e%2e/callback", id="a03-encoded-dots"),
    pytest.param(CALLBACK + "#frag", id="a03-fragment"),
    pytest.param("https://аpp.example/callback", id="a03-look-alike"),
    pytest.param(CALLBACK + "\r\nX: y", id="a03-crlf"),
    pytest.param(CALLBACK + "/", id="a03-slash"),
    pytest.param(CALLBACK + "?x=1", id="a03-query"),
    pytest.param("http://app.example/callback", id="a03-scheme"),
    pytest.param("https://app.example:443/callback", id="a03-port"),
    pytest.param("javascript:alert(1)", id="a03-javascript"),
])
def test_redirect_uri(ann, uri):
    assert_error_page(ann.authorize("web", Pkce(), redirect_uri=uri))


def test_a03_nul(server, ann):
    r = ann.get("/authorize?client_id=web&response_type=code&redirect_uri=" + urllib.parse.quote(CALLBACK, safe="") + "%00")
    assert_error_page(r)


def test_a02_loopback_port_only(ann):
    ok = ann.authorize("spa", Pkce(), redirect_uri="http://127.0.0.1:5555/cb")
    assert ok.status_code == 303 and ok.headers["Location"].startswith("http://127.0.0.1:5555/cb?")
    for uri in ("http://127.0.0.1:5555/cb?bar=foo", "http://localhost:5555/cb", "http://127.0.0.1:5555/cbx", "https://127.0.0.1:5555/cb",
                "http://127.0.0.1:99999/cb", "http://127.0.0.1:5555@evil/cb"):
        assert_error_page(ann.authorize("spa", Pkce(), redirect_uri=uri))


@pytest.mark.parametrize("uri", ["https://*.example/cb", "https://app.example/.*", "javascript:alert(1)", "data:text/html,x", "https://a.example/cb#f",
                                 "http://app.example/cb", "https://app.example/\r\nX: y", "/cb", "https://user@app.example/cb"])
def test_a04_registration(server, uri):
    r = server.cli("client", "add", "bad", "redirect_uris=" + uri, "grant_types=authorization_code", check=None)
    assert r.returncode in (1, 2) and "redirect_uri" in r.stderr, r.stderr


def test_a05_redirect_absent(ann):
    assert_error_page(ann.authorize("third", Pkce(), redirect_uri=None))  # two are registered
    assert ann.authorize("web", Pkce(), redirect_uri=None).status_code == 303  # only one


def test_a06_parameter_twice(server, ann):
    pkce = Pkce()
    base = urllib.parse.urlencode({"response_type": "code", "client_id": "web", "redirect_uri": CALLBACK, "scope": "orders.read",
                                   "code_challenge": pkce.challenge, "code_challenge_method": "S256"})
    for extra in ("client_id=web", "redirect_uri=" + urllib.parse.quote(CALLBACK), "client_id=third"):
        assert_error_page(ann.get("/authorize?" + base + "&" + extra))
    for extra in ("scope=orders.read", "state=a&state=b", "response_type=code"):
        r = ann.get("/authorize?" + base + "&" + extra)
        assert r.status_code == 400 or location_params(r)["error"] == "invalid_request"
    r = server.post("/token", "grant_type=client_credentials&grant_type=client_credentials", mereau.MACHINE,
                    headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert r.status_code == 400 and r.json()["error"] == "invalid_request"
    r = server.post("/token?grant_type=client_credentials", {"grant_type": "client_credentials"}, mereau.MACHINE)
    assert r.status_code == 400 and r.json()["error"] == "invalid_request"


def test_a07_unknown_client(ann):
    assert_error_page(ann.authorize("nobody", Pkce(), redirect_uri="https://evil.example/"))
    assert_error_page(ann.authorize(None, Pkce()))


def test_a08_untrusted_client_with_bad_scope_not_signed_in(server):
    """A self-registered client does not exist yet; any client's error goes to its registered address only."""
    r = Browser(server).authorize("third", Pkce(), scope="admin")
    assert r.status_code in (303, 400)
    if "Location" in r.headers:
        assert r.headers["Location"].startswith((CALLBACK, "/signin"))


def test_a10_frames(server, ann):
    for r in (server.get("/signin"), ann.authorize("third", Pkce()), ann.get("/account")):
        assert r.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in r.headers["Content-Security-Policy"]


def test_a11_public_without_challenge(ann):
    r = ann.authorize("spa", redirect_uri="http://127.0.0.1:1/cb")
    assert location_params(r)["error"] == "invalid_request"


@pytest.mark.parametrize("params", [
    {"code_challenge_method": "plain"}, {"code_challenge": "short"}, {"code_challenge": "a" * 44}, {"code_challenge": "a" * 42 + "="},
    {"code_challenge": "a" * 42 + "!"}, {"code_challenge_method": None}, {"code_challenge": None}])
def test_a12_challenge(ann, params):
    r = ann.authorize("web", Pkce(), **params)
    assert location_params(r)["error"] == "invalid_request", r.headers["Location"]


@pytest.mark.parametrize("length", [42, 129])
def test_a12_verifier_length(server, ann, length):
    pkce = Pkce("v" * length)
    code = ann.code("web", pkce)
    r = server.token(WEB, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=pkce.verifier)
    assert r.status_code == 400 and r.json()["error"] in ("invalid_request", "invalid_grant")


@pytest.mark.parametrize("response_type", ["token", "id_token", "code token", "code id_token", "none", ""])
def test_a13_no_token_in_the_fragment(ann, response_type):
    r = ann.authorize("web", Pkce(), response_type=response_type)
    assert "#" not in r.headers.get("Location", "")
    assert location_params(r)["error"] in ("unauthorized_client", "unsupported_response_type", "invalid_request")


def test_a14_iss_on_every_response(server, ann):
    for params in ({}, {"scope": "nonsense"}, {"response_type": "token"}, {"code_challenge_method": "plain"}, {"prompt": "none"}):
        r = ann.authorize("web", Pkce(), **params)
        assert location_params(r)["iss"] == server.url, params
    r = Browser(server).authorize("web", Pkce(), prompt="none")
    p = location_params(r)
    assert p["error"] == "login_required" and p["iss"] == server.url and p["state"] == "s1"


def test_a16_login_transaction_is_bound_to_the_browser(server):
    """An attacker's own sign-in page, sent by the victim's browser, is refused; a new session id after sign-in."""
    attacker, victim = Browser(server), Browser(server)
    page = attacker.get("/signin?continue=authorize%3Fclient_id%3Dweb")
    hidden, action = mereau.form_fields(attacker.get("/signin").text)
    assert page.status_code in (200, 400)
    victim.get("/signin")
    r = victim.http.post(server.url + action, data={**hidden, "username": "ann", "password": mereau.PASSWORD}, allow_redirects=False, timeout=20)
    assert r.status_code in (400, 403)
    b = server.browser("ann")
    first = b.http.cookies["mereau"]
    b.sign_in("ann")
    assert b.http.cookies["mereau"] != first


def test_a17_prompt_none_on_loopback_public_client(server, ann):
    r = ann.authorize("spa", Pkce(), redirect_uri="http://127.0.0.1:7/cb", prompt="none")
    assert location_params(r)["error"] == "interaction_required"


def test_prompt_none_without_consent(server):
    b = server.browser("bob")
    assert location_params(b.authorize("third", Pkce(), prompt="none", scope="offline_access"))["error"] == "consent_required"


def test_prompt_login_asks_again_once(server):
    b = server.browser("ann")
    r = b.authorize("web", Pkce(), prompt="login")
    assert r.status_code == 303 and "/signin?continue=" in r.headers["Location"]
    r = b.submit(b.get(r.headers["Location"]), username="ann", password=mereau.PASSWORD)
    assert r.status_code == 303
    r = b.get(r.headers["Location"])
    assert r.status_code == 303 and "code" in location_params(r), r.headers["Location"]


def test_max_age(server):
    b = server.browser("ann")
    assert "code" in location_params(b.authorize("web", Pkce(), max_age="1000"))
    assert "/signin?continue=" in b.authorize("web", Pkce(), max_age="0").headers["Location"]


def test_a24_sizes(server, ann):
    for params in ({"scope": "a " * 2000}, {"scope": " ".join("s%d" % i for i in range(1000))}, {"state": "s" * 5000}, {"ui_locales": "x " * 3000}):
        r = ann.authorize("web", Pkce(), **params)
        assert r.status_code in (400, 414, 431) or "error" in location_params(r), r.status_code
    r = requests.get(server.url + "/authorize?state=" + "s" * 1000000, timeout=20)
    assert r.status_code in (400, 413, 414, 431)
    body = "grant_type=client_credentials&scope=" + "+".join("s%d" % i for i in range(100000))
    r = server.post("/token", body, mereau.MACHINE, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert r.status_code in (400, 413)
    assert server.machine_token()


def test_a25_tenants_apart(fresh):
    s = fresh(tenants={"acme": {"clients": [dict(c, client_id="acme-" + c["client_id"]) for c in mereau.TENANT["clients"]],
                                "users": mereau.TENANT["users"], "roles": mereau.TENANT["roles"],
                                "resources": [dict(mereau.TENANT["resources"][0], introspect_clients=["acme-api"])]}})
    b = s.browser("ann")
    assert_error_page(b.authorize("acme-web", Pkce()))
    b2 = Browser(s, "/t/acme")
    assert_error_page(b2.authorize("web", Pkce()))
    assert b2.sign_in("ann").status_code == 303
    assert b.get("/t/acme/account").status_code == 303  # the default tenant's session is none there
    t = b2.tokens(("acme-web", WEB[1]))
    assert s.post("/t/acme/introspect", {"token": t["access_token"]}, ("acme-api", mereau.API[1])).json()["active"]
    assert not s.active(t["access_token"])
    own = s.machine_token()
    assert not s.post("/t/acme/introspect", {"token": own}, ("acme-api", mereau.API[1])).json()["active"]
    assert s.token(("acme-machine", mereau.MACHINE[1]), grant_type="client_credentials").status_code == 401


def test_A19_request_objects_by_reference_and_malformed_ones(ann):
    assert location_params(ann.authorize("web", Pkce(), request="x.y.z"))["error"] == "invalid_request_object"
    assert location_params(ann.authorize("web", Pkce(), request_uri="http://169.254.169.254/x"))["error"] == "invalid_request_uri"


def test_scope_is_narrowed_to_what_the_person_holds(server):
    eve = server.browser("eve")
    r = eve.authorize("web", Pkce(), scope="orders.read")
    assert location_params(r)["error"] in ("access_denied", "invalid_scope")
    assert location_params(eve.authorize("web", Pkce(), scope="orders.read offline_access"))["error"] == "access_denied"
    assert location_params(server.browser("ann").authorize("web", Pkce(), scope="nonsense"))["error"] == "invalid_scope"


def test_resource_indicators(server, ann):
    t = ann.tokens(resource="https://orders.example")
    assert server.introspect(t["access_token"])["aud"] in ("https://orders.example", ["https://orders.example"])
    assert location_params(ann.authorize("web", Pkce(), resource="https://other.example"))["error"] == "invalid_target"
    assert location_params(ann.authorize("web", Pkce(), resource="https://orders.example#f"))["error"] == "invalid_target"
