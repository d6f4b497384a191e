"""OAuth: the release binary on a durable store, driven by wrk; beside each figure its floor, taken in the same run."""
import base64
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

import mereau
from mereau import API, CALLBACK, MACHINE, WEB, Pkce

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "build")
LIFE = "orders.read offline_access"


def say(text):
    print(text, file=sys.stderr, flush=True)


def basic(auth):
    return "Basic " + base64.b64encode(("%s:%s" % auth).encode()).decode()


def cpu_s(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def wrk(url, script, args, env, pid, seconds=None, connections=None):
    """One run. Returns rate, CPU µs an operation, p50 and p99 in ms, and the answers that were no success."""
    seconds = seconds or args.seconds
    before = cpu_s(pid)
    out = subprocess.run(["wrk", "-t1", "-c%d" % (connections or args.connections), "-d%ds" % round(seconds), "--timeout", "30s", "-s",
                          os.path.join(HERE, "wrk", script + ".lua"), url], env={**os.environ, **env}, capture_output=True, text=True, check=True).stdout
    used = cpu_s(pid) - before
    n, micros, bad, p50, p99 = (float(x) for x in re.search(r"RESULT (\S+) (\S+) (\S+) (\S+) (\S+)", out).groups())
    if bad > n / 1000:
        say("  %d of %d answers were errors" % (bad, n))
    return {"rate": n / micros * 1e6, "cpu_us": used / max(n, 1) * 1e6, "p50_ms": p50 / 1000, "p99_ms": p99 / 1000, "errors": int(bad)}


class Bench:
    def __init__(self, args):
        self.args, self.rows, self.notes, self.floors = args, [], [], {}

    def row(self, name, server, script, env, target=None, floor=None, **kw):
        say("  " + name)
        r = wrk(server.url, script, self.args, env, server.process.pid, **kw)
        r.update(name=name, target=target)
        if floor in self.floors:
            r["floor"] = (floor, self.floors[floor])
        self.rows.append(r)
        return r

    def take_floors(self):
        """What nothing on this machine can beat: the raw signature, the durable commit, the constant answer."""
        programs = {"sign": "bench-micro", "commit": "bench-store-floor", "answer": "bench-answer"}
        subprocess.run(["ninja", "-C", BUILD, *("benchmarks/" + p for p in programs.values())], check=True, stdout=subprocess.DEVNULL)
        path = {k: os.path.join(BUILD, "benchmarks", v) for k, v in programs.items()}
        micro = subprocess.run([path["sign"], "1", "ES256"], capture_output=True, text=True, check=True).stdout
        for line in micro.splitlines():  # name, ours/s, ours us, OpenSSL/s, ratio
            words = line.split()
            for row, name in (("key_sign", "raw ES256 sign"), ("key_verify", "raw ES256 verify")):
                if words[:2] == ["ES256", row]:
                    self.floors[name] = float(words[4])
        with tempfile.TemporaryDirectory() as d:
            commits = subprocess.run([path["commit"], d], capture_output=True, text=True, check=True).stdout
        for rows, name in ((1, "SQLite alone, one row a commit"), (20, "SQLite alone, 20 rows a commit")):
            m = re.search(r"sqlite alone, +%d rows a commit: +\d+ commits/s +(\d+) rows/s" % rows, commits)
            if m:
                self.floors[name] = float(m.group(1))
        port = mereau.free_port()
        p = subprocess.Popen([path["answer"], "--listen", "127.0.0.1:%d" % port], stdout=subprocess.DEVNULL)
        try:
            time.sleep(0.3)
            self.floors["constant answer"] = wrk("http://127.0.0.1:%d/" % port, "constant", self.args, {"PATH_": "/hello"}, p.pid)["rate"]
        finally:
            p.terminate()
            p.wait()


def tokens_file(server, name, tokens):
    path = os.path.join(server.dir, name)
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(tokens) + "\n")
    return path


