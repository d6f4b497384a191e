"""Other people's OpenID Connect clients: Apache's mod_auth_openidc, openid-client (npm), Authlib; clocks a minute off."""
import html
import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse

import pytest
import requests
from jwcrypto import jwk

import mereau
from mereau import PASSWORD, WEB, Pkce

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = "/usr/lib/apache2/modules"
SCOPE = "openid profile email offline_access"
NET = {"net": {"allow": ["127.0.0.1"]}}


def form(page):
    fields, action = mereau.form_fields(page.text)
    return fields, urllib.parse.urljoin(page.url, action)


class Visitor:
    """A person's browser that goes wherever it is led, and fills in the server's forms on the way."""

    def __init__(self, server, username="ann"):
        self.server, self.username, self.http = server, username, requests.Session()

    def go(self, url, **kw):
        r = self.http.request(kw.pop("method", "GET"), url, timeout=30, allow_redirects=False, **kw)
        for _ in range(20):
            if r.status_code in (301, 302, 303, 307, 308):
                r = self.http.get(urllib.parse.urljoin(r.url, r.headers["Location"]), timeout=30, allow_redirects=False)
            elif r.status_code == 200 and r.url.startswith(self.server.url + "/signin"):
                fields, action = form(r)
                r = self.http.post(action, data={**fields, "username": self.username, "password": PASSWORD}, timeout=30, allow_redirects=False)
            elif r.status_code == 200 and 'name="decision"' in r.text:
                fields, action = form(r)
                r = self.http.post(action, data={**fields, "decision": "allow"}, timeout=30, allow_redirects=False)
            elif r.status_code == 200 and 'id="go"' in r.text:  # response_mode form_post
                fields, action = form(r)
                r = self.http.post(html.unescape(action), data=fields, timeout=30, allow_redirects=False)
            else:
                return r
        raise AssertionError("led in circles: " + r.url)


# --- Apache ---

CONF = """
ServerName 127.0.0.1
ServerRoot {dir}
PidFile {dir}/pid
DefaultRuntimeDir {dir}
Listen 127.0.0.1:{port}
ErrorLog {dir}/error.log
LogLevel warn auth_openidc:info
{user}
LoadModule mpm_event_module {m}/mod_mpm_event.so
LoadModule authn_core_module {m}/mod_authn_core.so
LoadModule authz_core_module {m}/mod_authz_core.so
LoadModule authz_user_module {m}/mod_authz_user.so
LoadModule headers_module {m}/mod_headers.so
LoadModule auth_openidc_module {m}/mod_auth_openidc.so
DocumentRoot {dir}/www
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID apache
OIDCClientSecret {secret}
OIDCRedirectURI http://127.0.0.1:{port}/private/back
OIDCCryptoPassphrase {secret}
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim sub
OIDCCookieSameSite Off
OIDCSessionInactivityTimeout 3600
OIDCOAuthAcceptTokenAs header
<Location /private>
  AuthType openid-connect
  Require valid-user
  Header set X-User "expr=%{{REMOTE_USER}}"
  Header set X-Name "expr=%{{req:OIDC_CLAIM_name}}"
  Header set X-Email "expr=%{{req:OIDC_CLAIM_email}}"
</Location>
"""


