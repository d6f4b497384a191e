"""Abuse cases of the token endpoint and of what it issues (A26-A39, A59-A63, A78), each by its id."""
import base64
import concurrent.futures
import json
import time

import pytest
import requests

import mereau
from mereau import API, CALLBACK, MACHINE, PASSWORD, WEB, Pkce


def parallel(n, fn):
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return [f.result() for f in [pool.submit(fn) for _ in range(n)]]


def redeem(server, code, pkce, auth=WEB, **over):
    data = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": pkce.verifier if pkce else None, **over}
    return server.post("/token", {k: v for k, v in data.items() if v is not None}, auth)


def assert_ig(r):
    assert r.status_code == 400 and r.json()["error"] == "invalid_grant", r.text
    assert r.headers["Cache-Control"] == "no-store"


def assert_ic(r):
    assert r.status_code == 401 and r.json()["error"] == "invalid_client", r.text


@pytest.fixture(scope="module")
def ann(server):
    return server.browser("ann")


def claims(jwt):
    part = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a26_code_twice(server, ann):
    pkce = Pkce()
    code = ann.code("web", pkce)
    first = redeem(server, code, pkce).json()
    assert server.active(first["access_token"])
    assert_ig(redeem(server, code, pkce))
    assert not server.active(first["access_token"])
    assert_ig(server.refresh(first["refresh_token"]))
    assert server.revoke(first["access_token"]).status_code == 200


def test_a27_parallel_redemptions(server, ann):
    pkce = Pkce()
    code = ann.code("web", pkce)
    answers = parallel(50, lambda: redeem(server, code, pkce).status_code)
    assert sorted(set(answers)) == [200, 400] and answers.count(200) == 1


def test_a28_code_of_another_client(server, ann):
    pkce = Pkce()
    code = ann.code("web", pkce)
    assert_ig(redeem(server, code, pkce, ("third", WEB[1])))
    assert_ig(redeem(server, code, pkce))  # burnt


def test_a29_verifier_missing(server, ann):
    code = ann.code("web", Pkce())
    assert_ig(redeem(server, code, None))


def test_a30_verifier_without_challenge(fresh):
    s = fresh(tenant={"clients": [{"client_id": "web", "require_pkce": False}]})
    code = s.browser("ann").code("web", None)
    assert_ig(redeem(s, code, Pkce()))
    assert redeem(s, s.browser("ann").code("web", None), None).status_code == 200


def test_a31_other_redirect_or_verifier(server, ann):
    for over in ({"redirect_uri": CALLBACK + "x"}, {"code_verifier": Pkce().verifier}, {"redirect_uri": None}):
        pkce = Pkce()
        code = ann.code("web", pkce)
        assert_ig(redeem(server, code, pkce, **over))
        assert_ig(redeem(server, code, pkce))  # burnt at the first failure


def test_a32_refresh_of_another_client(server, ann):
    t = ann.tokens()
    assert_ig(server.refresh(t["refresh_token"], ("third", WEB[1])))
    assert_ic(server.post("/token", {"grant_type": "refresh_token", "refresh_token": t["refresh_token"], "client_id": "web"}))
    assert_ic(server.post("/token", {"grant_type": "refresh_token", "refresh_token": t["refresh_token"]}))
    assert server.refresh(t["refresh_token"]).status_code == 200


def test_a33_reuse_after_grace(fresh):
    s = fresh(tenant={"refresh_grace": 1})
    t = s.tokens()
    second = s.refresh(t["refresh_token"]).json()
    again = s.refresh(t["refresh_token"]).json()
    assert again["refresh_token"] == second["refresh_token"] and again["access_token"] != second["access_token"]
    time.sleep(2.1)
    assert_ig(s.refresh(t["refresh_token"]))
    for dead in (second, again):
        assert not s.active(dead["access_token"])
        assert_ig(s.refresh(dead["refresh_token"]))
    events = s.cli_json("audit", "list")
    assert "refresh_reuse" in json.dumps(events)
    assert 'mereau_token_refresh_total{result="reuse"} 1' in requests.get(s.management + "/metrics", timeout=5).text


