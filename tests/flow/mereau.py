"""Starts the real binary on loopback with a fresh store, and speaks to it as a browser or a client would.

MEREAU_BIN names the binary under test (default build/mereau), so that the same cases run on sanitizer builds."""
import base64
import copy
import hashlib
import html
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.parse

import pytest
import requests
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("MEREAU_BIN", os.path.join(ROOT, "build", "mereau"))
POSTGRES = os.environ.get("MEREAU_PG")  # the folder of a PostgreSQL server's socket: stores are databases there
SLOW = float(os.environ.get("MEREAU_SLOW", "1"))  # a factor on waits, for sanitizer builds

PASSWORD = "correct horse battery"
CALLBACK = "https://app.example/callback"
WEB, MACHINE, API = ("web", "web-secret-" + "0" * 32), ("machine", "machine-secret-" + "1" * 32), ("api", "api-secret-" + "2" * 32)

# What most cases need; a case that needs more overlays it: server(tenant={...}).
TENANT = {
    "roles": {"support": {"permissions": ["orders.read", "orders.write"]}, "boss": {"permissions": ["admin"]}},
    "users": [
        {"username": "ann", "name": "Ann", "email": "ann@example.com", "email_verified": True, "password": PASSWORD, "roles": ["support"]},
        {"username": "bob", "email": "bob@example.com", "password": PASSWORD, "roles": ["boss"]},
        {"username": "eve", "email": "eve@example.com", "password": PASSWORD},
    ],
    "resources": [{"identifier": "https://orders.example", "scopes": ["orders.read", "orders.write"], "introspect_clients": ["api"], "default": True}],
    "clients": [
        {"client_id": "web", "client_secret": WEB[1], "redirect_uris": [CALLBACK], "first_party": True,
         "grant_types": ["authorization_code", "refresh_token"], "scope": "orders.read orders.write offline_access"},
        {"client_id": "webjwt", "client_secret": WEB[1], "redirect_uris": [CALLBACK], "first_party": True, "access_token_format": "jwt",
         "grant_types": ["authorization_code", "refresh_token"], "scope": "orders.read orders.write offline_access"},
        {"client_id": "third", "client_name": "Third Party", "client_secret": WEB[1], "redirect_uris": [CALLBACK, "https://app.example/other"],
         "grant_types": ["authorization_code", "refresh_token"], "scope": "orders.read offline_access"},
        {"client_id": "spa", "token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/cb"], "first_party": True,
         "grant_types": ["authorization_code", "refresh_token"], "scope": "orders.read offline_access"},
        {"client_id": "machine", "client_secret": MACHINE[1], "grant_types": ["client_credentials"], "scope": "orders.read orders.write"},
        {"client_id": "machinejwt", "client_secret": MACHINE[1], "grant_types": ["client_credentials"], "scope": "orders.read",
         "access_token_format": "jwt"},
        {"client_id": "machinefree", "client_secret": MACHINE[1], "grant_types": ["client_credentials"], "scope": "orders.read",
         "access_token_format": "jwt", "store_access_tokens": False},
        {"client_id": "api", "client_secret": API[1], "grant_types": []},
    ],
}


sqlite_only = pytest.mark.skipif(bool(POSTGRES), reason="is about the file that SQLite keeps")


def psql(database, text):
    database = database if "://" in database else "postgresql://postgres@/%s?host=%s" % (database, POSTGRES)
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text], check=True, stdout=subprocess.DEVNULL)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def merged(base, over):
    """Overlays mappings; lists of named things are extended, by their first key."""
    if not over:
        return base
    out = dict(base)
    for k, v in over.items():
        old = out.get(k)
        if isinstance(old, dict) and isinstance(v, dict):
            out[k] = merged(old, v)
        elif isinstance(old, list) and isinstance(v, list) and v and isinstance(v[0], dict):
            name = next(iter(v[0]))
            new = {i[name]: i for i in v}
            out[k] = [merged(i, new.pop(i[name], None)) for i in old] + list(new.values())
        else:
            out[k] = v
    return out


