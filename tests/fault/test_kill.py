"""kill -9 under load: every answer that was received is kept, nothing one-time is usable twice, the start is clean."""
import concurrent.futures
import os
import threading
import time

import requests

from mereau import API, CALLBACK, MACHINE, WEB, Pkce

ROUNDS = int(os.environ.get("MEREAU_KILL_ROUNDS", "20"))


class Load:
    """Threads that issue, refresh and redeem until the server dies, and remember what they were answered."""

    def __init__(self, s, browser):
        self.s, self.browser = s, browser
        self.access, self.consumed_refresh, self.live_refresh, self.codes = [], [], [], []
        self.stop = threading.Event()

    def machine(self):
        http = requests.Session()
        while not self.stop.is_set():
            r = http.post(self.s.url + "/token", data={"grant_type": "client_credentials"}, auth=MACHINE, timeout=10)
            if r.status_code == 200:
                self.access.append(r.json()["access_token"])

    def person(self):
        http = requests.Session()
        while not self.stop.is_set():
            pkce = Pkce()
            code = self.browser.code("web", pkce)
            r = http.post(self.s.url + "/token", auth=WEB, timeout=10, data={
                "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": pkce.verifier})
            if r.status_code != 200:
                continue
            self.codes.append((code, pkce))
            token = r.json()["refresh_token"]
            for _ in range(3):
                r = http.post(self.s.url + "/token", data={"grant_type": "refresh_token", "refresh_token": token}, auth=WEB, timeout=10)
                if r.status_code == 200:
                    self.consumed_refresh.append(token)
                    token = r.json()["refresh_token"]
                    self.access.append(r.json()["access_token"])
            self.live_refresh.append(token)

    def run(self, seconds):
        def quiet(fn):
            try:
                fn()
            except (requests.RequestException, AssertionError, KeyError):
                pass
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            for fn in (self.machine, self.machine, self.machine, self.person, self.person, self.person):
                pool.submit(quiet, fn)
            time.sleep(seconds)
            self.s.kill()
            self.stop.set()


def test_kill_under_load(fresh):
    s = fresh(tenant={"refresh_grace": 0})
    browser = s.browser("ann")
    http = requests.Session()
    issued = 0
    for i in range(ROUNDS):
        load = Load(s, browser)
        load.run(0.4 + 0.05 * (i % 5))
        s.start()
        assert "ERROR" not in s.log_text(), s.log_text()[-2000:]
        assert load.access
        issued += len(load.access)
        for t in load.access:
            assert http.post(s.url + "/introspect", data={"token": t}, auth=API, timeout=10).json()["active"], "lost an answered token"
        for token in load.live_refresh[-5:]:
            assert s.refresh(token).status_code == 200
        for token in load.consumed_refresh[-3:]:
            assert s.refresh(token).status_code == 400
        for code, pkce in load.codes[-3:]:
            r = s.token(WEB, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=pkce.verifier)
            assert r.status_code == 400
        assert browser.get("/account").status_code == 200
    assert "rows" in s.cli("audit", "verify").stdout
    assert issued > 100
