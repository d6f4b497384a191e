"""libmereau against the running server: installed as packages would, found by pkg-config, linked by programs; and the examples."""
import base64
import glob
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import pytest
import requests

import mereau
from mereau import CALLBACK, MACHINE, ROOT, SLOW, WEB

BUILD = os.path.dirname(mereau.BINARY)
AUDIENCE = "https://orders.example"
MACHINEJWT, WEBJWT = ("machinejwt", MACHINE[1]), ("webjwt", WEB[1])
pytestmark = pytest.mark.skipif(not os.path.isdir(os.path.join(BUILD, "meson-info")), reason="the binary is not in its build directory")


class Installed:
    """A DESTDIR install of the build under test, and the compiler's and linker's way to it."""

    def __init__(self, root):
        self.root = str(root)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", self.root], check=True, capture_output=True, timeout=120)
        self.pc = os.path.dirname(self.one("libmereau.pc"))
        self.lib = os.path.realpath(self.one("libmereau.so"))
        # Kept apart from the machine's own packages, as in a root being built.
        self.env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=self.root, PKG_CONFIG_LIBDIR=self.pc, LD_LIBRARY_PATH=os.path.dirname(self.lib))
        options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", BUILD], check=True, capture_output=True, text=True).stdout)
        sanitize = next(o["value"] for o in options if o["name"] == "b_sanitize")
        self.cflags = [] if sanitize in ("none", []) else ["-fsanitize=" + sanitize]

    def one(self, name):
        found = glob.glob(os.path.join(self.root, "**", name), recursive=True)
        assert len(found) == 1, (name, found)
        return found[0]

    def flags(self, *what):
        return subprocess.run(["pkg-config", *what, "libmereau"], env=self.env, check=True, capture_output=True, text=True).stdout.split()

    def compile(self, source, program):
        r = subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-D_GNU_SOURCE", *self.cflags, "-o", program, source, *self.flags("--cflags", "--libs")],
                           env=self.env, capture_output=True, text=True, check=False)
        assert r.returncode == 0 and not r.stderr, r.stderr
        return program

    def run(self, *args):
        return subprocess.run(args, env=self.env, capture_output=True, text=True, timeout=60 * SLOW, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="module")
def client_program(installed, tmp_path_factory):
    return installed.compile(os.path.join(ROOT, "tests", "flow", "lib_client.c"), str(tmp_path_factory.mktemp("bin") / "lib_client"))