class Mereau:
    """One server process and its store. start(), stop(), kill(), restart(); urls; cli()."""

    def __init__(self, tenant=None, server=None, tenants=None, config=None, data=None, env=None, wrapper=(), on_store=None):
        self.dir = data or tempfile.mkdtemp(prefix="mereau-test-")
        self.owns_dir = data is None
        self.data = os.path.join(self.dir, "data")
        self.port, self.management_port = free_port(), free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.management = "http://127.0.0.1:%d" % self.management_port
        self.env, self.wrapper = dict(os.environ, **(env or {})), list(wrapper)
        self.config_file = os.path.join(self.dir, "mereau.yaml")
        self.log_file = os.path.join(self.dir, "log")
        self.process = None
        self.store = on_store or (self.make_store() if data is None else None)
        self.write_config(config or {
            "server": merged({**self.store_setting(), "issuer": self.url, "listen": "127.0.0.1:%d" % self.port, "management": "127.0.0.1:%d" % self.management_port,
                              "data": self.data}, server),
            "tenants": copy.deepcopy(merged({"default": merged(TENANT, tenant)}, tenants))})

    def make_store(self):
        """A database of its own where POSTGRES leads; SQLite in the data directory otherwise."""
        if not POSTGRES:
            return None
        name = "t" + secrets.token_hex(8)
        psql("postgres", "CREATE DATABASE " + name)
        return "postgresql://postgres@/%s?host=%s" % (name, POSTGRES)

    def store_setting(self):
        return {"store": self.store} if self.store else {}

    def beside(self):
        """What another server on the same store needs (Mereau(**first.beside())): the same issuer, tenants and master key."""
        server = {"store": self.config["server"]["store"], "issuer": self.url, "master_key_file": os.path.join(self.data, "master.key")}
        return {"server": server, "tenants": self.config["tenants"], "on_store": server["store"]}

    def sql(self, text):
        """Meddles with the store behind the server's back; on SQLite while it is stopped."""
        if self.store:
            psql(self.store, text)
            return
        db = sqlite3.connect(os.path.join(self.data, "mereau.db"))
        db.executescript(text)
        db.commit()
        db.close()

    def write_config(self, config):
        self.config = config
        with open(os.open(self.config_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
            yaml.safe_dump(config, f, sort_keys=False)

    def start(self, wait=True):
        self.log = open(self.log_file, "ab")
        self.process = subprocess.Popen([*self.wrapper, BINARY, "serve", "--config", self.config_file], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, env=self.env, cwd=self.dir)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        end = time.monotonic() + 20 * SLOW
        while True:
            if self.process.poll() is not None:
                raise AssertionError("the server ended with %d:\n%s" % (self.process.returncode, self.log_text()))
            try:
                if requests.get(self.management + "/readyz", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass
            assert time.monotonic() < end, "not ready in time:\n" + self.log_text()
            time.sleep(0.01)

    def log_text(self):
        with open(self.log_file, encoding="utf-8", errors="replace") as f:
            return f.read()

    def first_admin_link(self):
        """The first-administrator link; it is said just after the server is ready."""
        link = re.compile(r"http://[^ \n]*/link/merl_[0-9A-Za-z]{49}")
        end = time.monotonic() + 10 * SLOW
        while not link.search(self.log_text()):
            assert time.monotonic() < end, self.log_text()[-2000:]
            time.sleep(0.05)
        return link.search(self.log_text()).group(0)

    def stop(self, sig=signal.SIGTERM, check=True):
        """Ends the server; with check, asserts a clean end (sanitizers make it unclean)."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            code = self.process.wait(timeout=30 * SLOW)
            if check and sig == signal.SIGTERM:
                assert code == 0, "exit status %d:\n%s" % (code, self.log_text()[-4000:])
        if self.process:
            self.log.close()
        self.process = None

    def kill(self):
        self.stop(signal.SIGKILL, check=False)

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        try:
            self.stop()
        finally:
            if self.owns_dir:
                shutil.rmtree(self.dir, ignore_errors=True)

    def cli(self, *args, stdin=None, check=0):
        """Runs a command on this server's store. check: the exit status wanted, or None."""
        r = subprocess.run([BINARY, *args, "--config", self.config_file], input=stdin, capture_output=True, text=True, timeout=60 * SLOW,
                           env=self.env, cwd=self.dir, check=False)
        if check is not None:
            assert r.returncode == check, "mereau %s: exit %d\n%s%s" % (" ".join(args), r.returncode, r.stdout, r.stderr)
        return r

    def cli_json(self, *args, **kw):
        return json.loads(self.cli(*args, "-o", "json", **kw).stdout)

    # --- as a client ---
    def post(self, path, data, auth=None, **kw):
        return requests.post(self.url + path, data=data, auth=auth, timeout=20 * SLOW, allow_redirects=False, **kw)

    def get(self, path, **kw):
        kw.setdefault("allow_redirects", False)
        return requests.get(self.url + path, timeout=20 * SLOW, **kw)

    def token(self, auth=MACHINE, prefix="", **data):
        return self.post(prefix + "/token", data, auth)

    def machine_token(self, auth=MACHINE, **data):
        r = self.token(auth, grant_type="client_credentials", **data)
        assert r.status_code == 200, r.text
        return r.json()["access_token"]

    def refresh(self, token, auth=WEB, **data):
        return self.token(auth, grant_type="refresh_token", refresh_token=token, **data)

    def introspect(self, token, auth=API):
        r = self.post("/introspect", {"token": token}, auth)
        assert r.status_code == 200, r.text
        return r.json()

    def active(self, token, auth=API):
        return self.introspect(token, auth)["active"]

    def revoke(self, token, auth=WEB):
        return self.post("/revoke", {"token": token}, auth)

    def browser(self, username=None, password=PASSWORD, **kw):
        b = Browser(self, **kw)
        if username:
            r = b.sign_in(username, password)
            assert r.status_code == 303, r.text
        return b

    def tokens(self, username="ann", client=WEB, browser=None, **kw):
        """The whole code flow: the token endpoint's answer."""
        b = browser or self.browser(username)
        return b.tokens(client, **kw)


class Pkce:
    def __init__(self, verifier=None):
        self.verifier = verifier or secrets.token_urlsafe(48)
        self.challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


def form_fields(page):
    """Hidden fields of the first form, and its action."""
    form = re.search(r"<form\b.*?</form>", page, re.S)
    page = form.group(0) if form else ""
    fields = {}
    for tag in re.findall(r"<input\b[^>]*>", page):
        a = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if a.get("type") == "hidden":
            fields[html.unescape(a["name"])] = html.unescape(a.get("value", ""))
    action = re.search(r'<form\b[^>]*action="([^"]*)"', page)
    return fields, html.unescape(action.group(1)) if action else ""


class Browser:
    """A browser without JavaScript: cookies, forms, redirects by hand."""

    def __init__(self, server, prefix=""):
        self.server, self.prefix = server, prefix
        self.http = requests.Session()

    def get(self, path, **kw):
        kw.setdefault("allow_redirects", False)
        return self.http.get(urllib.parse.urljoin(self.server.url, path), timeout=20 * SLOW, **kw)

    def submit(self, page, **fields):
        """Posts the page's first form with its hidden fields and these."""
        hidden, action = form_fields(page.text)
        return self.http.post(urllib.parse.urljoin(page.url, action), data={**hidden, **fields}, timeout=20 * SLOW, allow_redirects=False)

    def sign_in(self, username, password=PASSWORD):
        return self.submit(self.get(self.prefix + "/signin?continue=account"), username=username, password=password)

    def authorize(self, client_id="web", pkce=None, **params):
        query = {"response_type": "code", "client_id": client_id, "redirect_uri": CALLBACK, "scope": "orders.read", "state": "s1"}
        if pkce:
            query.update(code_challenge=pkce.challenge, code_challenge_method="S256")
        query.update(params)
        query = {k: v for k, v in query.items() if v is not None}
        return self.get(self.prefix + "/authorize?" + urllib.parse.urlencode(query, doseq=True))

    def code(self, client_id="web", pkce=None, **params):
        """The code of an authorization that ends in a redirect; consents where asked."""
        r = self.authorize(client_id, pkce, **params)
        if r.status_code == 200:
            r = self.submit(r, decision="allow")
        assert r.status_code == 303, (r.status_code, r.text[:2000])
        back = urllib.parse.parse_qs(urllib.parse.urlsplit(r.headers["Location"]).query)
        assert "code" in back, r.headers["Location"]
        return back["code"][0]

    def tokens(self, client=WEB, **params):
        pkce = Pkce()
        code = self.code(client[0], pkce, **params)
        data = {"grant_type": "authorization_code", "code": code, "redirect_uri": params.get("redirect_uri", CALLBACK), "code_verifier": pkce.verifier}
        auth = client if client[1] else None
        if not auth:
            data["client_id"] = client[0]
        r = self.server.post(self.prefix + "/token", data, auth)
        assert r.status_code == 200, r.text
        return r.json()


def location_params(response):
    """What an authorization response says to the client."""
    parts = urllib.parse.urlsplit(response.headers["Location"])
    return {k: v[0] for k, v in urllib.parse.parse_qs(parts.query, keep_blank_values=True).items()}