@pytest.mark.parametrize("grace", [0, 20])
def test_a34_parallel_refreshes(fresh, grace):
    s = fresh(tenant={"refresh_grace": grace})
    t = s.tokens()
    answers = parallel(50, lambda: s.refresh(t["refresh_token"]))
    good = [a.json() for a in answers if a.status_code == 200]
    if grace:
        assert len(good) == 50
        assert len({a["refresh_token"] for a in good}) == 1
        assert len({a["access_token"] for a in good}) == 50
        for _ in range(15):
            assert s.refresh(t["refresh_token"]).status_code == 200
        assert_ig(s.refresh(t["refresh_token"]))  # the 65th repetition is refused ...
        assert s.active(good[0]["access_token"])  # ... the family unharmed
    else:
        assert len(good) <= 1


def test_refresh_strict_single(fresh):
    s = fresh(tenant={"refresh_grace": 0})
    t = s.tokens()
    second = s.refresh(t["refresh_token"]).json()
    assert second["refresh_token"] != t["refresh_token"]
    assert s.refresh(second["refresh_token"]).status_code == 200


def test_a35_wider_scope_or_resource(server, ann):
    t = ann.tokens(scope="orders.read offline_access")
    r = server.refresh(t["refresh_token"], scope="orders.read orders.write")
    assert r.status_code == 400 and r.json()["error"] == "invalid_scope"
    r = server.refresh(t["refresh_token"], resource="https://other.example")
    assert r.status_code == 400 and r.json()["error"] == "invalid_target"
    r = server.refresh(t["refresh_token"], scope="orders.read")
    assert r.status_code == 200 and r.json()["scope"] == "orders.read"
    assert server.refresh(r.json()["refresh_token"]).json().get("scope", "orders.read offline_access") == "orders.read offline_access"


@pytest.mark.parametrize("what", ["user", "client", "api", "password", "signout", "signout-offline"])
def test_a36_refresh_after(fresh, what):
    s = fresh()
    b = s.browser("ann")
    t = b.tokens(scope="orders.read offline_access" if what == "signout-offline" else "orders.read")
    if what == "user":
        s.cli("user", "disable", "ann")
    elif what == "client":
        s.cli("client", "disable", "web")
    elif what == "api":
        s.cli("client", "disable", "api")
    elif what == "password":
        page = b.get("/account")
        csrf = page.text.split("/account/password")[1].split('name="csrf" value="')[1].split('"')[0]
        other = s.browser("ann")
        t = other.tokens(scope="orders.read")
        assert b.http.post(s.url + "/account/password", timeout=20, data={"csrf": csrf, "old_password": PASSWORD,
                                                                          "new_password": "another long one"}).status_code == 200
    else:
        b.submit(b.get("/account"))
    r = s.refresh(t["refresh_token"])
    if what == "signout-offline":
        assert r.status_code == 200
        assert s.active(r.json()["access_token"])
    elif what == "client":
        assert_ic(r)
    else:
        assert_ig(r)
        if what != "api":
            assert not s.active(t["access_token"])