def measure_issue(b, s, suffix=""):
    for client, name, target in (("machinejwt", "client_credentials, ES256 JWT, stored", 12000), ("machine", "client_credentials, opaque", 16000)):
        b.row(name + suffix, s, "constant", {"METHOD": "POST", "PATH_": "/token", "BODY": "grant_type=client_credentials", "AUTH": basic((client, MACHINE[1]))},
              target, "raw ES256 sign" if client == "machinejwt" else "SQLite alone, 20 rows a commit")


def measure_check(b, s, files, suffix=""):
    for name, file, target, floor in (("introspection, opaque", files["opaque"], 35000, "constant answer"), ("introspection, stored JWT", files["jwt"], 35000, "constant answer"),
                                      ("introspection, unstored JWT", files.get("free"), 9000, "raw ES256 verify")):
        if file:
            b.row(name + suffix, s, "plain", {"METHOD": "POST", "PATH_": "/introspect", "TOKENS": file, "AUTH": basic(API)}, target, floor)
    b.row("/verify, opaque" + suffix, s, "plain", {"PATH_": "/verify", "TOKENS": files["opaque"], "BEARER": "1"}, 40000, "constant answer")


def measure_flow(b, s, suffix=""):
    browser, pkce = s.browser("ann"), Pkce()
    cookie = "; ".join("%s=%s" % (c.name, c.value) for c in browser.http.cookies)
    query = urllib.parse.urlencode({"response_type": "code", "client_id": "web", "redirect_uri": CALLBACK, "scope": LIFE, "state": "s",
                                    "code_challenge": pkce.challenge, "code_challenge_method": "S256"})
    b.row("whole code + PKCE flow, live session" + suffix, s, "flow", {
        "COOKIE": cookie, "AUTH": basic(WEB), "AUTHORIZE": "/authorize?" + query, "REDIRECT": urllib.parse.quote(CALLBACK, safe=""), "VERIFIER": pkce.verifier},
        2500, "SQLite alone, 20 rows a commit")


def sample(server, client, n):
    return [server.machine_token((client, MACHINE[1])) for _ in range(n)]


def measure_small(b, args):
    begin = time.monotonic()
    s = mereau.Mereau(tenant={"refresh_grace": 0}).start()
    try:
        b.notes.append("start on a new store until ready: %.0f ms" % ((time.monotonic() - begin) * 1000))
        s.restart()
        b.notes.append("resident memory after start, idle: %.1f MiB" % rss_mib(s.process.pid))
        for path, name in (("/jwks", "JWKS"), ("/.well-known/oauth-authorization-server", "metadata")):
            s.machine_token(("machinejwt", MACHINE[1]))
            b.row(name, s, "constant", {"PATH_": path}, 80000, "constant answer")
        files = {k: tokens_file(s, k, sample(s, c, 200)) for k, c in (("opaque", "machine"), ("jwt", "machinejwt"), ("free", "machinefree"))}
        measure_check(b, s, files)
        measure_issue(b, s)
        browser = s.browser("ann")
        families = tokens_file(s, "families", [browser.tokens(scope=LIFE)["refresh_token"] for _ in range(1000)])
        b.row("refresh rotation, 1,000 families", s, "refresh", {"TOKENS": families, "AUTH": basic(WEB)}, 8000, "SQLite alone, 20 rows a commit")
        measure_flow(b, s)
        times = []
        for _ in range(5):
            s.stop()
            begin = time.monotonic()
            s.start(wait=False)
            while not subprocess.run(["curl", "-sf", "-o", "/dev/null", s.url + "/jwks"], check=False).returncode == 0:
                assert time.monotonic() - begin < 10
            times.append((time.monotonic() - begin) * 1000)
        b.notes.append("start to first answer on an existing store: %.0f ms (curl's own start included), median of 5; target 50" % sorted(times)[2])
    finally:
        s.close()


