"""Abuse cases of accounts and of the process around them (A80-A85, A87), each by its id; API keys and service accounts."""
import subprocess
import time

import pytest
import requests

import mereau
from mereau import PASSWORD, Browser


def bearer(key):
    return {"Authorization": "Bearer " + key}


@pytest.fixture(scope="module")
def admin_key(server):
    return server.cli_json("apikey", "add", "bob", "admin")["key"]


def test_a80_people_cannot_change_their_own_record(server, admin_key):
    key = server.cli_json("apikey", "add", "ann", "own")["key"]
    for body in ({"email_verified": True}, {"roles": ["boss"]}):
        r = requests.patch(server.url + "/v1/admin/users/ann", json=body, headers=bearer(key), timeout=20)
        assert r.status_code == 403 and r.headers["Content-Type"] == "application/problem+json"
    assert requests.get(server.url + "/v1/admin/users/ann", headers=bearer(admin_key), timeout=20).json()["roles"] == ["support"]


def test_a81_links_use_the_configured_issuer(fresh):
    s = fresh()
    key = s.cli_json("apikey", "add", "bob", "admin")["key"]
    r = requests.post(s.url + "/v1/admin/users/ann/link", headers={**bearer(key), "Host": "evil.example", "X-Forwarded-Host": "evil.example"}, timeout=20)
    assert r.status_code == 201 and r.json()["url"].startswith(s.url + "/link/mer")
    path = r.json()["url"][len(s.url):]
    b = Browser(s)
    assert b.http.post(s.url + path, data={"password": "another long one"}, timeout=20).status_code == 403  # the page was skipped
    assert b.submit(b.get(path), password="another long one").status_code == 303
    assert b.submit(Browser(s).get("/signin"), username="x", password="y").status_code in (401, 403)
    assert Browser(s).get(path).status_code == 410


@pytest.mark.heavy
def test_a83_spraying_slows_strangers_and_not_the_known_browser(fresh):
    s = fresh()
    known = s.browser("ann")
    limited = 0
    for _ in range(9):
        r = Browser(s).sign_in("ann", "wrong wrong wrong")
        limited += r.status_code == 429
    assert limited > 0 and "Retry-After" in r.headers
    assert Browser(s).sign_in("ann").status_code == 429  # the right password from an unknown browser has to wait
    assert known.sign_in("ann").status_code == 303  # the person's own browser still enters
    assert s.browser("eve")
    assert "signin.limited" in str(s.cli_json("audit", "list"))


def test_a84_forwarded_headers_from_strangers(server):
    r = server.get("/account", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "not an address"})
    assert "evil" not in r.headers["Location"]
    b = Browser(server)
    b.http.headers["X-Forwarded-For"] = "203.0.113.9"
    b.sign_in("ann")
    assert "203.0.113.9" not in b.get("/account").text and "127.0.0.1" in b.get("/account").text


def test_a84_forwarded_headers_from_a_trusted_proxy(fresh):
    s = fresh(server={"trusted_proxies": ["127.0.0.1"]})
    b = Browser(s)
    b.http.headers["X-Forwarded-For"] = "10.0.0.1, 203.0.113.9"
    b.sign_in("ann")
    assert "203.0.113.9" in b.get("/account").text


@pytest.mark.parametrize("field", ["client_name", "client_uri", "redirect_uris"])
def test_a87_line_ends_in_settings(server, admin_key, field):
    value = "https://a.example/\r\nSet-Cookie: x=y"
    r = requests.post(server.url + "/v1/admin/clients", headers=bearer(admin_key), timeout=20,
                      json={"client_id": "crlf", "redirect_uris": ["https://a.example/cb"], field: [value] if field == "redirect_uris" else value})
    assert r.status_code == 400, r.text
    assert field in r.text


def test_disabling_a_person_ends_everything(fresh):
    s = fresh()
    b = s.browser("ann")
    t = b.tokens(scope="orders.read offline_access")
    key = s.cli_json("apikey", "add", "ann", "k")["key"]
    s.cli("user", "disable", "ann")
    assert not s.active(t["access_token"]) and b.get("/account").status_code == 303
    assert s.get("/verify", headers=bearer(key)).status_code == 401
    s.cli("user", "enable", "ann")
    assert not s.active(t["access_token"]) and b.get("/account").status_code == 303  # nothing comes back
    assert s.get("/verify", headers=bearer(key)).status_code == 401
    again = s.browser("ann")
    assert s.active(again.tokens()["access_token"])