@pytest.mark.parametrize("grant", ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x", ""])
def test_a37_no_password_grant(server, grant):
    r = server.token(WEB, grant_type=grant, username="ann", password=PASSWORD)
    assert r.status_code == 400 and r.json()["error"] in ("unsupported_grant_type", "invalid_request")


def test_a38_unknown_client_and_wrong_secret_read_the_same(server):
    a = server.token(("web", "wrong"), grant_type="client_credentials")
    b = server.token(("nobody", "wrong"), grant_type="client_credentials")
    assert_ic(a)
    assert a.json() == b.json()
    assert a.headers["WWW-Authenticate"] == b.headers["WWW-Authenticate"] and a.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.heavy
def test_a38_timing(server):
    """Same distribution of times: the medians differ by less than a twentieth of a millisecond or a tenth."""
    times = {"web": [], "nobody": []}
    http = requests.Session()
    for i in range(4000):
        name = ("web", "nobody")[i % 2]
        begin = time.perf_counter()
        http.post(server.url + "/introspect", data={"token": "x"}, auth=(name, "wrong"), timeout=10)
        times[name].append(time.perf_counter() - begin)
    a, b = (sorted(t)[len(t) // 2] for t in times.values())
    assert abs(a - b) < max(5e-5, 0.1 * min(a, b)), (a, b)


def test_a39_client_authentication(server):
    r = server.post("/token", {"grant_type": "client_credentials", "client_id": "machine", "client_secret": MACHINE[1]}, MACHINE)
    assert r.status_code in (400, 401) and r.json()["error"] in ("invalid_client", "invalid_request")
    r = server.post("/token", {"grant_type": "client_credentials", "client_id": "machine",
                               "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": "a.b.c"})
    assert_ic(r)
    assert_ic(server.post("/token", {"grant_type": "client_credentials", "client_id": "web"}, MACHINE))
    assert_ic(server.token(("machine", ""), grant_type="client_credentials"))
    assert_ic(server.token(("machine", MACHINE[1] + "x"), grant_type="client_credentials"))
    assert_ic(server.post("/token", {"grant_type": "client_credentials"}, headers={"Authorization": "Basic !!!"}))
    assert_ic(server.post("/token", {"grant_type": "client_credentials"}, headers={"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()}))


def test_client_secret_post_and_special_characters(fresh):
    secret = "a:b&c=d %+é/" + "x" * 20
    s = fresh(tenant={"clients": [{"client_id": "special+1", "client_secret": secret, "grant_types": ["client_credentials"], "scope": "orders.read"}]})
    from urllib.parse import quote
    assert s.post("/token", {"grant_type": "client_credentials", "client_id": "special+1", "client_secret": secret}).status_code == 200
    assert s.token((quote("special+1", safe=""), quote(secret, safe="")), grant_type="client_credentials").status_code == 200


def test_public_client_whole_flow(server, ann):
    t = ann.tokens(("spa", None), redirect_uri="http://127.0.0.1:9876/cb")
    r = server.post("/token", {"grant_type": "refresh_token", "refresh_token": t["refresh_token"], "client_id": "spa"})
    assert r.status_code == 200
    assert server.post("/token", {"grant_type": "client_credentials", "client_id": "spa"}).json()["error"] == "unauthorized_client"


def test_grant_not_registered(server):
    assert server.token(WEB, grant_type="client_credentials").json()["error"] == "unauthorized_client"


# --- introspection and revocation ---
def test_a59_introspection_wants_credentials(server):
    assert server.post("/introspect", {"token": "x"}).status_code == 401


def test_a60_introspection_by_strangers(server):
    t = server.machine_token()
    assert server.active(t, MACHINE) and server.active(t, API)
    assert server.introspect(t, ("third", WEB[1])) == {"active": False}


def test_introspection_members(server, ann):
    t = ann.tokens(scope="orders.read")
    a = server.introspect(t["access_token"])
    assert a["active"] is True and a["client_id"] == "web" and a["scope"] == "orders.read" and a["username"] == "ann"
    assert a["token_type"] == "Bearer" and a["iss"] == server.url and a["exp"] > a["iat"] and a["sub"]
    assert not server.active(t["refresh_token"])  # the resource server may not see refresh tokens
    assert server.active(t["refresh_token"], WEB)


def test_a61_revoking_anothers_token(server, ann):
    t = ann.tokens()
    assert server.revoke(t["access_token"], ("third", WEB[1])).status_code == 200
    assert server.active(t["access_token"])
    assert server.revoke(t["access_token"]).status_code == 200
    assert not server.active(t["access_token"])
    assert server.refresh(t["refresh_token"]).status_code == 200
    assert server.revoke("nonsense").status_code == 200
    assert_ic(server.post("/revoke", {"token": t["access_token"]}))


def test_revoking_the_refresh_token_kills_the_grant(server, ann):
    t, other = ann.tokens(), ann.tokens()
    newer = server.refresh(t["refresh_token"]).json()
    assert server.revoke(newer["refresh_token"]).status_code == 200
    for x in (t["access_token"], newer["access_token"]):
        assert not server.active(x)
    assert server.active(other["access_token"])


def test_a62_altered_tokens(server):
    t = server.machine_token()
    assert len(t) == 54 and t.startswith("mera_")
    flipped = t[:20] + ("A" if t[20] != "A" else "B") + t[21:]
    for bad in (t[:-1], t + "A", flipped, t.swapcase(), t.upper(), " " + t, t + " ", t.replace("mera_", "merr_"), "mera_", "", "x" * 54):
        assert not server.post("/introspect", {"token": bad}, API).json().get("active"), bad
    assert server.active(t)


def test_jwt_access_token_shape(server, ann):
    t = ann.tokens(("webjwt", WEB[1]), scope="orders.read")["access_token"]
    header = json.loads(base64.urlsafe_b64decode(t.split(".")[0] + "=="))
    c = claims(t)
    assert header["typ"] == "at+jwt" and header["alg"] == "ES256" and header["kid"]
    assert c["iss"] == server.url and c["aud"] in ("https://orders.example", ["https://orders.example"]) and c["client_id"] == "webjwt"
    assert c["scope"] == "orders.read" and c["exp"] - c["iat"] == 3600 and c["jti"] and c["sub"] and "nbf" not in c
    from authlib.jose import JsonWebKey, jwt
    keys = JsonWebKey.import_key_set(server.get("/jwks").json())
    assert jwt.decode(t, keys)["sub"] == c["sub"]
    assert server.active(t)
    assert not server.active(t[:-4] + "AAAA")
    server.revoke(t, ("webjwt", WEB[1]))
    assert not server.active(t)


def test_unstored_jwt_lives_and_dies_with_client(fresh):
    s = fresh()
    t = s.machine_token(("machinefree", MACHINE[1]))
    assert s.active(t)
    assert not s.active(t[:-4] + ("AAAA" if t[-4:] != "AAAA" else "BBBB"))
    s.cli("client", "disable", "machinefree")
    assert not s.active(t)


@pytest.mark.parametrize("alg", ["ES256", "RS256", "EdDSA"])
def test_signing_algorithms(fresh, alg):
    s = fresh(tenant={"clients": [{"client_id": "machinejwt", "access_token_signing_alg": alg}]})
    t = s.machine_token(("machinejwt", MACHINE[1]))
    from authlib.jose import JsonWebKey, JsonWebToken
    keys = JsonWebKey.import_key_set(s.get("/jwks").json())
    assert JsonWebToken([alg]).decode(t, keys)["client_id"] == "machinejwt"
    assert s.active(t)


def test_key_rotation_publishes_first(fresh):
    s = fresh()
    old = s.machine_token(("machinejwt", MACHINE[1]))
    s.cli("key", "rotate", "ES256")
    keys = s.get("/jwks").json()["keys"]
    assert len(keys) == 2
    new = s.machine_token(("machinejwt", MACHINE[1]))
    kid = lambda t: json.loads(base64.urlsafe_b64decode(t.split(".")[0] + "=="))["kid"]  # noqa: E731
    assert kid(old) == kid(new)  # the new key is known for a while before it signs
    assert "max-age=" in s.get("/jwks").headers["Cache-Control"]


def test_key_master_rotate_while_serving(fresh):
    s = fresh()
    t = s.machine_token(("machinejwt", MACHINE[1]))
    s.cli("key", "master", "rotate")
    assert s.active(t)
    s.restart()
    assert s.active(t) and s.machine_token(("machinejwt", MACHINE[1]))


def test_a63_a_refresh_token_is_no_access_token(server, ann):
    t = ann.tokens()
    r = server.get("/v1/admin/clients", headers={"Authorization": "Bearer " + t["refresh_token"]})
    assert r.status_code == 401 and "invalid_token" in r.headers["WWW-Authenticate"]
    assert server.get("/verify", headers={"Authorization": "Bearer " + t["refresh_token"]}).status_code == 401


def test_restart_keeps_everything(fresh):
    s = fresh()
    b = s.browser("ann")
    t = b.tokens()
    m = s.machine_token()
    s.restart()
    assert b.get("/account").status_code == 200
    assert s.active(t["access_token"]) and s.active(m)
    assert s.refresh(t["refresh_token"]).status_code == 200


def test_last_use_and_expiry_in_answers(server):
    r = server.token(MACHINE, grant_type="client_credentials")
    assert r.headers["Cache-Control"] == "no-store"
    assert r.json()["expires_in"] == 3600 and r.json()["token_type"].lower() == "bearer"
    assert "refresh_token" not in r.json()


def test_cors_for_browser_clients(server):
    r = requests.options(server.url + "/token", timeout=10, headers={"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"})
    assert r.status_code in (200, 204) and r.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in r.headers
    assert server.get("/jwks", headers={"Origin": "https://spa.example"}).headers["Access-Control-Allow-Origin"] == "*"