class Api:
    """A resource server that runs on while things happen."""

    def __init__(self, installed, program, issuer, audience=AUDIENCE, *more):
        self.process = subprocess.Popen([program, issuer, audience, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=installed.env)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n").split("\t")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=30 * SLOW) == 0


@pytest.fixture
def api(installed, client_program):
    made = []

    def make(*args):
        made.append(Api(installed, client_program, *args))
        return made[-1]

    yield make
    for a in made:
        a.close()


def header(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


# --- what is installed ---

def test_exported_symbols_are_the_public_ones(installed):
    out = subprocess.run(["nm", "-D", "--defined-only", installed.lib], check=True, capture_output=True, text=True).stdout
    exported = {line.split()[2].split("@")[0] for line in out.splitlines()} - {"MEREAU_0"}
    with open(os.path.join(ROOT, "src", "lib", "mereau.map"), encoding="utf-8") as f:
        mapped = set(re.findall(r"^    (\w+);", f.read(), re.M))
    with open(os.path.join(ROOT, "src", "lib", "mereau.h"), encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    declared = set(re.findall(r"\b(mereau_\w+)\(", text))
    assert exported == mapped == declared and all(s.startswith("mereau_") for s in exported)
    assert "SONAME" in subprocess.run(["objdump", "-p", installed.lib], check=True, capture_output=True, text=True).stdout.replace("libmereau.so.0", "SONAME")
    for name in declared:
        page = installed.one(name + ".3")
        text = open(page, encoding="utf-8").read()
        if text.startswith(".so "):
            target = installed.one(os.path.basename(text.split()[1]))
            assert name in open(target, encoding="utf-8").read().split(".SH SYNOPSIS")[0], name


def test_every_option_and_status_is_in_the_manual():
    text = open(os.path.join(ROOT, "src", "lib", "mereau.h"), encoding="utf-8").read()
    pages = "".join(open(p, encoding="utf-8").read() for p in glob.glob(os.path.join(ROOT, "docs", "man", "mereau_*.3")))
    options = re.findall(r"^    [\w *]+[ *](\w+);", re.search(r"struct mereau_options \{(.*?)\n\};", text, re.S).group(1), re.M)
    assert len(options) > 14
    for name in options + re.findall(r"^    (MEREAU_\w+),?", text, re.M):
        assert re.search(r"\b%s\b" % name, pages), name


@pytest.mark.parametrize("compiler", [["cc", "-std=c99"], ["cc", "-std=c17"], ["clang++", "-x", "c++", "-std=c++11"], ["g++", "-std=c++20"]])
def test_header_stands_alone(installed, tmp_path, compiler):
    if not shutil.which(compiler[0]):
        pytest.skip("no " + compiler[0])
    source = tmp_path / ("a.c" if compiler[0] == "cc" else "a.cc")
    source.write_text("#include <mereau.h>\nint f(void);\nint f(void) { struct mereau_options o = {}; o.size = sizeof(o); struct mereau_verifier *v; "
                      "return mereau_verifier_new(&o, &v); }\n".replace("{}", "{0}" if compiler[0] == "cc" else "{}"))
    r = subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", *(["-Wno-missing-field-initializers"] if compiler[0] == "cc" else []),
                        *installed.flags("--cflags"), str(source)], capture_output=True, text=True, check=False)
    assert r.returncode == 0, r.stderr


# --- tokens ---

def test_verifies_what_the_server_issues(server, api):
    a = api(server.url)
    ok, subject, scope, _, client = a.ask(server.machine_token(MACHINEJWT))
    assert (ok, scope, client) == ("ok", "orders.read", "machinejwt") and subject
    t = server.tokens("ann", client=WEBJWT, scope="orders.read orders.write")["access_token"]
    ok, subject, scope, _, client = a.ask(t)
    assert (ok, set(scope.split()), client) == ("ok", {"orders.read", "orders.write"}, "webjwt")
    head, body, sig = t.split(".")
    assert a.ask(".".join([head, body, sig[:-2] + ("AA" if sig[-2:] != "AA" else "BB")]))[0] == "2"
    assert a.ask(server.machine_token(MACHINE))[0] == "2"  # an opaque one
    assert a.ask("")[0] == "1"
    assert api(server.url, "https://other.example").ask(t)[1] == "the token is for another audience"
    assert api(server.url + "/", AUDIENCE).ask(t)[0] != "ok"


def test_other_tenants_issuer(fresh, api):
    s = fresh(tenants={"acme": {"resources": [{"identifier": AUDIENCE, "scopes": ["orders.read"], "default": True}],
                                "clients": [{"client_id": "m", "client_secret": MACHINE[1], "grant_types": ["client_credentials"], "scope": "orders.read",
                                             "access_token_format": "jwt"}]}})
    t = s.token(("m", MACHINE[1]), prefix="/t/acme", grant_type="client_credentials").json()["access_token"]
    assert api(s.url + "/t/acme").ask(t)[0] == "ok"
    assert api(s.url).ask(t)[0] != "ok"
    assert api(s.url + "/t/acme").ask(s.machine_token(MACHINEJWT))[0] != "ok"


def test_id_token(fresh, api):
    s = fresh(tenant={"clients": [{"client_id": "rp", "client_secret": WEB[1], "redirect_uris": [CALLBACK], "first_party": True,
                                   "grant_types": ["authorization_code"], "scope": "openid orders.read", "access_token_format": "jwt"}]})
    t = s.tokens("ann", client=("rp", WEB[1]), scope="openid orders.read", nonce="n-1")
    a = api(s.url, "rp")
    assert a.ask("id n-1 " + t["id_token"])[0] == "ok"
    assert a.ask("id n-2 " + t["id_token"])[0] == "2"
    assert a.ask(t["id_token"])[0] == "2"  # A63: no access token
    assert a.ask("id n-1 " + t["access_token"])[0] == "2"


def test_key_rotation_and_a_server_away(fresh, api):
    s = fresh(tenant={"jwks_max_age": "1s"})  # a new key is published for twice as long before it signs
    a = api(s.url)
    before = s.machine_token(MACHINEJWT)
    assert a.ask(before)[0] == "ok"
    s.cli("key", "rotate")
    end = time.monotonic() + 20 * SLOW
    while header(after := s.machine_token(MACHINEJWT))["kid"] == header(before)["kid"]:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert a.ask(after)[0] == "ok"
    assert a.ask(before)[0] == "ok"
    s.kill()
    assert a.ask(after)[0] == "ok" and a.ask(before)[0] == "ok"  # the keys serve on
    assert api(s.url).ask(after)[1] == "there are no keys, or no status list, recent enough to judge by"


def test_revoked_by_the_status_list(fresh, api):
    s = fresh(tenant={"clients": [{"client_id": "webjwt", "status_list": True}]})
    t = s.tokens("ann", client=WEBJWT, scope="orders.read")["access_token"]
    payload = t.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if "status" not in claims:
        pytest.skip("this server has no status lists")
    a = api(s.url, AUDIENCE, "status")
    other = s.tokens("ann", client=WEBJWT, scope="orders.read")["access_token"]
    assert a.ask(t)[0] == "ok" and a.ask(other)[0] == "ok"
    assert s.revoke(t, WEBJWT).status_code == 200
    end = time.monotonic() + 90 * SLOW
    while a.ask(t)[1] != "the token has been revoked":
        assert time.monotonic() < end, a.ask(t)
        time.sleep(0.2)
    assert a.ask(other)[0] == "ok"


# --- the examples ---

@pytest.fixture(scope="module")
def tokens(server):
    good = server.machine_token(MACHINEJWT)
    head, body, sig = good.split(".")
    return good, ".".join([head, body, "A" * len(sig)])


def check_example(run, tokens):
    """run(audience, token) gives the finished process."""
    good, bad = tokens
    r = run(AUDIENCE, good)
    assert r.returncode == 0 and "subject: " in r.stdout and "orders.read" in r.stdout, r.stdout + r.stderr
    for audience, token in ((AUDIENCE, bad), ("https://other.example", good), (AUDIENCE, "hello")):
        r = run(audience, token)
        assert r.returncode == 1 and "refused" in r.stderr and not r.stdout, r.stdout + r.stderr


def test_example_c(installed, server, tokens, tmp_path):
    source = os.path.join(ROOT, "examples", "verify.c")
    assert len(open(source, encoding="utf-8").readlines()) <= 40
    program = installed.compile(source, str(tmp_path / "verify"))
    check_example(lambda audience, token: installed.run(program, server.url, audience, token, "127.0.0.1"), tokens)
    assert installed.run(program, server.url, AUDIENCE, tokens[0]).returncode == 1  # private addresses are not called unless named


def test_example_python(server, tokens):
    check_example(lambda audience, token: subprocess.run(
        [sys.executable, os.path.join(ROOT, "examples", "python", "verify.py"), server.url, audience, token],
        capture_output=True, text=True, timeout=60, check=False), tokens)


@pytest.fixture
def orders():
    """The application behind the proxy: says what it was told."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(dict(self.headers)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    yield s.server_port
    s.shutdown()


@pytest.mark.skipif(not shutil.which("nginx"), reason="no nginx here")
def test_example_nginx(server, tokens, orders, tmp_path):
    port = mereau.free_port()
    text = open(os.path.join(ROOT, "examples", "nginx", "nginx.conf"), encoding="utf-8").read()
    for theirs, ours in (("127.0.0.1:8080", "127.0.0.1:%d" % server.port), ("127.0.0.1:3000", "127.0.0.1:%d" % orders),
                         ("127.0.0.1:8000", "127.0.0.1:%d" % port)):
        assert theirs in text
        text = text.replace(theirs, ours)
    (tmp_path / "nginx.conf").write_text(text)
    nginx = subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", "nginx.conf", "-g", "daemon off; master_process off;"], stderr=subprocess.PIPE)
    url = "http://127.0.0.1:%d/orders" % port

    def get(token=None, **headers):
        return requests.get(url, headers={**({"Authorization": "Bearer " + token} if token else {}), **headers}, timeout=20)

    try:
        for _ in range(100):
            try:
                get()
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        r = get(tokens[0], **{"Remote-User": "root", "Remote-Groups": "boss", "Remote-Email": "x@x", "Remote-Name": "x"})
        assert r.status_code == 200 and r.json()["Remote-User"] == "client:machinejwt", r.text
        assert not any(r.json().get(h) for h in ("Remote-Groups", "Remote-Email", "Remote-Name", "Authorization")), r.json()
        assert get(server.machine_token(MACHINE)).status_code == 200  # opaque ones, too
        refused = get(tokens[1])
        assert refused.status_code == 401 and "Bearer" in refused.headers["WWW-Authenticate"]
        assert get().status_code == 401
        t = server.tokens("ann", client=WEBJWT, scope="orders.read")["access_token"]
        assert get(t).json()["Remote-User"] == "ann"
        server.revoke(t, WEBJWT)
        assert get(t).status_code == 401
    finally:
        nginx.terminate()
        nginx.wait(timeout=20)
        nginx.stderr.close()
