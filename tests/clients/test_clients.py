"""Real client libraries, with a real browser where a person is needed."""
import http.server
import json
import os
import shutil
import subprocess
import threading
import time
import urllib.parse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

import mereau
from mereau import PASSWORD, WEB

HERE = os.path.dirname(os.path.abspath(__file__))
SHOTS = os.environ.get("MEREAU_SHOTS")  # a folder: the pages' pictures go there


def shot(browser, name):
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
        browser.save_screenshot(os.path.join(SHOTS, name + ".png"))


def client(client_id, port):
    return {"client_id": client_id, "client_name": "The Shop", "client_secret": WEB[1], "redirect_uris": ["http://127.0.0.1:%d/callback" % port],
            "grant_types": ["authorization_code", "refresh_token"], "scope": "orders.read offline_access", "client_uri": "https://shop.example/"}


def sign_in(browser, username="ann", shots=None):
    if shots:
        shot(browser, shots + "-signin")
    browser.find_element(By.NAME, "username").send_keys(username)
    browser.find_element(By.NAME, "password").send_keys(PASSWORD + Keys.RETURN)


def find(browser, by, what, seconds=20):
    end = time.monotonic() + seconds * mereau.SLOW
    while True:
        found = browser.find_elements(by, what)
        if found:
            return found[0]
        assert time.monotonic() < end, browser.page_source[:3000]
        time.sleep(0.05)


def allow(browser, shots=None):
    button = find(browser, By.CSS_SELECTOR, "button[name=decision][value=allow]")
    if shots:
        shot(browser, shots + "-consent")
    button.click()