def test_service_account_key(fresh):
    s = fresh(tenant={"service_accounts": [{"username": "robot", "roles": ["support"], "owner": "ann"}]})
    made = s.cli_json("apikey", "add", "robot", "nightly", "--permissions", "orders.read")
    assert made["key"].startswith("merm_")
    r = s.get("/verify?scope=orders.read", headers=bearer(made["key"]))
    assert r.status_code == 200 and r.headers["Remote-User"] == "robot"
    assert s.get("/verify?scope=orders.write", headers=bearer(made["key"])).status_code == 403
    b = Browser(s)
    assert b.sign_in("robot", "anything at all").status_code in (401, 403)
    s.cli("apikey", "revoke", made["id"])
    assert s.get("/verify", headers=bearer(made["key"])).status_code == 401


def test_legacy_hashes_are_rehashed_at_sign_in(fresh):
    import base64
    import hashlib
    salt = b"saltsalt"
    ssha = "{SSHA}" + base64.b64encode(hashlib.sha1(PASSWORD.encode() + salt).digest() + salt).decode()
    pbkdf2 = "pbkdf2_sha256$1000$salt$" + base64.b64encode(hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1000)).decode()
    s = fresh(tenant={"users": [{"username": "old1", "password_hash": ssha}, {"username": "old2", "password_hash": pbkdf2}]})
    for name in ("old1", "old2"):
        assert s.browser(name).get("/account").status_code == 200
        assert s.browser(name)
    r = s.cli("user", "add", "bad", "password_hash=-", stdin="$unknown$x\n", check=None)
    assert r.returncode == 1 and "password_hash" in r.stderr


def test_first_administrator_link(fresh):
    s = fresh(tenant={"users": [{"username": "bob", "roles": []}]})
    link = s.first_admin_link()
    path = link[link.index("/link/"):]
    b = Browser(s)
    r = b.submit(b.get(path), username="root.admin", password="a long first password")
    assert r.status_code == 303 and r.headers["Location"].endswith("/console")
    assert b.get("/console/clients").status_code == 200
    assert Browser(s).get(path).status_code == 410
    before = len(s.log_text())
    s.restart()
    assert "/link/mer" not in s.log_text()[before:]


@pytest.mark.heavy
def test_a90_clock_jump(fresh, tmp_path):
    """Two years ahead and back: no mass deletion, no spinning."""
    stamp = tmp_path / "time"
    stamp.write_text("+0\n")
    library = subprocess.run(["dpkg", "-L", "libfaketime"], capture_output=True, text=True, check=False).stdout.split()
    library = next((f for f in library if f.endswith("/libfaketimeMT.so.1")), None)
    if not library:
        pytest.skip("no libfaketime here")
    s = fresh(env={"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(stamp), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    tokens = [s.machine_token() for _ in range(20)]
    t = s.tokens()
    stamp.write_text("+730d\n")
    time.sleep(3)
    assert not s.active(tokens[0])
    new = s.machine_token()
    stamp.write_text("+0\n")
    time.sleep(1)
    assert all(s.active(x) for x in tokens)
    assert s.refresh(t["refresh_token"]).status_code == 200
    assert s.machine_token() and new
    cpu = [float(x) for x in open("/proc/%d/stat" % s.process.pid).read().rsplit(")", 1)[1].split()[11:13]]
    assert sum(cpu) / 100 < 10 * mereau.SLOW


def test_log_never_holds_secrets(server):
    t = server.tokens()
    server.introspect(t["access_token"])
    server.refresh(t["refresh_token"])
    server.token(("web", "wrong-secret-value"), grant_type="client_credentials")
    Browser(server).sign_in("ann", "a wrong password")
    text = server.log_text()
    for secret in (t["access_token"], t["refresh_token"], PASSWORD, "wrong-secret-value", "a wrong password", mereau.WEB[1]):
        assert secret not in text