@pytest.fixture
def apache(tmp_path):
    made = []

    def start(issuer, port, extra=""):
        d = str(tmp_path / "apache")
        os.makedirs(d + "/www/private", exist_ok=True)
        with open(d + "/www/private/index.html", "w", encoding="ascii") as f:
            f.write("private page\n")
        root = os.getuid() == 0
        if root:
            for p in (d, *(os.path.join(d, n) for n in ("www", "www/private"))):
                os.chmod(p, 0o755)
            for p in tmp_path.parents:
                if str(p).startswith("/tmp/"):
                    os.chmod(p, os.stat(p).st_mode | 0o055)
            os.chmod(tmp_path, 0o755)
        with open(d + "/httpd.conf", "w", encoding="ascii") as f:
            f.write(CONF.format(dir=d, port=port, m=MODULES, issuer=issuer, secret=WEB[1],
                                user="LoadModule unixd_module %s/mod_unixd.so\nUser www-data\nGroup www-data" % MODULES
                                if root and os.path.exists(MODULES + "/mod_unixd.so") else "User www-data\nGroup www-data" if root else "") + extra)
        p = subprocess.Popen(["/usr/sbin/apache2", "-DFOREGROUND", "-f", d + "/httpd.conf"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        made.append(p)
        end = time.monotonic() + 20
        while True:
            try:
                requests.get("http://127.0.0.1:%d/" % port, timeout=2)
                return d
            except requests.RequestException:
                assert p.poll() is None and time.monotonic() < end, p.stdout.read().decode()
                time.sleep(0.1)

    yield start
    for p in made:
        p.terminate()
        p.wait(timeout=20)


def apache_client(port, **kw):
    return {"client_id": "apache", "client_secret": WEB[1], "redirect_uris": ["http://127.0.0.1:%d/private/back" % port], "first_party": True,
            "grant_types": ["authorization_code"], "scope": "openid profile email",
            "post_logout_redirect_uris": ["http://127.0.0.1:%d/" % port],
            "backchannel_logout_uri": "http://127.0.0.1:%d/private/back?logout=backchannel" % port, "backchannel_logout_session_required": True, **kw}


def log_of(folder):
    with open(folder + "/error.log", encoding="utf-8", errors="replace") as f:
        return f.read()[-3000:]


@pytest.mark.skipif(not os.path.exists(MODULES + "/mod_auth_openidc.so"), reason="no mod_auth_openidc here")
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_apache(fresh, apache, alg):
    port = mereau.free_port()
    s = fresh(tenant={"jwks_max_age": "1s", "clients": [apache_client(port, id_token_signed_response_alg=alg)]}, server=NET)
    private = "http://127.0.0.1:%d/private/index.html" % port
    folder = apache(s.url, port, "OIDCIDTokenSignedResponseAlg %s\n" % alg)
    ann = Visitor(s)
    r = ann.go(private)
    assert r.status_code == 200 and r.text == "private page\n", (r.status_code, r.text[:500], log_of(folder))
    assert r.headers["X-Name"] == "Ann" and r.headers["X-Email"] == "ann@example.com" and r.headers["X-User"]
    # a new key while Apache runs: what it signs is taken at once (it is published for twice jwks_max_age before it signs)
    s.cli("key", "rotate", alg)
    time.sleep(3)
    other = Visitor(s, "bob")
    assert other.go(private).text == "private page\n", log_of(folder)
    # the administrator ends Ann's session: Apache hears of it
    session = next(i for i in s.cli_json("token", "list", "ann") if i.get("kind") == "session")["id"]
    s.cli("token", "revoke", session, "--session")
    end = time.monotonic() + 20 * mereau.SLOW
    while ann.http.get(private, allow_redirects=False, timeout=20).status_code == 200:
        assert time.monotonic() < end, log_of(folder)
        time.sleep(0.2)
    # sign-out that the application asks for ends the session at the server
    r = other.go("http://127.0.0.1:%d/private/back?logout=%s" % (port, urllib.parse.quote("http://127.0.0.1:%d/" % port, safe="")))
    assert other.http.get(s.url + "/account", allow_redirects=False, timeout=20).status_code == 303
    assert other.http.get(private, allow_redirects=False, timeout=20).status_code != 200


# --- openid-client ---

@pytest.fixture
def relying_party():
    made = []

    def start(*args, wrapper=()):
        p = subprocess.Popen([*wrapper, "node", os.path.join(HERE, "openid_rp.js"), *args], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        made.append(p)
        line = p.stdout.readline()
        assert line.startswith("ready"), line
        return p

    yield start
    for p in made:
        p.terminate()
        p.wait(timeout=10)


OPEN = {"registration": "open", "registration_scope": SCOPE, "registration_grant_types": ["authorization_code", "refresh_token", "implicit"], "registration_rate": 0}


@pytest.mark.skipif(not shutil.which("node"), reason="no node here")
@pytest.mark.parametrize("mode", ["plain", "private_key_jwt", "encrypted", "form_post", "request", "hybrid"])
def test_openid_client(fresh, relying_party, mode):
    """Registers itself, signs in, reads what is signed and encrypted for it, refreshes, signs out, hears of it."""
    port = mereau.free_port()
    s = fresh(tenant=OPEN, server=NET)
    rp = relying_party(s.url, str(port), mode)
    ann = Visitor(s)
    r = ann.go("http://127.0.0.1:%d/login" % port)
    assert r.status_code == 200 and "signed in" in r.text, r.text[:2000]
    result = json.loads(rp.stdout.readline())
    assert result["claims"]["iss"] == s.url and result["claims"]["nonce"] and result["claims"]["sid"]
    assert result["userinfo"]["email"] == "ann@example.com" and result["userinfo"]["sub"] == result["claims"]["sub"]
    assert result["refreshed"]["sub"] == result["claims"]["sub"]
    if mode == "encrypted":
        assert result["header"]["alg"] == "ECDH-ES+A256KW" and result["header"]["enc"] == "A256GCM"
    r = ann.go("http://127.0.0.1:%d/logout" % port)
    assert r.status_code == 200 and "signed out state=" in r.text, r.text[:500]
    told = json.loads(rp.stdout.readline())
    assert told["sid"] == result["claims"]["sid"] and told["sub"] == result["claims"]["sub"] and "nonce" not in told


@pytest.mark.skipif(not shutil.which("node") or not shutil.which("faketime"), reason="no node or faketime here")
@pytest.mark.parametrize("shift", ["+60s", "-60s"])
def test_clocks_a_minute_off(fresh, relying_party, shift):
    port = mereau.free_port()
    s = fresh(tenant=OPEN, server=NET)
    rp = relying_party(s.url, str(port), "private_key_jwt", wrapper=("faketime", "-f", shift))
    r = Visitor(s).go("http://127.0.0.1:%d/login" % port)
    assert r.status_code == 200 and "signed in" in r.text, r.text[:2000]
    assert abs(json.loads(rp.stdout.readline())["clock"] - time.time() - float(shift[:-1])) < 30


# --- Authlib ---

def test_authlib_openid(fresh):
    from authlib.integrations.requests_client import OAuth2Session
    from authlib.jose import JsonWebToken
    from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
    from authlib.oidc.core import CodeIDToken
    key = jwk.JWK.generate(kty="RSA", size=2048, kid="k-authlib", use="sig", alg="RS256")
    common = {"redirect_uris": [mereau.CALLBACK], "first_party": True, "grant_types": ["authorization_code", "refresh_token"], "scope": SCOPE,
              "assertion_aud": "token_endpoint", "assertion_life": 3600}  # as older libraries need it
    s = fresh(tenant={"clients": [
        {"client_id": "lib", "client_secret": WEB[1], **common},
        {"client_id": "libkey", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.export_public(as_dict=True)]}, **common},
        {"client_id": "libsecret", "client_secret": WEB[1] * 2, "token_endpoint_auth_method": "client_secret_jwt", **common}]})
    m = s.get("/.well-known/openid-configuration").json()
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    for name, secret, method in (("lib", WEB[1], "client_secret_basic"),
                                 ("libkey", key.export_to_pem(private_key=True, password=None).decode(), PrivateKeyJWT(m["token_endpoint"])),
                                 ("libsecret", WEB[1] * 2, ClientSecretJWT(m["token_endpoint"]))):
        session = OAuth2Session(name, secret, scope=SCOPE, redirect_uri=mereau.CALLBACK, code_challenge_method="S256", token_endpoint_auth_method=method)
        verifier = Pkce().verifier
        url, state = session.create_authorization_url(m["authorization_endpoint"], code_verifier=verifier, nonce="n-authlib")
        back = s.browser("ann").get(url[len(s.url):]).headers["Location"]
        token = session.fetch_token(m["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)
        claims = JsonWebToken(["RS256"]).decode(token["id_token"], key=requests.get(m["jwks_uri"], timeout=20).json(), claims_cls=CodeIDToken, claims_options={
            "iss": {"values": [s.url]}, "aud": {"values": [name]}}, claims_params={"nonce": "n-authlib", "client_id": name, "access_token": token["access_token"]})
        claims.validate()
        who = session.get(m["userinfo_endpoint"]).json()
        assert who["sub"] == claims["sub"] and who["email"] == "ann@example.com", re.escape(str(who))