@pytest.mark.skipif(not shutil.which("node"), reason="no node here")
def test_openid_client(fresh, chromium):
    port = mereau.free_port()
    s = fresh(tenant={"clients": [client("shop", port)]})
    rp = subprocess.Popen(["node", os.path.join(HERE, "relying_party.js"), s.url, "shop", WEB[1], str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert rp.stdout.readline().strip() == "ready"
        b = chromium()
        b.get("http://127.0.0.1:%d/login" % port)
        sign_in(b, shots="light")
        allow(b, shots="light")
        find(b, By.ID, "done")
        result = json.loads(rp.stdout.readline())
        assert result["first"]["access_token"] != result["second"]["access_token"]
        assert result["active"]["active"] is True and result["active"]["username"] == "ann"
        assert result["after"] == {"active": False} and result["refused"] == "invalid_grant"
    finally:
        rp.terminate()
        rp.wait(timeout=10)


class Callback(http.server.BaseHTTPRequestHandler):
    urls = None

    def do_GET(self):
        self.urls.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b'<title>done</title><p id="done">signed in</p>')

    def log_message(self, *args):
        pass


def test_authlib(fresh, chromium):
    from authlib.integrations.requests_client import OAuth2Session
    httpd = http.server.HTTPServer(("127.0.0.1", 0), type("H", (Callback,), {"urls": []}))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    s = fresh(tenant={"clients": [client("shop", httpd.server_port)]})
    m = s.get("/.well-known/oauth-authorization-server").json()
    redirect = "http://127.0.0.1:%d/callback" % httpd.server_port
    session = OAuth2Session("shop", WEB[1], scope="orders.read offline_access", redirect_uri=redirect, code_challenge_method="S256",
                            token_endpoint_auth_method="client_secret_basic", revocation_endpoint_auth_method="client_secret_basic")
    verifier = mereau.Pkce().verifier
    url, state = session.create_authorization_url(m["authorization_endpoint"], code_verifier=verifier)
    b = chromium(javascript=False)  # everything works without JavaScript
    b.get(url)
    sign_in(b)
    allow(b)
    find(b, By.ID, "done")
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    answer = "https://x" + httpd.RequestHandlerClass.urls[0]
    token = session.fetch_token(m["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier)
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(answer).query)["iss"] == [s.url]
    assert token["scope"] == "orders.read offline_access"
    new = session.refresh_token(m["token_endpoint"], refresh_token=token["refresh_token"])
    assert new["access_token"] != token["access_token"]
    assert session.introspect_token(m["introspection_endpoint"], token=new["access_token"]).json()["active"] is True
    assert session.revoke_token(m["revocation_endpoint"], token=new["refresh_token"]).status_code == 200
    assert session.introspect_token(m["introspection_endpoint"], token=new["access_token"]).json() == {"active": False}
    machine = OAuth2Session("machine", mereau.MACHINE[1], token_endpoint_auth_method="client_secret_post")
    assert machine.fetch_token(m["token_endpoint"], grant_type="client_credentials")["token_type"].lower() == "bearer"
    httpd.shutdown()


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_pages_by_keyboard(fresh, chromium, look):
    """My tokens and the console, signed in by keyboard alone; nothing is fetched from elsewhere; no page is wider than its window."""
    s = fresh()
    for _ in range(2):
        s.browser("bob").tokens(scope="orders.read offline_access")
    s.cli("apikey", "add", "bob", "nightly backup")
    s.machine_token(("machinejwt", mereau.MACHINE[1]))
    b = chromium(*((400, 860) if look == "phone" else (1100, 900)), dark=look == "dark")
    b.get(s.url + "/account")
    shot(b, look + "-signin")
    active = b.switch_to.active_element
    active.send_keys("bob" + Keys.TAB)
    b.switch_to.active_element.send_keys(PASSWORD + Keys.RETURN)
    find(b, By.XPATH, "//h1[text()='My tokens']")
    for path, name in (("/account", "account"), ("/console", "console"), ("/console/clients", "clients"), ("/console/clients/object?_name=web", "client"),
                       ("/console/clients/object", "new-client"), ("/console/users/object?_name=bob", "user"), ("/console/audit", "audit"), ("/console/keys", "keys"),
                       ("/signout", "signout"), ("/authorize?client_id=nobody", "error")):
        b.get(s.url + path)
        shot(b, "%s-%s" % (look, name))
        assert b.execute_script("return document.documentElement.scrollWidth <= window.innerWidth + 1"), path
        origins = b.execute_script("return performance.getEntriesByType('resource').map(e => new URL(e.name).origin)")
        assert set(origins) <= {s.url}, path
        unnamed = b.execute_script("return [...document.querySelectorAll('input:not([type=hidden]):not([hidden]),select,textarea')]"
                                   ".filter(e => !e.labels.length && !e.getAttribute('aria-label')).length")
        assert unnamed == 0, path
    b.get(s.url + "/account")
    before = len(b.find_elements(By.CSS_SELECTOR, "form[action$='/account/revoke']"))
    button = b.find_element(By.XPATH, "//h2[text()='Applications']/following-sibling::ul[1]//button")
    button.send_keys(Keys.RETURN)
    WebDriverWait(b, 20).until(expected_conditions.staleness_of(button))
    find(b, By.XPATH, "//h1[text()='My tokens']")
    assert len(b.find_elements(By.CSS_SELECTOR, "form[action$='/account/revoke']")) == before - 1


def test_the_walk(fresh, tmp_path):
    """examples/walk.py, the walk that ./quickstart shows."""
    secrets = {"demo-password": PASSWORD, "demo-web-secret": WEB[1], "demo-machine-secret": WEB[1], "demo-api-secret": WEB[1]}
    for name, value in secrets.items():
        (tmp_path / name).write_text(value)
    made = subprocess.run([mereau.BINARY, "jwk", "new", "ECDH-ES+A128KW", "--out", str(tmp_path / "demo-web-key")], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    key = json.loads(subprocess.run([mereau.BINARY, "jwk", "public", str(tmp_path / "demo-web-key"), "-o", "json"], capture_output=True, text=True, check=True).stdout)
    s = fresh(tenant={"users": [{"username": "demo", "password": PASSWORD, "roles": ["support"]}],
                      "clients": [{"client_id": "web", "redirect_uris": ["http://127.0.0.1/callback"], "access_token_format": "jwt", "first_party": False,
                                   "scope": "openid profile email orders.read orders.write offline_access", "jwks": {"keys": [key]},
                                   "id_token_encrypted_response_alg": "ECDH-ES+A128KW"},
                                  {"client_id": "orders-api", "client_secret": WEB[1], "grant_types": []}],
                      "resources": [{"identifier": "https://orders.example", "introspect_clients": ["orders-api"]}]})
    r = subprocess.run(["/usr/bin/python3", os.path.join(mereau.ROOT, "examples", "walk.py"), "--issuer", s.url, "--secrets", str(tmp_path)],
                       env={**os.environ, "MEREAU_BINARY": mereau.BINARY}, capture_output=True, text=True, timeout=120, check=False)
    assert r.returncode == 0, r.stdout + r.stderr
    assert "All five steps went as they should." in r.stdout