def measure_large(b, args):
    """The same with many live tokens: made by benchmarks/seed.c through the product's own functions."""
    s = mereau.Mereau(tenant={"refresh_grace": 0}).start()
    try:
        s.machine_token(("machinejwt", MACHINE[1]))
        s.stop()
        say("  seeding %d families ..." % args.rows)
        subprocess.run(["ninja", "-C", BUILD, "benchmarks/bench-seed"], check=True, stdout=subprocess.DEVNULL)
        out = os.path.join(s.dir, "seed")
        subprocess.run([os.path.join(BUILD, "benchmarks", "bench-seed"), s.data, s.url, str(args.rows), out], check=True)
        s.start()
        suffix = ", {:,} live tokens".format(args.rows)
        files = {"opaque": out + ".access", "jwt": tokens_file(s, "jwt", sample(s, "machinejwt", 200))}
        b.row("introspection, opaque" + suffix, s, "plain", {"METHOD": "POST", "PATH_": "/introspect", "TOKENS": files["opaque"], "AUTH": basic(API)}, 35000, "constant answer")
        measure_issue(b, s, suffix)
        b.row("refresh rotation, {:,} families".format(args.rows), s, "refresh", {"TOKENS": out + ".refresh", "AUTH": basic(WEB)}, 6000, "SQLite alone, 20 rows a commit")
        import socket
        idle = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(1000)]
        time.sleep(1)
        b.notes.append("resident memory with {:,} live tokens, after these runs, 1,000 connections open: {:.1f} MiB (target 60)".format(args.rows, rss_mib(s.process.pid)))
        for c in idle:
            c.close()
    finally:
        s.close()


def measure_expiry(b, args):
    s = mereau.Mereau(tenant={"clients": [{"client_id": "machine", "access_token_life": 20}]}).start()
    try:
        plain = next(r["rate"] for r in b.rows if r["name"] == "client_credentials, opaque")
        r = b.row("issuing 60 s, tokens that live 20 s", s, "constant", {"METHOD": "POST", "PATH_": "/token", "BODY": "grant_type=client_credentials",
                                                                   "AUTH": basic(MACHINE)}, None, None, seconds=60)
        r["target"] = round(plain * 0.6)
        lag = re.search(r'expired_rows_oldest_seconds{table="token"} (\S+)', __import__("requests").get(s.management + "/metrics", timeout=10).text)
        b.notes.append("that is %.0f %% of the plain figure; oldest expired row at its end: %s s" % (100 * r["rate"] / plain, lag.group(1) if lag else "?"))
    finally:
        s.close()


def measure_tenants(b, args):
    count = 10000
    say("  %d tenants ..." % count)
    one = {"clients": [{"client_id": "machine", "client_secret": MACHINE[1], "grant_types": ["client_credentials"], "scope": "orders.read"}]}
    s = mereau.Mereau(tenants={"t%d" % i: one for i in range(count)})
    try:
        begin = time.monotonic()
        s.start(wait=False)
        while True:
            try:
                s.machine_token()
                break
            except Exception:  # noqa: BLE001: not up yet
                assert time.monotonic() - begin < 300 and s.process.poll() is None
                time.sleep(0.5)
        b.notes.append("applying a file of {:,} tenants: {:.1f} s".format(count, time.monotonic() - begin))
        paths = tokens_file(s, "paths", ["/t/t%d/token" % (i * 7919 % count) for i in range(count)])
        b.row("client_credentials, opaque, 10,000 tenants in turn", s, "tenants", {"PATHS": paths, "AUTH": basic(MACHINE)}, 16000, "SQLite alone, 20 rows a commit", seconds=args.seconds * 2)
        b.notes.append("resident memory with 10,000 tenants in use: %.1f MiB" % rss_mib(s.process.pid))
    finally:
        s.close()


def run(args):
    b = Bench(args)
    b.take_floors()
    measure_small(b, args)
    if not args.quick:
        measure_large(b, args)
        measure_expiry(b, args)
        measure_tenants(b, args)
    size = os.path.getsize(os.path.join(BUILD, "mereau"))
    stripped = os.path.join(BUILD, "mereau.stripped")
    subprocess.run(["strip", "-o", stripped, os.path.join(BUILD, "mereau")], check=True)
    b.notes.append("binary: %.2f MB, stripped %.2f MB (target 3)" % (size / 1e6, os.path.getsize(stripped) / 1e6))
    return {"rows": b.rows, "notes": b.notes, "floors": b.floors}
