"""Two servers on one database behind haproxy, under load, while servers are killed, hung and restarted and the database is killed: every answer
that was received stands, nothing one-time happens twice, nothing revoked lives. MEREAU_CLUSTER_S seconds (default 40); with -s it says how it goes."""
import os
import queue
import signal
import subprocess
import threading
import time

import requests

import mereau
from conftest import with_postgres

SECONDS = float(os.environ.get("MEREAU_CLUSTER_S", "40"))
SCOPE = "orders.read offline_access"
AWAY = {0, 502, 503, 504}  # what callers see while something is down
HAPROXY = """
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option redispatch
  retries 2
frontend all
  bind 127.0.0.1:%d
  default_backend servers
backend servers
  balance roundrobin
  option forwardfor
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter 300ms fall 1 rise 1
  server a 127.0.0.1:%d port %d
  server b 127.0.0.1:%d port %d
"""


class Front(mereau.Mereau):
    """The proxy, to be spoken to like a server."""

    def __init__(self, dir):  # noqa: A002
        self.dir, self.port, self.process = dir, mereau.free_port(), None
        self.url = "http://127.0.0.1:%d" % self.port

    def start(self, servers):
        path = os.path.join(self.dir, "haproxy.cfg")
        with open(path, "w", encoding="ascii") as f:
            f.write(HAPROXY % (self.port, *(p for s in servers for p in (s.port, s.management_port))))
        self.process = subprocess.Popen(["haproxy", "-f", path, "-db"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()


class Load:
    """Callers through the front; what they were answered."""

    def __init__(self, front, servers):
        self.front, self.servers, self.stop = front, servers, threading.Event()
        self.tokens, self.revoked, self.chains, self.wrong = [], [], [], queue.Queue()
        self.statuses, self.lock = {}, threading.Lock()

    def call(self, path, auth, **data):
        try:
            r = requests.post(self.front.url + path, data=data, auth=auth, timeout=30, allow_redirects=False)
            status, body = r.status_code, r.json() if r.status_code == 200 and r.content else {}
        except requests.RequestException:
            status, body = 0, {}
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
        return status, body

    def until(self, want, path, auth, **data):
        """Again and again while something is away; anything else than `want` is wrong."""
        while True:
            status, body = self.call(path, auth, **data)
            if status in want:
                return status, body
            if status not in AWAY:
                self.wrong.put("%s %s: %d" % (path, data.get("grant_type", ""), status))
                return status, body
            if self.stop.is_set():
                return 0, {}
            time.sleep(0.1)

    def grant(self, pkce):
        """A code, whatever is going on."""
        while not self.stop.is_set():
            try:
                return self.front.browser("ann").code("web", pkce, scope=SCOPE)
            except (requests.RequestException, AssertionError):
                time.sleep(0.2)
        return None

    def redeem(self, code, pkce):
        return self.call("/token", mereau.WEB, grant_type="authorization_code", code=code, redirect_uri=mereau.CALLBACK, code_verifier=pkce.verifier)

    def machine(self):
        while not self.stop.is_set():
            status, body = self.until({200}, "/token", mereau.MACHINE, grant_type="client_credentials")
            if status == 200:
                self.tokens.append(body["access_token"])

    def chain(self):
        """One line of refresh tokens: what was not answered is asked for again, and the old one is good for that (A91)."""
        pkce = mereau.Pkce()
        while not self.stop.is_set():
            code = self.grant(pkce)
            status, body = self.redeem(code, pkce) if code else (0, {})
            if status == 200:
                break
        else:
            return
        token = body["refresh_token"]
        while not self.stop.is_set():
            status, body = self.until({200}, "/token", mereau.WEB, grant_type="refresh_token", refresh_token=token)
            if status == 200:
                token = body["refresh_token"]
        self.chains.append(token)

    def codes(self):
        """Two at once with one code (A27): never both."""
        while not self.stop.is_set():
            pkce = mereau.Pkce()
            code = self.grant(pkce)
            if not code:
                return
            got = []
            pair = [threading.Thread(target=lambda: got.append(self.redeem(code, pkce)[0])) for _ in range(2)]
            for t in pair:
                t.start()
            for t in pair:
                t.join()
            if got.count(200) > 1 or not set(got) <= {200, 400} | AWAY:
                self.wrong.put("a code was redeemed: %s" % got)

    def revoker(self):
        """What is revoked is dead everywhere once that was answered."""
        while not self.stop.is_set():
            status, body = self.until({200}, "/token", mereau.MACHINE, grant_type="client_credentials")
            if status != 200:
                continue
            token = body["access_token"]
            if self.until({200}, "/revoke", mereau.MACHINE, token=token)[0] != 200:
                continue
            self.revoked.append(token)
            for s in self.servers:
                try:
                    r = requests.post(s.url + "/introspect", data={"token": token}, auth=mereau.API, timeout=10)
                    if r.status_code == 200 and r.json()["active"]:
                        self.wrong.put("a revoked token lives")
                except requests.RequestException:
                    pass

    def run(self):
        threads = [threading.Thread(target=f) for f in (self.machine, self.machine, self.chain, self.chain, self.codes, self.revoker)]
        for t in threads:
            t.start()
        return threads


def chaos(pg, servers, end):
    """One thing after the other; says what."""
    def hang(s):
        s.process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        s.process.send_signal(signal.SIGCONT)

    def kill(s):
        s.kill()
        time.sleep(0.5)
        s.start(wait=False)

    def database():
        pg.kill()
        time.sleep(1)
        pg.start()

    def rotate():
        for s in servers:
            s.cli("key", "rotate", check=None)

    a, b = servers
    events = [("kill -9 of a server", lambda: kill(a)), ("the database killed", database), ("a restart", b.restart), ("the keys rotated on both", rotate),
              ("a server hangs for 3 s", lambda: hang(b)), ("kill -9 of the other", lambda: kill(b)), ("a restart of the other", a.restart)]
    each, n = max(5.0, min(30.0, SECONDS / len(events))), 0
    while time.monotonic() < end:
        name, do = events[n % len(events)]
        print("%4.0f s left: %s" % (end - time.monotonic(), name), flush=True)
        do()
        n += 1
        time.sleep(min(each, max(0.0, end - time.monotonic())))
    return n


def wait_up(s):
    end = time.monotonic() + 30 * mereau.SLOW
    while time.monotonic() < end:
        try:
            if requests.get(s.management + "/readyz", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise AssertionError("not ready:\n" + s.log_text()[-2000:])


def test_a_cluster(fresh, tmp_path):
    pg, front = with_postgres.Server().start(), Front(str(tmp_path))
    servers = []
    try:
        settings = {"issuer": front.url, "trusted_proxies": ["127.0.0.1"]}
        first = fresh(server={"store": "postgresql://postgres@/postgres?host=" + pg.dir, **settings}, tenant={"refresh_grace": 60})
        second = fresh(start=False, beside=first)
        second.config["server"].update(settings)
        second.write_config(second.config)
        second.start()
        servers = [first, second]
        front.start(servers)
        time.sleep(1)
        load = Load(front, servers)
        threads = load.run()
        events = chaos(pg, servers, time.monotonic() + SECONDS)
        time.sleep(3)
        load.stop.set()
        for t in threads:
            t.join()
        for s in servers:
            wait_up(s)
        print("%d events, %d tokens, %d revoked, answers by status: %s" % (events, len(load.tokens), len(load.revoked), dict(sorted(load.statuses.items()))), flush=True)
        assert load.wrong.empty(), list(load.wrong.queue)[:10]
        assert len(load.tokens) > 100 and load.revoked and len(load.chains) == 2
        for i, token in enumerate(load.tokens[::max(1, len(load.tokens) // 2000)]):
            assert servers[i % 2].active(token), "an answered token is lost"
        for i, token in enumerate(load.revoked):
            assert not servers[i % 2].active(token), "a revoked token lives"
        for token in load.chains:
            assert servers[0].refresh(token).status_code == 200
        assert servers[0].get("/jwks").json() == servers[1].get("/jwks").json()
        for s in servers:
            assert s.cli_json("audit", "verify")["ok"]
    finally:
        front.close()
        for s in servers:
            s.close()
        pg.stop()
